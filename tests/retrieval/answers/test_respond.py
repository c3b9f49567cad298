# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a table reads better in long lines
"""The conversation is answered: by quotes, by what the library knows, and by true sentences where there is nothing."""

import re
from collections.abc import Collection
from dataclasses import replace

import pytest

from episodes.model import Cue, Digest, Episode, Segment
from retrieval.answers import respond
from retrieval.answers.corpus import Corpus
from retrieval.model import Exchange, Moment, Question, SearchResult
from tests.retrieval.corpora import corpus
from voice.turns.commands import CommandName

CUES = {
    "e": (
        Cue(0, 5, "Welcome to Numbers.", "Nora Lindqvist"),
        Cue(60, 63, "What is a nonce?", "Nora Lindqvist"),
        Cue(63, 70, "A nonce is a number that is used once by cryptographers.", "Elias Brandt"),
        Cue(90, 97, "You find nonces in every block of the chain.", "Elias Brandt"),
        Cue(200, 210, "People forget the nonce all the time and then they are sorry for it.", "Nora Lindqvist"),
    ),
    "f": (
        Cue(0, 8, "Letters are older than numbers, and clay tablets hold the first of them.", "Ines Costa"),
        Cue(8, 14, "The alphabet came from traders who had no time for pictures.", "Ines Costa"),
    ),
}
EPISODES = (
    Episode("e", "Numbers", "The Show", (), "2024-05-01", 300.0),
    Episode("f", "Letters", "The Show", ("Ines Costa",), "2024-04-01", 5400.0),
)
SEGMENTS = {"e": (Segment(0, 100, "Nonces"), Segment(100, 300, "Forgetting"))}
SHELF = corpus(CUES, EPISODES, SEGMENTS, {"e": Digest("Nora and Elias talk about numbers.")})
FIRST = Moment("e", 60, 70, "A nonce is a number", "Elias Brandt", 0.9)
SECOND = Moment("e", 200, 210, "People forget nonces", "Nora Lindqvist", 0.8)
BEFORE = (Exchange("What is a nonce?", (FIRST, SECOND)),)


@pytest.mark.parametrize(("question", "said"), [
    (Question("who said that?", "e", history=BEFORE), "Elias Brandt says that, at 1:00."),
    (Question("who is speaking?", "e", position=205), "Nora Lindqvist says that, at 3:20."),
    (Question("who is speaking?", "f"), "The guest is Ines Costa."),
    (Question("what about the second one?", "e", history=BEFORE), "“People forget nonces” says Nora Lindqvist, at 3:20."),
    (Question("what did he just say?", "e", position=70), "“A nonce is a number that is used once by cryptographers.” says Elias Brandt, at 1:03."),
    (Question("what did he just say?", None, position=70, playing="e"), "“A nonce is a number"),
    (Question("what did I miss?", "e", position=250, since=90), "From 1:30 to 4:10: Nonces; Forgetting."),
    (Question("what happened so far?", "e", position=250, since=90), "From 0:00 to 4:10: Nonces; Forgetting."),
    (Question("what happened so far?", "e", heard_until=250), "From 0:00 to 4:10: Nonces; Forgetting."),
    (Question("what is this about?", "e"), "Numbers, with Nora Lindqvist and Elias Brandt, is about: Nonces; Forgetting."),
    (Question("what is this about?"), "There are 2 episodes: Numbers and Letters."),
    (Question("an overview of my episodes", "e"), "There are 2 episodes: Numbers and Letters."),
    (Question("which topics?", "e"), "Nonces, at 0:00; Forgetting, at 1:40."),
    (Question("which topics?", "e", heard_until=50), "Nonces, at 0:00."),
    (Question("which episodes talk about the nonce?"), "Numbers, at 1:03."),
    (Question("which parts are about the nonce?", "e"), "2 parts: at 1:03, Nonces; at 3:20, Forgetting."),
    (Question("what does Nora think about the nonce?", "e"), "“People forget the nonce"),
    (Question("what did Ines say about the alphabet?"), "“The alphabet came from traders who had no time for pictures.” says Ines Costa, in Letters, at 0:08."),
    (Question("what does that word mean?", "e", position=70), "The word may be cryptographers."),
    (Question("what is said at 1:05?", "e"), "“A nonce is a number that is used once by cryptographers.” says Elias Brandt, at 1:03."),
    (Question("between minute 1 and 5", "e"), "From 1:00 to 5:00: Nonces; Forgetting."),
    (Question("the last two minutes", "e", position=95), "From 0:00 to 1:35, about Nonces: “"),
    (Question("summarise this in two points", "e"), "First, at 1:30: “You find nonces in every block of the chain.” Second, at 3:20: “People forget"),
    (Question("how many of my episodes mention the nonce?", "e"), "One of your 2 episodes mentions the nonce, in 3 places: Numbers."),
    (Question("how often do they mention the nonce?", "e"), "Numbers mentions the nonce in 3 places."),
    (Question("how many of my episodes mention gold?"), "None of your 2 episodes mentions gold."),
    (Question("how many episodes do I have?", "e"), "You have 2 episodes, 1 hour 35 minutes in all."),
    (Question("which is my longest episode?", "e"), "Your longest episode is Letters, 1 hour 30 minutes."),
    (Question("what is the newest episode?"), "Your newest episode is Numbers, of 2024-05-01."),
    (Question("who are you?", "e"), "I am Earmark."),
    (Question("how long is it?", "e"), "Numbers is 5 minutes long."),
    (Question("how much is left?", "e", position=60), "You have 4 minutes left of Numbers."),
    (Question("where am I?", "e", position=60), "You are at 1:00 of 5:00, in Nonces."),
    (Question("who is the guest?", "f"), "The guest is Ines Costa."),
    (Question("who is the guest?", "e"), "Nora Lindqvist and Elias Brandt speak; Nora Lindqvist says most."),
    (Question("who is the host?", "e"), "Nora Lindqvist asks most of the questions"),
    (Question("what's this episode called?", "e"), "This is Numbers, of The Show."),
    (Question("when was this published?", "e"), "It is of 2024-05-01."),
])  # fmt: skip
def test_the_conversation_is_answered(question: Question, said: str) -> None:
    answer = respond.answer(question, SHELF)
    assert answer.text.startswith(said)
    assert answer.covered
    assert answer.question == question.text


@pytest.mark.parametrize(("question", "said"), [
    (Question("how do submarines dive?", "e"), "This episode does not answer that."),
    (Question("how do submarines dive?", "e", heard_until=80.0), "Not so far."),
    (Question("how do submarines dive?", "e", heard_until=299.0), "This episode does not answer that."),
    (Question("how do submarines dive?"), "I found no answer in your library."),
    (Question("who wrote the alphabet on clay tablets?", "e"), "This episode does not answer that. But Letters may, at 0:00."),
    (Question("who do people forget?", "e", heard_until=100.0), "Not so far."),
    (Question("", "e"), "I heard no words. Ask me something about the episode."),
    (Question("?!", "e"), "There are no words in that."),
    (Question("and the", "e"), "I heard only: and the. What would you like to know?"),
    (Question("Warum tanzen die Bienen?", "e"), "That sounds like German. I understand only English."),
    (Question("¿Por qué bailan las abejas?", "e"), "That sounds like Spanish."),
    (Question("蜜蜂为什么跳舞？", "e"), "That sounds like Chinese."),
    (Question("Почему пчёлы танцуют?", "e"), "That sounds like Russian."),
    (Question("order me a pizza", "e"), "I cannot do that. Say help to hear what I can do."),
    (Question("what does Zaphod think about the nonce?", "e"), "I know nobody called Zaphod in this episode."),
    (Question("what does Zaphod think about the nonce?"), "I know nobody called Zaphod in your library."),
    (Question("what did Elias say about submarines?", "e"), "I found nothing that Elias Brandt says about that."),
    (Question("how long is it?"), "Choose an episode first, then ask me that again."),
    (Question("what is said at 12:30?", "e"), "Numbers is only 5 minutes long."),
    (Question("what is said at 3:20?", "e", heard_until=80.0), "You have not heard that far yet."),
    (Question("which parts are about submarines?", "e"), "No part of this episode is about that."),
    (Question("play the part about submarines", "e"), "I found no such part."),
])  # fmt: skip
def test_where_there_is_nothing_a_true_sentence_is_said_in_few_words(question: Question, said: str) -> None:
    answer = respond.answer(question, SHELF)
    assert answer.text.startswith(said)
    assert not answer.covered
    assert len(answer.text.split()) <= 13  # four seconds or so
    assert answer.command is None


@pytest.mark.parametrize(("asked", "read"), [
    ("how do submarines dive?", ["e"]),  # nothing is about it, so nothing else is read
    ("who wrote the alphabet on clay tablets?", ["e", "f"]),
    ("what is a nonce?", ["e"]),
])  # fmt: skip
def test_another_episode_is_read_only_where_a_section_of_it_is_about_what_was_asked(asked: str, read: list[str]) -> None:
    done: list[str | None] = []

    def reading(question: Question, count: int, among: Collection[str] | None) -> SearchResult:
        done.append(question.episode_id)
        return SHELF.find_sentences(question, count, among)

    respond.answer(Question(asked, "e", heard_until=299.0), replace(SHELF, find_sentences=reading))
    assert done == read


def test_a_section_that_may_be_about_it_is_not_enough_to_send_anybody_there() -> None:
    far = Moment("f", 8.0, 14.0, "The alphabet came from traders.", "Ines Costa", 0.4)
    answer = respond.answer(Question("who wrote the alphabet on clay tablets?", "e"), replace(SHELF, find_sections=lambda *_: [far]))
    assert answer.text == "This episode does not answer that."


def test_a_library_in_another_language_is_asked_in_it() -> None:
    bees = corpus({"e": (Cue(0, 6, "Bienen tanzen auf den Waben, um den Weg zu zeigen.", "Jan"),)})
    answer = respond.answer(Question("Warum tanzen die Bienen auf den Waben?", "e"), bees)
    assert answer.covered
    assert "Bienen tanzen auf den Waben" in answer.text


def test_the_nearest_is_shown_and_not_said() -> None:
    doubtful = corpus(CUES, EPISODES, SEGMENTS, sure=0.1)
    answer = respond.answer(Question("what is a nonce used for", "e"), doubtful)
    assert answer.text == "This episode does not answer that."
    assert answer.moments[0].start == 63, "where its words are"


def test_a_command_is_handed_on_with_where_it_goes() -> None:
    answer = respond.answer(Question("play the part about the nonce", "e"), SHELF)
    assert answer.command is not None
    assert (answer.command.name, answer.moments[0].start) == (CommandName.PLAY_ABOUT, 63)
    answer = respond.answer(Question("go back thirty seconds", "e"), SHELF)
    assert answer.command is not None
    assert (answer.command.amount, answer.moments, answer.sentences) == (30, (), ())
    answer = respond.answer(Question("play the second one", "e", history=BEFORE), SHELF)
    assert answer.command is not None
    assert answer.moments == (SECOND,)


def test_the_same_question_gets_the_same_answer_and_more_gets_others() -> None:
    first = respond.answer(Question("What is a nonce?", "e"), SHELF)
    history: tuple[Exchange, ...] = (Exchange("What is a nonce?", first.moments),)
    assert respond.answer(Question("What is a nonce?", "e", history=history), SHELF) == first
    told = [first.moments[0].start]
    for more in ("tell me more", "anything else?"):
        answer = respond.answer(Question(more, "e", history=history), SHELF)
        told.append(answer.moments[0].start)
        history = (*history, Exchange("What is a nonce?", answer.moments))
    assert len(set(told)) == 3
    last = respond.answer(Question("tell me more", "e", history=history), SHELF)
    assert last.text == "I found nothing more about that."


def test_times_said_shown_and_jumped_to_agree() -> None:
    for text in ("what is a nonce?", "what do people forget all the time?", "where do you find nonces?"):
        answer = respond.answer(Question(text, "e"), SHELF)
        (said,) = re.findall(r"at (\d+):(\d\d)\.", answer.text)
        jump = answer.moments[0].start
        assert int(said[0]) * 60 + int(said[1]) == int(jump) == int(answer.sentences[0].moments[0].start)


def test_what_a_language_model_wrote_about_an_episode_is_said() -> None:
    written = replace(SHELF, digest=lambda name: Digest("Nora and Elias talk about numbers.", writer="small"))
    assert respond.answer(Question("what is this about?", "e"), written).text == "Nora and Elias talk about numbers."
    untold = replace(SHELF, segments=lambda name: [], digest=lambda name: Digest("A talk about numbers."))
    assert respond.answer(Question("what is this about?", "e"), untold).text == "A talk about numbers."


def test_a_library_of_one_is_asked_as_its_episode() -> None:
    alone: Corpus = corpus({"e": CUES["e"]}, EPISODES[:1], SEGMENTS)
    assert respond.answer(Question("which topics?"), alone).text == "Nonces, at 0:00; Forgetting, at 1:40."


TALK = {"t": (
    Cue(0, 6, "What do bees do in the winter when it is so cold?", "Nora Lindqvist"),
    Cue(6, 10, "They huddle together and shiver to keep warm.", "Elias Brandt"),
    Cue(10, 11, "Oh, right.", "Nora Lindqvist"),
    Cue(11, 16, "And they take turns on the outside of the cluster.", "Elias Brandt"),
    Cue(16, 17, "Wow.", "Nora Lindqvist"),
    Cue(17, 19, "[music plays for a while]"),
)}  # fmt: skip


@pytest.mark.parametrize(("asked", "position", "said"), [
    ("what did she just say?", 17.0, "“They huddle together and shiver to keep warm. And they take turns on the outside of the cluster.” says Elias Brandt"),
    ("what did he just say?", 11.0, "“They huddle together and shiver to keep warm.” says Elias Brandt"),
    ("what was he saying?", 19.0, "“They huddle together"),  # nobody is nobody's he
    ("what did Nora just say?", 17.0, "“What do bees do in the winter when it is so cold?” says Nora Lindqvist"),
    ("what did Nora say just now?", 17.0, "“What do bees do in the winter"),
    ("what did Nora just say?", 100.0, "Nora Lindqvist has said nothing in the last minute."),
    ("what did she just say?", 6.0, "“What do bees do in the winter when it is so cold?” says Nora Lindqvist"),
])  # fmt: skip
def test_what_was_just_said_is_the_turn_of_who_spoke_last_or_is_named(asked: str, position: float, said: str) -> None:
    library = corpus(TALK, (Episode("t", "Bees", seconds=200.0),))
    assert respond.answer(Question(asked, "t", position=position), library).text.startswith(said)


def test_a_word_alone_is_what_was_just_said() -> None:
    library = corpus({"t": (Cue(0, 2, "Wow.", "Nora"),)}, (Episode("t", "Bees", seconds=20.0),))
    assert respond.answer(Question("what did she just say?", "t", position=2.0), library).text.startswith("“Wow.” says Nora")
