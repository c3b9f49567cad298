# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands share: the settings, the library, what answers, and JSON on stdout."""

import contextlib
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

import click

from ui import settings
from ui.settings import Settings
from voice.plain_text import harmless

if TYPE_CHECKING:
    from episodes.store.library import Library
    from ui.cli.client import Server
    from ui.companion import Companion

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def settings_of(ctx: click.Context, **flags: Any) -> Settings:
    """The settings in force for this command."""
    return settings.load(**ctx.obj, **flags)


@contextlib.contextmanager
def library_of(ctx: click.Context) -> "Iterator[Library]":
    """The library alone: no engine, so that it opens at once."""
    from ui.storage import open_library

    library = open_library(settings_of(ctx))
    try:
        yield library
    finally:
        library.close()


@contextlib.contextmanager
def opened_companion(ctx: click.Context, **flags: Any) -> "Iterator[Companion]":
    """A companion of this process; its engines load when they are first needed."""
    from ui.cli.progress import bar
    from ui.companion import Companion

    companion = Companion(settings_of(ctx, **flags))
    companion.engines.bar = bar
    try:
        yield companion
    finally:
        companion.close()


@contextlib.contextmanager
def answering(settings: Settings, *roles: str) -> "Iterator[Companion | Server]":
    """What asks, hears and speaks: the running server, or a companion of this process, which fetches the models that
    the settings name for these ``roles``."""
    from ui.cli import client

    server = client.running(settings.own_dir)
    if server is not None:
        yield server
        return
    from ui.cli.progress import bar
    from ui.companion import Companion

    companion = Companion(settings)
    try:
        companion.engines.bar = bar
        companion.engines.fetch_wanted(*roles)
        companion.mend_index()
        yield companion
    finally:
        companion.close()


@contextlib.contextmanager
def plain_output() -> Iterator[None]:
    """Inside, nothing that is printed can act on the terminal but by its colours, wherever the text came from."""
    before = sys.stdout
    sys.stdout = _Plain(before)
    try:
        yield
    finally:
        sys.stdout = before


class _Plain:
    """A text stream that lets colours through, and no other control sequence."""

    _COLOUR = re.compile(r"(\x1b\[[0-9;]{0,20}m)")

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what is harmless of a text; its whole length counts as written."""
        parts = self._COLOUR.split(text) if "\x1b" in text else [text]
        self._stream.write("".join(part if number % 2 else harmless(part) for number, part in enumerate(parts)))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def print_json_list(rows: Iterable[Any]) -> None:
    """A JSON list on stdout, its elements as they come: it may be long."""
    between = "["
    for row in rows:
        click.echo(f"{between}\n{textwrap.indent(json.dumps(row, indent=2, ensure_ascii=False), '  ')}", nl=False)
        between = ","
    click.echo("[]" if between == "[" else "\n]")


def print_json(data: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
