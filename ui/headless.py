# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen: one loop owns the conversation; sound, keys and thoughts come by one queue."""

import logging
import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.model import Answer, Question
from ui import listening
from ui.mind import Attempt, Mind
from voice.audio import HEARING_RATE, Audio, Samples
from voice.conversation import Action, Conversation, Do, Now, Span
from voice.ears import Ears
from voice.errors import LibraryError
from voice.player import Player
from voice.sound import Sound, earcon
from voice.turns import Change, Event
from voice.words import Cue, clock

if TYPE_CHECKING:
    from ui.app import Companion

log = logging.getLogger("earmark.listen")

SAVE_EVERY = 5.0
"""Seconds between two savings of the position."""

_WAITING = 600  # messages: some twenty seconds of sound, for a busy machine
_KEY_SECONDS = 8.0  # for which a key opens the microphone
_AROUND = (12.0, 2.0)  # seconds of transcript before and after the position that an echo may be of


class Headless:
    """Plays an episode, hears the listener over it, and answers. ``run`` returns when it was told to stop.

    ``wake``: "none" (just talk) or "key" (a key opens the microphone). ``own_words``: answers are the original sound.
    """

    def __init__(
        self, companion: "Companion", wake: str = "none", duck: bool = False, own_words: bool = False,
        cues: bool = True, on_turn: Callable[[Attempt], None] = lambda attempt: None,
    ) -> None:
        self.companion, self.wake, self.own_words = companion, wake, own_words
        self.player = Player()
        self.talk = Conversation(duck)
        self.ears = Ears()
        self.turns = 0
        self._earcons = cues
        self._on_turn = on_turn
        self._inbox: queue.Queue[tuple[str, Any]] = queue.Queue(_WAITING)
        self._mind = Mind(companion, lambda attempt: self._post("mind", attempt))
        self._sound = Sound(self.player, lambda block: self._post("sound", block),
                            companion.settings.microphone, companion.settings.loudspeaker)
        self._state = listening.load(companion.settings.data_dir)
        self._attempt: Attempt | None = None
        self._speaking: Attempt | None = None
        self._until: float | None = None
        self._open_until = 0.0
        self._saved = ""
        self._saved_at = 0.0
        self._stop = False
        self._topics: tuple[float, ...] = ()
        self._cues: tuple[Cue, ...] = ()
        self.dropped_blocks = 0

    # -- the loop ----------------------------------------------------------------------------------------------

    def open(self, ref: str | None = None, play: bool = True) -> None:
        """Take an episode (None: the last one, else the newest), where it was left. Raises LibraryError."""
        library = self.companion.library
        known = {episode.id: episode for episode in library.episodes()}
        with_sound = [episode.id for episode in known.values() if episode.ready and library.audio_path(episode)]
        wanted = library.episode(ref).id if ref else self._state.episode
        if not ref and wanted not in with_sound:
            wanted = with_sound[0] if with_sound else ""
        path = library.audio_path(known[wanted]) if wanted in known else None
        if path is None:
            raise LibraryError("There is no episode with sound to play.", "Run 'earmark add FILE' first.")
        self._state.episode = wanted
        self.player.speed, self.player.volume = self._state.speed, self._state.volume
        length = known[wanted].seconds
        position = self._state.positions.get(wanted, 0.0)
        self.player.load(path, position if position < length - 1 else 0.0, length)
        self.talk.bookmarks = self._state.bookmarks.setdefault(wanted, [])
        self._topics = tuple(segment.start for segment in library.segments(wanted))
        self._cues = library.cues(wanted)
        log.info("playing %s from %s", known[wanted].title, clock(self.player.position))
        if play:
            self.player.play()

    @property
    def episode_id(self) -> str:
        """The episode that is played."""
        return self._state.episode

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
        played = self._sound.played()
        if self.wake == "key" and not self.ears.speaking and time.monotonic() > self._open_until:
            return
        for event in self.ears.push(block, played):
            self._event(event)

    def _event(self, event: Event) -> None:
        log.debug("turn %d %s", event.number, event.change.value)
        match event.change:
            case Change.BEGAN:
                self._do(self.talk.began(self._now()))
            case Change.MAYBE_OVER:
                self._begin_attempt(event)
            case Change.ON_AGAIN:
                self._forget()
            case Change.DROPPED:
                self._forget()
                self._do(self.talk.dropped())
            case Change.OVER:
                attempt = self._attempt
                if attempt is None or attempt.number != event.number:
                    attempt = self._begin_attempt(event)
                attempt.over = True
                attempt.times["over"] = time.monotonic()
                self._open_until = 0.0
                self._advance(attempt)

    def _begin_attempt(self, event: Event) -> Attempt:
        self._forget()
        attempt = Attempt(event.number, Audio(self.ears.said(event), HEARING_RATE), self._being_played())
        attempt.times["may be over"] = time.monotonic()
        self._attempt = attempt
        episode, place = self._state.episode, self.talk.place
        self._mind.understand(attempt, lambda text: Question(text, episode, position=place), episode)
        return attempt

    def _being_played(self) -> tuple[str, ...]:
        """The texts that an echo would be of: the transcript around the position, and what is being said."""
        place = self.talk.place if self.talk.place is not None else self.player.position
        near = [cue.text for cue in self._cues if place - _AROUND[0] < cue.end and cue.start < place + _AROUND[1]]
        spoken = [self.talk.last_answer] if self.talk.last_answer and self._now().speaking else []
        return (" ".join(near), *spoken)

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
            log.warning("turn %d: %s", attempt.number, attempt.problem)
            self._do(self.talk.dropped())
        elif not text or attempt.echo:
            log.info("turn %d: %s", attempt.number, f"the podcast itself: {text}" if text else "nothing was said")
            self._do(self.talk.dropped())
        elif attempt.command is not None:
            log.info("turn %d: %s (%s)", attempt.number, text, attempt.command.name)
            self.turns += 1
            command = attempt.command
            self._do(self.talk.command(command.name, command.amount, command.about, self._now(), self._topics))
            attempt.times["acted"] = time.monotonic()
        else:
            log.info("turn %d: %s", attempt.number, text)
            self.turns += 1
            self._do(self.talk.asked())
            self._speaking = attempt
        self._on_turn(attempt)

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
        here = [moment for moment in answer.moments if moment.episode_id == self._state.episode]
        self.talk.found([Span(moment.start, moment.end) for moment in here], answer.text)
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
        question = Question(about, self._state.episode, position=self.talk.place)
        self._speaking = Attempt(0, Audio(np.zeros(0, np.float32), HEARING_RATE), over=True, acted=True)
        self._mind.look_for(self._speaking, question)

    def _episode(self, step: int) -> None:
        self._save()
        library = self.companion.library
        ids = [episode.id for episode in library.episodes() if episode.ready and library.audio_path(episode)]
        at = ids.index(self._state.episode) + step if self._state.episode in ids else 0
        self.open(ids[at % len(ids)] if ids else None)

    def _tick(self) -> None:
        """What comes to its end by itself: an answer, a moment in its own words; and the saving."""
        if self._speaking is not None and self._speaking.sounds:
            self._sound_out(self._speaking)
        speaking = self._speaking
        if self._until is not None and self.player.playing and self.player.position >= self._until:
            self._until = None
            self._do(self.talk.answered())
        elif speaking is not None and speaking.finished and not speaking.sounds and not self._busy:
            self._speaking = None
            if speaking.number == 0 and speaking.answer is not None and not speaking.times:
                self._play_found(speaking.answer)
            else:
                self._do(self.talk.answered())
        if self.player.problem is not None:
            problem, self.player.problem = self.player.problem, None
            log.error("%s", problem)
        if time.monotonic() - self._saved_at > SAVE_EVERY:
            self._save()

    @property
    def _busy(self) -> bool:
        """True while something sounds, or somebody speaks who decides what comes next."""
        return self.player.speaking or self.ears.speaking or self._attempt is not None

    def _play_found(self, answer: Answer) -> None:
        self._found(answer)
        if answer.covered and self.talk.spans:
            self._do(self.talk.jump(self.talk.spans[0].start))
        else:
            self._one(Action(Do.SAY, text=answer.text))

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        state = self._state
        place = self.talk.place if self.talk.place is not None else self.player.position
        state.positions[state.episode] = round(place, 2)
        state.bookmarks[state.episode] = self.talk.bookmarks
        state.speed, state.volume = self.player.speed, self.player.volume
        if repr(state) != self._saved:
            self._saved = repr(state)
            try:
                listening.save(self.companion.settings.data_dir, state)
            except LibraryError as error:  # a full disk must not end the podcast; it is tried again
                self._saved = ""
                log.warning("%s", error)

    # -- keys --------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> None:
        name = KEYS.get(key)
        if name == "quit":
            self.stop()
        elif name == "listen":
            self._open_until = time.monotonic() + _KEY_SECONDS
            if self._earcons:
                self.player.say(earcon(self.player.rate))
        elif name is not None:
            name = ("pause" if self.player.playing else "play") if name == "toggle" else name
            self._forget()
            self.ears.reset()
            self._do(self.talk.command(name, None, "", self._now(), self._topics))
            log.info("%s at %s", name.replace("_", " "), clock(self.player.position))


KEYS = {
    " ": "toggle", "\r": "listen", "\n": "listen", "left": "back", "right": "forward", "up": "louder",
    "down": "quieter", "n": "next_topic", "p": "previous_topic", "N": "next_episode", "P": "previous_episode",
    "+": "faster", "-": "slower", "b": "bookmark", "g": "return_to", "o": "own_words", "r": "repeat", "s": "stop",
    "?": "help", "q": "quit", "\x03": "quit",
}  # fmt: skip
"""What the keys of a terminal do: commands of ``voice.conversation``, and toggle, listen and quit."""

