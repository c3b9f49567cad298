# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedder with a memory on disk: embedding a hundred hours of talk takes minutes, and benchmarks run often."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from retrieval.index.embedding import DIMENSION, Embedder, Matrix
from retrieval.index.minilm import MiniLM

FOLDER = Path(gettempdir()) / "earmark-benchmarks"
"""Where vectors are kept between runs; may be removed at any time."""


def _load() -> Embedder:
    """The embedder on all cores: nobody is talking meanwhile."""
    return Embedder.load(threads=os.cpu_count() or 1)


class Remembering(Embedder):
    """Encodes each text once in its life; the model loads only when a text is new. For one thread."""

    def __init__(self, folder: Path = FOLDER, load: Callable[[], Embedder] = _load) -> None:
        unloaded = MiniLM(None, None)  # for its name; the one that encodes is loaded when a text is new
        super().__init__(unloaded, unloaded)
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / f"{self.name}.db", timeout=60, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        self._load = load
        self._embedder: Embedder | None = None

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Unit rows (n, 384) float32, as the embedder makes them."""
        keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
        known: dict[bytes, bytes] = {}
        for first in range(0, len(keys), 500):
            some = keys[first : first + 500]
            marks = ",".join("?" * len(some))
            known.update(self._db.execute(f"SELECT text, vector FROM vectors WHERE text IN ({marks})", some))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            self._embedder = self._embedder or self._load()
            rows = self._embedder.encode([*missing.values()])
            made = {key: row.tobytes() for key, row in zip(missing, rows, strict=True)}
            self.keep(made)
            known |= made
        found = np.frombuffer(b"".join(known[key] for key in keys), np.float32)
        return found.reshape(-1, DIMENSION).copy()

    def encode_question(self, text: str) -> Matrix:
        """The unit vector (384,) of one short text."""
        row: Matrix = self.encode([text])[0]
        return row

    def keep(self, vectors: dict[bytes, bytes]) -> None:
        """Remember vectors by the digest of their text."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", vectors.items())
        self._db.execute("COMMIT")
