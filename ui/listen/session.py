# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen: one loop owns the conversation; sound, keys and news of turns come by one queue.

What is heard is in ``attention``, what is said in ``reply``, what is done in ``actions``.
"""

import itertools
import logging
import queue
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retrieval.model import Answer, Command
from ui.home.loudspeakers.house import house_of
from ui.listen.actions import Actions
from ui.listen.attention import Attention
from ui.listen.now_playing import NowPlaying
from ui.listen.reply import Reply
from ui.listen.turn import Finished, Meaning, Turn, TurnState, Update
from ui.listen.turn_processor import TurnProcessor
from voice.audio import Samples
from voice.devices.duplex import DuplexDevice, Earcon
from voice.devices.player import Player
from voice.errors import DeviceError
from voice.model import clock
from voice.turns.button import watch as watch_button
from voice.turns.playback_policy import PlaybackPolicy
from voice.turns.turn_detector import TurnEvent
from voice.turns.wake_gate import WakeMode

if TYPE_CHECKING:
    from ui.companion import Companion

log = logging.getLogger("earmark.listen")

_WAITING = 600  # messages: some twenty seconds of sound, for a busy machine

_STARTING = "One moment, I am getting ready."
_DEAF = "I cannot hear you, but I play on."
_HEARS = "I can hear you again."


class ListeningSession:
    """Plays an episode, hears the listener over it, and answers. ``run`` returns when it was told to stop.

    How it is called, and whether it plays on softly or answers in the original sound, are settings of ``companion``.
    ``on_turn`` hears of every turn that was acted on, and of what becomes of it (the same ``id``, another ``state``).
    Raises SettingsError for a wake word that cannot be read, DeviceError for a button that is not there.
    """

    def __init__(
        self, companion: "Companion", cues: bool = True, on_turn: Callable[[Turn], None] = lambda turn: None
    ) -> None:
        settings = companion.settings
        self._on_turn = on_turn
        self._inbox: queue.Queue[tuple[str, Any]] = queue.Queue(_WAITING)
        self.player = Player()
        self.now_playing = NowPlaying(companion, self.player)
        self.policy = PlaybackPolicy(settings.duck)
        self._processor = TurnProcessor(
            companion, lambda update: self._post("update", update), self.now_playing.topic_at, house_of(companion)
        )
        ids = itertools.count(1)
        self.reply = Reply(
            self.player, self._processor, self.policy, self.now_playing, ids, settings.own_words,
            lambda turn: self._on_turn(turn),
        )
        self.actions = Actions(self.player, self.now_playing, self.policy, self.reply, cues)
        self.attention = Attention(settings, self.actions, self._processor, ids)
        self.gate, self.front_end = self.attention.gate, self.attention.front_end
        self._button = watch_button(settings.button, lambda: self.press("\r")) if settings.button else None
        self._devices = DuplexDevice(
            self.player, lambda block: self._post("sound", block), settings.microphone, settings.loudspeaker,
            lambda error: self._post("device", error),
        )
        self.turns = 0
        self.dropped_blocks = 0
        self._starting: int | None = None  # id of the notice during which everything is prepared
        self._play = False  # play when everything is prepared
        self._offered: Command | None = None  # a command that was asked back
        self._stop = False

    # -- the loop ----------------------------------------------------------------------------------------------

    def open(self, ref: str | None = None, play: bool = True) -> None:
        """Take an episode (None: the last one, else the newest), where it was left. Raises LibraryError."""
        self.now_playing.open(ref)
        if play:
            self.player.play()

    @property
    def episode_id(self) -> str:
        """The episode that is played."""
        return self.now_playing.id

    def run(self, prepare: Callable[[], None] | None = None) -> None:
        """Listen until ``stop``. Devices that are missing are waited for, and said in a sentence.

        ``prepare`` is what has to be done before the first turn can be quick. It is done first, and said aloud; then
        the podcast plays, and the session says that it listens.
        """
        if prepare is not None:
            self._begin(prepare)
        try:
            while not self._stop:
                self._devices.attend()
                self.step()
        finally:
            self._devices.close()
            if self._button is not None:
                self._button.close()
            self._processor.close()
            self.actions.save()
            self.player.close()

    def _begin(self, prepare: Callable[[], None]) -> None:
        """Prepare everything, say so, and hold the podcast until then."""
        self._play = self.player.playing
        self.player.pause()
        self.attention.deaf = True
        self._starting = self.reply.notice().id
        self._processor.prepare(self._starting, prepare, _STARTING)

    def step(self, patience: float = 0.1) -> None:
        """Take the next message, waiting for it so many seconds, and do what has come to its time."""
        try:
            kind, what = self._inbox.get(timeout=patience)
        except queue.Empty:
            self._tick()
            return
        match kind:
            case "sound":
                self._hear(what)
            case "key":
                self._key(what)
            case "device":
                self._device(what)
            case _:
                self._update(what)
        self._tick()

    def stop(self) -> None:
        """End ``run``."""
        self._stop = True

    def press(self, key: str) -> None:
        """A key was pressed; see ``KEYS``."""
        self._post("key", key)

    @property
    def idle(self) -> bool:
        """True while nobody speaks, nothing is worked on, and nothing is said."""
        return not self.attention.listening and not self.reply.speaking

    @property
    def working(self) -> bool:
        """True while a turn is decoded, or what is said of it is not made yet."""
        return any(turn is not None and not turn.made for turn in (self.attention.turn, self.reply.turn))

    def _post(self, kind: str, what: object) -> None:
        try:
            self._inbox.put_nowait((kind, what))
        except queue.Full:  # only sound comes that fast; the rest waits for its place
            if kind == "sound":
                self.dropped_blocks += 1
            else:
                self._inbox.put((kind, what), timeout=10)

    # -- turns -------------------------------------------------------------------------------------------------

    def _hear(self, block: Samples) -> None:
        is_open = self.attention.is_open
        for event in self.front_end.push(block, self._devices.played(self.front_end.drift), is_open):
            self._event(event)

    def _event(self, event: TurnEvent) -> None:
        self.attention.take(event)
        self._advance()

    def _update(self, update: Update) -> None:
        """News from the processor; what is of neither of the two turns is of one that nobody waits for any more."""
        if self.attention.turn is not None and update.id == self.attention.turn.id:
            self.attention.update(update)
            self._advance()
            return
        prepared = self.reply.turn is not None and self.reply.turn.id == self._starting == update.id
        self.actions.do(self.reply.update(update))
        if prepared and isinstance(update, Finished):
            self._ready(update.problem)

    def _advance(self) -> None:
        """Act on a turn whose speaker is done, as soon as it is understood."""
        turn = self.attention.understood()
        if turn is None:
            return
        if turn.problem:
            self.actions.problem(turn.problem)
        else:
            turn = self._act(turn)
        self._on_turn(turn)
        self.actions.do(self.reply.sound_out())

    def _act(self, turn: Turn) -> Turn:
        """Do what a turn means; the turn as it stands then."""
        offered, self._offered = self._offered, None
        command = turn.command
        if command is not None and command.name == "yes" and offered is not None:
            command = offered
        match turn.meaning:
            case Meaning.COMMAND if command is not None:
                log.info("turn %d: %s (%s)", turn.number, turn.text, command.name)
                self.turns += 1
                turn = replace(turn, state=TurnState.DONE).at("acted", time.monotonic())
                self.actions.command(command.name, command.amount, command.about)
            case Meaning.UNSURE if command is not None:
                log.info("turn %d: %s (perhaps %s)", turn.number, turn.text, command.name)
                turn = replace(turn, state=TurnState.DONE)
                self.actions.do(self.policy.asked())
                self._offered = command
                self.actions.say(f"{command.name.replace('_', ' ').capitalize()}?")
            case Meaning.QUESTION if self._is_answered_already(turn):
                log.info("turn %d: nothing was added", turn.number)
                self._processor.drop(turn.id)
                turn = replace(turn, state=TurnState.DONE)
                self.actions.do(self.policy.dropped())
            case Meaning.QUESTION:
                log.info("turn %d: %s", turn.number, turn.text)
                self.turns += 1
                turn = replace(turn, state=TurnState.ANSWERING)
                self.actions.do(self.policy.asked())
                self.reply.answer(turn)
            case _:
                told = {Meaning.ECHO: "the podcast itself", Meaning.ASIDE: "said to somebody else"}
                log.info("turn %d: %s", turn.number,
                         f"{told[turn.meaning]}: {turn.text}" if turn.meaning in told else "nothing was said")
                turn = replace(turn, state=TurnState.DONE)
                self._processor.drop(turn.id)
                self.actions.do(self.policy.dropped())
                if turn.meaning is Meaning.ASIDE:
                    self.actions.chime(Earcon.UNSURE)
        return turn

    def _is_answered_already(self, turn: Turn) -> bool:
        """Whether it is what is being answered, with a cough behind it."""
        voice = self.reply.turn
        return bool(turn.joined) and voice is not None and voice.id == turn.joined and voice.text == turn.text

    # -- what comes by itself ----------------------------------------------------------------------------------

    def _ready(self, problem: str) -> None:
        """Everything is prepared: play, and say how to be heard; the first time in words."""
        self._starting, self.attention.deaf = None, False
        if self._play:
            self.player.play()
        self.actions.chime(Earcon.LISTENING)
        if problem:
            log.warning("%s", problem)
            self.actions.notice(problem)
        elif not self.now_playing.greeted:
            self.now_playing.greeted = True
            self.actions.notice(self.greeting)
        log.info("ready: %s", self.greeting)

    @property
    def greeting(self) -> str:
        """How to be heard, as a sentence."""
        wake_word = self.attention.wake_word
        match self.gate.wake:
            case WakeMode.WORD if wake_word is not None:
                return f"I am ready. Say {wake_word.name.replace('_', ' ')}, and then ask me, or say help."
            case WakeMode.KEY:
                return "I am ready. Press the button, and then ask me, or say help."
        return "I am ready. Just ask me, or say help."

    def _device(self, error: DeviceError | None) -> None:
        """The microphone is missing, or is back; the podcast plays on. Said once each."""
        if error is not None:
            self.attention.reset()
            self.actions.notice(f"{_DEAF} {error}")
        else:
            self.actions.notice(_HEARS)

    def _tick(self) -> None:
        """What comes to its end by itself: an answer, a moment in its own words; and the saving."""
        reply, player = self.reply, self.player
        self.now_playing.look()
        self.actions.sleep(time.monotonic())
        if reply.turn is not None and reply.turn.sounds:
            self.actions.do(reply.sound_out())
        voice = reply.turn
        reached = player.playing and player.position >= (reply.until or 0.0)
        if reply.until is not None and (reached or player.ended):
            reply.until = None
            self._answered()
        elif voice is not None and voice.made and not voice.sounds and not self._busy:
            reply.turn = None
            self._said(voice)
        if player.problem is not None:
            problem, player.problem = player.problem, None
            log.error("%s", problem)
        if self.gate.lapsed(time.monotonic(), self.attention.listening):
            self.actions.do(self.policy.dropped())
        if self.now_playing.is_due:
            self.actions.save()
            if not self.now_playing.is_there():
                log.warning("The episode was removed from the library.")
                self.actions.next_episode()

    def _said(self, voice: Turn) -> None:
        """What was said has been heard to its end, or nothing could be said."""
        if voice.number:
            self._on_turn(replace(voice, state=TurnState.DONE))
        if voice.problem:
            log.warning("turn %d: %s", voice.number, voice.problem)
        if voice.problem and voice.meaning is not Meaning.NOTICE and self.actions.is_new(voice.problem):
            self.actions.say(voice.problem)
        elif voice.state is TurnState.FINDING and voice.answer is not None:
            self._play_found(voice, voice.answer)
        else:
            self._answered()

    def _answered(self) -> None:
        self.gate.answered(time.monotonic())
        self.actions.do(self.policy.answered())

    @property
    def _busy(self) -> bool:
        """True while something sounds, or somebody speaks who decides what comes next."""
        return self.player.speaking or self.attention.listening

    def _play_found(self, turn: Turn, answer: Answer) -> None:
        self.reply.found(turn, answer)
        if answer.covered and self.policy.spans:
            self.actions.do(self.policy.jump(self.policy.spans[0].start))
        else:
            self.actions.say(answer.text)

    # -- keys --------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> None:
        name = KEYS.get(key)
        if name == "quit":
            self.stop()
        elif name == "listen":
            self.attention.call()
        elif name is not None:
            name = ("pause" if self.player.playing else "play") if name == "toggle" else name
            self.attention.reset()
            self.gate.close()
            self.actions.command(name)
            log.info("%s at %s", name.replace("_", " "), clock(self.player.position))


KEYS = {
    " ": "toggle", "\r": "listen", "\n": "listen", "left": "back", "right": "forward", "up": "louder",
    "down": "quieter", "n": "next_topic", "p": "previous_topic", "N": "next_episode", "P": "previous_episode",
    "+": "faster", "-": "slower", "b": "bookmark", "g": "return_to", "o": "own_words", "r": "repeat", "s": "stop",
    "?": "help", "q": "quit", "\x03": "quit",
}  # fmt: skip
"""What the keys of a terminal do: commands of ``voice.turns.playback_policy``, and toggle, listen and quit."""

