# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaking on another machine: a Wyoming voice, and the one of this machine while it is away."""

import threading
from collections.abc import Callable, Iterator

from voice.audio import Audio, Resampler, from_pcm16, join
from voice.errors import EngineError
from voice.synthesis.piper import Speaking
from voice.synthesis.text_normalization import speech_pieces
from voice.wyoming_client import RemoteEngine

_RATES = range(4_000, 192_001)


class RemoteSpeaking:
    """See ``voice.synthesis.piper.Speaking``. ``local`` makes the voice of this machine, when it is needed."""

    rate = 22_050
    """Hertz: what most voices speak at; another rate is converted."""

    def __init__(self, engine: RemoteEngine, local: Callable[[], Speaking]) -> None:
        self.name = f"Wyoming at {engine.address}"
        self._engine, self._make = engine, local
        self._lock = threading.Lock()
        self._local: Speaking | None = None

    def speak(self, text: str) -> Iterator[Audio]:
        """See ``Speaking``; a piece that the other machine cannot say is said by the voice of this one."""
        for piece in speech_pieces(text):
            try:
                sound = self._asked(piece)
            except EngineError:
                here = self._here()
                resampled = Resampler(here.rate, self.rate)
                yield from (Audio(resampled(sound.samples), self.rate) for sound in here.speak(piece))
                continue
            if len(sound.samples):
                yield sound.at_rate(self.rate)

    def close(self) -> None:
        """Give the memory of the voice of this machine back."""
        with self._lock:
            if self._local is not None:
                self._local.close()

    def _asked(self, piece: str) -> Audio:
        from wyoming.audio import AudioChunk
        from wyoming.tts import Synthesize, SynthesizeVoice

        model = self._engine.address.model
        request = Synthesize(piece, SynthesizeVoice(model) if model else None)
        came = self._engine.ask([request.event()], "audio-stop")
        try:
            chunks = [AudioChunk.from_event(event) for event in came if event.type == "audio-chunk"]
            if any(chunk.width != 2 or chunk.channels != 1 or chunk.rate not in _RATES for chunk in chunks):
                raise ValueError("its sound is not 16-bit mono")
            return join([from_pcm16(chunk.audio, chunk.rate) for chunk in chunks if chunk.audio])
        except (KeyError, TypeError, ValueError) as error:  # also: nothing came, or at two rates
            raise EngineError(f"{self._engine.address} sends no sound that can be used ({error}).") from error

    def _here(self) -> Speaking:
        with self._lock:
            if self._local is None:
                self._local = self._make()
            return self._local
