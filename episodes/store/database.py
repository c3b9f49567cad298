# SPDX-License-Identifier: GPL-3.0-or-later
"""What the store needs of a database, so that the same queries run on a file at home and on a server.

Statements are in the SQL that SQLite and PostgreSQL share, with ``?`` for values; where they differ, a database says
how. A transaction is alone: no other one writes meanwhile, unless it is said to need no more than the rows it changes.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, None behind the last."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left, one by one."""


class Database(Protocol):
    """A database with the library's tables. Safe to use from several threads and processes at once."""

    each: str
    """A query for the elements of a JSON list."""
    skipping: str
    """What is added to a query for jobs so that those another one is just taking are left out."""
    one_machine: bool
    """Whether all who use it are on one machine, so that a process that is gone is known to be."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> Rows:
        """Run one statement; use it inside ``errors`` or ``transaction``."""

    def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> object:
        """Run one statement for each row of values."""

    def transaction(self, alone: bool = True) -> "AbstractContextManager[Database]":
        """What is written inside happens as a whole or not at all. Keep it short: others wait."""

    def errors(self) -> AbstractContextManager[None]:
        """Translates the database's errors into ours."""

    def holding(self, words: Sequence[str], newest: int = -1) -> tuple[str, list[object]]:
        """The condition for episodes (for so many of the newest) with words that begin with all of these, and its
        values."""

    def counting(self, words: Sequence[str], most: int) -> tuple[str, list[object]]:
        """The query for how many those are, at most so many, and its values."""

    def now(self) -> float:
        """Seconds since 1970 by the clock that leases are measured with."""

    def wake(self) -> None:
        """Tell workers, as the transaction ends, that there may be work."""

    def idle(self, stopping: threading.Event, seconds: float) -> None:
        """Wait until there may be work: some ``seconds``, or until somebody tells of it, or ``stopping`` is set."""

    def close(self) -> None:
        """Close all connections; the database is not to be used afterwards."""
