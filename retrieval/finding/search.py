# SPDX-License-Identifier: GPL-3.0-or-later
"""From a question to the moments that answer it."""

from collections.abc import Collection

import numpy as np

from retrieval.finding.features import section_features
from retrieval.finding.query import Sought, Values, sought
from retrieval.finding.ranker import Ranker, Verdict, shipped_ranker
from retrieval.finding.signals import Field, gather_evidence
from retrieval.index.embedding import Embedder
from retrieval.index.index import AnyIndex
from retrieval.index.places import Layout
from retrieval.index.snapshot import View
from retrieval.model import Moment, Question

COVERED = 0.28
"""Confidence from which on the best moment counts as an answer: more than nine in ten questions that have one are
answered, written, asked or misheard, and almost eight in ten that have none are declined, of shows that the ranker
was not trained on (tests.benchmarks.train_ranker prints it for other thresholds too)."""

_NEAREST = 400  # passages of the library that are looked at, by meaning and by words
_EPISODES = 10  # episodes of the library that are looked at closely
_APART = 30.0  # seconds between two moments, at least
_LENGTH = 90  # words of a moment, about


def find_sections(
    question: Question,
    index: AnyIndex,
    embed: Embedder,
    count: int = 10,
    within: Collection[str] | None = None,
    ranker: Ranker | None = None,
) -> list[Moment]:
    """The moments that answer a question, best first, at most ``count``; empty when nothing can be searched.

    With ``episode_id`` only that episode is searched; with ``within`` only the episodes with these ids, a show's for
    instance; with ``heard_until`` of each episode only what is over by then, as if there were no more.
    ``ranker`` takes the place of the one that comes with the program.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if not question.text.strip() or count < 1:
        return []
    with index.view() as view:
        alone = view.layout(question.episode_id) if question.episode_id is not None else None
        what = sought(view, embed, question.text, alone)
        layouts = _layouts(view, question, within, what)
        if not layouts:
            return []
        evidence = gather_evidence(view, layouts, what)
        field = evidence.field
        verdict = (ranker or shipped_ranker()).judge(field, section_features(evidence))
        sure = _sure(field, verdict)
        return [
            _moment(view, layouts[field.owner[unit]], unit - int(field.low[unit]), sure[unit])
            for unit in _best(field, verdict, count)
        ]


def _layouts(
    view: View, question: Question, within: Collection[str] | None, what: Sought
) -> list[Layout]:
    """The episodes to look at closely: the one that is asked about, or those that look best from afar."""
    if question.episode_id is not None:
        ids = [question.episode_id] if within is None or question.episode_id in within else []
    elif within is not None and len(within) <= _EPISODES:
        ids = sorted(within)
    else:
        ids = _promising(view, None if within is None else frozenset(within), what)
    found = [layout for episode_id in ids if (layout := view.layout(episode_id)) is not None]
    if question.heard_until is not None:
        found = [layout.until(question.heard_until) for layout in found]
    return [layout for layout in found if layout.units]


def promising(view: View, text: str, embed: Embedder, within: Collection[str] | None) -> list[str]:
    """The episodes of the library (of those ``within``) that look best from afar. Raises EngineError."""
    if within is not None and len(within) <= _EPISODES:
        return sorted(within)
    return _promising(view, None if within is None else frozenset(within), sought(view, embed, text))


def _promising(view: View, within: Collection[str] | None, what: Sought) -> list[str]:
    """The episodes of the library that look best from afar."""
    score = {name: float(cosines.max()) for name, _, cosines in view.dense(what.vector, _NEAREST, within)}
    for word, telling in zip(what.words, what.weight, strict=True):
        if not view.common(word):
            for name, numbers in view.lexical(word):
                if within is None or name in within:
                    score[name] = score.get(name, 0.2) + 0.03 * float(telling) * min(len(numbers), 3)
    return sorted(score, key=lambda name: -score[name])[:_EPISODES]


def _best(field: Field, verdict: Verdict, count: int) -> list[int]:
    """The best units of the field, none close to a better one.

    The first is the one that is most worth jumping to. It is worth much also because the subject goes on for a while;
    so the others, which are there for when the first is wrong, are in the order of their own chances.
    """
    start = field.joined([layout.start for layout in field.layouts])
    cover = field.spread(verdict.cover)
    chosen = [int(np.argmax(verdict.worth + cover))]
    for unit in np.argsort(-(verdict.close + cover), kind="stable").tolist():
        if len(chosen) == count:
            break
        mine = [other for other in chosen if field.owner[other] == field.owner[unit]]
        if all(abs(start[unit] - start[other]) >= _APART for other in mine):
            chosen.append(unit)
    return chosen


def _sure(field: Field, verdict: Verdict) -> Values:
    """The probability that a jump to each unit is right: that of the episode's having an answer, less for units that
    are less worth jumping to than its best."""
    best = field.spread(np.array([
        verdict.close[low + int(np.argmax(verdict.worth[low:high]))]
        for low, high in zip(field.edges[:-1], field.edges[1:], strict=True)
    ]))  # fmt: skip
    return np.asarray(np.exp(np.minimum(verdict.close - best, 0)) / (1 + np.exp(-field.spread(verdict.cover))))


def _moment(view: View, layout: Layout, unit: int, sure: float) -> Moment:
    last = unit + 1 + int(np.searchsorted(np.cumsum(layout.words[unit:]), _LENGTH))
    last = min(last, layout.units)
    return Moment(
        layout.episode_id,
        float(layout.start[unit]),
        float(layout.end[last - 1]),
        " ".join(view.texts(layout, unit, last)),
        layout.speakers[layout.speaker[unit]],
        confidence=round(float(sure), 4),
    )
