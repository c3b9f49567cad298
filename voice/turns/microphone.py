# SPDX-License-Identifier: GPL-3.0-or-later
"""From blocks of the microphone to turns: cut into frames, freed of the echo, judged by Silero, kept for decoding."""

from collections import deque
from collections.abc import Callable

import numpy as np

from voice.audio import FRAME, FRAME_SECONDS, HEARING_RATE, Samples
from voice.devices.echo_cancellation import EchoCanceller
from voice.turns.turn_detector import Change, Completeness, Endpointing, TurnDetector, TurnEvent
from voice.turns.voice_activity import GatedDetector, VoiceActivityDetector
from voice.turns.wake_word import WakeWordListener

_LEAD = 0.35  # seconds before a turn that are decoded with it
_WORD = 0.2  # seconds before the wake word was recognised that may belong to the turn: said in one breath
_TAIL = 0.15  # seconds of its silence
_KEPT = 27.0  # seconds of sound that are kept
_LEARNT = (94, 625)  # frames of sound from the loudspeaker after which its echo may be known, and counts as known, 20 s
_HISS = np.random.default_rng(0).normal(0, 3e-4, (31, FRAME)).astype(np.float32)
"""What is added for the detector: after digital silence, which gated microphones send, Silero misses short words."""
_HUSHED = np.float32(0.03)  # what is left of the remains of an echo for those who listen for a voice
_RINGS = 16  # frames for which sound comes back late, and rings in the room
_UNHEARD = 18  # frames in a row in which it sounds and is not heard: there is no echo
_SOUNDS, _HEARD = 0.01, 0.003  # root mean squares above which a frame sounds, and is heard


class FrontEnd:
    """Hears one microphone at 16 kHz. Not safe to use from several threads.

    ``detect`` gives the probability of speech in a frame; Silero when None. ``watch`` listens for the wake word while
    the ears are not open.
    """

    def __init__(
        self, endpointing: Endpointing | None = None, detect: Callable[[Samples], float] | None = None,
        watch: WakeWordListener | None = None,
    ) -> None:
        self._turns = TurnDetector(endpointing)
        self._detect = detect or GatedDetector(VoiceActivityDetector())
        self._watch = watch
        self._opened: int | None = 0  # frame since which they are open
        self._cancel = EchoCanceller()
        self._kept: deque[Samples] = deque(maxlen=round(_KEPT / FRAME_SECONDS))
        self._rest = np.zeros(0, np.float32)
        self._echo = np.zeros(0, np.float32)
        self._frames = 0
        self._sounded = self._unheard = self._rings = 0

    @property
    def speaking(self) -> bool:
        """True within a turn."""
        return self._turns.speaking

    @property
    def drift(self) -> float:
        """See ``EchoCanceller``."""
        return self._cancel.drift

    def judge(self, number: int, completeness: Completeness) -> None:
        """See ``TurnDetector.judge``."""
        self._turns.judge(number, completeness)

    def rejoin(self) -> bool:
        """See ``TurnDetector.rejoin``."""
        return self._turns.rejoin()

    def reset(self) -> None:
        """Forget a turn that is going on."""
        self._turns.reset()

    def push(self, block: Samples, played: Samples, is_open: bool = True) -> list[TurnEvent]:
        """The next samples of the microphone, and those (as many) that the loudspeaker was given; what they change.

        The echo is learnt always; turns are only found while the ears are open, and the wake word while they are not.
        """
        self._turn_to(is_open)
        self._rest = np.concatenate([self._rest, block])
        self._echo = np.concatenate([self._echo, played])
        events = []
        while len(self._rest) >= FRAME:
            frame, self._rest = self._rest[:FRAME], self._rest[FRAME:]
            echo, self._echo = self._echo[:FRAME], self._echo[FRAME:]
            if len(echo) < FRAME:
                echo = np.pad(echo, (0, FRAME - len(echo)))
            left = np.clip(self._cancel(frame, echo), -1, 1)
            self._kept.append(left)  # whole: to decode words without their edges is harder than with a little echo
            judged = left * _HUSHED if self._cancel.is_remains else left
            self._frames += 1
            learning = self._is_learning(frame, echo)
            if self._opened is None:
                if self._watch is not None and self._watch.push(judged, echo):
                    events.append(TurnEvent(Change.WOKEN, self._turns.number, self._turns.now, self._turns.now))
                self._turns.skip()
                continue
            event = self._turns.push(0.0 if learning else self._detect(judged + _HISS[self._frames % len(_HISS)]))
            if event is not None:
                events.append(event)
        return events

    def _turn_to(self, is_open: bool) -> None:
        if is_open and self._opened is None:
            self._opened = self._frames
            if isinstance(self._detect, GatedDetector):
                self._detect.reset()
        elif not is_open and self._opened is not None:
            self._opened = None
            self._turns.reset()
            if self._watch is not None:
                self._watch.reset()

    def utterance(self, event: TurnEvent) -> Samples:
        """The sound of a turn, with a little before and after it."""
        kept = np.concatenate(list(self._kept)) if self._kept else np.zeros(0, np.float32)
        oldest = (self._frames - len(self._kept)) * FRAME
        since = (self._opened or 0) * FRAME - round(_WORD * HEARING_RATE)
        first = max(0, max(round((event.start - _LEAD) * HEARING_RATE), since) - oldest)
        return kept[first : round((event.end + _TAIL) * HEARING_RATE) - oldest]

    def _is_learning(self, frame: Samples, played: Samples) -> bool:
        """True while the loudspeaker sounds and its echo is not known yet: it would be taken for somebody."""
        if self._sounded >= _LEARNT[1]:
            return False
        if float(np.square(played).mean()) < _SOUNDS**2:
            self._rings = max(0, self._rings - 1)
            return self._rings > 0
        self._rings = _RINGS
        self._unheard = self._unheard + 1 if float(np.square(frame).mean()) < _HEARD**2 else 0
        known = self._unheard >= _UNHEARD or (self._sounded >= _LEARNT[0] and self._cancel.is_settled)
        self._sounded = _LEARNT[1] if known else self._sounded + 1
        return True
