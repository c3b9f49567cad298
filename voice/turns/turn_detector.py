# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn detection and endpointing: when somebody begins to speak, may be done, and is done.

A pure state machine over probabilities of speech. Time is counted in frames that are handed in, never read from a
clock. Every turn has a number; whoever carries an older number than the last one drops what it has.
"""

from dataclasses import dataclass
from enum import Enum

from voice.audio import FRAME_SECONDS


class Change(Enum):
    """What a frame may change. A turn is BEGAN, then MAYBE_OVER and ON_AGAIN any number of times, then OVER, DROPPED
    (a cough, a click: too little of it was speech) or TOO_LONG. WOKEN is before a turn: the wake word was said."""

    WOKEN = "woken"
    BEGAN = "began"
    MAYBE_OVER = "maybe over"
    ON_AGAIN = "on again"
    OVER = "over"
    DROPPED = "dropped"
    TOO_LONG = "too long"


class Completeness(Enum):
    """What the words so far tell of the end of a turn: not decoded yet, a whole command or question, perhaps a whole
    one, or one that breaks off ("in the …")."""

    UNKNOWN = "unknown"
    COMPLETE = "complete"
    OPEN = "open"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """A change of turn ``number`` (from 1): its speech lasts from ``start`` to ``end``, seconds since listening
    began; ``end`` is the end of the last speech so far."""

    change: Change
    number: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Endpointing:
    """The times of turn-taking in seconds, and the probabilities of speech between which nothing changes.

    ``begin``: speech that begins a turn. ``maybe``: silence after which it may be over, and is decoded; most of it that
    comes within words is shorter, and what it costs to be wrong is little. Silence after which it is over:
    ``complete`` when what was said is whole, ``over`` when it may be, ``incomplete`` when it breaks off, and
    ``undecoded`` while nobody knows: until then nothing could be answered anyway. ``rejoin``: silence after which
    further speech can no longer belong to the turn before. ``least``: speech below which it was a cough. ``longest``:
    a turn that goes on for longer is TOO_LONG, with all of it up to the next pause.
    """

    begin: float = 0.12
    maybe: float = 0.06
    complete: float = 0.3
    over: float = 0.5
    incomplete: float = 2.0
    undecoded: float = 1.5
    rejoin: float = 1.3
    least: float = 0.18
    longest: float = 25.0
    loud: float = 0.5
    quiet: float = 0.35

    def __post_init__(self) -> None:
        rising = 0 < self.maybe <= self.complete <= self.over <= min(self.incomplete, self.undecoded)
        if not rising or not 0 < self.quiet <= self.loud < 1:
            raise ValueError("endpointing must rise from maybe over complete and over to incomplete, and from quiet to "
                             "loud")  # fmt: skip

    def wait(self, completeness: Completeness) -> float:
        """Seconds of silence after which a turn whose words tell this is over."""
        return {
            Completeness.UNKNOWN: self.undecoded, Completeness.COMPLETE: self.complete, Completeness.OPEN: self.over,
            Completeness.INCOMPLETE: self.incomplete,
        }[completeness]  # fmt: skip


class TurnDetector:
    """The turn that is going on. Not safe to use from several threads."""

    def __init__(self, endpointing: Endpointing | None = None) -> None:
        self.endpointing = endpointing or Endpointing()
        self.number = 0
        self._frames = 0
        self._speaking = False  # within a turn
        self._candidate = 0.0  # seconds of speech that may begin a turn
        self._start = self._end = 0.0
        self._spoken = 0.0  # seconds of the turn that were speech
        self._voiced = False
        self._maybe = False
        self._completeness = Completeness.UNKNOWN
        self._endless = False  # what is said goes on from a turn that was too long
        self._quiet_since = 0.0
        self._before: tuple[float, float] | None = None  # start and end of the turn before, when it came to its end

    @property
    def now(self) -> float:
        """Seconds since listening began."""
        return self._frames * FRAME_SECONDS

    @property
    def speaking(self) -> bool:
        """True within a turn."""
        return self._speaking

    def judge(self, number: int, completeness: Completeness) -> None:
        """Say what the words of turn ``number`` so far tell of its end. An older number is ignored, and so is what was
        found in a pause that is over."""
        if number == self.number and self._maybe:
            self._completeness = completeness

    def rejoin(self) -> bool:
        """Let the turn that just began go on from the one before, whose end was mistaken; False when that was too long
        ago."""
        if not self._speaking or self._before is None:
            return False
        start, end = self._before
        if self._start - end > self.endpointing.rejoin or self._end - start > self.endpointing.longest:
            return False
        self._start = start
        self._spoken = max(self._spoken, self.endpointing.least)
        return True

    def reset(self) -> None:
        """Forget a turn that is going on; its number is used up."""
        self._speaking = self._voiced = self._maybe = self._endless = False
        self._completeness = Completeness.UNKNOWN
        self._candidate = 0.0
        self._before = None

    def skip(self) -> None:
        """A frame passes that nobody listens to."""
        self._frames += 1

    def push(self, probability: float) -> TurnEvent | None:
        """The next frame's probability of speech in 0..1, and what it changes."""
        self._frames += 1
        was = self._voiced
        self._voiced = probability >= (self.endpointing.quiet if was else self.endpointing.loud)
        return self._within() if self._speaking else self._waiting()

    def _waiting(self) -> TurnEvent | None:
        if self._endless:
            self._quiet_since = self.now if self._voiced else self._quiet_since
            self._endless = self.now - self._quiet_since < self.endpointing.over - 1e-9
            return None
        # a frame of doubt within the first syllable takes away as much as it lasts, and does not start all over
        if self._voiced and not self._candidate:
            self._start = self.now - FRAME_SECONDS
        self._candidate = max(0.0, self._candidate + (FRAME_SECONDS if self._voiced else -FRAME_SECONDS))
        if self._candidate < self.endpointing.begin:
            return None
        self.number += 1
        self._speaking, self._maybe, self._completeness = True, False, Completeness.UNKNOWN
        self._spoken, self._candidate, self._end = self._candidate, 0.0, self.now
        return self._event(Change.BEGAN)

    def _within(self) -> TurnEvent | None:
        if self._voiced and self.now - self._start > self.endpointing.longest:
            event = self._ended(Change.TOO_LONG)
            self._endless, self._voiced, self._quiet_since = True, True, self.now
            return event
        if self._voiced:
            self._spoken += FRAME_SECONDS
            self._end = self.now
            if self._maybe:
                self._maybe, self._completeness = False, Completeness.UNKNOWN
                return self._event(Change.ON_AGAIN)
            return None
        silent = self.now - self._end
        if self._spoken < self.endpointing.least:  # nobody decodes it
            return self._ended(Change.DROPPED) if silent >= self.endpointing.over - 1e-9 else None
        if self._maybe and silent >= self.endpointing.wait(self._completeness) - 1e-9:
            return self._ended(Change.OVER)
        if not self._maybe and silent >= self.endpointing.maybe - 1e-9:
            self._maybe = True
            return self._event(Change.MAYBE_OVER)
        return None

    def _ended(self, change: Change) -> TurnEvent:
        event = self._event(change)
        self.reset()
        if change is Change.OVER:
            self._before = (event.start, event.end)
        return event

    def _event(self, change: Change) -> TurnEvent:
        return TurnEvent(change, self.number, self._start, self._end)
