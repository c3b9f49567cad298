# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot of the index in SQLite and files of vectors, and what of it is kept in memory."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from retrieval.index.embedding import DIMENSION, Matrix
from retrieval.index.episode_passages import EpisodePassages, RowNumbers, decode_passages
from retrieval.index.fts_stemmer import FtsStemmer
from retrieval.index.snapshot import Snapshot, language_stem
from retrieval.index.token_store import TokenStore
from retrieval.index.vectors import VectorFiles, nearest, open_vectors
from voice.errors import LibraryError

_KEPT_EPISODES = 64  # whose passages are kept in memory, some 500 KB each
_KEPT_TOKEN_STORES = 24  # kept in memory, some two megabytes each
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
    matrix: VectorFiles
    ids: tuple[str, ...]
    first: RowNumbers
    texts: RowNumbers
    units: RowNumbers
    windows: RowNumbers
    common: dict[str, int]
    languages: tuple[str, ...]
    passages: dict[str, EpisodePassages] = field(default_factory=dict)
    token_stores: dict[str, TokenStore] = field(default_factory=dict)

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
    matrix = open_vectors(folder, name, int(known["rows"]), width)
    if matrix is None:
        raise LibraryError(
            f"The search index is damaged: {name} is too short.",
            f"Remove the folder {folder}: 'earmark serve' makes it anew.",
        )
    same = before if before is not None and before.file == name and before.version <= version else None
    ids, numbers = _places(db, same)
    passages: dict[str, EpisodePassages] = {}
    token_stores: dict[str, TokenStore] = {}
    if same is not None:  # rows of a file are never used twice
        for key, kept in dict(same.passages).items():
            there = db.execute("SELECT first FROM spans WHERE id = ?", (key,)).fetchone()
            if there is not None and there[0] == kept.row:
                passages[key] = kept
        token_stores = {key: kept for key, kept in dict(same.token_stores).items() if key in passages}
    return IndexState(
        version, name, matrix, ids, numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3],
        dict(db.execute("SELECT word, units FROM common")),
        tuple(code for (code,) in db.execute("SELECT DISTINCT language FROM languages ORDER BY language")),
        passages, token_stores,
    )  # fmt: skip


def _places(db: sqlite3.Connection, before: IndexState | None) -> tuple[tuple[str, ...], RowNumbers]:
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


class SqliteSnapshot(Snapshot):
    """One consistent look at the index, as of one moment. Made by ``SqliteIndex.snapshot``; used by one thread."""

    def __init__(self, db: sqlite3.Connection, state: IndexState, stemmer: FtsStemmer) -> None:
        super().__init__(stemmer)
        self._db, self._state = db, state

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes."""
        return self._state.ids

    @property
    def unit_count(self) -> int:
        """How many units all episodes have together."""
        return int(self._state.units.sum())

    @property
    def passage_count(self) -> int:
        """How many units and windows all episodes have together."""
        return int((self._state.units + self._state.windows).sum())

    @property
    def matrix(self) -> VectorFiles:
        """The vectors of all passages, and of some that count no more."""
        return self._state.matrix

    @property
    def runs(self) -> list[tuple[int, int]]:
        """The runs of the matrix's rows, first and last (exclusive), that count."""
        return self._state.rows_of(None)

    def episode_passages(self, episode_id: str) -> EpisodePassages | None:
        """The places of one episode's passages; None when it is not in the index."""
        kept = self._state.passages.get(episode_id)
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
        episode = decode_passages(
            episode_id, language, title, row, text_row, blob, speakers, focused, width, self._stem
        )
        if len(self._state.passages) >= _KEPT_EPISODES:
            self._state.passages.clear()
        self._state.passages[episode_id] = episode
        return episode

    def token_store(self, episode_id: str) -> TokenStore | None:
        """What is said in an episode, to be read for answers; None when it has none."""
        kept = self._state.token_stores.get(episode_id)
        if kept is None and self.episode_passages(episode_id) is not None:
            found = self._db.execute(
                "SELECT places, texts, ids, codes FROM scripts WHERE id = ?", (episode_id,)
            ).fetchone()
            if found is None:
                return None
            kept = TokenStore.from_blobs(*found)
            if len(self._state.token_stores) >= _KEPT_TOKEN_STORES:
                self._state.token_stores.clear()
            self._state.token_stores[episode_id] = kept
        return kept

    def vectors(self, episode: EpisodePassages) -> tuple[Matrix, Matrix]:
        """Unit rows of an episode's units, and of its windows (memory-mapped, not to be written to)."""
        matrix = self._state.matrix.exact
        return (
            matrix[episode.row : episode.row + episode.units],
            matrix[episode.windows_row : episode.windows_row + len(episode.first)],
        )

    def cosines(self, episodes: Sequence[EpisodePassages], vector: Matrix) -> list[tuple[Matrix, Matrix]]:
        """The cosines of the units and of the windows of each episode with ``vector`` (width,)."""
        found = []
        for episode in episodes:
            units, windows = (np.einsum("ij,j->i", rows, vector) for rows in self.vectors(episode))
            found.append((units, windows))
        return found

    def dense(
        self, vector: Matrix, count: int, within: Collection[str] | None = None
    ) -> list[tuple[str, RowNumbers, Matrix]]:
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

    def _beginning(self, begin: str, shortest: int, longest: int) -> list[str]:
        """The stems of the library that begin so, of ``shortest`` to ``longest`` letters."""
        found = self._db.execute(
            "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?",
            (begin, begin + "\uffff", shortest, longest),
        )
        return [term for (term,) in found]

    def _counted(self, word: str) -> int:
        common = self._state.common.get(self._stem(word))
        if common is not None:
            return common
        if self._state.languages:
            return len(self._rows(word))
        (count,) = self._db.execute("SELECT count(*) FROM texts WHERE texts MATCH ?", (f'"{word}"',)).fetchone()
        return int(count)

    def is_common(self, word: str) -> bool:
        """True for a word that stands in so many units that looking it up in the whole library takes long."""
        return self._stem(word) in self._state.common

    def units_with_each(
        self, words: Sequence[str], episodes: Sequence[EpisodePassages]
    ) -> Mapping[tuple[str, str], RowNumbers]:
        """The units of each episode that hold each word, by word and id."""
        return {(word, episode.episode_id): self.units_with(word, episode) for word in words for episode in episodes}

    def units_with(self, word: str, episode: EpisodePassages) -> RowNumbers:
        """The units of an episode, numbered inside it, that hold a word in any of its forms."""
        query, term = _TEXTS_WITH, word
        if episode.language:
            query, term = _STEMS_WITH, language_stem(word, episode.language)
        found = self._db.execute(
            f"{query} AND rowid BETWEEN ? AND ?",
            (f'"{term}"', episode.text_row, episode.text_row + episode.units - 1),
        )
        return np.array(found.fetchall(), np.int64).reshape(-1) - episode.text_row

    def lexical(self, word: str) -> list[tuple[str, RowNumbers]]:
        """The units of the library that hold a word in any of its forms, grouped by episode: id and numbers in it."""
        return self._by_episode(self._rows(word), self._state.texts, self._state.units)

    def _rows(self, word: str) -> RowNumbers:
        """The numbers of the texts that hold a word, in any of its forms in their language."""
        rows = {row for (row,) in self._db.execute(_TEXTS_WITH, (f'"{word}"',))}
        if self._state.languages:
            match = " OR ".join(f'"{language_stem(word, language)}"' for language in self._state.languages)
            rows |= {row for (row,) in self._db.execute(_STEMS_WITH, (match,))}
        return np.array(sorted(rows), np.int64)

    def texts(self, episode: EpisodePassages, first: int, last: int) -> list[str]:
        """The texts of the units ``first`` to ``last`` (exclusive) of an episode."""
        found = self._db.execute(
            "SELECT text FROM texts WHERE rowid BETWEEN ? AND ? ORDER BY rowid",
            (episode.text_row + first, episode.text_row + last - 1),
        )
        return [text for (text,) in found]

    def _by_episode(self, rows: RowNumbers, first: RowNumbers, size: RowNumbers) -> list[tuple[str, RowNumbers]]:
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
