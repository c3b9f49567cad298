# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader: looks at a question and what was said together, and tells where the answer is.

A small network over the stored vectors of tokens. Late interaction (ColBERT's best match of each word of the
question, here within a few seconds of talk) is where it starts from; two layers of attention, from what was said to
the question and to what stands around it, learn the rest. It points: each token gets a number, and the softmax
over all that was read is where the answer lies. ``tests.benchmarks.train_reader`` makes the weights; NOTICE-reader.md
beside them says from what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.index.embedding import Matrix

READER_WEIGHTS = Path(__file__).with_name("reader.npz")

Flags = npt.NDArray[np.bool_]

REACH = 15
"""Tokens on either side within which the words of a question are looked for together."""

_COMMON = 1000.0  # tokens are numbered by how common they are: from here on rarity counts
_RAREST = 3.4  # logarithm of how much rarer the rarest is


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """A question as the reader takes it: ``vectors`` (m, 128) of its tokens, which of them are ``telling`` (m,),
    not only function words, and the ``ids`` of those."""

    vectors: Matrix
    telling: Flags
    ids: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class ChunkBatch:
    """Chunks of talk side by side, padded: ``vectors`` (n, length, 128), ``there`` (n, length) where a token is,
    ``ids`` of the tokens, ``asks`` where the sentence is a question, ``digit`` where it is a number."""

    vectors: Matrix
    there: Flags
    ids: npt.NDArray[np.uint16]
    asks: Flags
    digit: Flags


@dataclass(frozen=True, slots=True)
class ReaderOutput:
    """Of each token (n, length): ``logits`` that the answer is there, ``match`` how well the words around it
    match the question's, in -1..1. ``near`` (n, length, m) are the cosines with the question's tokens, and
    ``weights`` (m,) how much each of these counts. ``none`` is the logit that there is no answer."""

    logits: Matrix
    match: Matrix
    near: Matrix
    weights: Matrix
    none: float


class Reader:
    """Points to answers. Immutable, so several threads may read at once."""

    def __init__(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        tables = {"function", "digits"}
        self._w = {name: np.asarray(value, np.float32) for name, value in weights.items() if name not in tables}
        self.function = np.asarray(weights["function"], np.uint16)
        """Tokens that only hold a sentence together."""
        self.digits = np.asarray(weights["digits"], np.uint16)
        """Tokens that are numbers."""
        self._layers = sum(name.endswith(".f1.weight") for name in self._w)
        self._heads = 4

    @classmethod
    def load(cls, path: Path = READER_WEIGHTS) -> "Reader":
        """The reader with these weights."""
        with np.load(path) as found:
            return cls(dict(found))

    def __call__(self, chunks: ChunkBatch, asked: EncodedQuestion) -> ReaderOutput:
        """Read some chunks for an answer."""
        x, y = chunks.vectors, asked.vectors
        weights = self._softmax((self._norm(y, "ny") @ self._w["wq.weight"].T + self._w["wq.bias"])[:, 0])
        near = unit_rows(x) @ unit_rows(y).T
        near[~chunks.there] = -1
        match, own, most = _widest(near) @ weights, np.maximum(near, 0) @ weights, near.max(axis=2)
        logits = self._w["gamma"] * match
        if self._layers:
            same = np.isin(chunks.ids, asked.ids)
            rare = np.log(np.maximum(chunks.ids, _COMMON) / _COMMON) / _RAREST
            features = np.stack(
                [same, same * rare, chunks.asks, chunks.digit, 5 * match, 2 * most, 5 * own], axis=-1
            ).astype(np.float32)
            hidden = self._norm(x, "nx") + self._linear(features, "feat")
            question = self._norm(y, "ny")
            for number in range(self._layers):
                hidden = self._block(hidden, chunks.there, question, f"blocks.{number}.")
            logits = logits + self._linear(self._norm(hidden, "no"), "out")[..., 0]
        none = float((self._linear(self._norm(y, "ny"), "null")).mean()) if "null.weight" in self._w else 0.0
        return ReaderOutput(np.where(chunks.there, logits, np.float32(-1e4)), match, near, weights, none)

    def _block(self, x: Matrix, there: Flags, y: Matrix, name: str) -> Matrix:
        n = x.shape[0]
        query = self._split(self._linear(self._norm(x, f"{name}n1"), f"{name}cq"))
        key, value = (self._split(self._linear(y, f"{name}{part}")[None]) for part in ("ck", "cv"))
        found = self._softmax(query @ key.swapaxes(-1, -2) / np.sqrt(np.float32(query.shape[-1]))) @ value
        x = x + self._linear(self._join(found), f"{name}co")
        three = self._linear(self._norm(x, f"{name}n2"), f"{name}sqkv")
        query, key, value = (self._split(part) for part in np.split(three, 3, axis=-1))
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(np.float32(query.shape[-1]))
        scores += np.where(there, np.float32(0), np.float32(-1e4))[:, None, None, :]
        x = x + self._linear(self._join(self._softmax(scores) @ value), f"{name}so")
        inner = np.maximum(self._linear(self._norm(x, f"{name}n3"), f"{name}f1"), 0)
        return np.asarray((x + self._linear(inner, f"{name}f2")).reshape(n, -1, x.shape[-1]))

    def _linear(self, x: Matrix, name: str) -> Matrix:
        weight = self._w[f"{name}.weight"]
        flat = x.reshape(-1, x.shape[-1]) @ weight.T + self._w[f"{name}.bias"]  # one product is faster than a batch
        return np.asarray(flat.reshape(*x.shape[:-1], len(weight)))

    def _norm(self, x: Matrix, name: str) -> Matrix:
        away = x - x.mean(axis=-1, keepdims=True)
        away /= np.sqrt(np.einsum("...i,...i->...", away, away)[..., None] / x.shape[-1] + 1e-5)
        return np.asarray(away * self._w[f"{name}.weight"] + self._w[f"{name}.bias"])

    def _split(self, x: Matrix) -> Matrix:
        return x.reshape(*x.shape[:-1], self._heads, -1).swapaxes(-2, -3)

    def _join(self, x: Matrix) -> Matrix:
        joined = x.swapaxes(-2, -3)
        return joined.reshape(*joined.shape[:-2], -1)

    @staticmethod
    def _softmax(x: Matrix) -> Matrix:
        away = np.exp(x - x.max(axis=-1, keepdims=True))
        return np.asarray(away / away.sum(axis=-1, keepdims=True))


def unit_rows(x: Matrix) -> Matrix:
    """Vectors (..., n) at length one."""
    return np.asarray(x / np.maximum(np.sqrt(np.einsum("...i,...i->...", x, x)), 1e-6)[..., None])


def _widest(near: Matrix) -> Matrix:
    """For each token the highest value within ``REACH`` on either side, along the second axis."""
    n, length, width = near.shape
    padded = np.full((n, length + 2 * REACH, width), -1, np.float32)
    padded[:, REACH : REACH + length] = near
    span = 1
    while 2 * span <= 2 * REACH + 1:  # doubling: maxima of 2, 4, 8, 16 in a row
        padded[:, : padded.shape[1] - span] = np.maximum(padded[:, :-span], padded[:, span:])
        span *= 2
    rest = 2 * REACH + 1 - span
    return np.maximum(padded[:, :length], padded[:, rest : rest + length])


@cache
def shipped_reader() -> Reader:
    """The reader that comes with the program."""
    return Reader.load()
