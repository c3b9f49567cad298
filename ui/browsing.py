# SPDX-License-Identifier: GPL-3.0-or-later
"""Browsing: the episodes of a list, by what a listener has heard of them and in an order, a page at a time.

A page costs what it holds and what was begun, and not what the library holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from episodes.model import Episode
from episodes.store.catalogue import Catalogue, Order
from ui.positions import Listened, at_end

_WHOLE = 0.97  # share of an episode that somebody has heard who has finished it


class EpisodeFilter(StrEnum):
    """Which episodes: all, those in progress, those not begun, those that are finished."""

    ALL = "all"
    GOING = "going"
    NEW = "new"
    HEARD = "heard"


class By(StrEnum):
    """In which order: the newest arrival, the last published, the last played first; by title; the shortest first."""

    ADDED = "added"
    PUBLISHED = "published"
    PLAYED = "played"
    TITLE = "title"
    SHORT = "short"


_ORDERS = {
    By.ADDED: Order.ARRIVED, By.PUBLISHED: Order.PUBLISHED, By.PLAYED: Order.ARRIVED, By.TITLE: Order.TITLE,
    By.SHORT: Order.SHORTEST,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list: of episodes that a ``query`` finds, of a ``show`` (None: any), of a ``kind``, in an order."""

    query: str = ""
    show: str | None = None
    kind: EpisodeFilter = EpisodeFilter.ALL
    by: By = By.ADDED

    @property
    def personal(self) -> bool:
        """Whether it depends on who listens."""
        return self.kind is not EpisodeFilter.ALL or self.by is By.PLAYED


def stage(seconds: float, listened: Listened) -> EpisodeFilter:
    """What an episode of a length is for somebody who listened so far."""
    heard = sum(end - start for start, end in listened.heard)
    if listened.position < 1 and heard < 1:
        return EpisodeFilter.NEW
    over = at_end(seconds, listened.position) or 0 < _WHOLE * seconds <= heard
    return EpisodeFilter.HEARD if over else EpisodeFilter.GOING


def page(
    library: Catalogue, listened: Mapping[str, Listened], wanted: Wanted, limit: int, offset: int = 0
) -> tuple[list[str], int]:
    """The ids of ``limit`` episodes of a list behind the first ``offset``, and how many it has; ``listened`` is where
    the listener is, by id."""
    order = _ORDERS[wanted.by]
    if not wanted.personal:
        ids = library.ids(limit, offset, wanted.query, wanted.show, order)
        return ids, library.count(wanted.query, wanted.show)
    begun = {name: one for name, one in listened.items() if stage(0.0, one) is not EpisodeFilter.NEW}
    there = library.ids(len(begun), 0, wanted.query, wanted.show, order, within=begun) if begun else []
    if wanted.by is By.PLAYED:
        there.sort(key=lambda name: -begun[name].at)
    if wanted.kind in (EpisodeFilter.GOING, EpisodeFilter.HEARD):
        known = library.some(there)
        there = [name for name in there if stage(known[name].seconds, begun[name]) is wanted.kind]
        return there[offset : offset + limit], len(there)
    first = there if wanted.kind is EpisodeFilter.ALL else []
    behind = library.ids(offset + limit + len(there), 0, wanted.query, wanted.show, order)
    ids = [*first, *(name for name in behind if name not in begun)]
    count = library.count(wanted.query, wanted.show)
    return ids[offset : offset + limit], count if wanted.kind is EpisodeFilter.ALL else count - len(there)


def neighbouring_episode(library: Catalogue, episode: Episode, step: int) -> Episode | None:
    """The episode after this one (``step`` 1) or before it (-1): of its show, by date, else as they came in."""
    ordered = [one for one in library.listed(reversed(library.of_show(episode.show))) if one.ready and one.audio]
    if all(one.published for one in ordered):
        ordered.sort(key=lambda one: one.published)
    here = next((at for at, one in enumerate(ordered) if one.id == episode.id), None)
    if here is None or not 0 <= here + step < len(ordered):
        return None
    return ordered[here + step]
