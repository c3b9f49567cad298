# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen: one loop owns the conversation; sound, keys and news of turns come by one queue."""

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retrieval.commands.utterance import completeness
from retrieval.model import Answer, Command, Question
from retrieval.model import Turn as Exchange
from ui.home.house import house_of
from ui.listen.now_playing import NowPlaying
from ui.listen.turn import Decoded, Finished, Meaning, State, Turn, Update, updated
from ui.listen.turn_processor import TurnProcessor
from voice.audio import HEARING_RATE, Audio, Samples
from voice.devices.duplex import DuplexDevice, Earcon, earcon
from voice.devices.player import Player
from voice.errors import DeviceError, LibraryError
from voice.model import clock
from voice.turns.button import watch as watch_button
from voice.turns.commands import CommandName
from voice.turns.microphone import FrontEnd
from voice.turns.playback_policy import Action, Do, PlaybackPolicy, PlayerState, Span
from voice.turns.turn_detector import Change, Completeness, TurnEvent
from voice.turns.wake_gate import WakeGate, WakeMode
from voice.turns.wake_word import WakeWordListener, load_wake

if TYPE_CHECKING:
    from ui.companion import Companion

log = logging.getLogger("earmark.listen")

_REMEMBERED = 6  # questions of the conversation that a further one may lean on
_WAITING = 600  # messages: some twenty seconds of sound, for a busy machine
_BARELY = 0.8  # seconds of an answer that may have sounded when its question goes on after a pause

_TAKES_AWAY = frozenset((CommandName.PLAY, CommandName.RESUME, CommandName.PLAY_ABOUT))
"""What begins to play in another room, when it was told to be done there."""

_STARTING = "One moment, I am getting ready."
_TOO_LONG = "That was too long for me. Please ask in one sentence."
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
        self.companion, self.own_words = companion, settings.own_words
        self.gate = WakeGate(WakeMode(settings.wake))
        self._wake_word = WakeWordListener(load_wake(settings.wake_model)) if self.gate.wake is WakeMode.WORD else None
        self.front_end = FrontEnd(watch=self._wake_word)
        self._inbox: queue.Queue[tuple[str, Any]] = queue.Queue(_WAITING)
        self._button = watch_button(settings.button, lambda: self.press("\r")) if settings.button else None
        self.player = Player()
        self.now_playing = NowPlaying(companion, self.player)
        self.policy = PlaybackPolicy(settings.duck)
        self.turns = 0
        self.dropped_blocks = 0
        self._earcons = cues
        self._on_turn = on_turn
        self._processor = TurnProcessor(
            companion, lambda update: self._post("update", update), self.now_playing.topic_at, house_of(companion)
        )
        self._devices = DuplexDevice(
            self.player, lambda block: self._post("sound", block), settings.microphone, settings.loudspeaker,
            lambda error: self._post("device", error),
        )
        self._ids = 0
        self._turn: Turn | None = None  # what is being said, until it is acted on
        self._joins = 0  # id of the turn that the one being said goes on from
        self._voice: Turn | None = None  # what is being answered, or said by the device itself
        self._starting: int | None = None  # id of the notice during which everything is prepared
        self._play = False  # play when everything is prepared
        self._until: float | None = None
        self._history: tuple[tuple[int, Exchange], ...] = ()  # with the id of the turn
        self._offered: Command | None = None  # a command that was asked back
        self._stop = False
        self._said = ""  # the last problem that was said

    # -- the loop ----------------------------------------------------------------------------------------------

    def open(self, ref: str | None = None, play: bool = True) -> None:
        """Take an episode (None: the last one, else the newest), where it was left. Raises LibraryError."""
        self.now_playing.open(ref)
        self.policy.bookmarks = self.now_playing.bookmarks
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
            self._save()
            self.player.close()

    def _begin(self, prepare: Callable[[], None]) -> None:
        """Prepare everything, say so, and hold the podcast until then."""
        self._play = self.player.playing
        self.player.pause()
        self._voice = self._new(Meaning.NOTICE, State.ANSWERING)
        self._starting = self._voice.id
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
        return self._turn is None and not self.front_end.speaking and not self._state().speaking

    @property
    def working(self) -> bool:
        """True while a turn is decoded, or what is said of it is not made yet."""
        return any(turn is not None and not turn.made for turn in (self._turn, self._voice))

    def _post(self, kind: str, what: object) -> None:
        try:
            self._inbox.put_nowait((kind, what))
        except queue.Full:  # only sound comes that fast; the rest waits for its place
            if kind == "sound":
                self.dropped_blocks += 1
            else:
                self._inbox.put((kind, what), timeout=10)

    def _state(self) -> PlayerState:
        speaking = self.player.speaking or self._voice is not None or self._until is not None
        return PlayerState(
            self.player.playing, self.player.position, speaking, self.player.speed, self.player.volume,
            self.player.length,
        )  # fmt: skip

    def _new(self, meaning: Meaning | None = None, state: State = State.PENDING, number: int = 0) -> Turn:
        self._ids += 1
        return Turn(self._ids, number, state, meaning)

    # -- hearing -----------------------------------------------------------------------------------------------

    def _hear(self, block: Samples) -> None:
        busy = self._state().speaking or self._listening
        is_open = self._starting is None and self.gate.is_open(time.monotonic(), busy)
        for event in self.front_end.push(block, self._devices.played(self.front_end.drift), is_open):
            self._event(event)

    @property
    def _listening(self) -> bool:
        """True while somebody speaks, or was heard and is not understood yet."""
        return self.front_end.speaking or self._turn is not None

    def _called(self) -> None:
        """The wake word was said, or a key pressed: stop and listen. Called again: never mind."""
        if self._starting is not None:
            return
        if self.gate.called:
            self.gate.close()
            self._do(self.policy.dropped())
            return
        self.gate.call(time.monotonic())
        self._do(self.policy.began(self._state()))
        self._chime(Earcon.LISTENING)
        log.info("listening")

    def _event(self, event: TurnEvent) -> None:
        log.debug("turn %d %s", event.number, event.change.value)
        match event.change:
            case Change.WOKEN:
                self._called()
            case Change.BEGAN:
                self._began(event)
            case Change.MAYBE_OVER:
                self._decode(event)
            case Change.ON_AGAIN:
                self._forget()
            case Change.DROPPED:
                self._forget()
                if not self.gate.called:
                    self._do(self.policy.dropped())
            case Change.TOO_LONG:
                self._forget()
                self.gate.close()
                self._problem(_TOO_LONG)
            case Change.OVER:
                turn = self._turn
                if turn is None or turn.number != event.number:
                    turn = self._decode(event)
                self.gate.close()
                self._turn = replace(turn, state=State.OVER).at("over", time.monotonic())
                self._advance()

    def _began(self, event: TurnEvent) -> None:
        """Somebody begins to speak, or goes on after a pause that was taken for the end."""
        before = self._turn or self._voice
        self._joins = 0
        if before is not None and before.number == event.number - 1 and self._goes_on(before):
            if self.front_end.rejoin():
                self._joins = before.id
            elif before is self._turn:
                log.info("turn %d: was not understood in time", before.number)
        self._do(self.policy.began(self._state()))

    def _goes_on(self, before: Turn) -> bool:
        """Whether further speech may belong to the turn before: it was not acted on, or it was a question of which
        hardly any answer sounded."""
        if before.meaning in (Meaning.ECHO, Meaning.COMMAND) or before.number == 0:
            return False
        return "sounding" not in before.times or time.monotonic() - before.times["sounding"] < _BARELY

    def _decode(self, event: TurnEvent) -> Turn:
        """Begin to decode what was said so far, before it is known whether that is all."""
        self._forget()
        turn = replace(self._new(number=event.number), joined=self._joins).at("may be over", time.monotonic())
        self._turn = turn
        episode, place, since = self.now_playing.id, self.policy.place, self.now_playing.since
        told = tuple(exchange for id_, exchange in self._history if id_ != self._joins)
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
        if not self.policy.over_sound or (self.gate.called and not self.policy.duck):
            return ()
        place = self.policy.place if self.policy.place is not None else self.player.position
        spoken = [self._voice.spoken] if self._voice is not None else []
        return (self.now_playing.said_around(place), *spoken)

    def _forget(self) -> None:
        if self._turn is not None:
            self._processor.drop(self._turn.id)
            self._turn = None

    # -- thinking ----------------------------------------------------------------------------------------------

    def _update(self, update: Update) -> None:
        """News from the processor; what is of neither of the two turns is of one that nobody waits for any more."""
        if self._turn is not None and update.id == self._turn.id:
            self._turn = updated(self._turn, update)
            if isinstance(update, Decoded):
                self.front_end.judge(self._turn.number, self._completeness(update))
            self._advance()
        elif self._voice is not None and update.id == self._voice.id:
            self._voice = updated(self._voice, update)
            self._sound_out()
            if isinstance(update, Finished) and update.id == self._starting:
                self._ready(update.problem)

    def _completeness(self, decoded: Decoded) -> Completeness:
        """What the words so far tell of the end of the turn."""
        if decoded.meaning in (Meaning.NOTHING, Meaning.ECHO):
            return Completeness.COMPLETE
        if self.companion.settings.language != "en":
            return Completeness.OPEN
        return completeness(decoded.heard.text, decoded.command if decoded.meaning is Meaning.COMMAND else None)

    def _advance(self) -> None:
        """Act on a turn whose speaker is done, as soon as it is understood."""
        turn = self._turn
        if turn is None or turn.state is not State.OVER or (turn.meaning is None and not turn.problem):
            return
        self._turn = None
        if turn.problem:
            self._problem(turn.problem)
        else:
            turn = self._act(turn)
        self._on_turn(turn)
        self._sound_out()

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
                turn = replace(turn, state=State.DONE).at("acted", time.monotonic())
                self._do(self.policy.command(
                    command.name, command.amount, command.about, self._state(), self.now_playing.topics
                ))  # fmt: skip
            case Meaning.UNSURE if command is not None:
                log.info("turn %d: %s (perhaps %s)", turn.number, turn.text, command.name)
                turn = replace(turn, state=State.DONE)
                self._do(self.policy.asked())
                self._offered = command
                self._one(Action(Do.SAY, text=f"{command.name.replace('_', ' ').capitalize()}?"))
            case Meaning.QUESTION if self._is_answered_already(turn):
                log.info("turn %d: nothing was added", turn.number)
                self._processor.drop(turn.id)
                turn = replace(turn, state=State.DONE)
                self._do(self.policy.dropped())
            case Meaning.QUESTION:
                log.info("turn %d: %s", turn.number, turn.text)
                self.turns += 1
                turn = replace(turn, state=State.ANSWERING)
                self._do(self.policy.asked())
                self._voice = turn
            case _:
                told = {Meaning.ECHO: "the podcast itself", Meaning.ASIDE: "said to somebody else"}
                log.info("turn %d: %s", turn.number,
                         f"{told[turn.meaning]}: {turn.text}" if turn.meaning in told else "nothing was said")
                turn = replace(turn, state=State.DONE)
                self._processor.drop(turn.id)
                self._do(self.policy.dropped())
                if turn.meaning is Meaning.ASIDE:
                    self._chime(Earcon.UNSURE)
        return turn

    def _is_answered_already(self, turn: Turn) -> bool:
        """Whether it is what is being answered, with a cough behind it."""
        voice = self._voice
        return bool(turn.joined) and voice is not None and voice.id == turn.joined and voice.text == turn.text

    def _problem(self, problem: str) -> None:
        """Say aloud what went wrong, once: who has no screen reads no log."""
        log.warning("%s", problem)
        if problem == self._said:
            self._do(self.policy.dropped())
            self._chime(Earcon.UNSURE)
            return
        self._said = problem
        self._do(self.policy.asked())
        self._one(Action(Do.SAY, text=problem))

    def _sound_out(self) -> None:
        """Let the loudspeaker have what is ready of the answer."""
        turn = self._voice
        if turn is None or turn.state is not State.ANSWERING:
            return
        if turn.answer is not None and all(id_ != turn.id for id_, _ in self._history):
            self._found(turn, turn.answer)
            if self.own_words and turn.number and turn.answer.covered and self.policy.spans:
                self._end_voice()
                self._do(self.policy.own_words(self.policy.spans[0]))
                return
        while turn.sounds and not self.player.full:
            if "sounding" not in turn.times:
                turn = turn.at("sounding", time.monotonic())
                if turn.number:
                    self._on_turn(turn)
            self.player.say(turn.sounds[0])
            turn = replace(turn, sounds=turn.sounds[1:])
        self._voice = turn

    def _found(self, turn: Turn, answer: Answer) -> None:
        here = [moment for moment in answer.moments if moment.episode_id == self.now_playing.id]
        self.policy.found([Span(moment.start, moment.end) for moment in here], answer.text)
        kept = (kept for kept in self._history if kept[0] != turn.joined)
        self._history = (*kept, (turn.id, Exchange(answer.question, answer.moments)))[-_REMEMBERED:]
        if answer.command is not None and answer.command.name in _TAKES_AWAY:
            self.policy.taken_away()
        log.info("answer: %s", answer.text)

    def _end_voice(self) -> None:
        if self._voice is not None:
            self._processor.drop(self._voice.id)
            self._voice = None

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
                self._end_voice()
                player.hush()
            case Do.SAY:
                self._end_voice()
                self._voice = self._new(Meaning.NOTICE, State.ANSWERING)
                self._processor.say(self._voice.id, action.text)
            case Do.FIND:
                self._end_voice()
                self._voice = self._new(Meaning.COMMAND, State.FINDING)
                question = Question(action.text, self.now_playing.id, position=self.policy.place)
                self._processor.look_for(self._voice.id, question)
            case Do.SPEED:
                player.speed = action.amount
            case Do.VOLUME:
                player.volume = action.amount
            case Do.BOOKMARK:
                self._save()
            case Do.EPISODE:
                self._episode(round(action.amount))

    def _chime(self, kind: Earcon) -> None:
        if self._earcons:
            self.player.chime(earcon(self.player.rate, kind))

    def _notice(self, text: str) -> None:
        """Say something unasked: the podcast stops for it, and comes back."""
        self._do(self.policy.began(self._state()))
        self._do(self.policy.asked())
        self._one(Action(Do.SAY, text=text))

    def _ready(self, problem: str) -> None:
        """Everything is prepared: play, and say how to be heard; the first time in words."""
        self._starting = None
        if self._play:
            self.player.play()
        self._chime(Earcon.LISTENING)
        if problem:
            log.warning("%s", problem)
            self._notice(problem)
        elif not self.now_playing.greeted:
            self.now_playing.greeted = True
            self._notice(self.greeting)
        log.info("ready: %s", self.greeting)

    @property
    def greeting(self) -> str:
        """How to be heard, as a sentence."""
        match self.gate.wake:
            case WakeMode.WORD if self._wake_word is not None:
                name = self._wake_word.name.replace("_", " ")
                return f"I am ready. Say {name}, and then ask me, or say help."
            case WakeMode.KEY:
                return "I am ready. Press the button, and then ask me, or say help."
        return "I am ready. Just ask me, or say help."

    def _device(self, error: DeviceError | None) -> None:
        """The microphone is missing, or is back; the podcast plays on. Said once each."""
        if error is not None:
            self._forget()
            self.front_end.reset()
            self._notice(f"{_DEAF} {error}")
        else:
            self._notice(_HEARS)

    def _episode(self, step: int) -> None:
        self._save()
        try:
            self.now_playing.step(step)
        except LibraryError as error:  # all were removed meanwhile
            log.warning("%s", error)
            self.player.pause()
            self._one(Action(Do.SAY, text=error.message))
            return
        self.policy.bookmarks = self.now_playing.bookmarks
        self.player.play()

    def _tick(self) -> None:
        """What comes to its end by itself: an answer, a moment in its own words; and the saving."""
        if self._voice is not None and self._voice.sounds:
            self._sound_out()
        voice = self._voice
        reached = self.player.playing and self.player.position >= (self._until or 0.0)
        if self._until is not None and (reached or self.player.ended):
            self._until = None
            self._answered()
        elif voice is not None and voice.made and not voice.sounds and not self._busy:
            self._voice = None
            if voice.number:
                self._on_turn(replace(voice, state=State.DONE))
            if voice.problem:
                log.warning("turn %d: %s", voice.number, voice.problem)
            if voice.problem and voice.meaning is not Meaning.NOTICE and voice.problem != self._said:
                self._said = voice.problem
                self._one(Action(Do.SAY, text=voice.problem))
            elif voice.state is State.FINDING and voice.answer is not None:
                self._play_found(voice, voice.answer)
            else:
                self._answered()
        if self.player.problem is not None:
            problem, self.player.problem = self.player.problem, None
            log.error("%s", problem)
        if self.gate.lapsed(time.monotonic(), self._listening):
            self._do(self.policy.dropped())
        if self.now_playing.is_due:
            self._save()
            if not self.now_playing.is_there():
                log.warning("The episode was removed from the library.")
                self._episode(1)

    def _answered(self) -> None:
        self.gate.answered(time.monotonic())
        self._do(self.policy.answered())

    @property
    def _busy(self) -> bool:
        """True while something sounds, or somebody speaks who decides what comes next."""
        return self.player.speaking or self._listening

    def _play_found(self, turn: Turn, answer: Answer) -> None:
        self._found(turn, answer)
        if answer.covered and self.policy.spans:
            self._do(self.policy.jump(self.policy.spans[0].start))
        else:
            self._one(Action(Do.SAY, text=answer.text))

    def _save(self) -> None:
        self.now_playing.save(self.policy.place if self.policy.place is not None else self.player.position)

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
            self.front_end.reset()
            self.gate.close()
            self._do(self.policy.command(name, None, "", self._state(), self.now_playing.topics))
            log.info("%s at %s", name.replace("_", " "), clock(self.player.position))


KEYS = {
    " ": "toggle", "\r": "listen", "\n": "listen", "left": "back", "right": "forward", "up": "louder",
    "down": "quieter", "n": "next_topic", "p": "previous_topic", "N": "next_episode", "P": "previous_episode",
    "+": "faster", "-": "slower", "b": "bookmark", "g": "return_to", "o": "own_words", "r": "repeat", "s": "stop",
    "?": "help", "q": "quit", "\x03": "quit",
}  # fmt: skip
"""What the keys of a terminal do: commands of ``voice.turns.playback_policy``, and toggle, listen and quit."""

