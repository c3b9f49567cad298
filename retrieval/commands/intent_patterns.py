# SPDX-License-Identifier: GPL-3.0-or-later
"""The words in which people take their turns in a conversation about a podcast: patterns for whole sentences.

They are matched in small letters without punctuation, as ``dialogue`` makes them; what is no whole match is a question
to search for.
"""

import re

LEAD = re.compile(
    r"(?:um+|uh+|er+m*|hm+|hey|please|okay|ok|oh|earmark|well|wait|sorry|just|briefly|quickly|in a nutshell"
    r"|in short"
    r"|(?:hang|hold) on(?: a (?:second|minute|moment|sec))?|(?:can|could|would|will) you(?! say\b(?! more))"
    r"|i(?:'d| would) like to know)\s+(?=\S)"
)
TAIL = re.compile(r"(?<!\s)\s+(?:please|again|exactly|earmark|then|for me)$")
_AND = r"(?:and |so |but )*"
WHO = re.compile(
    rf"{_AND}(?:who(?:'s| is| was| are)? (?:it |this |that )?(?:that )?(?:just )?(?:said|says|saying|speaking"
    rf"|talking|spoke)"
    r"(?: (?:that|this|it|so|now|here|there|right now|just now))*"
    r"|who(?:'s| is| was) (?:that|this|it)(?: (?:speaking|talking|voice))?|who was it(?: that said (?:that|this"
    r"|it))?"
    r"|who(?:'s| is| was) the speaker|who (?:made|raised) (?:that|this) (?:point|claim|argument|remark|joke)"
    r"|who (?:am i|are we) (?:listening to|hearing)(?: (?:right )?now)?|who did you (?:just )?quote"
    r"|whose (?:words|voice|quote|point|view|opinion) (?:were|was|is|are) (?:that|this|those|these|it)"
    r"|which (?:one |person |speaker |guest )?(?:of them |of the two )?(?:said|says) (?:that|this|it)"
    r"|which (?:speaker|person) (?:was|is) (?:that|this|it)"
    r"|(?:was|is) (?:that|this|it) the (?:host|guest)(?: or the (?:host|guest))?|says who)"
)
ORDER = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "next": 1, "other": 1,
    "last": -1, "number one": 0, "number two": 1, "number three": 2, "number four": 3, "number 1": 0, "number 2": 1,
    "number 3": 2, "number 4": 3,
}  # fmt: skip
WHICH = re.compile(
    rf"{_AND}(?:what about|how about|and|what's|what is|what was|what does|what did|tell me(?: more)? about"
    rf"|(?:read|give|show)(?: me)?)? ?(?:the )?({'|'.join(ORDER)})"
    r"(?: (?:one|moment|result|answer|hit|place|quote|part|option)s?)?(?: say| says| said| about)?"
)
_IT = r"(?:that|it|this)"
MORE = re.compile(
    rf"{_AND}(?:tell me (?:more|about)(?: (?:about )?{_IT})?|(?:say |give me |is there )?(?:any )?more(?: (?:on"
    rf"|about) {_IT})?"
    rf"|elaborate(?: (?:on )?{_IT})?|go deeper|go into (?:more )?detail|anything else(?: (?:about|on) {_IT})?"
    rf"|what else(?: (?:is there|(?:did|do|does) (?:they|he|she|people) (?:say|mention|think)"
    rf"|about)(?: (?:about )?{_IT})?)?"
    rf"|(?:is there|(?:do|did) they say|(?:does|did) (?:he|she) say) (?:anything|something) (?:else"
    rf"|more)(?: (?:about|on) {_IT})?"
    rf"|where else(?: do they (?:say|mention|talk about) {_IT})?|and then what|keep (?:going"
    rf"|telling me)(?: about {_IT})?)"
)
BARE = re.compile(
    rf"{_AND}(?P<how>why(?: (?:not|so|is that(?: so)?|was that|though|does that matter))?|how(?: so"
    r"| come| exactly)?"
    r"|since when|when(?: was that)?|where(?: was that)?|really|for (?:example|instance)|such as|like what"
    r"|in what way"
    r"|for whom|what for|says who|compared to what|what does (?:that|this|it) mean|what do you mean(?: by that)?"
    r"|meaning(?: what)?|what|(?:(?:give|tell|have) (?:me )?)?an example(?: of (?:that|it|this))?)"
)
THINGS = re.compile(r"\b(?:it|that|this|those|these|its)\b")
LEANING = re.compile(r"\b(?:it|that|this|they|them|those|these|he|she|him|her|his|their|its)\b")
ALSO = re.compile(r"(?:and|but|so)(?: what about| how about)?|what about|how about")
QUIET = frozenset(
    re.findall(
        r"\w+",
        "and but what why how who when where which does did are was were the can could would should will has have had"
        " you say said says think mean means about really for with from any some more much many also not all your our",
    )
)
_WHOEVER = r"(?:he|she|they|you|it|we|that|this|the (?:host|guest|speaker)|(?:that|this) (?:guy|man|woman|person))"
JUST_SAID = re.compile(
    rf"{_AND}(?:what (?:did|was|has|have|is|does|do) {_WHOEVER} (?:just )?(?:say|said|saying"
    rf"|mean)(?: (?:just )?(?:now|there|then))?"
    r"|what (?:did|was|has) (?:\w+ ){1,2}just (?:say|said|saying)(?: (?:now|there))?|what was just said"
    r"|what (?:was|is|'s) that(?: (?:last )?(?:bit|part|thing|sentence)(?: about)?| just now| (?:he|she"
    r"|they) (?:just )?said)?"
    r"|what was the last (?:bit|part|thing|sentence|point)(?: (?:he|she|they) said| about)?|what did i just hear"
    r"|(?:repeat|say) (?:what (?:he|she|they) (?:just )?said|the last (?:sentence|bit|part))"
    r"|i (?:missed|(?:didn't|did not|don't|couldn't) (?:get|catch|hear|understand)) (?:that|it"
    r"|what (?:he|she|they|was) (?:just )?(?:said|saying|say))"
    r"|what (?:are|is) (?:they|we|he|she|you) (?:talking|on|going on|speaking) about (?:right )?now|what (?:are"
    r"|is) (?:they|he|she) on about"
    r"|what is (?:he|she) talking about|what is (?:this|that) (?:bit|part) about)"
)
_TERM = r"(?:word|term|name|phrase|acronym|abbreviation|expression)"
_USED = r"(?: (?:he|she|they)(?: just)? (?:used|said|mentioned))"
MEANING = re.compile(
    rf"{_AND}(?:what(?:'s| is| was| does| did) (?:the meaning of )?(?:that|this|the last|the) {_TERM}{_USED}?"
    rf"(?: (?:means?|stands? for))?{_USED}?|what does (?:that|this|it) mean (?:that|this) {_TERM}"
    rf"|(?:explain|define) (?:that|this|the last|the) {_TERM}{_USED}?"
    rf"|i (?:don't|do not|didn't) (?:know|understand|get) (?:that|this|the) {_TERM}{_USED}?|(?:what"
    rf"|which) {_TERM} was that)"
)
_AWAY = r"(?:since|while|when) (?:(?:i|we) .{1,30}|last (?:time|night|week)|yesterday|this morning|then|the last time)"
MISSED = re.compile(
    rf"{_AND}(?:(?:tell me |summari[sz]e |recap )?what (?:(?:did|have) i|i(?: have|'ve)?) miss(?:ed)?"
    rf"(?: (?:so far|{_AWAY}))?|(?:catch|get) me up|fill me in|bring me up to (?:speed|date)"
    rf"|what(?:'s| has)? happened (?:so far|before|until now|up to now|{_AWAY})"
    r"|where (?:was i|were we)|where did (?:we|i) (?:leave off|stop|get to)"
    r"|remind me (?:where|what) (?:we|i) (?:were|was|left off)(?: at)?"
    r"|(?:give me )?(?:a )?(?:quick )?recap(?: (?:of )?(?:what i missed|everything|it|this|that|so far))?"
    r"|what (?:was|were) (?:this|it|they|we) (?:about )?so far|what have (?:they|we|i) (?:\w+ )(?:about )?so far)"
)
_WHOLE = r"(?:episode|podcast|show|conversation|interview|recording|talk)"
_THING = rf"(?:this|that|it|the|this whole|the whole)(?: (?:{_WHOLE}|one|thing|all))?"
OVERVIEW = re.compile(
    rf"{_AND}(?:what(?:'s| is| was) {_THING}(?: all)? about|tell me what {_THING} is (?:all )?about"
    rf"|what (?:are|do) they (?:talking|talk) about(?: in {_THING})?"
    rf"|(?:give me )?(?:an? |the )?(?:quick |short |brief )?(?:summary|overview|gist|rundown"
    rf"|short version)(?: of {_THING})?"
    rf"|(?:summari[sz]e|sum)(?: up)?(?: {_THING})?(?: up)?"
    rf"|tell me about (?:this|{_THING} {_WHOLE})"
    rf"|what(?:'s| is) the (?:gist|summary|main (?:point|idea|message|takeaway))(?: of {_THING})?"
    rf"|what happens in {_THING})"
)
_PARTS = r"(?:topics?|subjects?|chapters?|themes?|segments?|sections?)"
_COVER = rf"(?:do|does|did) (?:they|we|he|she|{_THING}) (?:talk about|discuss|cover|mention|have)(?: in {_THING})?"
TOPICS = re.compile(
    rf"{_AND}(?:(?:which|what)(?: (?:all|kinds? of|sorts? of|other|main))* (?:{_PARTS}|things|stuff)"
    rf"(?: (?:are|is) (?:there|covered|discussed|in here|(?:there )?in {_THING})| come up| {_COVER})"
    rf"|(?:which|what) {_PARTS}|what (?:all )?(?:do|does|did) (?:they|{_THING}) (?:cover|discuss)"
    rf"|what all do they talk about"
    rf"|(?:list|show|tell|name|give|read)(?: me)?(?: all)?(?: a list of)? (?:the )?{_PARTS}(?: of {_THING})?"
    rf"|what are the (?:main )?{_PARTS}(?: (?:of|in) {_THING})?|what can i ask(?: about)?|topics|chapters"
    rf"|table of contents)"
)
_TALK = (
    r"(?:(?:talk|speak|deal)(?:s|ed|t)?|spoke)(?: (?:about|of|on|with))?"
    r"|cover(?:s|ed)?|mention(?:s|ed)?|discuss(?:es|ed)?|explains?"
)
EPISODES = re.compile(
    rf"{_AND}(?:(?:in )?(?:which|what)(?: other)?(?: one)?(?: of)?(?: my| the)? (?:episodes?|podcasts?|shows?"
    rf"|ones?|interviews?)"
    rf"(?: of (?:mine|the library))? (?:{_TALK}|(?:is|are|was|were)(?: the ones?)? (?:about|on)"
    rf"|(?:do|did|does) (?:they|we|he|she|people) (?:{_TALK}))"
    r"|(?:(?:list|show|find|give)(?: me)?|do i have|are there|is there)(?: all| any| an"
    r"| the)?(?: other)? (?:episodes?|podcasts?)"
    rf" (?:about|on|(?:that|which) (?:are about|is about|{_TALK})|where they (?:{_TALK}))"
    rf"|where else do (?:they|people|we) (?:talk|speak) (?:about|of)|who else (?:{_TALK})) (?P<topic>.+)"
)
_VERB = (
    r"(?:think|say|said|believe|feel|mean|know|tell us|suggest|recommend|argue|explain|talk|mention|mentioned"
    r"|want|see"
    r"|like|opinion|view|take|position|thought|describe|define|compare|worry|disagree|agree|propose|hope|fear"
    r"|expect"
    r"|answer|stance|idea|have to say|talked|spoken)s?"
)
OPINION = re.compile(
    rf"{_AND}(?:tell me (?:what|how|why)|what(?:'s|(?: does| did| do| would| is| was| has| are)?)|how (?:does"
    rf"|did|do|would)"
    r"|where (?:does|did)|why (?:does|did|do)|does|did|has|when (?:does"
    r"|did)) (?P<name>(?:[\w'.-]+ ){0,3}?[\w'.-]+?)(?:'s)? (?:just |ever )?"
    rf"(?P<verb>{_VERB})\b(?: (?:anything|something))?(?: (?:about|of|on|with|to|by))?(?P<topic>.*)"
)
ACCORDING = re.compile(
    r"(?P<topic>.+) according to (?P<name>.+)|according to (?P<name2>[\w'. -]+?),? (?P<topic2>wh.+|how.+)"
)
