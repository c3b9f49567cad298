# SPDX-License-Identifier: GPL-3.0-or-later
"""A loudspeaker in another room: a player of its own that is told what to play, and from which second."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

SoundAddress = Callable[[float], str]
"""The address of a sound: with 0 of all of it, with a second of what follows it (for players that cannot seek)."""


@dataclass(frozen=True, slots=True)
class Playing:
    """What a loudspeaker does: the ``address`` that it plays or holds ("" for none), the ``position`` in what that
    leads to (seconds), and its ``volume`` in 0..1 (None: it tells none)."""

    address: str = ""
    position: float = 0.0
    playing: bool = False
    volume: float | None = None


class Loudspeaker(Protocol):
    """A player in the house. Every method raises DeviceError when it cannot be reached, or refuses."""

    def play(self, address: SoundAddress, start: float) -> None:
        """Play a sound from ``start`` (seconds) on, in place of what it plays."""
        ...

    def seek(self, position: float) -> None:
        """Go to ``position`` (seconds) of what it plays."""
        ...

    def pause(self) -> None:
        """Stop, and keep the place."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def set_volume(self, volume: float) -> None:
        """Be so loud, 0..1."""
        ...

    def state(self) -> Playing:
        """What it does now."""
        ...
