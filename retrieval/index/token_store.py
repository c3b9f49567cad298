# SPDX-License-Identifier: GPL-3.0-or-later
"""The token store of an episode: its sentences, and a short vector for each of their tokens, to be read for answers.

A vector for a whole sentence says what it is about; whether it *answers* shows only where its words meet those of the
question (late interaction, as in ColBERT). So the tokens are kept as the embedding model sees them in their
context, projected to a third of their length and stored in eight bits: some two megabytes an hour of talk.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from episodes.text.lexicon import names_somebody
from episodes.text.sentences import Line, sentences
from retrieval.index.embedding import Embedder, Matrix
from voice.model import Cue

PROJECTION = Path(__file__).with_name("projection.npz")
WIDTH = 128
"""Length of a token's vector."""

MAX_WORDS = 45
"""Words of a sentence, or a run of sentences, at most; longer sentences are cut at a clause."""

_CHUNK = 70  # words that are put before the embedding model at a time, whole sentences
_LEAST = 12  # words on either side of where a long sentence is cut

SENTENCE_RECORD = np.dtype([
    ("start", "<f8"), ("end", "<f8"), ("words", "<u2"), ("turn", "<u4"), ("speaker", "<u2"), ("asks", "u1"),
    ("chunk", "<u4"), ("at", "<u4"), ("first", "<u4"), ("last", "<u4"),
])  # fmt: skip
"""A sentence: seconds, count of words, number of the turn and of its speaker, 1 when it asks, the chunk it was read
in and the first token of that, and its own tokens, first and last (exclusive)."""


@dataclass(frozen=True)
class TokenStore:
    """The ``sentences`` (n,) of an episode as ``SENTENCE_RECORD`` and ``texts`` of each; of all their tokens ``ids``
    (m,) and ``codes`` (m, 128)."""

    sentences: npt.NDArray[np.void]
    texts: tuple[str, ...]
    speakers: tuple[str, ...]
    ids: npt.NDArray[np.uint16]
    codes: npt.NDArray[np.int8]

    @cached_property
    def scale(self) -> npt.NDArray[np.float32]:
        """What makes each vector of codes one long (m,)."""
        squares = np.einsum("ij,ij->i", self.codes, self.codes, dtype=np.int32)
        return np.asarray(1 / np.sqrt(np.maximum(squares, 1)), np.float32)

    @cached_property
    def chunks(self) -> npt.NDArray[np.int64]:
        """Tokens at which the chunks begin, and their end behind the last (chunks + 1,)."""
        return np.append(np.unique(self.sentences["at"]).astype(np.int64), len(self.ids))

    def until(self, seconds: float) -> "TokenStore":
        """The part that is over at ``seconds``."""
        later = np.flatnonzero(self.sentences["end"] > seconds)
        if not len(later):
            return self
        count = int(later[0])
        pieces = int(self.sentences["last"][count - 1]) if count else 0
        return TokenStore(
            self.sentences[:count], self.texts[:count], self.speakers, self.ids[:pieces], self.codes[:pieces]
        )

    def to_blobs(self) -> tuple[bytes, str, bytes, bytes]:
        """As it is stored: places, texts and speakers as JSON, ids, codes."""
        return (
            self.sentences.tobytes(), json.dumps([self.texts, self.speakers]), self.ids.astype("<u2").tobytes(),
            self.codes.tobytes(),
        )  # fmt: skip

    @classmethod
    def from_blobs(cls, places: bytes, texts: str, ids: bytes, codes: bytes) -> "TokenStore":
        """As ``to_blobs`` made it."""
        lines, speakers = json.loads(texts)
        return cls(
            np.frombuffer(places, SENTENCE_RECORD), tuple(lines), tuple(speakers), np.frombuffer(ids, "<u2"),
            np.frombuffer(codes, np.int8).reshape(-1, WIDTH),
        )  # fmt: skip


def quotable_sentences(cues: Sequence[Cue]) -> list[Line]:
    """The sentences of a transcript, in order, none of more than ``MAX_WORDS`` words."""
    return [piece for line in sentences(cues) for piece in _cut(line)]


def build_token_store(cues: Sequence[Cue], embed: Embedder) -> TokenStore:
    """The token store of one episode. Raises EngineError when it cannot be embedded."""
    lines = quotable_sentences(cues)
    speakers = list(dict.fromkeys(line.speaker for line in lines))
    places = np.zeros(len(lines), SENTENCE_RECORD)
    chunks: list[str] = []
    spans: list[tuple[int, int]] = []  # characters of each sentence in its chunk
    words, turn = _CHUNK, -1
    for place, line in zip(places, lines, strict=True):
        length = len(line.text.split())
        turn += line.turn_start or turn < 0
        begins = line.turn_start
        if words + length > _CHUNK:
            chunks.append("")
            words, begins = 0, True
        text = f"{chunks[-1]} " if chunks[-1] else ""
        if begins and names_somebody(line.speaker):
            text += f"{line.speaker.split()[0]}: "  # who speaks is a part of what is said
        spans.append((len(text), len(text) + len(line.text)))
        chunks[-1] = text + line.text
        words += length
        place["start"], place["end"], place["words"], place["turn"] = line.start, line.end, min(length, 65535), turn
        place["speaker"], place["asks"] = speakers.index(line.speaker), line.text.rstrip("\"'”’) ").endswith("?")
        place["chunk"] = len(chunks) - 1
    read = embed.token_states(chunks)
    starts = np.cumsum([0, *(len(found.ids) for found in read)])
    for place, (begin, end) in zip(places, spans, strict=True):
        pieces, at = read[place["chunk"]].spans, int(starts[place["chunk"]])
        place["at"] = at
        place["first"] = at + int(np.searchsorted(pieces[:, 1], begin, side="right"))
        place["last"] = at + int(np.searchsorted(pieces[:, 0], end, side="left"))
    ids = np.concatenate([found.ids for found in read]) if read else np.zeros(0, np.uint16)
    vectors = [project(found.states) for found in read]
    return TokenStore(
        places, tuple(line.text for line in lines), tuple(speakers), ids,
        quantize_rows(np.concatenate(vectors)) if vectors else np.zeros((0, WIDTH), np.int8),
    )  # fmt: skip


def project(states: Matrix) -> Matrix:
    """Tokens (n, layers, 384) as the reader takes them, (n, 128)."""
    weight, bias = _projection()
    away = states - states.mean(axis=-1, keepdims=True)
    away /= np.sqrt((away**2).mean(axis=-1, keepdims=True) + 1e-5)
    return np.asarray(away.reshape(len(states), -1) @ weight + bias, np.float32)


def quantize_rows(vectors: Matrix) -> npt.NDArray[np.int8]:
    """Vectors (n, 128) in eight bits, each to its own scale: only their directions are used."""
    most = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0.0), 1e-9)
    return np.asarray(np.rint(vectors / most * 127), np.int8)


@cache
def projection_version() -> str:
    """What the vectors of tokens were made with; those made with another projection cannot be read."""
    return hashlib.blake2b(PROJECTION.read_bytes(), digest_size=6).hexdigest()


@cache
def _projection() -> tuple[Matrix, Matrix]:
    with np.load(PROJECTION) as found:
        return found["weight"].astype(np.float32), found["bias"].astype(np.float32)


def _cut(line: Line) -> list[Line]:
    """A sentence, or the pieces of one that is too long to be quoted, cut behind a comma where there is one."""
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", line.text)]
    if len(words) <= MAX_WORDS:
        return [line]
    pieces, first = [], 0
    while len(words) - first > MAX_WORDS:
        places = range(first + _LEAST, min(first + MAX_WORDS, len(words) - _LEAST))
        middle = first + min(MAX_WORDS, len(words) - first) / 2
        cut = max(places, key=lambda at: (line.text[words[at - 1][1] - 1] in ",;:–—", -abs(at - middle)))
        pieces.append((first, cut))
        first = cut
    pieces.append((first, len(words)))
    seconds, size = line.end - line.start, max(len(line.text), 1)
    found = []
    for number, (begin, end) in enumerate(pieces):
        left, right = words[begin][0], words[end - 1][1]
        found.append(Line(
            round(line.start + seconds * left / size, 3), round(line.start + seconds * right / size, 3),
            line.text[left:right], line.speaker, line.turn_start and not number,
        ))  # fmt: skip
    return found
