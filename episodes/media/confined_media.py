# SPDX-License-Identifier: GPL-3.0-or-later
"""Media files of strangers are opened in a process of their own, with little memory, little time and little disk.

FFmpeg reads a hundred formats, and a file of a kilobyte can make it reserve gigabytes or decode for days. What happens
to the child stays there: the server and the worker see an ``AudioError``.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from episodes.confined import MEMORY, bound, environment
from episodes.model import Chapter, Probe
from voice import errors
from voice.errors import AudioError, EarmarkError

PROBE_SECONDS = 20
"""Seconds of processor time that looking at a file may take."""

SPARSEST = 100
"""Bytes that a second of sound takes at least, in any codec that people use (silence in FLAC takes 150)."""

LEAST_SOUND_SECONDS = 600.0
"""Seconds of sound that a file of any size may hold."""

_SLOWEST = 5.0  # seconds of sound that are converted in a second of processor time, on the slowest machine
_DENSEST = 16_000  # bytes of the library's own format for a second of sound, at most
_TOGETHER = threading.BoundedSemaphore(2)
_BEAT = 0.5  # seconds between two signs of life of a child


def longest(size: int) -> float:
    """Seconds of sound that a file of ``size`` bytes may hold."""
    return LEAST_SOUND_SECONDS + size / SPARSEST


def probe(path: Path) -> Probe:
    """``recordings.probe_here`` in a child."""
    said = _run("probe", path, [], PROBE_SECONDS, 1_000_000, lambda fraction: None)
    chapters = tuple(Chapter(start, title) for start, title in said.pop("chapters"))
    return Probe(**said, chapters=chapters)


def lyrics(path: Path) -> str:
    """``recordings.read_lyrics_here`` in a child."""
    return str(_run("lyrics", path, [], PROBE_SECONDS, 1_000_000, lambda fraction: None)["text"])


def normalise(source: Path, target: Path, on_progress: Callable[[float], None]) -> float:
    """``recordings.normalise_here`` in a child. What ``on_progress`` raises ends it."""
    size = source.stat().st_size if source.is_file() else 0
    processor, disk = 60 + longest(size) / _SLOWEST, 10_000_000 + longest(size) * _DENSEST
    said = _run("normalise", source, [str(target)], round(processor), round(disk), on_progress)
    return float(said["seconds"])


def picture(content: Path, target: Path) -> None:
    """``artwork.small`` in a child, from file to file."""
    _run("picture", content, [str(target)], PROBE_SECONDS, 20_000_000, lambda fraction: None)


def _run(
    what: str, path: Path, more: list[str], processor: int, disk: int, on_progress: Callable[[float], None]
) -> dict[str, Any]:
    """Run one of ``_WORK`` in a child and return what it says. Raises AudioError when it does not end well."""
    command = [sys.executable, "-P", "-c", "from episodes.media.confined_media import main; main()",
               what, str(processor), str(disk), str(path), *more]  # fmt: skip
    with _TOGETHER, subprocess.Popen(  # noqa: S603  this program itself
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        said: dict[str, Any] = {}
        watchdog = threading.Timer(10 * processor + 60, process.kill)  # for one that neither works nor ends
        watchdog.daemon = True
        watchdog.start()
        try:
            for line in process.stdout or ():
                said = json.loads(line)
                if "progress" in said:
                    on_progress(float(said["progress"]))
            code = process.wait()
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
    if "error" in said:
        kind = getattr(errors, said["error"], AudioError)
        raise kind(said["message"], said["hint"])
    if code or "progress" in said or not said:
        met = {-signal.SIGXCPU: "time", -signal.SIGKILL: "time", -signal.SIGXFSZ: "disk"}.get(code, "memory")
        raise AudioError(f"{path.name} needs far more {met} than a recording of its size, so it was given up.",
                         "It is damaged, or not a recording; get it from another place.")
    return said


def main() -> None:
    """What the child does: set its own bounds, work, and say what came of it in lines of JSON."""
    what, processor, disk, path, *more = sys.argv[1:]
    _bound(int(processor), int(disk))
    try:
        _say(_WORK[what](Path(path), *more))
    except EarmarkError as error:
        _say({"error": type(error).__name__, "message": error.message, "hint": error.hint})
    except MemoryError:
        sys.exit(1)


def _bound(processor: int, disk: int) -> None:
    with suppress(AttributeError, OSError):
        os.nice(5)
    bound("RLIMIT_AS", MEMORY)
    bound("RLIMIT_CPU", processor, processor + 1)
    bound("RLIMIT_FSIZE", disk)
    bound("RLIMIT_CORE", 0)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _probe(path: Path) -> dict[str, Any]:
    from episodes.media.recordings import probe_here

    found = asdict(probe_here(path))
    found["chapters"] = [(chapter["start"], chapter["title"]) for chapter in found["chapters"]]
    return found


def _lyrics(path: Path) -> dict[str, Any]:
    from episodes.media.recordings import read_lyrics_here

    return {"text": read_lyrics_here(path)}


def _normalise(path: Path, target: str) -> dict[str, Any]:
    from episodes.media.recordings import normalise_here

    done, over = 0.0, threading.Event()

    def tell(fraction: float) -> None:
        nonlocal done
        done = fraction

    def beat() -> None:
        while not over.wait(_BEAT):
            _say({"progress": done})

    life = threading.Thread(target=beat, daemon=True)
    life.start()
    try:
        seconds = normalise_here(path, Path(target), tell)
    finally:
        over.set()
        life.join()
    return {"seconds": seconds}


def _picture(path: Path, target: str) -> dict[str, Any]:
    from episodes.media.artwork import small

    Path(target).write_bytes(small(path.read_bytes()))
    return {"written": target}


_WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "probe": _probe, "lyrics": _lyrics, "normalise": _normalise, "picture": _picture,
}  # fmt: skip
