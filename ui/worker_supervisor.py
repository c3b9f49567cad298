# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker beside the listener: a process of its own, there while there is something to take in.

It is a process so that transcribing never makes an answer late, and so that its memory is free again afterwards.
"""

import logging
import os
import subprocess
import sys
import threading
from time import monotonic

from msgspec.structs import asdict

from episodes.ingest.worker import adopt
from episodes.store.jobs import Queue
from episodes.store.library import Library
from ui.settings import ENV_PREFIX, Settings
from voice.errors import EarmarkError

log = logging.getLogger("earmark")

_LOOK = 1.0  # seconds between two looks into the queue
_IDLE = 30  # seconds with nothing to do after which the worker ends
_SOON, _LATEST = 5.0, 300.0  # seconds before a worker that ended badly is replaced: at first, and in the end
_LEAVE = 5.0  # seconds a worker has to leave when it is asked to; what it is at is lost otherwise, and nothing else


class Workers:
    """Keeps one worker process beside this one while there is work in the queue."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self._settings = settings
        self._queue = Queue(library.database)
        self._library = library
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look after the queue, in the background."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="earmark-workers", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ask the worker to leave and wait until it has; what it was at goes on at the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        process: subprocess.Popen[bytes] | None = None
        pause, due = _SOON, 0.0
        try:
            adopt(self._library)
            while not self._stopping.wait(_LOOK):
                try:
                    if process is not None and (code := process.poll()) is not None:
                        process, due = None, 0.0
                        if code:
                            log.warning("The worker ended with %d; another one may come in %.0f s.", code, pause)
                            pause, due = min(_LATEST, 2 * pause), monotonic() + pause
                        else:
                            pause = _SOON
                    if process is None and monotonic() >= due and self._queue.waits(self._queue.now()):
                        process = begin(self._settings, _IDLE)
                except (EarmarkError, OSError) as error:  # a busy or full disk, no more processes: later perhaps
                    log.warning("%s", error)
                    due = monotonic() + pause
        except EarmarkError as error:
            log.error("%s", error)
        finally:
            if process is not None:
                _end(process)


def begin(settings: Settings, idle: float | None) -> "subprocess.Popen[bytes]":
    """Start a worker with these very settings, wherever they came from; it ends when there was nothing to do for
    ``idle`` seconds."""
    usual = asdict(Settings())
    given = {
        ENV_PREFIX + key.upper(): str(value)
        for key, value in asdict(settings).items()
        if value != usual[key] and key != "data_dir"
    }
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(settings.data_dir), "work"]
    command += [] if idle is None else ["--idle", str(idle)]
    # A session of its own: Ctrl-C in the terminal is for the listener, which then tells its worker.
    return subprocess.Popen(  # noqa: S603  this program itself
        command, env=os.environ | given, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )


def yield_to_listeners() -> None:
    """Let other processes go before this one, where the system knows how: somebody may be asking a question."""
    if hasattr(os, "nice"):
        os.nice(10)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_LEAVE)
    except subprocess.TimeoutExpired:  # in the middle of a piece
        process.kill()
        process.wait()
