# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's SQLite file: a connection for each thread, short transactions, and SQLite's errors in our words."""

import os
import shutil
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time

from episodes.store.migrations import NewerLibrary, migrate_sqlite
from voice.errors import EarmarkError, LibraryError, NoSpace, UnknownEpisode

_BUSY = 30.0  # seconds to wait for another process that writes
_CRAMPED = 200_000  # bytes of free disk under which an I/O error of SQLite means "full"


class _Connection(sqlite3.Connection):
    """SQLite's connection, but one that can be referred to weakly: a thread that ends takes its own with it."""


class SqliteDatabase:
    """One SQLite file, brought to the newest version. Safe to use from several threads and processes at once."""

    each = "SELECT value FROM json_each(?)"
    skipping = ""
    one_machine = True

    @staticmethod
    def holding(words: Sequence[str], newest: int = -1) -> tuple[str, list[object]]:
        """See ``Database``: the index of words finds them."""
        found = "SELECT rowid FROM episode_words WHERE episode_words MATCH ? ORDER BY rowid DESC LIMIT ?"
        return f"number IN ({found})", [_begun(words), newest]

    @staticmethod
    def counting(words: Sequence[str], most: int) -> tuple[str, list[object]]:
        """See ``Database``."""
        found = "SELECT 1 FROM episode_words WHERE episode_words MATCH ? LIMIT ?"
        return f"SELECT count(*) FROM ({found}) AS found", [_begun(words), most]  # noqa: S608 (own names)

    def __init__(self, file: Path) -> None:
        self.file = file
        self._local = threading.local()
        self._connections: weakref.WeakSet[sqlite3.Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._read_only = False
        with self.errors():
            try:
                migrate_sqlite(self.connection)
            except sqlite3.OperationalError:
                if not self._lies_still():
                    raise
                self._read_only, self._local = True, threading.local()
                migrate_sqlite(self.connection)

    def _lies_still(self) -> bool:
        """Whether nobody can write the file or beside it, and all of it is in the one file: it can be read as it is."""
        ahead = self.file.with_name(f"{self.file.name}-wal")
        rest = ahead.stat().st_size if ahead.exists() else 0
        return self.file.is_file() and not os.access(self.file.parent, os.W_OK) and not rest

    def close(self) -> None:
        """Close every thread's connection; the database is not to be used afterwards."""
        with self._lock:
            for connection in list(self._connections):
                connection.close()
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's own connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            place = f"{self.file.absolute().as_uri()}?immutable=1" if self._read_only else str(self.file)
            connection = sqlite3.connect(
                place, timeout=_BUSY, isolation_level=None, check_same_thread=False, factory=_Connection,
                uri=self._read_only,
            )  # fmt: skip
            connection.execute("PRAGMA foreign_keys = ON")
            if not self._read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            with self._lock:
                self._connections.add(connection)
            self._local.connection = connection
        return connection

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement on this thread's connection; use it inside ``errors`` or ``transaction``."""
        return self.connection.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> sqlite3.Cursor:
        """Run one statement for each row of values, on this thread's connection."""
        return self.connection.executemany(statement, rows)

    def now(self) -> float:
        """This machine's clock."""
        return time()

    def wake(self) -> None:
        """Nobody listens: who waits looks often."""

    def idle(self, stopping: threading.Event, seconds: float) -> None:
        """Wait some seconds, or until ``stopping`` is set."""
        stopping.wait(seconds)

    @contextmanager
    def transaction(self, alone: bool = True) -> "Iterator[SqliteDatabase]":
        """What is written inside happens as a whole or not at all. Keep it short: other processes wait."""
        if getattr(self._local, "inside", False):
            yield self
            return
        with self.errors():
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            self._local.inside = True
            try:
                yield self
                connection.execute("COMMIT")
            finally:
                self._local.inside = False
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Translate SQLite's errors into ours."""
        try:
            yield
        except NewerLibrary:
            raise LibraryError(f"{self.file} was made by a newer version of Earmark.",
                               "Update Earmark, or use another data folder.") from None
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: sqlite3.Error) -> EarmarkError:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and _free(self.file.parent) < _CRAMPED):
            return NoSpace(f"The disk is full: the library in {self.file.parent} could not be changed.",
                           "Free some space, then run the same command again.")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "no such table" in str(error):
            return LibraryError(f"{self.file} is damaged ({error}).",
                                "Move it away (or put a backup in its place), then add the episodes again.")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return LibraryError(f"{self.file} is in use by another process.", "Try again when that has finished.")
        if name.startswith("SQLITE_CONSTRAINT_FOREIGNKEY"):
            return UnknownEpisode("The episode was removed meanwhile.", "List the episodes to see what is there.")
        return LibraryError(f"{self.file} could not be used ({error}).",
                            "Check that the folder exists and is writable.")


def _begun(words: Sequence[str]) -> str:
    """A query of FTS5 for words that begin so; they are letters and digits, so nothing in them has to be escaped."""
    return " ".join(f'"{word}"*' for word in words)


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 1 << 62
