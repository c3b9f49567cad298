# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done: carries out the actions of the playback policy, on the player and with what is said."""

import logging
import math
import time
from collections.abc import Callable

from retrieval.model import Question
from ui.listen.now_playing import NowPlaying
from ui.listen.reply import Reply
from voice.devices.duplex import Earcon, earcon
from voice.devices.player import Player
from voice.errors import LibraryError
from voice.model import clock
from voice.turns.commands import CommandName
from voice.turns.playback_policy import Action, Do, PlaybackPolicy, PlayerState
from voice.turns.sleep_timer import FADE, SleepTimer, gain

log = logging.getLogger("earmark.listen")


class Actions:
    """The hands of a session. ``earcons``: short sounds say that it listens, or did not understand."""

    def __init__(
        self, player: Player, now_playing: NowPlaying, policy: PlaybackPolicy, reply: Reply, earcons: bool
    ) -> None:
        self.player, self.now_playing, self.policy, self.reply = player, now_playing, policy, reply
        self._earcons = earcons
        self._timer: SleepTimer | None = None
        self._timer_place = 0.0  # where the podcast was when the timer was looked at last (seconds)
        self._said = ""  # the last problem that was said

    def state(self) -> PlayerState:
        """What the player does, for the policy."""
        player = self.player
        return PlayerState(
            player.playing, player.position, self.reply.speaking, player.speed, player.volume, player.length
        )

    def do(self, actions: list[Action]) -> None:
        """Carry out actions, in order. What could not be kept is said instead of that it was."""
        problem = ""
        for action in actions:
            try:
                self._one(Action(Do.SAY, text=problem) if problem and action.do is Do.SAY else action)
            except LibraryError as error:
                log.warning("%s", error)
                problem = str(error)

    def say(self, text: str) -> None:
        """Say a text."""
        self._one(Action(Do.SAY, text=text))

    def began(self) -> None:
        """Somebody begins to speak, or called."""
        self._catch_up()
        self.do(self.policy.began(self.state()))

    def command(self, name: str, amount: float | None = None, about: str = "") -> None:
        """Obey a command."""
        self._catch_up()
        try:
            if name == CommandName.BOOKMARKS:
                self.policy.bookmarks = self.now_playing.bookmarks
                self.policy.bookmarks_elsewhere = self.now_playing.bookmarks_elsewhere
        except LibraryError as error:
            log.warning("%s", error)
            self.notice(str(error))
            return
        self.do(self.policy.command(name, amount, about, self.state(), self.now_playing.topics, self._after_ads(name)))

    def next_episode(self) -> None:
        """Play the next episode of the library."""
        self._one(Action(Do.EPISODE, 1.0))

    def _after_ads(self, name: str) -> float | None:
        return self.now_playing.after_ads if name == CommandName.SKIP_ADS else None

    def _catch_up(self) -> None:
        """What is paused here may have been gone on with on the page."""
        if not self.player.playing and not self.policy.interrupted:
            self.now_playing.catch_up()

    def _one(self, action: Action) -> None:
        player, reply = self.player, self.reply
        match action.do:
            case Do.PAUSE:
                player.pause()
            case Do.DUCK:
                player.ducked = True
            case Do.PLAY:
                player.ducked = False
                player.play()
            case Do.SEEK:
                if abs(action.amount - player.position) > 0.01:
                    player.seek(action.amount)
            case Do.PLAY_UNTIL:
                reply.until, player.ducked = action.amount, False
                player.play()
            case Do.HOLD:
                player.hold()
                if reply.until is not None:
                    player.pause()
            case Do.RELEASE:
                player.release()
                if reply.until is not None:
                    player.play()
            case Do.HUSH:
                reply.hush()
            case Do.SAY:
                reply.say(action.text)
            case Do.FIND:
                reply.look_for(Question(action.text, self.now_playing.id, position=self.policy.place))
            case Do.SPEED:
                player.speed = action.amount
            case Do.VOLUME:
                player.volume = action.amount
            case Do.BOOKMARK:
                self.now_playing.save_moment(action.amount)
                self.save()
            case Do.EPISODE:
                self._take(lambda: self.now_playing.step(round(action.amount)))
            case Do.TAKE:
                self._take(lambda: self.now_playing.open(action.text))
                player.seek(action.amount)
            case Do.LATEST:
                self._take(lambda: self.now_playing.open_latest(action.text))
            case Do.SLEEP:
                at = math.inf if action.text else time.monotonic() + action.amount
                self._timer, self._timer_place = SleepTimer(at, action.text), player.position
            case Do.AWAKE:
                self._timer, player.fade = None, 1.0

    def chime(self, kind: Earcon) -> None:
        """Sound an earcon."""
        if self._earcons:
            self.player.chime(earcon(self.player.rate, kind))

    def notice(self, text: str) -> None:
        """Say something unasked: the podcast stops for it, and comes back."""
        self.began()
        self.do(self.policy.asked())
        self.say(text)

    def problem(self, problem: str) -> None:
        """Say aloud what went wrong with a turn, once: who has no screen reads no log."""
        log.warning("%s", problem)
        if not self.is_new(problem):
            self.do(self.policy.dropped())
            self.chime(Earcon.UNSURE)
            return
        self.do(self.policy.asked())
        self.say(problem)

    def is_new(self, problem: str) -> bool:
        """Whether a problem is another one than was said last; it counts as said then."""
        before, self._said = self._said, problem
        return problem != before

    def sleep(self, now: float) -> None:
        """Fade out, and stop, when the sleep timer says so; ``now`` on the clock (seconds)."""
        timer, player = self._timer, self.player
        if timer is None:
            return
        ends = timer.ends(self.now_playing.topics, player.length)
        left = timer.left(now, self._timer_place, player.position, player.speed, ends)
        self._timer_place = player.position
        player.fade = gain(left)
        if left > 0:
            return
        self._timer = None
        if player.playing:
            player.pause()
            player.seek(player.position - FADE * player.speed)
        self.policy.taken_away()
        player.fade = 1.0
        log.info("asleep at %s", clock(player.position))

    def _take(self, another: Callable[[], None]) -> None:
        """Play another episode."""
        self.save()
        try:
            another()
        except LibraryError as error:  # all were removed meanwhile, or there is no such show
            log.warning("%s", error)
            if not self.policy.interrupted:
                self.player.pause()
            self.say(error.message)
            return
        self.policy.another_episode()
        self.player.ducked = False
        self.player.play()

    def save(self) -> None:
        """Keep the place."""
        self.now_playing.save(self.policy.place if self.policy.place is not None else self.player.position)
