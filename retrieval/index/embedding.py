# SPDX-License-Identifier: GPL-3.0-or-later
"""Meaning as numbers: texts as vectors, and tokens as the model sees them in their context."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Matrix]
"""Makes unit rows of texts, as ``Embedder.encode`` does."""
Cached = TypeVar("Cached")

DIMENSION = 384
"""Length of a vector."""

LAYERS = (2, 4, 6)
"""Layers of the model whose outputs are kept for each token: the lower ones know the word, the last its sense."""

MAX_TOKENS = 256
"""Tokens of a text; what is longer is cut there."""

_BATCH = 32  # texts encoded at a time; between two batches a question may slip in
_KEPT = 512  # questions whose vectors are remembered


@dataclass(frozen=True, slots=True)
class TokenStates:
    """The tokens of a text, without the marks at its ends.

    ``ids`` (n,) in the vocabulary, ``spans`` (n, 2) the first character and the end of each, ``states``
    (n, len(LAYERS), 384) what the layers make of it in its context.
    """

    ids: npt.NDArray[np.uint16]
    spans: npt.NDArray[np.int32]
    states: Matrix


class SentenceEncoder(Protocol):
    """A model that makes a vector of a text. Safe to use from several threads."""

    name: str
    dimension: int

    def encode(self, texts: list[str], asked: bool = False) -> Matrix:
        """Unit rows (n, dimension) of one batch; ``asked`` for questions, which some models treat in another way."""
        ...


class TokenEncoder(Protocol):
    """A model that reads tokens in their context. Safe to use from several threads."""

    def token_states(self, texts: list[str]) -> list[TokenStates]:
        """The tokens of each text of one batch."""
        ...


class Embedder:
    """Turns texts into vectors whose inner product says how near they are in meaning, and into tokens that can be
    matched with each other. Safe to use from several threads."""

    def __init__(self, sentences: SentenceEncoder, words: TokenEncoder) -> None:
        self.name, self.dimension = sentences.name, sentences.dimension
        self._sentences, self._words = sentences, words
        self._lock = Lock()
        self._known: OrderedDict[str, Matrix] = OrderedDict()
        self._read: OrderedDict[str, TokenStates] = OrderedDict()

    @classmethod
    def load(cls, memory: Path | None = None, threads: int = 1) -> "Embedder":
        """Load the packaged model (half a second); see ``minilm.MiniLM.load``. Raises EngineError."""
        from retrieval.index.minilm import MiniLM

        model = MiniLM.load(memory=memory, threads=threads)
        return cls(model, model)

    def beside(self, sentences: SentenceEncoder) -> "Embedder":
        """The same tokens, with vectors of another model."""
        return Embedder(sentences, self._words)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Unit rows (n, dimension) float32, one for each text; what is longer than 256 tokens is cut there."""
        rows = np.zeros((len(texts), self.dimension), np.float32)
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # little padding in a batch
        for first in range(0, len(texts), _BATCH):
            numbers = by_length[first : first + _BATCH]
            rows[numbers] = self._sentences.encode([texts[number] for number in numbers])
        return rows

    def encode_question(self, text: str) -> Matrix:
        """The unit vector (dimension,) of one short text that asks; asked again, it costs nothing."""
        known = self._known.get(text)
        if known is None:
            known = self._sentences.encode([text], asked=True)[0]
            known.setflags(write=False)
            self._keep(self._known, text, known)
        return known

    def token_states(self, texts: Sequence[str]) -> list[TokenStates]:
        """The tokens of each text; what is longer than 256 of them is cut there."""
        found: dict[int, TokenStates] = {}
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for first in range(0, len(texts), _BATCH // 2):
            numbers = by_length[first : first + _BATCH // 2]
            found |= zip(numbers, self._words.token_states([texts[number] for number in numbers]), strict=True)
        return [found[number] for number in range(len(texts))]

    def question_tokens(self, text: str) -> TokenStates:
        """The tokens of one short text; asked again, it costs nothing."""
        known = self._read.get(text)
        if known is None:
            (known,) = self._words.token_states([text])
            self._keep(self._read, text, known)
        return known

    def _keep(self, kept: OrderedDict[str, Cached], text: str, made: Cached) -> None:
        with self._lock:
            kept[text] = made
            while len(kept) > _KEPT:
                kept.popitem(last=False)
