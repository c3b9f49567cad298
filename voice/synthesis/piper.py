# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaking: text in, sound out sentence by sentence. Every voice, also a built-in one, is loaded and run by piper."""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from voice.audio import Audio, Samples
from voice.download import download
from voice.errors import DownloadError, SpeakingError
from voice.recognition.models import HUB
from voice.synthesis.text_normalization import pieces

if TYPE_CHECKING:
    from piper import PiperVoice

BUILT_IN = {"builtin": "female", "builtin:female": "female", "builtin:male": "male"}
"""What the voices that need no download are called, and their files."""

STAND_IN = "builtin:female"
"""The voice where no other is there."""

VOICES_PATH = "rhasspy/piper-voices/resolve/main"
"""Where on the hub Piper's voices are published: family/code/name/quality/<voice>.onnx and .onnx.json."""

_NAME = re.compile(
    r"(?P<family>[a-z]{2,3})_(?P<region>[A-Z]{2,3})-(?P<name>[A-Za-z0-9_]+)-(?P<quality>x_low|low|medium|high)"
)
_QUALITIES = ("high", "medium", "low", "x_low")  # best first
_LARGEST_VOICE, _LARGEST_CONFIG = 300_000_000, 2_000_000  # bytes; the largest published voice has 121 MB
_SLOWEST, _FASTEST = 0.4, 3.0  # times the usual speed
_PEAK = 0.97


class Speaking(Protocol):
    """Something that speaks: its `name` to show, and the `rate` in hertz of all sound it gives."""

    name: str
    rate: int

    def speak(self, text: str) -> Iterator[Audio]:
        """The text as sound, one sentence (or the first clause of a long one) after the other."""
        ...

    def close(self) -> None:
        """Give the memory back. Speaking afterwards raises SpeakingError."""
        ...


class PiperSpeaking:
    """A Piper voice that is loaded and warm.

    `speed` is a factor (1.25 is faster by a quarter), between 0.4 and 3.
    """

    def __init__(self, voice: "PiperVoice", name: str, speed: float = 1.0) -> None:
        self.name = name
        self.rate: int = voice.config.sample_rate
        self.speed = speed
        self._voice: PiperVoice | None = voice

    def speak(self, text: str) -> Iterator[Audio]:
        """The text as sound, sentence by sentence; each is made when it is asked for.

        Markup, addresses and emoji are left out and times are said in words (voice.spoken). A text with nothing to
        say gives nothing. Raises SpeakingError when the voice was closed, or fails.
        """
        for piece in pieces(text):
            yield from self._said(piece)

    def close(self) -> None:
        """Give the memory back."""
        self._voice = None

    def _said(self, piece: str) -> Iterator[Audio]:
        """One piece of text as sound."""
        from piper import SynthesisConfig

        voice = self._voice
        if voice is None:
            raise SpeakingError(f"The voice {self.name} was closed.", "Load it again.")
        usual = voice.config.length_scale
        how = SynthesisConfig(
            length_scale=usual / min(max(self.speed, _SLOWEST), _FASTEST),
            normalize_audio=False,  # a quiet word alone would come out as loud as a whole sentence
        )
        try:
            for chunk in voice.synthesize(piece, how):
                yield from _level(chunk.audio_float_array, self.rate)
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise SpeakingError(f"The voice {self.name} failed: {error}.", "Choose another voice.") from error


def is_voice(name: str) -> bool:
    """True for what could be the name of a published Piper voice."""
    return _NAME.fullmatch(name) is not None


def present_voices(folder: Path) -> list[str]:
    """The Piper voices that are complete in ``folder``, by name, the best quality first."""
    names = [path.stem for path in folder.glob("*.onnx") if path.with_name(path.name + ".json").is_file()]
    return sorted(filter(is_voice, names), key=lambda name: (_QUALITIES.index(name.rpartition("-")[2]), name))


def choose_voice(setting: str, present: Sequence[str]) -> str:
    """The voice to load for a setting: with "auto" the best that is ``present``, and the built-in one in place of a
    published voice that is not here (yet)."""
    if setting == "auto":
        return present[0] if present else STAND_IN
    return STAND_IN if is_voice(setting) and setting not in present else setting


def load_voice(ref: str, folder: Path, speed: float = 1.0) -> PiperSpeaking:
    """Load a voice and say a word in silence, so that the first sentence is as quick as the others.

    ref: "builtin", "builtin:female", "builtin:male", the path of an .onnx file with its .onnx.json beside it, or a
    name such as "en_US-lessac-medium" of a voice in `folder`.

    Raises SpeakingError, which names the next step, when there is no such voice or its files cannot be used.
    """
    path = _find(ref, folder)
    config = path.with_name(path.name + ".json")
    if not config.is_file():
        raise SpeakingError(
            f"The voice {path} has no description beside it.", f"Put its {config.name} into {config.parent}."
        )
    try:
        from piper import PiperVoice

        name = f"built-in voice ({BUILT_IN[ref]})" if ref in BUILT_IN else f"Piper {path.stem}"
        speaking = PiperSpeaking(PiperVoice.load(path, config_path=config, download_dir=folder), name, speed)
        for _ in speaking.speak("Ready."):
            pass
    except SpeakingError:
        raise
    except Exception as error:  # piper lets through whatever json, onnxruntime and a wrong description raise
        raise SpeakingError(
            f"The voice {path} cannot be loaded: {_reason(error)}.",
            "Fetch its two files (.onnx and .onnx.json) again, or choose builtin:female or builtin:male.",
        ) from error
    return speaking


def download_voice(
    name: str, folder: Path, progress: Callable[[float], None] | None = None, base_url: str | None = None
) -> Path:
    """Fetch a published Piper voice into `folder` and return its .onnx file; one that is there is not fetched again.

    progress: called with the fraction that is there, 0 to 1. base_url: where the voices lie, else on the hub that
    HF_ENDPOINT names, else on huggingface.co. Raises SpeakingError for a name that no voice can have, DownloadError
    when it cannot be fetched (an interrupted download is continued by the next call).
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise SpeakingError(f"{name!r} is not the name of a Piper voice.", "A name looks like en_US-lessac-medium.")
    family, quality = found["family"], found["quality"]
    base_url = base_url or f"{(os.environ.get('HF_ENDPOINT') or HUB).rstrip('/')}/{VOICES_PATH}"
    url = f"{base_url.rstrip('/')}/{family}/{family}_{found['region']}/{found['name']}/{quality}/{name}.onnx"
    model, config = folder / f"{name}.onnx", folder / f"{name}.onnx.json"
    if not config.is_file():
        download(f"{url}.json", config, limit_bytes=_LARGEST_CONFIG)
        try:
            json.loads(config.read_text("utf-8"))["phoneme_id_map"]
        except (ValueError, KeyError, TypeError) as error:
            config.unlink()
            raise DownloadError(f"{url}.json is not the description of a voice.", "Try again later.") from error
    if not model.is_file():
        download(url, model, progress, limit_bytes=_LARGEST_VOICE)
    elif progress is not None:
        progress(1.0)
    return model


def _find(ref: str, folder: Path) -> Path:
    """The .onnx file that is meant."""
    if ref in BUILT_IN:
        return Path(__file__).parent / "voices" / f"{BUILT_IN[ref]}.onnx"
    if ref.endswith(".onnx"):
        path = Path(ref).expanduser()
        if not path.is_file():
            raise SpeakingError(f"There is no voice file {path}.", "Check the path, or choose builtin:female.")
        return path
    if is_voice(ref):
        path = folder / f"{ref}.onnx"
        if not path.is_file():
            raise SpeakingError(
                f"The voice {ref} is not in {folder}.",
                f"Fetch it with 'earmark models get {ref}', or put {ref}.onnx and {ref}.onnx.json there by hand.",
            )
        return path
    raise SpeakingError(
        f"There is no voice called {ref!r}.",
        "Choose builtin:female, builtin:male, a Piper voice such as en_US-lessac-medium, or an .onnx file.",
    )


def _level(samples: Samples, rate: int) -> Iterator[Audio]:
    """The sound within [-1, 1], turned down as a whole where it is too loud; nothing when it is empty."""
    flat = np.nan_to_num(np.asarray(samples, np.float32).reshape(-1), nan=0.0, posinf=0.0, neginf=0.0)
    if not flat.size:
        return
    peak = float(np.abs(flat).max())
    yield Audio(flat * np.float32(_PEAK / peak) if peak > _PEAK else flat, rate)


def _reason(error: Exception) -> str:
    """The first line of an error, or its kind when it has no text."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
