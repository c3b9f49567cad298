# SPDX-License-Identifier: GPL-3.0-or-later
"""A question that is heard while it is spoken: the same turn detector and endpointing as without a page."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from retrieval.commands.completeness import completeness
from retrieval.commands.parser import parse
from voice.audio import HEARING_RATE, Audio, Samples
from voice.devices.echo_cancellation import is_echo
from voice.errors import EngineError
from voice.model import Heard
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change, Endpointing, TurnEvent

MOST_SPOKEN_QUESTIONS = 32
"""Questions that are spoken at the same time."""

SPOKEN_QUESTION_TIMEOUT = 30.0
"""Seconds without sound after which a question is forgotten."""

_ENDPOINTING = Endpointing(maybe=0.125)
"""A page waits while its sound is decoded, so that this begins when it is hardly in vain."""

Recognise = Callable[[Audio], Heard]
"""Turns sound into text."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is known of a question so far. ``state``: "waiting" (nobody speaks yet), "speaking", "over", or "gone"
    (nobody listens to it any more); ``text`` is what was understood of it."""

    state: str
    text: str = ""


@dataclass(slots=True)
class LiveQuestion:
    """One question that is being spoken. ``push`` must not be called from two threads at once: ``lock``.

    ``played``: what the page reads aloud meanwhile; an echo of it, and what has no words, is no question then.
    """

    played: tuple[str, ...] = ()
    front_end: FrontEnd = field(default_factory=lambda: FrontEnd(_ENDPOINTING))
    lock: threading.Lock = field(default_factory=threading.Lock)
    used: float = field(default_factory=time.monotonic)
    _decoded: tuple[float, Heard] = (-1.0, Heard("", 0.0))  # until which second, and what was said

    def push(self, samples: Samples, hear: Recognise) -> Spoken:
        """The next samples (n,) at 16 kHz; what they tell. Decodes when somebody pauses."""
        for event in self.front_end.push(samples, np.zeros(len(samples), np.float32)):
            match event.change:
                case Change.MAYBE_OVER:
                    text = self._heard(event, hear).text
                    self.front_end.judge(event.number, completeness(text, parse(text)))
                case Change.OVER | Change.TOO_LONG if self._asks(heard := self._heard(event, hear)):
                    return Spoken("over", heard.text)
                case Change.OVER | Change.TOO_LONG | Change.DROPPED:
                    self._decoded = (-1.0, Heard("", 0.0))
        return Spoken("speaking" if self.front_end.speaking else "waiting", self._decoded[1].text)

    def _heard(self, event: TurnEvent, hear: Recognise) -> Heard:
        if self._decoded[0] != event.end:
            self._decoded = (event.end, hear(Audio(self.front_end.utterance(event), HEARING_RATE)))
        return self._decoded[1]

    def _asks(self, heard: Heard) -> bool:
        """Whether it was said to the page, and not by it."""
        return not self.played or (bool(heard.text) and not is_echo(heard, self.played, parse(heard.text) is not None))


class LiveQuestions:
    """The questions that are being spoken now, by an id that nobody can guess."""

    def __init__(self) -> None:
        self._known: dict[str, LiveQuestion] = {}
        self._lock = threading.Lock()

    def begin(self, played: Sequence[str] = ()) -> str:
        """Listen to a new one, while texts are ``played``; returns its id. Raises EngineError when too many are spoken
        at once."""
        with self._lock:
            now = time.monotonic()
            self._known = {name: one for name, one in self._known.items() if now - one.used < SPOKEN_QUESTION_TIMEOUT}
            if len(self._known) >= MOST_SPOKEN_QUESTIONS:
                raise EngineError("Too many questions are being spoken at once.", "Try again in a moment, or type it.")
            name = secrets.token_hex(16)
            self._known[name] = LiveQuestion(tuple(played))
            return name

    def push(self, name: str, samples: Samples, hear: Recognise) -> Spoken:
        """More sound of one; "gone" when it is not known (any longer)."""
        with self._lock:
            question = self._known.get(name)
        if question is None:
            return Spoken("gone")
        with question.lock:
            question.used = time.monotonic()
            spoken = question.push(samples, hear)
            question.used = time.monotonic()
        if spoken.state == "over":
            self.end(name)
        return spoken

    def playing(self, name: str, played: Sequence[str]) -> None:
        """Say anew what is read aloud while one is spoken: an answer is, while it is still being made."""
        with self._lock:
            question = self._known.get(name)
        if question is not None:
            question.played = tuple(played)

    def end(self, name: str) -> None:
        """Forget one."""
        with self._lock:
            self._known.pop(name, None)
