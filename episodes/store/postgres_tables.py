# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of the library's tables on PostgreSQL: steps that are only ever added to. The columns are those of the
SQLite file, so that the same statements run on both.

Names that are compared byte by byte (ranges of ids and words) have the collation C.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from episodes.store.words import sort_key

if TYPE_CHECKING:
    from episodes.store.database import Database

_FIRST = (
    "CREATE TABLE migrations (version INTEGER PRIMARY KEY)",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE TABLE changes (count BIGINT NOT NULL)",
    "INSERT INTO changes VALUES (0)",
    """CREATE TABLE episodes (
        id TEXT COLLATE "C" PRIMARY KEY,
        number BIGINT NOT NULL UNIQUE,
        content TEXT COLLATE "C" NOT NULL UNIQUE,
        title TEXT NOT NULL,
        show TEXT COLLATE "C" NOT NULL,
        guests TEXT NOT NULL,
        published TEXT COLLATE "C" NOT NULL,
        seconds DOUBLE PRECISION NOT NULL,
        source TEXT NOT NULL,
        audio TEXT NOT NULL,
        language TEXT NOT NULL DEFAULT '',
        folded TEXT COLLATE "C" NOT NULL DEFAULT '',
        words TEXT COLLATE "C" NOT NULL DEFAULT '',
        ready INTEGER NOT NULL DEFAULT 0,
        ready_since BIGINT NOT NULL DEFAULT 0,
        changed BIGINT NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX episodes_by_title ON episodes USING hash (title)",
    "CREATE INDEX episodes_folded ON episodes (folded)",
    "CREATE INDEX episodes_published ON episodes (published, number)",
    "CREATE INDEX episodes_show ON episodes (show, number)",
    "CREATE INDEX episodes_seconds ON episodes (seconds)",
    "CREATE INDEX episodes_source ON episodes USING hash (source)",
    "CREATE INDEX episodes_language ON episodes (language)",
    "CREATE INDEX episodes_changed ON episodes (changed)",
    "CREATE INDEX episodes_unready ON episodes (number) WHERE ready = 0",
    "CREATE INDEX episodes_with_sound ON episodes (number) WHERE ready = 1 AND audio != ''",
    "CREATE INDEX episodes_words ON episodes USING gin (words gin_trgm_ops)",
    """CREATE VIEW shows AS
        SELECT show, count(*) AS episodes, sum(ready) AS ready, sum(seconds) AS seconds FROM episodes GROUP BY show""",
    """CREATE TABLE removed (episode TEXT COLLATE "C" PRIMARY KEY, changed BIGINT NOT NULL)""",
    "CREATE INDEX removed_changed ON removed (changed)",
    """CREATE FUNCTION episode_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO removed VALUES (old.id, (SELECT count FROM changes) + 1)
            ON CONFLICT (episode) DO UPDATE SET changed = excluded.changed;
        RETURN old;
    END $$""",
    "CREATE TRIGGER episode_gone AFTER DELETE ON episodes FOR EACH ROW EXECUTE FUNCTION episode_gone()",
    """CREATE TABLE steps (
        episode TEXT COLLATE "C" NOT NULL REFERENCES episodes ON DELETE CASCADE,
        step TEXT NOT NULL,
        state TEXT NOT NULL,
        progress DOUBLE PRECISION NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (episode, step)
    )""",
    "CREATE INDEX steps_running ON steps (episode) WHERE state = 'running'",
    """CREATE TABLE cues (
        episode TEXT COLLATE "C" NOT NULL REFERENCES episodes ON DELETE CASCADE,
        number INTEGER NOT NULL,
        start DOUBLE PRECISION NOT NULL,
        "end" DOUBLE PRECISION NOT NULL,
        text TEXT NOT NULL,
        speaker TEXT NOT NULL,
        words TEXT NOT NULL,
        PRIMARY KEY (episode, number)
    )""",
    """CREATE TABLE chapters (
        episode TEXT COLLATE "C" NOT NULL REFERENCES episodes ON DELETE CASCADE,
        number INTEGER NOT NULL,
        start DOUBLE PRECISION NOT NULL,
        title TEXT NOT NULL,
        PRIMARY KEY (episode, number)
    )""",
    """CREATE TABLE segments (
        episode TEXT COLLATE "C" NOT NULL REFERENCES episodes ON DELETE CASCADE,
        number INTEGER NOT NULL,
        start DOUBLE PRECISION NOT NULL,
        "end" DOUBLE PRECISION NOT NULL,
        title TEXT NOT NULL,
        summary TEXT NOT NULL,
        PRIMARY KEY (episode, number)
    )""",
    """CREATE TABLE digests (
        episode TEXT COLLATE "C" PRIMARY KEY REFERENCES episodes ON DELETE CASCADE,
        teaser TEXT NOT NULL,
        summary TEXT NOT NULL,
        questions TEXT NOT NULL,
        writer TEXT NOT NULL DEFAULT 'extractive'
    )""",
    """CREATE TABLE speakers (
        name TEXT COLLATE "C" NOT NULL,
        episode TEXT COLLATE "C" NOT NULL REFERENCES episodes ON DELETE CASCADE,
        PRIMARY KEY (name, episode)
    )""",
    "CREATE INDEX speakers_episode ON speakers (episode)",
    """CREATE TABLE name_words (
        word TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (word, name)
    )""",
    """CREATE TABLE left_lying (episode TEXT COLLATE "C" PRIMARY KEY REFERENCES episodes ON DELETE CASCADE)""",
    """CREATE TABLE jobs (
        episode TEXT COLLATE "C" PRIMARY KEY REFERENCES episodes ON DELETE CASCADE,
        number BIGINT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        priority BIGINT NOT NULL,
        attempts INTEGER NOT NULL,
        due DOUBLE PRECISION NOT NULL,
        worker TEXT NOT NULL,
        lease DOUBLE PRECISION NOT NULL,
        remaining DOUBLE PRECISION,
        noted DOUBLE PRECISION NOT NULL,
        fetched INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX jobs_order ON jobs (state, priority DESC, number)",
    "CREATE INDEX jobs_fetched ON jobs (state, fetched, priority DESC, number)",
    """CREATE TABLE sources (
        episode TEXT COLLATE "C" PRIMARY KEY REFERENCES episodes ON DELETE CASCADE,
        source TEXT NOT NULL
    )""",
    """CREATE TABLE pieces (
        episode TEXT COLLATE "C" NOT NULL REFERENCES episodes ON DELETE CASCADE,
        number INTEGER NOT NULL,
        recogniser TEXT NOT NULL,
        start DOUBLE PRECISION NOT NULL,
        "end" DOUBLE PRECISION NOT NULL,
        cues TEXT NOT NULL,
        PRIMARY KEY (episode, number)
    )""",
    "CREATE TABLE speeds (step TEXT PRIMARY KEY, work DOUBLE PRECISION NOT NULL, sound DOUBLE PRECISION NOT NULL)",
    """CREATE TABLE feeds (
        address TEXT COLLATE "C" PRIMARY KEY,
        title TEXT NOT NULL,
        etag TEXT NOT NULL,
        modified TEXT NOT NULL,
        match TEXT NOT NULL
    )""",
    """CREATE TABLE seen (
        feed TEXT COLLATE "C" NOT NULL REFERENCES feeds ON DELETE CASCADE ON UPDATE CASCADE,
        guid TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (feed, guid)
    )""",
)

_LISTENERS = (
    "ALTER TABLE speeds RENAME TO step_speeds",
    """CREATE TABLE listened (
        listener TEXT COLLATE "C" NOT NULL,
        episode TEXT COLLATE "C" NOT NULL,
        position DOUBLE PRECISION NOT NULL,
        heard TEXT NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (listener, episode)
    )""",
    "CREATE INDEX listened_at ON listened (at)",
    """CREATE TABLE speeds (listener TEXT COLLATE "C" PRIMARY KEY, speed DOUBLE PRECISION NOT NULL)""",
    "CREATE TABLE household (listener TEXT NOT NULL)",
    """CREATE TABLE kept (
        listener TEXT COLLATE "C" NOT NULL,
        kind TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        version INTEGER NOT NULL,
        value TEXT NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        feed TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (listener, kind, name)
    )""",
    "CREATE INDEX kept_feed ON kept (feed, kind)",
    "CREATE INDEX kept_at ON kept (at)",
    "CREATE TABLE revision (last BIGINT NOT NULL)",
    """CREATE TABLE devices (
        person TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, caption TEXT NOT NULL, type TEXT NOT NULL,
        PRIMARY KEY (person, id)
    )""",
    """CREATE TABLE actions (
        person TEXT COLLATE "C" NOT NULL,
        episode TEXT COLLATE "C" NOT NULL,
        action TEXT COLLATE "C" NOT NULL,
        podcast TEXT NOT NULL,
        guid TEXT NOT NULL,
        device TEXT NOT NULL,
        timestamp TEXT NOT NULL,
        started BIGINT, position BIGINT, total BIGINT,
        revision BIGINT NOT NULL,
        PRIMARY KEY (person, episode, action)
    )""",
    "CREATE INDEX actions_revision ON actions (person, revision)",
    """CREATE TABLE app_feeds (
        address TEXT COLLATE "C" PRIMARY KEY, there INTEGER NOT NULL, revision BIGINT NOT NULL
    )""",
)
"""What ``ui.positions``, ``ui.listener_data`` and ``ui.home.gpodder`` have in files of their own at home."""

_SHOWS = ("""CREATE TABLE show_settings (show TEXT COLLATE "C" PRIMARY KEY, value TEXT NOT NULL)""",)
"""What ``ui.shows`` has in a file at home."""



def _sort(database: "Database") -> None:
    rows = database.execute("SELECT id, title, language FROM episodes").fetchall()
    database.executemany(
        "UPDATE episodes SET sorted = ? WHERE id = ?", [(sort_key(title, code), name) for name, title, code in rows]
    )


_SORTED = (
    """ALTER TABLE episodes ADD COLUMN sorted TEXT COLLATE "C" NOT NULL DEFAULT ''""",
    _sort,
    "CREATE INDEX episodes_sorted ON episodes (sorted, number)",
)
"""Titles in the order in which a person looks for them."""

MIGRATIONS: tuple[tuple[str | Callable[["Database"], None], ...], ...] = (_FIRST, _LISTENERS, _SHOWS, _SORTED)
"""Each step: its statements, and what they cannot say, in order. The table ``migrations`` tells how many of the steps a
database has seen."""
