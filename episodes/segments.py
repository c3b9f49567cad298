# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the subject changes: topics from the text alone, or from the publisher's chapters where there are any.

Sentences are embedded; the best division into k topics is the one that leaves the least scatter around the topics'
means. It is found exactly by dynamic programming (Fragkou et al. 2004; the cost is the one that TreeSeg, Gklezakos et
al. 2024, splits greedily). Signs at the place itself (a speaker begins, a pause, "let's move on") decide between
places that are about equally good.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from episodes.model import Chapter, Cue, Segment
from episodes.sentences import Line, sentences

Matrix = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Matrix]

_SNAP = 10.0  # seconds that a chapter mark may be moved to begin with a sentence
_SHORTEST = 20.0  # seconds; a topic is longer
_TURN = 0.02  # how much less scatter a boundary inside a turn has to leave than one at its beginning


def segment(
    cues: Sequence[Cue], embed: Embed, chapters: Sequence[Chapter] = (), count: int | None = None
) -> list[Segment]:
    """Divide a transcript into topics, each beginning with a sentence; together they cover it without gaps.

    ``embed`` turns n texts into float32 (n, d) unit rows. Two or more ``chapters`` are followed (and give the titles);
    else ``count`` says how many topics there are, or their number follows from the length. Pure, given ``embed``.
    """
    lines = sentences(cues)
    if not lines:
        return []
    marks = _chapter_starts(lines, chapters)
    if len(marks) > 1:
        return _between(lines, [start for start, _ in marks], [title for _, title in marks])
    wanted = count if count is not None else usual_count(lines[-1].end - lines[0].start)
    if wanted < 2 or len(lines) < 2:
        return _between(lines, [0], [""])
    starts = divide(embed([line.text for line in lines]), lines, min(wanted, len(lines)))
    return _between(lines, starts, [""] * len(starts))


def usual_count(seconds: float) -> int:
    """How many topics a conversation of this length usually has: 7 in ten minutes, 16 in an hour, 21 in two."""
    return max(1, round(2.5 * (seconds / 60) ** 0.45)) if seconds > 3 * _SHORTEST else 1


def divide(vectors: Matrix, lines: Sequence[Line], count: int) -> list[int]:
    """The indices of the sentences with which ``count`` topics begin (the first is 0), given float32 (n, d) rows."""
    weights = np.array([len(line.text.split()) for line in lines], np.float64) ** 0.5
    sums = np.vstack([np.zeros((1, vectors.shape[1])), np.cumsum(vectors * weights[:, None], axis=0)])
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    total = mass[-1]
    penalty = np.array([0.0 if line.turn_start else _TURN for line in lines]) * total / max(count, 1)
    starts = np.array([line.start for line in lines])
    ends = np.append(starts[1:], lines[-1].end)
    best = np.full(len(lines) + 1, np.inf)
    best[0] = 0.0
    before = np.zeros((count, len(lines) + 1), np.int32)
    for number in range(count):
        now = np.full(len(lines) + 1, np.inf)
        for end in range(number + 1, len(lines) + 1):
            begin = np.arange(number, end)
            inside = sums[end] - sums[begin]
            scatter = (mass[end] - mass[begin]) - np.einsum("ij,ij->i", inside, inside) / (mass[end] - mass[begin])
            short = np.where(ends[end - 1] - starts[begin] < _SHORTEST, 0.05 * total, 0.0)
            cost = best[begin] + scatter + short + np.where(begin > 0, penalty[begin], 0.0)
            least = int(np.argmin(cost))
            now[end], before[number, end] = cost[least], begin[least]
        best = now
    found = [len(lines)]
    for number in range(count - 1, -1, -1):
        found.append(int(before[number, found[-1]]))
    return sorted(found[1:])


def _chapter_starts(lines: Sequence[Line], chapters: Sequence[Chapter]) -> list[tuple[int, str]]:
    """(first sentence, title) of the chapters that hold speech; what comes before the first one has no title."""
    starts = np.array([line.start for line in lines])
    marks: dict[int, str] = {}
    for chapter in sorted(chapters, key=lambda chapter: chapter.start):
        nearest = int(np.argmin(np.abs(starts - chapter.start)))
        near = abs(starts[nearest] - chapter.start) <= _SNAP
        first = nearest if near else int(np.searchsorted(starts, chapter.start))
        if first < len(lines):
            marks[first] = chapter.title
    if marks and 0 not in marks:
        marks[0] = ""
    return sorted(marks.items())


def _between(lines: Sequence[Line], starts: Sequence[int], titles: Sequence[str]) -> list[Segment]:
    ends = [lines[start].start for start in starts[1:]] + [max(line.end for line in lines)]
    return [
        Segment(lines[start].start, max(end, lines[start].start), title)
        for start, end, title in zip(starts, ends, titles, strict=True)
    ]
