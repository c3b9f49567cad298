# SPDX-License-Identifier: GPL-3.0-or-later
"""Sleep timer: when the podcast stops by itself, and how loud it still is. Time is an argument."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FADE = 15.0
"""Seconds over which the podcast fades out; it is given back by as much."""

_STEP = 2.0  # seconds of the episode between two looks: more is a jump, which has not reached an end


@dataclass(frozen=True, slots=True)
class SleepTimer:
    """When to stop: ``at`` on the clock (seconds), or at the end of what plays (``until``: "topic" or "episode")."""

    at: float = math.inf
    until: str = ""

    def ends(self, topics: Sequence[float], length: float) -> tuple[float, ...]:
        """Where it may stop (seconds in the episode); ``topics``: where topics begin."""
        return (*topics[1:], length) if self.until == "topic" else (length,) if self.until else ()

    def left(self, now: float, before: float, position: float, speed: float, ends: Sequence[float]) -> float:
        """Seconds of listening that are left; 0 or less when it is time to stop.

        ``before`` and ``position``: where the podcast was a moment ago, and is (seconds), at ``speed`` times the
        recorded one. What jumps over an end goes on to the next one.
        """
        left = self.at - now
        if any(before < end <= position for end in ends) and position - before <= _STEP:
            return 0.0
        coming = [(end - position) / speed for end in ends if end > position]
        return min([left, *coming])


def gain(left: float) -> float:
    """How loud the podcast is with so many seconds left, 0..1."""
    return min(1.0, max(0.0, left / FADE))
