# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks for each unit of an episode, given a question: nearness in meaning and words in common."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.embed import Matrix
from retrieval.index import Layout, View

Values = npt.NDArray[np.float64]

_K1, _B = 1.2, 0.75  # BM25's saturation and its share of length, as usual


@dataclass(frozen=True, slots=True)
class Evidence:
    """Arrays over the units of one episode.

    ``near`` is the cosine of each unit with the question, ``context`` that of the window around its beginning.
    ``held`` (words, units) says which words of the question stand in which unit, ``weight`` how telling they are.
    """

    layout: Layout
    near: Values
    context: Values
    held: Values
    weight: Values


def gather(view: View, layout: Layout, vector: Matrix, words: list[str], weight: Values) -> Evidence:
    """The evidence for a question with this ``vector`` (384,), these ``words`` and their weights, in one episode."""
    cosines = np.einsum("ij,j->i", view.vectors(layout), vector).astype(np.float64)
    near, windows = cosines[: layout.units], cosines[layout.units :]
    # the window that begins at a unit or last before it
    window = np.maximum(np.searchsorted(layout.first, np.arange(layout.units), side="right") - 1, 0)
    held = np.zeros((len(words), layout.units))
    for number, word in enumerate(words):
        held[number, view.holding(word, layout)] = 1
    return Evidence(layout, near, windows[window], held, weight)


def weights(view: View, words: list[str]) -> Values:
    """How telling each word is in this library: BM25's inverse document frequency, over units."""
    counts = np.array([view.frequency(word) for word in words], np.float64)
    return np.log(1 + (view.units - counts + 0.5) / (counts + 0.5))


def ahead(values: Values, layout: Layout, words: int) -> Values:
    """For each unit the sum of ``values`` (…, units) over it and those that follow, until ``words`` words."""
    return _between(values, np.arange(layout.units), reach(layout, words))


def behind(values: Values, layout: Layout, words: int) -> Values:
    """For each unit the sum of ``values`` (…, units) over those just before it, ``words`` words of them."""
    ends = np.cumsum(layout.words)
    starts = ends - layout.words
    first = np.searchsorted(ends, starts - words, side="right")
    return _between(values, first, np.arange(layout.units))


def reach(layout: Layout, words: int) -> npt.NDArray[np.int64]:
    """For each unit the end (exclusive) of the run of units from it on that has ``words`` words, or is the rest."""
    ends = np.cumsum(layout.words)
    starts = ends - layout.words
    return np.minimum(np.searchsorted(ends, starts + words, side="left") + 1, layout.units)


def bm25(held: Values, weight: Values, length: Values) -> Values:
    """BM25 of runs of units from how often each word is held in them (words, runs) and their lengths in words."""
    if not len(held):
        return np.zeros(held.shape[1])
    norm = _K1 * (1 - _B + _B * length / max(float(length.mean()), 1.0))
    return np.asarray(weight @ (held * (_K1 + 1) / (held + norm)))


def _between(values: Values, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Values:
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    return np.asarray(sums[..., last] - sums[..., np.minimum(first, last)])
