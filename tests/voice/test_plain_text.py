# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, made harmless."""

import pytest

from voice.plain_text import harmless, one_line


@pytest.mark.parametrize("text", [
    "\x1b]0;owned\x07Talk", "\x9b2JTalk", "Ta\x00lk", "\u202eTalk", "\x1b[31mTalk", "Talk\r",
])  # fmt: skip
def test_nothing_that_a_terminal_acts_on_is_left(text):
    for made in (one_line(text), harmless(text)):
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in made)
        assert "lk" in made


def test_what_people_write_stays():
    for text in ("Q&A — “über” 日本語 👩‍🚀 שלום", "naïve"):
        assert one_line(text) == harmless(text) == text
    assert harmless("one\n\ttwo") == "one\n\ttwo"
    assert one_line(" one \n two\t") == "one two"


def test_it_has_an_end():
    assert len(one_line("x" * 1_000_000)) == 500
    assert one_line("word " * 1000).endswith("…")
