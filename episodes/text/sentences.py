# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences out of cues: captions break anywhere, topics and quotes must not."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from episodes.text.links import without_links
from voice.model import Cue

_LONGEST = 60  # words; what goes on longer has no punctuation and is broken at pauses
_PIECE = (12, 40)  # words: the range in which a too long sentence is broken
_PAUSE = 0.35  # seconds without a word that count as a break where punctuation is missing
_SILENCE = 4.0  # seconds without a word that end a sentence even without a full stop

_END = re.compile(r"(?<![.!?…。！？])[.!?…。！？]+[\"'”’»)\]]*(?=\s|$)|(?<=[。！？])")
_ABBREVIATION = re.compile(
    r"(mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|eg|ie|approx|inc|ltd|co|corp|vol|fig|al|dept|gen|gov|sen|rep|rev"
    r"|hon|capt|col|lt|sgt|a\.m|p\.m)"
)
_INITIAL = re.compile(r"(?:^|[\s(.])[A-HJ-Za-z]\.$")


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence as it was said: ``start`` and ``end`` in seconds; ``turn_start`` when a speaker begins with it."""

    start: float
    end: float
    text: str
    speaker: str = ""
    turn_start: bool = False


def sentences(cues: Sequence[Cue]) -> list[Line]:
    """The sentences of a transcript, in order, each by one speaker.

    Times come from the cues' words where there are any, else from the place of the characters in their cue. Where
    punctuation is missing (a recogniser without it), pauses and lengths take its place. Empty cues are passed over.
    """
    spoken = [cue for cue in cues if cue.text.strip()]
    cased = any(char.isupper() for cue in spoken for char in cue.text)
    found: list[Line] = []
    for speaker, turn in groupby(spoken, key=lambda cue: cue.speaker):
        clock = _Clock(list(turn))
        first = True
        for start, end in _spans(clock, cased):
            found.append(Line(*clock.times(start, end), clock.text[start:end], speaker, first))
            first = False
    return found


class _Clock:
    """The text of one turn, with the time of each character."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        parts: list[str] = []
        places: list[int] = []  # character offsets, begin and end of each timed piece
        times: list[float] = []  # seconds at those offsets
        self.gaps: dict[int, float] = {}  # offset at which a piece begins → seconds of silence before it
        offset = 0
        for cue in _spread(cues):
            text = " ".join(without_links(cue.text).split())
            for begin, end, start, stop in _pieces(cue, text):
                if times:
                    self.gaps[offset + begin] = start - times[-1]
                places += [offset + begin, offset + end]
                times += [start, stop]
            parts.append(text)
            offset += len(text) + 1
        self.text = " ".join(parts)
        self._places, self._times = np.array(places), np.array(times)

    def times(self, start: int, end: int) -> tuple[float, float]:
        """Seconds at which the characters ``start`` to ``end`` (exclusive) begin and end."""
        begin, stop = np.interp([start, end], self._places, self._times)
        return round(float(begin), 3), round(float(max(begin, stop)), 3)


def _spread(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Cues of which those that all carry the times of one turn share its time, by their number of characters."""
    for (start, end), group in groupby(cues, key=lambda cue: (cue.start, cue.end)):
        same = list(group)
        whole, done = sum(len(cue.text) for cue in same) or 1, 0
        for cue in same:
            begin = start + (end - start) * done / whole
            done += len(cue.text)
            alone = len(same) == 1 or bool(cue.words)
            yield cue if alone else replace(cue, start=begin, end=start + (end - start) * done / whole)


def _pieces(cue: Cue, text: str) -> Iterator[tuple[int, int, float, float]]:
    """(first character, end character, start, end in seconds) of the words of a cue, or of the cue as a whole."""
    placed: list[tuple[int, int, float, float]] = []
    at = 0
    for word in cue.words:
        told = word.text.strip()
        place = text.find(told, at) if told else -1
        if place >= 0:
            at = place + len(told)
            placed.append((place, at, word.start, word.end))
    # words that do not cover the text (cut off, another spelling) would pull its end to the wrong time
    if placed and sum(end - begin for begin, end, _, _ in placed) >= 0.8 * len(text.replace(" ", "")):
        yield from placed
    else:
        yield 0, len(text), cue.start, cue.end


def _spans(clock: _Clock, cased: bool) -> Iterator[tuple[int, int]]:
    """Where each sentence of a turn begins and ends, as character offsets without surrounding blanks."""
    text, begin = clock.text, 0
    ends = {match.end() for match in _END.finditer(text) if _closes(text, match, cased)}
    ends |= {place - 1 for place, gap in clock.gaps.items() if gap >= _SILENCE}
    for end in sorted({*ends, len(text)}):
        if text[begin:end].strip():
            yield from _broken(clock, begin, end)
            begin = end


def _closes(text: str, match: re.Match[str], cased: bool) -> bool:
    """True when this punctuation ends a sentence: not an abbreviation, an initial, or a pause in mid-sentence."""
    if match.end() == len(text):
        return True
    following = text[match.end() :].lstrip()[:1]
    if cased and following.islower():
        return False
    if match.group().startswith(".") and len(match.group()) == 1:
        before = text[max(0, match.start() - 12) : match.start()]
        word = before.rsplit(None, 1)[-1].lstrip("(\"'“").lower() if before.strip() else ""
        return not _ABBREVIATION.fullmatch(word) and not _INITIAL.search(text[: match.end()][-3:])
    return True


def _broken(clock: _Clock, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """One sentence, or the pieces of one that is too long: cut at the longest pause, else a comma, else a cue."""
    words = [match.start() + begin for match in re.finditer(r"\S+", clock.text[begin:end])]
    while len(words) > _LONGEST:
        least, most = _PIECE
        places = words[least:most]

        def worth(place: int) -> tuple[float, bool, bool]:
            gap = clock.gaps.get(place, -1.0)
            return (gap if gap >= _PAUSE else 0.0, clock.text[place - 2] in ",;:", gap > -1.0)

        place = max(reversed(places), key=worth)
        yield _trimmed(clock.text, words[0], place)
        words = words[words.index(place) :]
    yield _trimmed(clock.text, words[0], end)


def _trimmed(text: str, begin: int, end: int) -> tuple[int, int]:
    return begin, begin + len(text[begin:end].rstrip())
