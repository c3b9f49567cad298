# SPDX-License-Identifier: GPL-3.0-or-later
"""Other languages, heard for real with the model that the extra "languages" brings."""

from pathlib import Path

import pytest

from tests.speech import RATE, say, with_silence
from voice.audio import Audio, write_wav
from voice.errors import DownloadError
from voice.model import Bias
from voice.recognition.whisper import Whisper
from voice.weights import base_is_packaged, join_base

pytestmark = pytest.mark.skipif(not base_is_packaged(), reason="the extra 'languages' is not installed")
GERMAN = "Die Bienen fliegen im Sommer über die Wiese und sammeln Honig."


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    folder = join_base(tmp_path_factory.mktemp("models") / "base", DownloadError)
    return Whisper(folder, "base", language="auto", threads=2)


def test_the_language_of_a_recording_is_found_out_once_and_told(base: Whisper, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Audio(with_silence(say(GERMAN, "de")), RATE))
    (piece,) = base.transcribe(tmp_path / "a.wav", Bias())
    assert piece.language == "de"
    assert "sommer" in " ".join(cue.text for cue in piece.cues).lower()


def test_a_question_is_heard_in_the_language_of_the_episode(base: Whisper) -> None:
    heard = base.hear(Audio(with_silence(say("Was machen die Bienen im Sommer?", "de")), RATE), Bias(language="de"))
    assert "sommer" in heard.text.lower()
