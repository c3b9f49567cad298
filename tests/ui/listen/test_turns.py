# SPDX-License-Identifier: GPL-3.0-or-later
"""A turn from its detection to what is done: the session's own loop and processor, with texts in place of sound."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.commands.parser import parse
from retrieval.model import Answer, Moment, Question, Sentence
from tests.conftest import library_copy
from ui.companion import Companion
from ui.home.conversations import AskedFrom
from ui.home.loudspeakers.rooms import in_room
from ui.listen.session import ListeningSession
from ui.listen.turn import Answered, Decoded, Finished, Meaning, Turn, TurnState, updated
from ui.listen.turn_processor import is_asked_again
from ui.settings import Settings
from voice.audio import Audio
from voice.devices.duplex import Earcon, earcon
from voice.errors import DeviceError, EngineError
from voice.model import Heard, Wanted
from voice.turns.turn_detector import Change, TurnEvent


class Desk:
    """A listener whose words are texts, and who notes what is said to them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.companion = Companion(Settings(data_dir=folder, **settings))
        self.texts: dict[int, Heard] = {}
        self.said: list[str] = []
        self.asked: list[Question] = []
        self.turns: dict[int, Turn] = {}
        self.judged: list[tuple[int, str]] = []
        self.rejoins = True
        monkeypatch.setattr(self.companion, "hear", self.hear)
        monkeypatch.setattr(self.companion, "ask", self.ask)
        monkeypatch.setattr(self.companion, "speak", self.speak)
        self.session = ListeningSession(self.companion, on_turn=lambda turn: self.turns.update({turn.id: turn}))
        front_end = self.session.front_end
        monkeypatch.setattr(front_end, "utterance", lambda event: np.full(event.number, 0.5, np.float32))
        monkeypatch.setattr(front_end, "rejoin", lambda: self.rejoins)
        monkeypatch.setattr(front_end, "judge", lambda number, found: self.judged.append((number, found.value)))
        self.session.open()

    def hear(self, audio: Audio, episode_id: str | None = None, wanted: Wanted | None = None) -> Heard:
        return self.texts[len(audio.samples)]

    def ask(self, question: Question) -> Answer:
        if question.text == "What fails?":
            raise EngineError("The index is broken.", "Make it anew.")
        self.asked.append(question)
        moment = Moment(self.session.episode_id, 30.0, 40.0, "They dance.", "Elias", 0.9)
        return Answer(question.text, True, (Sentence(f"Answer to {question.text}", (moment,)),), (moment,))

    def speak(self, text: str) -> Iterator[Audio]:
        self.said.append(text)
        yield Audio(np.full(4800, 0.1, np.float32), 48_000)

    def event(self, change: Change, number: int) -> None:
        self.session._event(TurnEvent(change, number, number * 3.0, number * 3.0 + 2.0))

    def until(self, reached: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not reached():
            assert time.monotonic() < deadline
            self.session.step(0.01)

    def say(self, number: int, text: str, confidence: float = 0.9) -> Turn:
        """Say it as turn ``number``; the turn when it was acted on."""
        self.texts[number] = Heard(text, confidence)
        known = set(self.turns)
        for change in (Change.BEGAN, Change.MAYBE_OVER, Change.OVER):
            self.event(change, number)
        self.until(lambda: set(self.turns) - known)
        (new,) = set(self.turns) - known
        return self.turns[new]

    def listen(self, seconds: float = 1.0) -> np.ndarray:
        """What the loudspeaker gives."""
        heard = []
        for _ in range(round(seconds * 50)):
            out = np.zeros(960, np.float32)
            self.session.player.fill(out)
            heard.append(out)
            self.session.step(0.001)
        return np.concatenate(heard)

    def close(self) -> None:
        self.session.stop()
        self.session._devices.attend = lambda: None  # type: ignore[method-assign]
        self.session.run()
        self.companion.close()


@pytest.fixture
def desk(demo_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(library_copy(demo_dir, tmp_path / "earmark"), monkeypatch)
    yield made
    made.close()


def test_whoever_goes_on_is_waited_for_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, heard = threading.Event(), []

    def hear(audio: Audio, episode_id: str | None, wanted: Wanted) -> Heard:
        heard.append(wanted())
        begun.set()
        while wanted():
            time.sleep(0.005)
        heard.append(False)
        return Heard("Why do", 0.9)

    monkeypatch.setattr(desk.companion, "hear", hear)
    desk.event(Change.BEGAN, 1)
    desk.event(Change.MAYBE_OVER, 1)
    assert begun.wait(30)
    desk.event(Change.ON_AGAIN, 1)
    desk.until(lambda: len(heard) == 2)
    monkeypatch.setattr(desk.companion, "hear", desk.hear)
    assert desk.say(1, "Why do bees dance?").text == "Why do bees dance?"
    assert heard == [True, False] and len(desk.asked) == 1


def test_news_of_another_turn_change_nothing() -> None:
    turn = Turn(7, 1)
    assert updated(turn, Finished(6, 1.0)) is turn
    decoded = updated(turn, Decoded(7, 1.0, Heard("Why?", 0.9), Meaning.QUESTION))
    assert (decoded.text, decoded.meaning, dict(decoded.times)) == ("Why?", Meaning.QUESTION, {"decoded": 1.0})
    assert updated(decoded, Answered(7, 2.0, Answer("Why?", False))).times["found"] == 2.0
    assert turn.meaning is None


def test_a_question_is_answered_and_its_states_are_told(desk: Desk) -> None:
    turn = desk.say(1, "Why do bees dance?")
    assert (turn.state, turn.meaning) == (TurnState.ANSWERING, Meaning.QUESTION)
    desk.until(lambda: desk.said)
    assert desk.said == ["Answer to Why do bees dance?"] and desk.judged == [(1, "complete")]
    desk.listen()
    assert desk.turns[turn.id].state is TurnState.DONE and desk.session.idle and desk.session.player.playing


def test_what_is_said_to_somebody_else_is_left_alone(desk: Desk) -> None:
    for number, text in enumerate(("Turn on the lamp.", "Set a timer for ten minutes.", "Dinner is ready, come down.",
                                   "Could you hand me the salt?"), 1):  # fmt: skip
        assert desk.say(number, text).meaning is Meaning.ASIDE, text
    assert not desk.asked and not desk.said and desk.session.player.playing
    assert np.abs(desk.session.player._chime).max() > 0.1
    assert not np.array_equal(earcon(48_000, Earcon.UNSURE).samples, earcon(48_000).samples)


def test_who_called_is_answered_whatever_they_say(demo_dir: Path, tmp_path: Path, monkeypatch) -> None:
    desk = Desk(library_copy(demo_dir, tmp_path / "earmark"), monkeypatch, wake="key")
    desk.session.press("\r")
    desk.until(lambda: desk.session.gate.called)
    assert desk.say(1, "Simulations of cooperation between agents.").meaning is Meaning.QUESTION
    desk.close()


def test_a_misheard_command_is_asked_back_in_two_words_and_done_on_yes(desk: Desk) -> None:
    turn = desk.say(1, "Boss.")
    assert turn.meaning in (Meaning.UNSURE, Meaning.COMMAND) and not desk.asked
    if turn.meaning is Meaning.UNSURE:
        desk.until(lambda: desk.said)
        assert desk.said == ["Pause?"]
        desk.listen()
        desk.say(2, "Yes.")
    assert not desk.session.player.playing


def test_a_pause_that_was_taken_for_the_end_is_mended(desk: Desk) -> None:
    first = desk.say(1, "What does the story of the apprentice?")
    assert first.meaning is Meaning.QUESTION
    second = desk.say(2, "What does the story of the apprentice teach us?")
    assert second.joined == first.id
    desk.until(lambda: len(desk.said) == 2)
    assert desk.asked[-1].text == "What does the story of the apprentice teach us?" and not desk.asked[-1].history


def test_a_cough_behind_a_question_does_not_begin_its_answer_again(desk: Desk) -> None:
    desk.say(1, "Why do bees dance?")
    desk.until(lambda: desk.said)
    assert desk.say(2, "Why do bees dance?").state is TurnState.DONE
    desk.listen()
    assert len([text for text in desk.said if text]) <= 2 and desk.session.player.playing


def test_a_question_after_an_answer_that_was_heard_is_one_of_its_own(desk: Desk) -> None:
    desk.rejoins = False
    desk.say(1, "Why do bees dance?")
    desk.until(lambda: desk.session.reply.history)
    turn = desk.say(2, "What is a hammer?")
    assert turn.joined == 0
    desk.until(lambda: len(desk.asked) == 2)
    assert [exchange.text for exchange in desk.asked[-1].history] == ["Why do bees dance?"]


def test_the_same_question_gets_the_same_answer(desk: Desk) -> None:
    desk.rejoins = False
    for number, text in enumerate(("What is organic alignment?", "What's organic alignment?", "What is a hammer?"), 1):
        desk.say(number, text)
        desk.until(lambda number=number: len(desk.said) == number)
    assert desk.said[0] == desk.said[1] and [question.text for question in desk.asked] == [
        "What is organic alignment?", "What is a hammer?",
    ]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [
    ("What did he just say?", "What did he just say?"), ("And why is that?", "And why is that?"),
    ("What is on page 3?", "What is on page 4?"), ("Who is Elias?", "What is a mirror?"),
])  # fmt: skip
def test_what_leans_on_the_moment_or_differs_is_asked_anew(one: str, other: str) -> None:
    assert not is_asked_again(Question(one, "e"), Question(other, "e"))


def test_a_turn_without_an_end_is_told_once(desk: Desk) -> None:
    for number in (1, 2):
        desk.event(Change.BEGAN, number)
        desk.event(Change.TOO_LONG, number)
        desk.until(lambda: desk.said)
        desk.listen()
    assert desk.said == ["That was too long for me. Please ask in one sentence."] and desk.session.player.playing


def test_a_failure_is_said_and_the_podcast_comes_back(desk: Desk) -> None:
    for number in (1, 2):
        desk.say(number, "What fails?")
        desk.until(lambda: desk.said)
        desk.listen()
    assert desk.said == ["The index is broken. Make it anew."] and desk.session.player.playing


def test_a_missing_microphone_is_said_and_the_podcast_plays_on(desk: Desk) -> None:
    desk.session._post("device", DeviceError("There is no microphone 'desk'.", "Plug one in."))
    desk.until(lambda: desk.said)
    desk.listen()
    assert desk.said == ["I cannot hear you, but I play on. There is no microphone 'desk'. Plug one in."]
    assert desk.session.player.playing


def test_it_says_that_it_starts_and_how_to_call_it_before_it_plays(desk: Desk) -> None:
    order: list[str] = []
    player = desk.session.player
    desk.session._begin(lambda: order.append(f"prepared, {player.playing}"))
    desk.until(lambda: len(desk.said) == 2)
    desk.listen(2.0)
    assert order == ["prepared, False"] and player.playing
    assert desk.said == ["One moment, I am getting ready.", "I am ready. Just ask me, or say help."]
    desk.session._begin(lambda: None)
    desk.until(lambda: desk.session._starting is None)
    desk.listen(2.0)
    assert len(desk.said) == 3 and player.playing  # it is known by now


class Attic:
    """A house whose attic has a loudspeaker, which does what it is told."""

    def __init__(self) -> None:
        self.carried: list[tuple[Any, ...]] = []

    def said(self, text: str) -> tuple[str, str]:
        return in_room(text, ["attic"])

    def carry(self, made: Answer, place: AskedFrom, room: str = "", here: tuple[str, float] | None = None) -> str:
        self.carried.append((made.question, room, here))
        return "It plays there."


def test_a_command_for_another_room_is_carried_out_there_and_playback_goes_with_it(desk: Desk, monkeypatch) -> None:
    attic = Attic()
    monkeypatch.setattr(desk.session._processor, "_house", attic)
    monkeypatch.setattr(
        desk.companion, "ask", lambda question: Answer(question.text, True, (), (), parse(question.text))
    )
    desk.session.player.seek(20.0)
    desk.say(1, "Pause in the attic.")
    desk.until(lambda: desk.said)
    desk.listen()
    assert desk.session.player.playing
    desk.say(2, "Go on in the attic, please.")
    desk.until(lambda: len(desk.said) == 2)
    desk.listen()
    assert not desk.session.player.playing
    assert desk.said == ["It plays there.", "It plays there."]
    (_, room, here) = attic.carried[-1]
    assert [question for question, *_ in attic.carried] == ["Pause", "Go on"] and room == "attic"
    assert here is not None and here[0] == desk.session.episode_id and 15.0 < here[1] < 25.0
    assert desk.say(3, "What is in the attic?").meaning is Meaning.QUESTION
    assert len(attic.carried) == 2
