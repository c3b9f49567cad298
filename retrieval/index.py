# SPDX-License-Identifier: GPL-3.0-or-later
"""The index: SQLite (words, places, texts) beside one file of vectors, both in one folder.

The matrix file only ever grows at its end; which of its rows count is written in the database, in the same
transaction as everything else. So a crash, or a full disk, leaves at worst some bytes behind the last row that
counts, and the next writer overwrites them. Rows of removed episodes are passed over until there are many; then what
is left is copied to a new file. The index is made from the library and can be made again.
"""

import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.embed import DIMENSION, Matrix
from retrieval.model import Passage
from retrieval.passages import UNIT, WINDOW, window_spans
from retrieval.shape import SCALES, focus, seams
from voice.errors import LibraryError, NoSpace, from_os_error

Rows = npt.NDArray[np.int64]
Seconds = npt.NDArray[np.float64]

_FORMAT = "4"  # of the tables and the matrix; another one is made anew
_ROW_BYTES = 4 * DIMENSION
_BUSY = 30.0  # seconds to wait for another writer
_WASTE = 4096  # dead rows from which on copying the living ones is worth it, when they are also a third of all
_COMMON = 0.005  # share of the units from which on a word is common: searched inside episodes only
_RARE = 1000  # units that a word may stand in without being common, however small the library is
_FUZZY = 6  # letters of a stem from which on it may be taken for a similar one
_ALIKE = 0.8  # how similar, 0..1
_WORD = re.compile(r"[^\W_]+")

_TOKENS = "tokenize='porter unicode61 remove_diacritics 2', detail=none"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS episodes (
    id TEXT PRIMARY KEY, first INTEGER NOT NULL, units INTEGER NOT NULL, windows INTEGER NOT NULL,
    places BLOB NOT NULL, speakers TEXT NOT NULL, focus BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS common (word TEXT PRIMARY KEY, units INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, {_TOKENS});
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(texts, row);
"""  # one row of texts for each unit, its rowid is the row of the matrix

_PLACE = np.dtype([
    ("start", "<f8"), ("end", "<f8"), ("words", "<u2"), ("break", "u1"), ("speaker", "<u2"), ("asks", "u1"),
    ("seams", "<f4", (len(SCALES),)), ("offset", "<f4"),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the passages of one episode lie, as arrays over its units and its windows.

    ``row`` is the first unit's row in the matrix; the windows' rows follow the units'. Of the units: ``start`` and
    ``end`` in seconds, ``words`` counts, ``break_`` as in Passage, ``speaker`` numbers into ``speakers``, ``asks`` 1
    where there is a question, ``seams`` (units, 3) as in ``shape.seams``, ``focus`` (units, 384) and ``offset`` as
    in ``shape.focus``. Of the windows: ``first`` and ``last`` (exclusive), the units that each spans.
    """

    episode_id: str
    row: int
    start: Seconds
    end: Seconds
    words: npt.NDArray[np.int64]
    break_: npt.NDArray[np.int64]
    speaker: npt.NDArray[np.int64]
    speakers: tuple[str, ...]
    asks: npt.NDArray[np.int64]
    seams: npt.NDArray[np.float32]
    focus: npt.NDArray[np.float16]
    offset: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]

    @property
    def units(self) -> int:
        """How many units the episode has."""
        return len(self.start)


@dataclass(frozen=True, slots=True)
class _State:
    """What a search needs in memory; made anew when the database's version has changed."""

    version: int
    rows: int
    matrix: Matrix
    ids: tuple[str, ...]  # in the order of their rows
    first: Rows
    units: Rows
    windows: Rows
    common: dict[str, int]

    def place(self, episode_id: str) -> int | None:
        for number, known in enumerate(self.ids):
            if known == episode_id:
                return number
        return None


class View:
    """One consistent look at the index, as of one moment. Made by ``Index.view``; used by one thread."""

    def __init__(self, index: "Index", db: sqlite3.Connection, state: _State) -> None:
        self._index, self._db, self._state = index, db, state

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes."""
        return self._state.ids

    @property
    def units(self) -> int:
        """How many units all episodes have together."""
        return int(self._state.units.sum())

    def layout(self, episode_id: str) -> Layout | None:
        """The places of one episode's passages; None when it is not in the index."""
        return self._index._layout(self._db, self._state, episode_id)

    def vectors(self, layout: Layout) -> Matrix:
        """Unit rows of an episode: its units', then its windows' (memory-mapped, not to be written to)."""
        return self._state.matrix[layout.row : layout.row + layout.units + len(layout.first)]

    def dense(self, vector: Matrix, count: int) -> list[tuple[str, Rows, Matrix]]:
        """The ``count`` passages of the library that lie nearest to ``vector`` (384,), grouped by episode.

        Each group: id, numbers of passages inside the episode (units first, then windows), cosines.
        """
        state = self._state
        scores = np.einsum("ij,j->i", state.matrix, vector)  # reads at memory speed; BLAS does not
        for first, last in _gaps(state):
            scores[first:last] = -np.inf
        best = np.argpartition(scores, -count)[-count:] if count < len(scores) else np.arange(len(scores))
        return self._grouped(best[np.isfinite(scores[best])], scores)

    def words(self, text: str) -> list[str]:
        """The different words of a text that can be looked up, in order, one for each stem.

        A word that stands nowhere in the library, often one that was misheard or is written in another way there,
        gives its place to what the library has instead: "homeo stasis" homeostasis, "softfork" soft and fork,
        "optimise" optimize, "symulation" simulation.
        """
        said = _WORD.findall(text.lower())
        found: dict[str, str] = {}
        skip = False
        for word, following in zip_longest(said, said[1:], fillvalue=""):
            if skip:
                skip = False
                continue
            known = self.frequency(word) > 0
            strange = bool(following) and not (known and self.frequency(following))
            skip = strange and self.frequency(word + following) > 0
            forms = (word + following,) if skip else (word,) if known else self._instead(word)
            for form in forms:
                found.setdefault(self._index._stem(self._db, form), form)
        return list(found.values())

    def _instead(self, word: str) -> tuple[str, ...]:
        for other in {word.replace("is", "iz"), word.replace("our", "or")} - {word}:
            if self.frequency(other):
                return (other,)
        for cut in range(3, len(word) - 2):
            if self.frequency(word[:cut]) and self.frequency(word[cut:]):
                return word[:cut], word[cut:]
        stem = self._index._stem(self._db, word)
        if len(stem) < _FUZZY:
            return (word,)
        near = self._db.execute(
            "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?",
            (stem[:2], stem[:2] + "\uffff", len(stem) - 2, len(stem) + 2),
        )
        return tuple(get_close_matches(stem, [term for (term,) in near], 1, _ALIKE)) or (word,)

    def frequency(self, word: str) -> int:
        """In how many units of the library a word stands, in any of its forms."""
        common = self._state.common.get(self._index._stem(self._db, word))
        if common is not None:
            return common
        (count,) = self._db.execute("SELECT count(*) FROM texts WHERE texts MATCH ?", (f'"{word}"',)).fetchone()
        return int(count)

    def common(self, word: str) -> bool:
        """True for a word that stands in so many units that looking it up in the whole library takes long."""
        return self._index._stem(self._db, word) in self._state.common

    def holding(self, word: str, layout: Layout | None = None) -> Rows:
        """The units that hold a word in any of its forms: rows of the matrix, or numbers inside one episode."""
        if layout is None:
            found = self._db.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (f'"{word}"',))
            return np.fromiter((row for (row,) in found), np.int64)
        found = self._db.execute(
            "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?",
            (f'"{word}"', layout.row, layout.row + layout.units - 1),
        )
        return np.fromiter((row - layout.row for (row,) in found), np.int64)

    def grouped(self, rows: Rows) -> list[tuple[str, Rows]]:
        """Rows of the matrix by episode: id and numbers of passages inside it."""
        return [(episode_id, numbers) for episode_id, numbers, _ in self._grouped(rows, None)]

    def texts(self, layout: Layout, first: int, last: int) -> list[str]:
        """The texts of the units ``first`` to ``last`` (exclusive) of an episode."""
        found = self._db.execute(
            "SELECT text FROM texts WHERE rowid BETWEEN ? AND ? ORDER BY rowid",
            (layout.row + first, layout.row + last - 1),
        )
        return [text for (text,) in found]

    def _grouped(self, rows: Rows, scores: Matrix | None) -> list[tuple[str, Rows, Matrix]]:
        state = self._state
        if not len(rows) or not len(state.first):
            return []
        rows = np.sort(rows)
        owner = np.searchsorted(state.first, rows, side="right") - 1
        numbers = rows - state.first[owner]
        alive = (owner >= 0) & (numbers < (state.units + state.windows)[owner])
        owner, numbers, rows = owner[alive], numbers[alive], rows[alive]
        groups = []
        for number in np.unique(owner):
            mine = owner == number
            values = scores[rows[mine]] if scores is not None else np.zeros(0, np.float32)
            groups.append((state.ids[number], numbers[mine], values))
        return groups


class Index:
    """All passages of a library. Safe from several threads and processes."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self._model = model
        self._lock = threading.Lock()
        self._free: list[sqlite3.Connection] = []
        self._state: _State | None = None
        self._layouts: dict[str, Layout] = {}
        self._stems: dict[str, str] = {}

    @classmethod
    def open(cls, folder: Path, model: str = "all-MiniLM-L6-v2") -> "Index":
        """Open the index in ``folder``, or begin an empty one; one of another ``model`` or format is emptied.

        Raises LibraryError when the folder cannot be used, NoSpace when the disk is full.
        """
        index = cls(folder, model)
        with _translated("open the index"):
            folder.mkdir(parents=True, exist_ok=True)
            with index._writing() as db:
                known = dict(db.execute("SELECT name, value FROM meta"))
                if (known.get("format"), known.get("model")) != (_FORMAT, model):
                    for table in ("vocabulary", "texts", "episodes", "common", "meta"):
                        db.execute(f"DROP TABLE IF EXISTS {table}")
                    for statement in _SCHEMA.split(";"):
                        db.execute(statement)
                    start = {"format": _FORMAT, "model": model, "rows": "0", "matrix": "vectors-1.f32", "counted": "0"}
                    db.executemany("INSERT INTO meta VALUES (?, ?)", start.items())
                    db.execute("INSERT INTO meta VALUES ('version', '1')")
        return index

    def close(self) -> None:
        """Close what is open; the index can still be used afterwards."""
        with self._lock:
            free, self._free, self._state = self._free, [], None
            self._layouts.clear()
        for db in free:
            db.close()

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes in the index."""
        with self.view() as view:
            return view.episodes

    def add(self, episode_id: str, passages: Sequence[Passage], vectors: Matrix) -> None:
        """Put an episode in, replacing what was there under its id; all of it or nothing.

        ``vectors`` (n, 384) has one row for each passage, in the order of ``passages.passages``.
        Raises NoSpace when the disk is full; the index is then as before.
        """
        if vectors.shape != (len(passages), DIMENSION):
            raise ValueError(f"{len(passages)} passages but vectors of shape {vectors.shape}")
        units = [passage for passage in passages if passage.grain == UNIT]
        windows = [passage for passage in passages if passage.grain == WINDOW]
        if list(passages) != units + windows:
            raise ValueError("passages must be units, then windows")
        speakers = list(dict.fromkeys(passage.speaker for passage in passages))
        places = np.zeros(len(units), _PLACE)
        for place, unit in zip(places, units, strict=True):
            place["start"], place["end"] = unit.start, unit.end
            place["words"], place["break"] = min(len(unit.text.split()), 65535), unit.break_
            place["speaker"], place["asks"] = speakers.index(unit.speaker), "?" in unit.text
        places["seams"] = seams(vectors[: len(units)], places["words"].tolist())
        rows_of_focus, places["offset"] = focus(vectors[: len(units)])
        focused = rows_of_focus.astype(np.float16).tobytes()
        with _translated("write the index"), self._writing() as db:
            self._forget(db, episode_id)
            rows = self._number(db, "rows")
            self._append(db, rows, vectors)
            db.execute(
                "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?)",
                (episode_id, rows, len(units), len(windows), places.tobytes(), json.dumps(speakers), focused),
            )
            db.executemany(
                "INSERT INTO texts (rowid, text) VALUES (?, ?)",
                ((rows + number, unit.text) for number, unit in enumerate(units)),
            )
            self._set(db, "rows", rows + len(passages))
            self._count_common(db)
        self._tidy()

    def remove(self, episode_id: str) -> None:
        """Take an episode out; nothing happens when it is not there."""
        with _translated("write the index"), self._writing() as db:
            self._forget(db, episode_id)
        self._tidy()

    @contextmanager
    def view(self) -> Iterator[View]:
        """A consistent look at the index; what other threads and processes write meanwhile does not show in it."""
        with _translated("read the index"), self._connection() as db:
            db.execute("BEGIN")
            try:
                version = self._number(db, "version")
                state = self._state
                if state is None or state.version != version:
                    state = self._load(db, version)
                yield View(self, db, state)
            finally:
                db.execute("COMMIT")

    # what follows works inside a transaction of the caller

    def _load(self, db: sqlite3.Connection, version: int) -> _State:
        known = dict(db.execute("SELECT name, value FROM meta"))
        rows = int(known["rows"])
        if rows:
            path = self.folder / known["matrix"]
            if path.stat().st_size < rows * _ROW_BYTES:
                raise LibraryError(
                    f"The search index is damaged: {path.name} is too short.",
                    f"Remove the folder {self.folder} and run `earmark index` to make it again.",
                )
            matrix: Matrix = np.memmap(path, np.float32, "r", shape=(rows, DIMENSION))
        else:
            matrix = np.zeros((0, DIMENSION), np.float32)
        found = db.execute("SELECT id, first, units, windows FROM episodes ORDER BY first").fetchall()
        numbers = np.array([row[1:] for row in found], np.int64).reshape(-1, 3)
        state = _State(
            version, rows, matrix, tuple(row[0] for row in found), numbers[:, 0], numbers[:, 1], numbers[:, 2],
            dict(db.execute("SELECT word, units FROM common")),
        )  # fmt: skip
        with self._lock:
            if self._state is None or self._state.version < version:
                self._state = state
                self._layouts.clear()
        return state

    def _layout(self, db: sqlite3.Connection, state: _State, episode_id: str) -> Layout | None:
        current = self._state is state
        if current and (kept := self._layouts.get(episode_id)):
            return kept
        found = db.execute(
            "SELECT first, places, speakers, focus FROM episodes WHERE id = ?", (episode_id,)
        ).fetchone()
        if found is None:
            return None
        row, blob, speakers, focused = found
        units = np.frombuffer(blob, _PLACE)
        spans = np.array(window_spans(units["words"].tolist(), units["break"].tolist()), np.int64).reshape(-1, 2)
        layout = Layout(
            episode_id, row, units["start"].astype(np.float64), units["end"].astype(np.float64),
            units["words"].astype(np.int64), units["break"].astype(np.int64), units["speaker"].astype(np.int64),
            tuple(json.loads(speakers)), units["asks"].astype(np.int64), units["seams"],
            np.frombuffer(focused, np.float16).reshape(-1, DIMENSION), units["offset"], spans[:, 0], spans[:, 1],
        )  # fmt: skip
        if current:
            with self._lock:
                if self._state is state:
                    self._layouts[episode_id] = layout
        return layout

    def _stem(self, db: sqlite3.Connection, word: str) -> str:
        """The form under which the tokenizer of the index files a word."""
        stem = self._stems.get(word)
        if stem is None:
            db.execute("INSERT INTO temp.probe (rowid, text) VALUES (1, ?)", (word,))
            found = db.execute("SELECT term FROM temp.probed").fetchone()
            db.execute("DELETE FROM temp.probe")
            stem = found[0] if found else word
            with self._lock:
                if len(self._stems) > 20_000:
                    self._stems.clear()
                self._stems[word] = stem
        return stem

    def _append(self, db: sqlite3.Connection, rows: int, vectors: Matrix) -> None:
        """Write vectors behind the last row that counts, and see them on the disk before the transaction ends."""
        path = self.folder / self._text(db, "matrix")
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(rows * _ROW_BYTES)
            try:
                file.write(np.ascontiguousarray(vectors, np.float32).tobytes())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(rows * _ROW_BYTES)
                raise

    def _forget(self, db: sqlite3.Connection, episode_id: str) -> None:
        found = db.execute("SELECT first, units FROM episodes WHERE id = ?", (episode_id,)).fetchone()
        if found:
            first, units = found
            db.execute("DELETE FROM texts WHERE rowid BETWEEN ? AND ?", (first, first + units - 1))
            db.execute("DELETE FROM episodes WHERE id = ?", (episode_id,))

    def _count_common(self, db: sqlite3.Connection) -> None:
        """Note the common words anew when the library has grown by a quarter since the last count."""
        units = db.execute("SELECT coalesce(sum(units), 0) FROM episodes").fetchone()[0]
        if units > max(_RARE, 1.25 * self._number(db, "counted")):
            db.execute("DELETE FROM common")
            db.execute(
                "INSERT INTO common SELECT term, doc FROM vocabulary WHERE doc > ?", (max(_RARE, _COMMON * units),)
            )
            self._set(db, "counted", units)

    def _tidy(self) -> None:
        """Copy the rows that count to a new matrix file when many in the old one do not."""
        with self.view() as view:
            state = view._state
        dead = state.rows - int((state.units + state.windows).sum())
        if dead < _WASTE or 3 * dead < state.rows:
            return
        with _translated("tidy the index"), self._writing() as db:
            old = self._text(db, "matrix")
            new = f"vectors-{self._number(db, 'version') + 1}.f32"
            rows = 0
            found = db.execute("SELECT id, first, units, windows FROM episodes ORDER BY first").fetchall()
            with (self.folder / old).open("rb") as source, (self.folder / new).open("wb") as target:
                for episode_id, first, units, windows in found:
                    source.seek(first * _ROW_BYTES)
                    target.write(source.read((units + windows) * _ROW_BYTES))
                    # towards the front, in order: a row that is still needed is never overwritten
                    db.execute("UPDATE texts SET rowid = rowid - ? WHERE rowid BETWEEN ? AND ?",
                               (first - rows, first, first + units - 1))
                    db.execute("UPDATE episodes SET first = ? WHERE id = ?", (rows, episode_id))
                    rows += units + windows
                target.flush()
                os.fsync(target.fileno())
            self._set(db, "rows", rows)
            self._set(db, "matrix", new)
        for stale in self.folder.glob("vectors-*.f32"):  # also what a crash has left
            if stale.name != new:
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
        db.execute(f"CREATE VIRTUAL TABLE temp.probe USING fts5(text, {_TOKENS})")
        db.execute("CREATE VIRTUAL TABLE temp.probed USING fts5vocab(temp, probe, row)")
        return db


def _gaps(state: _State) -> list[tuple[int, int]]:
    """The rows, first and last (exclusive), that belong to no episode."""
    ends = state.first + state.units + state.windows
    starts = np.append(state.first, state.rows)
    before = np.insert(ends, 0, 0)
    return [(int(a), int(b)) for a, b in zip(before, starts, strict=True) if b > a]


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
        raise LibraryError(
            f"Could not {what} ({error}).", "If this happens again, run `earmark index` to make the index anew."
        ) from error
    except OSError as error:
        raise from_os_error(error, what) from error
