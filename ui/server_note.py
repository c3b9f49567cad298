# SPDX-License-Identifier: GPL-3.0-or-later
"""``server.json``: where the server of a data folder is, and the token with which the owner's programs come in.

Beside it lies a lock that the server holds as long as it lives. A note without the lock is one that a killed server
left: whoever listens at its address now is somebody else and is never shown the token.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from voice.errors import SettingsError, from_os_error


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Where a server is, and what lets the owner in."""

    url: str
    token: str


class ServerNote:
    """The note of one server."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "server.json"

    @classmethod
    @contextmanager
    def held(cls, folder: Path) -> "Iterator[ServerNote]":
        """Be the one server of a data folder. Raises SettingsError when there is one already."""
        from filelock import FileLock, Timeout

        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(_lock_of(folder), timeout=0, mode=0o600)
            lock.acquire()
        except Timeout as error:
            there = read(folder)
            at = f" at {there.url}" if there else ""
            raise SettingsError(f"A server of {folder} is running already{at}.",
                                "Use that one, stop it first, or choose another folder with --data-dir.") from error
        except OSError as error:
            raise from_os_error(error, f"use the data folder {folder}") from error
        try:
            yield cls(folder)
        finally:
            lock.release()

    @contextmanager
    def written(self, url: str, token: str) -> Iterator[None]:
        """Tell the owner's programs where the server is, for as long as it is there."""
        self._file.unlink(missing_ok=True)
        self._file.touch(mode=0o600)  # the token is the owner's
        self._file.write_text(json.dumps({"url": url, "pid": os.getpid(), "token": token}) + "\n", "utf-8")
        try:
            yield
        finally:
            self._file.unlink(missing_ok=True)


def running_server(folder: Path) -> ServerInfo | None:
    """Where the server of a data folder is; None when none runs, whatever a note says."""
    noted = read(folder)
    return noted if noted is not None and _is_held(_lock_of(folder)) else None


def read(folder: Path) -> ServerInfo | None:
    """What the note says."""
    try:
        note = json.loads((folder / "server.json").read_text("utf-8"))
        return ServerInfo(str(note["url"]), str(note["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock_of(folder: Path) -> Path:
    return folder / "server.lock"


def _is_held(lock: Path) -> bool:
    """True when a living process holds the lock."""
    from filelock import FileLock, Timeout

    if not lock.exists():
        return False
    trying = FileLock(lock, timeout=0, mode=0o600)
    try:
        trying.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    trying.release()
    return False
