# SPDX-License-Identifier: GPL-3.0-or-later
"""From a question to the moments that answer it."""

from collections.abc import Iterable

import numpy as np

from retrieval.embed import Embedder, Matrix
from retrieval.evidence import Evidence, Values, ahead, behind, bm25, gather, reach, weights
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
        found: list[tuple[float, Layout, int]] = []
        for layout in _layouts(view, question, vector, words, weight):
            evidence = gather(view, layout, vector, words, weight)
            found += _best(evidence, question.heard_until, count)
        found.sort(key=lambda item: -item[0])
        return [_moment(view, layout, unit, score, question.heard_until) for score, layout, unit in found[:count]]


def _layouts(
    view: View, question: Question, vector: Matrix, words: list[str], weight: Values
) -> Iterable[Layout]:
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


def _best(evidence: Evidence, heard_until: float | None, count: int) -> list[tuple[float, Layout, int]]:
    """The best units of an episode with their scores, none close to a better one."""
    layout = evidence.layout
    score = _score(evidence)
    if heard_until is not None:
        score = np.where(layout.start < heard_until, score, -np.inf)
    chosen: list[tuple[float, Layout, int]] = []
    for unit in np.argsort(-score, kind="stable"):
        if len(chosen) == count or not np.isfinite(score[unit]):
            break
        if all(abs(layout.start[unit] - layout.start[other]) >= _APART for _, _, other in chosen):
            chosen.append((float(score[unit]), layout, int(unit)))
    return chosen


def _score(evidence: Evidence) -> Values:
    layout = evidence.layout
    length = ahead(layout.words.astype(np.float64), layout, 90)
    lexical = bm25(ahead(evidence.held, layout, 90), evidence.weight, length)
    before = bm25(behind(evidence.held, layout, 45), evidence.weight, length)
    span = reach(layout, 90) - np.arange(layout.units)
    dense = 0.5 * evidence.context + 0.5 * ahead(evidence.near, layout, 90) / span + 0.3 * evidence.near
    total = max(float(evidence.weight.sum()), 1e-9)
    return np.asarray(2.0 * dense + (lexical - 0.4 * before) / total + 0.05 * (layout.break_ > 0), np.float64)


def _moment(view: View, layout: Layout, unit: int, score: float, heard_until: float | None) -> Moment:
    last = int(reach(layout, _LENGTH)[unit])
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
