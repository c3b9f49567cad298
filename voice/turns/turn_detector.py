# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns: when somebody begins to speak, may be done, and is done. A pure state machine over probabilities of speech.

Time is counted in frames that are handed in, never read from a clock. Every turn has a number; whoever carries an
older number than the last one drops what it has.
"""

from dataclasses import dataclass
from enum import Enum

from voice.audio import FRAME_SECONDS


class Change(Enum):
    """What a frame may change. A turn is BEGAN, then MAYBE_OVER and ON_AGAIN any number of times, then OVER or
    DROPPED (a cough, a click: too little of it was speech). WOKEN is before a turn: the wake word was said."""

    WOKEN = "woken"
    BEGAN = "began"
    MAYBE_OVER = "maybe over"
    ON_AGAIN = "on again"
    OVER = "over"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of turn ``number`` (from 1): its speech lasts from ``start`` to ``end``, seconds since listening
    began; ``end`` is the end of the last speech so far."""

    change: Change
    number: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Patience:
    """The times of turn-taking in seconds, and the probabilities of speech between which nothing changes.

    ``begin``: speech that begins a turn. ``maybe``: silence after which it may be over. ``over``: silence after which
    it is, ``complete`` when what was said is a whole command. ``least``: speech below which it was a cough.
    ``longest``: a turn that goes on for longer is background talk, and dropped with all of it up to the next pause.
    """

    begin: float = 0.12
    maybe: float = 0.19
    over: float = 0.5
    complete: float = 0.3
    least: float = 0.18
    longest: float = 25.0
    loud: float = 0.5
    quiet: float = 0.35

    def __post_init__(self) -> None:
        if not 0 < self.maybe <= self.complete <= self.over or not 0 < self.quiet <= self.loud < 1:
            raise ValueError("patience must rise from maybe over complete to over, and from quiet to loud")


class Turns:
    """The turn that is going on. Not safe to use from several threads."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.number = 0
        self._frames = 0
        self._speaking = False  # within a turn
        self._candidate = 0.0  # seconds of speech that may begin a turn
        self._start = self._end = 0.0
        self._spoken = 0.0  # seconds of the turn that were speech
        self._voiced = False
        self._maybe = self._complete = False
        self._endless = False  # what is said goes on from a turn that was too long
        self._quiet_since = 0.0

    @property
    def now(self) -> float:
        """Seconds since listening began."""
        return self._frames * FRAME_SECONDS

    @property
    def speaking(self) -> bool:
        """True within a turn."""
        return self._speaking

    def complete(self, number: int) -> None:
        """What turn ``number`` has said so far is a whole command, so it is over sooner. An older number is ignored."""
        if number == self.number:
            self._complete = True

    def reset(self) -> None:
        """Forget a turn that is going on; its number is used up."""
        self._speaking = self._voiced = self._maybe = self._complete = self._endless = False
        self._candidate = 0.0

    def skip(self) -> None:
        """A frame passes that nobody listens to."""
        self._frames += 1

    def push(self, probability: float) -> Event | None:
        """The next frame's probability of speech in 0..1, and what it changes."""
        self._frames += 1
        was = self._voiced
        self._voiced = probability >= (self.patience.quiet if was else self.patience.loud)
        return self._within() if self._speaking else self._before()

    def _before(self) -> Event | None:
        if self._endless:
            self._quiet_since = self.now if self._voiced else self._quiet_since
            self._endless = self.now - self._quiet_since < self.patience.over - 1e-9
            return None
        # a frame of doubt within the first syllable takes away as much as it lasts, and does not start all over
        if self._voiced and not self._candidate:
            self._start = self.now - FRAME_SECONDS
        self._candidate = max(0.0, self._candidate + (FRAME_SECONDS if self._voiced else -FRAME_SECONDS))
        if self._candidate < self.patience.begin:
            return None
        self.number += 1
        self._speaking, self._maybe, self._complete = True, False, False
        self._spoken, self._candidate, self._end = self._candidate, 0.0, self.now
        return self._event(Change.BEGAN)

    def _within(self) -> Event | None:
        if self.now - self._start > self.patience.longest:
            voiced = self._voiced
            self.reset()
            self._endless, self._voiced, self._quiet_since = True, voiced, self.now
            return self._event(Change.DROPPED)
        if self._voiced:
            self._spoken += FRAME_SECONDS
            self._end = self.now
            if self._maybe:
                self._maybe = self._complete = False
                return self._event(Change.ON_AGAIN)
            return None
        silent = self.now - self._end
        if silent >= (self.patience.complete if self._complete else self.patience.over) - 1e-9:
            change = Change.OVER if self._spoken >= self.patience.least else Change.DROPPED
            self.reset()
            return self._event(change)
        if not self._maybe and silent >= self.patience.maybe - 1e-9 and self._spoken >= self.patience.least:
            self._maybe = True
            return self._event(Change.MAYBE_OVER)
        return None

    def _event(self, change: Change) -> Event:
        return Event(change, self.number, self._start, self._end)
