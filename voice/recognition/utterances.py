# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a pattern stands on one line, however long
"""How people ask and command: what a listener says to a companion, as small patterns.

A pattern is words with choices: ``(a|b)`` is one of them, ``[a]`` may be left out. ``{topic}`` is a stretch of the
episode's own words, ``{person}`` whoever speaks in it, ``{number}`` and ``{unit}`` a distance in time.
"""

import itertools
import re
from collections.abc import Iterator

NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty",
    "ninety", "twenty five", "thirty five", "forty five", "fifty five", "a hundred", "a couple of", "a few",
)  # fmt: skip

UNITS = ("seconds", "minutes", "second", "minute", "hours", "hour")

COMMANDS: dict[str, tuple[str, ...]] = {
    "play": ("play", "[please] (play|start) [the] (episode|podcast|show)", "start [playing]", "play it", "go"),
    "pause": ("pause [please|it|the episode|the podcast]", "please pause", "hold on", "wait [a (moment|minute)]"),
    "resume": (
        "(resume|continue|go on|carry on|keep going|keep playing|unpause) [please]",
        "(continue|resume) [playing|playback|the episode|the podcast|listening]",
    ),
    "stop": ("stop [it|please|playing|talking|the episode]", "please stop", "be quiet", "shut up", "enough", "quiet"),
    "back": (
        "(go|skip|jump|move) (back|backward)", "back", "rewind", "(go|skip|jump) back a (bit|little)",
        "(go|skip|jump|move) (back|backward) [by] {number} {unit}", "rewind [by] {number} {unit}",
        "back {number} {unit}", "(go|skip|jump) back {part} minute", "rewind a (bit|little)",
    ),
    "forward": (
        "(go|skip|jump|move) (forward|ahead)", "fast forward", "forward", "skip [this]",
        "skip ahead a (bit|little)",
        "(go|skip|jump|move) (forward|ahead) [by] {number} {unit}", "fast forward [by] {number} {unit}",
        "forward {number} {unit}", "skip {number} {unit}", "skip {part} minute",
        "skip the (intro|introduction|ads|ad)",
    ),
    "goto": (
        "(go|jump|skip) to [minute] {number} [{unit}]", "(go|jump|skip) to the {place}",
        "start (over|again|from the beginning)", "(play|go) from the (beginning|start|top)",
    ),
    "next": ("[go to the|skip to the|play the] next (topic|chapter|part|section|segment|question|one)", "next"),
    "previous": ( "[go [back] to the|play the] (previous|last) (topic|chapter|part|section|segment)",
        "[the] previous one", "previous"),
    "next episode": ("[go to the|skip to the|play the] next episode",),
    "previous episode": ("[go [back] to the|play the] (previous|last) episode",),
    "part": (
        "(play|find|go to|jump to|take me to|skip to|show me) the (part|bit|moment|section|segment|place) (about|on|where|with|when) {topic}",
        "(play|find|go to|jump to|take me to) {topic}",
        "(play|find|go to) (where|when) {person} (talks|talked|speaks|spoke|says|said) (about|of) {topic}",
    ),
    "return": (
        "go back to where (i|we) (was|were|left off|stopped)",
        "[take me] back to where (i|we) (was|were|left off|stopped)",
        "continue (where|from where) (i|we) (was|were|left off|stopped)", "return to where (i|we) (was|were)",
    ),
    "slower": ("[play [it]] slower", "slow down [please]"),
    "faster": ("[play [it]] faster", "speed up [please]"),
    "speed": (
        "[play at] {factor} speed", "[play at] {number} times speed", "[play at] one point five times [speed]",
    ),
    "louder": ("[make it] louder", "(turn it|volume) up", "turn up the volume"),
    "quieter": ("[make it] (quieter|softer)", "(turn it|volume) down", "turn down the volume"),
    "mute": ("mute",),
    "unmute": ("unmute",),
    "repeat": (
        "repeat [that|it|the answer|the question] [please]", "[please] say (that|it) again", "(come|say that) again",
        "(what was that|what did you say|pardon|sorry|what)", "play (that|it) again", "once more", "one more time",
    ),
    "own words": (
        "[say|repeat] [that|it] in (their|his|her) own words",
        "(let me|i want to) hear (it|that|them) [in (their|his|her) own words]",
        "play (the original|the clip|that part|the moment|it in the original)",
    ),
    "missed": (
        "what did i miss", "what have i missed", "what happened so far", "catch me up",
        "(summarize|summarise) [the episode|this episode|so far]",
        "give me a (summary|recap)", "recap", "where are we", "what is (this|the episode|this episode) about",
        "what is this",
        "what are they talking about", "what is happening [now]", "what is coming [up] [next]", "what comes next",
    ),
    "who": ( "who is (speaking|talking) [now]",
        "who (is|are) (this|that|the guest|the host|the guests|the hosts|{person})", "who said that"),
    "time": ( "how (much|long) is left", "how much time is left", "how long is (this|the) (episode|podcast)",
        "what time is it"),
    "bookmark": ( "(bookmark|save|mark|remember) [this|that|it]", "(add|set|make) a bookmark", "take a note",
        "note that"),
    "list": (
        "(list|show|show me|read me|what are) [the] (chapters|topics|episodes|bookmarks|questions|segments)",
        "what (topics|chapters|episodes) (are there|do you have|do i have)",
    ),
    "help": ("what can i (ask|say)", "[can you] help [me]"),
    "yes": ( "yes [please]", "yeah", "yep", "sure", "okay", "all right", "that one"),
    "choose": ("the {which} one",),
    "no": ( "no [thanks|thank you]", "nope", "not that", "not that one", "never mind", "cancel [that]", "forget it",
        "another one", "next one"),
    "thanks": ("thanks", "thank you", "hello", "hi", "goodbye", "bye"),
}  # fmt: skip
"""Every fixed thing that can be said, by what it asks for."""

COMMON: tuple[str, ...] = (
    "what (is|are) {topic}", "what (is|are) the {topic} of {topic}",
    "what (does|do|did) {person} (say|think) about {topic}",
    "what (does|do) {topic} (mean|show|do|teach us|tell us)", "why (is|are) {topic}", "why (does|do|did) {topic}",
    "how (does|do|did|can) {topic}", "who is {topic}", "tell me [more] about {topic}", "explain {topic}",
    "(is|are) {topic} or {topic}",
    "(is|are|can) {topic}", "(does|do) {person} think [that] {topic}", "what would {topic}", "what happened to {topic}",
)  # fmt: skip
"""The shapes in which most questions come."""

QUESTIONS: tuple[str, ...] = (
    "what (is|are) {topic} (good|bad|used|known|famous|important) for",
    "(does|do|did) {person} (think|believe|say|agree|know) that {topic} (is|are|was|can|will) {topic}",
    "what (is|was|are|were) {topic}", "what (is|are) {topic} (about|for|like)",
    "what (does|do|did) {topic} (mean|show|teach|do|say|tell|look like|change)",
    "what (does|do|did) {topic} (teach|show|tell|give|cost) (us|me|you|people)",
    "what (does|did|do) {person} (mean|think|say)",
    "what (does|did|do) {person} (say|think|mean|mention|explain|believe|know|tell us|argue|learn|feel|want to say) (about|by|of|on|with|from) {topic}",
    "what (does|did) {person} (say|think|believe|recommend|suggest|want|compare|prefer|discover|find) {topic}",
    "what (kind|kinds|sort|type|part|parts) of {topic}", "what (would|could|should|can|will|might) {topic}",
    "what (happens|happened) (to|with|when|if|in|after|before) {topic}",
    "what (makes|made|causes|caused) {topic}",
    "what is the (difference between|meaning of|point of|problem with|reason for|idea behind|role of|purpose of|story of|answer to|example of) {topic}",
    "what (about|if) {topic}", "what (is|are|was) the {topic}", "what (is|are) (some|the) examples of {topic}",
    "what (else|exactly) {topic}",
    "what did you (learn|hear|find) about {topic}",
    "what do (they|you|we|people) (mean by|think of|think about|know about|say about|call) {topic}",
    "why (is|are|was|were) {topic}", "why (does|do|did|would|should|can|could) {topic}",
    "why (does|did) {person} (say|think|believe|mention|keep|compare|call|like|hate|want|leave) {topic}",
    "why is there {topic}", "why are there {topic}",
    "why (is|are) {topic} (important|difficult|hard|bad|good|wrong|dangerous|better|worse)",
    "why (is|are) {topic} like {topic}",
    "why (not|do we need|should we|should i care about) {topic}",
    "how (is|are|was|were) {topic}", "how (does|do|did|can|could|would|should|will) {topic}",
    "how (does|do) {topic} (work|happen|help|feel|end|begin|learn|change|matter)",
    "how (does|did|do|can) {person} (explain|describe|define|know|measure|compare|feel about|think about|deal with|get) {topic}",
    "how (many|much|long|old|big|often|far|hard|good|important|well|fast) (is|are|was|does|do|did) {topic}",
    "how (many|much) {topic}", "how (to|come) {topic}",
    "how (is|are) {topic} (made|done|used|related to|different from|like) {topic}",
    "who (is|are|was|were) {topic}",
    "who (said|says|wrote|made|did|talked about|mentioned|invented|wants|thinks|owns|asked about) {topic}",
    "who (is|are) {person}",
    "when (is|are|was|were|did|does|do|will|can) {topic}",
    "when (did|does|do) {person} (talk about|speak about|say|mention|bring up) {topic}",
    "where (is|are|was|were|did|does|do|can|will) {topic}",
    "where (did|does|do) {person} (talk about|speak about|say|mention|come from|live|work) {topic}",
    "which {topic}", "which (one|part|of them|of these|episode) (is|are|was|talks|talked|of) (about|on) {topic}",
    "(is|are|was|were) {topic}", "(is|are|was|were) {topic} or {topic}", "(is|are) there {topic}",
    "is it (true|possible|right) that {topic}", "(are|is) (these|those|this|that) {topic}",
    "(does|do|did) {topic}",
    "(does|did|do) {person} (say|think|believe|mention|agree with|talk about|like|know|have|explain|ever) {topic}",
    "(can|could|will|would|should|may|might|must) {topic}",
    "(can|could) {topic} (become|be|have|learn|feel|make) {topic}", "(has|have|had) {topic}",
    "(has|have) {person} (said|mentioned|talked about|ever) {topic}",
    "[can you|could you|please] (tell me|explain|say) (about|more about|what|why|how|something about|everything about|again about) {topic}",
    "[can you|could you|please] (explain|define|describe|summarize) {topic}",
    "tell me (about|more about|what|why|how) {topic}", "tell me what {person} (said|thinks|says|think) about {topic}",
    "do they (talk|speak|say anything) about {topic}",
    "i (want|would like) to (know|hear) (about|more about|what|why|how) {topic}",
    "(give me|is there) (an example of|a definition of|more on) {topic}", "and {topic}", "what about {topic}",
)  # fmt: skip
"""The shapes of questions."""

PEOPLE = ("he", "she", "they", "the guest", "the host", "the speaker", "the author", "you", "we", "people", "i")
"""Whoever speaks, when the name is not used."""

FILLS = {
    "number": NUMBERS, "unit": UNITS, "person": PEOPLE, "part": ("half a", "a"), "factor": ("double", "half", "normal"),
    "place": ("beginning", "start", "end", "middle"), "which": ("first", "second", "third", "last", "other"),
}  # fmt: skip

_TOKEN = re.compile(r"[(\[|\])]|\{\w+\}|[^\s(\[|\])]+")


def expand(pattern: str) -> Iterator[str]:
    """Every sentence of a pattern; what stands in braces stays as it is.

    Raises ValueError when the brackets do not close.
    """
    tokens = _TOKEN.findall(pattern)
    sentences, rest = _choices(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"brackets in {pattern!r}")
    return (" ".join(words) for words in sentences)


def spoken(pattern: str, fills: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Every sentence of a pattern with each slot filled in every way."""
    for sentence in expand(pattern):
        slots = [fills[word[1:-1]] if word[0] == "{" else (word,) for word in sentence.split()]
        for words in itertools.product(*slots):
            yield " ".join(words)


def commands(topics: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every fixed command as (what it asks for, its words); those about a topic once for each of ``topics``."""
    for intent, patterns in COMMANDS.items():
        for pattern in patterns:
            for sentence in spoken(pattern, FILLS | {"topic": topics}):
                if sentence:
                    yield intent, sentence


def _choices(tokens: list[str], at: int) -> tuple[list[list[str]], int]:
    """All word sequences from ``at`` up to a closing bracket or the end, and the place behind them."""
    options: list[list[str]] = []
    current: list[list[str]] = [[]]
    while at < len(tokens) and tokens[at] not in (")", "]"):
        mark = tokens[at]
        if mark == "|":
            options += current
            current = [[]]
            at += 1
            continue
        if mark in "([":
            inner, at = _choices(tokens, at + 1)
            if at == len(tokens):
                raise ValueError("a bracket does not close")
            if mark == "[":
                inner = [[], *inner]
        else:
            inner = [[mark]]
        current = [left + right for left in current for right in inner]
        at += 1
    return options + current, at
