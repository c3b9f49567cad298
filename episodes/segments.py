# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the subject changes: topics from the text alone, or from the publisher's chapters where there are any.

Sentences are embedded, and what the whole episode has in common is taken out. The best division into k topics is the
one whose sentences point most in one direction within each topic (the objective of spherical k-means, on contiguous
pieces). It is found exactly, by dynamic programming; TreeSeg (Gklezakos et al. 2024) splits greedily.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from episodes.model import Chapter, Cue, Segment
from episodes.sentences import Line, sentences

Matrix = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Matrix]

_SNAP = 10.0  # seconds that a chapter mark may be moved to begin with a sentence
_NEAR = 2  # sentences that a boundary may be moved to begin with a speaker's turn
_ASKED = 40  # words: a shorter turn that ends in a question belongs to its answer
_UNITS = 2000  # more sentences than that are joined in twos, threes …: the work grows with their square


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
    """How many topics a talk of this length usually has: 9 in ten minutes, 14 in an hour, 17 in two."""
    return max(1, min(round(5 * math.sqrt(math.sqrt(seconds / 60))), round(seconds / 25)))


def divide(vectors: Matrix, lines: Sequence[Line], count: int) -> list[int]:
    """The indices of the sentences with which ``count`` topics begin (the first is 0).

    ``vectors`` are float32 (n, d) unit rows, one for each sentence. Fewer are found when there are fewer sentences.
    """
    weights = np.array([len(line.text.split()) for line in lines], np.float32)
    own = vectors - np.average(vectors, axis=0, weights=weights)
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-6)
    stride = -(-len(lines) // _UNITS)
    edges = [*range(0, len(lines), stride), len(lines)]
    sums = np.vstack([np.zeros((1, own.shape[1]), np.float32), np.cumsum(own * weights[:, None], axis=0)])[edges]
    starts = [edges[place] for place in _best_division(_agreement(sums), count)]
    return _at_turns(lines, starts)


def _agreement(sums: Matrix) -> Matrix:
    """(n + 1, n + 1): how far the units from i up to j point in one direction, the length of their vectors' sum.

    ``sums`` are the running sums of the vectors, (n + 1, d). What is no piece (j ≤ i) is minus infinity.
    """
    squares = np.einsum("ij,ij->i", sums, sums)
    lengths = np.sqrt(np.maximum(0, squares[:, None] + squares[None, :] - 2 * (sums @ sums.T)))
    lengths[np.tril_indices(len(sums))] = -np.inf
    return np.asarray(lengths, np.float32)


def _best_division(worth: Matrix, count: int) -> list[int]:
    """The units with which the pieces begin that together are worth most."""
    units = len(worth) - 1
    best = np.full(units + 1, -np.inf, np.float32)
    best[0] = 0
    before = []
    for _ in range(min(count, units)):
        total = best[:, None] + worth
        before.append(total.argmax(0))
        best = total.max(0)
    place, found = units, []
    for begins in reversed(before):
        place = int(begins[place])
        found.append(place)
    return found[::-1]


def _at_turns(lines: Sequence[Line], starts: Sequence[int]) -> list[int]:
    """Boundaries moved to the beginning of a turn when one is very near, and before the question that opens a topic."""
    moved = [0]
    for start in starts[1:]:
        turns = [place for place in range(start - _NEAR, start + _NEAR + 1) if _turn(lines, place)]
        place = min(turns, key=lambda turn: (abs(turn - start), turn), default=start)
        if _turn(lines, place) and lines[place - 1].text.endswith("?"):
            asked = next(turn for turn in range(place - 1, -1, -1) if lines[turn].turn_start)
            if sum(len(line.text.split()) for line in lines[asked:place]) <= _ASKED:
                place = asked
        place = place if place > moved[-1] else start
        if place > moved[-1]:
            moved.append(place)
    return moved


def _turn(lines: Sequence[Line], place: int) -> bool:
    return 0 < place < len(lines) and lines[place].turn_start


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
