# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said means, and what is said when it was badly heard: it is asked back, and not guessed."""

import pytest

from retrieval.model import Answer, Moment, Sentence
from ui.listen.turn import Meaning
from ui.listen.turn_processor import LEAST_CONFIDENCE, meaning, spoken_answer
from voice.model import Heard

MOMENT = Moment("bees", 30.0, 40.0, "A bee that has found flowers comes home and dances.", confidence=0.2)
GUESSED = Answer("Why?", True, (Sentence("They dance."),), (MOMENT,))


def test_a_well_heard_question_is_answered() -> None:
    answer = Answer("Why?", False, (Sentence("This episode does not cover that."),), (MOMENT,))
    assert spoken_answer(answer, LEAST_CONFIDENCE + 0.1) == "This episode does not cover that."


def test_a_badly_heard_one_is_asked_back_by_the_name_of_its_topic() -> None:
    asked = spoken_answer(GUESSED, LEAST_CONFIDENCE - 0.1, lambda moment: "Dancing bees")
    assert "Did you mean the part about: Dancing bees?" in asked
    assert "about: A bee that has found flowers comes home …?" in spoken_answer(GUESSED, LEAST_CONFIDENCE - 0.1)


def test_where_there_is_no_moment_there_is_nothing_to_ask_back() -> None:
    answer = Answer("Who?", True, (Sentence("You are at the beginning."),))
    assert spoken_answer(answer, 0.0) == "You are at the beginning."


@pytest.mark.parametrize(("heard", "others", "found", "name"), [
    ("Car me won't please.", ("Carry on please.", "Come on please."), Meaning.COMMAND, "resume"),
    ("Jump at five minutes.", ("Jump ahead five minutes.",), Meaning.COMMAND, "forward"),
    ("Please boss.", (), Meaning.COMMAND, "pause"),
    ("What are my work marks?", (), Meaning.COMMAND, "bookmarks"),
    ("Skip up and thirty seconds.", (), Meaning.COMMAND, "forward"),
    ("Bring me a topic.", ("Premium topic.",), Meaning.UNSURE, "previous_topic"),
    ("Slow it.", ("Do it.", "Slower."), Meaning.COMMAND, "slower"),
    ("Liator.", ("Play it.", "quieter."), Meaning.COMMAND, "quieter"),
    ("Take me turn the part about the broom.", ("Take me to the part about the broom.",), Meaning.COMMAND,
     "play_about"),
])  # fmt: skip
def test_a_misheard_command_is_found_by_its_other_readings_and_its_sound(
    heard: str, others: tuple[str, ...], found: Meaning, name: str
) -> None:
    meant, command = meaning(Heard(heard, 0.6, others=others), (), False)
    assert (meant, command and command.name) == (found, name)


@pytest.mark.parametrize(("heard", "others", "found"), [
    ("The pours are dirty.", ("The part about the earth.",), Meaning.ASIDE),
    ("Feels too.", ("First two.", "Next chapter."), Meaning.ASIDE),
    ("Do you see it?", ("Do it.",), Meaning.QUESTION), ("Turn around.", (), Meaning.ASIDE),
    ("What did he repair?", ("Repeat that.",), Meaning.QUESTION), ("Go back, said Tim.", (), Meaning.ASIDE),
])  # fmt: skip
def test_other_readings_make_no_command_of_what_is_none(heard: str, others: tuple[str, ...], found: Meaning) -> None:
    assert meaning(Heard(heard, 0.8, others=others), (), False)[0] is found
