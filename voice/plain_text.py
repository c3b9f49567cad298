# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside made harmless: no control characters, no invisible ones that turn text around, and an end.

Titles, names and messages come from feeds, files and servers. In a terminal an escape sequence among them would move
the cursor, set the window's title or write to the clipboard; a bidirectional override would show other words than
those that are there.
"""

import unicodedata

LONGEST_NAME = 500
"""Characters of a title, a name or another line."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_SPARED = frozenset("\n\t")


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """A text as one line of printable characters, cut to ``longest`` characters at most (with … in that case)."""
    shown = " ".join("".join(c if _harmless(c) else " " for c in text[: 4 * longest]).split())
    return shown if len(shown) <= longest else shown[: longest - 1].rstrip() + "…"


def harmless(text: str) -> str:
    """A text of any number of lines without what a terminal would act on; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in _SPARED or _harmless(c) else "" for c in text)


def _harmless(character: str) -> bool:
    if character in _TURNING:
        return False
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
