# SPDX-License-Identifier: GPL-3.0-or-later
"""The device must not answer itself: its own sound is taken out of the microphone, and its own words out of the text.

First the sound: a partitioned-block frequency-domain Kalman filter (Enzner and Vary, 2006; Kuech, Mabande and Enzner,
2014) learns the way from the loudspeaker to the microphone. Then the words, for what no filter takes away.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voice.audio import Samples
from voice.turns import FRAME

_PARTITIONS = 16  # frames of delay and echo that are modelled: 0.5 s
_KEEPS = 0.9995  # how much of the way from loudspeaker to microphone stays as it is from frame to frame
_FAINT = 0.03  # of the echo's power, below which what is left counts as its remains
_SMOOTH = 0.6  # of the power of what is not echo


class Canceller:
    """Takes the loudspeaker out of the microphone; both at 16 kHz, frame by frame. Not for several threads.

    A Kalman filter per frequency: what is no echo (somebody speaks) counts as noise of the measurement, so that the
    filter learns slowly then, and needs nobody to tell it when.
    """

    def __init__(self) -> None:
        bins = FRAME + 1
        self._weights: npt.NDArray[np.complex128] = np.zeros((_PARTITIONS, bins), np.complex128)
        self._spectra: npt.NDArray[np.complex128] = np.zeros((_PARTITIONS, bins), np.complex128)
        self._doubt = np.full((_PARTITIONS, bins), 0.3)
        self._other = np.full(bins, 1e-2)
        self._before = np.zeros(FRAME)

    def __call__(self, heard: Samples, played: Samples) -> Samples:
        """What is left of ``heard`` (512 samples) without the echo of ``played`` (512, and those before)."""
        self._spectra = np.roll(self._spectra, 1, axis=0)
        self._spectra[0] = np.fft.rfft(np.concatenate([self._before, played]))
        self._before = played.astype(np.float64)
        power = np.square(np.abs(self._spectra))
        if float(power.sum()) < 1e-6:
            return heard  # nothing sounds
        echo = np.fft.irfft((self._weights * self._spectra).sum(axis=0))[FRAME:]
        left = heard - echo
        error = np.fft.rfft(np.concatenate([np.zeros(FRAME), left]))
        self._other = _SMOOTH * self._other + (1 - _SMOOTH) * np.square(np.abs(error))
        gain = self._doubt / ((power * self._doubt).sum(axis=0) + 2 * self._other + 1e-9)
        change = np.fft.irfft(gain * np.conj(self._spectra) * error, axis=1)
        change[:, FRAME:] = 0
        self._weights = _KEEPS * (self._weights + np.fft.rfft(change, axis=1))
        spread = np.square(np.abs(self._weights))
        self._doubt = _KEEPS**2 * (1 - 0.5 * gain * power) * self._doubt + (1 - _KEEPS**2) * spread
        if float(np.square(left).sum()) > 2 * float(np.square(heard).sum()):
            return heard  # it makes things worse: the way has changed
        if float(np.square(left).sum()) < _FAINT * float(np.square(echo).sum()):
            left *= 0.03  # nobody speaks that softly beside a loudspeaker; it is what the filter left over
        return left.astype(np.float32)


_SHORT = 5  # words below which a text matches too easily to be called an echo of a transcript


def is_echo(heard: str, played: Sequence[str], alike: float = 82.0) -> bool:
    """Whether ``heard`` is (a stretch of) one of the texts that were being played or spoken.

    ``alike``: percent of letters in their place (Indel, best stretch) from which on it is. Texts shorter than five
    words never are: a command of one word may stand in any transcript.
    """
    from rapidfuzz import fuzz

    words = _plain(heard)
    if len(words.split()) < _SHORT:
        return False
    return any(len(text) >= len(words) * 0.7 and fuzz.partial_ratio(words, text) >= alike
               for text in map(_plain, played))


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() or letter == "'" else " " for letter in text.lower()).split())
