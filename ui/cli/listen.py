# SPDX-License-Identifier: GPL-3.0-or-later
"""``earmark listen`` and ``earmark devices``: the companion without a screen."""

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.cli.base import json_option, opened_companion, print_json
from ui.server_note import running_server

if TYPE_CHECKING:
    from ui.listen.session import ListeningSession


@click.command()
@click.option("--episode", help="Episode to play: its id, the beginning of it, or its title [the last one].")
@click.option("--wake", type=click.Choice(["none", "key", "word"]),
              help="How to be heard: just talk, press Enter or the button first, or say the wake word first [none].")
@click.option("--wake-model", metavar="MODEL",
              help="The wake word: a microWakeWord .json, an openWakeWord .onnx, or a name such as okay_nabu.")
@click.option("--button", help="A button to press: gpio:17, /dev/input/event3, or a part of an input device's name.")
@click.option("--duck/--no-duck", default=None, help="Play on softly while you speak, instead of pausing.")
@click.option("--own-words/--no-own-words", default=None, help="Answer with the original sound of the moment.")
@click.option("--paused", is_flag=True, help="Wait for 'play' before the episode sounds.")
@click.pass_context
def listen(
    ctx: click.Context, episode: str | None, wake: str | None, wake_model: str | None, button: str | None,
    duck: bool | None, own_words: bool | None, paused: bool,
) -> None:
    """Play an episode and talk with it: ask, command, interrupt. Ctrl-C or q ends it; the place is kept.

    \b
    Space   pause, go on        ← →    15 s back, 30 s on     n p    next, previous topic
    Enter   listen to me        ↑ ↓    louder, quieter        + -    faster, slower
    g       back to where I was        b      bookmark        o      in their own words
    r       say it again               s      stop talking    N P    next, previous episode
    """
    from ui.listen.session import ListeningSession

    logging.getLogger("earmark").setLevel(logging.DEBUG if ctx.obj.get("verbose") else logging.INFO)
    logging.getLogger("earmark.listen").setLevel(logging.INFO)
    if wake_model is not None and wake is None:
        wake = "word"
    flags = {"wake": wake, "wake_model": wake_model, "button": button, "duck": duck, "own_words": own_words}
    with opened_companion(ctx, **flags) as companion:
        if not companion.library.count() and companion.settings.demo:
            click.echo("The first start makes the demo episode; this takes some seconds.", err=True)
            companion.add_demo()
        session = ListeningSession(companion)
        session.open(episode, play=not paused)
        click.echo("Loading what hears, finds and speaks; then it plays.", err=True)
        if sys.stderr.isatty():  # the address is a key, and nothing for a journal
            _tell_of_page(session.now_playing.listener, companion.settings.own_dir)
        signal.signal(signal.SIGTERM, lambda number, frame: session.stop())
        with _keys(session):
            session.run(prepare=lambda: companion.warm(session.episode_id))


def _tell_of_page(listener: str, folder: Path) -> None:
    """Say how the page becomes the same listener, where nobody signs in to be one."""
    server = running_server(folder)
    if server is not None and not listener.startswith("user-"):
        click.echo(f"Opened once as {server.url.rstrip('/')}/#listener={listener} the page goes on where you are here.",
                   err=True)  # fmt: skip


@click.command()
@json_option
def devices(as_json: bool) -> None:
    """List microphones and loudspeakers; the settings of those names take a name, a part of it, or the number."""
    from voice.devices.sound_devices import devices as every

    found = every()
    if as_json:
        print_json([{"index": d.index, "name": d.name, "inputs": d.inputs, "outputs": d.outputs, "rate": d.rate,
                     "default": d.default} for d in found])  # fmt: skip
        return
    for device in found:
        kinds = " and ".join(kind for kind, there in (("microphone", device.inputs), ("loudspeaker", device.outputs))
                             if there)
        usual = ", usual" if device.default else ""
        click.echo(f"{device.index:>3}  {device.name}  [{kinds}, {device.rate} Hz{usual}]")
    if not found:
        click.echo("There is no sound device. Plug one in, or check that a sound server runs.")


_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}


@contextlib.contextmanager
def _keys(session: "ListeningSession") -> Iterator[None]:
    """Hand the keys of the terminal over while the block runs; nothing without a terminal (a service)."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)

    def read() -> None:
        while key := sys.stdin.read(1):
            if key == "\x1b" and sys.stdin.read(1) == "[":
                key = _ARROWS.get(sys.stdin.read(1), "")
            session.press(key)

    try:
        tty.setcbreak(sys.stdin)
        threading.Thread(target=read, name="keys", daemon=True).start()
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@click.group()
def service() -> None:
    """Let 'earmark listen' or 'earmark serve' run by itself, also after a power cut (a systemd unit of your own)."""


serve_option = click.option("--serve", "serves", is_flag=True, help="'earmark serve' rather than 'earmark listen'.")


@service.command("install")
@serve_option
@click.option("--episode", help="As for 'earmark listen'.")
@click.option("--wake", type=click.Choice(["none", "key", "word"]), help="As for 'earmark listen'.")
@click.option("--wake-model", metavar="MODEL", help="As for 'earmark listen'.")
@click.option("--button", help="As for 'earmark listen'.")
@click.option("--duck/--no-duck", default=None, help="As for 'earmark listen'.")
@click.option("--own-words/--no-own-words", default=None, help="As for 'earmark listen'.")
@click.option("--play", is_flag=True, help="Begin to play at the start of the machine [wait for 'play'].")
@click.pass_context
def service_install(
    ctx: click.Context, serves: bool, episode: str | None, wake: str | None, wake_model: str | None,
    button: str | None, duck: bool | None, own_words: bool | None, play: bool,
) -> None:
    """Write the unit, start it, and let it start by itself. What is not given here, it reads from the settings file."""
    from ui.cli import systemd as unit
    from ui.cli.base import settings_of

    command = "serve" if serves else "listen"
    words = ["--data-dir", str(settings_of(ctx).data_dir.absolute()), command]
    named = {"--episode": episode, "--wake": wake, "--wake-model": wake_model, "--button": button}
    switches = {"duck": duck, "own-words": own_words}
    if serves:
        if play or any(value is not None for value in (*named.values(), *switches.values())):
            raise click.UsageError("Those options are for 'earmark listen'; 'earmark serve' reads the settings file.")
        _installed(unit.install([*words, "--no-open"], command), unit.UNIT_FILES[command])
        return
    words += [word for name, value in named.items() if value for word in (name, value)]
    words += [f"--{name}" if on else f"--no-{name}" for name, on in switches.items() if on is not None]
    words += [] if play else ["--paused"]
    _installed(unit.install(words), unit.UNIT_FILES[command])


def _installed(path: Path, name: str) -> None:
    click.echo(f"Installed {path}; 'journalctl --user -u {name} -f' shows what it does.")
    click.echo("It ends when you log out. To keep it for good, also without a login: sudo loginctl enable-linger $USER")


@service.command("status")
def service_status() -> None:
    """Say whether they run."""
    from ui.cli import systemd as unit

    for command in unit.UNIT_FILES:
        click.echo(f"earmark {command}: {unit.status(command)}")


@service.command("remove")
@serve_option
def service_remove(serves: bool) -> None:
    """Stop it and take the unit away."""
    from ui.cli import systemd as unit

    click.echo("Removed." if unit.remove("serve" if serves else "listen") else "It was not installed.")
