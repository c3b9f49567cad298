# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each listener is in each episode, and what of it was heard.

There are no accounts: a listener is a key that a browser has drawn by chance, or the name somebody signed in with. So
people who share a server do not share a position, and a second device takes part by being given the key (a link that
carries it). The companion without a screen is a listener as well: the household's, unless it is told whose
(``listener_of``). It is a file of its own, since it belongs to people and not to the library: deleting it forgets them.
On a database server it has tables of its own.
"""

import hashlib
import json
import re
import secrets
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ui.listener_database import ListenerDatabase
from voice.errors import SettingsError
from voice.model import NORMAL_SPEED

if TYPE_CHECKING:
    from episodes.store.database import Database

KEY = re.compile(r"[\w.@-]{8,80}", re.ASCII)
"""What a listener's key looks like."""

_DRAWN = re.compile(r"[0-9a-f]{32}")

FILE = "listeners.db"
"""The file in the data folder; what listeners keep lies in it too (``ui/listener_data.py``)."""

DATABASE_ADVICE = "Move it away: positions, notes and saved moments go with it."
"""What to do when it cannot be used."""

_REST = 30.0  # seconds before the end of an episode in which it is over
_WHOLE = 0.97  # share of an episode from which on it is

MOST_POSITIONS = 100_000
"""Positions kept in all; beyond that the oldest go."""

_NEAR = 1.5  # seconds between two stretches that count as one
_SCHEMA = """CREATE TABLE IF NOT EXISTS listened (
    listener TEXT NOT NULL,
    episode TEXT NOT NULL,
    position REAL NOT NULL,  -- seconds
    heard TEXT NOT NULL,     -- JSON list of [start, end], seconds
    at REAL NOT NULL,        -- seconds since 1970
    PRIMARY KEY (listener, episode)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS speeds (
    listener TEXT PRIMARY KEY,
    speed REAL NOT NULL      -- times the recorded speed
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS household (listener TEXT NOT NULL)"""


def listener_key(name: str) -> str:
    """The listener's key of somebody who signed in, whatever letters the name has and however few."""
    plain = f"user-{name}"
    if KEY.fullmatch(plain):
        return plain
    return "user-" + hashlib.sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()[:32]


HeardSpan = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Listened:
    """One listener in one episode: ``position`` and the stretches ``heard``, in order, all in seconds.

    ``at`` is when that was noted, in seconds since 1970; 0 when nothing was.
    """

    position: float = 0.0
    heard: tuple[HeardSpan, ...] = ()
    at: float = 0.0


def at_end(seconds: float, position: float) -> bool:
    """Whether a position (seconds) in an episode of so many seconds is so near its end that it is over."""
    return seconds > 0 and position >= max(seconds - _REST, _WHOLE * seconds)


def union(stretches: Iterable[HeardSpan]) -> tuple[HeardSpan, ...]:
    """The same time in as few stretches as possible, in order; empty ones go."""
    joined: list[HeardSpan] = []
    for start, end in sorted((max(0.0, start), end) for start, end in stretches if end > max(0.0, start)):
        if joined and start <= joined[-1][1] + _NEAR:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


class PlaybackPositions(ListenerDatabase):
    """The memory of where listeners are, in ``folder`` or on a ``server``. Safe to use from several threads and
    processes."""

    _tables = ("listened", "speeds", "household")

    def __init__(self, folder: Path, server: "Database | None" = None) -> None:
        super().__init__(folder / FILE, _SCHEMA, DATABASE_ADVICE, server)

    def household(self) -> str:
        """The key of whoever listens where nobody says who it is: of the only listener so far, else drawn by chance.

        It stays the same from then on. Raises as ``get`` does.
        """
        with self._writing() as db:
            found = db.execute("SELECT listener FROM household").fetchone()
            if found is None:
                only = db.execute("SELECT DISTINCT listener FROM listened LIMIT 2").fetchall()
                found = only[0] if len(only) == 1 else (secrets.token_hex(16),)
                db.execute("INSERT INTO household VALUES (?)", found)
        key: str = found[0]
        return key

    def speed(self, listener: str, unknown: float = NORMAL_SPEED) -> float:
        """How fast this listener hears, times the recorded speed; ``unknown`` where that was never said. Raises as
        ``get`` does."""
        with self._open() as db:
            row = db.execute("SELECT speed FROM speeds WHERE listener = ?", (checked_key(listener),)).fetchone()
        return float(row[0]) if row else unknown

    def set_speed(self, listener: str, speed: float) -> None:
        """Remember how fast this listener hears."""
        with self._open() as db:
            db.execute(
                "INSERT INTO speeds VALUES (?, ?) ON CONFLICT (listener) DO UPDATE SET speed = excluded.speed",
                (checked_key(listener), speed),
            )

    def get(self, listener: str, episode_id: str) -> Listened:
        """Where this listener is in this episode. Raises LibraryError when the file cannot be read."""
        with self._open() as db:
            row = db.execute(
                "SELECT position, heard, at FROM listened WHERE listener = ? AND episode = ?",
                (checked_key(listener), episode_id),
            ).fetchone()
        return _listened(*row) if row else Listened()

    def all(self, listener: str) -> dict[str, Listened]:
        """Where this listener is in every episode that was listened to, by its id, the latest first.

        Raises as ``get`` does.
        """
        with self._open() as db:
            rows = db.execute(
                "SELECT episode, position, heard, at FROM listened WHERE listener = ? ORDER BY at DESC",
                (checked_key(listener),),
            ).fetchall()
        return {episode: _listened(*row) for episode, *row in rows}

    def everybody(self) -> dict[str, list[Listened]]:
        """Where all are who began an episode, by its id. Raises as ``get`` does."""
        found: dict[str, list[Listened]] = {}
        with self._open() as db:
            for episode, *row in db.execute("SELECT episode, position, heard, at FROM listened"):
                found.setdefault(episode, []).append(_listened(*row))
        return found

    def note(self, listener: str, episode_id: str, position: float, heard: Iterable[HeardSpan] = ()) -> Listened:
        """Remember a position and add stretches that were heard meanwhile; what other devices noted stays heard."""
        with self._writing() as db:
            row = db.execute(
                "SELECT heard FROM listened WHERE listener = ? AND episode = ?", (checked_key(listener), episode_id)
            ).fetchone()
            before = [(a, b) for a, b in json.loads(row[0])] if row else []
            now = Listened(position, union([*before, *heard]), time.time())
            db.execute(
                "INSERT INTO listened VALUES (?, ?, ?, ?, ?) ON CONFLICT (listener, episode) DO UPDATE"
                " SET position = excluded.position, heard = excluded.heard, at = excluded.at",
                (listener, episode_id, now.position, json.dumps(now.heard), now.at),
            )
            if row is None:
                db.execute(
                    "DELETE FROM listened WHERE at < (SELECT at FROM listened ORDER BY at DESC LIMIT 1 OFFSET ?)",
                    (MOST_POSITIONS - 1,),
                )
        return now


def _listened(position: float, heard: str, at: float) -> Listened:
    return Listened(position, tuple((a, b) for a, b in json.loads(heard)), at)


def listener_of(name: str, auth: str, listeners: PlaybackPositions) -> str:
    """The key of whoever the setting ``listener`` means: somebody who signs in, by name, or a key as the page's link
    for another device has it (32 hexadecimal digits). Empty: the one who can sign in (``auth``, NAME:PASSWORD), when
    it is one, else the household. Raises as ``PlaybackPositions.get`` does."""
    if _DRAWN.fullmatch(name):
        return name
    names = [part.partition(":")[0].strip() for part in auth.split(",") if part.strip()]
    if name or len(names) == 1:
        return listener_key(unicodedata.normalize("NFC", name or names[0]))
    return listeners.household()


def checked_key(listener: str) -> str:
    """A listener's key as it is. Raises SettingsError for one that cannot be one."""
    if not KEY.fullmatch(listener):
        raise SettingsError("That is no listener's key.", hint="Send 8 to 80 letters, digits or dashes as X-Listener.")
    return listener
