# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying a library from one engine to another: the tables have the same columns in both."""

from collections.abc import Iterator, Sequence
from typing import Any

from episodes.store.database import Database
from episodes.store.files import Files
from voice.errors import LibraryError

COLUMNS = {
    "episodes": (
        "id", "number", "content", "title", "show", "guests", "published", "seconds", "source", "audio", "language",
        "folded", "words", "ready", "ready_since", "changed", "sorted",
    ),
    "steps": ("episode", "step", "state", "progress", "reason"),
    "cues": ("episode", "number", "start", '"end"', "text", "speaker", "words"),
    "chapters": ("episode", "number", "start", "title"),
    "segments": ("episode", "number", "start", '"end"', "title", "summary"),
    "digests": ("episode", "teaser", "summary", "questions", "writer"),
    "speakers": ("name", "episode"),
    "name_words": ("word", "name"),
    "sources": ("episode", "source"),
    "pieces": ("episode", "number", "recogniser", "start", '"end"', "cues"),
    "jobs": (
        "episode", "number", "state", "priority", "attempts", "due", "worker", "lease", "remaining", "noted", "fetched",
    ),
    "left_lying": ("episode",),
    "step_speeds": ("step", "work", "sound"),
    "feeds": ("address", "title", "etag", "modified", "match"),
    "seen": ("feed", "guid"),
}  # fmt: skip
"""All tables but those that follow from others, in an order in which what is referred to comes first."""

_OF_EPISODES = ("steps", "cues", "chapters", "segments", "digests", "sources", "pieces", "jobs", "left_lying")
_SOME = 100  # episodes whose rows are read at a time
_MANY = 5_000  # rows of another table that are written at a time


def copy_rows(source: Database, target: Database) -> int:
    """Copy everything but the files to a library that is empty, as a whole or not at all; returns how many episodes.

    Raises LibraryError when it is not empty.
    """
    with target.transaction():
        if target.execute("SELECT 1 FROM episodes LIMIT 1").fetchone() or target.execute(
            "SELECT 1 FROM feeds LIMIT 1"
        ).fetchone():
            raise LibraryError("There is a library already.", "Copy to an empty one.")
        copied = 0
        for some in _ids(source):
            marks = ", ".join("?" * len(some))
            _write(target, "episodes", _read(source, "episodes", f"WHERE id IN ({marks})", some))
            for table in _OF_EPISODES:
                _write(target, table, _read(source, table, f"WHERE episode IN ({marks})", some))
            copied += len(some)
        for table in COLUMNS:
            if table != "episodes" and table not in _OF_EPISODES:
                rows = _read(source, table)
                for at in range(0, len(rows), _MANY):
                    _write(target, table, rows[at : at + _MANY])
        (version,) = source.execute("SELECT count FROM changes").fetchone()
        target.execute("UPDATE changes SET count = ?", (version,))
    return copied


def copy_files(source: Files, target: Files) -> int:
    """Copy sound and pictures to where another library has them; those that are there stay. Returns how many were
    copied."""
    copied = 0
    for name in source.names():
        if not target.exists(name):
            with source.get(name) as path:
                target.put(name, path)
            copied += 1
    return copied


def _ids(source: Database) -> Iterator[list[str]]:
    """The ids of all episodes, some at a time."""
    last = ""
    with source.errors():
        while True:
            rows = source.execute("SELECT id FROM episodes WHERE id > ? ORDER BY id LIMIT ?", (last, _SOME)).fetchall()
            if not rows:
                return
            found = [name for (name,) in rows]
            yield found
            last = found[-1]


def _read(source: Database, table: str, where: str = "", values: Sequence[object] = ()) -> list[Any]:
    with source.errors():
        return source.execute(
            f"SELECT {', '.join(COLUMNS[table])} FROM {table} {where}", values  # noqa: S608 (own names)
        ).fetchall()


def _write(target: Database, table: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        columns = COLUMNS[table]
        marks = ", ".join("?" * len(columns))
        target.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows  # noqa: S608 (own names)
        )
