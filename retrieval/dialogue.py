# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question means in its conversation: follow-ups, the place on the player, a speaker, an overview, a list.

Each rule is a small pure function from the question (and the speakers' names) to a plan, or None; the first that fits
holds, and what none fits is searched for as it stands.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from retrieval.model import Moment, Question


class Kind(StrEnum):
    """Ways to an answer."""

    SEARCH = "search"  # find ``text`` and quote
    CHOOSE = "choose"  # quote ``moment``, which was found before
    WHO = "who"  # name who speaks in ``moment``, or where the player stands
    JUST_SAID = "just said"  # repeat what was said before ``position``
    MEANING = "meaning"  # explain the rarest word of what was just said
    MISSED = "missed"  # the topics between ``since`` and ``position``
    OVERVIEW = "overview"  # the summary
    TOPICS = "topics"  # the list of segments
    EPISODES = "episodes"  # the episodes that cover ``text``


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is to be answered. ``told`` are moments that an answer should not come from again."""

    kind: Kind
    text: str = ""
    speaker: str = ""
    moment: Moment | None = None
    told: tuple[Moment, ...] = ()


def understand(question: Question, speakers: Sequence[str] = ()) -> Plan:
    """The plan for a question; ``speakers`` are the names of those who speak where it is asked."""
    plain = _plain(question.text)
    for rule in RULES:
        plan = rule(plain, question, speakers)
        if plan is not None:
            return plan
    return Plan(Kind.SEARCH, question.text)


Rule = Callable[[str, Question, Sequence[str]], Plan | None]


def _plain(text: str) -> str:
    words = re.sub(r"[^\w\s']", " ", text.lower().replace("’", "'")).split()
    while len(words) > 1 and words[0] in ("um", "uh", "hey", "please", "okay", "ok", "oh", "earmark", "well", "hm"):
        words = words[1:]
    while len(words) > 1 and words[-1] in ("please", "again", "exactly", "earmark", "then"):
        words = words[:-1]
    return " ".join(words)


def _last(question: Question) -> Moment | None:
    """The moment that the last answer rested on."""
    return next((turn.moments[0] for turn in reversed(question.history[-1:]) if turn.moments), None)


_WHO = re.compile(
    r"(?:and |so |wait )*(?:who(?:'s| is| was)? (?:said|says|saying|speaking|talking|that|this|it)(?: (?:that"
    r"|this|it|now"
    r"|here|there|right now|just now|talking|speaking))*|whose (?:words|voice) (?:were|was|is) (?:that|this|those)"
    r"|who (?:just )?(?:said|spoke)(?: (?:that|this|it|just now))*|who did you just quote)"
)


def who(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"Who said that?": of the last answer, else of what plays."""
    return Plan(Kind.WHO, moment=_last(question)) if _WHO.fullmatch(plain) else None


_ORDER = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "next": 1, "other": 1,
    "last": -1,
}  # fmt: skip
_WHICH = re.compile(
    rf"(?:and |so |but )*(?:what about|how about|and|what's|what is|tell me(?: more)? about|read(?: me)?|give me)? ?"
    rf"(?:the )?({'|'.join(_ORDER)})(?: (?:one|moment|result|answer|hit|place|quote|part)s?)?"
)


def which(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What about the second one?": another moment of the last answer."""
    found = _WHICH.fullmatch(plain)
    if not found or not question.history:
        return None
    moments, number = question.history[-1].moments, _ORDER[found[1]]
    if not moments or number >= len(moments):
        return None
    return Plan(Kind.CHOOSE, question.history[-1].text, moment=moments[number])


_MORE = re.compile(
    r"(?:and |so |but )*(?:(?:can you |could you )?tell me more(?: about (?:that|it|this))?|more|anything else"
    r"|what else"
    r"(?: (?:did|do|does) (?:they|he|she) say(?: about (?:it|that|this))?)?|is there (?:anything|something) else"
    r"|go deeper"
    r"|where else(?: .{0,30})?|and then|what else is there|say more(?: about (?:that|it))?|more about (?:that|it"
    r"|this))"
)


def more(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"Tell me more": the same question, and another place."""
    if not _MORE.fullmatch(plain) or not question.history:
        return None
    asked = question.history[-1]
    told = asked.moments[:1]
    return Plan(Kind.SEARCH, asked.text, told=told)


_BARE = re.compile(
    r"(?:and |so |but )*(?P<how>why(?: (?:not|so|is that(?: so)?|was that|though|does that matter))?|how(?: so"
    r"| come| exactly)?"
    r"|since when|when(?: was that)?|where(?: was that)?|really|for example|such as|like what|in what way|for whom"
    r"|what for|says who|compared to what|what does that mean|what do you mean(?: by that)?|meaning(?: what)?)"
)
_LEANING = re.compile(r"\b(?:it|that|this|they|them|those|these|he|she|him|her|his|their|its|there)\b")
_AND = re.compile(r"(?:and|but|so)(?: what about| how about)?|what about|how about")


def follow_up(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"And why?", "how does it work?", "and what about fees?": the question goes on from the one before."""
    if not question.history:
        return None
    before = question.history[-1]
    bare = _BARE.fullmatch(plain)
    if bare:
        return Plan(Kind.SEARCH, f"{bare['how']}: {before.text}", told=before.moments[:1])
    words = plain.split()
    leads = _AND.match(plain)
    names = any(word[:1].isupper() for word in question.text.split()[1:])
    if leads and 1 <= len(plain[leads.end() :].split()) <= 6 and not names:
        return Plan(Kind.SEARCH, f"{question.text} ({before.text})")
    leans = _LEANING.search(plain)
    if leans and len(words) <= 8 and len(_telling(plain)) <= 2 and not names:
        return Plan(Kind.SEARCH, f"{question.text} ({before.text})")
    return None


def _telling(plain: str) -> list[str]:
    """The words that say what a question is about."""
    return [word for word in plain.split() if len(word) > 2 and word not in _QUIET and not _LEANING.fullmatch(word)]


_QUIET = frozenset(
    re.findall(
        r"\w+",
        "and but what why how who when where which does did are was were the can could would should will has have had"
        " you say said says think mean means about really for with from any some more much many also not all your our",
    )
)

_JUST = re.compile(
    r"(?:sorry |wait |and )*(?:what (?:did|was|has|is|does)(?: it)? ?(?:he|she|they|you|that|it|the (?:host|guest"
    r"|speaker)|\w+)?"
    r" (?:just |was )?(?:say|said|saying|talking about|mean)(?: just)?(?: now| there| just now)?"
    r"|what was that(?: (?:last (?:bit|part|thing|sentence)|just now|he said|she said|they said))?"
    r"|what did i just hear"
    r"|(?:can you |could you )?(?:repeat|say) (?:what (?:he|she|they) (?:just )?said|the last (?:sentence|bit|part))"
    r"|i (?:didn't|did not) (?:get|catch|hear|understand) (?:that|it|what (?:he|she|they) (?:just )?said)"
    r"|what are (?:they|we) talking about(?: (?:right )?now)?|what is (?:this|that) (?:bit|part) about)"
)


def just_said(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What did he just say?": the words before the player's position."""
    if question.position is None or not _JUST.fullmatch(plain):
        return None
    recent = re.search(r"\b(?:just|was that|now|repeat|last|catch|get|hear|understand)\b", plain)
    return Plan(Kind.JUST_SAID) if recent or len(plain.split()) <= 4 else None


_WORD = re.compile(
    r"(?:and |so |wait )*(?:what(?:'s| is| does| did)(?: the meaning of)? (?:that|this|the last) (?:word|term"
    r"|name|phrase|acronym"
    r"|abbreviation)(?: (?:mean|means|stand for|he (?:just )?(?:used|said)|she (?:just )?(?:used|said)"
    r"|they (?:just )?(?:used|said)))*"
    r"|(?:explain|define) (?:that|this) (?:word|term|phrase)|i don't know (?:that|this) (?:word|term))"
)


def meaning(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What does that word mean?": the rarest of what was just said."""
    return Plan(Kind.MEANING) if question.position is not None and _WORD.fullmatch(plain) else None


_MISSED = re.compile(
    r"(?:and |so )*(?:what (?:did|have) i miss(?:ed)?(?: (?:so far|since (?:last time|yesterday|i (?:left|stopped"
    r"|paused)))|"
    r" while .{1,30})?|(?:catch|get) me up|bring me up to (?:speed|date)|what happened (?:so far|before|until now"
    r"|since .{1,30})"
    r"|where (?:was i|were we)|(?:give me )?a? ?recap(?: of what i missed)?|what (?:was|were) (?:this|it|they"
    r"|we) (?:about )?(?:so far)"
    r"|recap(?: .{1,20})?|summari[sz]e what i missed)"
)


def missed(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What did I miss?": what was said since the last listening."""
    return Plan(Kind.MISSED) if _MISSED.fullmatch(plain) else None


_THING = (
    r"(?:this|that|it|the|this whole|the whole)(?: (?:episode|podcast|show|conversation|interview|recording"
    r"|talk|one|thing|all))?"
)
_OVERVIEW = re.compile(
    rf"(?:and |so )*(?:what(?:'s| is| was) {_THING}(?: all)? about|what (?:are|do) they (?:talking"
    rf"|talk) about(?: in {_THING})?"
    rf"|(?:give me |can you give me |could you give me )?(?:an? |the )?(?:summary|overview|gist"
    rf"|short version)(?: of {_THING})?"
    rf"|(?:can you )?(?:summari[sz]e|sum up)(?: {_THING})?|what(?:'s| is) {_THING} episode about"
    rf"|tell me about {_THING}|what's the (?:gist|summary|main (?:point|idea))(?: of {_THING})?"
    rf"|what happens in {_THING})"
)
_TOPICS = re.compile(
    rf"(?:and |so )*(?:(?:which|what) (?:topics|subjects|chapters|themes|segments|sections)(?: (?:are|do|does|did"
    rf"|is) .{{1,40}})?"
    rf"|(?:list|show me|tell me|name|give me)(?: me)?(?: all)? (?:the )?(?:topics|chapters|subjects|segments"
    rf"|themes)(?: of {_THING})?"
    rf"|what (?:topics|subjects) (?:are|do|does|did) .{{1,40}}|what are the (?:topics|chapters|subjects|themes"
    rf"|main topics)"
    rf"(?: (?:of|in) {_THING})?|what can i ask(?: about)?|topics|table of contents)"
)


def overview(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What is this about?" and "which topics?"."""
    if _TOPICS.fullmatch(plain):
        return Plan(Kind.TOPICS)
    return Plan(Kind.OVERVIEW) if _OVERVIEW.fullmatch(plain) else None


_EPISODES = re.compile(
    r"(?:and |so )*(?:(?:in )?(?:which|what)(?: other)? (?:episodes?|podcasts?|shows?|ones?"
    r"|interviews?)(?: of (?:mine|the library))?"
    r" (?:(?:talk|talks|talked|speak|speaks|deal|deals)(?: about| of| on| with)|(?:is|are|was|were)(?: about| on)"
    r"|cover(?:s|ed)?|mention(?:s|ed)?"
    r"|discuss(?:es|ed)?|explains?|(?:do|did|does) (?:they|we|he|she|people) (?:talk|speak|discuss|mention"
    r"|cover)(?: about| of)?)"
    r"|(?:list|show me|find|find me|give me|do i have|are there|is there)(?: me)?(?: all| any| an"
    r"| the)?(?: other)? episodes?"
    r" (?:about|on|that (?:talks?|deals?|mentions?|covers?)(?: about| with)?|where they (?:talk about|discuss"
    r"|mention))"
    r"|where else do (?:they|people|we) (?:talk|speak) (?:about|of)) (?P<topic>.+)"
)


def episodes(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"Which episodes talk about fees?": a list over the library."""
    found = _EPISODES.fullmatch(plain)
    if not found:
        return None
    topic = found["topic"]
    if _LEANING.fullmatch(topic) and question.history:
        topic = question.history[-1].text
    return Plan(Kind.EPISODES, topic)


_OPINION = re.compile(
    r"(?:and |so |but )*(?:what (?:does|did|do|would|is|was|has)|how (?:does|did|do|would)|where does|why (?:does"
    r"|did|do)|does|did"
    r"|when does|when did) (?P<name>(?:[\w'.-]+ ){0,3}?[\w'.-]+?)(?:'s)? (?:just )?"
    r"(?P<verb>think|say|said|believe|feel|mean|know|tell us|suggest|recommend|argue|explain|talk|mention|want"
    r"|see|like|"
    r"opinion|view|take|position|describe|define|compare|like|worry|disagree|agree|propose|hope|fear|expect"
    r"|answer)s?\b"
    r"(?: (?:about|of|on|with|to|by))?(?P<topic>.*)"
)
_ACCORDING = re.compile(r"(?P<topic>.+) according to (?P<name>.+)"
r"|according to (?P<name2>[\w'. -]+?),? (?P<topic2>wh.+|how.+)")


def speaker(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What does SPEAKER think about …": only that person's words count."""
    found = _OPINION.fullmatch(plain)
    if found:
        name, topic = found["name"], found["topic"].strip()
        whole = question.text
    else:
        told = _ACCORDING.fullmatch(plain)
        if not told:
            return None
        name, topic = (told["name"] or told["name2"]), (told["topic"] or told["topic2"])
        whole = topic
    known = named(name, speakers)
    if known is None:
        return None
    if not topic or _LEANING.fullmatch(topic):
        topic = question.history[-1].text if question.history else ""
    return Plan(Kind.SEARCH, topic or whole, speaker=known)


def named(name: str, speakers: Sequence[str]) -> str | None:
    """The speaker who is meant by a name as it was heard: the whole name or a part of it, nearly in its letters."""
    from rapidfuzz import fuzz

    name = name.lower().strip()
    if name in ("he", "she", "they", "it", "you", "that", "this", "i", "we", "one", "anyone", "the", "people"):
        return None
    best, found = 0.0, None
    for each in speakers:
        parts = [each.lower(), *(part for part in each.lower().split() if len(part) > 2 and part != "speaker")]
        like = max((fuzz.ratio(name, part) for part in parts), default=0.0)
        if like > best:
            best, found = like, each
    return found if best >= 80 else None


RULES: tuple[Rule, ...] = (
    who, which, more, meaning, missed, just_said, overview, episodes, speaker, follow_up
)  # fmt: skip
"""In the order in which they are tried."""


def searched(question: Question, plan: Plan) -> Question:
    """The question that is put to the search for a plan."""
    return replace(question, text=plan.text or question.text)
