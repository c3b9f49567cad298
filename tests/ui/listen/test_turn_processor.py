# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when a question was badly heard: it is asked back, and not guessed."""



from retrieval.model import Answer, Moment, Sentence
from ui.listen.turn_processor import SURE, spoken_answer

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
