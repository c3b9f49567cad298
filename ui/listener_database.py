# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that belong to people and not to the library: in a small SQLite file, or with the library on a server."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from voice.errors import LibraryError

if TYPE_CHECKING:
    from episodes.store.database import Database


class Statements(Protocol):
    """What takes statements in the SQL that SQLite and PostgreSQL share, with ``?`` for values."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any:
        """Run one; see ``episodes.store.database.Rows`` for what it gives."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Run one for each row of values."""


class ListenerDatabase:
    """A file with the tables of ``schema``, which are made where they are missing, or a ``server`` in its place. Safe
    to use from several threads and processes. What cannot be done raises LibraryError, with ``advice`` for the file:
    what is lost without it."""

    _tables: tuple[str, ...] = ()

    def __init__(self, file: Path, schema: str, advice: str, server: "Database | None" = None) -> None:
        self._file, self._advice, self._server = file, advice, server
        self._lock = threading.Lock()
        if server is None:
            with self._connected() as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(schema)

    @contextmanager
    def _open(self) -> Iterator[Statements]:
        if self._server is not None:
            with self._server.errors():
                yield self._server
        else:
            with self._connected() as db:
                yield db

    @contextmanager
    def _writing(self) -> Iterator[Statements]:
        """The same in one transaction, which is dropped when the block raises."""
        if self._server is not None:
            with self._server.transaction() as db:
                yield db
        else:
            with self._lock, self._connected() as db:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as db:
                yield db
        except sqlite3.Error as error:
            raise LibraryError(f"{self._file} could not be used ({error}).", self._advice) from error

    def copy_to(self, other: "ListenerDatabase") -> None:
        """Copy all rows of the tables to another place that has them, where nothing is overwritten."""
        with self._open() as mine, other._writing() as theirs:
            for table in self._tables:
                rows = mine.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 (own names)
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    theirs.executemany(
                        f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", rows  # noqa: S608 (own names)
                    )
