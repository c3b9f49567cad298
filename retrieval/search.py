# SPDX-License-Identifier: GPL-3.0-or-later
"""From a question to the moments that answer it."""

import numpy as np

from retrieval.embed import Embedder, Matrix
from retrieval.evidence import Evidence, Values, gather, weights
from retrieval.features import features
from retrieval.index import Index, Layout, View
from retrieval.model import Moment, Question

COVERED = 0.5
"""Confidence from which on the best moment counts as an answer."""

_NEAREST = 400  # passages of the library that are looked at, by meaning and by words
_EPISODES = 24  # episodes of the library that are looked at closely
_APART = 30.0  # seconds between two moments, at least
_LENGTH = 90  # words of a moment, about


def find(question: Question, index: Index, embed: Embedder, count: int = 10) -> list[Moment]:
    """The moments that answer a question, best first, at most ``count``; empty when nothing can be searched.

    With ``episode_id`` only that episode is searched; with ``heard_until`` only what begins before it.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if not question.text.strip() or count < 1:
        return []
    vector = embed.encode_question(question.text)
    with index.view() as view:
        words = view.words(question.text)
        weight = weights(view, words)
        layouts = _layouts(view, question, vector, words, weight)
        if not layouts:
            return []
        evidence = gather(view, layouts, vector, words, weight)
        best = _best(evidence, question.heard_until, count)
        return [
            _moment(view, layouts[episode], unit, score, question.heard_until) for score, episode, unit in best
        ]


def _layouts(
    view: View, question: Question, vector: Matrix, words: list[str], weight: Values
) -> list[Layout]:
    """The episodes to look at closely: the one that is asked about, or those that look best from afar."""
    ids: list[str]
    if question.episode_id is not None:
        ids = [question.episode_id]
    else:
        score: dict[str, float] = {}
        for episode_id, _, cosines in view.dense(vector, _NEAREST):
            score[episode_id] = float(cosines.max())
        for word, telling in zip(words, weight, strict=True):
            if not view.common(word):
                for episode_id, numbers in view.grouped(view.holding(word)):
                    score[episode_id] = score.get(episode_id, 0.2) + 0.03 * float(telling) * min(len(numbers), 3)
        ids = sorted(score, key=lambda episode_id: -score[episode_id])[:_EPISODES]
    layouts = [view.layout(episode_id) for episode_id in ids]
    return [layout for layout in layouts if layout is not None and layout.units]


def _best(evidence: Evidence, heard_until: float | None, count: int) -> list[tuple[float, int, int]]:
    """The best units as score, number of the episode, number of the unit in it; none close to a better one."""
    field = evidence.field
    score = _score(evidence)
    start = field.joined([layout.start for layout in field.layouts])
    if heard_until is not None:
        score = np.where(start < heard_until, score, -np.inf)
    chosen: list[int] = []
    for unit in np.argsort(-score, kind="stable").tolist():
        if len(chosen) == count or not np.isfinite(score[unit]):
            break
        mine = [other for other in chosen if field.owner[other] == field.owner[unit]]
        if all(abs(start[unit] - start[other]) >= _APART for other in mine):
            chosen.append(unit)
    return [(float(score[unit]), int(field.owner[unit]), int(unit - field.low[unit])) for unit in chosen]


def _score(evidence: Evidence) -> Values:
    found = features(evidence)
    dense = 0.5 * found["at"] + 0.5 * found["mean_120"] + 0.3 * found["near"]
    return np.asarray(
        2.0 * dense + found["word_120"] - 0.4 * found["word_-60"] + 0.05 * found["paragraph"], np.float64
    )


def _moment(view: View, layout: Layout, unit: int, score: float, heard_until: float | None) -> Moment:
    last = unit + 1 + int(np.searchsorted(np.cumsum(layout.words[unit:]), _LENGTH))
    last = min(last, layout.units)
    if heard_until is not None:
        last = min(last, max(unit + 1, int(np.searchsorted(layout.start, heard_until))))
    return Moment(
        layout.episode_id,
        float(layout.start[unit]),
        float(layout.end[last - 1]),
        " ".join(view.texts(layout, unit, last)),
        layout.speakers[layout.speaker[unit]],
        confidence=float(1 / (1 + np.exp(-6 * (score - 1.2)))),
    )
