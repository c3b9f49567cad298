# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything is kept: the one place that knows which engine the settings name."""

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from episodes.store.files import files_of
from episodes.store.library import Library
from ui.settings import Settings
from voice.errors import SettingsError

if TYPE_CHECKING:  # a command that looks something up may not wait for numpy
    from episodes.store.postgres import PostgresDatabase
    from retrieval.index.index import Index

_SCHEMES = ("postgresql://", "postgres://")
_PACKAGED = "all-MiniLM-L6-v2"


class Storage:
    """A library, its indexes and what listeners keep, in the data folder or on a server. Safe to use from several
    threads."""

    def __init__(self, settings: Settings) -> None:
        """Raises LibraryError when it cannot be used, SettingsError for an address that is none."""
        self._folder = settings.data_dir
        self.server: PostgresDatabase | None = None
        """The server, when the settings name one."""
        if settings.database:
            self.server = _server(settings.database).open(settings.database)
        files = files_of(settings.files, self._folder)
        if self.server is not None:
            self.library = Library.on(self.server, self._folder, files)
        else:
            self.library = Library.open(self._folder, files)

    def index(self, model: str = _PACKAGED, dimension: int = 384, name: str = "") -> "Index":
        """The index of a model, whose vectors have ``dimension`` numbers; each ``name`` ("" is that of the packaged
        model) has one of its own."""
        if self.server is not None:
            from retrieval.index.postgres_index import PostgresIndex

            return PostgresIndex.open(self.server, name or "packaged", model, dimension)
        from retrieval.index.sqlite_index import SqliteIndex

        folder = self._folder / "indexes" / name if name else self._folder / "index"
        return SqliteIndex.open(folder, model, dimension)

    def close(self) -> None:
        """Close the library; neither it nor an index is to be used afterwards."""
        self.library.close()


def open_library(settings: Settings) -> Library:
    """The library alone."""
    return Storage(settings).library


def migrate_tables(settings: Settings) -> int:
    """Bring the tables of the server that the settings name to this version; how many steps that took. A library in
    the data folder is brought up to date as it is opened."""
    if not settings.database:
        open_library(settings).close()
        return 0
    database = _server(settings.database)(settings.database)
    try:
        return database.migrate()
    finally:
        database.close()


def examined(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """What is worth knowing of the server that the settings name: subject, state, and advice where there is any.
    Raises LibraryError when it does not answer."""
    database = _server(settings.database)(settings.database)
    try:
        yield from database.examined()
    finally:
        database.close()


def index_name(model: str) -> str:
    """What the index of a model is called, another name for each."""
    plain = re.sub(r"[^\w.-]+", "-", model)[-60:]
    return f"{plain}-{hashlib.blake2b(model.encode(), digest_size=4).hexdigest()}"


def _server(address: str) -> "type[PostgresDatabase]":
    if not address.startswith(_SCHEMES):
        raise SettingsError("The setting database is no address of a PostgreSQL server.",
                            "Write postgresql://name:password@host/database, or leave it empty.")  # fmt: skip
    try:
        from episodes.store.postgres import PostgresDatabase
    except ImportError as error:
        raise SettingsError(f"A PostgreSQL server needs more packages ({error}).",
                            "Run '.venv/bin/pip install -c constraints.txt -e .[postgres]'.") from error  # fmt: skip
    return PostgresDatabase
