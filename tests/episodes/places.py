# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries of either engine for what is killed in the middle of its work: a folder, and on a server a database."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from episodes.store.copying import COLUMNS
from tests import postgres
from ui.settings import Settings
from ui.storage import Storage, migrate_tables

_OF_THE_WORK = {"jobs", "step_speeds"}
_OF_THE_INDEX = ("episodes", "scripts", "passages", "texts", "words")


class Places:
    """Where libraries are made: under a folder, and on a ``server`` when one is given."""

    def __init__(self, top: Path, server: postgres.Server | None = None) -> None:
        self._top, self._server = top, server
        self._made: set[str] = set()
        if server is not None and not self._sql("SELECT FROM pg_database WHERE datname = 'blank'"):
            self._sql("CREATE DATABASE blank")  # so that a new one costs no more than a copy
            migrate_tables(Settings(database=server.url_of("blank")))
            blank = self._at("blank")
            with closing(Storage(blank)) as storage:
                storage.index()
            shutil.rmtree(blank.data_dir)

    @classmethod
    @contextmanager
    def on(cls, engine: str, top: Path) -> "Iterator[Places]":
        """Of an engine, ``sqlite`` or ``postgres``: on a server that runs until the block ends."""
        if engine == "sqlite":
            yield cls(top)
            return
        with postgres.running() as server, cls.of(server, top) as places:
            yield places

    @classmethod
    @contextmanager
    def of(cls, server: postgres.Server, top: Path) -> "Iterator[Places]":
        """On a server that others use after the block: nothing is left there but what makes the next ones quick."""
        places = cls(top, server)
        try:
            yield places
        finally:
            for name in places._made:
                places._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def empty(self, name: str) -> Settings:
        """A library with nothing in it."""
        if self._server is not None:
            self._sql(f"CREATE DATABASE {name} TEMPLATE blank")
            self._made.add(name)
        return self._at(name)

    def copy(self, place: Settings, name: str) -> Settings:
        """A library with all that is in another one, which nobody uses meanwhile."""
        shutil.copytree(place.data_dir, self._top / name)
        if self._server is not None:
            self._sql(f"CREATE DATABASE {name} TEMPLATE {place.data_dir.name}")
            self._made.add(name)
        return self._at(name)

    def forget(self, place: Settings) -> None:
        """Remove a library."""
        shutil.rmtree(place.data_dir)
        if self._server is not None:
            self._sql(f"DROP DATABASE {place.data_dir.name} WITH (FORCE)")
            self._made.discard(place.data_dir.name)

    def _at(self, name: str) -> Settings:
        return Settings(data_dir=self._top / name, database=self._server.url_of(name) if self._server else "")

    def _sql(self, statement: str) -> bool:
        """Run it; true when it finds a row."""
        assert self._server is not None
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            return connection.execute(statement.encode()).rowcount > 0


def stored(place: Settings) -> dict[str, Any]:
    """All that a library holds: its rows, its audio and its index, without what tells of the work itself."""
    found: dict[str, Any] = {}
    with closing(Storage(place)) as storage:
        database = storage.library.database
        for table in COLUMNS.keys() - _OF_THE_WORK:
            columns = ", ".join(column for column in COLUMNS[table] if column != "changed")  # it is never used twice
            rows = map(repr, database.execute(f"SELECT {columns} FROM {table}").fetchall())
            found[table] = sorted(row.replace(str(place.data_dir), "") for row in rows)  # a file that was copied there
    index = _rows_of_server(place.database) if place.database else _rows_of_file(place.data_dir / "index" / "index.db")
    for file in sorted(place.data_dir.rglob("*")):
        if file.is_file() and file.parent.name in ("audio", "fetched"):
            found[str(file.relative_to(place.data_dir))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found | {f"index: {table}": rows for table, rows in index.items()}


def check(place: Settings) -> None:
    """Fail when SQLite's files are damaged; a server looks after its own."""
    for name in () if place.database else ("library.db", "index/index.db"):
        with closing(sqlite3.connect(place.data_dir / name)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), name


def _rows_of_file(file: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        found = {}
        for table in tables - {"meta", "gone"}:
            if not table.startswith("texts_"):  # a full-text table's own, in an own order
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                chosen = ", ".join(f'"{one}"' for one in columns if one not in ("first", "texts", "version"))
                found[table] = sorted(map(repr, database.execute(f"SELECT {chosen} FROM {table}")))
        return found


def _rows_of_server(url: str) -> dict[str, list[str]]:
    with psycopg.connect(url) as connection:
        return {
            table: sorted(
                row[0] for row in connection.execute(
                    f"SELECT (to_jsonb(own) - 'serial')::text FROM index_packaged_{table} AS own".encode()
                )
            )
            for table in _OF_THE_INDEX
        }  # fmt: skip
