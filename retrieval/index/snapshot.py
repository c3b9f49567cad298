# SPDX-License-Identifier: GPL-3.0-or-later
"""One consistent look at the index: where passages lie, what they say, what is near a question."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path

import numpy as np

from episodes.text.stemming import stem
from retrieval.index.embedding import DIMENSION, Matrix
from retrieval.index.places import WORD, Layout, Rows, made_layout
from retrieval.index.script import Script
from retrieval.index.tokens import Tokens
from retrieval.index.vectors import Stored, nearest, stored
from voice.errors import LibraryError

COMMON = 0.005
"""Share of the units from which on a word is common: searched inside episodes only."""
RARE = 1000
"""Units that a word may stand in without being common, however small the library is."""

_FUZZY = 6  # letters of a stem from which on it may be taken for a similar one
_ALIKE = 0.8  # how similar, 0..1
_LAYOUTS = 64  # layouts kept in memory, some 500 KB each
_SCRIPTS = 24  # scripts kept in memory, some two megabytes each
_TEXTS_WITH = "SELECT rowid FROM texts WHERE texts MATCH ?"
_STEMS_WITH = "SELECT rowid FROM stems WHERE stems MATCH ?"


@dataclass(frozen=True, slots=True)
class IndexState:
    """What a search needs in memory, as of one version of the index.

    ``ids`` of the episodes in the order of their rows; for each its first row in the matrix, the number of its first
    text, how many units and windows it has. ``common`` words and in how many units each stands. ``languages``: in
    order, the codes of those whose words are not stemmed as English.
    """

    version: int
    file: str
    matrix: Stored
    ids: tuple[str, ...]
    first: Rows
    texts: Rows
    units: Rows
    windows: Rows
    common: dict[str, int]
    languages: tuple[str, ...]
    layouts: dict[str, Layout] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)

    def rows_of(self, within: Collection[str] | None) -> list[tuple[int, int]]:
        """The runs of rows, first and last (exclusive), that belong to episodes (to those ``within``)."""
        first, last = self.first, self.first + self.units + self.windows
        if within is not None:
            wanted = np.array([name in within for name in self.ids], bool)
            first, last = first[wanted], last[wanted]
        if not len(first):
            return []
        apart = np.flatnonzero(first[1:] != last[:-1]) + 1
        begins, ends = np.insert(apart, 0, 0), np.append(apart, len(first)) - 1
        return [(int(first[a]), int(last[b])) for a, b in zip(begins, ends, strict=True)]


def read_state(
    db: sqlite3.Connection, folder: Path, version: int, before: IndexState | None, width: int = DIMENSION
) -> IndexState:
    """Read the state from the database; what ``before`` has kept is taken over where it still holds. Vectors have
    ``width`` numbers.

    Raises LibraryError when the file of vectors is shorter than the database says.
    """
    known = dict(db.execute("SELECT name, value FROM meta"))
    name = known["matrix"]
    matrix = stored(folder, name, int(known["rows"]), width)
    if matrix is None:
        raise LibraryError(
            f"The search index is damaged: {name} is too short.",
            f"Remove the folder {folder}: 'earmark serve' makes it anew.",
        )
    same = before if before is not None and before.file == name and before.version <= version else None
    ids, numbers = _places(db, same)
    layouts: dict[str, Layout] = {}
    scripts: dict[str, Script] = {}
    if same is not None:  # rows of a file are never used twice
        for key, kept in dict(same.layouts).items():
            there = db.execute("SELECT first FROM spans WHERE id = ?", (key,)).fetchone()
            if there is not None and there[0] == kept.row:
                layouts[key] = kept
        scripts = {key: kept for key, kept in dict(same.scripts).items() if key in layouts}
    return IndexState(
        version, name, matrix, ids, numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3],
        dict(db.execute("SELECT word, units FROM common")),
        tuple(code for (code,) in db.execute("SELECT DISTINCT language FROM languages ORDER BY language")),
        layouts, scripts,
    )  # fmt: skip


def _places(db: sqlite3.Connection, before: IndexState | None) -> tuple[tuple[str, ...], Rows]:
    """The ids of all episodes and their places (n, 4), in the order of their rows: what is new and what is gone is
    read, and the rest taken over from ``before``."""
    since = before.version if before is not None else -1
    found = db.execute(
        "SELECT id, first, texts, units, windows FROM spans WHERE version > ? ORDER BY +first",  # by versions, not rows
        (since,),
    ).fetchall()
    new = np.array([row[1:] for row in found], np.int64).reshape(-1, 4)
    ids = tuple(row[0] for row in found)
    if before is None:
        return ids, new
    kept = np.stack([before.first, before.texts, before.units, before.windows], axis=1)
    gone = {name for (name,) in db.execute("SELECT id FROM gone WHERE version > ?", (since,))}
    old = before.ids
    if gone:
        stays = np.array([name not in gone for name in old], bool)
        kept, old = kept[stays], tuple(name for name in old if name not in gone)
    return old + ids, np.concatenate([kept, new])


def least_common(units: int) -> float:
    """Units that a word has to stand in more often to be common, in a library of so many."""
    return max(RARE, COMMON * units)


def filed(text: str, language: str) -> str:
    """The words of a text that is not in English, as the index files them."""
    return " ".join(filed_word(word, language) for word in WORD.findall(text.lower()))


def filed_word(word: str, language: str) -> str:
    """A word of another language than English, as the index files it."""
    return f"{language}_{stem(word, language)}"


class View:
    """One consistent look at the index, as of one moment. Made by ``Index.view``; used by one thread."""

    def __init__(self, db: sqlite3.Connection, state: IndexState, tokens: Tokens) -> None:
        self._db, self._state, self._tokens = db, state, tokens
        self._frequencies: dict[str, int] = {}

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes."""
        return self._state.ids

    @property
    def units(self) -> int:
        """How many units all episodes have together."""
        return int(self._state.units.sum())

    @property
    def passages(self) -> int:
        """How many units and windows all episodes have together."""
        return int((self._state.units + self._state.windows).sum())

    @property
    def matrix(self) -> Stored:
        """The vectors of all passages, and of some that count no more."""
        return self._state.matrix

    @property
    def runs(self) -> list[tuple[int, int]]:
        """The runs of the matrix's rows, first and last (exclusive), that count."""
        return self._state.rows_of(None)

    def layout(self, episode_id: str) -> Layout | None:
        """The places of one episode's passages; None when it is not in the index."""
        kept = self._state.layouts.get(episode_id)
        if kept is not None:
            return kept
        found = self._db.execute(
            "SELECT first, texts, coalesce(language, ''), title, places, speakers, focus FROM episodes"
            " LEFT JOIN languages USING (id) WHERE id = ?",
            (episode_id,),
        ).fetchone()
        if found is None:
            return None
        row, text_row, language, title, blob, speakers, focused = found
        width = self.matrix.exact.shape[1]
        layout = made_layout(episode_id, language, title, row, text_row, blob, speakers, focused, width, self._stem)
        if len(self._state.layouts) >= _LAYOUTS:
            self._state.layouts.clear()
        self._state.layouts[episode_id] = layout
        return layout

    def script(self, episode_id: str) -> Script | None:
        """What is said in an episode, to be read for answers; None when it has none."""
        kept = self._state.scripts.get(episode_id)
        if kept is None and self.layout(episode_id) is not None:
            found = self._db.execute(
                "SELECT places, texts, ids, codes FROM scripts WHERE id = ?", (episode_id,)
            ).fetchone()
            if found is None:
                return None
            kept = Script.from_blobs(*found)
            if len(self._state.scripts) >= _SCRIPTS:
                self._state.scripts.clear()
            self._state.scripts[episode_id] = kept
        return kept

    def vectors(self, layout: Layout) -> tuple[Matrix, Matrix]:
        """Unit rows of an episode's units, and of its windows (memory-mapped, not to be written to)."""
        matrix = self._state.matrix.exact
        return (
            matrix[layout.row : layout.row + layout.units],
            matrix[layout.windows_row : layout.windows_row + len(layout.first)],
        )

    def cosines(self, layouts: Sequence[Layout], vector: Matrix) -> list[tuple[Matrix, Matrix]]:
        """The cosines of the units and of the windows of each layout with ``vector`` (width,)."""
        found = []
        for layout in layouts:
            units, windows = (np.einsum("ij,j->i", rows, vector) for rows in self.vectors(layout))
            found.append((units, windows))
        return found

    def dense(
        self, vector: Matrix, count: int, within: Collection[str] | None = None
    ) -> list[tuple[str, Rows, Matrix]]:
        """The ``count`` passages of the library (of the episodes ``within``) that lie nearest to ``vector`` (width,).

        They come grouped by episode: id, numbers of passages inside the episode (units first, then windows), cosines.
        """
        state = self._state
        rows, cosines = nearest(state.matrix, vector, count, state.rows_of(within))
        order = np.argsort(rows)
        groups, at = [], 0
        for name, numbers in self._by_episode(rows, state.first, state.units + state.windows):
            groups.append((name, numbers, cosines[order[at : at + len(numbers)]]))
            at += len(numbers)
        return groups

    def words(self, text: str) -> list[str]:
        """The different words of a text that can be looked up, in order, one for each stem.

        A word that stands nowhere in the library, often one that was misheard or is written in another way there,
        gives its place to what the library has instead: "homeo stasis" homeostasis, "softfork" soft and fork,
        "optimise" optimize, "symulation" simulation.
        """
        said = WORD.findall(text.lower())
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
                found.setdefault(self._stem(form), form)
        return list(found.values())

    def _instead(self, word: str) -> tuple[str, ...]:
        for other in {word.replace("is", "iz"), word.replace("our", "or")} - {word}:
            if self.frequency(other):
                return (other,)
        for cut in range(3, len(word) - 2):
            if self.frequency(word[:cut]) and self.frequency(word[cut:]):
                return word[:cut], word[cut:]
        stem = self._stem(word)
        if len(stem) < _FUZZY:
            return (word,)
        near = self._beginning(stem[:2], len(stem) - 2, len(stem) + 2)
        return tuple(get_close_matches(stem, near, 1, _ALIKE)) or (word,)

    def _beginning(self, begin: str, shortest: int, longest: int) -> list[str]:
        """The stems of the library that begin so, of ``shortest`` to ``longest`` letters."""
        found = self._db.execute(
            "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?",
            (begin, begin + "\uffff", shortest, longest),
        )
        return [term for (term,) in found]

    def frequency(self, word: str) -> int:
        """In how many units of the library a word stands, in any of its forms."""
        if word not in self._frequencies:
            self._frequencies[word] = self._counted(word)
        return self._frequencies[word]

    def _counted(self, word: str) -> int:
        common = self._state.common.get(self._stem(word))
        if common is not None:
            return common
        if self._state.languages:
            return len(self._rows(word))
        (count,) = self._db.execute("SELECT count(*) FROM texts WHERE texts MATCH ?", (f'"{word}"',)).fetchone()
        return int(count)

    def common(self, word: str) -> bool:
        """True for a word that stands in so many units that looking it up in the whole library takes long."""
        return self._stem(word) in self._state.common

    def held(self, words: Sequence[str], layouts: Sequence[Layout]) -> Mapping[tuple[str, str], Rows]:
        """The units of each episode that hold each word, by word and id."""
        return {(word, layout.episode_id): self.holding(word, layout) for word in words for layout in layouts}

    def holding(self, word: str, layout: Layout) -> Rows:
        """The units of an episode, numbered inside it, that hold a word in any of its forms."""
        query, sought = (_STEMS_WITH, filed_word(word, layout.language)) if layout.language else (_TEXTS_WITH, word)
        found = self._db.execute(
            f"{query} AND rowid BETWEEN ? AND ?",
            (f'"{sought}"', layout.text_row, layout.text_row + layout.units - 1),
        )
        return np.array(found.fetchall(), np.int64).reshape(-1) - layout.text_row

    def titled(self, word: str, layout: Layout) -> bool:
        """True when a word, in any of its forms, stands in the title of an episode."""
        return self._stem(word, layout.language) in layout.title

    def lexical(self, word: str) -> list[tuple[str, Rows]]:
        """The units of the library that hold a word in any of its forms, grouped by episode: id and numbers in it."""
        return self._by_episode(self._rows(word), self._state.texts, self._state.units)

    def _rows(self, word: str) -> Rows:
        """The numbers of the texts that hold a word, in any of its forms in their language."""
        rows = {row for (row,) in self._db.execute(_TEXTS_WITH, (f'"{word}"',))}
        if self._state.languages:
            match = " OR ".join(f'"{filed_word(word, language)}"' for language in self._state.languages)
            rows |= {row for (row,) in self._db.execute(_STEMS_WITH, (match,))}
        return np.array(sorted(rows), np.int64)

    def texts(self, layout: Layout, first: int, last: int) -> list[str]:
        """The texts of the units ``first`` to ``last`` (exclusive) of an episode."""
        found = self._db.execute(
            "SELECT text FROM texts WHERE rowid BETWEEN ? AND ? ORDER BY rowid",
            (layout.text_row + first, layout.text_row + last - 1),
        )
        return [text for (text,) in found]

    def _stem(self, word: str, language: str = "") -> str:
        """The form under which the index files a word."""
        return filed_word(word, language) if language else self._tokens.stem(word)

    def _by_episode(self, rows: Rows, first: Rows, size: Rows) -> list[tuple[str, Rows]]:
        """Rows by the episode that holds them: id, numbers inside it."""
        if not len(rows) or not len(first):
            return []
        rows = np.sort(rows)
        owner = np.searchsorted(first, rows, side="right") - 1
        alive = (owner >= 0) & (rows - first[owner] < size[owner])
        owner, rows = owner[alive], rows[alive]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        return [
            (self._state.ids[number], mine - first[number])
            for number, mine in zip(owner[starts].tolist(), np.split(rows, starts[1:]), strict=True)
        ] if len(rows) else []
