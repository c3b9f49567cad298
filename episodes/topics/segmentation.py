# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the subject changes: topics from the text alone, or from the publisher's chapters where there are any.

Each sentence is seen with those before it (TreeSeg, Gklezakos et al. 2024), by meaning (embedding) and by words
(TF-IDF, projected at random). The best division is the one whose sentences point most in one direction within each
topic, between the objectives of spherical k-means and of k-means, plus what speaks for a boundary at its place
(``episodes.topics.cohesion``). It is found exactly, by dynamic programming, where TreeSeg splits
greedily; a further topic is
made only where it gains enough (a penalty on the number, as in change point detection, Killick et al. 2012), and the
more so the farther the number is from what long talks usually have.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from episodes.model import Chapter, Cue, Segment
from episodes.text.sentences import Line, sentences
from episodes.topics.cohesion import Embed, Vectors, in_context, openings, word_vectors

_SNAP = 10.0  # seconds that a chapter mark may be moved to begin with a sentence
_NEAR = 2  # sentences that a boundary may be moved to begin with a speaker's turn
_ASKED = 40  # words: a shorter turn of the host, or that ends in a question, belongs to its answer
_UNITS = 1200  # more sentences than that are joined in twos, threes …: the work grows with their square
_WORDS = 0.5  # how much shared words count beside shared meaning
_OPENING = 1.2  # how much what is said at a boundary counts beside what is said around it
_SHARPNESS = 0.4  # 0: long topics must agree as much as short ones (spherical k-means); 1: as k-means
_PENALTY = 0.14  # what a further topic must gain, with the number of sentences to the power of 3/4
_UNUSUAL = 0.4  # what a number costs that is e times the usual one, in the same measure
_USUAL = 2.0  # topics of ten minutes in a long talk; their number grows with the root of its length
_SHORT, _LONG = 600.0, 720.0  # seconds of a talk up to which every subject counts, and from which it is a long one
_MOST_SECONDS, _LEAST_SECONDS, _ALWAYS = 480, 180, 12  # length of a topic that people follow; so many may be shorter


def segment(
    cues: Sequence[Cue], embed: Embed, chapters: Sequence[Chapter] = (), count: int | None = None
) -> list[Segment]:
    """Divide a transcript into topics, each beginning with a sentence; together they cover it without gaps.

    ``embed`` turns n texts into float32 (n, d) unit rows. Two or more ``chapters`` are followed (and give the titles);
    else ``count`` says how many topics there are, or as many are made as pay. Pure, given ``embed``.
    """
    lines = sentences(cues)
    if not lines:
        return []
    marks = _chapter_starts(lines, chapters)
    if len(marks) > 1:
        return _between(lines, [start for start, _ in marks], [title for _, title in marks])
    most = bounds(lines[-1].end - lines[0].start)[1] if count is None else count
    if most < 2 or len(lines) < 2:
        return _between(lines, [0], [""])
    starts = divide(embed([line.text for line in lines]), lines, count)
    return _between(lines, starts, [""] * len(starts))


def divide(vectors: Vectors, lines: Sequence[Line], count: int | None = None) -> list[int]:
    """The indices of the sentences with which ``count`` topics begin (the first is 0), or as many as pay.

    ``vectors`` are float32 (n, d) unit rows, one for each sentence. Fewer are found when there are fewer sentences.
    """
    weights = np.array([len(line.text.split()) for line in lines], np.float32)
    told = word_vectors([line.text for line in lines])
    seen = np.hstack([in_context(vectors, weights), _WORDS * in_context(told, weights)])
    opening = _OPENING * openings(lines, vectors, told, weights)
    stride = -(-len(lines) // _UNITS)
    edges = np.arange(0, len(lines), stride)
    sums = np.vstack([np.zeros((1, seen.shape[1]), np.float32), np.cumsum(seen * weights[:, None], axis=0)])
    edges_and_end = [*edges.tolist(), len(lines)]
    words = np.concatenate([[0], np.cumsum(weights)])[edges_and_end]
    worth = _agreement(sums[edges_and_end], words) / max(float(weights.mean()), 1e-6)
    best = [int(first + opening[first : first + stride].argmax()) for first in edges]
    best[0] = 0
    worth[1:-1] += opening[best][1:, None]
    least, most = (count, count) if count is not None else bounds(lines[-1].end - lines[0].start)
    costs = _costs(most, len(lines), lines[-1].end - lines[0].start) if count is None else np.zeros(most)
    places = _best_division(worth, least, costs)
    return _at_turns(lines, [best[place] for place in places])


def bounds(seconds: float) -> tuple[int, int]:
    """The least and the most topics that a talk of this length is divided into by itself."""
    most = max(min(_ALWAYS, round(seconds / 25)), round(seconds / _LEAST_SECONDS))
    return max(1, round(seconds / _MOST_SECONDS)), max(1, most)


def _agreement(sums: Vectors, words: npt.NDArray[np.float32]) -> Vectors:
    """(n + 1, n + 1): what the units from i up to j are worth as a topic, in words that point in its direction.

    ``sums`` are the running sums of the vectors, (n + 1, d), ``words`` those of their weights. What is no piece (j ≤ i)
    is minus infinity.
    """
    squares = np.einsum("ij,ij->i", sums, sums)
    lengths = np.sqrt(np.maximum(0, squares[:, None] + squares[None, :] - 2 * (sums @ sums.T)))
    whole = np.maximum(words[None, :] - words[:, None], 1e-6)
    worth = lengths * (lengths / whole) ** _SHARPNESS
    worth[np.tril_indices(len(sums))] = -np.inf
    return np.asarray(worth, np.float32)


def _costs(most: int, sentences: int, seconds: float) -> npt.NDArray[np.float64]:
    """What 1, 2, … ``most`` topics cost in a talk of so many sentences and seconds."""
    numbers = np.arange(1, most + 1)
    usual = max(1.0, _USUAL * (seconds / 600) ** 0.5)
    unusual = _UNUSUAL * float(np.clip((seconds - _SHORT) / (_LONG - _SHORT), 0, 1))
    return np.asarray((_PENALTY * (numbers - 1) + unusual * np.log(numbers / usual) ** 2) * sentences**0.75)


def _best_division(worth: Vectors, least: int, costs: npt.NDArray[np.float64]) -> list[int]:
    """The units with which the pieces begin that together are worth most, at least so many; ``costs`` are those of
    1, 2, … pieces."""
    units = len(worth) - 1
    best = np.full(units + 1, -np.inf, np.float32)
    best[0] = 0
    before: list[npt.NDArray[np.intp]] = []
    worths: list[float] = []
    for number in range(min(len(costs), units)):
        total = best[:, None] + worth
        before.append(total.argmax(0))
        best = total.max(0)
        worths.append(float(best[units] - costs[number]))
    fewest = min(least, len(worths))
    count = fewest + int(np.argmax(worths[fewest - 1 :]))
    place, found = units, []
    for begins in reversed(before[:count]):
        place = int(begins[place])
        found.append(place)
    return found[::-1]


def _at_turns(lines: Sequence[Line], starts: Sequence[int]) -> list[int]:
    """Boundaries moved to the beginning of a turn when one is very near, and before what the host says to open it."""
    host = _host(lines)
    moved = [0]
    for start in starts[1:]:
        turns = [place for place in range(start - _NEAR, start + _NEAR + 1) if _turn(lines, place)]
        place = min(turns, key=lambda turn: (abs(turn - start), turn), default=start)
        if _turn(lines, place) and lines[place].speaker != host:
            asked = next(turn for turn in range(place - 1, -1, -1) if lines[turn].turn_start or not turn)
            opens = lines[place - 1].text.endswith("?") or lines[asked].speaker == host
            if opens and sum(len(line.text.split()) for line in lines[asked:place]) <= _ASKED:
                place = asked
        place = place if place > moved[-1] else start
        if place > moved[-1]:
            moved.append(place)
    return moved


def _host(lines: Sequence[Line]) -> str | None:
    """Who asks at least half of all questions, in a talk between several people."""
    asked = Counter(line.speaker for line in lines if line.text.endswith("?"))
    if len({line.speaker for line in lines}) < 2 or not asked:
        return None
    speaker, most = asked.most_common(1)[0]
    return speaker if 2 * most >= asked.total() else None


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
