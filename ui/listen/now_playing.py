# SPDX-License-Identifier: GPL-3.0-or-later
"""The episode that is being played: found in the library, taken up where its listener left it, here or on the page, and
what is heard of it kept."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from episodes.model import Segment
from episodes.text.keywords import rare_words
from episodes.text.lexicon import content_words
from episodes.text.stemming import stems
from retrieval.answers.playable import after_ads, latest, no_such_show
from retrieval.model import Moment
from ui.listen import listening_state
from ui.listener_data import ListenerData, SavedMoment
from ui.positions import HeardSpan, Listened, PlaybackPositions, at_end, listener_of, union
from ui.shows import ShowSettingsStore, playback, set_speed
from voice.devices.player import Player
from voice.errors import LibraryError
from voice.model import NORMAL_SPEED, Cue, clock

if TYPE_CHECKING:
    from ui.companion import Companion

log = logging.getLogger("earmark.listen")

SAVE_EVERY = 5.0
"""Seconds between two savings of the position."""

_SAVED = 30.0  # seconds of a moment that is saved while it plays: what was just heard
_QUOTED = 4  # cues of it that are quoted
_JUMP = 2.0  # seconds between two looks at the player that nobody can have listened to in between
_APART = 1.0  # seconds from which on two places are not the same

_SUBJECTS = 1000  # rare words that an episode is about

_AROUND = (12.0, 2.0)  # seconds of transcript before and after the position that an echo may be of


class HeardStretches:
    """What of an episode was heard since it was last asked for, by looking at the player again and again."""

    def __init__(self) -> None:
        self._stretches: list[HeardSpan] = []
        self._last: float | None = None

    def at(self, position: float, playing: bool) -> None:
        """The player is at ``position`` (seconds)."""
        if playing and self._last is not None and 0 < position - self._last <= _JUMP:
            self._stretches = list(union([*self._stretches, (self._last, position)]))
        self._last = position if playing else None

    def take(self) -> tuple[HeardSpan, ...]:
        """The stretches since the last time, in order."""
        taken, self._stretches = tuple(self._stretches), []
        return taken

    def give_back(self, stretches: Sequence[HeardSpan]) -> None:
        """They could not be noted."""
        self._stretches = list(union([*stretches, *self._stretches]))


class NowPlaying:
    """One episode at a time in a player, for one listener."""

    def __init__(self, companion: "Companion", player: Player) -> None:
        settings = companion.settings
        self._library, self._player, self._folder = companion.library, player, settings.data_dir
        server = companion.storage.server
        self._listeners = PlaybackPositions(settings.data_dir, server)
        self._kept = ListenerData(settings.data_dir, server)
        self._shows, self._show = ShowSettingsStore.of(companion.library), ""
        self.listener = listener_of(settings.listener, settings.auth, self._listeners)
        """The key under which the page knows this listener as well."""
        kept = listening_state.load_state(self._folder)
        known = companion.library.some({*kept.positions, *kept.bookmarks})
        self._state = listening_state.take_over(
            self._folder, kept, self.listener, self._listeners, self._kept, known, self._moment
        )
        self._device = (self._state.volume, self._state.greeted)  # as it is on disk
        self._speed = 0.0  # as it is on disk
        self._saved_at = 0.0
        self._noted = Listened()  # what is on disk of this episode
        self._heard = HeardStretches()
        self._cues: Sequence[Cue] = ()
        self._open = ""
        self.since: float | None = None
        """Where the last listening broke off, in seconds; None when it is new."""
        self._parts: Sequence[Segment] = ()
        self._about: tuple[str, frozenset[str]] = ("", frozenset())

    @property
    def id(self) -> str:
        """The episode that is played."""
        return self._open

    @property
    def topics(self) -> tuple[float, ...]:
        """Where its topics begin, in seconds."""
        return tuple(part.start for part in self._parts)

    @property
    def bookmarks(self) -> list[float]:
        """Where the saved moments of the episode begin, in seconds, in order."""
        return sorted(moment.start for moment in self._kept.moments(self.listener) if moment.episode == self.id)

    @property
    def bookmarks_elsewhere(self) -> int:
        """How many moments are saved in other episodes."""
        return sum(moment.episode != self.id for moment in self._kept.moments(self.listener))

    @property
    def greeted(self) -> bool:
        """Whether the listener was told how to be heard, ever."""
        return self._state.greeted

    @greeted.setter
    def greeted(self, told: bool) -> None:
        self._state.greeted = told

    def open(self, ref: str | None = None) -> None:
        """Take an episode (None: the one listened to last, here or on the page, else the newest), where it was left.
        Raises LibraryError."""
        library = self._library
        places = self._listeners.all(self.listener)
        wanted = library.resolve(ref) if ref else self._last(places) or library.playable("", 0) or ""
        episode = library.by_id(wanted)
        path = library.audio_path(episode) if episode is not None else None
        if episode is None or path is None:
            what = f"{episode.title} has no sound" if episode is not None else "There is no episode with sound"
            raise LibraryError(f"{what} to play.", "Run 'earmark add FILE' with its recording.")
        self._open = wanted
        self._show, how = episode.show, playback(self._shows, self._listeners, self.listener, episode)
        self._speed = how.speed or NORMAL_SPEED
        self._player.speed, self._player.volume = self._speed, self._state.volume
        self._noted, self._heard = places.get(wanted, Listened()), HeardStretches()
        length, position = episode.seconds, self._noted.position
        self.since = position or None
        is_over = at_end(length, position)
        self._player.load(path, how.begins if is_over or not position else position, length)
        if ref and next(iter(places), wanted) != wanted:  # from now on this is the one listened to last
            self._noted = self._listeners.note(self.listener, wanted, self._player.position)
        self._parts = library.segments(wanted)
        self._cues = library.cues(wanted)
        log.info("playing %s from %s", episode.title, clock(self._player.position))

    def step(self, step: int) -> None:
        """Take the next episode of the library (1) or the one before (-1). Raises LibraryError when none is left."""
        self.open(self._library.playable(self.id, step))

    def catch_up(self) -> None:
        """Go to where the listener is meanwhile on the page; while it is paused here."""
        try:
            there = self._listeners.get(self.listener, self.id)
        except LibraryError as error:
            log.warning("%s", error)
            return
        if there.at > self._noted.at:
            self._noted = there
            if abs(there.position - self._player.position) > _APART:
                self._player.seek(there.position)

    @property
    def after_ads(self) -> float | None:
        """Where the advertising ends that plays or is near, in seconds; None where no part is marked as such."""
        return after_ads(self._parts, self._player.position)

    def open_latest(self, show: str) -> None:
        """Take the newest episode of a show ("": of all). Raises LibraryError."""
        found = latest(self._library, show)
        if found is None:
            raise LibraryError(no_such_show(show), "'earmark list' has the shows.")
        self.open(found.id)

    def is_there(self) -> bool:
        """False when the episode was removed from the library meanwhile."""
        return self._library.by_id(self.id) is not None

    def said_around(self, place: float) -> str:
        """What the episode says around ``place`` (seconds)."""
        near = (cue.text for cue in self._cues if place - _AROUND[0] < cue.end and cue.start < place + _AROUND[1])
        return " ".join(near)

    def is_about(self, topic: str) -> bool:
        """Whether a word of it is one that the episode is about: of the title of a topic, or seldom said elsewhere."""
        wanted, (known, about) = self.id, self._about
        if known != wanted:
            titles = " ".join(part.title for part in self._parts)
            seldom = rare_words((cue.text for cue in self._cues), _SUBJECTS, least=1)
            about = frozenset(stems(" ".join((*content_words(titles), *seldom))))
            self._about = (wanted, about)
        return not about.isdisjoint(stems(" ".join(content_words(topic))))

    def topic_at(self, moment: Moment) -> str:
        """The title of the topic that a moment of this episode is in; "" where there is none."""
        found = [part.title for part in self._parts if moment.episode_id == self.id and part.start <= moment.start]
        return found[-1] if found else ""

    def save_moment(self, place: float) -> None:
        """Save what was heard just before ``place`` (seconds). Raises LibraryError."""
        self._kept.save_moment(self.listener, self._moment(self.id, place))

    def _moment(self, episode_id: str, place: float) -> SavedMoment:
        """What is said in an episode just before a place, within its topic: as the page's button saves it."""
        topics = [part.start for part in self._library.segments(episode_id) if part.start <= place]
        start = max(0.0, place - _SAVED, *topics[-1:])
        end = max(place, start + 1)
        said = [cue for cue in self._library.cues(episode_id) if cue.end > start and cue.start < end][-_QUOTED:]
        if not said:
            return SavedMoment("", episode_id, start, end)
        speakers = {cue.speaker for cue in said if cue.speaker}
        return SavedMoment(
            "", episode_id, said[0].start, said[-1].end, " ".join(cue.text for cue in said),
            speakers.pop() if len(speakers) == 1 else "",
        )

    def look(self) -> None:
        """Look at the player, several times a second: what it plays is heard."""
        self._heard.at(self._player.position, self._player.playing)

    def save(self, place: float) -> None:
        """Keep the place (seconds), what was heard, and the speed and volume; a full disk is said, and does not end the
        podcast."""
        self._saved_at = time.monotonic()
        state, heard = self._state, self._heard.take()
        state.volume = self._player.volume
        try:
            if self._open and (heard or abs(place - self._noted.position) > 0.01):
                self._noted = self._listeners.note(self.listener, self._open, round(place, 2), heard)
            heard = ()
            if self._open and self._player.speed != self._speed:
                set_speed(self._shows, self._listeners, self.listener, self._show, self._player.speed)
                self._speed = self._player.speed
            if (state.volume, state.greeted) != self._device:
                listening_state.save_state(self._folder, state)
                self._device = (state.volume, state.greeted)
        except LibraryError as error:  # it is tried again
            self._heard.give_back(heard)
            log.warning("%s", error)

    @property
    def is_due(self) -> bool:
        """True when the place was not saved for a while."""
        return time.monotonic() - self._saved_at > SAVE_EVERY

    def _last(self, places: Iterable[str]) -> str:
        """The episode listened to last of those that can be played; "" when there is none."""
        return next((name for name in places if self._library.playable(name, 0) == name), "")
