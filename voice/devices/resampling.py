# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sound devices have two clocks, which run apart by some parts in a million: one stream is read at another's pace.

Half a sample a second is enough to keep an echo filter from ever learning: what the loudspeaker was given must be read
as fast as the microphone hears. Band-limited interpolation (a windowed sinc), after Smith, "Digital audio resampling",
2002.
"""

import numpy as np

from voice.audio import Samples

_BEFORE, _BEHIND = 7, 8  # samples on either side of the one that is read
_PHASES = 512  # places between two samples: the rounding stays 60 dB below the sound
_AT = np.arange(-_BEFORE, _BEHIND + 1)
_SHIFTS = np.arange(_PHASES)[:, None] / _PHASES - _AT
_TAPS = (np.sinc(_SHIFTS) * np.cos(np.pi * _SHIFTS / 18) ** 2).astype(np.float32)


class DriftResampler:
    """Sound that was handed over and is read at a pace of its own. Not for several threads."""

    def __init__(self) -> None:
        self._held = np.zeros(_BEFORE, np.float32)
        self._place = float(_BEFORE)

    @property
    def waiting(self) -> int:
        """Samples that were not read yet."""
        return len(self._held) - int(self._place)

    def add(self, samples: Samples) -> None:
        """Hand over the next samples (n,)."""
        self._held = np.concatenate([self._held, samples])

    def skip(self, count: int) -> None:
        """Leave out the next samples."""
        self._place += count

    def take(self, count: int, drift: float = 0.0) -> Samples:
        """The next ``count`` samples, read faster by the factor 1 + ``drift``; silence for what is not there."""
        places = self._place + np.arange(count) * (1 + drift)
        first = np.floor(places).astype(np.int64)
        lacking = int(first[-1]) + _BEHIND + 1 - len(self._held) if count else 0
        if lacking > 0:
            self._held = np.concatenate([self._held, np.zeros(lacking, np.float32)])
        if drift == 0.0 and self._place.is_integer():
            made = self._held[int(self._place) :][:count].copy()
        else:
            taps = _TAPS[((places - first) * _PHASES).astype(np.int64)]
            made = (self._held[first[:, None] + _AT] * taps).sum(axis=1)
        self._place += count * (1 + drift)
        passed = int(self._place) - _BEFORE
        self._held, self._place = self._held[passed:], self._place - passed
        return made
