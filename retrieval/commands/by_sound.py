# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that were misheard, matched by how they sound: "Boss" for "Pause", "Slooper" for "Slower".

The phonemes are espeak-ng's. Their distance is an edit distance whose substitutions cost what two sounds differ in
(place, manner and voicing of consonants; height, backness and rounding of vowels), as in Kondrak's ALINE ("A new
algorithm for the alignment of phonetic sequences", 2000).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retrieval.commands.command_patterns import NUMBERS
from retrieval.commands.matching import normalized
from retrieval.commands.parser import parse
from retrieval.model import Command

MOST_WORDS = 6
"""Words of an utterance that may be a misheard command."""

SAME = 0.08
"""Distance up to which it is the same to the ear."""

SURE_DISTANCE = 0.19
"""Distance up to which it is done."""

UNSURE = 0.25
"""Distance up to which a word is asked back; several words are words of their own sooner."""

_UNSURE_WORDS = 0.215

_LEAD = 0.05  # by which the nearest command must be nearer than the next one of another meaning, to be done

_PLACE = {
    **dict.fromkeys("pbm", 0.0), "w": 0.0, "ʍ": 0.0, **dict.fromkeys("fv", 0.15), **dict.fromkeys("θð", 0.3),
    **dict.fromkeys("tdsznlɹrɾ", 0.4), **dict.fromkeys("ʃʒ", 0.55), "j": 0.7, **dict.fromkeys("kɡgŋ", 0.85),
    "x": 0.85, "h": 1.0, "ʔ": 1.0,
}  # fmt: skip
_MANNER = {
    **dict.fromkeys("pbtdkɡgʔ", 0.0), **dict.fromkeys("fvθðszʃʒhx", 0.4), **dict.fromkeys("mnŋ", 0.6),
    **dict.fromkeys("lɹrɾ", 0.8), **dict.fromkeys("wjʍ", 1.0),
}  # fmt: skip
_VOICED = frozenset("bdɡgvðzʒmnŋlɹrɾwj")
_VOWELS = {  # height (0 open, 1 close), backness (0 front, 1 back), rounding
    "i": (1, 0, 0), "ɪ": (0.85, 0.1, 0), "e": (0.65, 0, 0), "ɛ": (0.45, 0, 0), "æ": (0.2, 0.1, 0), "a": (0.1, 0.3, 0),
    "ɐ": (0.2, 0.5, 0), "ɑ": (0, 1, 0), "ɒ": (0, 1, 0.7), "ɔ": (0.35, 1, 0.8), "o": (0.6, 1, 1), "ʊ": (0.85, 0.9, 1),
    "u": (1, 1, 1), "ʌ": (0.35, 0.8, 0), "ə": (0.5, 0.5, 0), "ɚ": (0.5, 0.5, 0.2), "ɜ": (0.5, 0.5, 0.1),
    "ᵻ": (0.8, 0.3, 0), "ɝ": (0.5, 0.5, 0.2),
}  # fmt: skip
_GAP = {**dict.fromkeys(_VOWELS, 0.6), "ə": 0.35, "h": 0.35, "ɹ": 0.5, "ʔ": 0.2, "t": 0.5, "d": 0.5}
_LOST = 0.75  # what it costs that a sound is missing, or one too many


@dataclass(frozen=True, slots=True)
class SoundsLike:
    """A command that an utterance sounds like: the ``phrase`` it may have been, and their ``distance`` (0: the same,
    about 1: nothing alike). ``sure``: nothing else is nearly as near, and it is near."""

    command: Command
    phrase: str
    distance: float
    sure: bool


Phonemes = Callable[[str], str]
"""The IPA of a text."""


def sounds_like(text: str, phonemes: Phonemes) -> SoundsLike | None:
    """The command that a short utterance sounds like; None for one that is longer, or like none of them."""
    said = normalized(text)
    if not said or len(said.split()) > MOST_WORDS:
        return None
    heard = sounds(phonemes(said))
    if len(heard) < 2:
        return None
    nearest: dict[str, tuple[float, str]] = {}
    farthest = _UNSURE_WORDS if " " in said else UNSURE
    numbers = _numbers(said)
    for phrase, command, wanted in _phrases(phonemes):
        if numbers and numbers != _numbers(phrase):
            continue
        if abs(len(wanted) - len(heard)) > max(2, len(heard) // 2):
            continue
        far = distance(heard, wanted)
        if far < nearest.get(_meaning(command), (farthest, ""))[0]:
            nearest[_meaning(command)] = (far, phrase)
    if not nearest:
        return None
    (far, phrase), *others = sorted(nearest.values())
    lead = min((other for other, _ in others), default=1.0) - far
    meant = parse(phrase)
    return SoundsLike(meant, phrase, far, far <= SURE_DISTANCE and lead >= _LEAD) if meant else None


def _numbers(said: str) -> list[str]:
    return [_DIGITS.get(word, word) for word in said.split() if word in NUMBERS or word.isdigit()]


_DIGITS = {"1": "one", "10": "ten", "30": "thirty"}


def unlike(one: str, other: str, phonemes: Phonemes) -> float:
    """How unlike two texts sound, from 0 (the same) to about 1."""
    return distance(sounds(phonemes(normalized(one))), sounds(phonemes(normalized(other))))


def sounds(ipa: str) -> tuple[str, ...]:
    """The sounds of a transcription, without stress, length and what is not told apart here."""
    return tuple(letter for letter in ipa if letter in _VOWELS or letter in _PLACE)


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """How unlike two sequences of sounds are: the cost of the cheapest edit, by the length of the longer."""
    if not one or not other:
        return 1.0
    row = np.concatenate([[0.0], np.cumsum([_gap(sound) for sound in other])])
    for sound in one:
        before, lost = row, _gap(sound)
        row = np.empty_like(before)
        row[0] = before[0] + lost
        for at, wanted in enumerate(other, 1):
            row[at] = min(before[at] + lost, row[at - 1] + _gap(wanted), before[at - 1] + _substitution(sound, wanted))
    return float(row[-1]) / max(len(one), len(other))


def _gap(sound: str) -> float:
    return _GAP.get(sound, _LOST)


@lru_cache(maxsize=2048)
def _substitution(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one in _VOWELS and other in _VOWELS:
        far = sum(abs(a - b) for a, b in zip(_VOWELS[one], _VOWELS[other], strict=True))
        return min(0.6, 0.1 + 0.3 * far)
    if one in _VOWELS or other in _VOWELS:
        return 0.5 if {one, other} & set("jwɹl") else 1.0
    voicing = 0.2 * ((one in _VOICED) != (other in _VOICED))
    return min(1.0, 0.1 + voicing + 0.7 * abs(_PLACE[one] - _PLACE[other]) + 0.6 * abs(_MANNER[one] - _MANNER[other]))


_SAID = (
    "pause", "pause it", "stop", "stop it", "play", "play it", "resume", "continue", "go on", "carry on", "keep going",
    "mute", "unmute", "louder", "quieter", "volume up", "volume down", "turn it up", "turn it down", "faster", "slower",
    "speed up", "slow down", "normal speed", "double speed", "go back", "rewind", "skip", "skip this", "skip forward",
    "fast forward", "go back ten seconds", "go back thirty seconds", "go back one minute", "back thirty seconds",
    "skip thirty seconds", "skip forward thirty seconds", "skip forward one minute", "skip ahead one minute",
    "next topic", "next chapter", "previous topic", "previous chapter", "skip this topic", "next episode",
    "previous episode", "go back to where i was", "start over", "start again", "go to the beginning", "bookmark",
    "bookmark this", "bookmark that", "save this", "what are my bookmarks", "list my bookmarks", "repeat",
    "repeat that", "say that again", "in their own words", "in his own words", "in her own words", "help", "be quiet",
    "never mind", "please pause", "pause the podcast", "save this spot", "start playing the episode", "skip the ads",
    "stop the episode", "skip the intro", "skip to the end", "speed up a little", "that's enough", "no thanks",
    "the second one", "carry on please", "slow down please", "what can i say",
)  # fmt: skip
"""What short commands are mostly said as. Few: each further phrase is one more that something else may sound like."""


@lru_cache(maxsize=4)
def _phrases(phonemes: Phonemes) -> tuple[tuple[str, Command, tuple[str, ...]], ...]:
    """Every such phrase with its command and its sounds."""
    parsed = ((phrase, parse(phrase)) for phrase in _SAID)
    return tuple((phrase, command, sounds(phonemes(phrase))) for phrase, command in parsed if command is not None)


def prepare(phonemes: Phonemes) -> None:
    """Make what the first utterance would have to wait for."""
    _phrases(phonemes)


def _meaning(command: Command) -> str:
    return f"{command.name} {command.amount} {command.about}"
