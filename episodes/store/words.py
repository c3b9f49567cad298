# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of titles and names as the library files and looks them up."""

import re

_WORD = re.compile(r"\w+")
_LEAST = 3  # letters that can be looked for inside a word; fewer are the beginning of one


def searched(*texts: str) -> str:
    """Texts as they are searched: their words, case folded, each behind two blanks, so that the beginning of a word
    can be told from its middle."""
    return "".join(f"  {word}" for text in texts for word in _WORD.findall(text.casefold()))


def wanted(query: str) -> list[str]:
    """What has to stand in ``searched`` texts for what a person typed: its words anywhere, single letters and pairs at
    the beginning of a word."""
    return [word if len(word) >= _LEAST else f"  {word}" for word in _WORD.findall(query.casefold())]


def name_words(name: str) -> list[str]:
    """The parts of a person's name, and the whole of it, case folded."""
    whole = name.casefold()
    return list(dict.fromkeys((whole, *whole.split())))
