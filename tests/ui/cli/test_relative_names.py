# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is named from the folder one stands in, while whoever takes it in stands in another one."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from episodes.store.library import Library
from tests.conftest import ROOT, serving

pytestmark = pytest.mark.timeout(300)  # servers that load their models, on a machine that may be busy

Earmark = Callable[..., str]


def write(folder: Path, said: str) -> None:
    folder.mkdir()
    (folder / "talk.vtt").write_text(f"WEBVTT\n\n00:01.000 --> 00:08.000\n<v Ada>{said}\n")


@pytest.fixture
def earmark(tmp_path: Path) -> Earmark:
    """Run the command in a folder of its own process; its output."""
    variables = os.environ | {"EARMARK_DATA_DIR": str(tmp_path / "earmark"), "EARMARK_DEMO": "false",
                              "PYTHONPATH": str(ROOT)}  # fmt: skip

    def run(folder: str, *words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "ui.cli", *words], cwd=tmp_path / folder, env=variables,
                              capture_output=True, text=True, timeout=240)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    for name, said in (("mine", "Bees dance on the comb."), ("theirs", "Wasps never dance at all.")):
        write(tmp_path / name, said)
    return run


def told(tmp_path: Path) -> Iterator[str]:
    """What is said in the episodes of the library."""
    library = Library.open(tmp_path / "earmark")
    try:
        for episode in library.episodes():
            assert episode.ready, episode.status
            yield from (cue.text for cue in library.cues(episode.id))
    finally:
        library.close()


def test_beside_a_server_that_stands_in_another_folder(tmp_path: Path, earmark: Earmark) -> None:
    with serving(tmp_path / "earmark", cwd=tmp_path / "theirs", EARMARK_HEARING="tiny.en", EARMARK_DEMO="false"):
        earmark("mine", "add", "talk.vtt")
        assert list(told(tmp_path)) == ["Bees dance on the comb."]
        earmark("theirs", "add", "--no-wait", "../theirs/talk.vtt")
        earmark("mine", "add", "talk.vtt")  # a worker of the server has the one before it
    earmark("mine", "work", "--idle", "0")
    assert sorted(told(tmp_path)) == ["Bees dance on the comb.", "Wasps never dance at all."]


def test_for_a_worker_that_stands_in_another_folder(tmp_path: Path, earmark: Earmark) -> None:
    earmark("mine", "add", "--no-wait", "talk.vtt")
    earmark("theirs", "work", "--idle", "0")
    assert list(told(tmp_path)) == ["Bees dance on the comb."]
