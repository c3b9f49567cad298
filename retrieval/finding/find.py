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

from retrieval.finding.calibration import Signs, probability
from retrieval.finding.cross_encoder import READ, CrossEncoder
from retrieval.finding.reader import Asked, Page, Reader, Reading, shipped_reader, unit_rows
from retrieval.finding.run_features import NAMES, Values, features
from retrieval.finding.run_ranker import score_runs
from retrieval.finding.search import promising
from retrieval.index.embedding import Embedder, Matrix
from retrieval.index.index import AnyIndex
from retrieval.index.script import LONGEST, Script, project
from retrieval.index.snapshot import View
from retrieval.model import Found, Question, Run

ANSWERED = 0.33
"""Probability from which on the best run counts as an answer: of the answerable about .92 reach it, on episodes that
nothing was learned from (``tests.benchmarks.train_runs``)."""

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
    """Word pieces ``first`` to ``last`` of the script of an episode, and how well they match."""

    episode_id: str
    script: Script
    first: int
    last: int
    match: float


def find(
    question: Question,
    index: AnyIndex,
    embed: Embedder,
    count: int = 10,
    within: Collection[str] | None = None,
    reader: Reader | None = None,
    second: CrossEncoder | None = None,
) -> Found:
    """The runs of sentences that answer a question, best first, at most ``count``; empty when nothing can be read.

    With ``episode_id`` only that episode is read; with ``within`` only the episodes with these ids; with
    ``heard_until`` of each episode only what is over by then. ``reader`` takes the place of the one that comes with
    the program; ``second`` reads again what that one likes best.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if not question.text.strip() or count < 1:
        return Found()
    reader = reader or shipped_reader()
    asked = as_asked(question.text, embed, reader)
    if not len(asked.vectors):
        return Found()
    with index.view() as view:
        scripts = _scripts(view, question, within, embed)
    weighed = weigh(question.text, scripts, asked, reader)
    found = chosen(weighed, max(count, READ) if second else count)
    if second is None:
        return found
    again = second.read(question.text, found)
    return Found(again.runs[:count], again.answered)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Sentences ``first`` to ``last`` (exclusive) of an episode's script."""

    episode_id: str
    script: Script
    first: int
    last: int

    @property
    def words(self) -> int:
        """How many words it has."""
        return int(self.script.sentences["words"][self.first : self.last].sum())

    def holds(self, other: "Candidate") -> bool:
        """Whether another one is a part of it."""
        return self.episode_id == other.episode_id and self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True)
class Weighed:
    """Runs that may be quoted, their features (runs, features), and what was read (None: nothing)."""

    places: tuple[Candidate, ...]
    features: Values
    reading: Reading | None


def weigh(text: str, scripts: Sequence[tuple[str, Script]], asked: Asked, reader: Reader) -> Weighed:
    """Read the chunks of some scripts that match a question best, and weigh all runs of sentences in them."""
    everywhere = {name: _near(said, asked) for name, said in scripts}
    chunks = sorted(
        (chunk for name, said in scripts for chunk in _matched(name, said, everywhere[name])),
        key=lambda chunk: -chunk.match,
    )[:_CHUNKS]
    if not chunks:
        return Weighed((), np.zeros((0, len(NAMES))), None)
    reading = reader(_page(chunks, reader), asked)
    logits = reading.logits - float(np.logaddexp.reduce(reading.logits, axis=None))
    places: list[Candidate] = []
    rows = []
    for name in dict.fromkeys(chunk.episode_id for chunk in chunks):
        mine = [(row, chunk) for row, chunk in enumerate(chunks) if chunk.episode_id == name]
        said = mine[0][1].script
        runs = _runs(said, sorted({at for _, chunk in mine for at in _numbers(said, chunk)}))
        if not runs:
            continue
        read, match = np.full(len(said.ids), _UNREAD), np.zeros(len(said.ids))
        for row, chunk in mine:
            read[chunk.first : chunk.last] = logits[row, : chunk.last - chunk.first]
            match[chunk.first : chunk.last] = chunk.match
        weights = reading.weights.astype(np.float64)
        rows.append(features(
            text, said, runs, read, everywhere[name], weights, match, asked.telling, asked.ids,
            _replies(said, runs, everywhere[name]),
        ))  # fmt: skip
        places += [Candidate(name, said, *run) for run in runs]
    return Weighed(tuple(places), np.concatenate(rows) if rows else np.zeros((0, len(NAMES))), reading)


def chosen(weighed: Weighed, count: int) -> Found:
    """The best runs that do not overlap, at most ``count``, and whether the first answers.

    Of each only the shortest part is taken that is nearly as likely to hold the answer: what is short is heard to its
    end, and leaves time for another place where it is not sure.
    """
    every = score_runs(weighed.features)
    picked, scores = picks(weighed, every, count)
    if not picked:
        return Found()
    chances = np.exp(scores - scores[0])
    chances /= chances.sum()
    runs = [
        _run(_shortest(weighed, every, at), float(share)) for at, share in zip(picked, chances, strict=True)
    ]
    return Found(tuple(runs), probability(signs(weighed, picked[0])))


def _shortest(weighed: Weighed, scores: Values, at: int) -> Candidate:
    whole, least = weighed.places[at], scores[at] - _SHORTER
    parts = [
        (place.words, -score, number) for number, (place, score) in enumerate(zip(weighed.places, scores, strict=True))
        if score >= least and whole.holds(place) and place.words >= _LEAST
    ]  # fmt: skip
    return weighed.places[min(parts)[2]] if parts else whole


def picks(weighed: Weighed, scores: Values, count: int) -> tuple[list[int], Values]:
    """Numbers of the best runs that do not overlap, best first, and their scores."""
    picked: list[int] = []
    for at in np.argsort(-scores, kind="stable").tolist():
        if len(picked) == count:
            break
        if not any(_overlap(weighed.places[at], weighed.places[other]) for other in picked):
            picked.append(at)
    return picked, scores[picked]


def signs(weighed: Weighed, first: int) -> Signs:
    """What speaks for a run, by its number, being an answer."""
    if weighed.reading is None:
        raise ValueError("nothing was read")
    run = dict(zip(NAMES, weighed.features[first].tolist(), strict=True))
    none = weighed.reading.none
    above = float(np.logaddexp.reduce(weighed.reading.logits, axis=None)) - none
    return Signs(above, none, run["wide"], run["number"], run["farthest"], run["unheard"])


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.episode_id == other.episode_id and one.first < other.last and other.first < one.last


def as_asked(text: str, embed: Embedder, reader: Reader) -> Asked:
    """A question as the reader takes it. Raises EngineError."""
    pieces = embed.question_pieces(text)
    telling = ~np.isin(pieces.ids, reader.function)
    return Asked(project(pieces.states), telling, pieces.ids[telling])


def _scripts(
    view: View, question: Question, within: Collection[str] | None, embed: Embedder
) -> list[tuple[str, Script]]:
    """What can be read: the episode that is asked about, or those that look best from afar."""
    if question.episode_id is not None:
        ids: Sequence[str] = [question.episode_id] if within is None or question.episode_id in within else []
    else:
        ids = promising(view, question.text, embed, within)
    found = [(name, said) for name in ids if (said := view.script(name)) is not None]
    if question.heard_until is not None:
        found = [(name, said.until(question.heard_until)) for name, said in found]
    return [(name, said) for name, said in found if len(said.sentences)]


def _near(said: Script, asked: Asked) -> Matrix:
    """The cosines (m, q) of the word pieces of an episode with those of the question."""
    near = said.codes.astype(np.float32) @ unit_rows(asked.vectors).T
    near *= said.scale[:, None]
    return near


def _matched(episode_id: str, said: Script, near: Matrix) -> list[_Chunk]:
    """The chunks of an episode that match a question best: the mean over its words of the best match, in the chunk
    or, for a little less, in the one before or after it, since what is answered is often named a sentence or two away.
    """
    edges = said.chunks
    best = np.maximum.reduceat(near, edges[:-1])
    around = best.copy()
    np.maximum(around[1:], best[:-1] - _BESIDE, out=around[1:])
    np.maximum(around[:-1], best[1:] - _BESIDE, out=around[:-1])
    match = around.mean(axis=1)
    order = np.argsort(-match, kind="stable")[:_CHUNKS]
    return [
        _Chunk(episode_id, said, int(edges[at]), int(edges[at + 1]), float(match[at])) for at in order.tolist()
    ]


def _page(chunks: Sequence[_Chunk], reader: Reader) -> Page:
    length = max(chunk.last - chunk.first for chunk in chunks)
    vectors = np.zeros((len(chunks), length, chunks[0].script.codes.shape[1]), np.float32)
    ids = np.zeros((len(chunks), length), np.uint16)
    there, asks = np.zeros((len(chunks), length), bool), np.zeros((len(chunks), length), bool)
    for row, chunk in enumerate(chunks):
        size = chunk.last - chunk.first
        vectors[row, :size] = chunk.script.codes[chunk.first : chunk.last]
        ids[row, :size] = chunk.script.ids[chunk.first : chunk.last]
        there[row, :size] = True
        for sentence in _sentences(chunk):
            if sentence["asks"]:
                asks[row, int(sentence["first"]) - chunk.first : int(sentence["last"]) - chunk.first] = True
    return Page(vectors, there, ids, asks, np.isin(ids, reader.digits))


def _sentences(chunk: _Chunk) -> npt.NDArray[np.void]:
    first = chunk.script.sentences["first"]
    return chunk.script.sentences[np.searchsorted(first, chunk.first) : np.searchsorted(first, chunk.last)]


def _replies(said: Script, runs: Sequence[tuple[int, int]], near: Matrix) -> list[float]:
    """How well the question that each run replies to matches the one that is put; 0 where there is none."""
    known: dict[int, float] = {}
    found = []
    for first, _ in runs:
        at = _asker(said, first)
        if at is not None and at not in known:
            low, high = int(said.sentences[at]["first"]), int(said.sentences[at]["last"])
            known[at] = float(near[low:high].max(axis=0).mean()) if high > low else 0.0
        found.append(known[at] if at is not None else 0.0)
    return found


def _numbers(said: Script, chunk: _Chunk) -> range:
    """The sentences of a chunk, numbered in the script."""
    first = said.sentences["first"]
    return range(int(np.searchsorted(first, chunk.first)), int(np.searchsorted(first, chunk.last)))


def _runs(said: Script, among: Sequence[int]) -> list[tuple[int, int]]:
    """The runs of one to three sentences, first and last (exclusive), that may be quoted: of one turn, not too long,
    and not ending in a question, since what a question matches best is another question."""
    turns, words, asks = (said.sentences[name].tolist() for name in ("turn", "words", "asks"))
    allowed, found = set(among), []
    for first in among:
        total = 0
        for last in range(first + 1, first + 1 + _SENTENCES):
            if last - 1 not in allowed or turns[last - 1] != turns[first]:
                break
            total += words[last - 1]
            if last - 1 > first and total > LONGEST:
                break
            if total >= _SHORT and not asks[last - 1]:
                found.append((first, last))
    return found


def _run(place: Candidate, share: float) -> Run:
    said, first, last = place.script, place.first, place.last
    begin, end = said.sentences[first], said.sentences[last - 1]
    asked = _asker(said, first)
    return Run(
        place.episode_id, float(begin["start"]), float(end["end"]), " ".join(said.texts[first:last]),
        said.speakers[int(begin["speaker"])], round(share, 4),
        said.texts[asked] if asked is not None else "",
        float(said.sentences[asked]["start"]) if asked is not None else None,
    )  # fmt: skip


def _asker(said: Script, first: int) -> int | None:
    """The question to which a sentence replies: the last one before its turn, or, in its own turn, just before it."""
    places = said.sentences
    for at in range(first - 1, max(first - 1 - _ASKER, -1), -1):
        if float(places[first]["start"]) - float(places[at]["end"]) > _LATE:
            return None
        other = places[at]["turn"] != places[first]["turn"]
        if places[at]["asks"] and (other or at == first - 1):
            return at
        if other and int(places[at]["words"]) > _SHORT:  # somebody said something else in between
            return None
    return None
