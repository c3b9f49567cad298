# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy by which the recogniser is chosen, as a table; and loading what was chosen."""

from pathlib import Path

import pytest

from voice.errors import HearingError, SettingsError
from voice.recognition.choice import choose_hearing, load_hearing
from voice.recognition.models import WHISPER

GET_TINY = "Run 'earmark models get tiny.en' for faster-whisper (75 MB)."
TO_BASE = "Run 'earmark models get base.en' for a model that hears better (145 MB)."
TO_SMALL = "Run 'earmark models get small.en' for a model that hears better (484 MB)."
USE_BASE = "Set hearing to base.en, which is on this machine and hears better."

POLICY = [
    # setting, models present, language -> engine, model, better
    ("auto", "", "en", "builtin", "", GET_TINY),
    ("auto", "tiny.en", "en", "whisper", "tiny.en", TO_BASE),
    ("auto", "tiny.en base.en", "en", "whisper", "base.en", TO_SMALL),
    ("auto", "large-v3 tiny.en", "en", "whisper", "tiny.en", TO_BASE),
    ("auto", "large-v3 large-v3-turbo", "en", "whisper", "large-v3-turbo", ""),
    ("auto", "small.en small", "en", "whisper", "small.en", ""),
    ("auto", "small.en small", "auto", "whisper", "small", ""),
    ("auto", "tiny.en", "de", "builtin", "", "Run 'earmark models get tiny' for faster-whisper (75 MB)."),
    ("builtin", "tiny.en", "en", "builtin", "", GET_TINY),
    ("tiny.en", "tiny.en base.en", "en", "whisper", "tiny.en", USE_BASE),
    ("base.en", "tiny.en", "en", "builtin", "", "Run 'earmark models get base.en' for faster-whisper (145 MB)."),
    ("medium", "medium", "en", "whisper", "medium", ""),
    ("./models/mine", "", "en", "whisper", "./models/mine", ""),
    ("/models/mine", "tiny.en", "en", "whisper", "/models/mine", ""),
    ("~/mine", "", "en", "whisper", "~/mine", ""),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "present", "language", "engine", "model", "better"), POLICY)
def test_policy(setting: str, present: str, language: str, engine: str, model: str, better: str) -> None:
    choice = choose_hearing(setting, {name: Path(name) for name in present.split()}, language)
    assert (choice.engine, choice.model, choice.better) == (engine, model, better)
    assert choice.why.endswith(".")


@pytest.mark.parametrize("setting", ["", "tiny-en", "wisper"])
def test_an_unknown_setting_is_refused_with_the_names_there_are(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"builtin.*tiny\.en"):
        choose_hearing(setting, {})


def test_every_model_can_be_chosen_by_auto_when_it_is_the_only_one() -> None:
    for name in WHISPER:
        assert choose_hearing("auto", {name: Path(name)}).model == name


def test_load_the_built_in_recogniser(tmp_path: Path) -> None:
    assert load_hearing(choose_hearing("auto", {}), tmp_path).name == "built-in recogniser"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HearingError, match="no model folder"):
        load_hearing(choose_hearing(str(tmp_path / "none"), {}), tmp_path)
