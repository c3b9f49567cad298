# SPDX-License-Identifier: GPL-3.0-or-later
"""Microphone and loudspeaker of a running companion: opened, watched, and opened again when they come back."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from voice.audio import HEARING_RATE, Audio, Samples
from voice.devices import sound_devices
from voice.devices.player import Player
from voice.devices.resampling import Line
from voice.errors import DeviceError

log = logging.getLogger("earmark.listen")

_SILENT = 3.0  # seconds without a block after which a device is gone
_PATIENCE = (1.0, 30.0)  # seconds between two tries, the first and the longest
_LATENCY = (0.06, 0.24)  # seconds of sound that lie in the loudspeaker: as little as the machine keeps up with
_GAPS = 5  # gaps after which it gets more
_LATE = 0.5  # seconds of played sound that may wait to be compared with the microphone


def earcon(rate: int) -> Audio:
    """The short rising sound that says: I listen."""
    at = np.arange(round(0.14 * rate)) / rate
    wave = 0.2 * np.sin(2 * np.pi * np.where(at < 0.07, 660, 880) * at) * np.sin(np.pi * at / 0.14)
    return Audio(wave.astype(np.float32), rate)


class Resampler:
    """A stream at one rate in hertz as a stream at another, block by block."""

    def __init__(self, given: int, wanted: int) -> None:
        import av

        self._given, self._wanted = given, wanted
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=wanted)

    def __call__(self, samples: Samples) -> Samples:
        """The next samples; a few may still be inside."""
        if self._given == self._wanted or not len(samples):
            return samples
        import av

        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = self._given
        made = [piece.to_ndarray().reshape(-1) for piece in self._resampler.resample(frame)]
        return np.concatenate(made) if made else np.zeros(0, np.float32)


class Sound:
    """Both devices, by name or index ("" is the usual one). ``take`` gets the microphone's blocks at 16 kHz."""

    def __init__(self, player: Player, take: Callable[[Samples], None], microphone: str, loudspeaker: str) -> None:
        self._player, self._take = player, take
        self._names = {"input": microphone, "output": loudspeaker}
        self._streams: dict[str, Any] = {}
        self._alive = {"input": 0.0, "output": 0.0}
        self._next_try, self._wait, self._said = 0.0, _PATIENCE[0], ""
        self._to_hearing = Resampler(player.rate, HEARING_RATE)
        self._from_microphone = Resampler(HEARING_RATE, HEARING_RATE)
        self._to_loudspeaker = Resampler(player.rate, player.rate)
        self._made = np.zeros(0, np.float32)
        self._echo = Line()
        self._asked = 0
        self._gaps, self._latency = 0, _LATENCY[0]
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """True while both devices run."""
        return len(self._streams) == 2

    def attend(self) -> None:
        """Open what is not open, and close what has fallen silent; costs nothing while all is well."""
        now = time.monotonic()
        for kind in list(self._streams):
            if now - self._alive[kind] > _SILENT:
                self.close()
                self._complain(DeviceError(f"The {_WHAT[kind]} sends nothing any more.", "Waiting for it to return."))
                self._next_try = now + self._wait
                return
        if self._gaps >= _GAPS and self._latency < _LATENCY[1] and self.open:
            self._latency = min(2 * self._latency, _LATENCY[1])
            log.info("The sound had gaps; from now on the loudspeaker gets it %.2f s ahead.", self._latency)
            self.close()
        if self.open or now < self._next_try:
            return
        try:
            self.close()
            sound_devices.refresh()
            self._gaps = 0
            stream, rate = sound_devices.open_loudspeaker(
                self._fill, self._player.rate, self._names["output"], self._latency, self._gap
            )
            self._streams["output"] = stream
            self._to_loudspeaker = Resampler(self._player.rate, rate)
            self._factor = self._player.rate / rate
            self._alive["output"] = now
            stream, rate = sound_devices.open_microphone(self._arrived, self._names["input"])
            self._streams["input"] = stream
            self._from_microphone = Resampler(rate, HEARING_RATE)
            self._alive["input"] = time.monotonic()
        except DeviceError as error:
            self.close()
            self._complain(error)
            self._next_try = now + self._wait
            self._wait = min(2 * self._wait, _PATIENCE[1])
            return
        self._wait = _PATIENCE[0]
        if self._said:
            log.info("The sound devices are back.")
            self._said = ""

    def close(self) -> None:
        """Close both; playback stands still meanwhile."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    def played(self, drift: float = 0.0) -> Samples:
        """What the loudspeaker was given since the last call for as long as the microphone heard, at 16 kHz, read
        faster by the factor 1 + ``drift``."""
        with self._lock:
            asked, self._asked = self._asked, 0
        while self._player.played:
            self._echo.add(self._to_hearing(self._player.played.popleft()))
        if self._echo.waiting > asked + _LATE * HEARING_RATE:
            self._echo.skip(self._echo.waiting - asked - round(_LATE * HEARING_RATE / 5))
        return self._echo.take(asked, drift)

    def _complain(self, error: DeviceError) -> None:
        if str(error) != self._said:  # once, not at every try
            self._said = str(error)
            log.warning("%s", error)

    def _arrived(self, block: Samples) -> None:
        self._alive["input"] = time.monotonic()
        block = self._from_microphone(block)
        with self._lock:
            self._asked += len(block)
        self._take(block)

    def _gap(self) -> None:
        self._gaps += 1

    def _fill(self, out: Samples) -> None:
        self._alive["output"] = time.monotonic()
        if self._factor == 1:
            self._player.fill(out)
            return
        while len(self._made) < len(out):
            piece = np.zeros(round(len(out) * self._factor), np.float32)
            self._player.fill(piece)
            self._made = np.concatenate([self._made, self._to_loudspeaker(piece)])
        out[:], self._made = self._made[: len(out)], self._made[len(out) :]

    _factor = 1.0


_WHAT = {"input": "microphone", "output": "loudspeaker"}
