# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question means in its conversation."""

import pytest

from retrieval.commands.intents import Intent, Plan, understand
from retrieval.model import Exchange, Moment, Question

SPEAKERS = ("Elias Brandt", "Nora Lindqvist")
FIRST = Moment("e", 60, 70, "a nonce is a number", "Elias Brandt", 0.9)
SECOND = Moment("e", 200, 210, "people forget nonces", "Nora Lindqvist", 0.8)
BEFORE = (Exchange("What is a nonce?", (FIRST, SECOND)),)

MEANT = {
    Intent.WHO: (
        "who said that?", "Who is speaking?", "and who said that", "who's talking right now?",
        "whose words were those?"),
    Intent.CHOOSE: (
        "what about the second one?", "and the other one?", "how about the last one", "tell me about the second"),
    Intent.JUST_SAID: ("what did he just say?", "what was that?", "sorry, what did she just say", "I didn't catch that",
                     "what did they say?", "what are they talking about right now?"),
    Intent.MEANING: ("what does that word mean?", "what is that term?", "define that word"),
    Intent.MISSED: ("what did I miss?", "what have I missed since yesterday?", "catch me up", "what happened so far?"),
    Intent.OVERVIEW: (
        "what is this about?", "What's this episode about?", "give me a summary", "summarize this episode"),
    Intent.TOPICS: (
        "which topics?", "what topics do they cover?", "list the topics", "which topics are in this episode?"),
    Intent.EPISODES: ("which episodes talk about mining?", "in which episodes do they discuss mining?",
                    "find me episodes about mining", "what podcasts mention mining"),
    Intent.SEARCH: ("What is a nonce?", "What did the apprentice say to the master about honesty?", "who is Satoshi?",
                  "what does the second layer do?", "why do miners stop mining?",
        "what about hardware wallets from Trezor?",
                  "what is the second law about?", "who said that nodes must trust each other?"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [(text, kind) for kind, texts in MEANT.items() for text in texts])
def test_each_question_has_its_way(text: str, kind: Intent) -> None:
    assert understand(Question(text, "e", position=100, history=BEFORE), lambda name: SPEAKERS).kind is kind


@pytest.mark.parametrize(("text", "kind"), [
    ("who said that they are right?", Intent.SEARCH), ("the second prize", Intent.SEARCH),
    ("and why?", Intent.FRAGMENT),
    ("what about it?", Intent.FRAGMENT),
])  # fmt: skip
def test_without_a_conversation_nothing_is_carried_on(text: str, kind: Intent) -> None:
    assert understand(Question(text)) == Plan(kind, text)


@pytest.mark.parametrize("text", ["and why?", "why?", "why is that?", "how come?", "how does it work?",
        "and the fees?"
])
def test_a_follow_up_carries_what_was_asked(text: str) -> None:
    assert "What is a nonce?" in understand(Question(text, history=BEFORE)).text


@pytest.mark.parametrize(("text", "name"), [
    ("what does Elias think about nonces?", "Elias Brandt"),
    ("What did Nora Lindqvist say about it?", "Nora Lindqvist"),
    ("what does elyas say about machines", "Elias Brandt"), ("according to Nora, what is care?", "Nora Lindqvist"),
    ("what does Satoshi think about nonces?", ""), ("what does the network want?", ""),
])  # fmt: skip
def test_a_speaker_is_known_by_a_part_of_the_name(text: str, name: str) -> None:
    assert understand(Question(text), lambda name: SPEAKERS).speaker == name
