# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that bring episodes in and out: add, sync, feeds, export, clip."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.cli import jobs
from ui.cli.base import json_option, library_of, opened_companion, print_json
from ui.settings import net_of
from voice.errors import EarmarkError, LibraryError, from_os_error
from voice.model import clock

if TYPE_CHECKING:
    from episodes.ingest.subscriptions import Subscription
    from episodes.model import Episode
    from episodes.sources.resolve import Gathered, Selection
    from ui.companion import Companion

EXPORTS = ("vtt", "srt", "json", "chapters", "soundbites", "markdown")


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option(
    "--latest",
    type=click.IntRange(min=0),
    metavar="N",
    help="Of a feed, the newest N [3 when nothing else is chosen; 0: all].",
)
@click.option("--since", default="", metavar="DATE", help="Of a feed, what came on DATE (2024-05-31) or later.")
@click.option("--match", default="", metavar="TEXT", help="Of a feed, episodes with TEXT in their title.")
@click.option("--wait/--no-wait", default=True, help="Follow it until it is ready, or leave it to the background.")
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    what: tuple[str, ...],
    latest: int | None,
    since: str,
    match: str,
    wait: bool,
    as_json: bool,
) -> None:
    """Take in WHAT: a file, a folder, the address of a recording, of a feed (RSS, Atom) or of a page that names one, or
    a list of feeds (OPML).

    A file is audio or video (a transcript of the same name beside it is used) or a transcript alone. A feed that was
    added is followed: 'earmark sync' brings what is new. A step that is done is not done again: after an interruption
    the same command goes on from there.
    """
    from episodes.ingest.subscriptions import take
    from episodes.sources.resolve import Selection
    from episodes.store.jobs import BY_HAND
    from ui import schemas
    from ui.shows import ShowSettingsStore

    choice = Selection(latest, since, match)
    added, failed = [], 0
    with opened_companion(ctx) as companion:
        known: set[str] = set()
        kept = ShowSettingsStore.of(companion.library)
        for ref in what:
            gathered = _gathered(companion, ref, choice, alone=len(what) == 1)
            failed += gathered is None
            if gathered is None:
                continue
            episodes = take(companion.library, gathered, match, BY_HAND)
            kept.tell_languages(companion.library, (episode for episode in episodes if not episode.ready))
            known |= {episode.id for episode in episodes if episode.ready}  # what was ready stays so
            if not wait:
                for episode in episodes:
                    added.append(schemas.episode_json(episode))
                    if not as_json:
                        click.echo(f"{episode.id}  {episode.title}  [{episode.status}]{_there(episode, known)}")
                    known.add(episode.id)
                continue
            for waiting in episodes:
                try:
                    (episode,) = jobs.take_in(companion, [waiting])
                except EarmarkError as error:
                    if len(episodes) == len(what) == 1:
                        raise
                    click.secho(f"{waiting.title}: {error}", err=True, fg="red")
                    failed += 1
                    continue
                added.append(schemas.episode_page_json(companion.library, episode))
                for remark in (step.reason for step in episode.steps if step.reason and episode.id not in known):
                    click.echo(remark, err=True)
                if not as_json:
                    click.echo(f"{episode.id}  {episode.title}  ({clock(episode.seconds)}){_there(episode, known)}")
                known.add(episode.id)
    if as_json:
        print_json(added)
    elif not wait:
        click.echo("'earmark serve' or 'earmark work' takes in what waits; 'earmark jobs' lists it.", err=True)
    if failed:
        raise LibraryError(f"{failed} could not be taken in; what could is there.", "Add the others again later.")


def _there(episode: "Episode", known: set[str]) -> str:
    """What is said behind an episode whose content was in the library before."""
    return "  was there already ('earmark remove' forgets it)" if episode.id in known else ""


def _gathered(companion: "Companion", ref: str, choice: "Selection", alone: bool) -> "Gathered | None":
    """What a reference stands for, with what is worth knowing of it on stderr; None when that is nothing."""
    from episodes.sources.addresses import without_password
    from episodes.sources.resolve import gather

    try:
        gathered = gather(ref, net_of(companion.settings), choice)
    except EarmarkError as error:
        if alone:
            raise
        click.secho(f"{without_password(ref)}: {error}", err=True, fg="red")
        return None
    for problem in gathered.problems:
        click.secho(problem, err=True, fg="yellow")
    for followed in gathered.feeds:
        every, chosen = len(followed.feed.entries), len(followed.chosen)
        more = f" of {every} ('--latest 0' for all)" if chosen < every else ""
        title = " ".join(followed.feed.title.split())
        silent = f" {followed.feed.posts} without sound left out." if followed.feed.posts else ""
        click.echo(f"{title}: {chosen}{more} episode{'s' * (every != 1)}.{silent}", err=True)
    return gathered


@click.command()
@click.argument("feed", required=False)
@click.option("--wait/--no-wait", default=False, help="Follow the new episodes until they are ready.")
@json_option
@click.pass_context
def sync(ctx: click.Context, feed: str | None, wait: bool, as_json: bool) -> None:
    """Look for new episodes in the feeds that are followed, or in one FEED (its address or title), and put them into
    the queue. A feed that did not change sends nothing.
    """
    from episodes.ingest.subscriptions import find_subscription, subscriptions
    from episodes.ingest.subscriptions import sync as synchronise
    from episodes.sources.addresses import without_password
    from ui.shows import ShowSettingsStore

    with opened_companion(ctx) as companion:
        library, net = companion.library, net_of(companion.settings)
        wanted = [find_subscription(library, feed)] if feed else subscriptions(library)
        kept = ShowSettingsStore.of(companion.library)
        results = []
        for subscription in wanted:
            found = synchronise(library, subscription, net)
            results.append(found)
            kept.tell_languages(library, found.episodes)
            if as_json:
                continue
            click.echo(f"{found.subscription.title}: {found.problem or f'{len(found.episodes)} new'}",
                       err=bool(found.problem))  # fmt: skip
            for episode in found.episodes:
                click.echo(f"  {episode.id}  {episode.title}")
            if found.remark:
                click.echo(f"  {found.remark}", err=True)
            for episode in found.again:
                click.echo(f"  {episode.id}  {episode.title}  (corrected by the feed, so it is tried again)")
        if as_json:
            print_json([
                {"feed": without_password(found.subscription.address), "title": found.subscription.title,
                 "problem": found.problem, "remark": found.remark,
                 "episodes": [episode.id for episode in found.episodes],
                 "again": [episode.id for episode in found.again]}
                for found in results
            ])  # fmt: skip
        new = [episode for found in results for episode in (*found.episodes, *found.again)]
        if not wanted and not as_json:
            click.echo("No feed is followed. Add one with 'earmark add ADDRESS'.")
        if wait and new:
            jobs.take_in(companion, new)
        elif new and not as_json:
            click.echo("'earmark serve' or 'earmark work' takes in what waits.", err=True)
    failed = sum(bool(found.problem) for found in results)
    if failed:
        raise LibraryError(f"{failed} of {len(results)} feeds could not be looked at.", "Try again later.")


@click.command()
@click.option("--forget", metavar="FEED", help="Follow this one no longer (its address or title); its episodes stay.")
@click.option("--opml", "as_opml", is_flag=True, help="Print them as OPML, for another podcast app.")
@json_option
@click.pass_context
def feeds(ctx: click.Context, forget: str | None, as_opml: bool, as_json: bool) -> None:
    """List the feeds that are followed, or forget one."""
    from episodes import export
    from episodes.ingest import subscriptions
    from episodes.sources.addresses import without_password

    with library_of(ctx) as library:
        if forget:
            click.echo(f"{subscriptions.forget(library, forget).title} is no longer followed.")
            return
        found = subscriptions.subscriptions(library)
    if as_opml:
        click.echo(export.opml([(one.title, one.address) for one in found]), nl=False)
        return
    if as_json:
        print_json([_feed_json(one) for one in found])
        return
    for one in found:
        only = f"  only “{one.match}”" if one.match else ""
        click.echo(f"{one.title}  {without_password(one.address)}  ({one.seen} seen){only}")
    if not found:
        click.echo("No feed is followed. Add one with 'earmark add ADDRESS'.")


def _feed_json(one: "Subscription") -> dict[str, object]:
    from episodes.sources.addresses import without_password

    return {"address": without_password(one.address), "title": one.title, "match": one.match, "seen": one.seen}


@click.command()
@click.argument("episode")
@click.option("--format", "form", type=click.Choice(EXPORTS), required=True, help="What to write.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file [the terminal].")
@click.pass_context
def export(ctx: click.Context, episode: str, form: str, output: Path | None) -> None:
    """Write an EPISODE in a standard format: captions (vtt, srt, json), chapters and soundbites as Podcasting 2.0
    knows them, or a text for people (markdown). Captions that were written can be taken in again.
    """
    from episodes.export import export as exported

    with library_of(ctx) as library:
        text = exported(library, library.episode(episode), form)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise from_os_error(error, f"write {output}") from error


class TimeParam(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A time in an episode: seconds ("75", "75.5") or as a clock shows it ("1:15", "1:02:03.5")."""

    name = "time"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; what is neither is a usage error."""
        from episodes.transcripts.chapters import seconds

        found = seconds(value)
        if found is None:
            self.fail(f"{value!r} is not a time. Write seconds (75) or a clock's time (1:15, 1:02:03).", param, ctx)
        return found


@click.command()
@click.argument("episode")
@click.argument("start", type=TimeParam())
@click.argument("end", type=TimeParam())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The file: .m4a (copied as it is), .mp3, .wav, .flac, .ogg or .opus.",
)
@click.pass_context
def clip(ctx: click.Context, episode: str, start: float, end: float, output: Path) -> None:
    """Cut the sound of an EPISODE from START to END into a file of its own. Times are seconds (75) or as a clock shows
    them (1:15, 1:02:03).
    """
    from episodes.media.clips import save_clip

    with library_of(ctx) as library:
        found = library.episode(episode)
        audio = library.audio_path(found)
        if audio is None or not audio.exists():
            raise LibraryError(
                f"“{found.title}” has no audio to cut ({found.status}).",
                "Add its recording, or wait until it is ready.",
            )
        if end <= start:
            raise LibraryError(
                f"A clip cannot end at {clock(end)} when it starts at {clock(start)}.",
                "Give the start first, then the end.",
            )
        if start >= found.seconds:
            raise LibraryError(
                f"“{found.title}” ends at {clock(found.seconds)}, before {clock(start)}.",
                "Choose times inside the episode.",
            )
        end = min(end, found.seconds)
        save_clip(audio, output, start, end, f"{found.title}, {clock(start)}")
    click.echo(f"{output}  {clock(start)} to {clock(end)} of {found.title}")
