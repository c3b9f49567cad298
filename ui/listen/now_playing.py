# SPDX-License-Identifier: GPL-3.0-or-later
"""The episode that is being played: found in the library, taken up where it was left, and its place kept."""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from episodes.model import Segment
from retrieval.model import Moment
from ui.listen import listening_state
from voice.devices.player import Player
from voice.errors import LibraryError
from voice.model import Cue, clock

if TYPE_CHECKING:
    from ui.companion import Companion

log = logging.getLogger("earmark.listen")

SAVE_EVERY = 5.0
"""Seconds between two savings of the position."""

_AROUND = (12.0, 2.0)  # seconds of transcript before and after the position that an echo may be of


class NowPlaying:
    """One episode at a time in a player."""

    def __init__(self, companion: "Companion", player: Player) -> None:
        self._library, self._player = companion.library, player
        self._folder = companion.settings.data_dir
        self._state = listening_state.load(self._folder)
        self._saved, self._saved_at = "", 0.0
        self._cues: tuple[Cue, ...] = ()
        self._open = ""
        self.since: float | None = None
        """Where the last listening broke off, in seconds; None when it is new."""
        self._parts: Sequence[Segment] = ()

    @property
    def id(self) -> str:
        """The episode that is played."""
        return self._state.episode

    @property
    def topics(self) -> tuple[float, ...]:
        """Where its topics begin, in seconds."""
        return tuple(part.start for part in self._parts)

    @property
    def bookmarks(self) -> list[float]:
        """The bookmarks of the episode, in seconds."""
        return self._state.bookmarks.setdefault(self.id, [])

    @property
    def greeted(self) -> bool:
        """Whether the listener was told how to be heard, ever."""
        return self._state.greeted

    @greeted.setter
    def greeted(self, told: bool) -> None:
        self._state.greeted = told

    def open(self, ref: str | None = None) -> None:
        """Take an episode (None: the last one, else the newest), where it was left. Raises LibraryError."""
        library = self._library
        wanted = library.resolve(ref) if ref else library.playable(self.id, 0) or ""
        episode = library.by_id(wanted)
        path = library.audio_path(episode) if episode is not None else None
        if episode is None or path is None:
            what = f"{episode.title} has no sound" if episode is not None else "There is no episode with sound"
            raise LibraryError(f"{what} to play.", "Run 'earmark add FILE' with its recording.")
        self._state.episode = self._open = wanted
        self._player.speed, self._player.volume = self._state.speed, self._state.volume
        length = episode.seconds
        position = self._state.positions.get(wanted, 0.0)
        self.since = position or None
        self._player.load(path, position if position < length - 1 else 0.0, length)
        self._parts = library.segments(wanted)
        self._cues = library.cues(wanted)
        log.info("playing %s from %s", episode.title, clock(self._player.position))

    def step(self, step: int) -> None:
        """Take the next episode of the library (1) or the one before (-1). Raises LibraryError when none is left."""
        self.open(self._library.playable(self.id, step))

    def is_there(self) -> bool:
        """False when the episode was removed from the library meanwhile."""
        return self._library.by_id(self.id) is not None

    def said_around(self, place: float) -> str:
        """What the episode says around ``place`` (seconds)."""
        near = (cue.text for cue in self._cues if place - _AROUND[0] < cue.end and cue.start < place + _AROUND[1])
        return " ".join(near)

    def topic_at(self, moment: Moment) -> str:
        """The title of the topic that a moment of this episode is in; "" where there is none."""
        found = [part.title for part in self._parts if moment.episode_id == self.id and part.start <= moment.start]
        return found[-1] if found else ""

    def save(self, place: float) -> None:
        """Keep the place (seconds), speed, volume and bookmarks; a full disk is said, and does not end the podcast."""
        self._saved_at = time.monotonic()
        state = self._state
        if self._open:
            state.positions[state.episode] = round(place, 2)
        state.speed, state.volume = self._player.speed, self._player.volume
        if repr(state) == self._saved:
            return
        self._saved = repr(state)
        try:
            listening_state.save(self._folder, state)
        except LibraryError as error:  # it is tried again
            self._saved = ""
            log.warning("%s", error)

    @property
    def is_due(self) -> bool:
        """True when the place was not saved for a while."""
        return time.monotonic() - self._saved_at > SAVE_EVERY
