# SPDX-License-Identifier: GPL-3.0-or-later
"""espeak-ng through ctypes: the waveform of a text and the sample at which each of its phonemes begins."""

import ctypes as c
import shutil
import unicodedata
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

_PHONEME, _END_OF_LIST = 7, 0  # kinds of events
_RATE, _PITCH, _RANGE = 1, 3, 4  # parameters
_SYNCHRONOUS, _PHONEME_EVENTS, _IPA = 2, 1, 2  # the mode of output, and the options of espeak_Initialize
_UTF8 = 1


class _Id(c.Union):
    _fields_ = [("number", c.c_int), ("name", c.c_char_p), ("string", c.c_char * 8)]


class _Event(c.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", c.c_int),
        ("unique_identifier", c.c_uint),
        ("text_position", c.c_int),
        ("length", c.c_int),
        ("audio_position", c.c_int),
        ("sample", c.c_int),
        ("user_data", c.c_void_p),
        ("id", _Id),
    ]


_Callback = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.POINTER(_Event))


class Espeak:
    """The library with one voice of its own making; it keeps global state, so have one in a process.

    folder: an empty folder for a private copy of espeak's data, to which the voice is added.
    language: espeak's voice to start from, such as "en-us".
    variant: the lines of an espeak voice variant (pitch, formants, flutter; see espeak's docs/voices.md).
    """

    def __init__(self, folder: Path, language: str, variant: str) -> None:
        import espeakng_loader

        data = folder / "espeak-ng-data"
        shutil.copytree(espeakng_loader.get_data_path(), data)
        (data / "voices" / "!v" / "own").write_text(f"language variant\nname own\n{variant}\n", encoding="utf-8")
        self._lib = c.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_Synth.argtypes = [
            c.c_char_p, c.c_size_t, c.c_uint, c.c_int, c.c_uint, c.c_uint, c.c_void_p, c.c_void_p,
        ]  # fmt: skip
        options = _PHONEME_EVENTS | _IPA
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, str(data.parent).encode(), options)
        if self.rate <= 0:
            raise RuntimeError(f"espeak-ng does not start with the data in {data}")
        self._callback = _Callback(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)
        if self._lib.espeak_SetVoiceByName(f"{language}+own".encode()):
            raise RuntimeError(f"espeak-ng has no voice {language}")
        self._waves: list[npt.NDArray[np.int16]] = []
        self._phonemes: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lib.espeak_Terminate()

    def say(
        self, text: str, words_a_minute: int, pitch: int = 50, pitch_range: int = 50
    ) -> tuple[npt.NDArray[np.float32], list[tuple[str, int]]]:
        """The wave (float32 (n,), at `rate` hertz) and the phonemes as (IPA without stress, first sample)."""
        for parameter, value in ((_RATE, words_a_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._waves, self._phonemes = [], []
        encoded = text.encode() + b"\0"
        self._lib.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
        wave = np.concatenate(self._waves) if self._waves else np.zeros(0, np.int16)
        return (wave / 32768).astype(np.float32), self._phonemes

    def _collect(self, wave: "c._Pointer[c.c_short]", n: int, events: "c._Pointer[_Event]") -> int:
        """Called by the library with each piece of sound and what happens in it."""
        if wave and n > 0:
            self._waves.append(np.ctypeslib.as_array(wave, (n,)).copy())
        at = 0
        while events[at].type != _END_OF_LIST:
            if events[at].type == _PHONEME:
                name = unicodedata.normalize("NFD", events[at].id.string.decode("utf-8", "replace"))
                self._phonemes.append((name, int(events[at].sample)))
            at += 1
        return 0
