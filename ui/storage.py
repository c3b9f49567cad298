# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything is kept: the one place that knows which engine the settings name."""

from typing import TYPE_CHECKING

from episodes.store.library import Library
from ui.settings import Settings
from voice.errors import SettingsError

if TYPE_CHECKING:
    from episodes.store.postgres import PostgresDatabase

_SCHEMES = ("postgresql://", "postgres://")


def open_library(settings: Settings) -> Library:
    """The library that the settings name. Raises LibraryError when it cannot be used, SettingsError for an address
    that is none."""
    if not settings.database:
        return Library.open(settings.data_dir)
    return Library.on(_server(settings.database).open(settings.database), settings.data_dir)


def migrate(settings: Settings) -> int:
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


