# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks for each unit of some episodes, given a question: nearness in meaning and words in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.finding.sections.query import SearchQuery, Values, named_speakers
from retrieval.index.episode_passages import EpisodePassages
from retrieval.index.snapshot import Snapshot

Indices = npt.NDArray[np.int64]
Spans = tuple[Indices, Indices]
"""For each unit a run of units: the first and the last (exclusive)."""


class UnitBatch:
    """The units of one or more episodes side by side, and runs of them that stay inside their episode."""

    def __init__(self, episodes: Sequence[EpisodePassages]) -> None:
        self.episodes = tuple(episodes)
        self.edges: Indices = np.cumsum([0, *(episode.units for episode in episodes)])
        self.count = np.diff(self.edges)
        self.owner: Indices = np.repeat(np.arange(len(episodes)), self.count)
        self.low, self.high = self.edges[:-1][self.owner], self.edges[1:][self.owner]
        self.here: Indices = np.arange(self.edges[-1])
        self.words = self.joined([episode.words for episode in episodes])
        self.after = np.cumsum(self.words)  # words up to each unit's end
        self.before = self.after - self.words

    def joined(self, parts: Sequence[npt.NDArray[np.generic]]) -> Values:
        """One array out of those of the episodes."""
        return np.concatenate(parts).astype(np.float64)

    def ahead(self, span: int) -> Spans:
        """For each unit the run from it on that reaches ``span`` words, or the episode's end."""
        last = np.searchsorted(self.after, self.before + span, side="left") + 1
        return self.here, np.minimum(last, self.high)

    def behind(self, span: int) -> Spans:
        """For each unit the run just before it that has at most ``span`` words."""
        return np.maximum(np.searchsorted(self.after, self.before - span, side="right"), self.low), self.here

    def spread(self, per_episode: Values) -> Values:
        """A value of each episode, repeated for its units."""
        return per_episode[self.owner]

    def highest(self, values: Values) -> Values:
        """For each unit the highest value in its episode."""
        return self.spread(np.maximum.reduceat(values, self.edges[:-1]))

    def standard(self, values: Values) -> Values:
        """The values in standard deviations from the mean of their episode."""
        away = values - self.spread(np.add.reduceat(values, self.edges[:-1]) / self.count)
        scale = np.sqrt(np.add.reduceat(away**2, self.edges[:-1]) / self.count)
        return np.asarray(away / self.spread(np.maximum(scale, 1e-6)))


class PrefixSums:
    """Sums of ``values`` (…, units) over any runs of units, after one pass over them."""

    def __init__(self, values: Values) -> None:
        self._sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)

    def over(self, run: Spans) -> Values:
        """The sum over each unit's run."""
        return np.asarray(self._sums[..., run[1]] - self._sums[..., run[0]])

    def mean(self, run: Spans) -> Values:
        """The mean over each unit's run; 0 where it is empty."""
        return np.asarray(self.over(run) / np.maximum(run[1] - run[0], 1))


@dataclass(frozen=True, slots=True)
class UnitEvidence:
    """Arrays over the units of a batch.

    ``near`` is the cosine of each unit with the question; ``at``, ``next`` and ``past`` those of the window that
    begins there or last before, of the one that begins there or first behind, and of the last that ends before.
    ``focus`` is how much a unit, unlike the rest of its episode, speaks of the question (``unit_statistics.focus``).
    ``held`` (words, units) says which words of the question stand in which unit, ``weight`` how telling they are.
    ``titled`` (words, episodes) says which stand in which title. ``named`` is how clearly the question names who
    speaks in a unit.
    """

    batch: UnitBatch
    near: Values
    at: Values
    next: Values
    past: Values
    focus: Values
    held: Values
    weight: Values
    titled: Values
    named: Values


def gather_evidence(snapshot: Snapshot, episodes: Sequence[EpisodePassages], query: SearchQuery) -> UnitEvidence:
    """The evidence in some episodes for what is sought."""
    batch, vector, words = UnitBatch(episodes), query.vector, query.words
    near, at, following, past, focus = [], [], [], [], []
    held = np.zeros((len(words), len(batch.here)))
    titled = np.array([[snapshot.in_title(word, episode) for episode in episodes] for word in words], np.float64)
    holding = snapshot.units_with_each(words, episodes)
    for episode, edge, cosines in zip(episodes, batch.edges, snapshot.cosines(episodes, vector), strict=False):
        units, windows = (part.astype(np.float64) for part in cosines)
        here = np.arange(episode.units)
        near.append(units)
        if len(windows):
            at.append(windows[np.searchsorted(episode.first, here, side="right") - 1])
            following.append(windows[np.minimum(np.searchsorted(episode.first, here), len(windows) - 1)])
            done = np.searchsorted(episode.last, here, side="right") - 1
            past.append(np.where(done >= 0, windows[done], 0.0))
        else:  # so little was heard that no window is over
            at.append(units)
            following.append(units)
            past.append(np.zeros(episode.units))
        focus.append(episode.focus @ vector - episode.offset)
        for number, word in enumerate(words):
            held[number, edge + holding[word, episode.episode_id]] = 1
    parts = [np.concatenate(part) for part in (near, at, following, past, focus)]
    speaks = np.concatenate([named_speakers(query.text, episode.speakers)[episode.speaker] for episode in episodes])
    return UnitEvidence(batch, parts[0], parts[1], parts[2], parts[3], parts[4], held, query.weight,
                    titled.reshape(len(words), len(episodes)), speaks)
