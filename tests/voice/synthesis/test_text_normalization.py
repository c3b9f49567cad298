# SPDX-License-Identifier: GPL-3.0-or-later
"""Written text and what is said for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.synthesis.text_normalization import FIRST, MOST_CHARACTERS, speakable, speech_pieces


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("at 12:34 they say", "at 12 minutes 34 they say"),
        ("1:02:03", "1 hour 2 minutes 3"),
        ("from 12:05-13:00", "from 12 minutes 5 to 13 minutes"),
        ("0:45", "45 seconds"),
        ("1:00:01", "1 hour 1 second"),
        ("2:00:00", "2 hours"),
        ("0:00", "the beginning"),
        ("at 9:05 am", "at 9 oh 5 am"),
        ("at 10:00 pm", "at 10 pm"),
        ("won 3:2", "won 3:2"),
        ("published 2024-03-05.", "published March 5, 2024."),
        ("no date: 2024-13-05, 12024-03-05", "no date: 2024-13-05, 12024-03-05"),
        ("**bold** and `code` and _slanted_", "bold and code and slanted"),
        ("snake_case, 2*3", "snake_case, 2*3"),
        ("[the site](https://example.org/a) and https://www.example.org/b?c=d.", "the site and example.org."),
        ("# Title\n\n* one\n* two\n\nlines that\nare wrapped.", "Title. one. two. lines that are wrapped."),
        ("a <b>tag</b>\x07 and \u200bzero", "a tag and zero"),
        ("𝐛𝐨𝐥𝐝 ﬁne", "bold fine"),
        ("hi 👋🏽 there 🎉", "hi there"),
        ("half a surrogate \ud83c", "half a surrogate"),
        ("raw [[həlˈoʊ]]", "raw həlˈoʊ"),
    ],
)
def test_what_is_written_becomes_what_is_said(written: str, said: str) -> None:
    assert speakable(written) == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ... 🎉 — !", []),
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. A. B. Smith came. They spoke, e.g. of 3.5.", ["Dr. A. B. Smith came.", "They spoke, e.g. of 3.5."]),
        ('He said "yes." Then he left.', ['He said "yes."', "Then he left."]),
    ],
)
def test_sentences_come_one_by_one(text: str, expected: list[str]) -> None:
    assert list(speech_pieces(text)) == expected


def test_a_long_first_sentence_gives_its_first_clause_away_and_later_ones_do_not() -> None:
    long = "When the apprentice came back from the mill, " + "the master asked what he had seen there " * 2 + "and why."
    first, rest, again = speech_pieces(f"{long} {long}")
    assert first == "When the apprentice came back from the mill," and rest.startswith("the master")
    assert again == long
    assert list(speech_pieces("Short, and so whole.")) == ["Short, and so whole."]


def test_a_first_sentence_without_a_comma_is_divided_where_its_next_clause_begins() -> None:
    text = "The simulations of many agents show that cooperation is a matter of where you draw the edge."
    first, rest = speech_pieces(text)
    assert first == "The simulations of many agents show," and rest.startswith("that cooperation")


def test_a_first_sentence_without_an_early_clause_stays_whole() -> None:
    text = "the master asked what he had seen there " * 3 + "today."
    assert list(speech_pieces(text)) == [text] and len(text) > FIRST


@given(st.text() | st.text("ab,; .!?\n", min_size=200, max_size=900))
def test_any_text_gives_bounded_pieces(text: str) -> None:
    for piece in speech_pieces(text):
        assert 0 < len(piece) <= MOST_CHARACTERS + 1 and any(letter.isalnum() for letter in piece)


@given(st.lists(st.sampled_from(["word", "other", "third,", "end.", "so?"]), max_size=200))
def test_no_word_is_lost(words: list[str]) -> None:
    assert " ".join(speech_pieces(" ".join(words))).split() == words
