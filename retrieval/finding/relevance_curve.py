# SPDX-License-Identifier: GPL-3.0-or-later
"""How warm each part of an episode is for a question: the picture of where an answer lies."""

from dataclasses import dataclass

import numpy as np

from retrieval.finding.features import section_features
from retrieval.finding.query import sought
from retrieval.finding.ranker import Ranker, shipped_ranker
from retrieval.finding.signals import gather_evidence
from retrieval.index.embedding import Embedder
from retrieval.index.index import AnyIndex
from retrieval.model import Question

_SOFTENED = 2.5
"""By how much log probabilities are flattened: a picture that shows only the winner shows nothing."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """``value`` in 0..1 from ``start`` to ``end`` (seconds); 1 is the warmest part of the episode."""

    start: float
    end: float
    value: float


def heat(question: Question, index: AnyIndex, embed: Embedder, ranker: Ranker | None = None) -> list[Warmth]:
    """The parts of the episode that is asked about, in order, each as warm as the ranker finds it.

    It is the probability that an answer begins within half a minute, relative to that of the best part and softened.
    Parts after ``heard_until`` are left out. Empty without an episode, and for one that is not in the index.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if question.episode_id is None or not question.text.strip():
        return []
    with index.view() as view:
        layout = view.layout(question.episode_id)
        if layout is not None and question.heard_until is not None:
            layout = layout.until(question.heard_until)
        if layout is None or not layout.units:
            return []
        evidence = gather_evidence(view, [layout], sought(view, embed, question.text, layout))
        close = (ranker or shipped_ranker()).judge(evidence.field, section_features(evidence)).close
        values = np.exp((close - close.max()) / _SOFTENED)
        ends = np.append(layout.start[1:], layout.end[-1])
        return [
            Warmth(float(start), float(max(start, end)), round(float(value), 3))
            for start, end, value in zip(layout.start, ends, values, strict=True)
        ]
