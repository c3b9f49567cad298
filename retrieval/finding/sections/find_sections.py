# SPDX-License-Identifier: GPL-3.0-or-later
"""From a question to the moments that answer it."""

from collections.abc import Collection

import numpy as np

from retrieval.finding.sections.query import SearchQuery, Values, build_query
from retrieval.finding.sections.section_ranker import Ranker, SectionScores, shipped_ranker
from retrieval.finding.sections.unit_evidence import UnitBatch, gather_evidence
from retrieval.finding.sections.unit_features import section_features
from retrieval.index.embedding import Embedder
from retrieval.index.episode_passages import EpisodePassages
from retrieval.index.index import Index
from retrieval.index.snapshot import Snapshot
from retrieval.model import Moment, Question

COVERED = 0.28
"""Confidence from which on the best moment counts as an answer: more than nine in ten questions that have one are
answered, written, asked or misheard, and almost eight in ten that have none are declined, of shows that the ranker
was not trained on (tests.benchmarks.train_section_ranker prints it for other thresholds too)."""

_NEAREST = 400  # passages of the library that are looked at, by meaning and by words
_EPISODES = 10  # episodes of the library that are looked at closely
_APART = 30.0  # seconds between two moments, at least
_LENGTH = 90  # words of a moment, about


def find_sections(
    question: Question,
    index: Index,
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
    with index.snapshot() as snapshot:
        alone = snapshot.episode_passages(question.episode_id) if question.episode_id is not None else None
        query = build_query(snapshot, embed, question.text, alone)
        episodes = _episodes(snapshot, question, within, query)
        if not episodes:
            return []
        evidence = gather_evidence(snapshot, episodes, query)
        batch = evidence.batch
        scores = (ranker or shipped_ranker()).score(batch, section_features(evidence))
        sure = _sure(batch, scores)
        return [
            _moment(snapshot, episodes[batch.owner[unit]], unit - int(batch.low[unit]), sure[unit])
            for unit in _best(batch, scores, count)
        ]


def _episodes(
    snapshot: Snapshot, question: Question, within: Collection[str] | None, query: SearchQuery
) -> list[EpisodePassages]:
    """The episodes to look at closely: the one that is asked about, or those that look best from afar."""
    if question.episode_id is not None:
        ids = [question.episode_id] if within is None or question.episode_id in within else []
    elif within is not None and len(within) <= _EPISODES:
        ids = sorted(within)
    else:
        ids = _promising_episodes(snapshot, None if within is None else frozenset(within), query)
    found = [episode for episode_id in ids if (episode := snapshot.episode_passages(episode_id)) is not None]
    if question.heard_until is not None:
        found = [episode.until(question.heard_until) for episode in found]
    return [episode for episode in found if episode.units]


def promising_episodes(snapshot: Snapshot, text: str, embed: Embedder, within: Collection[str] | None) -> list[str]:
    """The episodes of the library (of those ``within``) that look best from afar. Raises EngineError."""
    if within is not None and len(within) <= _EPISODES:
        return sorted(within)
    query = build_query(snapshot, embed, text)
    return _promising_episodes(snapshot, None if within is None else frozenset(within), query)


def _promising_episodes(snapshot: Snapshot, within: Collection[str] | None, query: SearchQuery) -> list[str]:
    """The episodes of the library that look best from afar."""
    score = {name: float(cosines.max()) for name, _, cosines in snapshot.dense(query.vector, _NEAREST, within)}
    for word, telling in zip(query.words, query.weight, strict=True):
        if not snapshot.is_common(word):
            for name, numbers in snapshot.lexical(word):
                if within is None or name in within:
                    score[name] = score.get(name, 0.2) + 0.03 * float(telling) * min(len(numbers), 3)
    return sorted(score, key=lambda name: -score[name])[:_EPISODES]


def _best(batch: UnitBatch, scores: SectionScores, count: int) -> list[int]:
    """The best units of the batch, none close to a better one.

    The first is the one that is most worth jumping to. It is worth much also because the subject goes on for a while;
    so the others, which are there for when the first is wrong, are in the order of their own chances.
    """
    start = batch.joined([episode.start for episode in batch.episodes])
    cover = batch.spread(scores.cover)
    chosen = [int(np.argmax(scores.worth + cover))]
    for unit in np.argsort(-(scores.close + cover), kind="stable").tolist():
        if len(chosen) == count:
            break
        mine = [other for other in chosen if batch.owner[other] == batch.owner[unit]]
        if all(abs(start[unit] - start[other]) >= _APART for other in mine):
            chosen.append(unit)
    return chosen


def _sure(batch: UnitBatch, scores: SectionScores) -> Values:
    """The probability that a jump to each unit is right: that of the episode's having an answer, less for units that
    are less worth jumping to than its best."""
    best = batch.spread(np.array([
        scores.close[low + int(np.argmax(scores.worth[low:high]))]
        for low, high in zip(batch.edges[:-1], batch.edges[1:], strict=True)
    ]))  # fmt: skip
    return np.asarray(np.exp(np.minimum(scores.close - best, 0)) / (1 + np.exp(-batch.spread(scores.cover))))


def _moment(snapshot: Snapshot, episode: EpisodePassages, unit: int, sure: float) -> Moment:
    last = unit + 1 + int(np.searchsorted(np.cumsum(episode.words[unit:]), _LENGTH))
    last = min(last, episode.units)
    return Moment(
        episode.episode_id,
        float(episode.start[unit]),
        float(episode.end[last - 1]),
        " ".join(snapshot.texts(episode, unit, last)),
        episode.speakers[episode.speaker[unit]],
        confidence=round(float(sure), 4),
    )
