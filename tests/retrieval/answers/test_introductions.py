# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a table reads better in long lines
"""Who somebody is, in the words that introduce them."""

import pytest

from episodes.model import Cue, Episode
from retrieval.answers.respond import answer
from retrieval.model import Question
from tests.retrieval.corpora import corpus

CUES = {
    "e": (
        Cue(0, 2, "Hello, and welcome to Second Nature.", "Nora Lindqvist"),
        Cue(2, 4, "I'm Nora Lindqvist.", "Nora Lindqvist"),
        Cue(4, 9, "Elias Brandt told me about wheels on the way here.", "Nora Lindqvist"),
        Cue(9, 14, "That is Elias Brandt.", "Nora Lindqvist"),
        Cue(14, 20, "He spent ten years building learning systems.", "Nora Lindqvist"),
        Cue(20, 22, "Elias, welcome.", "Nora Lindqvist"),
        Cue(22, 27, "Wheels are older than roads.", "Elias Brandt"),
        Cue(27, 30, "So are feet.", "Speaker 3"),
    ),
    "f": (
        Cue(0, 6, "With me is Ines Costa, a historian of writing in Porto.", "Nora Lindqvist"),
        Cue(6, 9, "Clay holds letters for ever.", "Ines Costa"),
        Cue(9, 12, "Nobody says who I am.", "Tom Field"),
    ),
}
SHELF = corpus(CUES, (Episode("e", "Wheels"), Episode("f", "Letters")))


@pytest.mark.parametrize(("question", "said"), [
    (Question("Who is Elias Brandt?", "e"), "“That is Elias Brandt. He spent ten years building learning systems.” says Nora Lindqvist, at 0:09."),
    (Question("who's Elias?", "e"), "“That is Elias Brandt. He spent ten years"),
    (Question("who is Brand", "e"), "“That is Elias Brandt. He spent ten years"),
    (Question("Tell me about Nora.", "e"), "“Hello, and welcome to Second Nature. I'm Nora Lindqvist.” says Nora Lindqvist, at 0:00."),
    (Question("Who is Ines Costa?"), "“With me is Ines Costa, a historian of writing in Porto.” says Nora Lindqvist, in Letters, at 0:00."),
    (Question("Who is Tom Field?", "f"), "Tom Field speaks here, and nobody says more about who that is."),
])  # fmt: skip
def test_somebody_is_introduced_in_the_words_of_the_episode(question: Question, said: str) -> None:
    made = answer(question, SHELF)
    assert " ".join(one.text for one in made.sentences).startswith(said)
    assert made.moments


def test_what_was_not_heard_yet_introduces_nobody() -> None:
    made = answer(Question("Who is Elias Brandt?", "e", heard_until=8), SHELF)
    assert "ten years" not in " ".join(one.text for one in made.sentences)


def test_only_the_episodes_that_are_asked_introduce_somebody() -> None:
    made = answer(Question("Who is Elias Brandt?"), SHELF, within=["f"])
    assert "ten years" not in " ".join(one.text for one in made.sentences)
