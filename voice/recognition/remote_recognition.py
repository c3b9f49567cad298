# SPDX-License-Identifier: GPL-3.0-or-later
"""Hearing on another machine: a Wyoming recogniser hears questions, one of this machine everything else."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from voice.audio import HEARING_RATE, Audio, pcm16
from voice.errors import EngineError
from voice.model import Bias, Heard, Piece, Wanted, always_wanted
from voice.recognition.choice import NOTHING, Hearing
from voice.turns.voice_activity import spoken_part
from voice.wyoming_client import RemoteEngine

CONFIDENCE = 0.8
"""Of what is heard elsewhere, since the protocol tells none."""

_PIECE = 8_192  # bytes of sound in an event
_FORMAT = {"rate": HEARING_RATE, "width": 2, "channels": 1}


class RemoteHearing:
    """See ``voice.recognition.choice.Hearing``. ``local`` makes the recogniser of this machine, when it is needed:
    for recordings, and for questions while the other one is away."""

    def __init__(self, engine: RemoteEngine, local: Callable[[], Hearing], language: str = "en") -> None:
        self.name = f"Wyoming at {engine.address}"
        self._engine, self._make, self._language = engine, local, language
        self._lock = threading.Lock()
        self._local: Hearing | None = None

    def hear(
        self, audio: Audio, bias: Bias = NOTHING, timed: bool = False, wanted: Wanted = always_wanted
    ) -> Heard:
        """See ``Hearing``; silence is not sent, since recognisers invent text for it."""
        _, spoken = spoken_part(audio.at_rate(HEARING_RATE).samples)
        if not len(spoken):
            return Heard("", 1.0)
        if not wanted():
            return Heard("", 0.0)
        try:
            return Heard(self._asked(audio.at_rate(HEARING_RATE), bias), CONFIDENCE)
        except EngineError:
            return self._here().hear(audio, bias, timed, wanted)

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        """See ``Hearing``; always on this machine."""
        return self._here().transcribe(path, bias, since)

    def _asked(self, audio: Audio, bias: Bias) -> str:
        from wyoming.asr import Transcribe, Transcript
        from wyoming.audio import AudioChunk, AudioStart, AudioStop

        request = Transcribe(
            self._engine.address.model or None, None if self._language == "auto" else self._language,
            transcript_names=list(bias.names) or None, transcript_terms=list(bias.words) or None,
        )  # fmt: skip
        data = pcm16(audio.samples).astype("<i2").tobytes()
        chunks = [AudioChunk(**_FORMAT, audio=data[at : at + _PIECE]).event() for at in range(0, len(data), _PIECE)]
        sent = [request.event(), AudioStart(**_FORMAT).event(), *chunks, AudioStop().event()]
        text = Transcript.from_event(self._engine.ask(sent, "transcript")[-1]).text
        return text.strip() if isinstance(text, str) else ""

    def _here(self) -> Hearing:
        with self._lock:
            if self._local is None:
                self._local = self._make()
            return self._local
