# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands about where the library is kept: migrate and copy."""

from pathlib import Path

import click
from msgspec.structs import replace

from ui.cli.base import settings_of
from voice.errors import LibraryError


@click.command()
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Make or update the tables of the database server in the settings. A library in the data folder needs no such
    command: it is brought up to date as it is opened.
    """
    from ui import storage

    settings = settings_of(ctx)
    steps = storage.migrate(settings)
    if not settings.database:
        click.echo(f"The library in {settings.data_dir} is up to date.")
    else:
        click.echo(f"Done, {steps} step{'s' * (steps != 1)}." if steps else "The tables are up to date.")


@click.command()
@click.option("--to", required=True, metavar="WHERE", help="A server (postgresql://…) or a folder; it has to be empty.")
@click.pass_context
def copy(ctx: click.Context, to: str) -> None:
    """Copy the library, its queue and its feeds to WHERE. The search index is made again there, as 'earmark serve'
    starts. Sound and pictures are copied to a folder; a server uses those that lie in the data folder.

    Let nobody work on the library meanwhile: stop 'earmark serve' and 'earmark work' first.
    """
    from episodes.store.copying import copy_files, copy_rows
    from ui import storage

    settings = settings_of(ctx)
    if to.startswith(("postgresql://", "postgres://")):
        target_settings = replace(settings, database=to)
        storage.migrate(target_settings)
    else:
        target_settings = replace(settings, database="", data_dir=Path(to).expanduser())
        if target_settings.data_dir.resolve() == settings.data_dir.resolve() and not settings.database:
            raise LibraryError("That is where the library is.", "Name another folder, or a server.")
    source, target = storage.open_library(settings), storage.open_library(target_settings)
    try:
        copied = copy_rows(source.database, target.database)
        files = copy_files(source.folder, target.folder)
    finally:
        source.close()
        target.close()
    click.echo(f"Copied {copied} episodes and {files} files.")
    where = "database" if target_settings.database else "data_dir"
    click.echo(f"Set {where} to it, then 'earmark serve' makes the search index.", err=True)
