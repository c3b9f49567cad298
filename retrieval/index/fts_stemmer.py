# SPDX-License-Identifier: GPL-3.0-or-later
"""The stems of a text as SQLite's full-text index files them: for a question, and for an index that lies elsewhere, the
same by construction."""

import sqlite3
import threading
from functools import lru_cache

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""How texts become stems, in both engines."""


class FtsStemmer:
    """Texts to stems. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute(f"CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='{TOKENIZER}', detail=none)")
        self._db.execute("CREATE VIRTUAL TABLE probed USING fts5vocab(probe, row)")
        self.stem = lru_cache(20_000)(self._stem)

    def stems(self, text: str) -> list[str]:
        """The different stems of a text."""
        with self._lock:
            self._db.execute("INSERT INTO probe (rowid, text) VALUES (1, ?)", (text,))
            found = [term for (term,) in self._db.execute("SELECT term FROM probed")]
            self._db.execute("DELETE FROM probe")
        return found

    def _stem(self, word: str) -> str:
        """The stem of a word; the word itself when it has none."""
        return next(iter(self.stems(word)), word)
