# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the device that listens: how loud it is, and whether it has said how to be heard.

Where a listener is, what they heard, their speed and their saved moments are kept with those of the page
(``ui/positions.py``, ``ui/listener_data.py``). Earlier versions kept them here; ``take_over`` moves them.
"""

import contextlib
import json
import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from ui.listener_data import ListenerData, SavedMoment
from ui.positions import PlaybackPositions
from voice.errors import from_os_error
from voice.model import NORMAL_SPEED

log = logging.getLogger("earmark")


class ListeningState(msgspec.Struct, omit_defaults=True):
    """The state of the device: ``volume`` in 0..1; ``greeted``: the listener was told once how to be heard.

    The rest is what earlier versions kept: the episode played last; positions in seconds, and bookmarks, by episode
    id; the speed, times the recorded one.
    """

    volume: float = 1.0
    greeted: bool = False
    episode: str = ""
    positions: dict[str, float] = {}
    bookmarks: dict[str, list[float]] = {}
    speed: float = NORMAL_SPEED


def load_state(folder: Path) -> ListeningState:
    """The state that was saved in ``folder``; a new one when there is none, or when it cannot be read (it is said)."""
    path = folder / "listening.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=ListeningState)
    except FileNotFoundError:
        return ListeningState()
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s cannot be read (%s), so listening starts anew.", path, error)
        return ListeningState()


def save_state(folder: Path, state: ListeningState) -> None:
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


def take_over(
    folder: Path, state: ListeningState, listener: str, listeners: PlaybackPositions, kept: ListenerData,
    known: Collection[str], moment: Callable[[str, float], SavedMoment],
) -> ListeningState:
    """Give a listener what an earlier version kept of the ``known`` episodes, and keep it here no longer.

    What the listener has is not overwritten, so that it may be done twice. ``moment`` makes one of an episode and a
    bookmark (seconds). Returns what is left. Raises LibraryError.
    """
    last = state.episode
    for episode, position in sorted(state.positions.items(), key=lambda place: place[0] == last):
        if episode in known and not listeners.get(listener, episode).at:
            listeners.note(listener, episode, position)
    for episode, marks in state.bookmarks.items():
        for mark in marks if episode in known else ():
            kept.save_moment(listener, moment(episode, mark))
    if state.speed != NORMAL_SPEED:
        listeners.set_speed(listener, state.speed)
    left = ListeningState(state.volume, state.greeted)
    if left != state:
        save_state(folder, left)
    return left


def bookmarked(folder: Path) -> set[str]:
    """The ids of the episodes in which an earlier version has left a bookmark."""
    return {episode for episode, marks in load_state(folder).bookmarks.items() if marks}
