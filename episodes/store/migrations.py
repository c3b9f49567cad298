# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of the library's tables: numbered steps that are only ever added to."""

import sqlite3
from collections.abc import Callable


def migrate(database: sqlite3.Connection) -> None:
    """Bring a database to the newest version, each step in its own transaction; two processes may do it at once.

    Raises NewerLibrary when a newer version of this program made it.
    """
    while True:
        database.execute("BEGIN IMMEDIATE")
        try:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise NewerLibrary
            if version == len(MIGRATIONS):
                return
            MIGRATIONS[version](database)
            database.execute(f"PRAGMA user_version = {version + 1}")
            database.execute("COMMIT")
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")


class NewerLibrary(Exception):
    """The database has a version that this program does not know."""


def _first_tables(database: sqlite3.Connection) -> None:
    """Episodes with their steps, cues, chapters, segments and digests."""
    for statement in (
        """CREATE TABLE episodes (
            id TEXT PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,  -- in order of arrival
            content TEXT NOT NULL UNIQUE,    -- SHA-256 of the audio file, or of the transcript that came alone
            title TEXT NOT NULL,
            show TEXT NOT NULL,
            guests TEXT NOT NULL,            -- JSON list
            published TEXT NOT NULL,
            seconds REAL NOT NULL,
            source TEXT NOT NULL,
            audio TEXT NOT NULL              -- relative to the library folder, empty without audio
        ) WITHOUT ROWID""",
        """CREATE TABLE steps (
            episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
            step TEXT NOT NULL,
            state TEXT NOT NULL,
            progress REAL NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (episode, step)
        ) WITHOUT ROWID""",
        """CREATE TABLE cues (
            episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            start REAL NOT NULL,
            "end" REAL NOT NULL,
            text TEXT NOT NULL,
            speaker TEXT NOT NULL,
            words TEXT NOT NULL,             -- JSON list of [start, end, text, probability], empty without words
            PRIMARY KEY (episode, number)
        ) WITHOUT ROWID""",
        """CREATE TABLE chapters (
            episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            start REAL NOT NULL,
            title TEXT NOT NULL,
            PRIMARY KEY (episode, number)
        ) WITHOUT ROWID""",
        """CREATE TABLE segments (
            episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            start REAL NOT NULL,
            "end" REAL NOT NULL,
            title TEXT NOT NULL,
            summary TEXT NOT NULL,
            PRIMARY KEY (episode, number)
        ) WITHOUT ROWID""",
        """CREATE TABLE digests (
            episode TEXT PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
            teaser TEXT NOT NULL,
            summary TEXT NOT NULL,
            questions TEXT NOT NULL          -- JSON list
        ) WITHOUT ROWID""",
        "CREATE TABLE changes (count INTEGER NOT NULL)",
        "INSERT INTO changes VALUES (0)",
    ):
        database.execute(statement)


def _work(database: sqlite3.Connection) -> None:
    """The queue of work, what is known of each source, the pieces of unfinished transcriptions, and how fast each step
    was; episodes that came in before a step for fetching was known have been fetched."""
    for statement in (
        """CREATE TABLE jobs (
            episode TEXT PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
            number INTEGER NOT NULL UNIQUE,  -- in order of arrival
            state TEXT NOT NULL,             -- waiting, running, cancelled, failed
            priority INTEGER NOT NULL,       -- the higher goes first
            attempts INTEGER NOT NULL,       -- so many broke off since the last progress
            due REAL NOT NULL,               -- not before this time (seconds since 1970)
            worker TEXT NOT NULL,            -- host:pid:chance of who works on it, else empty
            lease REAL NOT NULL,             -- it is the worker's until then (seconds since 1970)
            remaining REAL,                  -- seconds of work left when that was noted, NULL when unknown
            noted REAL NOT NULL              -- when (seconds since 1970)
        ) WITHOUT ROWID""",
        """CREATE TABLE sources (
            episode TEXT PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
            source TEXT NOT NULL             -- JSON, all that was known of the episode before it came in
        ) WITHOUT ROWID""",
        """CREATE TABLE pieces (
            episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            recogniser TEXT NOT NULL,
            start REAL NOT NULL,
            "end" REAL NOT NULL,
            cues TEXT NOT NULL,              -- JSON list of cues, each a list of its fields
            PRIMARY KEY (episode, number)
        ) WITHOUT ROWID""",
        """CREATE TABLE speeds (
            step TEXT PRIMARY KEY,
            work REAL NOT NULL,              -- seconds of work, the latest weighing most
            sound REAL NOT NULL              -- for so many seconds of sound
        ) WITHOUT ROWID""",
        "INSERT INTO steps SELECT id, 'fetched', 'done', 1.0, '' FROM episodes",
    ):
        database.execute(statement)


def _feeds(database: sqlite3.Connection) -> None:
    """The feeds that are followed, and which of their episodes were seen: those are not new again, even if removed."""
    for statement in (
        """CREATE TABLE feeds (
            address TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            etag TEXT NOT NULL,              -- what proves to its server which version is known
            modified TEXT NOT NULL,
            match TEXT NOT NULL              -- what a title has to hold to be taken in, empty for all
        ) WITHOUT ROWID""",
        """CREATE TABLE seen (
            feed TEXT NOT NULL REFERENCES feeds (address) ON DELETE CASCADE ON UPDATE CASCADE,
            guid TEXT NOT NULL,
            PRIMARY KEY (feed, guid)
        ) WITHOUT ROWID""",
    ):
        database.execute(statement)


def _writers(database: sqlite3.Connection) -> None:
    """Which language model wrote a digest; those that are there are the speakers' own words."""
    database.execute("ALTER TABLE digests ADD COLUMN writer TEXT NOT NULL DEFAULT 'extractive'")


def _languages(database: sqlite3.Connection) -> None:
    """Which language an episode is in; of those that are there it is not known."""
    database.execute("ALTER TABLE episodes ADD COLUMN language TEXT NOT NULL DEFAULT ''")


def _titles(database: sqlite3.Connection) -> None:
    """Finding an episode by what a feed says of it, however many there are."""
    database.execute("CREATE INDEX episodes_by_title ON episodes (title, show, published)")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _first_tables, _work, _feeds, _writers, _languages, _titles,
)  # fmt: skip
"""The steps in order; the database's ``user_version`` is how many of them it has seen."""
