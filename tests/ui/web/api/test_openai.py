# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's addresses, over an engine that hears, speaks and answers at once."""

import json

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.ui.home.house import House
from ui.home.conversations import Conversations
from ui.web.api import openai
from ui.web.dependencies import Served
from voice.audio import Audio, encoded, read_audio, wav_bytes
from voice.model import Bias, Cue, Piece


class Engine(House):
    """With what a server asks of a companion besides."""

    def __init__(self, folder) -> None:
        super().__init__()
        self.settings = type(self.settings)(data_dir=folder)
        self.rate = 22_050

    @property
    def engines(self) -> "Engine":
        return self

    hearing = speaking = engines

    @property
    def library(self) -> "Engine":
        return self

    def page(self, limit: int) -> list:
        return []

    def exactly(self, ref: str) -> "Engine":
        self.id = ref
        return self

    def telling(self, question, within=None):
        return super().telling(question)

    def bias(self, episode_id) -> Bias:
        return Bias()

    def transcribe(self, path, bias, since=0.0):
        yield Piece(0.0, 61.0, (Cue(1.0, 2.0, "One."), Cue(3.0, 61.0, "Two.")))


@pytest.fixture
def engine(tmp_path):
    return Engine(tmp_path)


@pytest.fixture
def door(engine):
    app = FastAPI()
    app.state.served = Served(engine, None, None, None, None)
    app.state.chats = Conversations()
    app.include_router(openai.router)
    return TestClient(app)


def ask(door, *asked, **more):
    messages = [{"role": "system", "content": "Be brief."}]
    for text in asked:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": "…"}]
    body = {"model": "earmark", "messages": messages[:-1], "temperature": 0}
    return door.post("/v1/chat/completions", json=body | more)


def test_a_chat_is_answered_and_leans_on_what_was_said_before(door, engine):
    answer = ask(door, "Why?").json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Why? 0. Why? 1. Why? 2."}
    assert answer["moments"][0]["start"] == 65.0
    ask(door, "Why?", "And then?")
    ask(door, "Why?", "And then?", [{"type": "text", "text": "More?"}, {"type": "image_url"}], model="earmark:e1")
    assert [turn.text for turn in engine.asked[-1].history] == ["Why?", "And then?"]
    assert engine.asked[-1].history[0].moments[0].start == 65.0
    assert (engine.asked[-1].text, engine.asked[-1].episode_id) == ("More?", "e1")
    ask(door, "Another?", "And then?")
    assert engine.asked[-1].history == ()


def test_an_answer_comes_as_a_stream(door):
    lines = [line.removeprefix("data: ") for line in ask(door, "Why?", stream=True).text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    chunks = [json.loads(line)["choices"][0] for line in lines]
    assert "".join(chunk["delta"].get("content", "") for chunk in chunks) == "Why? 0. Why? 1. Why? 2."
    assert (chunks[0]["delta"]["role"], chunks[-1]["finish_reason"]) == ("assistant", "stop")
    assert "command for a player" in ask(door, "pause", stream=True).text


def test_a_recording_becomes_text_in_the_form_that_is_wanted(door, engine):
    short = wav_bytes(Audio(np.zeros(16_000, np.float32), 16_000))

    def hear(data, form="json"):
        return door.post("/v1/audio/transcriptions", files={"file": ("a.wav", data)}, data={"response_format": form})

    assert hear(short).json() == {"text": "why do bees dance"}
    assert hear(short, "srt").text.startswith("1\n00:00:00,000 --> 00:00:01,000\n")
    long = wav_bytes(Audio(np.zeros(61 * 16_000, np.float32), 16_000))
    assert hear(long, "text").text == "One. Two.\n"
    told = hear(long, "verbose_json").json()
    assert (told["segments"][1]["start"], told["duration"]) == (3.0, 61.0)
    assert "WEBVTT" in hear(long, "vtt").text


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav"])
def test_a_text_is_read_aloud_in_the_form_that_is_wanted(door, tmp_path, form):
    text = "x" * 441  # two seconds of it
    made = door.post("/v1/audio/speech", json={"input": text, "voice": "alloy", "response_format": form, "speed": 2.0})
    (tmp_path / "a").write_bytes(made.content)
    assert read_audio(tmp_path / "a").seconds == pytest.approx(1.0, abs=0.15)


def test_sound_without_a_header_has_24_kilohertz(door):
    made = door.post("/v1/audio/speech", json={"input": "x" * 441, "response_format": "pcm"})
    assert len(made.content) == pytest.approx(2 * 2 * 24_000, rel=0.01)
    assert len(encoded(Audio(np.zeros(100, np.float32), 22_050), "wav")) > 100


def test_what_is_no_question_is_refused(door):
    assert ask(door, "x" * 3_000).status_code == 400
    assert door.post("/v1/chat/completions", json={"messages": [{"role": "system", "content": "x"}]}).status_code == 400
    assert ask(door, "Why?", model="gpt-5").status_code == 404
    assert door.get("/v1/models").json()["data"][0]["id"] == "earmark"
