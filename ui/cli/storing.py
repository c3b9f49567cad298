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
    from contextlib import closing

    from ui import storage
    from ui.shows import ShowSettingsStore

    settings = settings_of(ctx)
    steps = storage.migrate_tables(settings)
    if steps and settings.database and settings.data_dir.is_dir():
        # earlier versions had what holds for shows in the data folder, also where there was a server
        with closing(storage.Storage(settings)) as now:
            ShowSettingsStore(settings.data_dir).copy_to(ShowSettingsStore.of(now.library))
    if not settings.database:
        click.echo(f"The library in {settings.data_dir} is up to date.")
    else:
        click.echo(f"Done, {steps} step{'s' * (steps != 1)}." if steps else "The tables are up to date.")


@click.command()
@click.option("--to", required=True, metavar="WHERE", help="A server (postgresql://…) or a folder; it has to be empty.")
@click.pass_context
def copy(ctx: click.Context, to: str) -> None:
    """Copy the library to WHERE: its queue, its feeds, its search index, and what listeners keep. Sound and pictures
    are copied to a folder; a server uses those that lie in the data folder.

    Let nobody work on the library meanwhile: stop 'earmark serve' and 'earmark work' first.
    """
    from contextlib import closing

    from episodes.store.copying import copy_files, copy_rows
    from retrieval.index.copy_indexed import copy_indexed
    from ui import storage
    from ui.cli.progress import bar
    from ui.home.gpodder import PodcastApps
    from ui.indexes import index_title
    from ui.listener_data import ListenerData
    from ui.listener_database import ListenerDatabase
    from ui.positions import PlaybackPositions
    from ui.shows import ShowSettingsStore

    settings = settings_of(ctx)
    if to.startswith(("postgresql://", "postgres://")):
        target_settings = replace(settings, database=to)
        storage.migrate_tables(target_settings)
    else:
        target_settings = replace(settings, database="", data_dir=Path(to).expanduser())
        if target_settings.data_dir.resolve() == settings.data_dir.resolve() and not settings.database:
            raise LibraryError("That is where the library is.", "Name another folder, or a server.")
    with closing(storage.Storage(settings)) as source, closing(storage.Storage(target_settings)) as target:
        copied = copy_rows(source.library.database, target.library.database)
        for kind in (PlaybackPositions, ListenerData, PodcastApps, ShowSettingsStore):
            of_people: ListenerDatabase = kind(settings.data_dir, server=source.server)
            of_people.copy_to(kind(target_settings.data_dir, server=target.server))
        files = copy_files(source.library.files, target.library.files)
        indexed = 0
        with closing(source.index()) as ours, closing(target.index()) as theirs, bar("search index") as told:
            for number, episode in enumerate(target.library.walk()):
                cues = target.library.cues(episode.id)
                indexed += copy_indexed(ours, theirs, episode, cues, index_title(episode))
                told(number / copied)
    click.echo(f"Copied {copied} episodes, {indexed} of them with their search index, and {files} files.")
    where = "database" if target_settings.database else "data_dir"
    click.echo(f"Set {where} to it. What the search index lacks, 'earmark serve' makes.", err=True)
