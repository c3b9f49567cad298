# SPDX-License-Identifier: GPL-3.0-or-later
"""Wake words of microWakeWord (ESPHome's, and whatever its trainer makes), run by pymicro-wakeword."""

from pathlib import Path
from typing import Any

from voice.audio import Samples, pcm16
from voice.errors import SettingsError
from voice.turns.wake_word import INSTALL_WAKE_WORDS


def builtin(name: str) -> Path:
    """The configuration of a word that the package brings. Raises SettingsError naming those there are."""
    folder = Path(str(_package().__file__)).parent / "models"
    there = sorted(path.stem for path in folder.glob("*.json"))
    if name not in there:
        raise SettingsError(f"There is no wake word {name!r}.",
                            f"Give a model file, or one of: {', '.join(there)}.")  # fmt: skip
    return folder / f"{name}.json"


class MicroWake:
    """One microWakeWord model; see ``voice.turns.wake_word.WakeWord``. ``config`` is its ``.json``."""

    def __init__(self, config: Path) -> None:
        package = _package()
        try:
            self._model: Any = package.MicroWakeWord.from_config(config)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise SettingsError(f"The wake word {config} cannot be read ({error}).",
                                "Give a microWakeWord .json with its .tflite beside it.") from error  # fmt: skip
        self._features: Any = package.MicroWakeWordFeatures()
        self.name: str = self._model.wake_word
        self.sure: float = float(self._model.probability_cutoff)

    def __call__(self, samples: Samples) -> float:
        """See ``WakeWord``."""
        found = self._features.process_streaming(pcm16(samples).tobytes())
        return max((self._model.process_streaming_prob(features) or 0.0 for features in found), default=0.0)

    def reset(self) -> None:
        """See ``WakeWord``."""
        self._model.reset()
        self._features.reset()


def _package() -> Any:
    try:
        import pymicro_wakeword
    except ImportError as error:
        raise SettingsError(
            "The package pymicro-wakeword is missing, which hears this wake word.", INSTALL_WAKE_WORDS
        ) from error
    return pymicro_wakeword
