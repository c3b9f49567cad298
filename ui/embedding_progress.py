# SPDX-License-Identifier: GPL-3.0-or-later
"""Embedding in pieces, so that whoever takes an episode in is told how far it is, and can break it off."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from retrieval.index.embedding import Matrix

_PIECE = 128  # texts between two signs of progress: a second or two on a small computer


class ProgressEncoder:
    """An ``encode`` that tells, in the thread in which somebody listens, which share of the texts is embedded."""

    def __init__(self, encode: Callable[[Sequence[str]], Matrix]) -> None:
        self._encode = encode
        self._local = threading.local()

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Unit vectors of the texts, in their order; raises what the listener raises."""
        tell = getattr(self._local, "tell", None)
        if tell is None or len(texts) <= _PIECE:
            return self._encode(texts)
        rows = []
        for at in range(0, len(texts), _PIECE):
            tell(at / len(texts))
            rows.append(self._encode(texts[at : at + _PIECE]))
        return np.concatenate(rows)

    @contextmanager
    def to(self, tell: Callable[[float], None]) -> Iterator[None]:
        """While inside, ``tell`` hears of what this thread embeds: the share (0..1) that is done."""
        self._local.tell = tell
        try:
            yield
        finally:
            self._local.tell = None
