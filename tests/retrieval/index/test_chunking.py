# SPDX-License-Identifier: GPL-3.0-or-later
"""Passages cover all that was said, and begin where somebody begins."""

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.index.chunking import UNIT_WORDS, WINDOW_WORDS, passages
from tests.retrieval.conftest import demo_cues
from voice.model import Cue


def test_units_follow_each_other_and_begin_with_turns() -> None:
    cues, topics = demo_cues()
    found = passages("demo", cues)
    units = [passage for passage in found if passage.grain == UNIT_WORDS]
    windows = [passage for passage in found if passage.grain == WINDOW_WORDS]
    assert found == units + windows
    assert " ".join(unit.text for unit in units) == " ".join(cue.text for cue in cues)
    starts = {round(unit.start, 1): unit for unit in units}
    for topic in topics:
        assert starts[round(topic, 1)].break_ == 2
    assert {unit.speaker for unit in units} == {"Nora Lindqvist", "Elias Brandt"}
    assert all(window.start in {unit.start for unit in units} for window in windows)
    assert max(len(window.text.split()) for window in windows) <= WINDOW_WORDS + 60


def test_the_vectors_of_an_hour_stay_few() -> None:
    said = "The node asks its peers for the block and waits until one of them has sent it. "
    cues = [Cue(20.0 * number, 20.0 * number + 20, said * 4, "AB"[number // 3 % 2]) for number in range(180)]
    words = sum(len(cue.text.split()) for cue in cues)
    assert len(passages("long", cues)) <= 3 * words / 60


def test_paragraphs_without_speakers_are_breaks_and_captions_are_not() -> None:
    paragraph = "One two three four five six seven eight nine ten eleven. " * 4
    long = passages("x", [Cue(0, 30, paragraph), Cue(30, 60, paragraph)])
    assert {passage.start for passage in long if passage.break_} == {0.0, 30.0}
    captions = [Cue(2.0 * number, 2.0 * number + 2, "one two three four five.") for number in range(40)]
    assert not any(passage.break_ for passage in passages("x", captions))


def test_a_unit_does_not_reach_over_a_silence() -> None:
    cues = [Cue(0, 4, "We are back after this."), Cue(64, 68, "Here is the honey."), Cue(70, 73, "It is dark.")]
    assert [unit.start for unit in passages("x", cues) if unit.grain == UNIT_WORDS] == [0.0, 64.0]


def test_nothing_said_gives_nothing_to_search() -> None:
    assert passages("x", []) == []
    assert passages("x", [Cue(0, 1, "  ")]) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.lists(st.sampled_from(["a.", "b", "c?", "dd"]), max_size=70),
                          st.sampled_from(["", "X", "Y"])), max_size=8))
def test_whatever_comes_all_words_are_in_units_in_order(parts: list[tuple[float, list[str], str]]) -> None:
    cues, at = [], 0.0
    for length, words, speaker in parts:
        cues.append(Cue(at, at + length, " ".join(words), speaker))
        at += length
    units = [passage for passage in passages("x", cues) if passage.grain == UNIT_WORDS]
    assert " ".join(unit.text for unit in units).split() == [word for _, words, _ in parts for word in words]
    assert [unit.start for unit in units] == sorted(unit.start for unit in units)
    assert all(unit.start <= unit.end for unit in units)
