# SPDX-License-Identifier: GPL-3.0-or-later
"""How relevant each part of an episode is for a question: the picture of where an answer lies."""

from dataclasses import dataclass

import numpy as np

from retrieval.finding.sections.query import build_query
from retrieval.finding.sections.section_ranker import Ranker, shipped_ranker
from retrieval.finding.sections.unit_evidence import gather_evidence
from retrieval.finding.sections.unit_features import section_features
from retrieval.index.embedding import Embedder
from retrieval.index.index import Index
from retrieval.model import Question

_SOFTENED = 2.5
"""By how much log probabilities are flattened: a picture that shows only the winner shows nothing."""


@dataclass(frozen=True, slots=True)
class Relevance:
    """``value`` in 0..1 from ``start`` to ``end`` (seconds); 1 is the most relevant part of the episode."""

    start: float
    end: float
    value: float


def relevance_curve(question: Question, index: Index, embed: Embedder, ranker: Ranker | None = None) -> list[Relevance]:
    """The parts of the episode that is asked about, in order, each as relevant as the ranker finds it.

    It is the probability that an answer begins within half a minute, relative to that of the best part and softened.
    Parts after ``heard_until`` are left out. Empty without an episode, and for one that is not in the index.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if question.episode_id is None or not question.text.strip():
        return []
    with index.snapshot() as snapshot:
        episode = snapshot.episode_passages(question.episode_id)
        if episode is not None and question.heard_until is not None:
            episode = episode.until(question.heard_until)
        if episode is None or not episode.units:
            return []
        evidence = gather_evidence(snapshot, [episode], build_query(snapshot, embed, question.text, episode))
        close = (ranker or shipped_ranker()).score(evidence.batch, section_features(evidence)).close
        values = np.exp((close - close.max()) / _SOFTENED)
        ends = np.append(episode.start[1:], episode.end[-1])
        return [
            Relevance(float(start), float(max(start, end)), round(float(value), 3))
            for start, end, value in zip(episode.start, ends, values, strict=True)
        ]
