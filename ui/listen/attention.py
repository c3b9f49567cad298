# SPDX-License-Identifier: GPL-3.0-or-later
"""What is heard: the turn that is being said, from the first sound of it until its speaker is done."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

from retrieval.commands.completeness import completeness
from retrieval.model import Question
from ui.listen.actions import Actions
from ui.listen.turn import Decoded, Meaning, Turn, TurnState, Update, updated
from ui.listen.turn_processor import TurnProcessor
from ui.settings import Settings
from voice.audio import HEARING_RATE, Audio
from voice.devices.duplex import Earcon
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change, Completeness, TurnEvent
from voice.turns.wake_gate import WakeGate, WakeMode
from voice.turns.wake_word import WakeWordListener, load_wake

log = logging.getLogger("earmark.listen")

_BARELY = 0.8  # seconds of an answer that may have sounded when its question goes on after a pause

_TOO_LONG = "That was too long for me. Please ask in one sentence."


class Attention:
    """Hears the listener. ``turn`` is what is being said, until somebody takes it to act on it.

    ``deaf``: nobody is listened to, since everything is still being prepared. ``ids`` numbers the tries to understand.
    Raises SettingsError for a wake word that cannot be read.
    """

    def __init__(
        self, settings: Settings, actions: Actions, processor: TurnProcessor, ids: Iterator[int]
    ) -> None:
        self.gate = WakeGate(WakeMode(settings.wake))
        self.wake_word = WakeWordListener(load_wake(settings.wake_model)) if self.gate.wake is WakeMode.WORD else None
        self.front_end = FrontEnd(watch=self.wake_word)
        self.turn: Turn | None = None
        self.deaf = False
        self._language = settings.language
        self._actions, self._processor, self._ids = actions, processor, ids
        self._joins = 0  # id of the turn that the one being said goes on from

    @property
    def listening(self) -> bool:
        """True while somebody speaks, or was heard and is not understood yet."""
        return self.front_end.speaking or self.turn is not None

    @property
    def is_open(self) -> bool:
        """Whether what is said now is listened to."""
        busy = self._actions.reply.speaking or self.listening
        return not self.deaf and self.gate.is_open(time.monotonic(), busy)

    def call(self) -> None:
        """The wake word was said, or a key pressed: stop and listen. Called again: never mind."""
        if self.deaf:
            return
        if self.gate.called:
            self.gate.close()
            self._actions.do(self._actions.policy.dropped())
            return
        self.gate.call(time.monotonic())
        self._actions.began()
        self._actions.chime(Earcon.LISTENING)
        log.info("listening")

    def take(self, event: TurnEvent) -> None:
        """Follow what the detector tells; after it, ``turn`` may be over."""
        log.debug("turn %d %s", event.number, event.change.value)
        match event.change:
            case Change.WOKEN:
                self.call()
            case Change.BEGAN:
                self._began(event)
            case Change.MAYBE_OVER:
                self._decode(event)
            case Change.ON_AGAIN:
                self.forget()
            case Change.DROPPED:
                self.forget()
                if not self.gate.called:
                    self._actions.do(self._actions.policy.dropped())
            case Change.TOO_LONG:
                self.forget()
                self.gate.close()
                self._actions.problem(_TOO_LONG)
            case Change.OVER:
                turn = self.turn
                if turn is None or turn.number != event.number:
                    turn = self._decode(event)
                self.gate.close()
                self.turn = replace(turn, state=TurnState.OVER).at("over", time.monotonic())

    def update(self, update: Update) -> None:
        """News of the turn that is being said. Those of another id change nothing."""
        if self.turn is None or update.id != self.turn.id:
            return
        self.turn = updated(self.turn, update)
        if isinstance(update, Decoded):
            self.front_end.judge(self.turn.number, self._completeness(update))

    def understood(self) -> Turn | None:
        """The turn, to be acted on, once its speaker is done and it is understood (or cannot be); None before."""
        turn = self.turn
        if turn is None or turn.state is not TurnState.OVER or (turn.meaning is None and not turn.problem):
            return None
        self.turn = None
        return turn

    def forget(self) -> None:
        """Nobody waits for what is being said any more."""
        if self.turn is not None:
            self._processor.drop(self.turn.id)
            self.turn = None

    def reset(self) -> None:
        """Forget it, and the sound of it."""
        self.forget()
        self.front_end.reset()

    def _began(self, event: TurnEvent) -> None:
        """Somebody begins to speak, or goes on after a pause that was taken for the end."""
        before = self.turn or self._actions.reply.turn
        self._joins = 0
        if before is not None and before.number == event.number - 1 and self._goes_on(before):
            if self.front_end.rejoin():
                self._joins = before.id
            elif before is self.turn:
                log.info("turn %d: was not understood in time", before.number)
        self._actions.began()

    def _goes_on(self, before: Turn) -> bool:
        """Whether further speech may belong to the turn before: it was not acted on, or it was a question of which
        hardly any answer sounded."""
        if before.meaning in (Meaning.ECHO, Meaning.COMMAND) or before.number == 0:
            return False
        return "sounding" not in before.times or time.monotonic() - before.times["sounding"] < _BARELY

    def _decode(self, event: TurnEvent) -> Turn:
        """Begin to decode what was said so far, before it is known whether that is all."""
        self.forget()
        turn = Turn(next(self._ids), event.number, joined=self._joins).at("may be over", time.monotonic())
        self.turn = turn
        now_playing, place = self._actions.now_playing, self._actions.policy.place
        episode, since = now_playing.id, now_playing.since
        told = tuple(exchange for id_, exchange in self._actions.reply.history if id_ != self._joins)
        self._processor.understand(
            turn.id, Audio(self.front_end.utterance(event), HEARING_RATE), self._being_played(),
            self.gate.called or self.gate.wake is not WakeMode.NONE,
            lambda text: Question(text, episode, position=place, history=told, since=since), episode,
        )  # fmt: skip
        return turn

    def _being_played(self) -> tuple[str, ...]:
        """The texts that an echo would be of: the transcript around the position, and what is being said.

        None where nothing sounded when the turn began, or all fell silent for it when the listener called.
        """
        policy, voice = self._actions.policy, self._actions.reply.turn
        if not policy.over_sound or (self.gate.called and not policy.duck):
            return ()
        place = policy.place if policy.place is not None else self._actions.player.position
        return (self._actions.now_playing.said_around(place), *([voice.spoken] if voice is not None else []))

    def _completeness(self, decoded: Decoded) -> Completeness:
        """What the words so far tell of the end of the turn."""
        if decoded.meaning in (Meaning.NOTHING, Meaning.ECHO):
            return Completeness.COMPLETE
        if self._language != "en":
            return Completeness.OPEN
        return completeness(decoded.heard.text, decoded.command if decoded.meaning is Meaning.COMMAND else None)
