# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on a PostgreSQL server: a pool of connections, and the server's errors in our words."""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from time import monotonic, time
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import errors as codes
from psycopg_pool import ConnectionPool, PoolTimeout

from episodes.store.postgres_tables import MIGRATIONS
from voice.errors import EarmarkError, LibraryError, NoSpace, UnknownEpisode

_PATIENCE = 10.0  # seconds to wait for a connection: so long may a server take to start again
_OLDEST, _FEW = 160000, 100  # PostgreSQL's version, and connections
_CONNECTIONS = 16  # of one process, at most
_LISTENING = 1.0  # seconds that one waits for news before a look
_LOOK = 0.5  # seconds after which who listens looks whether that is still wanted
_CLOCK = 60.0  # seconds after which the server's clock is looked at again
_CHANNEL = "earmark_jobs"
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('earmark ' || current_schema()))"

PostgresConnection = psycopg.Connection[tuple[Any, ...]]


class _Found:
    """The rows of a statement, all of them here: its connection may be another thread's already."""

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows, self.rowcount = iter(rows), rowcount

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class PostgresDatabase:
    """A database of a PostgreSQL server. Safe to use from several threads and processes at once."""

    each = "SELECT json_array_elements_text(?::json)"
    skipping = " FOR UPDATE OF jobs SKIP LOCKED"
    one_machine = False

    def __init__(self, url: str) -> None:
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # who asks is told, and once
        self._name = shown(url)
        self._url = url
        self._local = threading.local()
        self._lock = threading.Lock()
        self._news, self._told, self._closing = threading.Condition(), 0, threading.Event()
        self._listening: threading.Thread | None = None
        self._clock = (0.0, 0.0)  # the server's clock less ours, and when that was asked (monotonic)
        self._pool = ConnectionPool(
            url, min_size=1, max_size=_CONNECTIONS, timeout=_PATIENCE, open=False, connection_class=psycopg.Connection,
            kwargs={"autocommit": True, "connect_timeout": 10}, check=ConnectionPool.check_connection,
            reconnect_timeout=_PATIENCE,
        )  # fmt: skip

    @classmethod
    def open(cls, url: str) -> "PostgresDatabase":
        """Connect to a server whose tables are those of this version. Raises LibraryError when they are not, or when
        it does not answer."""
        database = cls(url)
        try:
            version = database.version()
            if version != len(MIGRATIONS):
                newer = "a newer" if version > len(MIGRATIONS) else "no" if not version else "an older"
                raise LibraryError(
                    f"{database._name} has the tables of {newer} version of Earmark.",
                    "Update Earmark." if version > len(MIGRATIONS) else "Run 'earmark migrate'.",
                )
        except BaseException:
            database.close()
            raise
        return database

    def version(self) -> int:
        """How many of the steps of its tables the database has seen."""
        self._connect()
        with self.errors():
            if self.execute("SELECT to_regclass('migrations')").fetchone()[0] is None:
                return 0
            return int(self.execute("SELECT max(version) FROM migrations").fetchone()[0] or 0)

    def migrate(self) -> int:
        """Bring the tables to this version, each step as a whole; returns how many steps were taken."""
        taken = 0
        while (version := self.version()) < len(MIGRATIONS):
            with self.transaction():
                if self.version() == version:  # else another one did it meanwhile
                    for step in MIGRATIONS[version]:
                        if isinstance(step, str):
                            self.execute(step)
                        else:
                            step(self)
                    self.execute("INSERT INTO migrations VALUES (?)", (version + 1,))
                    taken += 1
        return taken

    def examined(self) -> Iterator[tuple[str, str, str]]:
        """What is worth knowing of the server: subject, state, and advice where there is any."""
        steps = self.version()
        with self.errors():
            told = self.execute(
                "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
                " current_setting('max_connections')::int, current_setting('shared_buffers'),"
                " current_setting('maintenance_work_mem'), pg_size_pretty(pg_database_size(current_database()))"
            ).fetchone()
            there = dict(self.execute("SELECT extname, extversion FROM pg_extension").fetchall())
            broken = self.execute(
                "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
                " JOIN pg_namespace AS space ON space.oid = relnamespace"
                " WHERE NOT indisvalid AND nspname = current_schema()"
            ).fetchall()
        name, number, connections, buffers, maintenance, size = told
        old = "" if number >= _OLDEST else "Use PostgreSQL 16 or newer."
        behind = "" if steps == len(MIGRATIONS) else "Run 'earmark migrate'."
        yield "database", f"{self._name}: PostgreSQL {name}, {size}", old
        yield "tables", f"version {steps} of {len(MIGRATIONS)}", behind
        for extension in ("vector", "pg_trgm"):
            lacks = "" if extension in there else f"Install it on the server, then: CREATE EXTENSION {extension}"
            yield "extension", f"{extension} {there.get(extension, 'is missing')}", lacks
        few = ""
        if connections < _FEW:
            few = f"Set max_connections to {_FEW} or more: each process takes up to {_CONNECTIONS}."
        yield "settings", f"max_connections {connections}, shared_buffers {buffers}, " \
                          f"maintenance_work_mem {maintenance}", few  # fmt: skip
        for (index,) in broken:
            yield "index", f"{index} is not built", f"On the server: REINDEX INDEX {index}"

    def close(self) -> None:
        """Close all connections; the database is not to be used afterwards."""
        self._closing.set()
        self._pool.close(timeout=1)
        if self._listening is not None:
            self._listening.join(2 * _LOOK)

    @contextmanager
    def connection(self) -> Iterator[PostgresConnection]:
        """A connection that nobody else uses meanwhile: that of the thread's transaction, or one of the pool."""
        connection: PostgresConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            yield connection
            return
        self._connect()
        with self._pool.connection() as connection:
            yield connection

    def execute(self, statement: str, values: Sequence[object] = ()) -> _Found:
        """Run one statement; use it inside ``errors`` or ``transaction``."""
        with self.connection() as connection:
            cursor = connection.execute(_dialect(statement), _adapted(values))
            return _Found(cursor.fetchall() if cursor.description else [], cursor.rowcount)

    def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of values, in few round trips."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(_dialect(statement), map(_adapted, rows))

    @contextmanager
    def transaction(self, alone: bool = True) -> "Iterator[PostgresDatabase]":
        """What is written inside happens as a whole or not at all; when ``alone``, no other transaction that is alone
        writes meanwhile."""
        if getattr(self._local, "connection", None) is not None:
            yield self
            return
        with self.errors(), self.connection() as connection, connection.transaction():
            self._local.connection = connection
            try:
                if alone:
                    connection.execute(_ALONE)
                yield self
            finally:
                self._local.connection = None

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Translate the server's errors into ours."""
        try:
            yield
        except (psycopg.Error, PoolTimeout) as error:
            raise self._translated(error) from error

    def holding(self, words: Sequence[str], newest: int = -1) -> tuple[str, list[object]]:
        """See ``Database``: an index of trigrams finds them."""
        like = " AND ".join("words LIKE ?" for _ in words)
        return f"({like})", [f"% {_escaped(word)}%" for word in words]

    def counting(self, words: Sequence[str], most: int) -> tuple[str, list[object]]:
        """See ``Database``."""
        condition, values = self.holding(words)
        some = f"SELECT 1 FROM episodes WHERE {condition} LIMIT ?"  # noqa: S608 (own names)
        return f"SELECT count(*) FROM ({some}) AS found", [*values, most]  # noqa: S608 (own names)

    def now(self) -> float:
        """The server's clock: those of the machines may differ."""
        away, asked = self._clock
        if not asked or monotonic() - asked > _CLOCK:
            with self.errors():
                (told,) = self.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            away, asked = told - time(), monotonic()
            self._clock = (away, asked)
        return time() + away

    def wake(self) -> None:
        """Notify those who listen, as the transaction ends."""
        self.execute("SELECT pg_notify(?, current_schema())", (_CHANNEL,))

    def idle(self, stopping: threading.Event, seconds: float) -> None:
        """Wait until a worker is told of work, or for a little longer than ``seconds``: what becomes due tells
        nobody."""
        with self._news:
            if self._listening is None:
                self._listening = threading.Thread(target=self._listen, name="earmark-news", daemon=True)
                self._listening.start()
            until, seen = monotonic() + _LISTENING, getattr(self._local, "seen", self._told)
            while self._told == seen and not stopping.is_set() and monotonic() < until:
                self._news.wait(min(seconds, 0.1))
            self._local.seen = self._told

    def _listen(self) -> None:
        """Hear of news until the database is closed; while the server is away, look again and again."""
        while not self._closing.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as listener:
                    listener.execute(f"LISTEN {_CHANNEL}".encode())
                    self._tell()  # what was put meanwhile
                    while not self._closing.is_set():
                        for _ in listener.notifies(timeout=_LOOK, stop_after=1):
                            self._tell()
            except psycopg.Error:
                self._closing.wait(_LISTENING)

    def _tell(self) -> None:
        with self._news:
            self._told += 1
            self._news.notify_all()

    def _connect(self) -> None:
        if self._pool.closed:
            with self._lock, self.errors():
                if self._pool.closed:
                    psycopg.connect(self._url, connect_timeout=10).close()  # at once, and with its reason
                    self._pool.open()

    def _translated(self, error: Exception) -> EarmarkError:
        told = str(error).strip().partition("\n")[0]
        match error:
            case codes.DiskFull() | codes.OutOfMemory():
                return NoSpace(f"{self._name} is full ({told}).", "Give the server more room, then try again.")
            case codes.ForeignKeyViolation():
                return UnknownEpisode("The episode was removed meanwhile.", "List the episodes to see what is there.")
            case codes.UndefinedTable() | codes.UndefinedColumn():
                return LibraryError(f"{self._name} lacks tables ({told}).", "Run 'earmark migrate'.")
            case codes.UndefinedFile() | codes.FeatureNotSupported() if "extension" in told:
                return LibraryError(f"{self._name} lacks an extension ({told}).",
                                    "Install pgvector and PostgreSQL's contrib modules on the server.")  # fmt: skip
            case psycopg.OperationalError() | PoolTimeout():
                return LibraryError(f"{self._name} does not answer ({told}).",
                                    "Check that the server runs, and the setting 'database'.")  # fmt: skip
        return LibraryError(f"{self._name} could not be used ({told}).", "'earmark doctor' looks at it.")


def shown(url: str) -> str:
    """A server's address without its password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"The database {parts.path.strip('/') or 'postgres'} on {parts.hostname or 'this machine'}{port}"


def _dialect(statement: str) -> bytes:
    """A statement as psycopg takes it; none of ours holds a question mark of its own."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


def _adapted(values: Sequence[object]) -> list[object]:
    return [value.value if isinstance(value, Enum) else value for value in values]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
