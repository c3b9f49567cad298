# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken times of a transcript: one bad entry does not cost the others.

What can be sorted is sorted, what runs over is cut, a time that is missing or impossible is estimated from the
entries around it, and only what lies outside the recording is left out. How many that were is said once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from episodes.transcripts.entries import USUAL, Entry
from voice.errors import TranscriptError
from voice.model import Cue

LATEST_TIME = 30 * 24 * 3600.0
"""Seconds beyond which a time is a mistake."""

_MOST_BROKEN = 0.5  # share of the entries; with more, the times of the others are not to be believed either
_SLOWEST = 0.5  # characters a second of an entry whose end is a mistake, when the next begins long before it
_OVER = 20.0  # seconds that an entry goes on into the next ones before its end is doubted
_TAIL = 3600.0  # seconds of nothing before an entry that stands in the middle of the file and at the end by its time
_BEYOND = 60.0  # seconds after the recording's end in which captions may still stand


@dataclass(frozen=True, slots=True)
class Repaired:
    """Entries in order, each with a start and an end; ``estimated`` had no usable times, ``left_out`` are not there."""

    entries: tuple[Entry, ...]
    estimated: int = 0
    left_out: int = 0

    def remark(self, whole: int) -> str:
        """One sentence or two for the listener, empty when nothing was wrong with any of the ``whole`` entries."""
        said = []
        if self.estimated:
            said.append(f"{self.estimated} of {whole} lines had broken times, which are estimated now.")
        if self.left_out:
            said.append(f"{self.left_out} of {whole} lines had broken times and {_were(self.left_out)} left out.")
        return " ".join(said)


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def repaired(entries: Sequence[Entry], name: str, length: float = 0.0) -> Repaired:
    """Entries with text, in order of their start, ``length`` being the recording's in seconds (0: unknown).

    Raises TranscriptError when most of the times are broken.
    """
    spoken = [entry for entry in entries if any(line.strip() for line in entry.lines)]
    limit = length * 1.25 + _BEYOND if length else LATEST_TIME
    kept = []
    for entry in spoken:
        start = None if entry.start is not None and (entry.start > LATEST_TIME) else entry.start
        end = None if entry.end is not None and (entry.end > LATEST_TIME) else entry.end
        if start is not None and start < 0:
            if end is not None and end <= 0:
                continue  # before the recording begins
            start = 0.0
        kept.append(replace(entry, start=start, end=end))
    outside = [entry.start is not None and entry.start > limit for entry in kept]
    if any(outside) and sum(outside) <= 0.1 * len(kept):  # else it is another recording's
        kept = [entry for entry, is_outside in zip(kept, outside, strict=True) if not is_outside]
    kept = _without_stray(kept)
    broken = [number for number, entry in enumerate(kept) if _is_broken(entry)]
    if len(broken) > _MOST_BROKEN * len(kept):
        raise TranscriptError(f"{name} has no usable times: {len(broken)} of {len(kept)} lines have none, or end before"
                              " they begin.", "Correct it in a text editor, or get the transcript again.")  # fmt: skip
    timed = _estimated(kept)
    timed.sort(key=lambda entry: entry.start or 0.0)
    cut, over = _cut(timed)
    return Repaired(tuple(cut), len(broken) + over, len(spoken) - len(kept))


def _is_broken(entry: Entry) -> bool:
    """True without a start, or with an end before it; an end alone may be missing, which many forms allow."""
    return entry.start is None or (entry.end is not None and entry.end < entry.start)


def _without_stray(entries: list[Entry]) -> list[Entry]:
    """Entries without the one that stands in the middle of the file and, by its time, an hour behind everything."""
    starts = sorted(entry.start for entry in entries if entry.start is not None)
    if len(starts) < 3 or starts[-1] - starts[-2] < max(_TAIL, 2 * starts[-2]):
        return entries
    last = next(entry for entry in reversed(entries) if entry.start is not None)
    return entries if last.start == starts[-1] else [entry for entry in entries if entry.start != starts[-1]]


def _estimated(entries: Sequence[Entry]) -> list[Entry]:
    """Entries with a start and an end each: what is missing comes from the entries around it."""
    found: list[Entry] = []
    following: list[float | None] = [None] * len(entries)
    after: float | None = None
    for number in range(len(entries) - 1, -1, -1):
        following[number] = after
        entry = entries[number]
        if not _is_broken(entry):
            after = entry.start
    for entry, after in zip(entries, following, strict=True):
        last = found[-1] if found else None
        before = (last.end or 0.0) if last else 0.0
        size = max(1.0, len(" ".join(entry.lines)) / USUAL)
        start, end = entry.start, entry.end
        if start is not None and end is not None and end < start:
            begun = (last.start or 0.0) if last else 0.0
            if begun <= start and (after is None or start <= after):
                end = None
            elif begun <= end and (after is None or end <= after):
                start = before if begun <= before < end else max(begun, end - size)
            else:
                start = end = None
        if start is None:
            start = before if after is None else min(before, after)
        if end is None:
            end = start + size if after is None or after < start else min(start + 2 * size, max(start, after))
            end = max(end, start)
        found.append(replace(entry, start=start, end=end))
    return found


def _cut(entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """Entries whose ends are not far behind the beginning of the next, when there is far too little said for it."""
    found, over = [], 0
    for number, entry in enumerate(entries):
        start, end = entry.start or 0.0, entry.end or 0.0
        following = next((one.start for one in entries[number + 1 : number + 50] if (one.start or 0.0) > start), None)
        if following is not None and end - following > _OVER and len(entry.text) / (end - start) < _SLOWEST:
            entry, over = replace(entry, end=following), over + 1
        found.append(entry)
    return found, over


def without_overlap(entries: Sequence[Entry]) -> list[Entry]:
    """Entries that end where the next begins, when every caption stays on while the next is shown already."""
    overlaps = sum((a.end or 0.0) > (b.start or 0.0) + 0.01 for a, b in pairwise(entries))
    if len(entries) < 4 or overlaps <= 0.8 * (len(entries) - 1) or any(entry.speaker for entry in entries):
        return list(entries)
    return [replace(a, end=max(a.start or 0.0, min(a.end or 0.0, b.start or 0.0))) for a, b in pairwise(entries)] + [
        entries[-1]]  # fmt: skip


def as_cue(entry: Entry) -> Cue:
    """An entry that was repaired, as a cue with plain text."""
    return Cue(round(entry.start or 0.0, 3), round(entry.end or 0.0, 3), entry.text, entry.speaker, entry.words)
