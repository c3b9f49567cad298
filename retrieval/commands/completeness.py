# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shape of an utterance tells: whether it asks something, and whether its speaker is done (text-aware
endpointing).

Both are pure functions of an English text as a recogniser writes it. Its punctuation is believed where it says that
words were cut off ("in the...", "What does he-"), since recognisers put a full stop or a question mark behind anything
else.
"""

import re

from retrieval.commands.matching import normalized
from retrieval.commands.parser import is_asking, without_politeness
from retrieval.model import Command
from voice.turns.turn_detector import Completeness

_CUT = re.compile(r"(?:[-–—,…]|\.\.\.?)\s*[\"'”’]?$")
_DANGLING = frozenset((
    "a", "an", "the", "and", "or", "but", "because", "if", "than", "my", "your", "our", "their", "its", "every",
    "each", "whose", "into", "between", "during", "without", "through", "against", "per", "via", "until", "unless",
    "although", "while", "whether", "that's", "um", "uh", "er", "erm", "hmm", "like", "very", "really", "so",
))  # fmt: skip
"""Words after which more must follow."""

_PREPOSITIONS = frozenset((
    "of", "to", "in", "by", "with", "about", "for", "from", "at", "on", "over", "under", "after", "before", "since",
    "towards", "toward", "around", "behind",
))  # fmt: skip
_LEADS_ON = frozenset(("to", "about", "of", "by", "with", "from", "at"))
"""Prepositions that end no command, as "on" in "go on" does."""

_WHAT_IS_IT_ABOUT = re.compile(
    r"(?:and |so )*(?:what|who|where)(?:'s| is| are| was| were)"
    r" (?:this|that|it|he|she|they|these|those|(?:the|this) \w+) (?:all )?(?:about|for|like|from|with|on)"
)
_AUXILIARIES = frozenset((
    "is", "are", "was", "were", "am", "be", "been", "do", "does", "did", "has", "have", "had", "can", "could",
    "would", "will", "should", "must", "might", "may", "isn't", "aren't", "doesn't", "don't", "didn't", "what's",
    "who's", "where's", "how's", "there's", "it's",
))  # fmt: skip
_REPORTS = re.compile(
    r"\b(?:say|says|said|saying|think|thinks|mention|mentions|mentioned|tell|explain|know|mean|part)\b"
)
_WH = re.compile(r"(?:and |so |but |then )*(?:what|who|whom|where|which|when|why|how)\b")
_BARE_WH = re.compile(r"(?:and |so |but )*(?:what|which|how (?:many|much|long|often|old|big|far)|whose)(?: \w+)?")
_DO_SUPPORT = re.compile(
    r"(?:and |so |but )*(?:(?:what|who|where|which|when|why|how)(?: \w+)? )?"
    r"(?:do|does|did|can|could|would|will|should|must)(?:n't)? (?P<rest>.+)"
)
_DETERMINER = re.compile(r"(?:the|a|an|this|that|these|those|his|her|my|our|their|your|its|some|any|all)\b ?")
_NUMBER_LAST = re.compile(r"(?:\d|one|two|three|four|five|six|seven|eight|nine|ten|teen|ty|hundred|half)$")
_EXTENSIBLE = frozenset(("back", "forward", "play", "go_to", "play_about"))
"""Commands that often go on after a breath: "go back", "thirty seconds"."""

_SHORTEST_QUESTION = 4  # words from which on a question without a sign of more to come counts as whole
_FOLLOWS_UP = re.compile(r"(?:and|but|or|so)\b .")
_WONDERS = re.compile(
    r"(?:i (?:wonder|want to know|would like to know|do not understand|don't understand|don't get|didn't (?:get|catch))"
    r"|i'd (?:like|love) to (?:know|hear)|remind me|give me (?:a|an|the|some|one|three)\b|define|compare|what|where|who"
    r"|can (?!you\b|we\b|i\b)|could (?!you\b|we\b|i\b)|would (?!you\b)|will (?!you\b)|shall|the (?:meaning|difference)"
    r"|any |more (?:about|on)\b|anything\b|something (?:about|on)\b|according to\b)"
)


def asks(text: str) -> bool:
    """Whether an utterance asks something, by its words; what merely begs ("can you turn on the lamp?") does not."""
    heard = normalized(text)
    bare, begs = without_politeness(heard)
    if any(is_asking(words) or _WONDERS.match(words) for words in {heard, bare} if not (begs and words == heard)):
        return True
    return not begs and (text.rstrip(" \"'”’").endswith("?") or _FOLLOWS_UP.match(heard) is not None)


def completeness(text: str, command: Command | None = None) -> Completeness:
    """Whether somebody who said this so far is done. ``command`` is what it means as a command."""
    said = text.strip()
    heard = normalized(said)
    words = heard.split()
    if not words:
        return Completeness.OPEN
    if _CUT.search(said) or words[-1] in _DANGLING:
        return Completeness.INCOMPLETE
    if command is not None and words[-1] not in _LEADS_ON:
        unfinished = command.name in _EXTENSIBLE and (command.amount is None or _NUMBER_LAST.search(heard) is not None)
        return Completeness.OPEN if unfinished else Completeness.COMPLETE
    asking = asks(said)
    if words[-1] in _PREPOSITIONS:
        if _WHAT_IS_IT_ABOUT.fullmatch(heard):
            return Completeness.COMPLETE
        stranded = _WH.match(heard) is not None and len(words) > 3 and not _REPORTS.search(heard)
        return Completeness.OPEN if stranded else Completeness.INCOMPLETE
    if asking and _is_cut_question(heard, words):
        return Completeness.INCOMPLETE
    if asking and len(words) >= _SHORTEST_QUESTION:
        return Completeness.COMPLETE
    return Completeness.OPEN


def _is_cut_question(heard: str, words: list[str]) -> bool:
    """Whether a question lacks its verb, or what it asks about."""
    if words[-1] in _AUXILIARIES and len(words) <= 3:
        return True
    if _BARE_WH.fullmatch(heard) and not (len(words) == 1 or words[0] == "what"):
        return True
    found = _DO_SUPPORT.fullmatch(heard)
    if found is None:
        return False
    rest = found["rest"]
    determined = _DETERMINER.match(rest)
    rest = rest[determined.end() :] if determined else rest
    return len(rest.split()) <= 1
