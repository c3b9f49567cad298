# SPDX-License-Identifier: GPL-3.0-or-later
"""Passages: the pieces of an episode that are searched, at two lengths.

*Units* of about thirty words follow each other without a gap or an overlap; every answer begins at one. *Windows* of
about 120 words overlap and give a unit its context: what a few sentences are about is seldom said in the first one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from episodes.text.sentences import Line, sentences
from retrieval.model import Passage
from voice.model import Cue

UNIT_WORDS = 30
"""Words after which a unit is full."""
WINDOW_WORDS = 120
"""Words after which a window is full."""

_STEP = 25  # words between the starts of two windows, at least
_STRIDE = 60  # words after which a window begins although nothing else does
_OWN = 10  # words a unit must have before a new turn or paragraph may begin the next one
_LONGEST = 48  # words: a sentence that would make a unit longer than this begins its own
_SILENCE = 8.0  # seconds without a word in which a unit ends: a jump to its start must not land far before its words
_PARAGRAPH = 25  # mean words of a cue from which on cues are somebody's paragraphs, not pieces of caption


def passages(episode_id: str, cues: Sequence[Cue]) -> list[Passage]:
    """The passages of one episode: all units in order of time, then all windows in order of time.

    Windows begin where a unit begins. An episode without words has no passages.
    """
    units = _units(_marked(cues))
    spans = window_spans([unit.words for unit in units], [unit.break_ for unit in units])
    return [_passage(episode_id, [unit], UNIT_WORDS) for unit in units] + [
        _passage(episode_id, units[first:last], WINDOW_WORDS) for first, last in spans
    ]


def window_spans(words: Sequence[int], breaks: Sequence[int]) -> list[tuple[int, int]]:
    """The units, first and last (exclusive), that each window spans, from the words and the break of every unit.

    Windows begin with a turn or a paragraph where they can, for that is where answers begin.
    """
    spans: list[tuple[int, int]] = []
    since = _STRIDE  # words since the last window began
    for first, begins in enumerate(breaks):
        if since >= (_STEP if begins else _STRIDE) and (first + 1 < len(words) or first == 0):
            last, total = first, 0
            while last < len(words) and total < WINDOW_WORDS:
                total += words[last]
                last += 1
            spans.append((first, last))
            since = 0
        since += words[first]
    return spans


@dataclass(frozen=True, slots=True)
class _Unit:
    lines: tuple[Line, ...]
    break_: int
    words: int


def _marked(cues: Sequence[Cue]) -> list[tuple[Line, int, int]]:
    """Each sentence with what begins at it (as ``Passage.break_``) and its number of words."""
    spoken = [cue for cue in cues if cue.text.strip()]
    words = sum(len(cue.text.split()) for cue in spoken)
    paragraphs = {round(cue.start, 3) for cue in spoken} if words >= _PARAGRAPH * len(spoken) else set()
    return [
        (line, 2 if line.turn_start and line.speaker else int(line.start in paragraphs), len(line.text.split()))
        for line in sentences(spoken)
    ]


def _units(lines: Sequence[tuple[Line, int, int]]) -> list[_Unit]:
    units: list[_Unit] = []
    current: list[Line] = []
    mark = words = 0
    for line, begins, length in lines:
        full = words >= UNIT_WORDS or words + length > _LONGEST or (begins and (words >= _OWN or not mark))
        if current and (full or line.start - current[-1].end >= _SILENCE):
            _close(units, _Unit(tuple(current), mark, words), begins > 0)
            current, words = [], 0
        if not current:
            mark = begins
        current.append(line)
        words += length
    if current:
        _close(units, _Unit(tuple(current), mark, words), True)
    return units


def _close(units: list[_Unit], unit: _Unit, turn_ends: bool) -> None:
    """Append a unit; the few words that are left at the end of a turn join the unit before them."""
    few = turn_ends and unit.words < _OWN and not unit.break_ and units
    if few and unit.lines[0].start - units[-1].lines[-1].end < _SILENCE:
        before = units.pop()
        unit = _Unit(before.lines + unit.lines, before.break_, before.words + unit.words)
    units.append(unit)


def _passage(episode_id: str, units: Sequence[_Unit], grain: int) -> Passage:
    lines = [line for unit in units for line in unit.lines]
    spoken: dict[str, int] = {}
    for line in lines:
        spoken[line.speaker] = spoken.get(line.speaker, 0) + len(line.text)
    return Passage(
        episode_id=episode_id,
        start=lines[0].start,
        end=max(line.end for line in lines),
        text=" ".join(line.text for line in lines),
        speaker=max(spoken, key=lambda name: spoken[name]),
        grain=grain,
        break_=units[0].break_,
    )
