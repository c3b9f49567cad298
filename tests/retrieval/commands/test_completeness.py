# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shape of an utterance tells: tables of what people say, whole and cut off."""

import pytest

from retrieval.commands.completeness import asks, completeness
from retrieval.commands.parser import parse
from voice.turns.turn_detector import Completeness

CUT = (
    "What does he-", "What does the", "What is the...", "In the", "Tell me about", "What did she say about",
    "Why is the", "How many", "What did they", "How does the", "Play the part about", "Go back to",
    "What happens in the", "Who is",
    "Why does alignment", "Is there a difference between", "What do they say about bees and", "Skip to the",
    "Can you explain the", "What would change your", "how much", "What about,", "When does", "Because the",
)  # fmt: skip
WHOLE = (
    "What is organic alignment?", "Why is a chatbot like a mirror?", "What does it mean?", "What is this about?",
    "Pause.", "Next topic.", "Louder.", "Stop.", "How does homeostasis work?", "Are these machines tools or beings?",
    "Go back thirty seconds.", "What did Elias say about bees?",
)  # fmt: skip
OPEN = ("Why?", "Go back.", "Play.", "Go back thirty.", "The third layer.", "What is he looking for?")


@pytest.mark.parametrize("text", CUT)
def test_what_breaks_off_is_waited_for(text: str) -> None:
    assert completeness(text, parse(text)) is Completeness.INCOMPLETE


@pytest.mark.parametrize("text", WHOLE)
def test_what_is_whole_is_taken_sooner(text: str) -> None:
    assert completeness(text, parse(text)) is Completeness.COMPLETE


@pytest.mark.parametrize("text", OPEN)
def test_what_may_go_on_gets_the_usual_time(text: str) -> None:
    assert completeness(text, parse(text)) is Completeness.OPEN


@pytest.mark.parametrize("text", [
    "Why?", "What is organic alignment?", "Tell me about bees.", "And the fees?", "Could you explain the mirror?",
    "Can machines care?", "So what is a peer?", "I wonder why they dance.", "Elias, what is a mirror?", "Who said that",
])  # fmt: skip
def test_questions_ask(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize("text", [
    "Turn on the lamp.", "Set a timer for ten minutes.", "Can you turn on the lamp?", "Dinner is ready.",
    "Could you hand me the salt?", "Thank you.", "I will be home at six.", "Boss.",
])  # fmt: skip
def test_what_is_said_to_somebody_else_does_not(text: str) -> None:
    assert not asks(text)
