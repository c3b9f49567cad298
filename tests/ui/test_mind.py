# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when a question was badly heard: it is asked back, and not guessed."""

from retrieval.model import Answer, Moment, Sentence
from ui.mind import SURE, spoken_answer

MOMENT = Moment("bees", 30.0, 40.0, "A bee that has found flowers comes home and dances.", confidence=0.2)


def test_a_well_heard_question_is_answered() -> None:
    answer = Answer("Why?", False, (Sentence("This episode does not cover that."),), (MOMENT,))
    assert spoken_answer(answer, SURE + 0.1) == "This episode does not cover that."


def test_a_badly_heard_one_that_fits_nothing_is_asked_back() -> None:
    answer = Answer("Why?", False, (Sentence("This episode does not cover that."),), (MOMENT,))
    assert "Did you mean the part about: A bee that has found flowers" in spoken_answer(answer, SURE - 0.1)


def test_a_badly_heard_one_that_fits_is_answered() -> None:
    answer = Answer("Why?", True, (Sentence("They dance."),), (MOMENT,))
    assert spoken_answer(answer, 0.1) == "They dance."
