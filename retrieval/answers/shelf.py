# SPDX-License-Identifier: GPL-3.0-or-later
"""What answering needs of a library, as functions, so that it is the same over a disk and over a test's few lines."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from episodes.model import Cue, Digest, Episode, Segment
from retrieval.model import Found, Moment, Question

Cues = Callable[[str], Sequence[Cue]]


@dataclass(frozen=True, slots=True)
class Mention:
    """How often an episode mentions something, and where first (seconds)."""

    count: int
    start: float


@dataclass(frozen=True, slots=True)
class Shelf:
    """What answering needs of a library: its ``episodes`` by id, newest first, and how to read each.

    ``read`` gives the runs of sentences that answer a question, at most so many, out of the episodes with these ids
    (None: all that may be asked); ``find`` so many places that are about it, best first.
    ``rare`` tells in how many places of the library a word stands, ``speakers`` who speaks in
    each episode, ``mentions`` which episodes hold all the telling words of a text close together.
    """

    episodes: Mapping[str, Episode]
    cues: Cues
    segments: Callable[[str], Sequence[Segment]]
    digest: Callable[[str], Digest]
    read: Callable[[Question, int, Collection[str] | None], Found]
    find: Callable[[Question, int], list[Moment]]
    rare: Callable[[str], int]
    speakers: Callable[[], Mapping[str, Sequence[str]]]
    mentions: Callable[[str], Mapping[str, Mention]]

    def title(self, episode_id: str, otherwise: str = "an episode") -> str:
        """What an episode is called."""
        episode = self.episodes.get(episode_id)
        return episode.title if episode is not None else otherwise
