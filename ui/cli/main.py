# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``earmark`` command.

click was chosen because it knows options whose value may be left out (``--speak [out.wav]``), and starts fast.
"""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.cli import episodes, jobs, listen, shows, storing
from ui.cli.base import (
    answering,
    json_option,
    library_of,
    opened_companion,
    plain_output,
    print_json,
    print_json_list,
    settings_of,
)  # fmt: skip
from voice.errors import EarmarkError, EngineError, HearingError
from voice.model import clock
from voice.plain_text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrieval.model import Answer, Sentence

FAILED = 1
INTERRUPTED = 130


class Commands(click.Group):
    """The commands in the order in which one needs them; what a person can mend is said in a sentence or two."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of definition, not of the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an EarmarkError becomes its text on stderr and exit code 1."""
        try:
            with plain_output():
                return super().invoke(ctx)
        except EarmarkError as error:
            click.secho(f"earmark: {harmless(error.message)}", err=True, fg="red")
            if error.hint:
                click.echo(harmless(error.hint), err=True)
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            click.echo("\nStopped. What was finished is kept; the same command goes on from there.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="earmark")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the library (EARMARK_DATA_DIR).")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is going on.")
@click.pass_context
def main(ctx: click.Context, data_dir: Path | None, verbose: bool) -> None:
    """Ask your podcasts out loud; hear the answer; land on the moment.

    \b
    earmark serve                          open the page, with a demo episode on the first start
    earmark add interview.mp3              take in an episode (a transcript beside it is used)
    earmark add https://…/feed.xml         take in the newest of a podcast; 'earmark sync' brings what is new
    earmark ask "Why do bees dance?"       ask the whole library, or one --episode
    earmark listen                         play an episode and talk with it, without a screen
    earmark doctor                         what is there, and what to do about what is not

    Settings: a TOML file (see 'earmark doctor' for where), then EARMARK_* variables, then options.
    """
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("earmark").setLevel(logging.DEBUG if verbose else logging.INFO)
    ctx.obj = {"data_dir": data_dir}


@main.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 is this machine only.")
@click.option("--port", type=int, help="Port to listen on [7860].")
@click.option("--open/--no-open", "open_page", default=None, help="Show it in the browser [if there is a screen].")
@click.option("--anyone", is_flag=True, default=None, help="Let everybody in who can reach it, without a password.")
@click.option("--tls-cert", help="Certificate (PEM) for https, which the microphone needs on other machines.")
@click.option("--tls-key", help="Key (PEM) of the certificate.")
@click.pass_context
def serve(
    ctx: click.Context, host: str | None, port: int | None, open_page: bool | None, anyone: bool | None,
    tls_cert: str | None, tls_key: str | None,
) -> None:
    """Serve the page until Ctrl-C. The first start adds the demo episode.

    On an address that others can reach it wants EARMARK_AUTH='name:password' first, or --anyone.
    """
    from ui.listen.listening_state import bookmarked
    from ui.web import server

    flags = {"host": host, "port": port, "anyone": anyone, "tls_cert": tls_cert, "tls_key": tls_key}
    settings = settings_of(ctx, **flags)
    server.serve(settings, open_page, lambda: bookmarked(settings.data_dir))


for command in (
    episodes.add, episodes.sync, episodes.feeds, shows.shows,
    listen.listen, listen.devices, listen.service,
    jobs.jobs, jobs.cancel, jobs.retry, jobs.work, storing.migrate, storing.copy,
):  # fmt: skip
    main.add_command(command)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what lets a SHELL complete the commands: add 'eval "$(earmark completion bash)"' to ~/.bashrc."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell} is not known here.")
    click.echo(found(main, {}, "earmark", "_EARMARK_COMPLETE").source())


@main.command("list")
@click.option("--match", default="", metavar="TEXT", help="Only those with these words in title, show or guests.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many [all].")
@json_option
@click.pass_context
def list_(ctx: click.Context, match: str, limit: int | None, as_json: bool) -> None:
    """List the episodes of the library, newest first: by the day they were published, else by when they came in."""
    from episodes.store.catalogue import Order
    from ui import schemas

    with library_of(ctx) as library:
        order = Order.PUBLISHED
        found = library.page(limit, query=match, order=order) if limit is not None else library.walk(order, match)
        if as_json:
            print_json_list(schemas.episode_json(episode) for episode in found)
            return
        listed = 0
        for listed, episode in enumerate(found, 1):  # noqa: B007
            about = " · ".join(part for part in (episode.title, episode.show, clock(episode.seconds)) if part)
            click.echo(f"{episode.id}  {about}  [{episode.status}]")
        if listed == limit and (every := library.count(match)) > listed:
            click.echo(f"These are the first {listed} of {every}.", err=True)
    if not listed and match:
        click.echo(f"No episode has “{match}” in its title, show or guests.")
    elif not listed:
        click.echo("No episodes yet. Add one with 'earmark add FILE', or start 'earmark serve' for the demo.")


@main.command()
@click.argument("episode")
@json_option
@click.pass_context
def show(ctx: click.Context, episode: str, as_json: bool) -> None:
    """Show one EPISODE (its id, the beginning of it, or its title): summary, topics and questions to ask."""
    from ui import schemas

    with library_of(ctx) as library:
        page = schemas.episode_page_json(library, library.episode(episode))
    if as_json:
        print_json(page)
        return
    click.secho(page["title"], bold=True)
    about = [page["show"], ", ".join(page["guests"]), page["published"], clock(page["seconds"]), page["status"]]
    click.echo(" · ".join(part for part in about if part))
    for text in (page["teaser"], page["summary"]):
        if text:
            click.echo("\n" + text)
    if page["segments"]:
        click.echo("\nTopics")
    for segment in page["segments"]:
        click.echo(f"  {clock(segment['start']):>8}  {segment['title']}")
    if page["questions"]:
        click.echo("\nTry asking")
    for question in page["questions"]:
        click.echo(f"  {question}")


@main.command()
@click.argument("question", required=False)
@click.option("--episode", help="Ask one episode: its id, the beginning of it, or its title.")
@click.option("--audio", type=click.Path(path_type=Path), help="The question as a recording instead of text.")
@click.option("--speak", is_flag=False, flag_value="-", metavar="[OUT.WAV]",
              help="Read the answer aloud, or into a WAV file.")
@json_option
@click.pass_context
def ask(
    ctx: click.Context, question: str | None, episode: str | None, audio: Path | None, speak: str | None, as_json: bool
) -> None:
    """Ask a QUESTION and get the answer in the speakers' own words, with the times.

    A running 'earmark serve' is used when there is one; without it the models load first, which takes seconds.
    """
    from retrieval.model import Question
    from ui import schemas

    if question is None and audio is None and speak not in (None, "-") and not speak.lower().endswith(".wav"):
        question, speak = speak, "-"  # ask --speak "why?": the words are the question
    if (question is None) == (audio is None):
        raise click.UsageError("Give a question in quotes, or a recording with --audio FILE (one of the two).")
    settings = settings_of(ctx)
    roles = [role for role, needed in (("hearing", audio), ("speaking", speak)) if needed]
    episode_id = None
    if episode:
        with library_of(ctx) as library:
            episode_id = library.resolve(episode)
    with answering(settings, *roles) as engine:
        if audio is not None:
            from voice.audio import read_audio

            heard = engine.hear(read_audio(audio, longest=LONGEST_RECORDED), episode_id)
            if not heard.text:
                raise HearingError(f"No question was heard in {audio.name}.", "Speak closer to the microphone.")
            question = heard.text
            click.echo(f"Heard: {question}", err=True)
        answer = printed(engine.telling(Question(question or "", episode_id)), silent=as_json)
        if as_json:
            print_json(schemas.answer_json(answer))
        else:
            print_moments(answer)
        if speak == "-":
            from voice.devices.sound_devices import play

            play(engine.speak(answer.text), device=settings.loudspeaker or None)
        elif speak is not None:
            from voice.audio import join, write_wav

            write_wav(Path(speak), join(list(engine.speak(answer.text))))


LONGEST_RECORDED = 60.0
"""Seconds of a recorded question."""


main.add_command(episodes.export)
main.add_command(episodes.clip)


@main.command()
@click.argument("episode")
@click.pass_context
def remove(ctx: click.Context, episode: str) -> None:
    """Remove an EPISODE, its audio and its transcript from the library. The file it came from stays."""
    with opened_companion(ctx) as companion:
        found = companion.library.episode(episode)
        companion.remove(found.id)
    click.echo(f"Removed {found.title}.")


@main.group()
def models() -> None:
    """Better models for hearing and speaking: what there is, and how to get it."""


@models.command("list")
@json_option
@click.pass_context
def models_list(ctx: click.Context, as_json: bool) -> None:
    """List the models that can be used, and which are here."""
    from ui import model_catalogue

    rows = model_catalogue.rows(settings_of(ctx))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        here = "here" if row["here"] else f"earmark models get {row['name']}"
        click.echo(f"{row['role']:9} {row['name']:24} {row['megabytes']:>6} MB  {here}")


@models.command("get")
@click.argument("name")
@click.pass_context
def models_get(ctx: click.Context, name: str) -> None:
    """Download the model NAME, for instance tiny.en (hears) or en_US-lessac-medium (speaks)."""
    from ui.cli.progress import bar
    from ui.engines import Engines

    engines = Engines(settings_of(ctx))
    engines.bar = bar
    engines.fetch(name)
    click.echo(f"{name} is in {engines.settings.models_dir}. Restart 'earmark serve' to use it.")


@main.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what is there (engines, models, devices, versions, disk) and what to do about what is not."""
    from ui.cli.doctor import examine

    findings = examine(settings_of(ctx))
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            mark = click.style("ok " if finding.ok else "-- ", fg="green" if finding.ok else "yellow")
            click.echo(f"{mark} {finding.subject:12} {finding.state}")
            if finding.advice:
                click.echo(f"    {'':12} {finding.advice}")
    if any(finding.fatal for finding in findings):
        ctx.exit(FAILED)


def printed(news: "Iterator[Sentence | Answer]", silent: bool = False) -> "Answer":
    """The answer at the end of the news; its sentences are printed as they come, unless it is to be ``silent``."""
    from retrieval.model import Sentence

    spoken = 0
    for each in news:
        if isinstance(each, Sentence):
            if not silent:
                click.echo((" " if spoken else "") + each.text, nl=False)
                sys.stdout.flush()
            spoken += 1
            continue
        if not silent and spoken:
            click.echo()
        return each
    raise EngineError("The answer broke off.", "Ask again.")


def print_moments(answer: "Answer") -> None:
    """Below the sentences of an answer: a command that it was, a remark, and the moments to jump to."""
    if answer.command is not None:
        amount = "" if answer.command.amount is None else f" {answer.command.amount:g}"
        about = f" {answer.command.about!r}" if answer.command.about else ""
        click.echo(f"That is for the player: {answer.command.name}{amount}{about}")
    if answer.remark:
        click.secho(answer.remark, err=True, fg="yellow")
    for moment in answer.moments[:3]:
        who = f"{moment.speaker}: " if moment.speaker else ""
        click.secho(f"  {clock(moment.start)}  {who}{moment.quote}", dim=True)


if __name__ == "__main__":
    sys.exit(main())
