# SPDX-License-Identifier: GPL-3.0-or-later
"""The device must not answer itself: its own sound is taken out of the microphone, and its own words out of the text.

First the sound: a partitioned-block frequency-domain adaptive filter (Soo and Pang, 1990) learns the way from the
loudspeaker to the microphone. Then the words, for what a room adds that no filter takes away.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voice.audio import Samples
from voice.turns import FRAME

_PARTITIONS = 16  # frames of delay and echo that are modelled: 0.5 s
_STEP = 0.35
_SMOOTH = 0.8


class Canceller:
    """Takes the loudspeaker out of the microphone; both at 16 kHz, frame by frame. Not for several threads."""

    def __init__(self) -> None:
        bins = FRAME + 1
        self._weights: npt.NDArray[np.complex128] = np.zeros((_PARTITIONS, bins), np.complex128)
        self._spectra: npt.NDArray[np.complex128] = np.zeros((_PARTITIONS, bins), np.complex128)
        self._before = np.zeros(FRAME)
        self._power = np.full(bins, 1e-3)

    def __call__(self, heard: Samples, played: Samples, learn: bool = True) -> Samples:
        """What is left of ``heard`` (512 samples) without the echo of ``played`` (512, and those before).

        ``learn`` is False while somebody speaks, who would be unlearnt otherwise.
        """
        self._spectra = np.roll(self._spectra, 1, axis=0)
        self._spectra[0] = np.fft.rfft(np.concatenate([self._before, played]))
        self._before = played.astype(np.float64)
        self._power = _SMOOTH * self._power + (1 - _SMOOTH) * np.square(np.abs(self._spectra)).sum(axis=0)
        echo = np.fft.irfft((self._weights * self._spectra).sum(axis=0))[FRAME:]
        left = heard - echo
        if float(np.square(left).sum()) > 2 * float(np.square(heard).sum()):
            self._weights *= 0.5  # it makes things worse: the way has changed
            left = heard.astype(np.float64)
        if learn and float(np.square(self._spectra[0]).sum().real) > 1e-6:
            error = np.fft.rfft(np.concatenate([np.zeros(FRAME), left]))
            step = _STEP * np.conj(self._spectra) * (error / (self._power + 1e-3))
            causal = np.fft.irfft(step, axis=1)
            causal[:, FRAME:] = 0
            self._weights += np.fft.rfft(causal, axis=1)
        return left.astype(np.float32)


_SHORT = 3  # words below which a text matches too easily to be called an echo of a transcript


def is_echo(heard: str, played: Sequence[str], alike: float = 74.0) -> bool:
    """Whether ``heard`` is (a stretch of) one of the texts that were being played or spoken.

    ``alike``: percent of letters in their place (Indel, best stretch) from which on it is. Texts shorter than three
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
