# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page is told after a question."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from episodes.model import Episode
from retrieval.model import Answer, Question, Sentence, Turn
from ui.companion import Status
from ui.web import page
from voice.errors import UnknownEpisode

CONTEXT = {"turn": 7, "episode": "e1", "position": 65.5, "heard_until": 70.0, "history": ["Why?"]}


class Loading:
    """A companion that is ready at the third look."""

    def __init__(self, *states: Status) -> None:
        self.states = list(states) or [Status(True, "Ready", 1.0)]
        self.asked: list[Question] = []
        self.pause = 0.0
        self.told = 0

    @property
    def library(self):
        return self

    def episodes(self) -> list[Episode]:
        return [Episode("e1", "One", "Show"), Episode("e2", "Two", "Show"), Episode("e3", "Three", "Other")]

    def episode(self, ref: str) -> Episode:
        return next(episode for episode in self.episodes() if episode.id == ref)

    def status(self) -> Status:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def telling(self, question: Question, within: list[str] | None = None) -> Iterator[Sentence | Answer]:
        self.within = within
        self.asked.append(question)
        if question.text == "lost?":
            raise UnknownEpisode("There is no episode e1.", "Run 'earmark list'.")
        made = [Sentence("Because."), Sentence("It is so."), Sentence("Always.")]
        for sentence in made:
            self.told += 1
            yield sentence
            time.sleep(self.pause)
        yield Answer(question.text, True, tuple(made))


def events(companion: Loading, text: str, context: page.Json = CONTEXT) -> list[page.Json]:
    async def collect() -> list[page.Json]:
        return [event async for event in page.answer_events(companion, text, context)]

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
    assert companion.asked == [Question("Why do bees dance?", "e1", 65.5, 70.0, (Turn("Why?"),))]


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


def test_what_a_language_model_tells_comes_sentence_by_sentence_and_the_rest_as_one():
    companion = Loading()
    assert [event["state"] for event in events(companion, "why?")] == ["answer"]
    companion.pause = 0.1
    *telling, answer = events(companion, "why?")
    assert [[one["text"] for one in event["sentences"]] for event in telling] == [
        ["Because."], ["Because.", "It is so."], ["Because.", "It is so.", "Always."],
    ]  # fmt: skip
    assert {(event["state"], event["turn"], event["question"]) for event in telling} == {("telling", 7, "why?")}
    assert answer["sentences"] == telling[-1]["sentences"]


def test_an_answer_that_nobody_waits_for_is_not_made_to_its_end():
    companion = Loading()
    companion.pause = 0.1

    async def leave() -> None:
        stream = page.answer_events(companion, "why?", CONTEXT)
        assert (await anext(stream))["state"] == "telling"
        await stream.aclose()

    asyncio.run(leave())
    time.sleep(0.5)
    assert companion.told < 3


@pytest.mark.parametrize(("scope", "asked"), [
    ("episode", (Question("why?", "e1", 65.5, 70.0, (Turn("Why?"),)), None)),
    ("show", (Question("why?", None, 65.5, None, (Turn("Why?"),), playing="e1"), ["e1", "e2"])),
    ("library", (Question("why?", None, 65.5, None, (Turn("Why?"),), playing="e1"), None)),
])  # fmt: skip
def test_the_scope_is_the_episode_its_show_or_everything(scope, asked):
    companion = Loading()
    list(events(companion, "why?", CONTEXT | {"scope": scope}))
    assert (companion.asked[0], companion.within) == asked
