# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns are found by pure counting: time is a number here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio import FRAME_SECONDS
from voice.turns.turn_detector import Change, Completeness, Endpointing, TurnDetector, TurnEvent


def run(turns: TurnDetector, *stretches: tuple[float, float]) -> list[TurnEvent]:
    """Push stretches of (probability, seconds); the events in order."""
    events = []
    for probability, seconds in stretches:
        for _ in range(round(seconds / FRAME_SECONDS)):
            event = turns.push(probability)
            if event is not None:
                events.append(event)
    return events


def changes(events: list[TurnEvent]) -> list[str]:
    return [event.change.value for event in events]


def test_a_question_begins_may_be_over_and_is_over():
    events = run(TurnDetector(), (0.0, 1.0), (0.9, 2.0), (0.0, 1.7))
    assert changes(events) == ["began", "maybe over", "over"]
    assert {event.number for event in events} == {1}
    assert events[-1].start == pytest.approx(1.0, abs=0.05)
    assert events[-1].end == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize(
    ("found", "wait"),
    [(Completeness.UNKNOWN, 1.5), (Completeness.COMPLETE, 0.3), (Completeness.OPEN, 0.5),
     (Completeness.INCOMPLETE, 2.0)],
)
def test_the_wait_depends_on_what_was_said(found: Completeness, wait: float) -> None:
    turns = TurnDetector()
    run(turns, (0.9, 1.0))
    waits = {}
    for frame in range(1, 80):
        event = turns.push(0.0)
        if event is not None:
            waits[event.change] = frame * FRAME_SECONDS
            turns.judge(event.number, found)
    assert waits[Change.MAYBE_OVER] == pytest.approx(0.06, abs=FRAME_SECONDS)
    assert waits[Change.OVER] == pytest.approx(wait, abs=FRAME_SECONDS)


def test_a_short_pause_does_not_end_a_sentence():
    assert changes(run(TurnDetector(), (0.9, 0.8), (0.1, 0.04), (0.9, 0.8), (0.0, 1.7))) == [
        "began", "maybe over", "over"]


def test_hesitation_takes_the_early_decoding_back():
    events = run(TurnDetector(), (0.9, 0.8), (0.05, 0.4), (0.9, 0.8), (0.0, 1.7))
    assert changes(events) == ["began", "maybe over", "on again", "maybe over", "over"]
    assert len({event.number for event in events}) == 1


def test_a_cough_is_no_turn():
    events = run(TurnDetector(), (0.0, 0.5), (0.8, 0.13), (0.0, 1.0))
    assert changes(events) == ["began", "dropped"]


def test_a_click_does_not_even_begin():
    assert run(TurnDetector(), (0.0, 0.5), (0.99, 0.064), (0.0, 1.0)) == []


def test_background_murmur_below_the_threshold_is_nothing():
    assert run(TurnDetector(), (0.45, 5.0)) == []


def test_a_doubtful_frame_within_speech_changes_nothing():
    assert changes(run(TurnDetector(), (0.9, 0.5), (0.4, 0.5), (0.9, 0.5), (0.0, 1.7))) == [
        "began", "maybe over", "over"]


def test_talk_without_an_end_is_told():
    events = run(TurnDetector(Endpointing(longest=5.0)), (0.9, 5.2))
    assert changes(events) == ["began", "too long"]


def test_talk_in_the_background_is_no_turn_however_it_ends():
    turns = TurnDetector(Endpointing(longest=5.0))
    events = run(turns, (0.9, 6.0), (0.0, 0.3), (0.9, 3.0), (0.0, 2.0))  # 0.3 s are no pause between two people
    assert changes(events) == ["began", "too long"]
    assert changes(run(turns, (0.9, 1.0), (0.0, 1.7))) == ["began", "maybe over", "over"]


def test_a_long_question_is_heard_whole():
    sentence = [(0.9, 4.0), (0.0, 0.35)] * 5
    events = run(TurnDetector(), (0.0, 1.0), *sentence, (0.9, 2.0), (0.0, 1.7))
    assert changes(events) == ["began", *["maybe over", "on again"] * 5, "maybe over", "over"]
    assert events[-1].end - events[-1].start == pytest.approx(5 * 4.35 + 2.0, abs=0.2)


def test_hesitation_within_a_question_is_one_turn():
    # "what is … uhm … the second layer": the uhm is voiced doubtfully, the gaps are shorter than the end of a turn
    events = run(TurnDetector(), (0.95, 0.5), (0.1, 0.4), (0.6, 0.15), (0.3, 0.42), (0.95, 0.9), (0.0, 1.6))
    assert changes(events)[0] == "began" and changes(events)[-1] == "over"
    assert {event.number for event in events} == {1} and changes(events).count("over") == 1


def test_what_is_known_of_an_older_turn_or_of_words_that_went_on_is_ignored() -> None:
    turns = TurnDetector()
    run(turns, (0.9, 0.6), (0.0, 1.7))
    run(turns, (0.9, 0.6), (0.0, 0.25))
    turns.judge(1, Completeness.COMPLETE)
    assert run(turns, (0.0, 0.16)) == []
    turns.judge(2, Completeness.COMPLETE)
    run(turns, (0.9, 0.6))  # it went on: what was complete is no longer all
    turns.judge(2, Completeness.COMPLETE)
    assert changes(run(turns, (0.0, 0.4))) == ["maybe over"]


def test_a_turn_whose_end_was_mistaken_goes_on() -> None:
    turns = TurnDetector()
    (_, maybe) = run(turns, (0.0, 1.0), (0.9, 1.0), (0.0, 0.2))
    turns.judge(maybe.number, Completeness.COMPLETE)
    assert changes(run(turns, (0.0, 0.6), (0.9, 0.3))) == ["over", "began"]
    assert turns.rejoin()
    events = run(turns, (0.9, 0.7), (0.0, 1.7))
    assert events[-1].change is Change.OVER
    assert events[-1].start == pytest.approx(1.0, abs=0.05) and events[-1].end == pytest.approx(3.8, abs=0.05)


def test_what_is_said_long_after_or_after_a_reset_is_a_turn_of_its_own() -> None:
    turns = TurnDetector()
    assert not turns.rejoin()
    run(turns, (0.9, 1.0), (0.0, 3.0), (0.9, 0.3))
    assert not turns.rejoin()
    turns.reset()
    run(turns, (0.9, 0.3))
    assert not turns.rejoin()


def test_turns_are_numbered_one_by_one():
    turns = TurnDetector()
    events = [event for _ in range(3) for event in run(turns, (0.9, 1.0), (0.0, 1.7))]
    assert [event.number for event in events if event.change is Change.OVER] == [1, 2, 3]


def test_a_reset_forgets_the_turn():
    turns = TurnDetector()
    run(turns, (0.9, 1.0))
    turns.reset()
    assert not turns.speaking
    assert run(turns, (0.0, 2.0)) == []


def test_patience_must_make_sense():
    with pytest.raises(ValueError, match="rise"):
        Endpointing(maybe=0.6, complete=0.5)


@given(st.lists(st.floats(0, 1), max_size=400))
def test_every_turn_begins_once_and_ends_once(probabilities: list[float]):
    turns = TurnDetector()
    events = [event for p in probabilities if (event := turns.push(p))]
    events += run(turns, (0.0, 1.7))
    began = [event.number for event in events if event.change is Change.BEGAN]
    ended = [event.number for event in events if event.change in (Change.OVER, Change.DROPPED, Change.TOO_LONG)]
    assert began == ended == list(range(1, len(began) + 1))
    assert not turns.speaking
