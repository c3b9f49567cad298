# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line prints cannot act on the terminal."""

import io
import sys

import click

from ui.cli.base import plain_output


def test_nothing_but_colours_reaches_the_terminal(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    with plain_output():
        print("\x1b]0;owned\x07Talk\x1b[2J \x9b1A\u202e")
        click.echo(click.style("bold", bold=True), color=True)
        sys.stdout.flush()
    said = out.getvalue()
    assert sys.stdout is out
    assert "Talk" in said
    assert "\x1b[1mbold\x1b[0m" in said
    for sequence in ("\x1b]", "\x07", "\x1b[2J", "\x9b", "\u202e"):
        assert sequence not in said
