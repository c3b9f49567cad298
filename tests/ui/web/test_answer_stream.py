# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to ask: what is taken, what is told meanwhile, and what comes of it."""

import asyncio
import base64
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from episodes.model import Episode
from retrieval.model import Answer, Exchange, Question, Sentence
from ui.companion import Status
from ui.web import answer_stream, limits
from ui.web.bodies import AskBody
from ui.web.dependencies import Served
from voice.audio import Audio
from voice.errors import EarmarkError, EngineError, SpeakingError, UnknownEpisode


class Loading:
    """A companion that is ready at the last of these looks."""

    def __init__(self, *states: Status) -> None:
        self.states = list(states) or [Status(True, "Ready", 1.0)]
        self.asked: list[Question] = []
        self.within: list[str] | None = None
        self.pause = 0.0
        self.told = 0

    @property
    def library(self) -> "Loading":
        return self

    def episodes(self) -> list[Episode]:
        return [Episode("e1", "One", "Show"), Episode("e2", "Two", "Show"), Episode("e3", "Three", "Other")]

    def exactly(self, ref: str) -> Episode:
        for episode in self.episodes():
            if episode.id == ref:
                return episode
        raise UnknownEpisode("There is no episode by that id.", "List them.")

    def of_show(self, show: str) -> list[str]:
        return [episode.id for episode in self.episodes() if episode.show == show]

    def status(self) -> Status:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def telling(self, question: Question, within: list[str] | None = None) -> Iterator[Sentence | Answer]:
        self.within = within
        self.asked.append(question)
        made = [Sentence("Because."), Sentence("It is so."), Sentence("Always.")]
        for sentence in made:
            self.told += 1
            yield sentence
            time.sleep(self.pause)
        yield Answer(question.text, True, tuple(made))


def served_by(companion: Loading) -> Served:
    return Served(companion, None, None, None, None)  # type: ignore[arg-type]


def events(companion: Loading, **body: Any) -> list[dict[str, Any]]:
    async def collect() -> list[dict[str, Any]]:
        return [event async for event in answer_stream.events(served_by(companion), AskBody(**body))]

    return asyncio.run(collect())


def test_a_question_waits_for_the_engines_says_so_and_is_answered():
    rendering = Status(False, "Rendering the demo episode", 0.4)
    half = Status(False, "Rendering the demo episode", 0.5)
    companion = Loading(rendering, rendering, half, Status(True, "Ready", 1.0))
    first, second, *sentences, answer = events(
        companion, text="  Why do bees dance? ", episode="e1", position=65.5, heard_until=70.0,
        history=[{"text": "Why?"}],
    )
    assert first == {"waiting": "Rendering the demo episode, 40 %"}
    assert second == {"waiting": "Rendering the demo episode, 50 %"}
    assert [event["sentence"]["text"] for event in sentences] == ["Because.", "It is so.", "Always."]
    assert answer["answer"]["covered"] is True
    assert companion.asked == [Question("Why do bees dance?", "e1", 65.5, 70.0, (Exchange("Why?"),))]


def test_a_question_that_waited_too_long_is_told_how_far_it_is(monkeypatch):
    monkeypatch.setattr(limits, "ENGINES_TIMEOUT", 0.0)
    with pytest.raises(EngineError, match="Loading the voice, 5 %"):
        events(Loading(Status(False, "Loading the voice", 0.05)), text="why?")


def test_a_failed_start_is_said_instead_of_waiting_for_ever():
    with pytest.raises(EngineError, match="The disk is full"):
        events(Loading(Status(False, "Not started", 0.1, (), "The disk is full.")), text="why?")


def test_what_fails_on_the_way_is_the_last_line():
    async def failing():
        yield {"sentence": {"text": "Because.", "moments": []}}
        raise EarmarkError("It broke.", "Ask again.")

    async def collect() -> list[str]:
        return [line async for line in answer_stream.lines(failing())]

    *_, last = asyncio.run(collect())
    assert last == '{"error": "It broke.", "hint": "Ask again."}\n'


def test_an_answer_that_nobody_waits_for_is_not_made_to_its_end():
    companion = Loading()
    companion.pause = 0.1
    served = served_by(companion)

    async def leave() -> None:
        stream = answer_stream.events(served, AskBody(text="why?"))
        assert (await anext(stream))["sentence"]["text"] == "Because."
        await stream.aclose()

    asyncio.run(leave())
    time.sleep(0.3)
    assert companion.told < 3
    assert served.asked == 0


def test_only_so_many_questions_wait():
    served = served_by(Loading())
    served.asked = limits.MOST_WAITING

    async def ask() -> None:
        await anext(answer_stream.events(served, AskBody(text="why?")))

    with pytest.raises(EngineError, match="Too many"):
        asyncio.run(ask())


@pytest.mark.parametrize(("scope", "asked"), [
    (None, (Question("why?", "e1", 65.5, 70.0), None)),
    ("episode", (Question("why?", "e1", 65.5, 70.0), None)),
    ("show", (Question("why?", None, 65.5, None, playing="e1"), ["e1", "e2"])),
    ("library", (Question("why?", None, 65.5, None, playing="e1"), None)),
])  # fmt: skip
def test_the_scope_is_the_episode_its_show_or_everything(scope, asked):
    companion = Loading()
    events(companion, text="why?", episode="e1", position=65.5, heard_until=70.0, scope=scope)
    assert (companion.asked[0], companion.within) == asked


def test_an_episode_is_named_by_its_whole_id():
    for part in ("e", "One", "E1", "e4"):
        with pytest.raises(UnknownEpisode):
            events(Loading(), text="why?", episode=part)


FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize("body", [
    {}, {"text": ""}, {"text": "   "}, {"text": "x" * 2001}, {"text": FILE}, {"text": ["why?"]}, {"text": 7},
    {"text": "why?", "episode": FILE}, {"text": "why?", "scope": "all"}, {"text": "why?", "position": float("nan")},
    {"text": "why?", "position": -1}, {"text": "why?", "position": "65"}, {"text": "why?", "history": ["Why?"]},
    {"text": "why?", "history": [{"text": "x"}] * 21}, {"text": "why?", "history": [{"text": "x", "moments": [FILE]}]},
    {"text": "why?", "context": {}}, {"text": "why?", "stream": "yes"}, {"text": "\ud800"},
])  # fmt: skip
def test_anything_else_is_refused(body):
    with pytest.raises(ValidationError):
        AskBody(**body)


class Voice:
    """Speaks a text in two pieces, the second when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.closed = False

    def speak(self, text: str) -> Iterator[Audio]:
        self.asked.append(text)
        yield Audio(np.full(4, 0.5, np.float32), 22_050)
        assert self.go_on.wait(20)
        yield Audio(np.zeros(2, np.float32), 22_050)


def sounding(voice: Voice, stop_at: str = "", **body: Any) -> list[dict[str, Any]]:
    """The events with their sound; the voice goes on once the answer is there. Leave at an event of a kind."""

    async def collect() -> list[dict[str, Any]]:
        found = []
        stream = answer_stream.with_sound(answer_stream.events(served_by(Loading()), AskBody(**body)), voice.speak)
        async for event in stream:
            found.append(event)
            if "answer" in event or stop_at in event:
                voice.go_on.set()
            if stop_at in event:
                await stream.aclose()  # type: ignore[attr-defined]
        return found

    return asyncio.run(collect())


def test_the_first_sentence_sounds_among_the_events_and_holds_none_of_them_up():
    voice = Voice()
    found = sounding(voice, text="Why?")
    kinds = [next(iter(event)) for event in found]
    assert [kind for kind in kinds if kind != "sound"] == ["sentence", "sentence", "sentence", "answer"]
    assert kinds.index("sentence") < kinds.index("sound") and kinds[-1] == "sound", "the answer did not wait for it"
    assert voice.asked == ["Because."], "the page asks for the others when it is their turn"
    first, second, end = (event["sound"] for event in found if "sound" in event)
    assert (first["rate"], np.frombuffer(base64.b64decode(first["samples"]), "<i2").tolist()) == (22_050, [16_383] * 4)
    assert len(base64.b64decode(second["samples"])) == 4 and end is None


def test_a_voice_that_fails_costs_the_sound_and_not_the_answer():
    def fails(text: str) -> Iterator[Audio]:
        raise SpeakingError("The voice is gone.", "Load it again.")
        yield

    async def collect() -> list[str]:
        events = answer_stream.with_sound(answer_stream.events(served_by(Loading()), AskBody(text="Why?")), fails)
        return [next(iter(event)) async for event in events if event != {"sound": None}]

    assert asyncio.run(collect()) == ["sentence", "sentence", "sentence", "answer"]


def test_who_leaves_while_it_sounds_ends_all_of_it():
    voice = Voice()
    assert [next(iter(event)) for event in sounding(voice, "sound", text="Why?")][-1] == "sound"
    assert voice.asked == ["Because."]
