# SPDX-License-Identifier: GPL-3.0-or-later
"""The index on a PostgreSQL server with pgvector: what ``SqliteIndex`` does, where many machines work.

Vectors have half precision; the nearest of all are found by HNSW, those of some episodes are compared one by one.
Stems are made here, as SQLite makes them, and the server only finds what holds them. Which words are common, and which
a question looks for, is decided by the same code for both engines.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from episodes.store.postgres import PostgresDatabase
from episodes.text.stemming import has_stems
from retrieval.index.chunking import UNIT_WORDS, WINDOW_WORDS
from retrieval.index.embedding import DIMENSION, Matrix
from retrieval.index.episode_passages import EpisodePassages, encode_passages
from retrieval.index.fts_stemmer import FtsStemmer
from retrieval.index.postgres_snapshot import PostgresSnapshot, Versioned, literal
from retrieval.index.snapshot import language_stems
from retrieval.index.token_store import TokenStore, projection_version
from retrieval.model import Passage

_FORMAT = "1"  # of the tables; another one is made anew
_KEPT_EPISODES, _KEPT_TOKEN_STORES = 256, 64  # kept in memory, some 500 KB and two megabytes each
M, CONSTRUCTION = 24, 200  # of HNSW, with 1000 candidates: 0.997 of the true fifty nearest among 200,000
_TABLES = ("meta", "episodes", "scripts", "passages", "texts", "words")
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('words of ' || current_schema()))"


class PostgresIndex:
    """All passages of a library, on a server. Safe from several threads and processes."""

    def __init__(self, database: PostgresDatabase, name: str, dimension: int = DIMENSION) -> None:
        self._database = database
        self._name = "index_" + re.sub(r"\W", "_", name.lower())[:40]
        self.dimension = dimension
        self._stemmer = FtsStemmer()
        self._passages: Versioned[EpisodePassages] = Versioned(_KEPT_EPISODES)
        self._token_stores: Versioned[TokenStore | None] = Versioned(_KEPT_TOKEN_STORES)

    @classmethod
    def open(
        cls, database: PostgresDatabase, name: str, model: str = "all-MiniLM-L6-v2", dimension: int = DIMENSION
    ) -> "PostgresIndex":
        """The index of this name, made when it is not there; one of another ``model`` or format is emptied.

        Raises LibraryError when the server lacks pgvector.
        """
        index = cls(database, name, dimension)
        wanted = f"{_FORMAT} {model} {projection_version()} {dimension}"
        with database.transaction():
            there = index._execute("SELECT to_regclass(?)", (f"{index._name}_meta",)).fetchone()[0]
            known = index._meta("model") if there is not None else None
            if known != wanted:
                for table in _TABLES:
                    index._execute(f"DROP TABLE IF EXISTS {{}}_{table} CASCADE")
                for statement in _tables(dimension):
                    index._execute(statement)
                index._execute("INSERT INTO {}_meta VALUES ('model', ?)", (wanted,))
        return index

    def close(self) -> None:
        """Nothing is open but what belongs to the database."""

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes in the index."""
        with self.snapshot() as snapshot:
            return snapshot.episodes

    def holds(self, episode_id: str) -> bool:
        """Whether an episode is in the index."""
        with self._database.errors():
            return self._execute("SELECT 1 FROM {}_episodes WHERE id = ?", (episode_id,)).fetchone() is not None

    @property
    def synced_version(self) -> int | None:
        """The version of the library up to which the index was compared with it; None when it never was."""
        with self._database.errors():
            found = self._meta("mended")
        return int(found) if found else None

    @synced_version.setter
    def synced_version(self, version: int | None) -> None:
        with self._database.transaction(alone=False):
            self._execute(
                "INSERT INTO {}_meta VALUES ('mended', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                ("" if version is None else str(version),),
            )

    def damaged(self) -> tuple[str, ...]:
        """The server keeps sums of its own pages."""
        return ()

    def add(
        self, episode_id: str, passages: Sequence[Passage], vectors: Matrix, title: str = "",
        tokens: TokenStore | None = None, language: str = "",
    ) -> None:
        """Put an episode in, replacing what was there under its id; all of it or nothing. See ``SqliteIndex.add``."""
        places, focused, speakers = encode_passages(passages, vectors, self.dimension)
        units = [passage for passage in passages if passage.grain == UNIT_WORDS]
        windows = sum(passage.grain == WINDOW_WORDS for passage in passages)
        language = language if has_stems(language) else ""
        texts = []
        for number, unit in enumerate(units):
            stems = set(self._stemmer.stems(unit.text))
            stems |= set(language_stems(unit.text, language).split()) if language else set()
            texts.append((episode_id, number, unit.text, sorted(stems)))
        counted = Counter(stem for *_, stems in texts for stem in stems)
        with self._database.transaction(alone=False):
            gone = self._forget(episode_id)
            self._execute(
                "INSERT INTO {}_episodes (id, units, windows, title, places, speakers, focus, language)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (episode_id, len(units), windows, title, places, json.dumps(speakers), focused, language),
            )
            rows = zip(range(len(passages)), map(literal, vectors), strict=True)
            self._many(
                "INSERT INTO {}_passages VALUES (?, ?, ?::halfvec)", ((episode_id, number, row) for number, row in rows)
            )
            self._many("INSERT INTO {}_texts VALUES (?, ?, ?, ?)", texts)
            if tokens is not None:
                self._execute("INSERT INTO {}_scripts VALUES (?, ?, ?, ?, ?)", (episode_id, *tokens.to_blobs()))
            self._count(counted, gone)

    def remove(self, episode_id: str) -> None:
        """Take an episode out; nothing happens when it is not there."""
        with self._database.transaction(alone=False):
            self._count(Counter(), self._forget(episode_id))

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """A consistent look at the index; what others write meanwhile does not show in it."""
        with self._database.errors(), self._database.transaction(alone=False):
            self._execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresSnapshot(self)

    # what follows works inside a transaction of the caller

    def _forget(self, episode_id: str) -> Counter[str]:
        """Remove what is there of an episode; returns in how many of its units each stem stood."""
        rows = self._execute(
            "SELECT stem, count(*) FROM {}_texts, unnest(stems) AS stem WHERE episode = ? GROUP BY stem", (episode_id,)
        ).fetchall()
        self._execute("DELETE FROM {}_episodes WHERE id = ?", (episode_id,))
        return Counter(dict(rows))

    def _count(self, new: Counter[str], gone: Counter[str]) -> None:
        """Bring up to date in how many units each stem stands: at the end, since others wait for it."""
        changed = {stem: new[stem] - gone[stem] for stem in new.keys() | gone.keys() if new[stem] != gone[stem]}
        if changed:
            self._execute(_ALONE)
            self._execute(
                "INSERT INTO {}_words SELECT * FROM unnest(?::text[], ?::bigint[]) ON CONFLICT (stem)"
                " DO UPDATE SET units = {}_words.units + excluded.units",
                (list(changed), list(changed.values())),
            )

    def _meta(self, name: str) -> str | None:
        found = self._execute("SELECT value FROM {}_meta WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def _execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        return self._database.execute(statement.replace("{}", self._name), values)

    def _many(self, statement: str, rows: Any) -> None:
        self._database.executemany(statement.replace("{}", self._name), rows)


def _tables(dimension: int) -> tuple[str, ...]:
    return (
        "CREATE EXTENSION IF NOT EXISTS vector",
        "CREATE TABLE {}_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE {}_episodes (
            id TEXT COLLATE "C" PRIMARY KEY, serial BIGSERIAL, units INTEGER NOT NULL, windows INTEGER NOT NULL,
            title TEXT NOT NULL, places BYTEA NOT NULL, speakers TEXT NOT NULL, focus BYTEA NOT NULL,
            language TEXT NOT NULL
        )""",
        """CREATE TABLE {}_scripts (
            id TEXT COLLATE "C" PRIMARY KEY REFERENCES {}_episodes ON DELETE CASCADE, places BYTEA NOT NULL,
            texts TEXT NOT NULL, ids BYTEA NOT NULL, codes BYTEA NOT NULL
        )""",
        f"""CREATE TABLE {{}}_passages (
            episode TEXT COLLATE "C" NOT NULL REFERENCES {{}}_episodes ON DELETE CASCADE, number INTEGER NOT NULL,
            vector halfvec({dimension}) NOT NULL, PRIMARY KEY (episode, number)
        )""",
        f"CREATE INDEX {{}}_nearest ON {{}}_passages USING hnsw (vector halfvec_ip_ops)"
        f" WITH (m = {M}, ef_construction = {CONSTRUCTION})",
        """CREATE TABLE {}_texts (
            episode TEXT COLLATE "C" NOT NULL REFERENCES {}_episodes ON DELETE CASCADE, number INTEGER NOT NULL,
            text TEXT NOT NULL, stems TEXT[] NOT NULL, PRIMARY KEY (episode, number)
        )""",
        "CREATE INDEX {}_stems ON {}_texts USING gin (stems)",
        """CREATE TABLE {}_words (stem TEXT COLLATE "C" PRIMARY KEY, units BIGINT NOT NULL)""",
    )
