# SPDX-License-Identifier: GPL-3.0-or-later
"""Links as Markdown writes them: people say their text, never their address."""

import re

_LINK = re.compile(
    r"!?\[([^\[\]\n]{1,200})\]\(\s{0,9}<?(?:https?:|www\.|mailto:|/|#)[^\s()<>]{0,500}"
    r"(?:\([^\s()]{0,100}\)[^\s()]{0,200})?"
    r"(?:\s\"[^\"\n]{0,200}\")?>?\s{0,9}\)"
)


def without_links(text: str) -> str:
    """Text in which each Markdown link is its text alone: "[our site](https://a.b/?x)" → "our site"."""
    return _LINK.sub(r"\1", text) if "](" in text else text
