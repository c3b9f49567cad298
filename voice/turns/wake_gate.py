# SPDX-License-Identifier: GPL-3.0-or-later
"""When the ears are open: always, or for a while after a wake word, a key or a button. Time is a number."""

from enum import Enum

SPEECH_TIMEOUT = 8.0
"""Seconds for which somebody who called may wait before they speak."""

FOLLOW = 6.0
"""Seconds after an answer in which one may go on without calling again: "yes", "and why?"."""


class WakeMode(Enum):
    """How the companion is called: by talking, by a key or a button only, or by its wake word (and those)."""

    NONE = "none"
    KEY = "key"
    WORD = "word"


class WakeGate:
    """Who is being listened to. ``now`` are seconds of one clock."""

    def __init__(self, wake: WakeMode) -> None:
        self.wake = wake
        self._until = 0.0
        self._called = False

    @property
    def called(self) -> bool:
        """True from a call until its turn, or until it lapses."""
        return self._called

    def call(self, now: float) -> None:
        """The wake word was said, or a key pressed: listen."""
        self._called, self._until = True, now + SPEECH_TIMEOUT

    def answered(self, now: float) -> None:
        """An answer was heard to its end: what follows it is heard without a call."""
        self._until = max(self._until, now + FOLLOW)

    def close(self) -> None:
        """What was said was taken: nothing is waited for."""
        self._called, self._until = False, 0.0

    def is_open(self, now: float, busy: bool) -> bool:
        """Whether turns are found. ``busy``: somebody speaks, or is being answered and may interrupt."""
        return self.wake is WakeMode.NONE or busy or now < self._until

    def lapsed(self, now: float, busy: bool) -> bool:
        """True once, when a call was not followed by anything."""
        if not self._called or busy or now < self._until:
            return False
        self.close()
        return True
