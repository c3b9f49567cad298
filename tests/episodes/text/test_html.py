# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML as plain text, with the addresses of its links where they are wanted."""

from episodes.text.html import plain_text

NOTES = (
    '<p>See <a href="https://example.org/paper">the paper</a> and <a href="https://example.com/">example.com</a>,'
    ' <a href="javascript:alert(1)">not this</a>.</p><ul><li><a href="https://example.net/a?b=1&amp;c=2"><b>One</b></a>'
    "<li>Two</ul>"
)


def test_links_stand_behind_their_words_where_they_are_wanted():
    assert plain_text(NOTES, links=True).splitlines() == [
        "See the paper (https://example.org/paper) and example.com, not this.", "One (https://example.net/a?b=1&c=2)",
        "Two",
    ]  # fmt: skip
    assert plain_text(NOTES).splitlines()[1] == "One"
