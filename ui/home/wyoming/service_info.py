# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Wyoming service says that it offers: answering, hearing and speaking."""

from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from wyoming.info import AsrModel, AsrProgram, Attribution, HandleModel, HandleProgram, Info, TtsProgram, TtsVoice

if TYPE_CHECKING:
    from ui.home.wyoming.wyoming_service import WyomingEngine

_US = Attribution("Earmark", "")


def info_of(engine: "WyomingEngine") -> Info:
    """All of it, whether or not the engines are loaded yet: Home Assistant asks once, when it adds the service."""
    names = {line.role: line.name for line in engine.status().engines}
    version = _version()
    spoken = engine.settings.language
    heard = ["en"] if spoken == "auto" else [spoken]
    voice = names.get("speaking", "Piper")
    tongue = voice.removeprefix("Piper ").partition("-")[0]
    recogniser = names.get("hearing", "Whisper")
    return Info(
        handle=[HandleProgram(
            "Earmark", _US, True, "Answers questions about your podcasts in the speakers' own words", version,
            [HandleModel("Earmark", _US, True, "The library", version, ["en"])],
            supports_handled_streaming=True, supports_home_control=True,
        )],
        asr=[AsrProgram(
            "Earmark", _US, True, "Hears with the names and words of your podcasts in mind", version,
            [AsrModel(recogniser, _US, True, recogniser, version, heard)],
        )],
        tts=[TtsProgram(
            "Earmark", _US, True, "Speaks", version,
            [TtsVoice(voice, _US, True, voice, version, [tongue if "_" in tongue else "en_US"])],
            supports_synthesize_streaming=True,
        )],
    )  # fmt: skip


@cache
def _version() -> str:
    try:
        return metadata.version("earmark")
    except metadata.PackageNotFoundError:
        return ""
