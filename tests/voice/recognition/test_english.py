# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recogniser's language model knows of English."""

import pytest

from voice.recognition.english import usage


@pytest.mark.parametrize("word", ["wallet", "mechanism", "vacuum", "limitation", "information", "honey"])
def test_nouns(word: str) -> None:
    known = usage(word)
    assert known is not None
    assert known.is_noun


@pytest.mark.parametrize("word", ["beneficial", "annoying", "useful", "entering", "smaller", "ease", "trust", "full"])
def test_what_no_noun_phrase_ends_with(word: str) -> None:
    known = usage(word)
    assert known is not None
    assert not known.is_noun


def test_new_words_are_not_known_and_common_ones_are_common() -> None:
    assert usage("miniscript") is None
    often, seldom = usage("people"), usage("wallet")
    assert often is not None
    assert seldom is not None
    assert often.common > seldom.common > -16
