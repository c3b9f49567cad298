# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of titles and names as the library files and looks them up."""

import re

_WORD = re.compile(r"\w+")


def search_text(*texts: str) -> str:
    """Texts as they are searched: their words, case folded, each behind a blank, by which its beginning is known."""
    return "".join(f" {word}" for text in texts for word in _WORD.findall(text.casefold()))


def wanted(query: str) -> list[str]:
    """The words that a person typed, case folded: something has to begin with each."""
    return _WORD.findall(query.casefold())


def name_words(name: str) -> list[str]:
    """The parts of a person's name, and the whole of it, case folded."""
    whole = name.casefold()
    return list(dict.fromkeys((whole, *whole.split())))
