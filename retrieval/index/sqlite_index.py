# SPDX-License-Identifier: GPL-3.0-or-later
"""The index: SQLite (words, places, texts) beside the files of vectors, all in one folder.

The files of vectors only ever grow at their end; which of their rows count is written in the database, in the same
transaction as everything else. So a crash, or a full disk, leaves at worst some bytes behind the last row that
counts, and the next writer overwrites them. Rows of removed episodes are passed over until there are many; then what
is left is copied to a new file. The index is made from the library and can be made again.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from episodes.text.stemming import has_stems
from retrieval.index import vectors as vector_files
from retrieval.index.chunking import UNIT_WORDS, WINDOW_WORDS
from retrieval.index.embedding import DIMENSION, Matrix
from retrieval.index.episode_passages import encode_passages
from retrieval.index.fts_stemmer import TOKENIZER, FtsStemmer
from retrieval.index.snapshot import language_stems, least_common
from retrieval.index.sqlite_snapshot import IndexState, SqliteSnapshot, read_state
from retrieval.index.token_store import TokenStore, projection_version
from retrieval.model import Passage
from voice.errors import LibraryError, NoSpace, from_os_error

_FORMAT = "11"  # of the tables and the matrix; another one is made anew
_BEFORE = "10"  # the format that lacks only the tables of places
_BUSY = 30.0  # seconds to wait for another writer
_WASTE = 4096  # dead rows from which on copying the living ones is worth it, when they are also a third of all
_COUNTED = 1000  # words of the library's that are counted with each episode that is added

_TABLES = (
    "vocabulary", "texts", "stems", "episodes", "spans", "gone", "scripts", "languages", "sums", "common", "meta",
)  # fmt: skip
_LAST = "\U0010ffff"  # behind all words

_TOKENS = f"tokenize='{TOKENIZER}', detail=none"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS episodes (
    id TEXT PRIMARY KEY, first INTEGER NOT NULL, texts INTEGER NOT NULL,
    units INTEGER NOT NULL, windows INTEGER NOT NULL, title TEXT NOT NULL, places BLOB NOT NULL, speakers TEXT NOT NULL,
    focus BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS spans (
    first INTEGER PRIMARY KEY, id TEXT NOT NULL, texts INTEGER NOT NULL, units INTEGER NOT NULL,
    windows INTEGER NOT NULL, version INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS spans_id ON spans (id);
CREATE INDEX IF NOT EXISTS spans_version ON spans (version);
CREATE TABLE IF NOT EXISTS gone (version INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (version, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scripts (
    id TEXT PRIMARY KEY, places BLOB NOT NULL, texts TEXT NOT NULL, ids BLOB NOT NULL, codes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sums (id TEXT PRIMARY KEY, vectors INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS languages (id TEXT PRIMARY KEY, language TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS common (word TEXT PRIMARY KEY, units INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, {_TOKENS});
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(texts, row);
CREATE VIRTUAL TABLE IF NOT EXISTS stems USING fts5(words, tokenize="unicode61 tokenchars '_'", detail=none);
"""
# The names of tables and columns are those of the stored format, which is read for as long as it can be: places are
# the records of the units, scripts the token stores.
# first: row of the matrix; texts: rowid of the first unit's text; both count on and are never used twice.
# spans: the same places in a few bytes, with the version that they came in; gone: what went, and when. So the state of
# a search is brought up to date by what is new.
# stems: the words of the texts that are not in English, under the same rowid, each behind the code of its language.


class SqliteIndex:
    """All passages of a library. Safe from several threads and processes."""

    def __init__(self, folder: Path, dimension: int = DIMENSION) -> None:
        self.folder = folder
        self.dimension = dimension
        self._lock = threading.Lock()
        self._free: list[sqlite3.Connection] = []
        self._state: IndexState | None = None
        self._stemmer = FtsStemmer()

    @classmethod
    def open(cls, folder: Path, model: str = "all-MiniLM-L6-v2", dimension: int = DIMENSION) -> "SqliteIndex":
        """Open the index in ``folder``, or begin an empty one; one of another ``model``, whose vectors have
        ``dimension`` numbers, or of another format is emptied.

        Raises LibraryError when the folder cannot be used, NoSpace when the disk is full.
        """
        index = cls(folder, dimension)
        with _translated("open the index"):
            folder.mkdir(parents=True, exist_ok=True)
            with index._writing() as db:
                known = dict(db.execute("SELECT name, value FROM meta"))
                model = f"{model} {projection_version()}" + (f" {dimension}" if dimension != DIMENSION else "")
                if (known.get("format"), known.get("model")) == (_BEFORE, model):
                    db.execute("INSERT INTO spans SELECT first, id, texts, units, windows, 0 FROM episodes")
                    db.execute("INSERT INTO meta SELECT 'units', coalesce(sum(units), 0) FROM spans")
                    index._set(db, "format", _FORMAT)
                elif (known.get("format"), known.get("model")) != (_FORMAT, model):
                    for table in _TABLES:
                        db.execute(f"DROP TABLE IF EXISTS {table}")
                    for statement in _SCHEMA.split(";"):
                        db.execute(statement)
                    start = {"format": _FORMAT, "model": model, "rows": "0", "texts": "0", "units": "0"}
                    start |= {"matrix": "vectors-1", "counted": "", "version": "1"}
                    db.executemany("INSERT INTO meta VALUES (?, ?)", start.items())
        return index

    def close(self) -> None:
        """Close what is open; the index can still be used afterwards."""
        with self._lock:
            free, self._free, self._state = self._free, [], None
        for db in free:
            db.close()

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes in the index."""
        with self.snapshot() as snapshot:
            return snapshot.episodes

    def holds(self, episode_id: str) -> bool:
        """Whether an episode is in the index."""
        with _translated("read the index"), self._connection() as db:
            return db.execute("SELECT 1 FROM spans WHERE id = ?", (episode_id,)).fetchone() is not None

    @property
    def synced_version(self) -> int | None:
        """The version of the library up to which the index was compared with it; None when it never was."""
        with _translated("read the index"), self._connection() as db:
            found = db.execute("SELECT value FROM meta WHERE name = 'mended'").fetchone()
        return int(found[0]) if found else None

    @synced_version.setter
    def synced_version(self, version: int | None) -> None:
        with _translated("write the index"), self._connection() as db:
            if version is None:
                db.execute("DELETE FROM meta WHERE name = 'mended'")
            else:
                db.execute("INSERT OR REPLACE INTO meta SELECT 'mended', ? WHERE NOT EXISTS"
                           " (SELECT 1 FROM meta WHERE name = 'mended' AND value = ?)", (str(version), str(version)))

    def add(
        self, episode_id: str, passages: Sequence[Passage], vectors: Matrix, title: str = "",
        tokens: TokenStore | None = None, language: str = "",
    ) -> None:
        """Put an episode in, replacing what was there under its id; all of it or nothing.

        ``vectors`` (n, dimension) has a row for each passage, in the order of ``chunking.passages``. ``title`` is what
        the episode is known by, its show and its guests too if one likes: it speaks for the episode, not for a place in
        it. ``tokens`` are what is read for answers; without them the episode can be browsed and answers nothing. By
        ``language`` (a code) its words are stemmed; those of one that is not known as if they were English.
        Raises NoSpace when the disk is full; the index is then as before.
        """
        places, focused, speakers = encode_passages(passages, vectors, self.dimension)
        units = [passage for passage in passages if passage.grain == UNIT_WORDS]
        windows = [passage for passage in passages if passage.grain == WINDOW_WORDS]
        with _translated("write the index"), self._writing() as db:
            self._forget(db, episode_id)
            if not passages:  # nothing of it can be found, and no row is its
                return
            rows, texts = self._number(db, "rows"), self._number(db, "texts")
            self._append(db, rows, vectors)
            db.execute("INSERT INTO sums VALUES (?, ?)", (episode_id, vector_files.checksum(vectors)))
            db.execute(
                "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (episode_id, rows, texts, len(units), len(windows), title, places, json.dumps(speakers),
                 focused),
            )
            db.execute(
                "INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?)",
                (rows, episode_id, texts, len(units), len(windows), self._number(db, "version") + 1),
            )
            if tokens is not None:
                db.execute("INSERT INTO scripts VALUES (?, ?, ?, ?, ?)", (episode_id, *tokens.to_blobs()))
            db.executemany(
                "INSERT INTO texts (rowid, text) VALUES (?, ?)",
                ((texts + number, unit.text) for number, unit in enumerate(units)),
            )
            if has_stems(language):
                db.execute("INSERT INTO languages VALUES (?, ?)", (episode_id, language))
                db.executemany(
                    "INSERT INTO stems (rowid, words) VALUES (?, ?)",
                    ((texts + number, language_stems(unit.text, language)) for number, unit in enumerate(units)),
                )
            self._set(db, "rows", rows + len(passages))
            self._set(db, "texts", texts + len(units))
            self._set(db, "units", self._number(db, "units") + len(units))
            self._count_common(db)
        self._tidy()

    def remove(self, episode_id: str) -> None:
        """Take an episode out; nothing happens when it is not there."""
        with _translated("write the index"), self._writing() as db:
            self._forget(db, episode_id)
        self._tidy()

    def damaged(self, most: int = 50_000) -> tuple[str, ...]:
        """The episodes whose vectors are not those that were written; what was written before sums were kept counts as
        whole. Reads ``most`` rows, about, at the speed of the disk; of a larger index those that follow the ones that
        were read the last time."""
        with _translated("read the index"):
            with self._connection() as db:
                known = db.execute("SELECT value FROM meta WHERE name = 'checked'").fetchone()
            since = int(known[0]) if known else 0
            with self.snapshot() as snapshot:
                matrix, found, row, read = snapshot._state.matrix, [], since, 0
                for episode_id, row, size, wanted in snapshot._db.execute(
                    "SELECT id, first, units + windows, vectors FROM spans JOIN sums USING (id) WHERE first >= ?"
                    " ORDER BY first", (since,),
                ):  # fmt: skip
                    if read >= most:
                        break
                    read += size
                    if vector_files.checksum_of(matrix, row, row + size) != wanted:
                        found.append(episode_id)
                else:
                    row = 0
            with self._connection() as db:
                db.execute("INSERT OR REPLACE INTO meta SELECT 'checked', ? WHERE ? != ?", (str(row), row, since))
        return tuple(found)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """A consistent look at the index; what other threads and processes write meanwhile does not show in it."""
        with _translated("read the index"), self._connection() as db:
            db.execute("BEGIN")
            try:
                version = self._number(db, "version")
                state = self._state
                if state is None or state.version != version:
                    state = read_state(db, self.folder, version, state, self.dimension)
                    with self._lock:
                        if self._state is None or self._state.version < version:
                            self._state = state
                yield SqliteSnapshot(db, state, self._stemmer)
            finally:
                db.execute("COMMIT")

    # what follows works inside a transaction of the caller

    def _append(self, db: sqlite3.Connection, rows: int, vectors: Matrix) -> None:
        """Write vectors behind the last row that counts; they are on the disk before the transaction ends."""
        vector_files.append(self.folder, self._text(db, "matrix"), rows, vectors)

    def _forget(self, db: sqlite3.Connection, episode_id: str) -> None:
        found = db.execute("SELECT texts, units FROM spans WHERE id = ?", (episode_id,)).fetchone()
        if found:
            first, units = found
            db.execute("DELETE FROM spans WHERE id = ?", (episode_id,))
            db.execute("INSERT INTO gone VALUES (?, ?)", (self._number(db, "version") + 1, episode_id))
            self._set(db, "units", self._number(db, "units") - units)
            db.execute("DELETE FROM texts WHERE rowid BETWEEN ? AND ?", (first, first + units - 1))
            db.execute("DELETE FROM stems WHERE rowid BETWEEN ? AND ?", (first, first + units - 1))
            db.execute("DELETE FROM languages WHERE id = ?", (episode_id,))
            db.execute("DELETE FROM episodes WHERE id = ?", (episode_id,))
            db.execute("DELETE FROM scripts WHERE id = ?", (episode_id,))
            db.execute("DELETE FROM sums WHERE id = ?", (episode_id,))

    def _count_common(self, db: sqlite3.Connection) -> None:
        """Count some of the words, those that follow the ones counted last, and note which of them are common.

        So adding costs the same in a large library, and every word's turn comes again before the library has grown
        much: it has some hundred words for each episode, no more.
        """
        since = self._text(db, "counted")
        found = db.execute("SELECT term, doc FROM vocabulary WHERE term > ? LIMIT ?", (since, _COUNTED)).fetchall()
        until = found[-1][0] if len(found) == _COUNTED else _LAST
        least = least_common(self._number(db, "units"))
        db.execute("DELETE FROM common WHERE word > ? AND word <= ?", (since, until))
        db.executemany("INSERT INTO common VALUES (?, ?)", ((term, count) for term, count in found if count > least))
        self._set(db, "counted", "" if until == _LAST else until)

    def _tidy(self) -> None:
        """Copy the rows that count to a new matrix file when many in the old one do not."""
        with self.snapshot() as snapshot:
            state = snapshot._state
        dead = len(state.matrix.exact) - int((state.units + state.windows).sum())
        if dead < _WASTE or 3 * dead < len(state.matrix.exact):
            return
        with _translated("tidy the index"), self._writing() as db:
            old, new = self._text(db, "matrix"), f"vectors-{self._number(db, 'version') + 1}"
            found = db.execute("SELECT id, first, units + windows FROM spans ORDER BY first").fetchall()
            runs = [(first, first + size) for _, first, size in found]
            vector_files.copy_ranges(self.folder, old, new, runs, self.dimension)
            rows = 0
            for episode_id, _, size in found:
                for table in ("episodes", "spans"):  # the first rows move down in order: none meets another
                    db.execute(f"UPDATE {table} SET first = ? WHERE id = ?", (rows, episode_id))  # noqa: S608
                rows += size
            db.execute("DELETE FROM gone")  # the new name of the matrix makes everybody read all places again
            self._set(db, "rows", rows)
            self._set(db, "matrix", new)
        for stale in self.folder.glob("vectors-*"):  # also what a crash has left
            if stale.name not in vector_files.file_names(new):
                with suppress(OSError):  # Windows keeps a file that somebody still reads; the next tidying takes it
                    stale.unlink()

    @staticmethod
    def _text(db: sqlite3.Connection, name: str) -> str:
        return str(db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    @classmethod
    def _number(cls, db: sqlite3.Connection, name: str) -> int:
        return int(cls._text(db, name))

    @staticmethod
    def _set(db: sqlite3.Connection, name: str, value: int | str) -> None:
        db.execute("UPDATE meta SET value = ? WHERE name = ?", (str(value), name))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is the only writing one in all processes; its end makes a new version."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("UPDATE meta SET value = value + 1 WHERE name = 'version'")
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        with self._lock:
            db = self._free.pop() if self._free else None
        if db is None:
            db = self._connect()
        try:
            yield db
        except sqlite3.DatabaseError:
            db.close()
            raise
        else:
            with self._lock:
                self._free.append(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.folder / "index.db", timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        return db


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn errors of the disk and the database, met while doing ``what``, into ours."""
    try:
        yield
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise NoSpace(
                f"The disk is full: could not {what}.", "Free some space, then run the same command again."
            ) from error
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise LibraryError(f"Could not {what} ({error}).", "Check that its folder can be written.") from error
        raise LibraryError(
            f"Could not {what} ({error}).",
            "If this happens again, remove the folder 'index': 'earmark serve' makes it anew.",
        ) from error
    except OSError as error:
        raise from_os_error(error, what) from error
