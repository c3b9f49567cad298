# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener keeps: notes on episodes, conversations, and saved moments.

It lies in the file of positions (``ui/positions.py``), under the same key, and belongs to people in the same way.
A note has a version, so that two tabs do not overwrite each other; a conversation only grows at its end.
"""

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.listener_database import ListenerDatabase, Statements
from ui.positions import DATABASE_ADVICE, FILE, checked_key
from voice.errors import LibraryError

if TYPE_CHECKING:
    from episodes.store.database import Database

MOST_KEPT = 50_000
"""Things kept in all; beyond that the oldest go."""

MOST_ANSWERS = 30
"""Answers kept of a conversation."""

_SCHEMA = """CREATE TABLE IF NOT EXISTS kept (
    listener TEXT NOT NULL,
    kind TEXT NOT NULL,      -- note, talk or moment
    name TEXT NOT NULL,      -- an episode's id, a scope, or an id of its own
    version INTEGER NOT NULL,
    value TEXT NOT NULL,     -- JSON
    at REAL NOT NULL,        -- seconds since 1970
    feed TEXT NOT NULL,      -- under which saved moments can be read, and nothing else
    PRIMARY KEY (listener, kind, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_feed ON kept (feed, kind)"""


@dataclass(frozen=True, slots=True)
class Note:
    """A listener's notes on an episode; ``version`` counts what was stored, 0 for nothing yet."""

    text: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class SavedMoment:
    """A moment that was saved: ``start`` and ``end`` in seconds, ``at`` in seconds since 1970."""

    id: str
    episode: str
    start: float
    end: float
    quote: str = ""
    speaker: str = ""
    question: str = ""
    note: str = ""
    at: float = 0.0


class NoteConflict(Exception):
    """Another tab or device stored other notes meanwhile: ``present`` is what is kept."""

    def __init__(self, present: Note) -> None:
        super().__init__("other notes were stored meanwhile")
        self.present = present


def feed_of(listener: str) -> str:
    """The name under which a listener's saved moments can be read; the listener's key cannot be told from it."""
    return hashlib.sha256(f"earmark feed {listener}".encode()).hexdigest()[:32]


class ListenerData(ListenerDatabase):
    """What listeners keep, in ``folder`` or on a ``server``. Safe to use from several threads and processes."""

    _tables = ("kept",)

    def __init__(self, folder: Path, server: "Database | None" = None) -> None:
        super().__init__(folder / FILE, _SCHEMA, DATABASE_ADVICE, server)

    def note(self, listener: str, episode_id: str) -> Note:
        """The notes on an episode."""
        with self._open() as db:
            return _note(self._row(db, listener, "note", episode_id))

    def write_note(self, listener: str, episode_id: str, text: str, version: int) -> Note:
        """Store notes over those of ``version``. Raises NoteConflict when others are kept by now."""
        with self._writing() as db:
            before = _note(self._row(db, listener, "note", episode_id))
            if before.version != version and before.text != text:
                raise NoteConflict(before)
            after = Note(text, before.version + 1)
            self._put(db, listener, "note", episode_id, text, after.version)
        return after

    def conversation(self, listener: str, scope: str) -> list[dict[str, Any]]:
        """The answers that were given in a scope, oldest first."""
        with self._open() as db:
            row = self._row(db, listener, "talk", scope)
        return list(json.loads(row[0])) if row else []

    def add_answer(self, listener: str, scope: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
        """Add an answer to a conversation; returns all of it."""
        with self._writing() as db:
            row = self._row(db, listener, "talk", scope)
            before = json.loads(row[0]) if row else []
            after = [*before, answer | {"at": time.time()}][-MOST_ANSWERS:]
            self._put(db, listener, "talk", scope, after, (row[1] if row else 0) + 1)
        return after

    def forget_conversation(self, listener: str, scope: str) -> None:
        """Forget what was asked in a scope."""
        with self._open() as db:
            key = checked_key(listener)
            db.execute("DELETE FROM kept WHERE listener = ? AND kind = 'talk' AND name = ?", (key, scope))

    def moments(self, listener: str) -> list[SavedMoment]:
        """The moments that were saved, the last first."""
        return self._moments("listener", checked_key(listener))

    def saved_after(self, at: float) -> list[SavedMoment]:
        """The moments that anybody saved after a time (seconds since 1970), the first first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT name, value, at FROM kept WHERE kind = 'moment' AND at > ? ORDER BY at", (at,)
            ).fetchall()
        return [SavedMoment(**json.loads(text), id=name, at=at) for name, text, at in rows]

    def episodes(self) -> set[str]:
        """The ids of the episodes in which anybody saved a moment or wrote a note."""
        with self._open() as db:
            notes = db.execute("SELECT name FROM kept WHERE kind = 'note' AND value != '\"\"'").fetchall()
        return {name for (name,) in notes} | {moment.episode for moment in self.saved_after(0.0)}

    def moments_of_feed(self, feed: str) -> list[SavedMoment]:
        """The moments that can be read under the name of a feed (see ``feed_of``), the last first."""
        return self._moments("feed", feed)

    def save_moment(self, listener: str, moment: SavedMoment) -> SavedMoment:
        """Save a moment; returns it with its id. One that begins at the same second of its episode is replaced."""
        with self._writing() as db:
            same = next((one for one in self._read(db, "listener", checked_key(listener))
                         if one.episode == moment.episode and int(one.start) == int(moment.start)), None)  # fmt: skip
            if same:
                saved = replace(moment, id=same.id, note=moment.note or same.note, at=same.at)
            else:
                saved = replace(moment, id=secrets.token_hex(8), at=time.time())
            self._put_moment(db, listener, saved)
        return saved

    def annotate(self, listener: str, moment_id: str, note: str) -> SavedMoment:
        """Write a note on a saved moment. Raises LibraryError when there is none of that id."""
        found = next((one for one in self.moments(listener) if one.id == moment_id), None)
        if found is None:
            raise LibraryError("No saved moment has that id.", "'GET /api/moments' lists them.")
        noted = replace(found, note=note)
        with self._open() as db:
            self._put_moment(db, listener, noted)
        return noted

    def forget_moment(self, listener: str, moment_id: str) -> None:
        """Save a moment no longer."""
        with self._open() as db:
            db.execute("DELETE FROM kept WHERE listener = ? AND kind = 'moment' AND name = ?",
                       (checked_key(listener), moment_id))  # fmt: skip

    def _moments(self, column: str, value: str) -> list[SavedMoment]:
        with self._open() as db:
            return self._read(db, column, value)

    @staticmethod
    def _read(db: Statements, column: str, value: str) -> list[SavedMoment]:
        rows = db.execute(
            f"SELECT name, value, at FROM kept WHERE {column} = ? AND kind = 'moment' ORDER BY at DESC",  # noqa: S608
            (value,),
        )
        return [SavedMoment(**json.loads(text), id=name, at=at) for name, text, at in rows]

    def _put_moment(self, db: Statements, listener: str, moment: SavedMoment) -> None:
        value = {key: told for key, told in asdict(moment).items() if key not in ("id", "at")}
        self._put(db, listener, "moment", moment.id, value, 1, moment.at)

    @staticmethod
    def _row(db: Statements, listener: str, kind: str, name: str) -> tuple[str, int] | None:
        row: tuple[str, int] | None = db.execute(
            "SELECT value, version FROM kept WHERE listener = ? AND kind = ? AND name = ?",
            (checked_key(listener), kind, name),
        ).fetchone()
        return row

    @staticmethod
    def _put(
        db: Statements, listener: str, kind: str, name: str, value: Any, version: int, at: float | None = None
    ) -> None:
        db.execute(
            "INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (listener, kind, name) DO UPDATE"
            " SET version = excluded.version, value = excluded.value, at = excluded.at, feed = excluded.feed",
            (listener, kind, name, version, json.dumps(value, ensure_ascii=False), time.time() if at is None else at,
             feed_of(listener) if kind == "moment" else ""),
        )  # fmt: skip
        db.execute(
            "DELETE FROM kept WHERE at < (SELECT at FROM kept ORDER BY at DESC LIMIT 1 OFFSET ?)", (MOST_KEPT - 1,)
        )


def _note(row: tuple[str, int] | None) -> Note:
    return Note(json.loads(row[0]), row[1]) if row else Note()
