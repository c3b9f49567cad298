# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech for tests: Earmark's own voice, and espeak-ng in every accent and timbre.

espeak-ng comes with the wheel `espeakng-loader` and is driven through ctypes. `joe` and `say` are all that most tests
need; `speak` also tells where every word and phoneme sounds.
"""

import _ctypes
import ctypes
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

RATE = 16_000
"""Hertz of everything that leaves this module."""

PEAK = 0.7
"""The loudest sample of every utterance, so that no voice is louder than another."""

_PLAYBACK_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples go to a callback, no sound card is opened
_PHONEME_EVENTS = 1
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_WORD, _END, _PHONEME = 1, 5, 7  # espeak_EVENT_TYPE
_DONE = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """What sounds from ``start`` to ``end`` (seconds): a word as written, or a phoneme ("" is a pause)."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken text: ``samples`` float32 (n,) at 16 kHz, and where its words and phonemes are."""

    samples: Samples
    words: tuple[Mark, ...]
    phonemes: tuple[Mark, ...]


class SpeechError(RuntimeError):
    """espeak-ng could not do what it was asked."""


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Engine:
    """A copy of espeak-ng; use it as a context manager.

    The library keeps its callback, its voice and the phase of its wave generator in globals. A copy under a
    path of its own has globals of its own: a new engine always says the same text with the same samples, in every
    process; threads do not meet, and the product's own speech engine in this process is left alone. It costs 5 ms.
    """

    def __init__(self) -> None:
        import espeakng_loader

        original = Path(espeakng_loader.get_library_path())
        with tempfile.TemporaryDirectory(prefix="espeak-") as folder:
            copy = shutil.copyfile(original, Path(folder) / original.name)
            self._library = library = ctypes.CDLL(str(copy))  # once it is loaded the file may go
        library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate: int = library.espeak_Initialize(_PLAYBACK_SYNCHRONOUS, 0, data, _PHONEME_EVENTS)
        if self.rate <= 0:
            raise SpeechError("espeak-ng did not start; reinstall espeakng-loader.")
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # its breath is by chance, which begins with the clock
        library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._callback = _Callback(self._collect)  # kept: ctypes does not hold it
        library.espeak_SetSynthCallback(self._callback)
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._events: list[tuple[int, int, int, str]] = []  # type, text position, sample, phoneme

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.espeak_Terminate()
        _ctypes.dlclose(self._library._handle)

    def _collect(
        self, wave: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        if wave and count > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != _DONE:
            event = events[i]
            if event.type in (_WORD, _END, _PHONEME):
                name = event.id.string.decode("utf-8", "replace") if event.type == _PHONEME else ""
                self._events.append((event.type, event.text_position, event.sample, name))
            i += 1
        return 0

    def speak(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int) -> Utterance:
        """Speak ``text`` (see the function `speak`); a second utterance begins in another phase of the wave."""
        self._pieces, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechError(f"espeak-ng has no voice {voice!r}.")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None)
        wave = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
        return self._utterance(text, (wave / 32768).astype(np.float32), self._events)

    def _utterance(self, text: str, wave: Samples, events: list[tuple[int, int, int, str]]) -> Utterance:
        loud = np.flatnonzero(np.abs(wave) > 1e-3)
        end = int(loud[-1]) + 1 if len(loud) else len(wave)
        wave = wave[: end + 300]  # espeak ends with a pause; 14 ms of it keep the last sound whole
        peak = float(np.abs(wave).max(initial=0.0))
        samples = resample(wave * (PEAK / peak) if peak else wave, self.rate, RATE)
        phones = [(name, sample) for kind, _, sample, name in events if kind == _PHONEME and sample <= end]
        ends = [sample for _, sample in phones[1:]] + [end]
        phonemes = tuple(
            Mark("" if name.startswith("_") else name, start / self.rate, stop / self.rate)
            for (name, start), stop in zip(phones, ends, strict=True)
        )
        starts = {position: sample for kind, position, sample, _ in reversed(events) if kind == _WORD}
        return Utterance(samples, tuple(self._words(text, starts, end)), phonemes)

    def _words(self, text: str, starts: dict[int, int], end: int) -> list[Mark]:
        """One mark for each word of ``text``; words run together ("of the") share their span evenly."""
        words = text.split(" ")
        begin: list[int | None] = []
        position = 1  # espeak counts characters from one
        for word in words:
            here = range(position, position + len(word))
            begin.append(next((starts[p] for p in here if p in starts), None))
            position += len(word) + 1
        known = [(i, sample) for i, sample in enumerate(begin) if sample is not None and i > 0]
        points = [(0, begin[0] or 0), *known, (len(words), end)]
        indices, samples = zip(*points, strict=True)
        edges = np.interp(np.arange(len(words) + 1), indices, samples) / self.rate
        return [Mark(word, float(edges[i]), float(edges[i + 1])) for i, word in enumerate(words)]


def resample(wave: Samples, source: int, target: int) -> Samples:
    """Band-limited change of rate in the frequency domain: float32 (n,) at ``source`` Hz to ``target`` Hz."""
    count = round(len(wave) * target / source)
    divisor = int(np.gcd(source, target))
    block = source // divisor * 32  # in whole blocks both lengths are integers, and the FFT is fast
    padded = np.pad(wave, (0, -len(wave) % block + block))
    length = len(padded) * target // source
    spectrum = np.fft.rfft(padded)[: length // 2 + 1]
    return (np.fft.irfft(spectrum, length)[:count] * (target / source)).astype(np.float32)


def speak(
    text: str, voice: str = "en-us+f3", rate: int = 160, pitch: int = 50, pitch_range: int = 50
) -> Utterance:
    """Speak ``text`` and tell where its words and phonemes are.

    ``rate`` is words per minute; ``pitch`` and ``pitch_range`` are 0-99. Raises SpeechError for a voice that
    espeak-ng does not have.
    """
    with Engine() as engine:
        return engine.speak(text, voice, rate, pitch, pitch_range)


def say(text: str, voice: str = "en-us+f3", rate: int = 160, pitch: int = 50) -> Samples:
    """Speak ``text``: float32 (n,) at 16 kHz, loudest sample 0.7, no silence before or after it.

    ``rate`` is words per minute and ``pitch`` 0-99.
    """
    return speak(text, voice, rate, pitch).samples


@cache
def joe(text: str) -> Samples:
    """``text`` in the voice that comes with Earmark: float32 (n,) at 16 kHz, loudest sample 0.7.

    Its chance is switched off, so that the same text gives the same samples.
    """
    from piper import SynthesisConfig

    steady = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
    wave = np.concatenate([chunk.audio_float_array for chunk in _joe().synthesize(text, steady)])
    samples = resample(wave, _joe().config.sample_rate, RATE)
    return samples * np.float32(PEAK / max(1e-6, float(np.abs(samples).max(initial=0.0))))


@cache
def _joe() -> Any:
    from piper import PiperVoice

    from voice.weights import JOE

    assert JOE.path is not None, JOE.remedy
    return PiperVoice.load(next(JOE.path.glob("*.onnx")))


def with_silence(samples: Samples, before: float = 0.3, after: float = 0.5) -> Samples:
    """``samples`` (16 kHz) with ``before`` and ``after`` seconds of silence, as a turn is heard."""
    return np.pad(samples, (round(before * RATE), round(after * RATE)))
