# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page is told after a question and after a recording."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from retrieval.model import Answer, Question, Sentence
from ui import page
from ui.app import Status
from voice.audio import Audio, silence, write_wav
from voice.errors import UnknownEpisode
from voice.words import Heard

CONTEXT = {"turn": 7, "episode": "e1", "position": 65.5, "heard_until": 70.0, "history": ["Why?"]}


class Loading:
    """A companion that is ready at the third look."""

    def __init__(self, *states: Status) -> None:
        self.states = list(states) or [Status(True, "Ready", 1.0)]
        self.asked: list[Question] = []

    @property
    def library(self):
        raise AssertionError("not needed")

    def status(self) -> Status:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if question.text == "lost?":
            raise UnknownEpisode("There is no episode e1.", "Run 'earmark list'.")
        return Answer(question.text, True, (Sentence("Because."),))

    def hear(self, audio: Audio, episode_id: str | None) -> Heard:
        return Heard(" why do bees dance? " if np.abs(audio.samples).max() > 0.01 else "", 0.9)


def events(companion: Loading, text: str) -> list[page.Json]:
    async def collect() -> list[page.Json]:
        return [event async for event in page.answer_events(companion, text, CONTEXT)]

    return asyncio.run(collect())


def test_a_question_waits_for_the_engines_says_so_and_is_answered():
    rendering = Status(False, "Rendering the demo episode", 0.4)
    half = Status(False, "Rendering the demo episode", 0.5)
    companion = Loading(rendering, rendering, half, Status(True, "Ready", 1.0))
    *waiting, answer = events(companion, "  Why do bees dance? ")
    assert [event["message"] for event in waiting] == [
        "Rendering the demo episode, 40 %", "Rendering the demo episode, 50 %",
    ]
    assert (answer["state"], answer["turn"], answer["covered"]) == ("answer", 7, True)
    assert companion.asked == [Question("Why do bees dance?", "e1", 65.5, 70.0, ("Why?",))]


def test_a_question_that_waited_too_long_is_told_how_far_it_is(monkeypatch):
    monkeypatch.setattr(page, "PATIENCE", 0.0)
    (event,) = events(Loading(Status(False, "Loading the voice", 0.05)), "why?")
    assert event["state"] == "error"
    assert "Loading the voice, 5 %" in event["message"]


def test_a_failed_start_is_said_instead_of_waiting_for_ever():
    (event,) = events(Loading(Status(False, "Not started", 0.1, (), "The disk is full.")), "why?")
    assert (event["state"], event["message"]) == ("error", "The disk is full.")


def test_an_error_comes_with_its_next_step_and_an_empty_question_with_nothing():
    (event,) = events(Loading(), "lost?")
    assert event == {"state": "error", "turn": 7, "message": "There is no episode e1.", "hint": "Run 'earmark list'."}
    assert events(Loading(), "   ") == []


def hear(path: Path | None) -> page.Json:
    return asyncio.run(page.heard_event(Loading(), str(path) if path else None, CONTEXT))


def test_a_recording_becomes_text_and_is_not_kept(tmp_path):
    recording = tmp_path / "question.wav"
    write_wav(recording, Audio(np.full(16_000, 0.1, np.float32), 16_000))
    assert hear(recording) == {"state": "heard", "turn": 7, "text": "why do bees dance?"}
    assert not recording.exists()


@pytest.mark.parametrize("content", [b"", b"this is not a recording"])
def test_a_recording_that_is_none_is_an_error_and_is_not_kept(tmp_path, content):
    recording = tmp_path / "question.wav"
    recording.write_bytes(content)
    assert hear(recording)["state"] == "error"
    assert not recording.exists()


def test_silence_and_no_recording_are_heard_as_nothing(tmp_path):
    write_wav(tmp_path / "question.wav", silence(1.0, 16_000))
    assert hear(tmp_path / "question.wav")["text"] == hear(None)["text"] == ""


def test_a_recording_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LONGEST_RECORDING", 1.0)
    write_wav(tmp_path / "question.wav", silence(2.0, 16_000))
    assert "longer" in hear(tmp_path / "question.wav")["message"]
