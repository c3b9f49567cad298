# SPDX-License-Identifier: GPL-3.0-or-later
"""Microphone and loudspeaker of a running companion: opened, watched, and opened again when they come back."""

import logging
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from voice.audio import HEARING_RATE, Audio, Resampler, Samples
from voice.devices import sound_devices
from voice.devices.player import Player
from voice.devices.resampling import DriftResampler
from voice.errors import DeviceError

log = logging.getLogger("earmark.listen")

_SILENT = 3.0  # seconds without a block after which a device is gone
_PATIENCE = (1.0, 30.0)  # seconds between two tries, the first and the longest
_LATENCY = (0.06, 0.24)  # seconds of sound that lie in the loudspeaker: as little as the machine keeps up with
_GAPS = 5  # gaps after which it gets more
_LATE = 0.5  # seconds of played sound that may wait to be compared with the microphone


class Earcon(Enum):
    """Short sounds that say something: I listen (rising); I did not understand that (falling)."""

    LISTENING = (660.0, 880.0)
    UNSURE = (520.0, 390.0)


def earcon(rate: int, kind: Earcon = Earcon.LISTENING) -> Audio:
    """The sound of an earcon: two tones (hertz, their values), 0.14 s in all."""
    at = np.arange(round(0.14 * rate)) / rate
    wave = 0.2 * np.sin(2 * np.pi * np.where(at < 0.07, *kind.value) * at) * np.sin(np.pi * at / 0.14)
    return Audio(wave.astype(np.float32), rate)


class DuplexDevice:
    """Both devices, by name or index ("" is the usual one). ``take`` gets the microphone's blocks at 16 kHz.

    The loudspeaker plays without a microphone, too: ``deaf`` hears why there is none, once, and None when it is there
    again.
    """

    def __init__(
        self, player: Player, take: Callable[[Samples], None], microphone: str, loudspeaker: str,
        deaf: Callable[[DeviceError | None], None] = lambda error: None,
    ) -> None:
        self._player, self._take, self._deaf = player, take, deaf
        self._names = {"input": microphone, "output": loudspeaker}
        self._streams: dict[str, Any] = {}
        self._alive = {"input": 0.0, "output": 0.0}
        self._next_try, self._wait = dict.fromkeys(_WHAT, 0.0), dict.fromkeys(_WHAT, _PATIENCE[0])
        self._said = dict.fromkeys(_WHAT, "")
        self._changes = sound_devices.Changes()
        self._to_hearing = Resampler(player.rate, HEARING_RATE)
        self._from_microphone = Resampler(HEARING_RATE, HEARING_RATE)
        self._to_loudspeaker = Resampler(player.rate, player.rate)
        self._made = np.zeros(0, np.float32)
        self._echo = DriftResampler()
        self._silent = False  # what was played last
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
                self._lost(kind, DeviceError(f"The {_WHAT[kind]} sends nothing any more.", "Waiting for it to return."))
                return
        if self._gaps >= _GAPS and self._latency < _LATENCY[1] and self.open:
            self._latency = min(2 * self._latency, _LATENCY[1])
            log.info("The sound had gaps; from now on the loudspeaker gets it %.2f s ahead.", self._latency)
            self.close()
        if "output" not in self._streams:
            self._try("output", self._open_loudspeaker)
        elif "input" not in self._streams and self._changes.seen():
            self.close()  # PortAudio lists devices once, and anew only while no stream is open
            self._next_try = dict.fromkeys(_WHAT, 0.0)
            return
        if "output" in self._streams and "input" not in self._streams:
            self._try("input", self._open_microphone)

    def _try(self, kind: str, make: Callable[[], None]) -> None:
        now = time.monotonic()
        if now < self._next_try[kind]:
            return
        try:
            make()
        except DeviceError as error:
            self._lost(kind, error)
            self._wait[kind] = min(2 * self._wait[kind], _PATIENCE[1])
            return
        self._alive[kind] = time.monotonic()
        self._wait[kind] = _PATIENCE[0]
        if self._said[kind]:
            log.info("The %s is back.", _WHAT[kind])
            self._said[kind] = ""
            if kind == "input":
                self._deaf(None)

    def _open_loudspeaker(self) -> None:
        self.close()
        sound_devices.refresh()
        self._gaps = 0
        stream, rate = sound_devices.open_loudspeaker(
            self._fill, self._player.rate, self._names["output"], self._latency, self._gap
        )
        self._streams["output"] = stream
        self._to_loudspeaker = Resampler(self._player.rate, rate)
        self._factor = self._player.rate / rate

    def _open_microphone(self) -> None:
        stream, rate = sound_devices.open_microphone(self._arrived, self._names["input"])
        self._streams["input"] = stream
        self._from_microphone = Resampler(rate, HEARING_RATE)

    def _lost(self, kind: str, error: DeviceError) -> None:
        """A device is not there (any more): without a loudspeaker nothing runs, without a microphone the rest does."""
        if kind == "output":
            self.close()
        else:
            self._close("input")
            self._changes.watch()
        self._next_try[kind] = time.monotonic() + self._wait[kind]
        if str(error) != self._said[kind]:  # once, not at every try
            again, self._said[kind] = bool(self._said[kind]), str(error)
            log.warning("%s", error)
            if kind == "input" and not again:
                self._deaf(error)

    def close(self) -> None:
        """Close both; playback stands still meanwhile."""
        for kind in list(self._streams):
            self._close(kind)
        self._changes.stop()

    def _close(self, kind: str) -> None:
        stream = self._streams.pop(kind, None)
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    def played(self, drift: float = 0.0) -> Samples:
        """What the loudspeaker was given since the last call for as long as the microphone heard, at 16 kHz, read
        faster by the factor 1 + ``drift``."""
        with self._lock:
            asked, self._asked = self._asked, 0
        given = []
        while self._player.played:
            given.append(self._player.played.popleft())
        if given:
            self._echo.add(self._at_hearing_rate(np.concatenate(given)))
        if self._echo.waiting > asked + _LATE * HEARING_RATE:
            self._echo.skip(self._echo.waiting - asked - round(_LATE * HEARING_RATE / 5))
        return self._echo.take(asked, drift)

    def _at_hearing_rate(self, samples: Samples) -> Samples:
        """The next samples that were played; of silence only the first block is worth resampling."""
        was_silent, self._silent = self._silent, not samples.any()
        count = len(samples) * HEARING_RATE / self._player.rate
        if was_silent and self._silent and count.is_integer():
            return np.zeros(int(count), np.float32)
        return self._to_hearing(samples)

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
