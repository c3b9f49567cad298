# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener wants to find again after a restart: where they were, how fast, how loud, and their bookmarks."""

import contextlib
import json
import logging
import os
from pathlib import Path

import msgspec

from voice.errors import from_os_error

log = logging.getLogger("earmark")


class ListeningState(msgspec.Struct):
    """The state of listening; positions in seconds by episode id.

    ``greeted``: the listener was told once how to be heard.
    """

    episode: str = ""
    positions: dict[str, float] = {}
    bookmarks: dict[str, list[float]] = {}
    speed: float = 1.0
    volume: float = 1.0
    greeted: bool = False


def load(folder: Path) -> ListeningState:
    """The state that was saved in ``folder``; a new one when there is none, or when it cannot be read (it is said)."""
    path = folder / "listening.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=ListeningState)
    except FileNotFoundError:
        return ListeningState()
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s cannot be read (%s), so listening starts anew.", path, error)
        return ListeningState()


def save(folder: Path, state: ListeningState) -> None:
    """Save the state in one step, so that a power cut leaves the old one or the new one. Raises LibraryError."""
    path = folder / "listening.json"
    part = path.with_suffix(".part")
    try:
        with part.open("w", encoding="utf-8") as out:
            json.dump(msgspec.to_builtins(state), out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise from_os_error(error, f"save {path}") from error


def bookmarked(folder: Path) -> set[str]:
    """The ids of the episodes in which there is a bookmark."""
    return {episode for episode, marks in load(folder).bookmarks.items() if marks}
