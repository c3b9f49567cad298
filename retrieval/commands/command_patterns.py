# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a pattern stands on one line, however long
"""Utterances: how people command a companion, as small patterns.

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

COMMAND_SENTENCES: dict[str, tuple[str, ...]] = {
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
    "go_to": (
        "(go|jump|skip) to [minute] {number} [{unit}]", "(go|jump|skip) to the {place}",
        "start (over|again|from the beginning)", "(play|go) from the (beginning|start|top)",
    ),
    "next_topic": ("[go to the|skip to the|play the] next (topic|chapter|part|section|segment|question|one)", "next"),
    "previous_topic": ( "[go [back] to the|play the] (previous|last) (topic|chapter|part|section|segment)",
        "[the] previous one", "previous"),
    "next_episode": ("[go to the|skip to the|play the] next episode",),
    "previous_episode": ("[go [back] to the|play the] (previous|last) episode",),
    "play_about": (
        "(play|find|go to|jump to|take me to|skip to|show me) the (part|bit|moment|section|segment|place) (about|on|where|with|when) {topic}",
        "(play|find|go to|jump to|take me to) {topic}",
        "(play|find|go to) (where|when) {person} (talks|talked|speaks|spoke|says|said) (about|of) {topic}",
    ),
    "return_to": (
        "go back to where (i|we) (was|were|left off|stopped)",
        "[take me] back to where (i|we) (was|were|left off|stopped)",
        "continue (where|from where) (i|we) (was|were|left off|stopped)", "return to where (i|we) (was|were)",
    ),
    "slower": ("[play [it]] slower", "slow down [please]"),
    "faster": ("[play [it]] faster", "speed up [please]"),
    "set_speed": (
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
    "own_words": (
        "[say|repeat] [that|it] in (their|his|her) own words",
        "(let me|i want to) hear (it|that|them) [in (their|his|her) own words]",
        "play (the original|the clip|that part|the moment|it in the original)",
    ),
    "play_latest": ("play the (latest|newest) episode", "play the latest"),
    "sleep": (
        "sleep in {number} minutes", "(sleep|stop) at the end of (this|the) {ending}", "(sleep|stop) after this {ending}",
    ),
    "bookmark": ( "(bookmark|save|mark|remember) [this|that|it]", "(add|set|make) a bookmark", "take a note",
        "note that"),
    "help": ("what can i (ask|say)", "[can you] help [me]"),
    "yes": ( "yes [please]", "yeah", "yep", "sure", "okay", "all right", "that one"),
    "choose": ("the {which} one",),
    "no": ( "no [thanks|thank you]", "nope", "not that", "not that one", "never mind", "cancel [that]", "forget it",
        "another one", "next one"),
    "thanks": ("thanks", "thank you", "hello", "hi", "goodbye", "bye"),
}  # fmt: skip
"""How each command is said most, by its name; ``commands.yaml`` has further ways."""

PEOPLE = ("he", "she", "they", "the guest", "the host", "the speaker", "the author", "you", "we", "people", "i")
"""Whoever speaks, when the name is not used."""

FILLS = {
    "number": NUMBERS, "unit": UNITS, "person": PEOPLE, "part": ("half a", "a"), "factor": ("double", "half", "normal"),
    "place": ("beginning", "start", "end", "middle"), "ending": ("topic", "episode"), "which": ("first", "second", "third", "last", "other"),
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


def spoken_ways(pattern: str, fills: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Every sentence of a pattern with each slot filled in every way."""
    for sentence in expand(pattern):
        slots = [fills[word[1:-1]] if word[0] == "{" else (word,) for word in sentence.split()]
        for words in itertools.product(*slots):
            yield " ".join(words)


def commands(topics: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every fixed command as (what it asks for, its words); those about a topic once for each of ``topics``."""
    for intent, patterns in COMMAND_SENTENCES.items():
        for pattern in patterns:
            for sentence in spoken_ways(pattern, FILLS | {"topic": topics}):
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
