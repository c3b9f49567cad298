# SPDX-License-Identifier: GPL-3.0-or-later
"""What the player does when somebody speaks: pure rules. The state before the interruption decides what follows it."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from voice.model import NORMAL_SPEED, clock
from voice.turns.commands import CommandName, default_amount

REWIND = 3.0
"""Seconds by which playback resumes earlier after it was interrupted."""

HELP = ("Ask me anything about the episode. Or say: pause, go on, back thirty seconds, next topic, play the part about"
        " something, go back to where I was, faster, louder, in their own words, save that, or sleep in twenty"
        " minutes.")  # fmt: skip

NO_ADS = "No part here is marked as advertising. Say for instance: skip two minutes."

_MARKS = 20


class Do(Enum):
    """What the edge is told to do. ``Action.amount`` and ``Action.text`` say more where a line names them."""

    PAUSE = "pause"
    DUCK = "duck"
    PLAY = "play"
    SEEK = "seek"  # amount: seconds
    PLAY_UNTIL = "play until"  # amount: seconds in the episode
    HOLD = "hold the voice"
    RELEASE = "release the voice"
    HUSH = "hush the voice"
    SAY = "say"  # text
    SPEED = "speed"  # amount: factor
    VOLUME = "volume"  # amount: 0..1
    FIND = "find and play"  # text: what it is about
    BOOKMARK = "bookmark"  # amount: seconds; what was heard just before is saved
    EPISODE = "episode"  # amount: 1 next, -1 previous
    TAKE = "take"  # text: an episode's id; amount: seconds; it played in another room
    LATEST = "latest"  # text: the show, or ""
    SLEEP = "sleep"  # amount: seconds from now; or text: at the end of this "topic" or "episode"
    AWAKE = "awake"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do."""

    do: Do
    amount: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class PlayerState:
    """What the player does: ``position`` in seconds, ``speed`` a factor, ``volume`` 0..1, ``speaking`` an answer,
    ``length`` of the episode in seconds (0: unknown)."""

    playing: bool
    position: float
    speaking: bool = False
    speed: float = NORMAL_SPEED
    volume: float = 1.0
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class AnsweredSpan:
    """A stretch of the episode in seconds that answered last."""

    start: float
    end: float


class PlaybackPolicy:
    """The state of one conversation with one listener; every method returns what to do, in order.

    ``duck``: the podcast goes on softly while somebody speaks. ``marks`` are the positions that were jumped away from,
    ``bookmarks`` where the saved moments of the episode begin (seconds), and ``bookmarks_elsewhere`` how many there are
    in other episodes: both are told when they are asked for.
    """

    def __init__(self, duck: bool = False) -> None:
        self.duck = duck
        self.marks: list[float] = []
        self.bookmarks: list[float] = []
        self.bookmarks_elsewhere = 0
        self.spans: tuple[AnsweredSpan, ...] = ()
        self.last_answer = ""
        self._before: PlayerState | None = None
        self._cut_off = False  # an answer was being spoken when the turn began
        self._asked = False

    @property
    def interrupted(self) -> bool:
        """True from the beginning of a turn until playback was given back."""
        return self._before is not None

    @property
    def over_sound(self) -> bool:
        """True when the podcast or an answer sounded as the turn began."""
        return self._cut_off or (self._before is not None and self._before.playing)

    @property
    def place(self) -> float | None:
        """Seconds at which the podcast was interrupted."""
        return self._before.position if self._before else None

    def began(self, now: PlayerState) -> list[Action]:
        """Somebody begins to speak."""
        self._cut_off = now.speaking
        if self._before is None:
            self._before = now
        actions = [Action(Do.HOLD)] if now.speaking else []
        if now.playing:
            actions.append(Action(Do.DUCK if self.duck else Do.PAUSE))
        return actions

    def dropped(self) -> list[Action]:
        """It was a cough, the device's own voice, or nothing: all goes on as if it had not been."""
        if self._cut_off or self._asked:
            self._cut_off = False
            return [Action(Do.RELEASE)]
        if self.duck and self._before is not None and self._before.playing:
            self._before = None
            return [Action(Do.PLAY)]  # it went on softly all the time
        return self._give_back(rewind=0.0)

    def asked(self) -> list[Action]:
        """It was a question: what was being said is thrown away, the answer follows."""
        self._asked, self._cut_off = True, False
        return [Action(Do.HUSH)] if self.duck else [Action(Do.HUSH), Action(Do.PAUSE)]

    def answered(self) -> list[Action]:
        """The answer has been heard to its end."""
        self._asked = False
        return self._give_back(rewind=REWIND)

    def taken_away(self) -> None:
        """Playback goes on in another room, or is over for today: it is not given back here."""
        if self._before is not None:
            self._before = replace(self._before, playing=False)

    def another_episode(self) -> None:
        """Another episode plays: nothing is given back."""
        self._before, self._asked, self._cut_off, self.marks = None, False, False, []

    def found(self, spans: Sequence[AnsweredSpan], text: str) -> None:
        """Remember the moments and the text of the last answer."""
        self.spans, self.last_answer = tuple(spans), text

    def jump(self, seconds: float) -> list[Action]:
        """Play from ``seconds``, and remember where one was."""
        if self._before is not None:
            self._mark(self._before.position)
        self._before, self._asked, self._cut_off = None, False, False
        return [Action(Do.HUSH), Action(Do.SEEK, max(0.0, seconds)), Action(Do.PLAY)]

    def own_words(self, span: AnsweredSpan) -> list[Action]:
        """Let the episode itself answer; playback is given back afterwards."""
        self._asked = True
        return [Action(Do.HUSH), Action(Do.SEEK, span.start), Action(Do.PLAY_UNTIL, span.end)]

    def command(
        self, name: str, amount: float | None, about: str, now: PlayerState, topics: Sequence[float] = (),
        after_ads: float | None = None,
    ) -> list[Action]:
        """Obey a command (a name of ``voice.turns.commands.CommandName``; others only give playback back).

        ``topics``: where topics begin, ``after_ads``: where the advertising ends that plays or is near, seconds.
        """
        before = self._before or now
        cut_off, self._cut_off, self._asked = self._cut_off, False, False
        hush = [Action(Do.HUSH)]
        match name:
            case "stop" if cut_off or now.speaking:
                return hush + self._give_back(REWIND)
            case "pause" | "stop" | "mute":
                self._before = None
                return [*hush, Action(Do.PAUSE), Action(Do.SEEK, before.position)]
            case "play" | "resume" | "unmute":
                self._before = None
                return [*hush, Action(Do.SEEK, max(0.0, before.position - REWIND * before.playing)), Action(Do.PLAY)]
            case "back" | "forward":
                step = (amount or default_amount(CommandName(name))) * (-1 if name == "back" else 1)
                return hush + self._move(before.position + step, before)
            case "go_to":
                place = amount if amount is not None else {"end": now.length, "middle": now.length / 2}.get(about, 0.0)
                self._mark(before.position)
                return hush + self._move(place, before, play=True)
            case "next_topic" | "previous_topic":
                return hush + self._topic(name, before, topics)
            case "next_episode" | "previous_episode":
                self._before = None
                return [*hush, Action(Do.EPISODE, 1.0 if name == "next_episode" else -1.0)]
            case "play_latest":
                self._asked = True
                return [*hush, *self._hold(before), Action(Do.LATEST, text=about)]
            case "skip_ads":
                if after_ads is None:
                    return hush + self._say(NO_ADS, before)
                self._mark(before.position)
                return hush + self._move(after_ads, before, play=True)
            case "sleep":
                seconds = 0.0 if about else amount or default_amount(CommandName.SLEEP)
                told = f"at the end of this {about}" if about else f"in {_duration(seconds)}"
                return [*hush, Action(Do.SLEEP, seconds, about), *self._say(f"I stop {told}.", before)]
            case "awake":
                return [*hush, Action(Do.AWAKE), *self._say("I play on.", before)]
            case "play_about":
                self._asked = True
                return [*hush, *self._hold(before), Action(Do.FIND, text=about)]
            case "return_to":
                if not self.marks:
                    return hush + self._say("You have not been anywhere else yet.", before)
                return hush + self._move(self.marks.pop(), before, play=True)
            case "slower" | "faster" | "set_speed":
                step = default_amount(CommandName.FASTER) * (-1 if name == "slower" else 1)
                factor = amount if name == "set_speed" and amount else before.speed + (amount or step)
                return [*hush, Action(Do.SPEED, factor), *self._give_back(REWIND)]
            case "louder" | "quieter" | "set_volume":
                step = default_amount(CommandName.LOUDER) * (-1 if name == "quieter" else 1)
                level = amount if name == "set_volume" and amount is not None else before.volume + step
                return [*hush, Action(Do.VOLUME, min(1.0, max(0.0, level))), *self._give_back(REWIND)]
            case "repeat":
                return hush + self._say(self.last_answer or "I have not answered anything yet.", before)
            case "own_words":
                if not self.spans:
                    return hush + self._say("Ask me something first.", before)
                return [*self._hold(before), *self.own_words(self.spans[0])]
            case "bookmark":
                return [*hush, Action(Do.BOOKMARK, before.position), *self._say("Saved.", before)]
            case "bookmarks":
                return hush + self._say(self._saved_moments(), before)
            case "choose" if self.spans:
                place = int(amount or 1) - (amount != -1)
                return self.jump(self.spans[min(max(place, -1), len(self.spans) - 1)].start)
            case "yes" if self.spans:
                return self.jump(self.spans[0].start)
            case "help":
                return hush + self._say(HELP, before)
        return hush + self._give_back(REWIND)

    def _saved_moments(self) -> str:
        times = ", ".join(clock(mark) for mark in self.bookmarks)
        others = self.bookmarks_elsewhere
        if not times:
            return f"None in this episode; {others} in others." if others else "There are no saved moments."
        return f"Your saved moments are at {times}." + (f" {others} more are in other episodes." if others else "")

    def _hold(self, before: PlayerState) -> list[Action]:
        """Stop the podcast for what is told by a key; a turn has stopped it already."""
        if self._before is not None:
            return []
        self._before = before
        return [Action(Do.DUCK if self.duck else Do.PAUSE)] if before.playing else []

    def _say(self, text: str, before: PlayerState) -> list[Action]:
        self._asked = True
        return [*self._hold(before), Action(Do.SAY, text=text)]

    def _mark(self, position: float) -> None:
        self.marks = [*self.marks, position][-_MARKS:]

    def _move(self, place: float, before: PlayerState, play: bool = False) -> list[Action]:
        self._before = None
        actions = [Action(Do.SEEK, max(0.0, place))]
        return [*actions, Action(Do.PLAY)] if play or before.playing else actions

    def _topic(self, name: str, before: PlayerState, topics: Sequence[float]) -> list[Action]:
        at = bisect.bisect_right(topics, before.position)
        if name == "next_topic":
            return self._move(topics[at], before) if at < len(topics) else self._say("This is the last topic.", before)
        # shortly after a topic began, the one before it is meant
        at = bisect.bisect_right(topics, before.position - 10) - 1
        return self._move(topics[max(0, at)] if topics else 0.0, before)

    def _give_back(self, rewind: float) -> list[Action]:
        before, self._before = self._before, None
        if before is None:
            return []
        if not before.playing:
            return [Action(Do.SEEK, before.position), Action(Do.PAUSE)]
        return [Action(Do.SEEK, max(0.0, before.position - rewind)), Action(Do.PLAY)]


def _duration(seconds: float) -> str:
    """A span of time as it is said: "20 minutes", "1 hour 30 minutes"."""
    whole = max(1, round(seconds))
    parts = ((whole // 3600, "hour"), (whole // 60 % 60, "minute"), (whole % 60 if whole < 3600 else 0, "second"))
    return " ".join(f"{count} {unit}{'s' * (count != 1)}" for count, unit in parts if count)
