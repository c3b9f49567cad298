# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for one show: how fast it is played, where it begins, whether new episodes are added, and its language.

It lies in the file of positions (``ui/positions.py``), or on the database server, and holds for everybody in the house.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ui.listener_database import ListenerDatabase, Statements
from ui.positions import DATABASE_ADVICE, FILE, PlaybackPositions

if TYPE_CHECKING:
    from episodes.model import Episode
    from episodes.store.database import Database
    from episodes.store.library import Library

_SCHEMA = """CREATE TABLE IF NOT EXISTS show_settings (
    show TEXT PRIMARY KEY,
    value TEXT NOT NULL      -- JSON
) WITHOUT ROWID"""
_BEFORE = "shows"  # what the table was called, which the library's own on a server is


@dataclass(frozen=True, slots=True)
class ShowSettings:
    """``speed`` is times the recorded one, 0 for that of the listener; ``skip_intro`` are seconds at the beginning that
    are left out; ``add``: new episodes of its feed are added by themselves; ``language`` is the code of what is spoken,
    "" where it is found out."""

    speed: float = 0.0
    skip_intro: float = 0.0
    add: bool = True
    language: str = ""


class ShowSettingsStore(ListenerDatabase):
    """The settings of shows by title, in ``folder`` or on a ``server``. Safe to use from several threads and processes.
    """

    _tables = ("show_settings",)

    def __init__(self, folder: Path, server: "Database | None" = None) -> None:
        super().__init__(folder / FILE, _SCHEMA, DATABASE_ADVICE, server)
        if server is not None:
            return
        with self._open() as db:
            before = self._has_before(db)
        if before:
            with self._writing() as db:
                if self._has_before(db):  # no other process was first
                    db.execute(f"INSERT OR IGNORE INTO show_settings SELECT * FROM {_BEFORE}")  # noqa: S608 (own names)
                    db.execute(f"DROP TABLE {_BEFORE}")

    @staticmethod
    def _has_before(db: Statements) -> bool:
        return db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_BEFORE,)).fetchone() is not None

    @classmethod
    def of(cls, library: "Library") -> "ShowSettingsStore":
        """The settings of a library's shows."""
        return cls(library.folder, None if library.database.one_machine else library.database)

    def get(self, show: str) -> ShowSettings:
        """The settings of a show. Raises LibraryError when the file cannot be read."""
        with self._open() as db:
            return self._get(db, show)

    @staticmethod
    def _get(db: Statements, show: str) -> ShowSettings:
        row = db.execute("SELECT value FROM show_settings WHERE show = ?", (_key(show),)).fetchone()
        return msgspec.json.decode(row[0], type=ShowSettings) if row else ShowSettings()

    def set(self, show: str, **changes: Any) -> ShowSettings:
        """Change some settings of a show; returns them all. Raises LibraryError."""
        with self._writing() as db:
            settings = replace(self._get(db, show), **changes)
            if settings == ShowSettings():
                db.execute("DELETE FROM show_settings WHERE show = ?", (_key(show),))
            else:
                value = msgspec.json.encode(asdict(settings)).decode()
                db.execute(
                    "INSERT INTO show_settings VALUES (?, ?) ON CONFLICT (show) DO UPDATE SET value = excluded.value",
                    (_key(show), value),
                )
        return settings

    def tell_languages(self, library: "Library", episodes: Iterable["Episode"]) -> None:
        """Note the language of new episodes whose show has one, before they are heard."""
        language = cache(lambda show: self.get(show).language)
        for episode in episodes:
            if episode.show and language(episode.show):
                library.save_language(episode.id, language(episode.show))


@dataclass(frozen=True, slots=True)
class Playback:
    """How an episode is played: ``speed`` is times the recorded one, 0 where nobody has said; ``begins`` is where it
    begins for who has heard nothing of it yet, in seconds."""

    speed: float
    begins: float


def playback(shows: ShowSettingsStore, listeners: PlaybackPositions, listener: str, episode: "Episode") -> Playback:
    """How a listener hears an episode: as its show is played, else as the listener hears all. Raises LibraryError."""
    kept = shows.get(episode.show)
    begins = kept.skip_intro if kept.skip_intro < episode.seconds else 0.0
    return Playback(kept.speed or listeners.speed(listener, 0.0), begins)


def set_speed(shows: ShowSettingsStore, listeners: PlaybackPositions, listener: str, show: str, speed: float) -> None:
    """Remember the speed that a listener has chosen while an episode of a show played: for the show, if that has a
    speed of its own, else for the listener. Raises LibraryError."""
    if shows.get(show).speed:
        shows.set(show, speed=speed)
    else:
        listeners.set_speed(listener, speed)


def _key(show: str) -> str:
    return " ".join(show.casefold().split())
