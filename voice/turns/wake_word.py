# SPDX-License-Identifier: GPL-3.0-or-later
"""The wake word: which detector reads the model that a listener gives, and that the podcast's own words wake nobody."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from voice.audio import Samples
from voice.errors import SettingsError
from voice.wyoming_client import address_of, is_remote

INSTALL_WAKE_WORDS = f"Run: {sys.executable} -m pip install pymicro-wakeword livekit-wakeword"
"""What brings the packages of the detectors."""

_AFTER = 2.0  # seconds after the loudspeaker said the word in which hearing it means nothing
_RATE = 16_000
_SOUNDS = 0.003  # root mean square above which a block of the loudspeaker is listened to
_OWN = 0.5  # of the probability that wakes: so much of it in the loudspeaker's own sound is the word too


class WakeWord(Protocol):
    """A detector of one word in a stream at 16 kHz. Not for several threads."""

    name: str
    """The word, or its model, as shown to people."""
    sure: float
    """The probability from which on the word was said."""

    def __call__(self, samples: Samples) -> float:
        """The highest probability (0..1) that the word ended within the next samples (n,)."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


def load_wake(setting: str) -> Callable[[], WakeWord]:
    """A maker of detectors for a model: a microWakeWord's ``.json`` (its ``.tflite`` beside it), an openWakeWord's
    ``.onnx``, the name of a word that pymicro-wakeword brings (``okay_nabu``), or a Wyoming service (``tcp://…``).

    Raises SettingsError when there is no such model, or the package that reads it is missing.
    """
    wanted = setting.strip()
    if not wanted:
        hint = "Set wake_model to a microWakeWord .json, an openWakeWord .onnx, or okay_nabu."
        raise SettingsError("The wake word has no model.", hint)
    if is_remote(wanted):
        from voice.turns.remote_wake import RemoteWake, local_wake

        address = address_of(wanted)
        return lambda: RemoteWake(address, local_wake())
    if wanted.replace("_", "").replace(" ", "").isalnum():
        from voice.turns.microwakeword import MicroWake, builtin

        named = builtin(wanted.replace(" ", "_").lower())
        return lambda: MicroWake(named)
    path = Path(wanted).expanduser()
    if path.suffix == ".tflite" and path.with_suffix(".json").is_file():
        path = path.with_suffix(".json")
    if not path.is_file():
        raise SettingsError(f"There is no wake word model {path}.", "Check the setting wake_model.")
    if path.suffix == ".json":
        from voice.turns.microwakeword import MicroWake

        return lambda: MicroWake(path)
    if path.suffix == ".onnx":
        from voice.turns.openwakeword import OpenWake

        return lambda: OpenWake(path)
    raise SettingsError(f"{path.name} is no wake word model that can be read.",
                        "Give a microWakeWord .json with its .tflite, or an openWakeWord .onnx.")  # fmt: skip


class WakeWordListener:
    """Tells when a person says the word: it is in what is heard, and was not in what the loudspeaker just played.

    ``make`` makes a detector; one listens to each of the two.
    """

    def __init__(self, make: Callable[[], WakeWord]) -> None:
        self._near, self._own = make(), make()
        self.name = self._near.name
        self._said = -_AFTER * _RATE  # sample at which the loudspeaker said it last
        self._at = 0
        self._silent = True

    def push(self, heard: Samples, played: Samples) -> bool:
        """The next samples (n,) of the microphone, freed of the echo, and of the loudspeaker; True when it was said."""
        self._at += len(heard)
        sounds = float(np.square(played).mean()) > _SOUNDS**2 if len(played) else False
        if sounds or not self._silent:
            if sounds and self._silent:
                self._own.reset()
            self._silent = not sounds
            if self._own(played) > _OWN * self._own.sure:
                self._said = self._at
        if self._near(heard) <= self._near.sure:
            return False
        self._near.reset()
        return self._at - self._said >= _AFTER * _RATE

    def reset(self) -> None:
        """Forget what was heard, also from the loudspeaker."""
        self._near.reset()
        self._own.reset()
        self._silent = True
