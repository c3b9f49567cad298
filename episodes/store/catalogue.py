# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: which episodes a library has. What is asked of it costs what it finds, and not what the library holds.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum

from episodes.model import Episode, Overview, Show, State, Step, StepState
from episodes.store.database import Database
from episodes.store.words import name_words, wanted
from voice.errors import UnknownEpisode

PAGE = 500
"""Episodes that are read at a time where all are wanted."""

COUNTED = 10_000
"""Episodes that are counted of those that a query finds; nobody pages through more."""

_NAMED = 6  # episodes of one name that are looked at: five are told, and that there are more
_NEAR = 60  # names of each kind among which a misspelt one is looked for
_FEW = 400  # episodes up to which it is looked for among all of them
_SPEAKERS = 5_000  # parts of names up to which a misheard one is looked for among all of them
_LAST = "\U0010ffff"  # behind all letters


class Order(StrEnum):
    """In which order episodes are told."""

    ARRIVED = "arrived"
    """The newest arrival first."""
    PUBLISHED = "published"
    """The newest first: by the day it was published, else by when it came in."""
    LONGEST = "longest"
    SHORTEST = "shortest"
    OLDEST = "oldest"
    """By the day it was published; those without one are left out."""
    NEWEST = "newest"
    """The inverse of ``OLDEST``."""
    FIRST = "first"
    """The oldest arrival first."""
    TITLE = "title"
    """By title, as a person looks for it: see ``words.sort_key``."""


class Catalogue:
    """The episodes of a library, looked up. Raises LibraryError when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # how many

    def overview(self, within: Collection[str] | None = None) -> Overview:
        """How much there is, in the whole library or in the episodes with these ids."""
        query = (
            "SELECT coalesce(sum(episodes), 0), coalesce(sum(ready), 0), coalesce(sum(seconds), 0),"
            " count(nullif(show, '')) FROM shows"
        )
        values: tuple[object, ...] = ()
        if within is not None:
            query = (
                "SELECT count(*), coalesce(sum(ready), 0), coalesce(sum(seconds), 0), count(DISTINCT nullif(show, ''))"  # noqa: S608 the database's own placeholder
                f" FROM episodes WHERE id IN ({self.database.each})"
            )
            values = (json.dumps(list(within)),)
        with self.database.errors():
            count, ready, seconds, shows = self.database.execute(query, values).fetchone()
        return Overview(int(count), int(ready), float(seconds), int(shows))

    def shows(self) -> list[Show]:
        """The shows, by name; "" are the episodes of none."""
        with self.database.errors():
            rows = self.database.execute("SELECT show, episodes, ready, seconds FROM shows ORDER BY show").fetchall()
        return [Show(name, int(count), int(ready), float(seconds)) for name, count, ready, seconds in rows]

    def count(self, query: str = "", show: str | None = None) -> int:
        """How many episodes there are; of those that a ``query`` finds (in a ``show``) at most ``COUNTED``."""
        words = wanted(query)
        if words and show is None:
            counting, values = self.database.counting(words, COUNTED)
        elif words:
            clause, values = self.database.holding(words)
            some = f"SELECT 1 FROM episodes WHERE show = ? AND {clause} LIMIT ?"  # noqa: S608 (own names)
            counting, values = f"SELECT count(*) FROM ({some}) AS found", [show, *values, COUNTED]  # noqa: S608
        else:
            counting = "SELECT coalesce(sum(episodes), 0) FROM shows" + " WHERE show = ?" * (show is not None)
            values = [] if show is None else [show]
        with self.database.errors():
            return int(self.database.execute(counting, values).fetchone()[0])

    # some of them

    def page(
        self, limit: int, offset: int = 0, query: str = "", show: str | None = None, order: Order = Order.ARRIVED
    ) -> list[Episode]:
        """``limit`` episodes behind the first ``offset``. With a ``query`` those that have, for each of its words, one
        begins so in title, show or guests."""
        return self.listed(self.ids(limit, offset, query, show, order))

    def ids(
        self, limit: int, offset: int = 0, query: str = "", show: str | None = None, order: Order = Order.ARRIVED,
        within: Collection[str] | None = None,
    ) -> list[str]:
        """The ids of a page; see ``page``. With ``within`` only those among them."""
        told, by = _ORDERS[order]
        conditions = [told] if told else []
        values: list[object] = []
        if words := wanted(query):
            # where the newest are wanted, no more are looked at than fill the page
            enough = limit + offset if order is Order.ARRIVED and show is None and within is None else -1
            clause, found = self.database.holding(words, enough)
            conditions.append(clause)
            values += found
        if show is not None:
            conditions.append("show = ?")
            values.append(show)
        if within is not None:
            conditions.append(f"id IN ({self.database.each})")
            values.append(json.dumps(list(within)))
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        with self.database.errors():
            rows = self.database.execute(
                f"SELECT id FROM episodes {where} ORDER BY {by} LIMIT ? OFFSET ?",  # noqa: S608 (own names)
                (*values, limit, offset),
            ).fetchall()
        return [name for (name,) in rows]

    def first(self, order: Order, limit: int, within: Collection[str] | None = None) -> list[Episode]:
        """The first episodes in an order, of all or of those with these ids."""
        return self.listed(self.ids(limit, order=order, within=within))

    def unready(self, limit: int) -> list[Episode]:
        """The newest episodes that cannot be asked yet."""
        with self.database.errors():
            rows = self.database.execute(
                "SELECT id FROM episodes WHERE ready = 0 ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        return self.listed(name for (name,) in rows)

    def some(self, ids: Iterable[str]) -> dict[str, Episode]:
        """The episodes with these ids, in their order; those that are not there are left out."""
        wanted_ids = list(dict.fromkeys(ids))
        found: dict[str, Episode] = {}
        for at in range(0, len(wanted_ids), PAGE):
            some = wanted_ids[at : at + PAGE]
            marks = ", ".join("?" * len(some))
            with self.database.errors():
                rows = self.database.execute(f"{EPISODES} WHERE id IN ({marks})", some).fetchall()
                states = self.database.execute(
                    f"SELECT episode, step, state, progress, reason FROM steps WHERE episode IN ({marks})",  # noqa: S608
                    some,
                ).fetchall()
            steps: dict[str, dict[str, StepState]] = {}
            for name, *state in states:
                steps.setdefault(name, {})[state[0]] = _step(state)
            found |= {row[0]: _episode(row, steps.get(row[0], {})) for row in rows}
        return {name: found[name] for name in wanted_ids if name in found}

    def listed(self, ids: Iterable[str]) -> list[Episode]:
        """The episodes with these ids, in their order."""
        return list(self.some(ids).values())

    def walk(self, order: Order = Order.ARRIVED, query: str = "") -> Iterator[Episode]:
        """All episodes one after another, some hundred of them in memory: for what shows or copies all."""
        offset = 0
        while page := self.page(PAGE, offset, query, order=order):
            yield from page
            offset += PAGE

    def episodes(self) -> list[Episode]:
        """All episodes, the newest arrival first. It costs what the library costs: for small ones."""
        return list(self.walk())

    def titles(self, ids: Iterable[str]) -> dict[str, str]:
        """What the episodes with these ids are called; those that are not there are left out."""
        with self.database.errors():
            rows = self.database.execute(
                f"SELECT id, title FROM episodes WHERE id IN ({self.database.each})",  # noqa: S608 (own names)
                (json.dumps(list(ids)),),
            ).fetchall()
        return dict(rows)

    def of_show(self, show: str) -> list[str]:
        """The ids of a show's episodes, the newest arrival first."""
        with self.database.errors():
            rows = self.database.execute("SELECT id FROM episodes WHERE show = ? ORDER BY number DESC", (show,))
            return [name for (name,) in rows.fetchall()]

    def playable(self, episode_id: str, step: int) -> str | None:
        """The ready episode with sound that came in before this one (``step`` 1: the newest is the first), after it
        (-1), or itself (0); behind the last comes the first. The newest when it is none of them, None when there is
        none.
        """
        sound = "SELECT id FROM episodes WHERE ready = 1 AND audio != '' "
        with self.database.errors():
            row = self.database.execute(
                "SELECT number FROM episodes WHERE ready = 1 AND audio != '' AND id = ?", (episode_id,)
            ).fetchone()
            if row is not None and not step:
                return episode_id
            found = None
            if row is not None:
                compare, way = ("<", "DESC") if step > 0 else (">", "ASC")
                found = self.database.execute(
                    f"{sound} AND number {compare} ? ORDER BY number {way} LIMIT 1", (row[0],)
                ).fetchone()
            if found is None:
                way = "ASC" if row is not None and step < 0 else "DESC"
                found = self.database.execute(f"{sound} ORDER BY number {way} LIMIT 1").fetchone()
        return found[0] if found else None

    def newest(self, shows: Collection[str] | None = None) -> Episode | None:
        """The newest ready episode with sound, of these shows or of all; None when there is none."""
        among = "" if shows is None else f"AND show IN ({self.database.each}) "
        with self.database.errors():
            row = self.database.execute(
                f"SELECT id FROM episodes WHERE ready = 1 AND audio != '' {among}"  # noqa: S608 (own words)
                "ORDER BY published DESC, number DESC LIMIT 1",
                () if shows is None else (json.dumps(list(shows)),),
            ).fetchone()
        return self.by_id(row[0]) if row else None

    def changes(self, ids: Collection[str]) -> dict[str, int]:
        """The version of the library at which each of these episodes changed last."""
        with self.database.errors():
            rows = self.database.execute(
                f"SELECT id, changed FROM episodes WHERE id IN ({self.database.each})",  # noqa: S608 (own names)
                (json.dumps(list(ids)),),
            ).fetchall()
        return dict(rows)

    def changed_since(self, version: int) -> tuple[list[str], list[str]]:
        """Ids of the episodes that changed after this version of the library, and of those that were removed."""
        with self.database.errors():
            now = self.database.execute("SELECT id FROM episodes WHERE changed > ?", (version,)).fetchall()
            gone = self.database.execute("SELECT episode FROM removed WHERE changed > ?", (version,)).fetchall()
        return [name for (name,) in now], [name for (name,) in gone]

    def ready_since(self, version: int) -> list[str]:
        """Ids of the episodes that can be asked since a later version of the library than this one."""
        with self.database.errors():
            rows = self.database.execute(
                "SELECT id FROM episodes WHERE changed > ? AND ready = 1 AND ready_since > ? ORDER BY ready_since",
                (version, version),
            )
            return [name for (name,) in rows.fetchall()]

    def ready(self, episode_id: str) -> bool:
        """Whether an episode is there and can be asked."""
        with self.database.errors():
            return self.database.execute(
                "SELECT 1 FROM episodes WHERE id = ? AND ready = 1", (episode_id,)
            ).fetchone() is not None

    def all_ready(self) -> set[str]:
        """The ids of all episodes that can be asked. It costs what the library costs."""
        with self.database.errors():
            return {name for (name,) in self.database.execute("SELECT id FROM episodes WHERE ready = 1").fetchall()}

    def languages(self) -> list[str]:
        """The codes of the languages that are spoken, "" where one is not known."""
        with self.database.errors():
            return [code for (code,) in self.database.execute("SELECT DISTINCT language FROM episodes").fetchall()]

    # one of them

    def resolve(self, ref: str) -> str:
        """The id that is meant: by the id, by the title (in any case), or by the beginning of an id that fits only one.

        Raises UnknownEpisode, which names the nearest ones.
        """
        exact = ref.strip()
        with self.database.errors():
            row = self.database.execute("SELECT id FROM episodes WHERE id = ?", (exact,)).fetchone()
            if row:
                return str(row[0])
            found = self.database.execute(
                "SELECT id FROM episodes WHERE folded = ? ORDER BY number DESC LIMIT ?", (exact.casefold(), _NAMED)
            ).fetchall()
            if not found and exact:
                begin = exact.lower()
                found = self.database.execute(
                    "SELECT id FROM episodes WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
                    (begin, begin + _LAST, _NAMED),
                ).fetchall()
        if len(found) == 1:
            return str(found[0][0])
        raise unknown(ref, [name for (name,) in found], self._like(ref))

    def episode(self, ref: str) -> Episode:
        """The episode of an id, of the beginning of an id that fits only one, or of a title (in any case).

        Raises UnknownEpisode, which names the nearest ones.
        """
        found = self.by_id(ref.strip()) or self.by_id(self.resolve(ref))
        if found is None:  # it was removed between the two looks
            raise unknown(ref, [], [])
        return found

    def exactly(self, episode_id: str) -> Episode:
        """The episode of this whole id. Raises UnknownEpisode, which names no other."""
        episode = self.by_id(episode_id)
        if episode is None:
            raise UnknownEpisode("There is no episode by that id.", "List the episodes to see what is there.")
        return episode

    def by_id(self, episode_id: str) -> Episode | None:
        """The episode of this whole id, if there is one."""
        with self.database.errors():
            row = self.database.execute(f"{EPISODES} WHERE id = ?", (episode_id,)).fetchone()
            if row is None:
                return None
            steps = self.database.execute(
                "SELECT step, state, progress, reason FROM steps WHERE episode = ?", (episode_id,)
            ).fetchall()
        return _episode(row, {step[0]: _step(step) for step in steps})

    def missing(self, episode_id: str) -> UnknownEpisode:
        """The error for an id that no episode has; it names the nearest ones."""
        return unknown(episode_id, [], self._like(episode_id))

    # who speaks

    def speakers_like(self, name: str) -> list[str]:
        """People who speak somewhere and whose name begins, in one of its parts, as one of ``name`` does; of a library
        in which few speak, all of them."""
        with self.database.errors():
            query = (
                "SELECT DISTINCT name FROM name_words WHERE EXISTS"
                " (SELECT 1 FROM speakers WHERE speakers.name = name_words.name)"
            )
            few = self.database.execute(
                "SELECT count(*) FROM (SELECT 1 FROM name_words LIMIT ?) AS found", (_SPEAKERS + 1,)
            ).fetchone()[0]
            if few <= _SPEAKERS:
                return [found for (found,) in self.database.execute(query + " ORDER BY name").fetchall()]
            names: set[str] = set()
            for word in name_words(name):
                begin = word[:2]
                rows = self.database.execute(query + " AND word >= ? AND word < ?", (begin, begin + _LAST))
                names |= {found for (found,) in rows.fetchall()}
        return sorted(names)

    def where_speaks(self, name: str, limit: int) -> list[str]:
        """The ids of at most ``limit`` episodes in which somebody speaks."""
        with self.database.errors():
            rows = self.database.execute("SELECT episode FROM speakers WHERE name = ? LIMIT ?", (name, limit))
            return [found for (found,) in rows.fetchall()]

    def _like(self, ref: str) -> list[tuple[str, str]]:
        """Ids and titles among which the nearest to a misspelt one are: those that begin like it, and those that hold
        one of its words; of a small library all."""
        query = "SELECT id, title FROM episodes "
        with self.database.errors():
            if self.count() <= _FEW:
                return list(self.database.execute(query + "ORDER BY number DESC").fetchall())
            found: dict[str, str] = {}
            begin = ref.strip().casefold()[:3]
            for column in ("id", "folded"):
                rows = self.database.execute(
                    f"{query} WHERE {column} >= ? AND {column} < ? ORDER BY {column} LIMIT ?",
                    (begin, begin + _LAST, _NEAR),
                )
                found |= dict(rows.fetchall())
            for word in wanted(ref)[:4]:
                clause, values = self.database.holding([word], _NEAR)
                rows = self.database.execute(f"{query} WHERE {clause}", values)
                found |= dict(rows.fetchall())
        return list(found.items())


EPISODES = "SELECT id, title, show, guests, published, seconds, source, audio, language FROM episodes"

_ORDERS = {
    Order.ARRIVED: ("", "number DESC"),
    Order.PUBLISHED: ("", "published DESC, number DESC"),
    Order.LONGEST: ("", "seconds DESC"),
    Order.SHORTEST: ("", "seconds"),
    Order.OLDEST: ("published > ''", "published, number"),
    Order.NEWEST: ("published > ''", "published DESC, number DESC"),
    Order.FIRST: ("", "number"),
    Order.TITLE: ("", "sorted, number"),
}
"""What has to hold, and by what they are put in order."""


def _episode(row: Sequence[str], steps: dict[str, StepState]) -> Episode:
    name, title, show, guests, published, seconds, source, audio, language = row
    states = tuple(steps.get(step, StepState(step)) for step in Step)
    told = tuple(json.loads(guests))
    return Episode(name, title, show, told, published, float(seconds), source, audio, states, language)


def _step(row: Sequence[str]) -> StepState:
    step, state, progress, reason = row
    return StepState(Step(step), State(state), float(progress), reason)


def unknown(ref: str, found: Sequence[str], names: Sequence[tuple[str, str]]) -> UnknownEpisode:
    """The error for a name that fits several episodes (``found``), or none; ``names`` are ids and titles near it."""
    if found:
        return UnknownEpisode(f"“{ref}” fits several episodes: {', '.join(found[:5])}.", "Give more of the id.")
    by_name = {title.casefold(): name for name, title in reversed(names)} | {name: name for name, _ in names}
    from rapidfuzz import fuzz, process

    close = process.extract(ref.casefold(), list(by_name), scorer=fuzz.ratio, limit=6, score_cutoff=65)
    near = list(dict.fromkeys(by_name[key] for key, _, _ in close))[:3]
    near = near or [name for name, title in names if ref and ref.casefold() in title.casefold()][:3]
    if near:
        return UnknownEpisode(f"There is no episode “{ref}”.", f"Did you mean {' or '.join(near)}?")
    hint = "List the episodes to see their ids." if names else "The library is empty; add an episode first."
    return UnknownEpisode(f"There is no episode “{ref}”.", hint)
