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
from retrieval.finding.reader import Asked, Page, Reader, Reading, shipped
from retrieval.finding.search import promising
from retrieval.index.embedding import Embedder
from retrieval.index.index import Index
from retrieval.index.script import LONGEST, Script, project
from retrieval.index.snapshot import View
from retrieval.model import Found, Question, Run

ANSWERED = 0.5
"""Probability from which on the best run counts as an answer."""

_CHUNKS = 12  # chunks that are read together with a question
_SENTENCES = 3  # sentences of a run, at most
_SHORT = 4  # words: a shorter run says nothing by itself
_ASKER = 8  # sentences back in which the question that a run replies to may stand
_LATE = 30.0  # seconds after which it no longer replies to it
_COST = 0.002  # of a word more in a run, in shares: two runs as good, the shorter
_APART = 1  # sentences between two runs, at least


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
    index: Index,
    embed: Embedder,
    count: int = 10,
    within: Collection[str] | None = None,
    reader: Reader | None = None,
) -> Found:
    """The runs of sentences that answer a question, best first, at most ``count``; empty when nothing can be read.

    With ``episode_id`` only that episode is read; with ``within`` only the episodes with these ids; with
    ``heard_until`` of each episode only what is over by then. ``reader`` takes the place of the one that comes with
    the program.
    Raises EngineError when the question cannot be embedded, LibraryError when the index cannot be read.
    """
    if not question.text.strip() or count < 1:
        return Found()
    reader = reader or shipped()
    asked = as_asked(question.text, embed, reader)
    if not len(asked.vectors):
        return Found()
    with index.view() as view:
        scripts = _scripts(view, question, within, embed)
    chunks = sorted((chunk for name, said in scripts for chunk in _matched(name, said, asked)),
                    key=lambda chunk: -chunk.match)[:_CHUNKS]  # fmt: skip
    if not chunks:
        return Found()
    page = _page(chunks, reader)
    reading = reader(page, asked)
    runs, signs = _ranked(chunks, reading, count)
    return Found(tuple(runs), probability(signs) if runs else 0.0)


def as_asked(text: str, embed: Embedder, reader: Reader) -> Asked:
    """A question as the reader takes it. Raises EngineError."""
    pieces = embed.question_pieces(text)
    return Asked(project(pieces.states), pieces.ids[~np.isin(pieces.ids, reader.function)])


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


def _matched(episode_id: str, said: Script, asked: Asked) -> list[_Chunk]:
    """The chunks of an episode that match a question best: the mean over its words of the best match."""
    wanted = asked.vectors / np.maximum(np.linalg.norm(asked.vectors, axis=1, keepdims=True), 1e-6)
    near = said.codes.astype(np.float32) @ wanted.T
    near *= said.scale[:, None]
    edges = said.chunks
    match = np.maximum.reduceat(near, edges[:-1]).mean(axis=1)
    best = np.argsort(-match, kind="stable")[:_CHUNKS]
    return [
        _Chunk(episode_id, said, int(edges[at]), int(edges[at + 1]), float(match[at])) for at in best.tolist()
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


def _ranked(chunks: Sequence[_Chunk], reading: Reading, count: int) -> tuple[list[Run], Signs]:
    """The runs in which the answer most likely lies, and what speaks for the first."""
    top = float(reading.logits.max())
    chance = np.exp(reading.logits - top)
    total = float(chance.sum())
    scored: list[tuple[float, float, Script, str, int, int]] = []
    for name in dict.fromkeys(chunk.episode_id for chunk in chunks):
        mine = [(row, chunk) for row, chunk in enumerate(chunks) if chunk.episode_id == name]
        said = mine[0][1].script
        mass = np.zeros(len(said.ids) + 1)
        for row, chunk in mine:
            mass[chunk.first + 1 : chunk.last + 1] = chance[row, : chunk.last - chunk.first] / total
        sums = np.cumsum(mass)
        near = {int(at) for _, chunk in mine for at in _numbers(said, chunk)}
        for first, last in _runs(said, sorted(near)):
            places = said.sentences[first:last]
            share = float(sum(
                sums[place["last"]] - sums[place["first"]] for place in places if not place["asks"] or len(places) > 1
            ))  # fmt: skip
            words = int(places["words"].sum())
            scored.append((share - _COST * share * words, share, said, name, first, last))
    scored.sort(key=lambda one: -one[0])
    chosen: list[tuple[float, float, Script, str, int, int]] = []
    for one in scored:
        if len(chosen) == count:
            break
        if all(one[3] != other[3] or one[4] >= other[5] + _APART or one[5] + _APART <= other[4] for other in chosen):
            chosen.append(one)
    runs = [_run(name, said, first, last, share) for _, share, said, name, first, last in chosen]
    signs = Signs(
        best=top, spread=float(np.log(total)), none=reading.none, share=runs[0].share if runs else 0.0,
        second=runs[1].share if len(runs) > 1 else 0.0, match=max(chunk.match for chunk in chunks),
        around=float(reading.match.max()),
    )  # fmt: skip
    return runs, signs


def _numbers(said: Script, chunk: _Chunk) -> range:
    """The sentences of a chunk, numbered in the script."""
    first = said.sentences["first"]
    return range(int(np.searchsorted(first, chunk.first)), int(np.searchsorted(first, chunk.last)))


def _runs(said: Script, among: Sequence[int]) -> list[tuple[int, int]]:
    """The runs of one to three sentences, first and last (exclusive), that may be quoted: of one turn, not too long,
    and not only a question."""
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
            if total >= _SHORT and not all(asks[first:last]):
                found.append((first, last))
    return found


def _run(name: str, said: Script, first: int, last: int, share: float) -> Run:
    begin, end = said.sentences[first], said.sentences[last - 1]
    asked = _asker(said, first)
    return Run(
        name, float(begin["start"]), float(end["end"]), " ".join(said.texts[first:last]),
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
