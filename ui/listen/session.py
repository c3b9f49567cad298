# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen: one loop owns the conversation; sound, keys and thoughts come by one queue."""

import logging
import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.model import Answer, Question, Turn
from ui.listen.now_playing import Playing
from ui.listen.turn_processor import Attempt, Mind
from voice.audio import HEARING_RATE, Audio, Samples
from voice.devices.duplex import Sound, earcon
from voice.devices.player import Player
from voice.errors import LibraryError
from voice.model import clock
from voice.turns.button import watch as watch_button
from voice.turns.microphone import Ears
from voice.turns.playback_policy import Action, Conversation, Do, Now, Span
from voice.turns.turn_detector import Change, Event
from voice.turns.wake_gate import Attention, Wake
from voice.turns.wake_word import Watch, load_wake

if TYPE_CHECKING:
    from ui.companion import Companion

log = logging.getLogger("earmark.listen")

_REMEMBERED = 6  # questions of the conversation that a further one may lean on
_WAITING = 600  # messages: some twenty seconds of sound, for a busy machine


class Headless:
    """Plays an episode, hears the listener over it, and answers. ``run`` returns when it was told to stop.

    How it is called, and whether it plays on softly or answers in the original sound, are settings of ``companion``.
    Raises SettingsError for a wake word that cannot be read, DeviceError for a button that is not there.
    """

    def __init__(
        self, companion: "Companion", cues: bool = True, on_turn: Callable[[Attempt], None] = lambda attempt: None
    ) -> None:
        settings = companion.settings
        self.companion, self.own_words = companion, settings.own_words
        self.attention = Attention(Wake(settings.wake))
        self.ears = Ears(watch=Watch(load_wake(settings.wake_model)) if self.attention.wake is Wake.WORD else None)
        self._inbox: queue.Queue[tuple[str, Any]] = queue.Queue(_WAITING)
        self._button = watch_button(settings.button, lambda: self.press("\r")) if settings.button else None
        self.player = Player()
        self.playing = Playing(companion, self.player)
        self.talk = Conversation(settings.duck)
        self.turns = 0
        self.dropped_blocks = 0
        self._earcons = cues
        self._on_turn = on_turn
        self._mind = Mind(companion, lambda attempt: self._post("mind", attempt), self.playing.topic_at)
        self._sound = Sound(self.player, lambda block: self._post("sound", block),
                            settings.microphone, settings.loudspeaker)
        self._attempt: Attempt | None = None
        self._speaking: Attempt | None = None
        self._until: float | None = None
        self._told: tuple[Turn, ...] = ()
        self._stop = False
        self._said = ""  # the last problem that was said

    # -- the loop ----------------------------------------------------------------------------------------------

    def open(self, ref: str | None = None, play: bool = True) -> None:
        """Take an episode (None: the last one, else the newest), where it was left. Raises LibraryError."""
        self.playing.open(ref)
        self.talk.bookmarks = self.playing.bookmarks
        if play:
            self.player.play()

    @property
    def episode_id(self) -> str:
        """The episode that is played."""
        return self.playing.id

    def run(self) -> None:
        """Listen until ``stop``. Devices that are missing are waited for, and said in a sentence."""
        try:
            while not self._stop:
                self._sound.attend()
                try:
                    kind, what = self._inbox.get(timeout=0.1)
                except queue.Empty:
                    self._tick()
                    continue
                if kind == "sound":
                    self._hear(what)
                elif kind == "key":
                    self._key(what)
                else:
                    self._thought(what)
                self._tick()
        finally:
            self._sound.close()
            if self._button is not None:
                self._button.close()
            self._mind.close()
            self._save()
            self.player.close()

    def stop(self) -> None:
        """End ``run``."""
        self._stop = True

    def press(self, key: str) -> None:
        """A key was pressed; see ``KEYS``."""
        self._post("key", key)

    def _post(self, kind: str, what: object) -> None:
        try:
            self._inbox.put_nowait((kind, what))
        except queue.Full:  # only sound comes that fast; the rest waits for its place
            if kind == "sound":
                self.dropped_blocks += 1
            else:
                self._inbox.put((kind, what), timeout=10)

    def _now(self) -> Now:
        speaking = self.player.speaking or self._speaking is not None or self._until is not None
        return Now(self.player.playing, self.player.position, speaking, self.player.speed, self.player.volume,
                   self.player.length)

    # -- hearing -----------------------------------------------------------------------------------------------

    def _hear(self, block: Samples) -> None:
        busy = self._now().speaking or self._listening
        is_open = self.attention.is_open(time.monotonic(), busy)
        for event in self.ears.push(block, self._sound.played(self.ears.drift), is_open):
            self._event(event)

    @property
    def _listening(self) -> bool:
        """True while somebody speaks, or was heard and is not understood yet."""
        return self.ears.speaking or self._attempt is not None

    def _called(self) -> None:
        """The wake word was said, or a key pressed: stop and listen. Called again: never mind."""
        if self.attention.called:
            self.attention.close()
            self._do(self.talk.dropped())
            return
        self.attention.call(time.monotonic())
        self._do(self.talk.began(self._now()))
        if self._earcons:
            self.player.chime(earcon(self.player.rate))
        log.info("listening")

    def _event(self, event: Event) -> None:
        log.debug("turn %d %s", event.number, event.change.value)
        match event.change:
            case Change.WOKEN:
                self._called()
            case Change.BEGAN:
                self._do(self.talk.began(self._now()))
            case Change.MAYBE_OVER:
                self._begin_attempt(event)
            case Change.ON_AGAIN:
                self._forget()
            case Change.DROPPED:
                self._forget()
                if not self.attention.called:
                    self._do(self.talk.dropped())
            case Change.OVER:
                attempt = self._attempt
                if attempt is None or attempt.number != event.number:
                    attempt = self._begin_attempt(event)
                attempt.over = True
                attempt.times["over"] = time.monotonic()
                self.attention.close()
                self._advance(attempt)

    def _begin_attempt(self, event: Event) -> Attempt:
        self._forget()
        attempt = Attempt(event.number, Audio(self.ears.said(event), HEARING_RATE), self._being_played())
        attempt.times["may be over"] = time.monotonic()
        self._attempt = attempt
        episode, place = self.playing.id, self.talk.place
        told, since = self._told, self.playing.since
        self._mind.understand(
            attempt, lambda text: Question(text, episode, position=place, history=told, since=since), episode
        )
        return attempt

    def _being_played(self) -> tuple[str, ...]:
        """The texts that an echo would be of: the transcript around the position, and what is being said.

        None where nothing sounded when the turn began, or all fell silent for it when the listener called.
        """
        if not self.talk.over_sound or (self.attention.called and not self.talk.duck):
            return ()
        place = self.talk.place if self.talk.place is not None else self.player.position
        spoken = [self._speaking.spoken] if self._speaking is not None else []
        return (self.playing.said_around(place), *spoken)

    def _forget(self) -> None:
        if self._attempt is not None:
            self._attempt.live = False
            self._attempt = None

    # -- thinking ----------------------------------------------------------------------------------------------

    def _thought(self, attempt: Attempt) -> None:
        if attempt is self._speaking or (attempt is self._attempt and attempt.live):
            self._advance(attempt)

    def _advance(self, attempt: Attempt) -> None:
        """Act on what is known of an attempt."""
        if attempt.command is not None and not attempt.over:
            self.ears.complete(attempt.number)
        if not attempt.over:
            return
        if attempt.heard is None and not attempt.problem and not attempt.acted:
            return
        if not attempt.acted:
            attempt.acted = True
            self._attempt = None
            self._act(attempt)
        if attempt is self._speaking:
            self._sound_out(attempt)

    def _act(self, attempt: Attempt) -> None:
        text = attempt.heard.text if attempt.heard else ""
        if attempt.problem:
            self._complain(attempt.problem)
        elif not text or attempt.echo:
            log.info("turn %d: %s", attempt.number, f"the podcast itself: {text}" if text else "nothing was said")
            self._do(self.talk.dropped())
        elif attempt.command is not None:
            log.info("turn %d: %s (%s)", attempt.number, text, attempt.command.name)
            self.turns += 1
            command = attempt.command
            self._do(self.talk.command(command.name, command.amount, command.about, self._now(), self.playing.topics))
            attempt.times["acted"] = time.monotonic()
        else:
            log.info("turn %d: %s", attempt.number, text)
            self.turns += 1
            self._do(self.talk.asked())
            self._speaking = attempt
        self._on_turn(attempt)

    def _complain(self, problem: str) -> None:
        """Say aloud what went wrong, once: who has no screen reads no log."""
        log.warning("%s", problem)
        if problem == self._said:
            self._do(self.talk.dropped())
            return
        self._said = problem
        self._do(self.talk.asked())
        self._one(Action(Do.SAY, text=problem))

    def _sound_out(self, attempt: Attempt) -> None:
        if attempt.answer is not None and self.talk.last_answer != attempt.answer.text:
            self._found(attempt.answer)
            if self.own_words and attempt.number and attempt.answer.covered and self.talk.spans:
                attempt.live, self._speaking = False, None
                self._do(self.talk.own_words(self.talk.spans[0]))
                return
        while attempt.sounds and not self.player.full:
            attempt.times.setdefault("sounding", time.monotonic())
            self.player.say(attempt.sounds.pop(0))
        if attempt.problem:
            log.warning("turn %d: %s", attempt.number, attempt.problem)

    def _found(self, answer: Answer) -> None:
        here = [moment for moment in answer.moments if moment.episode_id == self.playing.id]
        self.talk.found([Span(moment.start, moment.end) for moment in here], answer.text)
        self._told = (*self._told, Turn(answer.question, answer.moments))[-_REMEMBERED:]
        log.info("answer: %s", answer.text)

    # -- doing -------------------------------------------------------------------------------------------------

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            self._one(action)

    def _one(self, action: Action) -> None:
        player = self.player
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
                self._until, player.ducked = action.amount, False
                player.play()
            case Do.HOLD:
                player.hold()
                if self._until is not None:
                    player.pause()
            case Do.RELEASE:
                player.release()
                if self._until is not None:
                    player.play()
            case Do.HUSH:
                self._until = None
                if self._speaking is not None:
                    self._speaking.live, self._speaking = False, None
                player.hush()
            case Do.SAY:
                self._speaking = Attempt(0, Audio(np.zeros(0, np.float32), HEARING_RATE), over=True, acted=True)
                self._mind.say(self._speaking, action.text)
            case Do.FIND:
                self._find(action.text)
            case Do.SPEED:
                player.speed = action.amount
            case Do.VOLUME:
                player.volume = action.amount
            case Do.BOOKMARK:
                self._save()
            case Do.EPISODE:
                self._episode(round(action.amount))

    def _find(self, about: str) -> None:
        question = Question(about, self.playing.id, position=self.talk.place)
        self._speaking = Attempt(0, Audio(np.zeros(0, np.float32), HEARING_RATE), over=True, acted=True)
        self._mind.look_for(self._speaking, question)

    def _episode(self, step: int) -> None:
        self._save()
        try:
            self.playing.step(step)
        except LibraryError as error:  # all were removed meanwhile
            log.warning("%s", error)
            self.player.pause()
            self._one(Action(Do.SAY, text=error.message))
            return
        self.talk.bookmarks = self.playing.bookmarks
        self.player.play()

    def _tick(self) -> None:
        """What comes to its end by itself: an answer, a moment in its own words; and the saving."""
        if self._speaking is not None and self._speaking.sounds:
            self._sound_out(self._speaking)
        speaking = self._speaking
        reached = self.player.playing and self.player.position >= (self._until or 0.0)
        if self._until is not None and (reached or self.player.ended):
            self._until = None
            self._answered()
        elif speaking is not None and speaking.finished and not speaking.sounds and not self._busy:
            self._speaking = None
            if speaking.number == 0 and speaking.answer is not None and not speaking.times:
                self._play_found(speaking.answer)
            else:
                self._answered()
        if self.player.problem is not None:
            problem, self.player.problem = self.player.problem, None
            log.error("%s", problem)
        if self.attention.lapsed(time.monotonic(), self._listening):
            self._do(self.talk.dropped())
        if self.playing.is_due:
            self._save()
            if not self.playing.is_there():
                log.warning("The episode was removed from the library.")
                self._episode(1)

    def _answered(self) -> None:
        self.attention.answered(time.monotonic())
        self._do(self.talk.answered())

    @property
    def _busy(self) -> bool:
        """True while something sounds, or somebody speaks who decides what comes next."""
        return self.player.speaking or self._listening

    def _play_found(self, answer: Answer) -> None:
        self._found(answer)
        if answer.covered and self.talk.spans:
            self._do(self.talk.jump(self.talk.spans[0].start))
        else:
            self._one(Action(Do.SAY, text=answer.text))

    def _save(self) -> None:
        self.playing.save(self.talk.place if self.talk.place is not None else self.player.position)

    # -- keys --------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> None:
        name = KEYS.get(key)
        if name == "quit":
            self.stop()
        elif name == "listen":
            self._called()
        elif name is not None:
            name = ("pause" if self.player.playing else "play") if name == "toggle" else name
            self._forget()
            self.ears.reset()
            self.attention.close()
            self._do(self.talk.command(name, None, "", self._now(), self.playing.topics))
            log.info("%s at %s", name.replace("_", " "), clock(self.player.position))


KEYS = {
    " ": "toggle", "\r": "listen", "\n": "listen", "left": "back", "right": "forward", "up": "louder",
    "down": "quieter", "n": "next_topic", "p": "previous_topic", "N": "next_episode", "P": "previous_episode",
    "+": "faster", "-": "slower", "b": "bookmark", "g": "return_to", "o": "own_words", "r": "repeat", "s": "stop",
    "?": "help", "q": "quit", "\x03": "quit",
}  # fmt: skip
"""What the keys of a terminal do: commands of ``voice.turns.playback_policy``, and toggle, listen and quit."""

