# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus: what answering needs of a library, as functions, so that it is the same over a disk and over a test's
few lines."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from episodes.model import Cue, Digest, Episode, Overview, Segment
from episodes.store.catalogue import Order
from retrieval.answers.playable import Shows
from retrieval.model import Moment, Question, SearchResult

Cues = Callable[[str], Sequence[Cue]]


@dataclass(frozen=True, slots=True)
class Mention:
    """How often an episode mentions something, and where first (seconds)."""

    count: int
    start: float


class Episodes(Shows, Protocol):
    """The episodes of a library, looked up: nothing here costs what the library costs."""

    def by_id(self, episode_id: str) -> Episode | None:
        """The episode of this id, if there is one."""

    def some(self, ids: Collection[str]) -> Mapping[str, Episode]:
        """Those of these ids that are there."""

    def overview(self, within: Collection[str] | None) -> Overview:
        """How much there is, in all or in the episodes with these ids."""

    def first(self, order: Order, limit: int, within: Collection[str] | None) -> list[Episode]:
        """The first ones in an order."""

    def languages(self) -> Sequence[str]:
        """The codes of the languages that are spoken, "" where one is not known."""

    def speakers_like(self, name: str) -> Sequence[str]:
        """People among whom somebody of this name is, if there is one, of those who speak anywhere."""

    def where_speaks(self, name: str, limit: int) -> list[str]:
        """The ids of at most so many episodes in which somebody speaks."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What answering needs of a library: its ``episodes``, and how to read each.

    ``find_sentences`` gives the runs of sentences that answer a question, at most so many, out of the episodes with
    these ids (None: all that may be asked); ``find_sections`` so many places that are about it, best first.
    ``frequency`` tells in how many places of the library a word stands, ``mentions`` which episodes hold all the
    telling words of a text close together.
    """

    episodes: Episodes
    cues: Cues
    segments: Callable[[str], Sequence[Segment]]
    digest: Callable[[str], Digest]
    find_sentences: Callable[[Question, int, Collection[str] | None], SearchResult]
    find_sections: Callable[[Question, int], list[Moment]]
    frequency: Callable[[str], int]
    mentions: Callable[[str], Mapping[str, Mention]]

    @property
    def several(self) -> bool:
        """Whether there is more than one episode."""
        return len(self.episodes.first(Order.ARRIVED, 2, None)) > 1

    def title(self, episode_id: str, otherwise: str = "an episode") -> str:
        """What an episode is called."""
        episode = self.episodes.by_id(episode_id)
        return episode.title if episode is not None else otherwise
