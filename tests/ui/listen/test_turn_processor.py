# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when a question was badly heard: it is asked back, and not guessed."""

from pathlib import Path

import pytest

from retrieval.commands.commands import parse
from retrieval.model import Answer, Moment, Question, Sentence
from tests.speech import say, with_silence
from ui.listen.turn_processor import SURE, spoken_answer
from voice.audio import HEARING_RATE, Audio

MOMENT = Moment("bees", 30.0, 40.0, "A bee that has found flowers comes home and dances.", confidence=0.2)
GUESSED = Answer("Why?", True, (Sentence("They dance."),), (MOMENT,))


def test_a_well_heard_question_is_answered() -> None:
    answer = Answer("Why?", False, (Sentence("This episode does not cover that."),), (MOMENT,))
    assert spoken_answer(answer, SURE + 0.1) == "This episode does not cover that."


def test_a_badly_heard_one_is_asked_back_by_the_name_of_its_topic() -> None:
    asked = spoken_answer(GUESSED, SURE - 0.1, lambda moment: "Dancing bees")
    assert "Did you mean the part about: Dancing bees?" in asked
    assert "about: A bee that has found flowers comes home …?" in spoken_answer(GUESSED, SURE - 0.1)


def test_where_there_is_no_moment_there_is_nothing_to_ask_back() -> None:
    answer = Answer("Who?", True, (Sentence("You are at the beginning."),))
    assert spoken_answer(answer, 0.0) == "You are at the beginning."


def test_the_built_in_recogniser_is_sure_of_what_fits_and_asks_back_what_does_not(demo_dir: Path) -> None:
    from ui.companion import Companion
    from ui.settings import Settings

    companion = Companion(Settings(data_dir=demo_dir, hearing="tiny.en"))
    try:
        (episode,) = companion.library.episodes()
        said = {}
        for text in ("What is organic alignment?", "Why is a chatbot like a mirror?", "Who won the football match?",
                     "Which medicine helps against a cold?"):  # fmt: skip
            heard = companion.hear(Audio(with_silence(say(text, "en-us")), HEARING_RATE), episode.id)
            assert heard.text and parse(heard.text) is None
            said[text] = spoken_answer(companion.ask(Question(heard.text, episode.id)), heard.confidence)
    finally:
        companion.close()
    asked_back = [text for text, answer in said.items() if "Did you mean the part about" in answer]
    assert asked_back == ["Who won the football match?", "Which medicine helps against a cold?"], said


@pytest.mark.parametrize("word", ["yes", "no"])
def test_the_question_back_can_be_answered(word: str) -> None:
    command = parse(word)
    assert command is not None and command.name == word
