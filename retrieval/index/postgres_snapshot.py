# SPDX-License-Identifier: GPL-3.0-or-later
"""One consistent look at the index on a PostgreSQL server, and what of it is kept in memory between two of them."""

import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from retrieval.index.embedding import Matrix
from retrieval.index.episode_passages import EpisodePassages, RowNumbers, decode_passages
from retrieval.index.snapshot import Snapshot, language_stem, least_common
from retrieval.index.token_store import TokenStore

if TYPE_CHECKING:
    from retrieval.index.postgres_index import PostgresIndex

T = TypeVar("T")

_SEARCH = 1000  # candidates that HNSW looks at, of a graph as ``retrieval.index.postgres_index`` makes it


class PostgresSnapshot(Snapshot):
    """One consistent look at the index on a server. Made by ``PostgresIndex.snapshot``; used by one thread."""

    def __init__(self, index: "PostgresIndex") -> None:
        super().__init__(index._stemmer)
        self._index = index
        self._serials: dict[str, int | None] = {}
        self._execute("SELECT 1")  # what is seen is of this moment

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes."""
        return tuple(name for (name,) in self._execute("SELECT id FROM {}_episodes ORDER BY serial").fetchall())

    @property
    def unit_count(self) -> int:
        """How many units all episodes have together."""
        return self._sizes[0]

    @property
    def passage_count(self) -> int:
        """How many units and windows all episodes have together."""
        return sum(self._sizes)

    @cached_property
    def _sizes(self) -> tuple[int, int]:
        found = self._execute("SELECT coalesce(sum(units), 0), coalesce(sum(windows), 0) FROM {}_episodes").fetchone()
        return int(found[0]), int(found[1])

    @cached_property
    def _languages(self) -> list[str]:
        rows = self._execute("SELECT DISTINCT language FROM {}_episodes WHERE language != ''").fetchall()
        return sorted(code for (code,) in rows)

    def episode_passages(self, episode_id: str) -> EpisodePassages | None:
        """The places of one episode's passages; None when it is not in the index."""
        serial = self._serial(episode_id)
        if serial is None:
            return None
        kept = self._index._passages.get(episode_id, serial)
        if kept is not None:
            return kept
        title, language, places, speakers, focused = self._execute(
            "SELECT title, language, places, speakers, focus FROM {}_episodes WHERE id = ?", (episode_id,)
        ).fetchone()
        episode = decode_passages(
            episode_id, language, title, 0, 0, places, speakers, focused, self._index.dimension, self._stem
        )
        self._index._passages.put(episode_id, serial, episode)
        return episode

    def token_store(self, episode_id: str) -> TokenStore | None:
        """What is said in an episode, to be read for answers; None when it has none."""
        serial = self._serial(episode_id)
        if serial is None:
            return None
        kept = self._index._token_stores.get(episode_id, serial)
        if kept is None:
            found = self._execute(
                "SELECT places, texts, ids, codes FROM {}_scripts WHERE id = ?", (episode_id,)
            ).fetchone()
            if found is None:
                return None
            kept = TokenStore.from_blobs(*found)
            self._index._token_stores.put(episode_id, serial, kept)
        return kept

    def vectors(self, episode: EpisodePassages) -> tuple[Matrix, Matrix]:
        """Unit rows of an episode's units, and of its windows, in half precision."""
        rows = self._execute(
            "SELECT vector::text FROM {}_passages WHERE episode = ? ORDER BY number", (episode.episode_id,)
        ).fetchall()
        own = np.array([json.loads(row) for (row,) in rows], np.float32).reshape(-1, self._index.dimension)
        all_units = episode.windows_row - episode.row
        return own[: episode.units], own[all_units : all_units + len(episode.first)]

    def cosines(self, episodes: Sequence[EpisodePassages], vector: Matrix) -> list[tuple[Matrix, Matrix]]:
        """The cosines of the units and of the windows of each episode, computed where the vectors are, in one go."""
        rows = self._execute(
            "SELECT episode, number, -(vector <#> ?::halfvec) FROM {}_passages WHERE episode = ANY(?)"
            " ORDER BY episode, number",
            (literal(vector), [episode.episode_id for episode in episodes]),
        ).fetchall()
        found = {name: np.array([row[2] for row in own], np.float32) for name, own in groupby(rows, lambda row: row[0])}
        made = []
        for episode in episodes:
            all_units = episode.windows_row - episode.row  # also of a episode that is only the beginning
            own = found[episode.episode_id]
            made.append((own[: episode.units], own[all_units : all_units + len(episode.first)]))
        return made

    def dense(
        self, vector: Matrix, count: int, within: Collection[str] | None = None
    ) -> list[tuple[str, RowNumbers, Matrix]]:
        """The ``count`` passages that lie nearest to ``vector``; see ``Snapshot.dense``."""
        sought = literal(vector)
        if within is None:
            self._execute(f"SET LOCAL hnsw.ef_search = {_SEARCH}")
            rows = self._execute(
                "SELECT episode, number, -(vector <#> ?::halfvec) FROM {}_passages"
                " ORDER BY vector <#> ?::halfvec LIMIT ?", (sought, sought, count),
            ).fetchall()  # fmt: skip
        else:  # one by one: what a filter leaves of HNSW's finds would be few
            rows = self._execute(
                "WITH own AS MATERIALIZED (SELECT episode, number, -(vector <#> ?::halfvec) AS cosine FROM {}_passages"
                " WHERE episode = ANY(?)) SELECT episode, number, cosine FROM own ORDER BY cosine DESC LIMIT ?",
                (sought, list(within), count),
            ).fetchall()
        rows.sort(key=lambda row: (row[0], row[1]))
        return [
            (name, np.array([row[1] for row in own], np.int64), np.array([row[2] for row in own], np.float32))
            for name, some in groupby(rows, lambda row: row[0]) for own in [list(some)]
        ]  # fmt: skip

    def _counted(self, word: str) -> int:
        keys = self._keys(word)
        rows = self._execute("SELECT units FROM {}_words WHERE stem = ANY(?)", (keys,)).fetchall()
        known = sum(int(units) for (units,) in rows)
        if len(keys) > 1 and 0 < known <= least_common(self.unit_count):  # a unit may hold more than one of them
            known = int(self._execute("SELECT count(*) FROM {}_texts WHERE stems && ?", (keys,)).fetchone()[0])
        return known

    def is_common(self, word: str) -> bool:
        """True for a word that stands in so many units that looking it up in the whole library takes long."""
        return self.frequency(word) > least_common(self.unit_count)

    def units_with_each(
        self, words: Sequence[str], episodes: Sequence[EpisodePassages]
    ) -> Mapping[tuple[str, str], RowNumbers]:
        """The units of each episode that hold each word, by word and id, in one go."""
        keys = {
            (word, episode.episode_id): self._stem(word, episode.language) for word in words for episode in episodes
        }
        rows = self._execute(
            "SELECT episode, number, array(SELECT unnest(stems) INTERSECT SELECT unnest(?::text[])) FROM {}_texts"
            " WHERE episode = ANY(?) AND stems && ? ORDER BY episode, number",
            (wanted := list(set(keys.values())), [episode.episode_id for episode in episodes], wanted),
        ).fetchall()
        found: dict[tuple[str, str], list[int]] = {}
        for name, number, stems in rows:
            for stem in stems:
                found.setdefault((stem, name), []).append(number)
        units = {episode.episode_id: episode.units for episode in episodes}
        return {
            (word, name): np.array([n for n in found.get((key, name), ()) if n < units[name]], np.int64)
            for (word, name), key in keys.items()
        }

    def units_with(self, word: str, episode: EpisodePassages) -> RowNumbers:
        """The units of an episode, numbered inside it, that hold a word in any of its forms."""
        return self.units_with_each([word], [episode])[word, episode.episode_id]

    def lexical(self, word: str) -> list[tuple[str, RowNumbers]]:
        """The units of the library that hold a word in any of its forms, grouped by episode: id and numbers in it."""
        rows = self._execute(
            "SELECT episode, number FROM {}_texts WHERE stems && ? ORDER BY episode, number", (self._keys(word),)
        ).fetchall()
        return [
            (name, np.array([number for _, number in own], np.int64)) for name, own in groupby(rows, lambda row: row[0])
        ]

    def texts(self, episode: EpisodePassages, first: int, last: int) -> list[str]:
        """The texts of the units ``first`` to ``last`` (exclusive) of an episode."""
        rows = self._execute(
            "SELECT text FROM {}_texts WHERE episode = ? AND number >= ? AND number < ? ORDER BY number",
            (episode.episode_id, first, last),
        )
        return [text for (text,) in rows.fetchall()]

    def _keys(self, word: str) -> list[str]:
        """What a word is filed under: its stem, and that of every language that is spoken."""
        return [self._stem(word), *(language_stem(word, language) for language in self._languages)]

    def _beginning(self, begin: str, shortest: int, longest: int) -> list[str]:
        rows = self._execute(
            "SELECT stem FROM {}_words WHERE stem >= ? AND stem < ? AND length(stem) BETWEEN ? AND ? AND units > 0",
            (begin, begin + "\uffff", shortest, longest),
        )
        return [stem for (stem,) in rows.fetchall()]

    def _serial(self, episode_id: str) -> int | None:
        if episode_id not in self._serials:
            found = self._execute("SELECT serial FROM {}_episodes WHERE id = ?", (episode_id,)).fetchone()
            self._serials[episode_id] = int(found[0]) if found else None
        return self._serials[episode_id]

    def _execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        return self._index._execute(statement, values)


class Versioned(OrderedDict[str, tuple[int, T]]):
    """The last things of some episodes that were read, each of one ``serial``. Safe from several threads."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most, self._lock = most, threading.Lock()

    def get(self, name: str, serial: int) -> T | None:  # type: ignore[override]
        """What is kept of an episode as it was put in last."""
        with self._lock:
            kept = super().get(name)
            if kept is None or kept[0] != serial:
                return None
            self.move_to_end(name)
            return kept[1]

    def put(self, name: str, serial: int, what: T) -> None:
        """Keep it, and forget what was not asked for the longest."""
        with self._lock:
            self[name] = (serial, what)
            while len(self) > self._most:
                self.popitem(last=False)


def literal(vector: Matrix) -> str:
    """A vector as the server reads it."""
    return f"[{','.join(map(str, np.asarray(vector, np.float32).tolist()))}]"
