# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question means in its conversation."""

from dataclasses import replace

import pytest

from episodes.model import Digest, Segment
from retrieval.answers import respond
from retrieval.answers.respond import Shelf
from retrieval.commands.intents import Kind, Plan, understand
from retrieval.index.similarity import Near
from retrieval.model import Moment, Question, Turn
from voice.model import Cue

SPEAKERS = ("Elias Brandt", "Nora Lindqvist")
FIRST = Moment("e", 60, 70, "a nonce is a number", "Elias Brandt", 0.9)
SECOND = Moment("e", 200, 210, "people forget nonces", "Nora Lindqvist", 0.8)
BEFORE = (Turn("What is a nonce?", (FIRST, SECOND)),)

MEANT = {
    Kind.WHO: (
        "who said that?", "Who is speaking?", "and who said that", "who's talking right now?",
        "whose words were those?"),
    Kind.CHOOSE: (
        "what about the second one?", "and the other one?", "how about the last one", "tell me about the second"),
    Kind.JUST_SAID: ("what did he just say?", "what was that?", "sorry, what did she just say", "I didn't catch that",
                     "what did they say?", "what are they talking about right now?"),
    Kind.MEANING: ("what does that word mean?", "what is that term?", "define that word"),
    Kind.MISSED: ("what did I miss?", "what have I missed since yesterday?", "catch me up", "what happened so far?"),
    Kind.OVERVIEW: (
        "what is this about?", "What's this episode about?", "give me a summary", "summarize this episode"),
    Kind.TOPICS: (
        "which topics?", "what topics do they cover?", "list the topics", "which topics are in this episode?"),
    Kind.EPISODES: ("which episodes talk about mining?", "in which episodes do they discuss mining?",
                    "find me episodes about mining", "what podcasts mention mining"),
    Kind.SEARCH: ("What is a nonce?", "What did the apprentice say to the master about honesty?", "who is Satoshi?",
                  "what does the second layer do?", "why do miners stop mining?",
        "what about hardware wallets from Trezor?",
                  "what is the second law about?", "who said that nodes must trust each other?"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [(text, kind) for kind, texts in MEANT.items() for text in texts])
def test_each_question_has_its_way(text: str, kind: Kind) -> None:
    assert understand(Question(text, "e", position=100, history=BEFORE), SPEAKERS).kind is kind


@pytest.mark.parametrize(("text", "kind"), [
    ("who said that they are right?", Kind.SEARCH), ("the second prize", Kind.SEARCH), ("and why?", Kind.FRAGMENT),
    ("what about it?", Kind.FRAGMENT),
])  # fmt: skip
def test_without_a_conversation_nothing_is_carried_on(text: str, kind: Kind) -> None:
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
    assert understand(Question(text), SPEAKERS).speaker == name


CUES = [
    Cue(0, 5, "Welcome to Numbers.", "Nora Lindqvist"),
    Cue(60, 63, "What is a nonce?", "Nora Lindqvist"),
    Cue(63, 70, "A nonce is a number that is used once by cryptographers.", "Elias Brandt"),
    Cue(200, 210, "People forget the nonce all the time and then they are sorry for it.", "Nora Lindqvist"),
]
SHELF = Shelf(
    {"e": "Numbers", "f": "Letters"}, lambda name: CUES if name == "e" else (),
    lambda name: [Segment(0, 100, "Nonces"), Segment(100, 300, "Forgetting")],
    lambda name: Digest("Nora and Elias talk about numbers."),
    lambda question, count: [FIRST, SECOND],
    lambda text: Near(lambda name, start, end: [], lambda texts: [0.0] * len(texts)),
    lambda word: 1 if word == "cryptographers" else 90,
)  # fmt: skip


@pytest.mark.parametrize(("question", "said"), [
    (Question("who said that?", "e", history=BEFORE), "Elias Brandt says that, at 1:00."),
    (Question("who is speaking?", "e", position=205), "Nora Lindqvist says that, at 3:20."),
    (Question("what about the second one?", "e", history=BEFORE), "At 3:20, Nora Lindqvist says: “People forget"),
    (Question("what did he just say?", "e", position=70), "At 1:03, Elias Brandt says: “A nonce is a number"),
    (Question("what did he just say?", None, position=70, playing="e"), "At 1:03, Elias Brandt says: “A nonce"),
    (Question("what did I miss?", "e", position=250, since=90), "From 1:30 to 4:10: Nonces; Forgetting."),
    (Question("what is this about?", "e"),
     "Numbers, with Nora Lindqvist and Elias Brandt, is about: Nonces; Forgetting."),
    (Question("what is this about?"), "There are 2 episodes to ask: Numbers, Letters."),
    (Question("which topics?", "e"), "Nonces, at 0:00; Forgetting, at 1:40."),
    (Question("which topics?", "e", heard_until=50), "Nonces, at 0:00."),
    (Question("which episodes talk about nonces?"), "Numbers, at 1:00."),
    (Question("what does Nora think about nonces?", "e"), "At 3:20, Nora Lindqvist says: “People forget"),
    (Question("what does that word mean?", "e", position=70), "The word may be cryptographers."),
])  # fmt: skip
def test_the_conversation_is_answered(question: Question, said: str) -> None:
    answer = respond.answer(question, SHELF)
    assert answer.covered
    assert answer.text.startswith(said)
    assert answer.question == question.text


def test_a_command_is_handed_on_with_where_it_goes() -> None:
    answer = respond.answer(Question("play the part about nonces", "e"), SHELF)
    assert answer.command is not None
    assert (answer.command.name, answer.moments[0]) == ("play_about", FIRST)
    answer = respond.answer(Question("go back thirty seconds", "e"), SHELF)
    assert answer.command is not None
    assert (answer.command.amount, answer.moments, answer.sentences) == (30, (), ())
    answer = respond.answer(Question("play the second one", "e", history=BEFORE), SHELF)
    assert answer.command is not None
    assert answer.moments == (SECOND,)


def test_telling_more_tells_something_else() -> None:
    answer = respond.answer(Question("tell me more", "e", history=BEFORE), SHELF)
    assert answer.moments[0].start == SECOND.start


def test_what_a_language_model_wrote_about_an_episode_is_said() -> None:
    written = replace(SHELF, digest=lambda name: Digest("Nora and Elias talk about numbers.", writer="small"))
    assert respond.answer(Question("what is this about?", "e"), written).text == "Nora and Elias talk about numbers."
    untold = replace(SHELF, segments=lambda name: [], digest=lambda name: Digest("A talk about numbers."))
    assert respond.answer(Question("what is this about?", "e"), untold).text == "A talk about numbers."


def test_the_same_is_not_quoted_again() -> None:
    cues = [
        Cue(0, 5, "What is a nonce?", "Nora Lindqvist"),
        Cue(5, 12, "A nonce is a number that is used once by cryptographers everywhere, and that nobody may ever use "
            "for a second message, since it would break the cipher.", "Elias Brandt"),
        Cue(12, 20, "You prevent a second use of the nonce with a list of all numbers that were used.", "Elias Brandt"),
    ]
    shelf = replace(SHELF, cues=lambda name: cues, find=lambda question, count: [Moment("e", 0, 20, "", "", 0.9)])
    first = respond.answer(Question("What is a nonce?", "e"), shelf)
    then = respond.answer(Question("and how?", "e", history=(Turn("What is a nonce?", first.moments),)), shelf)
    assert "is a number" in first.text
    assert then.text == (
        "At 0:12, Elias Brandt says: “You prevent a second use of the nonce with a list of all numbers that were used.”"
    )
