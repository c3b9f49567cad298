# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SQLite file that belongs to people and not to the library: how it is opened, and written to."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from voice.errors import LibraryError


class PeopleFile:
    """A file with the tables of ``schema``, which are made where they are missing. Safe to use from several threads
    and processes. What cannot be done raises LibraryError with ``advice``: what is lost without the file."""

    def __init__(self, file: Path, schema: str, advice: str) -> None:
        self._file, self._advice = file, advice
        self._lock = threading.Lock()
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(schema)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as db:
                yield db
        except sqlite3.Error as error:
            raise LibraryError(f"{self._file} could not be used ({error}).", self._advice) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The same in one transaction, which is dropped when the block raises."""
        with self._lock, self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
