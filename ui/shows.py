# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for one show: how fast it is played, where it begins, whether new episodes are added, and its language.

It lies in the file of positions (``ui/positions.py``) and holds for everybody in the house.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ui.listener_database import ListenerDatabase, Statements
from ui.positions import DATABASE_ADVICE, FILE

if TYPE_CHECKING:
    from episodes.model import Episode
    from episodes.store.library import Library

_SCHEMA = """CREATE TABLE IF NOT EXISTS shows (
    show TEXT PRIMARY KEY,
    value TEXT NOT NULL      -- JSON
) WITHOUT ROWID"""


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
    """The settings of shows by title, in ``folder``. Safe to use from several threads and processes."""

    _tables = ("shows",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, _SCHEMA, DATABASE_ADVICE)

    def get(self, show: str) -> ShowSettings:
        """The settings of a show. Raises LibraryError when the file cannot be read."""
        with self._open() as db:
            return self._get(db, show)

    @staticmethod
    def _get(db: Statements, show: str) -> ShowSettings:
        row = db.execute("SELECT value FROM shows WHERE show = ?", (_key(show),)).fetchone()
        return msgspec.json.decode(row[0], type=ShowSettings) if row else ShowSettings()

    def set(self, show: str, **changes: Any) -> ShowSettings:
        """Change some settings of a show; returns them all. Raises LibraryError."""
        with self._writing() as db:
            settings = replace(self._get(db, show), **changes)
            if settings == ShowSettings():
                db.execute("DELETE FROM shows WHERE show = ?", (_key(show),))
            else:
                value = msgspec.json.encode(asdict(settings)).decode()
                db.execute("INSERT OR REPLACE INTO shows VALUES (?, ?)", (_key(show), value))
        return settings

    def tell_languages(self, library: "Library", episodes: Iterable["Episode"]) -> None:
        """Note the language of new episodes whose show has one, before they are heard."""
        language = cache(lambda show: self.get(show).language)
        for episode in episodes:
            if episode.show and language(episode.show):
                library.save_language(episode.id, language(episode.show))


def _key(show: str) -> str:
    return " ".join(show.casefold().split())
