# SPDX-License-Identifier: GPL-3.0-or-later
"""What every reader of a transcript hands on: entries as they stand in the file, with or without good times."""

import html
import re
from dataclasses import dataclass

from episodes.text.links import without_links
from voice.model import Word

USUAL = 15.0
"""Characters a second of ordinary talk."""

GENERATOR = "Earmark"
"""What a transcript says that was written here: its cues are to be taken as they are."""

_ELEMENTS = (
    "a|abbr|b|big|blockquote|br|c|center|cite|code|div|em|font|h[1-6]|hr|i|img|ins|lang|li|mark|ol|p|pre|q|rp|rt|ruby|s|"
    "script|section|small|span|strike|strong|style|sub|sup|svg|table|tbody|td|th|tr|tt|u|ul|v|video|audio|time|iframe"
)
_TAG = re.compile(
    rf"</?(?:{_ELEMENTS})(?=[\s/>.:])[^<>]{{0,300}}>|<[\d:.]{{3,16}}>|\{{\\[^{{}}]{{0,100}}\}}", re.IGNORECASE
)
_NAMED_SIGN = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


@dataclass(frozen=True, slots=True)
class Entry:
    """One timed entry of a file: ``start`` and ``end`` in seconds as written (None where there is none, or none that
    can be read), its ``lines`` still with their markup, and what the form itself says of speaker and words."""

    start: float | None
    end: float | None
    lines: tuple[str, ...]
    speaker: str = ""
    words: tuple[Word, ...] = ()

    @property
    def text(self) -> str:
        """What is said, as plain text."""
        return without_markup(" ".join(self.lines))


def without_markup(text: str) -> str:
    """Text without markup: tags gone, links as their texts, entities resolved, white space single, control characters
    dropped.

    Only what is named like an element is a tag: "3 < 4 and 5 > 4" and "The <dance>" stay as they are.
    """
    bare = text
    if "<" in bare or "{" in bare:
        bare = _TAG.sub(_gap, bare)
    if "&" in bare:
        bare = unescaped(bare)
    bare = without_links(bare)
    return " ".join("".join(char if char.isprintable() or char.isspace() else "" for char in bare).split())


def unescaped(text: str) -> str:
    """Text with its entities resolved, those that stand complete only: "R&D", "AT&T" and "?a=1&lt=2" are none."""
    return _NAMED_SIGN.sub(lambda match: html.unescape(match.group()), text)


def _gap(match: re.Match[str]) -> str:
    """What stands for a tag: a blank where a new line or block begins."""
    return " " if match.group()[:3].lower() in ("<br", "<p>", "<p ", "</p", "<li", "</l", "<di", "</d", "<hr") else ""
