# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines: a model that the settings name comes when it is needed, and the built-in one works until then."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hub import LESSAC, running_hub
from ui.engines import Engines
from ui.settings import Settings
from voice.errors import SettingsError


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    with running_hub() as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield asked


def test_models_that_the_settings_name_are_fetched_on_first_use_and_used(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path, hearing="tiny.en", speaking=LESSAC))
    assert engines.hearing.name == "built-in recogniser"
    assert engines.speaking.name == "built-in voice (female)"
    seen = []
    engines.fetch_wanted("hearing", "speaking", said=lambda role: seen.append(engines.line("hearing").better))
    assert engines.hearing.name == "faster-whisper tiny.en"
    assert engines.speaking.name == f"Piper {LESSAC}"
    assert any("tiny.en is being fetched: " in line for line in seen)
    assert "being fetched" not in engines.line("hearing").better
    asked = len(hub)
    engines.fetch_wanted("hearing", "speaking")
    assert len(hub) == asked


def test_without_a_hub_the_built_in_engine_goes_on_and_the_reason_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    engines = Engines(Settings(data_dir=tmp_path, hearing="tiny.en"))
    engines.fetch_wanted("hearing")
    line = engines.line("hearing")
    assert line.name == "built-in recogniser"
    assert "No connection to 127.0.0.1" in line.better
    assert "by hand" in line.better


def test_only_what_is_needed_is_fetched(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path, hearing="tiny.en", speaking=LESSAC))
    engines.fetch_wanted("speaking")
    assert all("whisper" not in path for path in hub)
    assert set(engines.wanted()) == {"hearing"}


def test_nothing_is_fetched_that_nobody_named(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path))
    engines.fetch_wanted("hearing", "speaking")
    assert not hub
    assert engines.line("speaking").better.startswith(f"Run 'earmark models get {LESSAC}'")


def test_a_fetched_voice_speaks_where_the_choice_is_left_to_earmark(hub, tmp_path):
    engines = Engines(Settings(data_dir=tmp_path))
    assert engines.speaking.name == "built-in voice (female)"
    engines.fetch(LESSAC)
    assert engines.speaking.name == f"Piper {LESSAC}"
    assert engines.line("speaking").better == ""


def test_two_who_fetch_the_same_model_take_turns(hub, tmp_path):
    several = [Engines(Settings(data_dir=tmp_path, hearing="tiny.en")) for _ in range(3)]
    begin = threading.Barrier(3)

    def fetch(engines):
        begin.wait()
        engines.fetch_wanted("hearing")
        return engines.hearing.name

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(fetch, several)) == {"faster-whisper tiny.en"}
    assert len(hub) == len(set(hub))


def test_a_name_that_nobody_has_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="colossal"):
        Engines(Settings(data_dir=tmp_path)).fetch("colossal")
