# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said before in the conversations of a house, so that a further question may lean on it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from retrieval.model import Exchange

REMEMBERED = 6
"""Turns of a conversation that are kept."""

CONVERSATION_TIMEOUT = 300.0
"""Seconds after its last turn until a conversation is dropped."""

MOST_CONVERSATIONS = 200
"""Conversations at the same time; beyond that the oldest go."""

_LONGEST = 200  # characters of an id


@dataclass(frozen=True, slots=True)
class AskedFrom:
    """Where a question comes from, as Home Assistant tells it: the ids of the conversation, of the device that asked
    (which stands in a room), and of its satellite; each may be empty."""

    conversation: str = ""
    device: str = ""
    satellite: str = ""

    @classmethod
    def of(cls, context: object) -> "AskedFrom":
        """Read the ``context`` of an event; what is no text, or too long to be an id, is left out."""
        told: Mapping[Any, Any] = context if isinstance(context, Mapping) else {}

        def text(key: str) -> str:
            value = told.get(key)
            return value if isinstance(value, str) and len(value) <= _LONGEST else ""

        return cls(text("conversation_id"), text("device_id"), text("satellite_id"))

    @property
    def key(self) -> str:
        """What its conversation is kept under; empty: it is not kept."""
        return self.conversation or self.satellite or self.device


@dataclass(frozen=True, slots=True)
class Said:
    """One turn, and the text that answered it."""

    turn: Exchange
    answer: str


class Conversations:
    """The conversations under way, in memory only. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, tuple[Said, ...]]] = OrderedDict()

    def of(self, key: str) -> tuple[Said, ...]:
        """What was said, oldest first."""
        with self._lock:
            at, said = self._known.get(key, (0.0, ()))
            if self._clock() - at > CONVERSATION_TIMEOUT:
                self._known.pop(key, None)
                return ()
            return said

    def add(self, key: str, said: Said) -> None:
        """Remember a turn; without a key it belongs to nothing."""
        if not key:
            return
        before = self.of(key)
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = (self._clock(), (*before, said)[-REMEMBERED:])
            while len(self._known) > MOST_CONVERSATIONS:
                self._known.popitem(last=False)
