# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands about the work of taking in: follow it, do it, stop it, and begin it again."""

import os
import signal
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ui.cli.base import json_option, library_of, print_json, settings_of
from voice.errors import EarmarkError, LibraryError
from voice.model import clock

if TYPE_CHECKING:
    from episodes.model import Episode
    from ui.companion import Companion


MOST_JOBS_LISTED = 40
"""Jobs of each state that are listed."""


def take_in(companion: "Companion", episodes: "Sequence[Episode]") -> "list[Episode]":
    """Take in episodes that are in the queue, one after another, with progress on the terminal; returns those that are
    ready.

    A running server does it, since its models are warm; else this process does. One that fails is said, and the others
    go on. Ctrl-C says how to go on.
    """
    from episodes.ingest.status import eta_of
    from episodes.ingest.worker import bring_in
    from episodes.store.jobs import Queue
    from ui.cli import client
    from ui.cli.progress import steps_on_terminal

    library, ready, failed = companion.library, [], []

    def served() -> bool:
        return client.running(companion.settings.own_dir) is not None

    at = None
    before = signal.getsignal(signal.SIGINT)
    on_main = threading.current_thread() is threading.main_thread()
    if on_main:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        for at in episodes:
            try:
                with steps_on_terminal(
                    at.title, lambda episode: eta_of(library, episode.id, library.database.now())
                ) as on_step:
                    ready.append(bring_in(library, at, companion.tools, on_step, served))
            except EarmarkError as error:
                if len(episodes) == 1:
                    raise
                failed.append(at)
                click.secho(f"{at.title}: {error}", err=True, fg="red")
    except KeyboardInterrupt:
        job = Queue(library.database).job(at.id) if at is not None else None
        if job is not None and job.worker:
            click.echo(f"\nIt goes on in the background; 'earmark cancel {job.episode_id}' stops it.", err=True)
        else:
            click.echo("\nStopped. What was finished is kept. The same command goes on from there, and so does"
                       " 'earmark work' or 'earmark serve'.", err=True)  # fmt: skip
            if job is not None:
                click.echo(f"To forget it: earmark remove {job.episode_id}", err=True)
        click.get_current_context().exit(130)
    finally:
        if on_main:
            signal.signal(signal.SIGINT, before)
    if failed:
        raise LibraryError(f"{len(failed)} of {len(episodes)} were not taken in.", "'earmark jobs' says why.")
    return ready


def _interrupt(number: int, frame: object) -> None:
    """Ctrl-C: the first stops the work in good order, a second one while it stops leaves at once."""
    signal.signal(number, lambda *_: os._exit(130))  # all that is done is stored, and a lease runs out by itself
    raise KeyboardInterrupt


@click.command()
@click.option("--most", type=click.IntRange(min=1), default=MOST_JOBS_LISTED, metavar="N", show_default=True,
              help="At most so many that run, wait, were cancelled and failed.")
@json_option
@click.pass_context
def jobs(ctx: click.Context, most: int, as_json: bool) -> None:
    """List what is being taken in: how far it is, how long it takes, and why it failed."""
    from episodes.ingest.status import in_words, outlook
    from episodes.store.jobs import Queue
    from ui import schemas

    with library_of(ctx) as library:
        found = outlook(library, library.database.now(), most)
        if as_json:
            print_json([schemas.work_json(work) for work in found])
            return
        episodes = library.some(work.episode_id for work in found)
        for work in found:
            episode = episodes.get(work.episode_id)
            if episode is None:  # it was removed meanwhile
                continue
            left = "" if work.eta is None else f", ready in {in_words(work.eta)}"
            about = f"{work.title} ({clock(episode.seconds)})" if episode.seconds else work.title
            click.echo(f"{work.episode_id}  {about}  [{episode.status}{left}]")
        more = sum(Queue(library.database).counts().values()) - len(found)
    if not found:
        click.echo("There is nothing to do.")
    elif more > 0:
        click.echo(f"{more} more; --most shows more of each state.", err=True)


@click.command()
@click.argument("episode")
@click.pass_context
def cancel(ctx: click.Context, episode: str) -> None:
    """Stop taking in an EPISODE, or keep it from being begun. What is finished is kept for 'earmark retry'."""
    from episodes.ingest import worker

    with library_of(ctx) as library:
        found = library.episode(episode)
        worker.cancel(library, found)
    click.echo(f"Cancelled {found.title}. To go on: earmark retry {found.id}. To forget it: earmark remove {found.id}.")


@click.command()
@click.argument("episode")
@click.option("--wait/--no-wait", default=True, help="Follow it until it is ready, or leave it to the background.")
@click.pass_context
def retry(ctx: click.Context, episode: str, wait: bool) -> None:
    """Go on with an EPISODE that failed or was cancelled, after its last finished piece."""
    from episodes.ingest import worker
    from ui.companion import Companion

    if not wait:
        with library_of(ctx) as library:
            found = worker.retry(library, library.episode(episode))
        click.echo(f"{found.title} waits for 'earmark serve' or 'earmark work'.")
        return
    companion = Companion(settings_of(ctx))
    try:
        found = worker.retry(companion.library, companion.library.episode(episode))
        for ready in take_in(companion, [found]):
            click.echo(f"{ready.id}  {ready.title}  ({clock(ready.seconds)})")
    finally:
        companion.close()


@click.command()
@click.option("--idle", type=click.FloatRange(min=0), help="Stop after so many seconds with nothing to do [never].")
@click.option("--concurrency", type=click.IntRange(1, 64), default=1, metavar="N", show_default=True,
              help="So many at the same time, each in a process of its own.")
@click.pass_context
def work(ctx: click.Context, idle: float | None, concurrency: int) -> None:
    """Take in what waits, until Ctrl-C. 'earmark serve' starts one of these when there is something to do."""
    from episodes.ingest import worker
    from ui.companion import Companion
    from ui.json_logs import log_as_json
    from ui.worker_supervisor import begin, yield_to_listeners

    stopping = threading.Event()

    def stop(number: int, frame: object) -> None:
        if stopping.is_set() and number == signal.SIGINT:  # asked twice: the lease runs out, and another goes on
            raise KeyboardInterrupt
        stopping.set()
        if number == signal.SIGINT:
            click.echo("\nStopping after the piece at hand. Ctrl-C again stops at once.", err=True)

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    settings = settings_of(ctx)
    if settings.log == "json":
        log_as_json()
    others = [begin(settings, idle) for _ in range(concurrency - 1)]
    yield_to_listeners()
    companion = Companion(settings)
    try:
        worker.run(companion.library, companion.tools, stopping, idle)
    finally:
        if stopping.is_set():
            for other in others:
                other.terminate()
        companion.close()
        for other in others:
            other.wait()
