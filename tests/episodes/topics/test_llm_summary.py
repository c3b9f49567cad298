# SPDX-License-Identifier: GPL-3.0-or-later
"""A digest that a language model writes: what it gives is checked, and what cannot be used stays as it was."""

import json
from collections.abc import Sequence

import pytest

from episodes.model import Cue, Digest, Segment
from episodes.topics.llm_summary import Writer, written
from voice.errors import EngineError

CUES = (Cue(0, 5, "Bees dance.", "Ann"), Cue(5, 9, "They point at flowers.", "Ann"), Cue(9, 20, "Boats leak.", "Bob"))
PARTS = (Segment(0, 9, "Bees", "Bees dance."), Segment(9, 20, "Boats", "Boats leak."))
DRAFT = Digest("Bees dance.", "Bees dance. Boats leak.", ("What do bees do?",))
TOPIC = {"title": "How bees point the way.", "summary": "Bees dance to point.", "question": "Why do bees dance?"}
WHOLE = {"teaser": "On bees and boats.", "summary": "Bees dance, boats leak."}


def writer(*replies: object) -> tuple[Writer, list[str]]:
    """One that gives these replies in turn, and the prompts it got."""
    left = [reply if isinstance(reply, str) else json.dumps(reply) for reply in replies]
    prompts: list[str] = []

    def write(prompt: str) -> str:
        prompts.append(prompt)
        return left.pop(0)

    return Writer("small-model", write), prompts


def test_what_is_written_takes_the_place_of_the_draft() -> None:
    fenced = f"Sure!\n```json\n{json.dumps(TOPIC)}\n```"
    leaks = {"title": "Leaks", "summary": "Boats leak a bit.", "question": "Do boats leak?"}
    model, prompts = writer(fenced, leaks, WHOLE)
    told, found = written(CUES, PARTS, DRAFT, model)
    assert [part.title for part in told] == ["How bees point the way", "Leaks"]
    assert [(part.start, part.end) for part in told] == [(0, 9), (9, 20)]
    assert found == Digest(
        "On bees and boats.", "Bees dance, boats leak.",
        ("Why do bees dance?", "Do boats leak?", "What do bees do?"), "small-model",
    )  # fmt: skip
    assert "Ann: Bees dance.\nThey point at flowers." in prompts[0]
    assert "Boats" not in prompts[0]


def test_questions_whose_answer_is_elsewhere_are_left_out() -> None:
    model, _ = writer(TOPIC, TOPIC | {"question": "Do boats leak?"}, WHOLE)

    def ask(questions: Sequence[str]) -> list[float | None]:
        return [15.0 for _ in questions]

    _, found = written(CUES, PARTS, DRAFT, model, ask=ask)
    assert found.questions[0] == "Do boats leak?"
    assert "Why do bees dance?" not in found.questions


@pytest.mark.parametrize("reply", [
    "", "I cannot.", "[1]", "{", {"title": 7}, {"title": "a" * 200, "summary": "b" * 999},
])  # fmt: skip
def test_what_cannot_be_used_leaves_the_draft(reply: object) -> None:
    model, _ = writer(reply, reply)
    assert written(CUES, PARTS, DRAFT, model) == ([*PARTS], DRAFT)
    assert DRAFT.writer == "extractive"


def test_of_a_long_topic_its_beginning_and_its_end_are_shown() -> None:
    model, prompts = writer({}, {})
    said = (*CUES, *(Cue(20.0 + number, 21.0 + number, f"Plank {number} is wet.", "Bob") for number in range(300)))
    written(said, [Segment(0, 9), Segment(9, 400)], DRAFT, Writer("small", model.write, 2000))
    assert len(prompts[1]) < 2100
    assert "Boats leak." in prompts[1]
    assert "Plank 299 is wet." in prompts[1]


def test_the_publishers_titles_stay() -> None:
    model, _ = writer(TOPIC, TOPIC, {})
    told, found = written(CUES, PARTS, DRAFT, model, [True, False])
    assert [part.title for part in told] == ["Bees", "How bees point the way"]
    assert (found.teaser, found.summary) == (DRAFT.teaser, DRAFT.summary)


def test_a_writer_that_cannot_be_reached_says_so() -> None:
    def write(prompt: str) -> str:
        raise EngineError("Nobody answers.", "Start it.")

    with pytest.raises(EngineError):
        written(CUES, PARTS, DRAFT, Writer("small-model", write))
