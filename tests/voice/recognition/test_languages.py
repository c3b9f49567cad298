# SPDX-License-Identifier: GPL-3.0-or-later
"""Other languages, heard for real with the model that the extra "languages" brings."""

from pathlib import Path

import pytest

from tests.speech import RATE, joe, say, with_silence
from voice.audio import Audio, write_wav
from voice.errors import DownloadError
from voice.model import Bias
from voice.recognition.whisper import Whisper
from voice.weights import base_is_packaged, join_base

pytestmark = pytest.mark.skipif(not base_is_packaged(), reason="the extra 'languages' is not installed")
GERMAN = ("Guten Morgen, liebe Hörerinnen und Hörer. Heute sprechen wir über das Wetter und über die Arbeit im Garten."
          " Was machen Sie am Wochenende?")  # fmt: skip


def spoken() -> Audio:
    return Audio(with_silence(say(GERMAN, "de+f3", 135)), RATE)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    folder = join_base(tmp_path_factory.mktemp("models") / "base", DownloadError)
    return Whisper(folder, "base", language="auto", threads=2)


@pytest.mark.long
def test_the_language_of_a_recording_is_found_out_once_and_told(base: Whisper, tmp_path: Path) -> None:
    text = "The bees fly over the meadow in summer, and they gather honey for the winter."
    write_wav(tmp_path / "a.wav", Audio(with_silence(joe(text)), RATE))
    (piece,) = base.transcribe(tmp_path / "a.wav", Bias())
    assert piece.language == "en"
    assert "honey" in " ".join(cue.text for cue in piece.cues).lower()


def test_a_question_is_heard_in_the_language_of_the_episode(base: Whisper) -> None:
    assert "wochenende" in base.hear(spoken(), Bias(language="de")).text.lower()
