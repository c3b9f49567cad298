# SPDX-License-Identifier: GPL-3.0-or-later
"""From a question to the sentences that answer it.

Sentences are searched first: the words of the question are matched with those of each chunk of an episode, the best
chunks are read together with the question, and what is quoted is the run of sentences in which the answer most likely
lies. Over a library the episodes to look at come from the vectors and words of all passages.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.finding.sections.find_sections import promising_episodes
from retrieval.finding.sections.query import Values
from retrieval.finding.sentences.answer_reader import (
    ChunkBatch,
    EncodedQuestion,
    Reader,
    ReaderOutput,
    shipped_reader,
    unit_rows,
)
from retrieval.finding.sentences.calibration import CalibrationFeatures, answer_probability
from retrieval.finding.sentences.cross_encoder import READ, CrossEncoder
from retrieval.finding.sentences.sentence_features import FEATURE_NAMES, features
from retrieval.finding.sentences.sentence_ranker import score_runs
from retrieval.index.embedding import Embedder, Matrix
from retrieval.index.index import Index
from retrieval.index.snapshot import Snapshot
from retrieval.index.token_store import MAX_WORDS, TokenStore, project
from retrieval.model import Question, SearchResult, SentenceRun

_CHUNKS = 12  # chunks that are read together with a question
_BESIDE = 0.1  # how much less a word of the question counts for a chunk when it is said in the one before or after it
_SENTENCES = 3  # sentences of a run, at most
_SHORT = 4  # words: a shorter run says nothing by itself
_ASKER = 8  # sentences back in which the question that a run replies to may stand
_LATE = 30.0  # seconds after which it no longer replies to it
_UNREAD = -30.0  # logit of what was not read
_SHORTER = 1.2  # log-odds by which a part of a run may be less likely to answer, and is said instead
_LEAST = 10  # words of such a part, at least


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Tokens ``first`` to ``last`` of an episode's token store, and how well they match."""

    episode_id: str
    store: TokenStore
    first: int
    last: int
    match: float


def find_sentences(
    question: Question,
    index: Index,
    embed: Embedder,
    count: int = 10,
    within: Collection[str] | None = None,
    reader: Reader | None = None,
    second: CrossEncoder | None = None,
) -> SearchResult:
    """The runs of sentences that answer a question, best first, at most ``count``; empty when nothing can be read.

    With ``episode_id`` only that episode is read; with ``within`` only the episodes with these ids; with
    ``heard_until`` of each episode only what is over by then. ``reader`` takes the place of the one that comes with
    the program; ``second`` reads again what that one likes best.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if not question.text.strip() or count < 1:
        return SearchResult()
    reader = reader or shipped_reader()
    asked = encode_question(question.text, embed, reader)
    if not len(asked.vectors):
        return SearchResult()
    with index.snapshot() as snapshot:
        stores = _token_stores(snapshot, question, within, embed)
    candidates = gather_candidates(question.text, stores, asked, reader)
    found = choose_runs(candidates, max(count, READ) if second else count)
    if second is None:
        return found
    again = second.read(question.text, found)
    return SearchResult(again.runs[:count], again.answered)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Sentences ``first`` to ``last`` (exclusive) of an episode's token store."""

    episode_id: str
    store: TokenStore
    first: int
    last: int

    @property
    def words(self) -> int:
        """How many words it has."""
        return int(self.store.sentences["words"][self.first : self.last].sum())

    def holds(self, other: "Candidate") -> bool:
        """Whether another one is a part of it."""
        return self.episode_id == other.episode_id and self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Runs that may be quoted, their features (runs, features), and what was read (None: nothing)."""

    runs: tuple[Candidate, ...]
    features: Values
    output: ReaderOutput | None


def gather_candidates(
    text: str, stores: Sequence[tuple[str, TokenStore]], asked: EncodedQuestion, reader: Reader
) -> CandidateSet:
    """Read the chunks of some episodes that match a question best: all runs of sentences in them, with features."""
    everywhere = {name: _near(store, asked) for name, store in stores}
    chunks = sorted(
        (chunk for name, store in stores for chunk in _matched(name, store, everywhere[name])),
        key=lambda chunk: -chunk.match,
    )[:_CHUNKS]
    if not chunks:
        return CandidateSet((), np.zeros((0, len(FEATURE_NAMES))), None)
    output = reader(_batch(chunks, reader), asked)
    logits = output.logits - float(np.logaddexp.reduce(output.logits, axis=None))
    candidates: list[Candidate] = []
    rows = []
    for name in dict.fromkeys(chunk.episode_id for chunk in chunks):
        mine = [(row, chunk) for row, chunk in enumerate(chunks) if chunk.episode_id == name]
        store = mine[0][1].store
        runs = _runs(store, sorted({at for _, chunk in mine for at in _numbers(store, chunk)}))
        if not runs:
            continue
        read, match = np.full(len(store.ids), _UNREAD), np.zeros(len(store.ids))
        for row, chunk in mine:
            read[chunk.first : chunk.last] = logits[row, : chunk.last - chunk.first]
            match[chunk.first : chunk.last] = chunk.match
        weights = output.weights.astype(np.float64)
        rows.append(features(
            text, store, runs, read, everywhere[name], weights, match, asked.telling, asked.ids,
            _replies(store, runs, everywhere[name]),
        ))  # fmt: skip
        candidates += [Candidate(name, store, *run) for run in runs]
    return CandidateSet(tuple(candidates), np.concatenate(rows) if rows else np.zeros((0, len(FEATURE_NAMES))), output)


def choose_runs(candidates: CandidateSet, count: int) -> SearchResult:
    """The best runs that do not overlap, at most ``count``, and whether the first answers.

    Of each only the shortest part is taken that is nearly as likely to hold the answer: what is short is heard to its
    end, and leaves time for another place where it is not sure.
    """
    every = score_runs(candidates.features)
    picked, scores = non_overlapping(candidates, every, count)
    if not picked:
        return SearchResult()
    chances = np.exp(scores - scores[0])
    chances /= chances.sum()
    runs = [
        _run(_shortest(candidates, every, at), float(share)) for at, share in zip(picked, chances, strict=True)
    ]
    return SearchResult(tuple(runs), answer_probability(calibration_features(candidates, picked[0])))


def _shortest(candidates: CandidateSet, scores: Values, at: int) -> Candidate:
    whole, least = candidates.runs[at], scores[at] - _SHORTER
    parts = [
        (run.words, -score, number) for number, (run, score) in enumerate(zip(candidates.runs, scores, strict=True))
        if score >= least and whole.holds(run) and run.words >= _LEAST
    ]  # fmt: skip
    return candidates.runs[min(parts)[2]] if parts else whole


def non_overlapping(candidates: CandidateSet, scores: Values, count: int) -> tuple[list[int], Values]:
    """Numbers of the best runs that do not overlap, best first, and their scores."""
    picked: list[int] = []
    for at in np.argsort(-scores, kind="stable").tolist():
        if len(picked) == count:
            break
        if not any(_overlap(candidates.runs[at], candidates.runs[other]) for other in picked):
            picked.append(at)
    return picked, scores[picked]


def calibration_features(candidates: CandidateSet, first: int) -> CalibrationFeatures:
    """What speaks for a run, by its number, being an answer."""
    if candidates.output is None:
        raise ValueError("nothing was read")
    run = dict(zip(FEATURE_NAMES, candidates.features[first].tolist(), strict=True))
    none = candidates.output.none
    above = float(np.logaddexp.reduce(candidates.output.logits, axis=None)) - none
    return CalibrationFeatures(above, none, run["wide"], run["number"], run["farthest"], run["unheard"])


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.episode_id == other.episode_id and one.first < other.last and other.first < one.last


def encode_question(text: str, embed: Embedder, reader: Reader) -> EncodedQuestion:
    """A question as the reader takes it. Raises EngineError."""
    pieces = embed.question_tokens(text)
    telling = ~np.isin(pieces.ids, reader.function)
    return EncodedQuestion(project(pieces.states), telling, pieces.ids[telling])


def _token_stores(
    snapshot: Snapshot, question: Question, within: Collection[str] | None, embed: Embedder
) -> list[tuple[str, TokenStore]]:
    """What can be read: the episode that is asked about, or those that look best from afar."""
    if question.episode_id is not None:
        ids: Sequence[str] = [question.episode_id] if within is None or question.episode_id in within else []
    else:
        ids = promising_episodes(snapshot, question.text, embed, within)
    found = [(name, store) for name in ids if (store := snapshot.token_store(name)) is not None]
    if question.heard_until is not None:
        found = [(name, store.until(question.heard_until)) for name, store in found]
    return [(name, store) for name, store in found if len(store.sentences)]


def _near(store: TokenStore, asked: EncodedQuestion) -> Matrix:
    """The cosines (m, q) of the tokens of an episode with those of the question."""
    near = store.codes.astype(np.float32) @ unit_rows(asked.vectors).T
    near *= store.scale[:, None]
    return near


def _matched(episode_id: str, store: TokenStore, near: Matrix) -> list[_Chunk]:
    """The chunks of an episode that match a question best: the mean over its words of the best match, in the chunk
    or, for a little less, in the one before or after it, since what is answered is often named a sentence or two away.
    """
    edges = store.chunks
    best = np.maximum.reduceat(near, edges[:-1])
    around = best.copy()
    np.maximum(around[1:], best[:-1] - _BESIDE, out=around[1:])
    np.maximum(around[:-1], best[1:] - _BESIDE, out=around[:-1])
    match = around.mean(axis=1)
    order = np.argsort(-match, kind="stable")[:_CHUNKS]
    return [
        _Chunk(episode_id, store, int(edges[at]), int(edges[at + 1]), float(match[at])) for at in order.tolist()
    ]


def _batch(chunks: Sequence[_Chunk], reader: Reader) -> ChunkBatch:
    length = max(chunk.last - chunk.first for chunk in chunks)
    vectors = np.zeros((len(chunks), length, chunks[0].store.codes.shape[1]), np.float32)
    ids = np.zeros((len(chunks), length), np.uint16)
    there, asks = np.zeros((len(chunks), length), bool), np.zeros((len(chunks), length), bool)
    for row, chunk in enumerate(chunks):
        size = chunk.last - chunk.first
        vectors[row, :size] = chunk.store.codes[chunk.first : chunk.last]
        ids[row, :size] = chunk.store.ids[chunk.first : chunk.last]
        there[row, :size] = True
        for sentence in _sentences(chunk):
            if sentence["asks"]:
                asks[row, int(sentence["first"]) - chunk.first : int(sentence["last"]) - chunk.first] = True
    return ChunkBatch(vectors, there, ids, asks, np.isin(ids, reader.digits))


def _sentences(chunk: _Chunk) -> npt.NDArray[np.void]:
    first = chunk.store.sentences["first"]
    return chunk.store.sentences[np.searchsorted(first, chunk.first) : np.searchsorted(first, chunk.last)]


def _replies(store: TokenStore, runs: Sequence[tuple[int, int]], near: Matrix) -> list[float]:
    """How well the question that each run replies to matches the one that is put; 0 where there is none."""
    known: dict[int, float] = {}
    found = []
    for first, _ in runs:
        at = _asker(store, first)
        if at is not None and at not in known:
            low, high = int(store.sentences[at]["first"]), int(store.sentences[at]["last"])
            known[at] = float(near[low:high].max(axis=0).mean()) if high > low else 0.0
        found.append(known[at] if at is not None else 0.0)
    return found


def _numbers(store: TokenStore, chunk: _Chunk) -> range:
    """The sentences of a chunk, numbered in the episode."""
    first = store.sentences["first"]
    return range(int(np.searchsorted(first, chunk.first)), int(np.searchsorted(first, chunk.last)))


def _runs(store: TokenStore, among: Sequence[int]) -> list[tuple[int, int]]:
    """The runs of one to three sentences, first and last (exclusive), that may be quoted: of one turn, not too long,
    and not ending in a question, since what a question matches best is another question."""
    turns, words, asks = (store.sentences[name].tolist() for name in ("turn", "words", "asks"))
    allowed, found = set(among), []
    for first in among:
        total = 0
        for last in range(first + 1, first + 1 + _SENTENCES):
            if last - 1 not in allowed or turns[last - 1] != turns[first]:
                break
            total += words[last - 1]
            if last - 1 > first and total > MAX_WORDS:
                break
            if total >= _SHORT and not asks[last - 1]:
                found.append((first, last))
    return found


def _run(place: Candidate, share: float) -> SentenceRun:
    store, first, last = place.store, place.first, place.last
    begin, end = store.sentences[first], store.sentences[last - 1]
    asked = _asker(store, first)
    return SentenceRun(
        place.episode_id, float(begin["start"]), float(end["end"]), " ".join(store.texts[first:last]),
        store.speakers[int(begin["speaker"])], round(share, 4),
        store.texts[asked] if asked is not None else "",
        float(store.sentences[asked]["start"]) if asked is not None else None,
    )  # fmt: skip


def _asker(store: TokenStore, first: int) -> int | None:
    """The question to which a sentence replies: the last one before its turn, or, in its own turn, just before it."""
    sentences = store.sentences
    for at in range(first - 1, max(first - 1 - _ASKER, -1), -1):
        if float(sentences[first]["start"]) - float(sentences[at]["end"]) > _LATE:
            return None
        other = sentences[at]["turn"] != sentences[first]["turn"]
        if sentences[at]["asks"] and (other or at == first - 1):
            return at
        if other and int(sentences[at]["words"]) > _SHORT:  # somebody said something else in between
            return None
    return None
