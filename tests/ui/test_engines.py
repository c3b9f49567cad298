# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines: a model that the settings name comes when it is needed, and the packaged one works until then."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import constants

from episodes.model import Episode
from episodes.store.library import Library
from tests.hub import FASTER, LESSAC, running_hub
from ui.cli import doctor
from ui.engines import Engines
from ui.settings import Settings
from voice.errors import HearingError, SettingsError
from voice.synthesis.piper import PACKAGED_VOICE as JOE
from voice.weights import JOE as JOES_FILES
from voice.weights import TINY_EN


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with running_hub() as running:
        yield running.asked


def test_what_is_packaged_hears_and_speaks(tmp_path):
    engines = Engines(Settings(data_dir=tmp_path))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert engines.speaking.name == f"Piper {JOE}"


def test_models_that_the_settings_name_are_fetched_on_first_use_and_used(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path, hearing=FASTER, speaking=LESSAC))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert engines.speaking.name == f"Piper {JOE}"
    seen = []
    engines.fetch_wanted("hearing", "speaking", said=lambda role: seen.append(engines.line("hearing").better))
    assert engines.hearing.name == f"faster-whisper {FASTER}"
    assert engines.speaking.name == f"Piper {LESSAC}"
    assert any(f"{FASTER} is being fetched: " in line for line in seen)
    assert "being fetched" not in engines.line("hearing").better
    asked = len(hub)
    engines.fetch_wanted("hearing", "speaking")
    assert len(hub) == asked


def test_without_a_hub_the_packaged_engine_goes_on_and_the_reason_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    engines = Engines(Settings(data_dir=tmp_path, hearing="base.en"))
    engines.fetch_wanted("hearing")
    line = engines.line("hearing")
    assert line.name == "faster-whisper tiny.en"
    assert "http://127.0.0.1:9 does not answer" in line.better
    assert "by hand" in line.better


def test_offline_the_packaged_engine_goes_on_and_the_reason_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    engines = Engines(Settings(data_dir=tmp_path, hearing="small.en", speaking=LESSAC))
    engines.fetch_wanted("hearing", "speaking")
    for role in ("hearing", "speaking"):
        assert "HF_HUB_OFFLINE" in engines.line(role).better
        assert engines.line(role).name in ("faster-whisper tiny.en", f"Piper {JOE}")


def test_only_what_is_needed_is_fetched(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path, hearing=FASTER, speaking=LESSAC))
    engines.fetch_wanted("speaking")
    assert all("whisper" not in path for path in hub)
    assert engines.wanted() == [("hearing", FASTER)]


def test_nothing_is_fetched_that_nobody_named(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path))
    engines.fetch_wanted("hearing", "speaking")
    assert not hub
    assert engines.line("speaking").better.startswith(f"Run 'earmark models get {LESSAC}'")


def test_a_fetched_voice_speaks_where_the_choice_is_left_to_earmark(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path))
    assert engines.speaking.name == f"Piper {JOE}"
    engines.fetch(LESSAC)
    assert engines.speaking.name == f"Piper {LESSAC}"
    assert engines.line("speaking").better == ""


def test_several_who_fetch_the_same_model_all_get_it(hub, tmp_path):
    several = [Engines(Settings(data_dir=tmp_path, hearing=FASTER)) for _ in range(3)]
    begin = threading.Barrier(3)

    def fetch(engines):
        begin.wait()
        engines.fetch_wanted("hearing")
        return engines.hearing.name

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(fetch, several)) == {f"faster-whisper {FASTER}"}


def test_a_name_that_nobody_has_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="colossal"):
        Engines(Settings(data_dir=tmp_path)).fetch("colossal")


def spoilt_whisper(folder: Path) -> None:
    """The packaged model as somebody's base.en, cut short."""
    shutil.copytree(TINY_EN.path, folder)
    model = folder / "model.bin"
    model.write_bytes(model.read_bytes()[:1000])


def test_a_truncated_model_is_said_and_the_packaged_one_goes_on(tmp_path, caplog):
    spoilt_whisper(tmp_path / "models" / "whisper" / "base.en")
    settings = Settings(data_dir=tmp_path)
    engines = Engines(settings)
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert "model.bin has 0 MB, and should have more than 130: it was cut short" in engines.line("hearing").better
    assert "Until then tiny.en is used." in caplog.text
    (found,) = doctor._hearing(settings)
    assert not found.ok and "cut short" in found.state and "earmark models get base.en" in found.advice


def test_a_folder_with_a_truncated_model_is_said_and_the_packaged_one_goes_on(tmp_path):
    spoilt_whisper(tmp_path / "mine")
    engines = Engines(Settings(data_dir=tmp_path, hearing=str(tmp_path / "mine")))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert f"The model in {tmp_path / 'mine'} cannot be loaded" in engines.line("hearing").better


def test_a_damaged_copy_does_not_take_the_place_of_what_is_packaged(tmp_path):
    spoilt_whisper(tmp_path / "models" / "whisper" / "tiny.en")
    voices = tmp_path / "models" / "voices"
    voices.mkdir()
    (voices / f"{JOE}.onnx").write_bytes(b"no voice")
    (voices / f"{JOE}.onnx.json").write_text("{}")
    engines = Engines(Settings(data_dir=tmp_path, hearing="tiny.en", speaking=JOE))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert engines.voice_file.parent == JOES_FILES.path
    assert engines.speaking.name == f"Piper {JOE}"


def test_a_model_with_a_wrong_digest_is_said_and_the_packaged_one_goes_on(tmp_path):
    spoilt_whisper(tmp_path / "models" / "whisper" / "base")
    engines = Engines(Settings(data_dir=tmp_path, hearing="base"))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert "base/config.json is not the published file" in engines.line("hearing").better or (
        "base/model.bin is not the published file" in engines.line("hearing").better
    )


def test_a_voice_without_its_description_is_said_and_the_packaged_one_goes_on(tmp_path):
    path = tmp_path / "own.onnx"
    shutil.copy(JOES_FILES.path / f"{JOE}.onnx", path)
    settings = Settings(data_dir=tmp_path, speaking=str(path))
    engines = Engines(settings)
    assert engines.speaking.name == f"Piper {JOE}"
    assert "own.onnx.json" in engines.line("speaking").better
    (found,) = doctor._speaking(settings)
    assert not found.ok and found.state == f"Piper {JOE}" and "own.onnx.json" in found.advice


def test_a_models_folder_that_cannot_be_written_is_said_and_the_packaged_one_goes_on(tmp_path, monkeypatch):
    from voice import weights

    monkeypatch.setattr(weights, "base_is_packaged", lambda: True)
    (tmp_path / "models").write_text("no folder")
    engines = Engines(Settings(data_dir=tmp_path, hearing="base"))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert "store the model" in engines.line("hearing").better
    (found,) = doctor._hearing(engines.settings)
    assert not found.ok and "cannot be written to" in found.advice


def test_another_language_with_no_model_for_it_is_no_engine_and_says_what_gets_one(tmp_path, monkeypatch):
    from voice import weights

    monkeypatch.setattr(weights, "base_is_packaged", lambda: False)
    engines = Engines(Settings(data_dir=tmp_path, language="de"))
    with pytest.raises(HearingError, match="hears the language 'de'"):
        _ = engines.hearing
    assert "earmark[languages]" in engines.line("hearing").better


def test_a_text_is_read_in_the_voice_of_its_language_where_one_is_here(tmp_path, caplog):
    folder = tmp_path / "models" / "voices"
    folder.mkdir(parents=True)
    for file in JOES_FILES.path.glob("*.onnx*"):
        shutil.copy(file, folder / file.name.replace(JOE, "de_DE-thorsten-medium"))
    (folder / "fr_FR-siwis-medium.onnx").write_bytes(b"no voice")
    (folder / "fr_FR-siwis-medium.onnx.json").write_text("{}")
    engines = Engines(Settings(data_dir=tmp_path))
    assert engines.voice_for("What we call care sits beneath our goals.").name == f"Piper {JOE}"
    assert engines.voice_for("Die Häuser stehen am Fluss, und das ist schön.").name == "Piper de_DE-thorsten-medium"
    for _ in range(2):
        assert engines.voice_for("Les maisons sont au bord de la rivière.").name == f"Piper {JOE}"
    assert caplog.text.count("fr_FR-siwis-medium.onnx cannot be loaded") == 1


def test_doctor_says_which_language_has_no_voice(tmp_path):
    library = Library.open(tmp_path)
    for language in ("de", "fr", "en"):
        library.save_language(library.create(language, Episode("", language)).id, language)
    library.close()
    said = list(doctor._languages(Settings(data_dir=tmp_path, speaking="auto, de=de_DE-thorsten-medium")))
    assert [(one.ok, one.state.partition(" on this")[0]) for one in said] == [
        (False, "There is no voice for German"), (False, "There is no voice for French")
    ]  # fmt: skip
    assert said[0].advice == "Run 'earmark models get de_DE-thorsten-medium'."
    assert "fr=" in said[1].advice
