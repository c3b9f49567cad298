# SPDX-License-Identifier: GPL-3.0-or-later
"""The house: commands that are meant for a loudspeaker in one of its rooms are carried out there."""

import logging
import re
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from episodes.model import Episode
from episodes.store.library import Library
from retrieval.model import Answer, Command, Moment
from ui.home.conversations import AskedFrom
from ui.home.loudspeakers.media_links import PATH_PREFIX, MediaLinks
from ui.home.loudspeakers.rooms import home_of, in_room, loudspeakers_of
from ui.home.network import ANYWHERE, own_address, url_of
from voice.devices.home_assistant import Area, HomeAssistant, HomePlayer
from voice.devices.loudspeaker import Loudspeaker
from voice.errors import DeviceError, UnknownEpisode
from voice.model import clock
from voice.turns.commands import CommandName, default_amount
from voice.turns.playback_policy import REWIND

if TYPE_CHECKING:
    from ui.companion import Companion

log = logging.getLogger("earmark.home")

_AREA_LASTS = 600.0  # seconds that it is remembered in which room a device stands
_RESTS = 30.0  # seconds after a failure in which a loudspeaker is not asked what it plays
_SOUND = re.compile(rf"{PATH_PREFIX}[^/]+/(?P<episode>[^/]+)\.m4a")
_JUST_BEGUN = 10.0  # seconds into a topic in which the one before it is meant by "previous"


@dataclass(frozen=True, slots=True)
class OnAir:
    """An episode that a loudspeaker plays or holds, at ``position`` seconds of it."""

    room: str
    episode: str
    position: float
    playing: bool
    volume: float | None = None
    whole: bool = True
    """False where what plays there begins later than the episode."""


class House:
    """The loudspeakers of a house. ``base`` is where they reach this server, such as http://192.168.1.2:7860.

    ``home`` tells in which room a device stands, and its players stand in for rooms that have no loudspeaker here.
    """

    def __init__(
        self, library: Library, links: MediaLinks, speakers: Mapping[str, Loudspeaker], base: str,
        home: HomeAssistant | None = None, clock: Callable[[], float] = time.time,
    ) -> None:
        self._library, self._links, self._speakers, self._base = library, links, dict(speakers), base.rstrip("/")
        self._home, self._clock = home, clock
        self._areas: dict[str, tuple[float, Area]] = {}
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The rooms with a loudspeaker."""
        return tuple(self._speakers)

    def said(self, text: str) -> tuple[str, str]:
        """What was said without the room that it names, and the room; see ``in_room``."""
        return in_room(text, self._speakers)

    def speaker(self, room: str) -> Loudspeaker:
        """The loudspeaker of a room. Raises DeviceError, which names those that are there."""
        found = self._speakers.get(room.lower())
        if found is None:
            there = f"Choose one of: {', '.join(self._speakers)}." if self._speakers else "Set loudspeakers."
            raise DeviceError(f"There is no loudspeaker “{room[:40]}”.", there)
        return found

    def play(self, room: str, episode: Episode, start: float) -> None:
        """Play an episode in a room from ``start`` (seconds) on. Raises DeviceError."""
        if not episode.audio:
            raise DeviceError(f"“{episode.title}” has no sound to play.", "Add its recording.")

        def address(second: float) -> str:
            return self._base + self._links.path(episode.id, self._clock(), second)

        self.speaker(room).play(address, max(0.0, start))
        log.info("playing %s from %s in %s", episode.title, clock(start), room)

    def on_air(self, room: str) -> OnAir | None:
        """The episode of ours that a room plays or holds; None for anything else. Raises DeviceError."""
        state = self.speaker(room).state()
        address = urlsplit(state.address)
        found = _SOUND.search(address.path)
        if found is None:
            return None
        try:
            begins = float(parse_qs(address.query).get("from", ["0"])[0])
        except ValueError:
            begins = 0.0
        whole = "from=" not in address.query
        return OnAir(room, unquote(found["episode"]), begins + state.position, state.playing, state.volume, whole)

    def seek(self, air: OnAir, position: float) -> None:
        """Go to ``position`` (seconds) of the episode in a room, also where what plays there begins later."""
        if air.whole:
            self.speaker(air.room).seek(max(0.0, position))
        else:
            self.play(air.room, self._library.exactly(air.episode), position)

    def now(self, place: AskedFrom) -> OnAir | None:
        """What is on where somebody asks, else wherever an episode plays; None for nothing. Never raises."""
        room = self._room_of(place)
        for name in ([room] if room else self.names):
            if self._clock() - self._failed.get(name, 0.0) < _RESTS:
                continue
            try:
                air = self.on_air(name)
            except DeviceError as error:
                self._failed[name] = self._clock()
                log.warning("%s: %s", name, error)
                continue
            if air is not None and (room or air.playing):
                return air
        return None

    def carry(
        self, made: Answer, place: AskedFrom, room: str = "", here: tuple[str, float] | None = None
    ) -> str | None:
        """Carry out the command of an answer in ``room``, else where it was asked, else where an episode plays.

        ``here`` is the episode that plays where it was said, and at which second: to play it in a room is to take it
        there. Returns what to say, or None when no loudspeaker of the house is meant. Raises DeviceError.
        """
        command = made.command
        if command is None or not (self._speakers or self._home):
            return None
        if here is not None and room and command.name in (CommandName.PLAY, CommandName.RESUME):
            return self._play_moment(Moment(here[0], here[1], here[1], ""), room)
        if command.name in _TO_A_MOMENT and made.moments:
            return self._play_moment(made.moments[0], room or self._where(place))
        try:
            air = self.on_air(room) if room else self.now(place)
            if air is not None:
                return self._steer(command, air, self._library.exactly(air.episode))
        except UnknownEpisode:  # it was removed meanwhile
            pass
        if room and command.name in (CommandName.PLAY, CommandName.RESUME):
            return self._play_newest(room)
        return f"Nothing of mine plays in the {room}." if room else None

    def take_back(self) -> Moment | None:
        """Pause what plays in any room; where it was, None for nothing. Raises DeviceError."""
        air = self.now(AskedFrom())
        if air is None:
            return None
        self.speaker(air.room).pause()
        return Moment(air.episode, air.position, air.position, "")

    def _play_moment(self, moment: Moment, room: str) -> str:
        episode = self._library.exactly(moment.episode_id)
        self.play(room, episode, moment.start)
        return f"Playing “{episode.title}” from {clock(moment.start)} in the {room}."

    def _play_newest(self, room: str) -> str:
        newest = self._library.playable("", 0)
        if newest is None:
            return "There is no episode with sound to play."
        episode = self._library.exactly(newest)
        self.play(room, episode, 0.0)
        return f"Playing “{episode.title}” in the {room}."

    def _steer(self, command: Command, air: OnAir, episode: Episode) -> str | None:
        speaker, amount = self.speaker(air.room), command.amount
        match command.name:
            case CommandName.PAUSE | CommandName.STOP | CommandName.MUTE:
                speaker.pause()
                return "Paused."
            case CommandName.PLAY | CommandName.RESUME | CommandName.UNMUTE:
                if not air.playing:
                    self.seek(air, air.position - REWIND)
                    speaker.resume()
                return "Going on."
            case CommandName.BACK | CommandName.FORWARD:
                step = amount or default_amount(command.name)
                goal = air.position + (step if command.name is CommandName.FORWARD else -step)
            case CommandName.GO_TO:
                goal = {"end": episode.seconds, "middle": episode.seconds / 2}.get(command.about, amount or 0.0)
            case CommandName.NEXT_TOPIC | CommandName.PREVIOUS_TOPIC:
                starts = [segment.start for segment in self._library.segments(episode.id)]
                if command.name is CommandName.NEXT_TOPIC:
                    at = bisect_right(starts, air.position)
                else:
                    at = max(0, bisect_right(starts, air.position - _JUST_BEGUN) - 1)
                if at >= len(starts):
                    return "This is the last topic."
                goal = starts[at]
            case CommandName.SET_VOLUME | CommandName.LOUDER | CommandName.QUIETER:
                before = 0.5 if air.volume is None else air.volume
                step = amount or default_amount(command.name)
                steps = {CommandName.LOUDER: before + step, CommandName.QUIETER: before - step}
                speaker.set_volume(min(1.0, max(0.0, steps.get(command.name, 1.0 if amount is None else amount))))
                return "Done."
            case _:
                return None
        goal = min(max(0.0, goal), episode.seconds or goal)
        self.seek(air, goal)
        return f"At {clock(goal)}."

    def _where(self, place: AskedFrom) -> str:
        """The room to play in: where it was asked, where an episode plays, or the only one. Raises DeviceError."""
        if room := self._room_of(place):
            return room
        if (air := self.now(place)) is not None:
            return air.room
        if len(self._speakers) == 1:
            return self.names[0]
        raise DeviceError("I do not know where to play that.", f"Say in which room: {', '.join(self.names)}.")

    def _room_of(self, place: AskedFrom) -> str:
        """The room with a loudspeaker in which a device stands; "" where that is not known.

        A room that has only a player of Home Assistant's is added.
        """
        if self._home is None or not place.device:
            return ""
        with self._lock:
            at, area = self._areas.get(place.device, (-_AREA_LASTS, Area()))
            if self._clock() - at > _AREA_LASTS:
                try:
                    area = self._home.area_of(place.device)
                    at = self._clock()
                except DeviceError as error:
                    log.warning("%s", error)
                    at = self._clock() - _AREA_LASTS + _RESTS  # what was known stays; it is asked again soon
                self._areas[place.device] = (at, area)
            if area.name and area.name not in self._speakers and area.players:
                self._speakers[area.name] = HomePlayer(self._home, area.players[0])
        return area.name if area.name in self._speakers else ""


_TO_A_MOMENT = frozenset((
    CommandName.PLAY_ABOUT, CommandName.PLAY_LATEST, CommandName.SKIP_ADS, CommandName.CHOOSE, CommandName.YES,
))  # fmt: skip


def house_of(companion: "Companion") -> House | None:
    """The loudspeakers that the settings name; None for none. Raises SettingsError."""
    settings = companion.settings
    home = home_of(settings)
    speakers = loudspeakers_of(settings, home)
    if not speakers and home is None:
        return None
    host = own_address() if settings.host in ANYWHERE else settings.host
    base = settings.media_url.strip() or url_of(host, settings.port, "https" if settings.tls_cert else "http")
    return House(companion.library, MediaLinks.of(settings.data_dir), speakers, base, home)
