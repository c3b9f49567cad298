# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences and their times."""

from hypothesis import given, settings
from hypothesis import strategies as st

from episodes.text.sentences import sentences
from voice.model import Cue, Word


def test_a_sentence_runs_over_captions_and_a_caption_holds_several() -> None:
    lines = sentences([
        Cue(0.0, 2.0, "Hello there. This one"),
        Cue(2.0, 4.0, "goes on to here. And the"),
        Cue(4.0, 5.0, "last."),
    ])
    assert [line.text for line in lines] == ["Hello there.", "This one goes on to here.", "And the last."]
    assert lines[0].start == 0.0
    assert 1.0 < lines[1].start < 1.4  # "This" is the 14th of 21 characters of the first two seconds
    assert lines[2].end == 5.0
    assert [line.turn_start for line in lines] == [True, False, False]


def test_speakers_end_a_sentence_and_begin_a_turn() -> None:
    lines = sentences([Cue(0, 1, "and so", "Ann"), Cue(1, 2, "Exactly. Yes.", "Bob"), Cue(2, 3, "well", "Ann")])
    assert [(line.speaker, line.text, line.turn_start) for line in lines] == [
        ("Ann", "and so", True), ("Bob", "Exactly.", True), ("Bob", "Yes.", False), ("Ann", "well", True),
    ]  # fmt: skip


def test_words_give_the_times() -> None:
    words = (Word(10.0, 10.2, " One."), Word(14.0, 14.5, " Two"), Word(14.6, 15.0, " three."))
    lines = sentences([Cue(10.0, 15.0, "One. Two three.", words=words)])
    assert [(line.start, line.end) for line in lines] == [(10.0, 10.2), (14.0, 15.0)]


def test_abbreviations_initials_and_ellipses_do_not_end_a_sentence() -> None:
    text = "Dr. J. R. Smith met e.g. Mr. Jones at 3.5 p.m. in the U.S. Congress... and left. Then? Yes!"
    assert [line.text for line in sentences([Cue(0, 9, text)])] == [
        "Dr. J. R. Smith met e.g. Mr. Jones at 3.5 p.m. in the U.S. Congress... and left.", "Then?", "Yes!",
    ]  # fmt: skip


def test_text_without_capitals_still_has_sentences() -> None:
    assert [line.text for line in sentences([Cue(0, 3, "so it begins. now what? we see.")])] == [
        "so it begins.", "now what?", "we see.",
    ]  # fmt: skip


def test_without_punctuation_pauses_break_the_text() -> None:
    words, at = [], 0.0
    for number in range(200):
        at += 1.0 if number % 25 == 0 else 0.0
        words.append(Word(at, at + 0.3, f"word{number}"))
        at += 0.3
    text = " ".join(word.text for word in words)
    lines = sentences([Cue(words[0].start, words[-1].end, text, words=tuple(words))])
    assert max(len(line.text.split()) for line in lines) <= 60
    assert all(int(line.text.split()[0][4:]) % 25 == 0 for line in lines)
    assert " ".join(line.text for line in lines) == text


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 20), st.text("ab .!?…A,'\"\n", max_size=400), st.sampled_from(["", "X", "Y"])),
                max_size=8))
def test_nothing_is_lost_and_no_sentence_ends_before_it_starts(parts: list[tuple[float, str, str]]) -> None:
    cues, at = [], 0.0
    for length, text, speaker in parts:
        cues.append(Cue(at, at + length, text, speaker))
        at += length
    lines = sentences(cues)
    assert " ".join(line.text for line in lines).split() == " ".join(cue.text for cue in cues).split()
    assert all(line.text == line.text.strip() != "" for line in lines)
    assert all(0 <= line.start <= line.end <= at + 0.01 for line in lines)
    assert [line.start for line in lines] == sorted(line.start for line in lines)
