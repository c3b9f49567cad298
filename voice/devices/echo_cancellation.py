# SPDX-License-Identifier: GPL-3.0-or-later
"""The device must not answer itself: its own sound is taken out of the microphone, and its own words out of the text.

First the sound: a partitioned-block frequency-domain Kalman filter (Enzner and Vary, 2006; Kuech, Mabande and Enzner,
2014) learns the way from the loudspeaker to the microphone, and a delay-locked loop how far the clocks of the two run
apart. What the filter usually leaves over is taken for no one. Then the words, for what no filter takes away.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voice.audio import FRAME, HEARING_RATE, Samples
from voice.model import Heard

_PARTITIONS = 16  # frames of delay and echo that are modelled: 0.5 s
_KEPT_SPECTRA = 8 * _PARTITIONS
_KEEPS = 0.9995  # how much of the way from loudspeaker to microphone stays as it is from frame to frame
_SMOOTH = 0.6  # of the power of what is not echo
_FAINT = (4.0, 0.03, 0.5)  # times what is usually left of the echo's power, below which it is that; the least, the most
_SETTLED = 0.14  # of the echo's power that may be left over when its way is known
_RINGS = 0.85  # of its power that an echo still has in the next frame
_SILENT = 1e-4  # power of a frame's echo below which there is nothing to be learnt
_LOOP = (7e-7, 8e-5)  # what a delay of one sample changes of the drift, for good and for the moment
_SETTLES = 60  # frames of echo before which the filter still learns the delay itself
_FARTHEST = 3e-4  # drift: worse clocks are not built
_BAND = (150.0, 1200.0)  # hertz, where a delay of some samples is still less than half a wave


class EchoCanceller:
    """Takes the loudspeaker out of the microphone; both at 16 kHz, frame by frame. Not for several threads.

    A Kalman filter per frequency: what is no echo (somebody speaks) counts as noise of the measurement, so that the
    filter learns slowly then, and needs nobody to tell it when. ``drift`` is by how much faster ``played`` has to be
    read than it was, so that it keeps pace with ``heard`` (``voice.devices.resampling``). ``is_remains`` says of
    the last frame that what is left is no more than is usually left of an echo: nobody speaks that softly beside a
    loudspeaker.
    """

    def __init__(self) -> None:
        bins = FRAME + 1
        self._weights: npt.NDArray[np.complex64] = np.zeros((_PARTITIONS, bins), np.complex64)
        self._played = np.zeros((_KEPT_SPECTRA, bins), np.complex64)  # spectra, the newest first from _newest on
        self._powers = np.zeros((_KEPT_SPECTRA, bins), np.float32)
        self._newest = _KEPT_SPECTRA - _PARTITIONS
        self._doubt = np.full((_PARTITIONS, bins), 0.3, np.float32)
        self._other = np.full(bins, 1e-2, np.float32)
        self._before = np.zeros(FRAME, np.float32)
        self.is_remains = False
        self.drift = 0.0
        self._steady = 0.0  # the drift without what it is for the moment
        self._cross: npt.NDArray[np.complex64] = np.zeros(bins, np.complex64)
        self._window = np.hanning(FRAME).astype(np.float32)
        hertz = np.fft.rfftfreq(2 * FRAME, 1 / HEARING_RATE)
        self._band = (hertz > _BAND[0]) & (hertz < _BAND[1])
        self._turning = 2 * np.pi * hertz[self._band] / HEARING_RATE  # radians a sample
        self._usual = np.log(0.5)  # logarithm of the share of the echo's power that is left over, half of the time
        self._ringing = 0.0
        self._learnt = 0  # frames of echo
        self._silence = 0  # frames in a row for which nothing was played

    def __call__(self, heard: Samples, played: Samples) -> Samples:
        """What is left of ``heard`` (512 samples) without the echo of ``played`` (512, and those before)."""
        self._silence = 0 if played.any() else self._silence + 1
        if self._silence > _PARTITIONS + 1:  # all that is modelled is silent, and stays so
            self.is_remains = False
            return heard
        spectra, power = self._spectra_with(played)
        self.is_remains = False
        if float(power.sum()) < 1e-6:
            return heard  # nothing sounds
        echo = _samples((self._weights * spectra).sum(axis=0))[FRAME:]
        left = heard - echo
        error = _spectrum(np.concatenate([np.zeros(FRAME, np.float32), left]))
        self._other = _SMOOTH * self._other + (1 - _SMOOTH) * _power(error)
        gain = self._doubt / (np.einsum("pb,pb->b", power, self._doubt) + 2 * self._other + 1e-9)
        change = _samples(np.conj(spectra) * (gain * error))
        change[:, FRAME:] = 0
        self._weights = _KEEPS * (self._weights + _spectrum(change))
        spread = _power(self._weights)
        self._doubt = _KEEPS**2 * (1 - 0.5 * gain * power) * self._doubt + (1 - _KEEPS**2) * spread
        self._follow(heard, echo)
        if float(np.square(left).sum()) > 2 * float(np.square(heard).sum()):
            return heard  # it makes things worse: the way has changed
        self.is_remains = self._is_remains(left, echo)
        return left

    def _spectra_with(self, played: Samples) -> tuple[npt.NDArray[np.complex64], npt.NDArray[np.float32]]:
        """The spectra of all that is modelled, the newest first, and their power."""
        if self._newest == 0:  # room for new ones before them, without moving all of them for each
            for kept in (self._played, self._powers):
                kept[-_PARTITIONS:] = kept[:_PARTITIONS].copy()
            self._newest = _KEPT_SPECTRA - _PARTITIONS
        self._newest -= 1
        self._played[self._newest] = _spectrum(np.concatenate([self._before, played]))
        self._powers[self._newest] = _power(self._played[self._newest])
        self._before = played.copy()
        part = slice(self._newest, self._newest + _PARTITIONS)
        return self._played[part], self._powers[part]

    @property
    def is_settled(self) -> bool:
        """True when little of the echo is left over most of the time."""
        return float(np.exp(self._usual)) < _SETTLED

    def _follow(self, heard: Samples, echo: Samples) -> None:
        """Learn the drift: a filter that is always a little late shows that one clock runs away from the other."""
        if float(np.square(echo).sum()) < _SILENT:
            return
        self._learnt += 1
        both = [_spectrum(part * self._window, 2 * FRAME) for part in (heard, echo)]
        self._cross = 0.95 * self._cross + both[0] * np.conj(both[1])
        if self._learnt < _SETTLES:
            return
        cross = self._cross[self._band]
        weight = np.abs(cross) * self._turning
        late = -float((weight * np.angle(cross)).sum() / ((weight * self._turning).sum() + 1e-9))  # samples
        self._steady = float(np.clip(self._steady - _LOOP[0] * late, -_FARTHEST, _FARTHEST))
        self.drift = self._steady - _LOOP[1] * late

    def _is_remains(self, left: Samples, echo: Samples) -> bool:
        """Whether it is no more than the filter leaves over of an echo; nobody speaks that softly beside it."""
        power = float(np.square(echo).sum())
        self._ringing = max(power, _RINGS * self._ringing)
        if power < _SILENT:
            return False
        share = float(np.square(left).sum()) / self._ringing
        if self._learnt > _SETTLES // 2:  # a median, step by step: who speaks for a while does not move it far
            self._usual += 0.05 if np.log(share + 1e-9) > self._usual else -0.05
        return share < min(_FAINT[2], max(_FAINT[1], _FAINT[0] * float(np.exp(self._usual))))


def _spectrum(samples: Samples, size: int | None = None) -> npt.NDArray[np.complex64]:
    """The spectrum of each row, in single precision (which is what NumPy computes, and not what its types say)."""
    return np.fft.rfft(samples, size).astype(np.complex64, copy=False)


def _samples(spectrum: npt.NDArray[np.complex64]) -> Samples:
    return np.fft.irfft(spectrum).astype(np.float32, copy=False)


def _power(spectrum: npt.NDArray[np.complex64]) -> npt.NDArray[np.float32]:
    return np.square(spectrum.real) + np.square(spectrum.imag)


_SHORT = 5  # words below which a text matches too easily to be called an echo of a transcript
_MUMBLED = 0.55  # confidence below which so short a text is what was left over of an echo, and nobody's question


def is_echo(heard: Heard, played: Sequence[str], command: bool = False, alike: float = 82.0) -> bool:
    """Whether what was heard is of the texts that were being played or spoken (none: nothing sounded).

    ``alike``: percent of letters in their place (Indel, best stretch) from which on a stretch of a text is that. Fewer
    than five words may stand in any transcript: they are an echo when the recogniser is unsure of them and they are no
    ``command``.
    """
    from rapidfuzz import fuzz

    words = _plain(heard.text)
    if len(words.split()) < _SHORT:
        return bool(played) and not command and heard.confidence < _MUMBLED
    return any(len(text) >= len(words) * 0.7 and fuzz.partial_ratio(words, text) >= alike
               for text in map(_plain, played))


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() or letter == "'" else " " for letter in text.lower()).split())
