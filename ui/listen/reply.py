# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said: the answer, or the notice, that is on its way to the loudspeaker, and the conversation so far."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from retrieval.model import Answer, Exchange, Moment, Question
from ui.listen.now_playing import NowPlaying
from ui.listen.turn import Meaning, Turn, TurnState, Update, updated
from ui.listen.turn_processor import TurnProcessor
from voice.devices.player import Player
from voice.turns.commands import CommandName
from voice.turns.playback_policy import Action, AnsweredSpan, Do, PlaybackPolicy

log = logging.getLogger("earmark.listen")

_REMEMBERED = 6  # questions of the conversation that a further one may lean on

_TAKES_AWAY = frozenset((CommandName.PLAY, CommandName.RESUME, CommandName.PLAY_ABOUT, CommandName.PLAY_LATEST))
"""What begins to play in another room, when it was told to be done there."""


class Reply:
    """One thing that is said, or looked for to be played; the next one takes its place.

    ``turn`` is what is answered, or a notice of the device's own; None while nothing is said. ``until`` is where a
    moment in its own words ends (seconds in the episode). ``history`` is the conversation, each with the id of its
    turn. ``ids`` numbers the notices; ``on_turn`` hears when an answer begins to sound.
    """

    def __init__(
        self, player: Player, processor: TurnProcessor, policy: PlaybackPolicy, now_playing: NowPlaying,
        ids: Iterator[int], own_words: bool, on_turn: Callable[[Turn], None],
    ) -> None:
        self._player, self._processor, self._policy, self._now_playing = player, processor, policy, now_playing
        self._ids, self._own_words, self._on_turn = ids, own_words, on_turn
        self.turn: Turn | None = None
        self.until: float | None = None
        self.history: tuple[tuple[int, Exchange], ...] = ()

    @property
    def speaking(self) -> bool:
        """True while something is said, or will be."""
        return self._player.speaking or self.turn is not None or self.until is not None

    def notice(self) -> Turn:
        """A turn of the device's own, which takes the place of what was said before."""
        self.end()
        self.turn = Turn(next(self._ids), state=TurnState.ANSWERING, meaning=Meaning.NOTICE)
        return self.turn

    def say(self, text: str) -> None:
        """Say a text."""
        self._processor.say(self.notice().id, text)

    def look_for(self, question: Question) -> None:
        """Find moments, of which the first will be played."""
        self.end()
        self.turn = Turn(next(self._ids), state=TurnState.FINDING, meaning=Meaning.COMMAND)
        self._processor.look_for(self.turn.id, question)

    def answer(self, turn: Turn) -> None:
        """Answer a turn, which is being worked on already."""
        self.turn = turn

    def end(self) -> None:
        """Say no more of it than what the loudspeaker has."""
        if self.turn is not None:
            self._processor.drop(self.turn.id)
            self.turn = None

    def hush(self) -> None:
        """Fall silent."""
        self.until = None
        self.end()
        self._player.hush()

    def update(self, update: Update) -> list[Action]:
        """News of what is said; what is to be done then. Those of another id change nothing."""
        if self.turn is None or update.id != self.turn.id:
            return []
        self.turn = updated(self.turn, update)
        return self.sound_out()

    def sound_out(self) -> list[Action]:
        """Let the loudspeaker have what is ready; what is to be done where the episode itself is the answer."""
        turn = self.turn
        if turn is None or turn.state is not TurnState.ANSWERING:
            return []
        if turn.answer is not None and (here := _taken_back(turn.answer)) is not None:
            self.end()
            return [Action(Do.TAKE, here.start, here.episode_id)]
        if turn.answer is not None and all(id_ != turn.id for id_, _ in self.history):
            self.found(turn, turn.answer)
            if self._own_words and turn.number and turn.answer.covered and self._policy.spans:
                self.end()
                return self._policy.own_words(self._policy.spans[0])
        while turn.sounds and not self._player.full:
            if "sounding" not in turn.times:
                turn = turn.at("sounding", time.monotonic())
                if turn.number:
                    self._on_turn(turn)
            self._player.say(turn.sounds[0])
            turn = replace(turn, sounds=turn.sounds[1:])
        self.turn = turn
        return []

    def found(self, turn: Turn, answer: Answer) -> None:
        """Remember what was answered: further questions and commands lean on it."""
        here = [moment for moment in answer.moments if moment.episode_id == self._now_playing.id]
        self._policy.found([AnsweredSpan(moment.start, moment.end) for moment in here], answer.text)
        kept = (kept for kept in self.history if kept[0] != turn.joined)
        self.history = (*kept, (turn.id, Exchange(answer.question, answer.moments)))[-_REMEMBERED:]
        if answer.command is not None and answer.command.name in _TAKES_AWAY:
            self._policy.taken_away()
        log.info("answer: %s", answer.text)


def _taken_back(answer: Answer) -> Moment | None:
    """Where to play on here what played in another room."""
    is_play = answer.command is not None and answer.command.name == CommandName.PLAY
    return answer.moments[0] if is_play and answer.moments else None
