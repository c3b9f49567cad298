# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions people ask first: they land where the answer is, or are declined."""

import pytest

from episodes.topics.segmentation import segment
from retrieval.answers import respond
from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Answer, Question
from tests.retrieval.conftest import demo_cues
from tests.retrieval.corpora import indexed

ASKED = (
    "What is organic alignment?",
    "How does a machine guess the goal from a description?",
    "Are these machines tools or beings?",
    "What would change your mind about machine minds?",
    "Why is there care beneath our goals?",
    "What does the story of the apprentice teach us?",
    "What are the layers of homeostasis?",
    "What do the simulations of cooperation show?",
    "Why is a chatbot like a mirror?",
    "Can a machine become a peer?",
)
MISHEARD = (
    pytest.param(
        0, "what is organic a line meant",
        marks=pytest.mark.xfail(reason="one of two telling words is heard as three: too little is left to read"),
    ),
    (0, "what is the organic alignment"),
    (1, "how does a machine guess the gold from the description"),
    (2, "are these machines tools of beings"),
    (3, "what would change your mind about the machine mines"),
    (4, "why is their care beneath our goals"),
    (5, "what does the story of the a print is teach us"),
    (6, "what are the layers of home stasis that regulate each other"),
    (7, "what to the simulations of corporation show"),
    (8, "why is a chat what like a mirror"),
    (9, "can a machine become appear a peer"),
)
ELSEWHERE = (
    "who won the football match",
    "what is the price of coffee in Brazil",
    "how do I fix a leaking tap",
    "what did the president say about taxes",
    "tell me about dinosaurs",
    "how do vaccines work",
)


def ask(text: str, index: SqliteIndex, embedder: Embedder, episode: str | None = "demo") -> Answer:
    """What the product answers over the demo."""
    return respond.answer(Question(text, episode), indexed({"demo": demo_cues()[0]}, index, embedder))


@pytest.mark.parametrize(("topic", "text"), [*enumerate(ASKED), *MISHEARD])
def test_a_question_lands_in_its_topic(topic: int, text: str, demo_index: SqliteIndex, embedder: Embedder) -> None:
    answer = ask(text, demo_index, embedder)
    start, end = demo_cues()[1][topic + 1 : topic + 3]  # the greeting comes first
    assert answer.covered
    assert start - 10 <= answer.moments[0].start <= end


@pytest.mark.parametrize("text", ELSEWHERE)
@pytest.mark.parametrize("episode", ["demo", None])
def test_what_nobody_spoke_about_is_declined(
    text: str, episode: str | None, demo_index: SqliteIndex, embedder: Embedder
) -> None:
    answer = ask(text, demo_index, embedder, episode)
    assert not answer.covered
    assert answer.text.startswith("This episode does not answer that.")
    assert answer.moments


def test_topics_begin_with_what_the_host_says_to_open_them(embedder: Embedder) -> None:
    cues, topics = demo_cues()
    starts = [part.start for part in segment(cues, embedder.encode)]
    assert starts == pytest.approx(topics[:11], abs=0.01)  # the good-bye is no topic
