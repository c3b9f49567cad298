# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of the library's tables: numbered steps that are only ever added to."""

import json
import sqlite3
from collections.abc import Callable

from episodes.store.words import name_words, search_text, sort_key


def migrate_sqlite(database: sqlite3.Connection) -> None:
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


def _lookups(database: sqlite3.Connection) -> None:
    """What lets a lookup cost what it finds, and not what the library holds: titles as they are compared, the words
    that are searched for, whether an episode is ready, at which change of the library it changed last, how much each
    show has, who speaks where, and indexes. Episodes that were begun before there was a queue are noted, to be put into
    it once."""
    for statement in (
        "ALTER TABLE episodes ADD COLUMN folded TEXT NOT NULL DEFAULT ''",  # the title, case folded
        "ALTER TABLE episodes ADD COLUMN words TEXT NOT NULL DEFAULT ''",  # title, show, guests as they are searched
        "ALTER TABLE episodes ADD COLUMN ready INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE episodes ADD COLUMN ready_since INTEGER NOT NULL DEFAULT 0",  # changes.count when it became so
        "ALTER TABLE episodes ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",  # changes.count at its last change
        "ALTER TABLE jobs ADD COLUMN fetched INTEGER NOT NULL DEFAULT 0",  # 1: its files are on this machine
        "UPDATE jobs SET fetched = EXISTS (SELECT 1 FROM sources WHERE sources.episode = jobs.episode AND"
        " coalesce(json_extract(source, '$.audio'), json_extract(source, '$.transcript')) IS NOT NULL)",
        """CREATE TABLE shows (
            show TEXT PRIMARY KEY,
            episodes INTEGER NOT NULL,
            ready INTEGER NOT NULL,
            seconds REAL NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE removed (
            episode TEXT PRIMARY KEY,
            changed INTEGER NOT NULL         -- changes.count when it went
        ) WITHOUT ROWID""",
        """CREATE TABLE speakers (
            name TEXT NOT NULL,
            episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
            PRIMARY KEY (name, episode)
        ) WITHOUT ROWID""",
        """CREATE TABLE name_words (
            word TEXT NOT NULL,              -- a part of a speaker's name, case folded
            name TEXT NOT NULL,
            PRIMARY KEY (word, name)
        ) WITHOUT ROWID""",
        """CREATE TABLE left_lying (
            episode TEXT PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE
        ) WITHOUT ROWID""",
        "CREATE VIRTUAL TABLE episode_words USING fts5(words, content='episodes', content_rowid='number',"
        """ tokenize="unicode61 remove_diacritics 0 tokenchars '_'", prefix='1 2 3', detail=none)""",
    ):
        database.execute(statement)
    rows = database.execute("SELECT id, title, show, guests FROM episodes").fetchall()
    database.executemany(
        "UPDATE episodes SET folded = ?, words = ? WHERE id = ?",
        ((title.casefold(), search_text(title, show, *json.loads(guests)), name) for name, title, show, guests in rows),
    )
    names = database.execute("SELECT DISTINCT speaker, episode FROM cues WHERE speaker != ''").fetchall()
    database.executemany("INSERT INTO speakers VALUES (?, ?)", names)
    database.executemany(
        "INSERT OR IGNORE INTO name_words VALUES (?, ?)",
        ((word, name) for name in {name for name, _ in names} for word in name_words(name)),
    )
    for statement in (
        "UPDATE episodes SET ready = 1 WHERE EXISTS (SELECT 1 FROM steps WHERE episode = id)"
        " AND NOT EXISTS (SELECT 1 FROM steps WHERE episode = id AND state != 'done')",
        "INSERT INTO shows SELECT show, count(*), sum(ready), sum(seconds) FROM episodes GROUP BY show",
        "INSERT INTO episode_words (rowid, words) SELECT number, words FROM episodes",
        "INSERT INTO left_lying SELECT id FROM episodes WHERE NOT ready AND NOT EXISTS"
        " (SELECT 1 FROM jobs WHERE episode = id)",
        "CREATE INDEX episodes_folded ON episodes (folded)",
        # with the id, although it is the key: only then is a page far behind found in the index alone
        "CREATE INDEX episodes_number ON episodes (number, id)",
        "CREATE INDEX episodes_published ON episodes (published, number, id)",
        "CREATE INDEX episodes_show ON episodes (show, number, id)",
        "CREATE INDEX episodes_seconds ON episodes (seconds)",
        "CREATE INDEX episodes_source ON episodes (source)",
        "CREATE INDEX episodes_language ON episodes (language)",
        "CREATE INDEX episodes_changed ON episodes (changed)",
        "CREATE INDEX episodes_unready ON episodes (number) WHERE ready = 0",
        "CREATE INDEX episodes_with_sound ON episodes (number) WHERE ready = 1 AND audio != ''",
        "CREATE INDEX removed_changed ON removed (changed)",
        "CREATE INDEX speakers_episode ON speakers (episode)",
        "CREATE INDEX steps_running ON steps (episode) WHERE state = 'running'",
        "CREATE INDEX jobs_order ON jobs (state, priority DESC, number)",
        "CREATE INDEX jobs_fetched ON jobs (state, fetched, priority DESC, number)",
        f"CREATE TRIGGER episode_added AFTER INSERT ON episodes BEGIN {_SHOW_MORE} {_WORDS_IN} END",
        f"CREATE TRIGGER episode_gone AFTER DELETE ON episodes BEGIN {_SHOW_LESS} {_WORDS_OUT} {_GONE} END",
        "CREATE TRIGGER episode_counted AFTER UPDATE OF show, seconds, ready ON episodes"
        f" BEGIN {_SHOW_LESS} {_SHOW_MORE} END",
        f"CREATE TRIGGER episode_named AFTER UPDATE OF words ON episodes BEGIN {_WORDS_OUT} {_WORDS_IN} END",
    ):
        database.execute(statement)


def _speeds_of_steps(database: sqlite3.Connection) -> None:
    """Say of what the speeds are: on a server listeners have theirs beside them."""
    database.execute("ALTER TABLE speeds RENAME TO step_speeds")


def _sorted(database: sqlite3.Connection) -> None:
    """Titles in the order in which a person looks for them."""
    database.execute("ALTER TABLE episodes ADD COLUMN sorted TEXT NOT NULL DEFAULT ''")
    rows = database.execute("SELECT id, title, language FROM episodes").fetchall()
    database.executemany(
        "UPDATE episodes SET sorted = ? WHERE id = ?", ((sort_key(title, code), name) for name, title, code in rows)
    )
    database.execute("CREATE INDEX episodes_sorted ON episodes (sorted, number, id)")


_SHOW_MORE = (
    "INSERT INTO shows VALUES (new.show, 1, new.ready, new.seconds) ON CONFLICT (show) DO UPDATE SET"
    " episodes = episodes + 1, ready = ready + excluded.ready, seconds = seconds + excluded.seconds;"
)
_SHOW_LESS = (
    "UPDATE shows SET episodes = episodes - 1, ready = ready - old.ready, seconds = seconds - old.seconds"
    " WHERE show = old.show; DELETE FROM shows WHERE show = old.show AND episodes = 0;"
)
_GONE = "INSERT OR REPLACE INTO removed VALUES (old.id, (SELECT count FROM changes) + 1);"
_WORDS_IN = "INSERT INTO episode_words (rowid, words) VALUES (new.number, new.words);"
_WORDS_OUT = "INSERT INTO episode_words (episode_words, rowid, words) VALUES ('delete', old.number, old.words);"


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _first_tables, _work, _feeds, _writers, _languages, _titles, _lookups, _speeds_of_steps,
    _sorted,
)  # fmt: skip
"""The steps in order; the database's ``user_version`` is how many of them it has seen."""
