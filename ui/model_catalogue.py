# SPDX-License-Identifier: GPL-3.0-or-later
"""The models one can get: for hearing (faster-whisper), for speaking (Piper), for finding (sentence-transformers, by
their names on the hub), and for telling speakers apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrieval.index import sentence_model
from ui.settings import Settings
from voice import diarization
from voice.errors import SettingsError
from voice.recognition.whisper_models import WHISPER, get_whisper, model_origin, present_whisper
from voice.synthesis.piper import PACKAGED_VOICE, download_voice, find_voice, is_voice, present_voices, voice_origin

VOICES = {"en_US-lessac-medium": 63, "en_US-ryan-medium": 63, "en_GB-alba-medium": 63, "en_US-lessac-low": 63}
"""Some of Piper's English voices, with their megabytes; any other of its names can be got too."""


def whisper_folder(settings: Settings) -> Path:
    """Where models for hearing are kept."""
    return settings.models_dir / "whisper"


def voices_folder(settings: Settings) -> Path:
    """Where voices are kept."""
    return settings.models_dir / "voices"


def speakers_folder(settings: Settings) -> Path:
    """Where the models are kept that tell speakers apart."""
    return settings.models_dir / diarization.MODEL_NAME


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Each model with its role, name, megabytes, whether it is here, and where it came from."""
    present = present_whisper(whisper_folder(settings))
    folder = voices_folder(settings)
    voices = dict.fromkeys([PACKAGED_VOICE, *present_voices(folder)], 0) | VOICES
    found = {name: find_voice(name, folder) for name in voices}
    there = diarization.models_folder("auto", speakers_folder(settings))
    return [
        *({"role": "hearing", "name": name, "megabytes": model.megabytes, "here": name in present,
           "origin": model_origin(name, present[name]) if name in present else ""} for name, model in WHISPER.items()),
        *({"role": "speaking", "name": name, "megabytes": size or _size(found[name]), "here": found[name] is not None,
           "origin": voice_origin(path) if (path := found[name]) else ""} for name, size in voices.items()),
        {"role": "speakers", "name": diarization.MODEL_NAME, "megabytes": diarization.MEGABYTES,
         "here": there is not None, "origin": f"in {there}" if there else ""},
    ]  # fmt: skip


def get(settings: Settings, name: str, on_progress: Callable[[float], None]) -> Path:
    """Download a model by name to where Earmark looks for it; returns its folder.

    Raises SettingsError for a name nobody has, DownloadError when it could not be fetched.
    """
    if name in WHISPER:
        return get_whisper(name, whisper_folder(settings), on_progress)
    if name == diarization.MODEL_NAME:
        return diarization.fetch_models(speakers_folder(settings), on_progress)
    if sentence_model.is_name(name):
        return sentence_model.get_model(name, on_progress)
    if not is_voice(name):
        raise SettingsError(f"There is no model {name!r}.", "'earmark models list' shows what there is.")
    return download_voice(name, voices_folder(settings), on_progress).parent


def _size(path: Path | None) -> int:
    return round(path.stat().st_size / 1e6) if path else 0
