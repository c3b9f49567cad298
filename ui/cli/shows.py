# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for one show: ``earmark shows``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ui.cli.base import json_option, library_of, print_json
from voice.errors import LibraryError

if TYPE_CHECKING:
    from ui.shows import ShowSettings


@click.command()
@click.argument("show", required=False)
@click.option("--speed", type=click.FloatRange(0.5, 3.0), help="How fast it is played.")
@click.option("--skip-intro", type=click.FloatRange(0, 600), metavar="SECONDS", help="Where its episodes begin.")
@click.option("--new/--no-new", "add", default=None, help="Whether a running server adds new episodes by itself.")
@click.option("--language", metavar="CODE", help="What is spoken in it, such as de; \"\" where it is to be found out.")
@click.option("--reset", is_flag=True, help="Treat it as any other show again.")
@json_option
@click.pass_context
def shows(
    ctx: click.Context, show: str | None, speed: float | None, skip_intro: float | None, add: bool | None,
    language: str | None, reset: bool, as_json: bool,
) -> None:
    """List the shows with what holds for each, or change it for one SHOW (its title)."""
    from ui.shows import ShowSettings, ShowSettingsStore

    given = {"speed": speed, "skip_intro": skip_intro, "add": add, "language": language}
    changes = {name: value for name, value in given.items() if value is not None}
    with library_of(ctx) as library:
        known = {one.name: one.episodes for one in library.shows() if one.name}
        kept = ShowSettingsStore.of(library)
        if show is None:
            if changes or reset:
                raise LibraryError("It is not said which show is meant.", "Name it: earmark shows TITLE --speed 1.25.")
            titles = list(known)
        else:
            titles = [title for title in known if title.casefold() == show.casefold()]
            if not titles:
                raise LibraryError(f"There is no show “{show}”.", "'earmark shows' lists them.")
            changed = (asdict(ShowSettings()) if reset else {}) | changes
            if changed:
                kept.set(titles[0], **changed)
        found = {title: kept.get(title) for title in titles}
    if as_json:
        print_json([{"show": title, "episodes": known[title], **asdict(one)} for title, one in found.items()])
        return
    for title, one in found.items():
        click.echo(f"{title}  ({known[title]} episodes){_told(one)}")
    if not found:
        click.echo("There are no shows yet. Add a feed with 'earmark add ADDRESS'.")


def _told(one: "ShowSettings") -> str:
    parts = [
        f"{one.speed:g} times" if one.speed else "", f"begins at {one.skip_intro:g} s" if one.skip_intro else "",
        "" if one.add else "nothing new by itself", one.language,
    ]
    return "".join(f"  {part}" for part in parts if part)
