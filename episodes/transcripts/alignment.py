# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of a transcript fitted to a recording that holds more or less than it: advertisements are put in at download.

A few short windows of the recording are heard, and each is looked up in the transcript: how far it lies from where it
should is the transcript's delay there. Between two windows with different delays something was put in (or left out);
more windows halve the stretch in which, and in the end each line goes where its words are heard. Hearing is handed in.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from episodes.model import Chapter
from voice.model import Cue, Word, clock

HearSpan = Callable[[float, float], Sequence[Word]]
"""The words of a recording from a start for so many seconds, with their times in the recording."""

SUSPECT = 15.0
"""Seconds by which lengths differ when it is worth hearing whether the times fit."""

_WINDOW = 12.0  # seconds that are heard at once
_FIRST = 5  # windows, spread over the recording, that say whether there is anything to fit
_TRIES = 3  # places for each of them: music and advertisements say nothing
_MOST = 80  # windows in all
_SLIGHT = 0.5  # seconds that are no delay
_JUMP = 2.5  # seconds between two delays that are not one: inside a long cue times are estimated
_NEAR = 18.0  # seconds of transcript in which a change is left to the words of its lines
_ENDING = 150.0  # seconds at the end in which the last lines are looked for
_REACH = 180.0  # seconds around where a window should be in which it is looked for
_ALIKE = 62.0  # of 100: likeness of a window's text to its place; strangers' texts reach 55
_SAME = 0.7  # of 1: likeness of a line to what is heard in its place from which on it is that
_AGREEING = 4  # words that a window must share with its place, in order
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@dataclass(frozen=True, slots=True)
class Delay:
    """From ``start`` (seconds of the transcript) on, the recording is ``delay`` seconds behind the transcript."""

    start: float
    delay: float


@dataclass(frozen=True, slots=True)
class Fit:
    """``stretches`` in order, the first from the beginning; ``left_out`` are the numbers of the lines that the
    recording does not hold; ``windows`` how many were heard and ``found`` how many of them told something."""

    stretches: tuple[Delay, ...]
    left_out: tuple[int, ...]
    windows: int
    found: int

    def delay(self, at: float) -> float:
        """Seconds by which what stands at ``at`` in the transcript comes later in the recording."""
        return next((part.delay for part in reversed(self.stretches) if part.start <= at + 1e-6),
                    self.stretches[0].delay)  # fmt: skip


def fit(cues: Sequence[Cue], length: float, hear: HearSpan) -> Fit | None:
    """Fit the times of ``cues`` to a recording of ``length`` seconds; None when too little of it is recognised."""
    search = _Search(cues, length, hear)
    anchors = search.spread()
    if len(anchors) < 2:
        return None
    first = cues[0].start
    if abs(anchors[0].delay) > _JUMP:  # before the first window nothing is known but that it began as written
        anchors.insert(0, _Anchor(first, 0.0))
    known = [anchors[0]]
    for right in anchors[1:]:
        known += [*search.between(known[-1], right), right]
    return search.fitted(known)


def shifted(cues: Sequence[Cue], found: Fit, length: float) -> list[Cue]:
    """The lines at the times where the recording holds them; those that it does not hold are left out."""
    moved = []
    for number, cue in enumerate(cues):
        if number in found.left_out:
            continue
        delay = found.delay(cue.start)
        start, end = (min(max(0.0, at + delay), length) for at in (cue.start, cue.end))
        words = tuple(replace(word, start=max(0.0, word.start + delay), end=max(0.0, word.end + delay))
                      for word in cue.words)  # fmt: skip
        moved.append(replace(cue, start=round(start, 3), end=round(max(start, end), 3), words=words))
    return moved


def shifted_chapters(chapters: Sequence[Chapter], found: Fit, length: float) -> tuple[Chapter, ...]:
    """The chapters of the same timeline, moved with it; those at the very beginning stay there."""
    moved = {round(chapter.start + found.delay(chapter.start), 3) if chapter.start else 0.0: chapter.title
             for chapter in chapters}  # fmt: skip
    return tuple(Chapter(max(0.0, start), title) for start, title in sorted(moved.items()) if start < length)


def remark(found: Fit, cues: Sequence[Cue]) -> str:
    """One or two sentences: what was changed, and where; empty when nothing was."""
    changes = []
    before = 0.0
    for part in found.stretches:
        more = part.delay - before
        if abs(more) >= _SLIGHT:
            changes.append(f"{abs(more):.0f} s {'more' if more > 0 else 'less'} at {clock(part.start + before)}")
        before = part.delay
    text = ""
    if changes:
        moved = sum(abs(found.delay(cue.start)) >= _SLIGHT for cue in cues) - len(found.left_out)
        text = (f"The audio holds {', '.join(changes)} than the transcript (advertisements, perhaps); "
                f"{max(0, moved)} of {len(cues)} lines were moved to where they are heard.")  # fmt: skip
    if found.left_out:
        gone = len(found.left_out)
        text += f" {gone} line{'s were' if gone > 1 else ' was'} left out: the audio does not hold them."
    return text.strip()


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A place that was recognised: at ``text`` seconds of the transcript the recording is ``delay`` seconds behind."""

    text: float
    delay: float


class _Search:
    """What was heard of one recording so far."""

    def __init__(self, cues: Sequence[Cue], length: float, hear: HearSpan) -> None:
        self._cues, self._length, self._hear = cues, length, hear
        timed = [(word, at) for cue in cues for word, at in _timed(cue)]
        self._words, self._times = [word for word, _ in timed], [at for _, at in timed]
        self._heard: dict[int, list[tuple[str, float]]] = {}
        self.windows = self.found = 0
        more = length - max(cue.end for cue in cues)
        self._early, self._late = max(0.0, -more) + _REACH, max(0.0, more) + _REACH

    def spread(self) -> list[_Anchor]:
        """Anchors spread over the recording, in order."""
        found: list[_Anchor] = []
        step = self._length / _FIRST
        for number in range(_FIRST):
            # towards both ends, where a change leaves most behind it
            at = max(0.0, min(self._length - _WINDOW, (self._length - _WINDOW) * (0.02 + 0.96 * number / (_FIRST - 1))))
            for attempt in range(_TRIES):
                aside = attempt * step / (_TRIES + 1) * (-1 if number > _FIRST // 2 else 1)
                anchor = self._at(at + aside)
                if anchor is not None:
                    found.append(anchor)
                    break
        end = max(cue.end for cue in self._cues)
        at = self._length - _WINDOW
        while found and found[-1].text < end - 2 * _WINDOW and at > self._length - _ENDING:
            anchor = self._at(at, found[-1].text)  # the last lines, before whatever follows them
            found += [anchor] if anchor is not None else []
            at -= _WINDOW
        return [anchor for place, anchor in enumerate(found) if not place or anchor.text > found[place - 1].text]

    def between(self, left: _Anchor, right: _Anchor) -> list[_Anchor]:
        """Anchors between two with different delays, so close that only ``_NEAR`` seconds are left open at a change."""
        if abs(right.delay - left.delay) <= _JUMP or right.text - left.text <= _NEAR or self.windows >= _MOST:
            return []
        width = right.text - left.text
        for share in (0.5, 0.35, 0.65):
            middle = left.text + share * width
            for delay in (left.delay, right.delay):
                anchor = self._at(middle + delay, left.text, right.text)
                if anchor is not None and left.text < anchor.text < right.text:
                    return [*self.between(left, anchor), anchor, *self.between(anchor, right)]
        return []

    def fitted(self, anchors: Sequence[_Anchor]) -> Fit:
        """Levels out of anchors, with the line at which each begins."""
        levels: list[list[_Anchor]] = []
        for anchor in anchors:
            if levels and abs(anchor.delay - median(one.delay for one in levels[-1])) <= _JUMP:
                levels[-1].append(anchor)
            else:
                levels.append([anchor])
        levels = _without_strays(levels)
        delays = [median(one.delay for one in level) for level in levels]
        if abs(delays[0]) < _SLIGHT:  # words are heard a little early or late: that is the recogniser's, not the file's
            delays = [delay - delays[0] for delay in delays]
        if len(levels) > 1 and levels[0] == [_Anchor(self._cues[0].start, 0.0)]:
            delays[0] = 0.0
        stretches = [Delay(0.0, round(delays[0], 2))]
        left_out: list[int] = []
        for number in range(1, len(levels)):
            begin, gone = self._change(levels[number - 1][-1].text, levels[number][0].text, delays[number - 1],
                                       delays[number])  # fmt: skip
            left_out += gone
            if begin <= self._cues[0].start and number == 1:
                stretches = []
            stretches.append(Delay(begin if stretches else 0.0, round(delays[number], 2)))
        made = Fit(tuple(stretches), (), self.windows, self.found)
        behind = [number for number, cue in enumerate(self._cues) if cue.start + made.delay(cue.start) >= self._length]
        return replace(made, left_out=tuple(sorted({*left_out, *behind})))

    def _change(self, since: float, until: float, before: float, after: float) -> tuple[float, list[int]]:
        """Between two seconds of the transcript: the start of the first line that has the delay ``after``, and the
        numbers of the lines before it that are not in the recording."""
        numbers = [number for number, cue in enumerate(self._cues) if cue.end > since and cue.start < until]
        if not numbers:
            return until, []
        lines = [self._cues[number] for number in numbers]
        first, last = lines[0].start - 1.0, lines[-1].end + 1.0
        old, new = ([_spoken(line, delay, self._listen(first + delay, last + delay)) for line in lines]
                    for delay in (before, after))  # fmt: skip
        if after > before:  # something was put in: lines before it, lines after it
            old, new = ([max(0.0, one) for one in place] for place in (old, new))  # heard in neither: it says nothing
            worth = [sum(old[:cut]) + sum(new[cut:]) for cut in range(len(numbers) + 1)]
            pauses = [self._pause(number) for number in [*numbers, numbers[-1] + 1]]
            cut = max(range(len(worth)), key=lambda place: (round(worth[place], 1), pauses[place]))
            return (self._cues[numbers[cut]].start if cut < len(numbers) else until), []
        gone = before - after  # something was left out: as many seconds of lines are in neither place
        places = [(begin, end) for begin in range(len(lines) + 1) for end in range(begin, len(lines) + 1)]

        def value(place: tuple[int, int]) -> float:
            begin, end = place
            seconds = lines[end - 1].end - lines[begin].start if end > begin else 0.0
            return sum(old[:begin]) + sum(new[end:]) - abs(seconds - gone) / max(gone, 1.0)

        begin, end = max(places, key=value)
        return (lines[end].start if end < len(lines) else until), numbers[begin:end]

    def _pause(self, number: int) -> float:
        """Seconds without a line before the line of this number."""
        if not 0 < number < len(self._cues):
            return 0.0
        return max(0.0, self._cues[number].start - self._cues[number - 1].end)

    def _at(self, at: float, since: float = float("-inf"), until: float = float("inf")) -> _Anchor | None:
        """Where the transcript has what is heard from ``at`` seconds of the recording on, between two of its times."""
        from rapidfuzz import fuzz
        from rapidfuzz.distance import Indel

        if self.windows >= _MOST or not -_WINDOW / 2 <= at < self._length:
            return None
        at = max(0.0, at)
        heard = self._listen(at, at + _WINDOW)
        begin = bisect_left(self._times, max(since - 1.0, at - self._late))
        end = bisect_left(self._times, min(until + 1.0, at + _WINDOW + self._early))
        words = self._words[begin:end]
        if len(heard) <= _AGREEING or len(words) <= _AGREEING:
            return None
        needle, text = " ".join(word for word, _ in heard), " ".join(words)
        if len(needle) > len(text):
            return None
        place = fuzz.partial_ratio_alignment(needle, text, score_cutoff=_ALIKE)
        if place is None:
            return None
        first = text.count(" ", 0, place.dest_start)
        last = min(len(words), text.count(" ", 0, place.dest_end) + 1)
        pairs: list[tuple[int, int]] = []
        for block in Indel.opcodes([word for word, _ in heard], words[first:last]):
            if block.tag == "equal":
                pairs += zip(range(block.src_start, block.src_end), range(block.dest_start, block.dest_end),
                             strict=True)  # fmt: skip
        places = [(self._times[begin + first + there], heard[here][1] - self._times[begin + first + there])
                 for here, there in pairs]  # fmt: skip
        delay = median(one for _, one in places) if places else 0.0
        agreeing = [(text_at, one) for text_at, one in places if abs(one - delay) <= _JUMP]
        if len(agreeing) < max(_AGREEING, 0.4 * len(heard)):
            return None
        self.found += 1
        return _Anchor(median(text_at for text_at, _ in agreeing), median(one for _, one in agreeing))

    def _listen(self, begin: float, end: float) -> list[tuple[str, float]]:
        """The words from ``begin`` to ``end`` (seconds of the recording) and their times; a window is heard once."""
        if end - begin <= _WINDOW + 0.01 and (key := round(10 * begin)) in self._heard:
            return self._heard[key]
        found: list[tuple[str, float]] = []
        at = max(0.0, begin)
        while at < min(end, self._length):
            key = round(10 * at)
            if key not in self._heard:
                self.windows += 1
                words = self._hear(at, min(_WINDOW, self._length - at))
                self._heard[key] = [(part, (word.start + word.end) / 2)
                                    for word in words for part in _plain(word.text)]  # fmt: skip
            found += self._heard[key]
            at += _WINDOW
        return found


def _without_strays(levels: list[list[_Anchor]]) -> list[list[_Anchor]]:
    """Levels without one that a single window told of between two that agree: it was mistaken."""
    kept: list[list[_Anchor]] = []
    for place, level in enumerate(levels):
        following = levels[place + 1] if place + 1 < len(levels) else None
        stray = len(level) == 1 and kept and following and abs(kept[-1][-1].delay - following[0].delay) <= _JUMP
        if stray:
            continue
        if kept and abs(kept[-1][-1].delay - level[0].delay) <= _JUMP:
            kept[-1] += level
        else:
            kept.append(list(level))
    return kept


def _spoken(cue: Cue, delay: float, heard: Sequence[tuple[str, float]]) -> float:
    """Whether a line is heard where it lies with this delay: above 0 if it is, down to -_SAME if nothing of it is."""
    from rapidfuzz import fuzz

    said = " ".join(word for word, _ in _timed(cue))
    there = " ".join(word for word, at in heard if cue.start + delay - 1.0 <= at <= cue.end + delay + 1.0)
    if not said or not there:
        return -_SAME
    shorter, longer = sorted((said, there), key=len)
    return fuzz.partial_ratio(shorter, longer) / 100 * min(1.0, len(there) / len(said)) - _SAME


def _plain(text: str) -> list[str]:
    return [match.lower().replace("’", "'") for match in _WORD.findall(text)]


def _timed(cue: Cue) -> list[tuple[str, float]]:
    """The words of a line and the seconds of their middles: its own, else by their place in its text."""
    if cue.words:
        return [(part, (word.start + word.end) / 2) for word in cue.words for part in _plain(word.text)]
    long = max(1, len(cue.text))
    return [(match.group().lower().replace("’", "'"),
             cue.start + (match.start() + match.end()) / 2 / long * (cue.end - cue.start))
            for match in _WORD.finditer(cue.text)]  # fmt: skip
