# SPDX-License-Identifier: GPL-3.0-or-later
"""What podcast apps tell and ask by gpodder.net's protocol: devices, subscriptions, and what was played up to where.

It is a file of its own, as that of the listeners is: it belongs to people and not to the library. Every change has a
revision, a number that grows with the clock; it is what the protocol calls a timestamp.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ui.listener_database import ListenerDatabase, Statements
from voice.errors import LibraryError

if TYPE_CHECKING:
    from episodes.store.database import Database

MOST_ACTIONS = 50_000
"""Actions kept of a person: of each episode the last of each kind; beyond that the oldest go."""

MOST_DEVICES = 100
"""Devices kept of a person."""

_ALL = 1_000_000_000  # rows
_SCHEMA = """
CREATE TABLE IF NOT EXISTS revision (last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS devices (
    person TEXT NOT NULL, id TEXT NOT NULL, caption TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (person, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS actions (
    person TEXT NOT NULL,
    episode TEXT NOT NULL,    -- the address of its sound
    action TEXT NOT NULL,     -- play, download, delete, new or flattr
    podcast TEXT NOT NULL,    -- the address of its feed
    guid TEXT NOT NULL,
    device TEXT NOT NULL,
    timestamp TEXT NOT NULL,  -- as the device told it, ISO 8601
    started INTEGER, position INTEGER, total INTEGER,  -- seconds, NULL where none are told
    revision INTEGER NOT NULL,
    PRIMARY KEY (person, episode, action)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS app_feeds (
    address TEXT PRIMARY KEY, there INTEGER NOT NULL, revision INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class AppAction:
    """What was done with an episode: times in seconds, None where none are told."""

    podcast: str
    episode: str
    action: str
    device: str = ""
    timestamp: str = ""
    started: int | None = None
    position: int | None = None
    total: int | None = None
    guid: str = ""


@dataclass(frozen=True, slots=True)
class SyncedDevice:
    """A device of a person; ``type`` is one of the protocol's words (mobile, desktop, …)."""

    id: str
    caption: str = ""
    type: str = "other"


class PodcastApps(ListenerDatabase):
    """The memory of what podcast apps told, in ``folder`` or on a ``server``. Safe to use from several threads and
    processes."""

    _tables = ("revision", "devices", "actions", "app_feeds")

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time, server: "Database | None" = None) -> None:
        super().__init__(folder / "gpodder.db", _SCHEMA, "Move it away: only what podcast apps told is lost.", server)
        self._clock = clock

    def devices(self, person: str) -> list[SyncedDevice]:
        """The devices of a person."""
        with self._open() as db:
            found = db.execute("SELECT id, caption, type FROM devices WHERE person = ? ORDER BY id", (person,))
            rows = found.fetchall()
        return [SyncedDevice(*row) for row in rows]

    def save_device(self, person: str, device: SyncedDevice) -> None:
        """Store a device in place of what was known of it. Raises LibraryError when there are too many."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO devices VALUES (?, ?, ?, ?) ON CONFLICT (person, id) DO UPDATE"
                " SET caption = excluded.caption, type = excluded.type",
                (person, device.id, device.caption, device.type),
            )
            (count,) = db.execute("SELECT count(*) FROM devices WHERE person = ?", (person,)).fetchone()
            if count > MOST_DEVICES:
                raise LibraryError(f"There are {MOST_DEVICES} devices already.", "Use the name of one that is there.")

    def note(self, person: str, actions: Iterable[AppAction]) -> int:
        """Store what was done, in order; returns the revision."""
        with self._writing() as db:
            revision = self._next(db)
            db.executemany(
                "INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, episode, action)"
                " DO UPDATE SET podcast = excluded.podcast, guid = excluded.guid, device = excluded.device,"
                " timestamp = excluded.timestamp, started = excluded.started, position = excluded.position,"
                " total = excluded.total, revision = excluded.revision",
                [(person, one.episode, one.action, one.podcast, one.guid, one.device, one.timestamp, one.started,
                  one.position, one.total, revision) for one in actions],
            )  # fmt: skip
            db.execute(
                "DELETE FROM actions WHERE person = ? AND (episode, action) IN (SELECT episode, action FROM actions"
                " WHERE person = ? ORDER BY revision DESC LIMIT ? OFFSET ?)", (person, person, _ALL, MOST_ACTIONS),
            )  # fmt: skip
        return revision

    def actions(self, person: str, since: int, podcast: str = "", device: str = "") -> tuple[list[AppAction], int]:
        """What was done after a revision, oldest first, of one ``podcast`` or by one ``device`` if they are named; and
        the revision."""
        with self._open() as db:
            rows = db.execute(
                "SELECT podcast, episode, action, device, timestamp, started, position, total, guid FROM actions"
                " WHERE person = ? AND revision > ? AND (? = '' OR podcast = ?) AND (? = '' OR device = ?)"
                " ORDER BY revision", (person, since, podcast, podcast, device, device),
            ).fetchall()  # fmt: skip
            return [AppAction(*row) for row in rows], self._last(db)

    def played(self, person: str) -> dict[str, int | None]:
        """How far each episode (the address of its sound) was played, in seconds, when that was told last."""
        with self._open() as db:
            return dict(db.execute(
                "SELECT episode, position FROM actions WHERE person = ? AND action = 'play'", (person,)
            ).fetchall())  # fmt: skip

    def feeds(self, followed: Iterable[str], since: int) -> tuple[list[str], list[str], int]:
        """Which of the feeds that are followed now came after a revision, which went, and the revision."""
        now = set(followed)
        with self._writing() as db:
            known = dict(db.execute("SELECT address, there FROM app_feeds").fetchall())
            changed = {address for address in now if not known.get(address)}
            changed |= {address for address, there in known.items() if there and address not in now}
            if changed:
                revision = self._next(db)
                db.executemany(
                    "INSERT INTO app_feeds VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE"
                    " SET there = excluded.there, revision = excluded.revision",
                    [(address, int(address in now), revision) for address in sorted(changed)],
                )
            rows = db.execute(
                "SELECT address, there FROM app_feeds WHERE revision > ? ORDER BY address", (since,)
            ).fetchall()
            last = self._last(db)
        came = [address for address, there in rows if there]
        return came, [address for address, there in rows if not there and since > 0], last

    def _next(self, db: Statements) -> int:
        """A revision that is later than all others."""
        revision = max(int(self._clock()), self._last(db) + 1)
        db.execute("DELETE FROM revision")
        db.execute("INSERT INTO revision VALUES (?)", (revision,))
        return revision

    def _last(self, db: Statements) -> int:
        row = db.execute("SELECT last FROM revision").fetchone()
        return int(row[0]) if row else 0
