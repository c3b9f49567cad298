# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kind of a question says of its answer: "why" wants a reason, "how many" a number, "what is" a definition."""

import re
from collections.abc import Callable

from episodes.text.stemming import stems

Manner = Callable[[str], float]
"""How well a text fits a kind of question, 0..1, beside what it is about."""


def manner(question: str) -> Manner:
    """What fits this question; a constant 0 for kinds of which nothing is known."""
    plain = " ".join(re.sub(r"[^\w\s'-]", " ", question.lower().replace("’", "'")).split())
    for kind, made in _KINDS:
        found = kind.match(plain)
        if found:
            fits = made(found)
            if fits is not None:
                return fits
    return lambda text: 0.0


def decision(question: str) -> bool:
    """True for a question that "yes" or "no" could answer."""
    return _DECISION.match(question.lower().strip()) is not None


_DECISION = re.compile(
    r"(?:and |so |but )*(?:is|are|was|were|can|could|do|does|did|will|would|should|has|have|had|isn't|aren't|don't"
    r"|doesn't)\b"
)


def _holds(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> Callable[[re.Match[str]], Manner]:
    """A kind whose answers hold one of these phrases."""
    sought = re.compile(pattern, flags)
    return lambda found: lambda text: float(sought.search(text) is not None)


def _defines(found: re.Match[str]) -> Manner | None:
    """Sentences that say what the thing is: "X is a …", "it's called X", "the idea of X"."""
    thing = re.sub(r"\b(?:mean|means|do|does|like|exactly|about|all|again)\b", "", found["thing"]).strip()
    names = stems(thing)
    if not 1 <= len(thing.split()) <= 4 or not names:
        return None
    name = "|".join(re.escape(word) for word in sorted(names))
    # what is defined opens the clause, and a noun follows: "so a nonce is a number", not "this nonce is too long"
    direct = re.compile(
        rf"(?:^|[,;:.] |\b(?:so|and|well|now|basically|essentially|that|what|how) )(?:(?:an?|the|your|these|this"
        rf"|called) )?"
        rf"(?:[\w'-]+ ){{0,2}}?(?:{name})[\w-]*(?: [\w-]+)?,? (?:is|are|means?|stands? for|refers? to|allows?|lets?"
        rf"|was|were"
        rf"|works?|describes?|does)\b(?! (?:not|very|also|that|still|already|actually|going|why|just|too|so"
        rf"|kind of hard)\b)",
        re.IGNORECASE,
    )
    told = re.compile(
        rf"\b(?:{name})\w*\b[^.?!]{{0,25}}?\b(?:is|are|means?|stands for|refers|does|was|lets|basically|essentially)\b"
        rf"|\b(?:called|so-called|known as|idea (?:of|behind))\b[^.?!]{{0,25}}\b(?:{name})", re.IGNORECASE,
    )
    return lambda text: 1.0 if direct.search(text) else 0.6 if told.search(text) else 0.3 * bool(_EXPLAINS.search(text))


_EXPLAINS = re.compile(
    r"\b(?:basically|essentially|the (?:basic )?idea|in other words|is when|is where|is a|are a|is an|it's a"
    r"|it's an)\b",
    re.IGNORECASE,
)
_NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty"
    r"|hundreds?|thousands?|millions?|billions?|dozens?|couple|half|percent|several|most|few)\b"
)
_TIME = (
    r"\b(?:1[5-9]|20)\d\d\b|\b(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|early|late|ago|yesterday|today"
    r"|january|february|march|april|june|july|august|september|october|november|december|monday|summer|winter"
    r"|nineties|eighties|seventies|\d0s)\b"
)
_NAME = r"(?<=[a-z,;] )[A-Z][a-z]+|\bI\b"

_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Manner | None]], ...] = tuple(
    (re.compile(kind), made) for kind, made in (
        (r".*\babout$", _holds(
            r"\b(?:is about|it's about|tells?|story of|deals? with|covers?|talks? about|describes?|explores?)\b"
        )),
        (r"(?:and |but |so )*(?:why|how come|what (?:is|was|are|were) the reasons?|for what reason)\b", _holds(
            r"\b(?:because|since|the (?:main |big |only )?reason|that's why|so that|due to|the (?:problem|issue"
            r"|point) (?:is|was)|"
            r"wanted? to|in order to|otherwise|causes?|means that|interest|trade-?offs?|need(?:s|ed)? to|has to"
            r"|have to|if you)\b"
        )),
        (r"(?:and |so )*how (?:many|much|big|large|high|expensive|far|fast|small|tall)\b", _holds(_NUMBER)),
        (r"(?:and |so )*(?:how (?:long|old|often|soon)|when|since when|(?:in )?(?:what|which) (?:year|month|decade))\b",
         _holds(f"{_TIME}|{_NUMBER}")),
        (r"(?:and |so )*(?:who|whose|which (?:person|company|people|project)s?)\b(?! (?:is|are) (?:an? )?\w+$)",
         _holds(_NAME, re.RegexFlag(0))),
        (r"(?:and |so )*where\b", _holds(r"\b(?:in|at|on|from|near|to) (?:the )?[A-Z]\w+", re.RegexFlag(0))),
        (r".*\bdifferen(?:t|ce|ces)\b|.*\bcompare[ds]?\b|.*\bversus\b", _holds(
            r"\b(?:difference|different|whereas|while|unlike|instead|compared?|rather than|as opposed to|versus|but"
            r"|on the other hand|similar|more|less|not)\b"
        )),
        (r".*\b(?:downsides?|drawbacks?|disadvantages?|problems?|risks?|dangers?|wrong|limitations?|issues?|weakness\w*"
         r"|challenges?|bad|criticisms?)\b", _holds(
            r"\b(?:problems?|downsides?|drawbacks?|disadvantages?|issues?|difficult|hard|challenges?|trade-?offs?"
            r"|risks?"
            r"|dangers?|can't|cannot|doesn't|don't|costs?|unfortunately|attack\w*|expensive|however|worse|bad|lose"
            r"|losing)\b"
        )),
        (r".*\b(?:benefits?|advantages?|upsides?|good for|point of|pros|better about)\b", _holds(
            r"\b(?:benefits?|advantages?|better|improve\w*|allows?|lets?|can|enables?|nice|great|good|cheaper"
            r"|faster|easier)\b"
        )),
        (r"(?:and |so |but )*(?:what(?:'s| is| are| was| were| does| do)|who is|who was|who's|define|explain"
         r"|what do you mean by"
         r"|tell me about|what exactly (?:is|are)) (?:an? |the |by )?(?P<thing>.+)", _defines),
        (r"(?:and |so |but )*how\b", _holds(
            r"\b(?:by|works?|the way|first|then|you (?:can|take|have|need|get|just)|essentially|basically|uses?"
            r"|using|through"
            r"|with an?|step|start with|you (?:\w+ )?(?:send|create|make|put|run)|is that|allows?)\b"
        )),
        (_DECISION.pattern, _holds(
            r"^(?:yes|yeah|no|not|exactly|absolutely|definitely|sure|probably|maybe|it depends|right|actually"
            r"|correct)\b"
            r"|\b(?:can|cannot|can't|don't|doesn't|won't|wouldn't|isn't|aren't|not|never|possible|impossible|definitely"
            r"|of course|depends|I think|I would say|I don't think|already|even|only)\b"
        )),
    )
)  # fmt: skip
