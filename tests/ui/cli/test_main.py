# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a person uses it, on a real library, with a server and without.

``earmark`` is a process of its own, which takes a second or two to load what it needs; ``called`` is the same command
in this process.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from episodes.store.library import Library
from retrieval.index.sqlite_index import SqliteIndex
from tests.demo import TEN_QUESTIONS
from ui.cli.main import main
from voice.audio import HEARING_RATE, Audio, read_audio, silence, wav_bytes, write_wav

ROOT = Path(__file__).parents[3]


def earmark(*words: str | Path, data_dir: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(data_dir), *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=110, check=False
    )


def called(*words: str | Path, data_dir: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = ["--data-dir", str(data_dir), *map(str, words)]
    result = CliRunner().invoke(main, command, env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(command, result.exit_code, result.stdout, result.stderr)


def refused(result: "subprocess.CompletedProcess[str]") -> str:
    """What was said on stderr, when that is one clear sentence (and perhaps the next step) and a failure."""
    assert result.returncode == 1, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    assert 1 <= len(result.stderr.strip().splitlines()) <= 3, result.stderr
    return result.stderr


def test_help_teaches(tmp_path):
    said = earmark("--help", data_dir=tmp_path).stdout
    assert "earmark ask" in said
    assert "earmark doctor" in said
    assert called("ask", "--help", data_dir=tmp_path).returncode == 0


def test_an_empty_library_says_what_to_do(tmp_path):
    assert "earmark add" in earmark("list", data_dir=tmp_path).stdout
    assert json.loads(called("list", "--json", data_dir=tmp_path).stdout) == []
    assert "earmark add" in refused(called("ask", "Why?", data_dir=tmp_path))


def test_list_and_show_know_the_demo(demo_dir):
    (episode,) = json.loads(earmark("list", "--json", data_dir=demo_dir).stdout)
    assert (episode["title"], episode["show"]) == ("Raising the Apprentice", "Second Nature")
    assert episode["guests"] == ["Elias Brandt"]
    assert 420 <= episode["seconds"] <= 600
    assert episode["ready"]
    assert {step["state"] for step in episode["steps"].values()} == {"done"}
    page = json.loads(called("show", "raising the apprentice", "--json", data_dir=demo_dir).stdout)
    assert page["teaser"]
    assert page["summary"]
    assert 8 <= len(page["segments"]) <= 14
    assert all(segment["title"] for segment in page["segments"])
    assert len(page["questions"]) == 5
    shown = earmark("show", episode["id"], data_dir=demo_dir).stdout
    assert page["segments"][3]["title"] in shown


def test_an_answer_has_the_documented_shape(demo_dir):
    result = earmark("ask", TEN_QUESTIONS[8].text, "--json", data_dir=demo_dir)  # no server: loads its own models
    answer = json.loads(result.stdout)
    assert set(answer) == {"question", "covered", "sentences", "moments", "command", "remark"}
    assert answer["covered"] is True
    assert set(answer["moments"][0]) == {"episode", "start", "end", "speaker", "quote", "confidence"}
    assert set(answer["sentences"][0]) == {"text", "moments"}
    assert "mirror" in answer["moments"][0]["quote"]


def test_asking_through_a_running_server(server, tmp_path):
    spoken = tmp_path / "answer.wav"
    result = earmark("ask", TEN_QUESTIONS[0].text, "--speak", spoken, data_dir=server.data_dir)
    assert result.returncode == 0, result.stderr
    assert "Elias Brandt" in result.stdout
    sound = read_audio(spoken)
    assert sound.seconds > 3
    assert np.abs(sound.samples).max() > 0.1


def test_what_the_episode_does_not_cover_is_declined(server):
    result = called("ask", "Who won the football match on Sunday?", "--json", data_dir=server.data_dir)
    answer = json.loads(result.stdout)
    assert answer["covered"] is False
    assert answer["sentences"]


def test_unknown_episode(demo_dir):
    assert "nonsense" in refused(earmark("show", "nonsense", data_dir=demo_dir))
    assert "nonsense" in refused(called("ask", "Why?", "--episode", "nonsense", data_dir=demo_dir))


def test_a_question_of_only_noise(server, tmp_path):
    noise = np.random.default_rng(1).standard_normal(4 * HEARING_RATE).astype(np.float32) * 0.1
    write_wav(tmp_path / "noise.wav", Audio(noise, HEARING_RATE))
    result = called("ask", "--audio", tmp_path / "noise.wav", data_dir=server.data_dir)
    assert "No question was heard" in refused(result)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp3", b""),
        ("text.mp3", b"This is not an MP3 file, whatever its name says.\n" * 40),
        ("zero.wav", b""),
        ("header.wav", wav_bytes(silence(0, HEARING_RATE))),
        ("empty.vtt", b""),
        ("broken.vtt", b"WEBVTT\n\n00:01.000 --> 00:xx.000\nHello there.\n"),
        ("backwards.vtt", b"WEBVTT\n\n10:00.000 --> 09:00.000\nHello.\n\n00:01.000 --> 00:00.500\nThere.\n"),
        ("binary.srt", bytes(range(256)) * 8),
        ("list.json", b"[1, 2, 3]"),
        ("missing.mp3", None),
    ],
)
def test_a_bad_file_is_refused_and_the_library_is_as_before(name, content, demo_dir, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    before = called("list", "--json", data_dir=demo_dir).stdout
    run = earmark if name in ("text.mp3", "broken.vtt") else called
    assert name in refused(run("add", tmp_path / name, data_dir=demo_dir))
    assert called("list", "--json", data_dir=demo_dir).stdout == before


def test_a_full_disk_is_said_and_nothing_is_lost(small_disk, tmp_path):
    """A library on a disk on which little is left, and an episode that does not fit."""
    script = "WEBVTT\n\n00:00.000 --> 00:04.000\nA small hive lives on a small disk.\n"
    (tmp_path / "small.vtt").write_text(script)
    assert called("add", tmp_path / "small.vtt", data_dir=small_disk).returncode == 0
    noise = np.random.default_rng(0).standard_normal(60 * HEARING_RATE).astype(np.float32) * np.float32(0.1)
    write_wav(tmp_path / "large.wav", Audio(noise, HEARING_RATE))
    (tmp_path / "large.vtt").write_text(script)
    used = sum(file.stat().st_blocks for file in small_disk.rglob("*")) // 2
    subprocess.run(["mount", "-o", f"remount,size={used + 500}k", str(small_disk)], check=True)
    library = Library.open(small_disk)
    (before,) = library.episodes()
    assert "disk is full" in refused(earmark("add", tmp_path / "large.wav", data_dir=small_disk))
    assert library.episodes() == [before]
    assert library.cues(before.id)[0].text.startswith("A small hive")
    assert SqliteIndex.open(small_disk / "index").episodes == (before.id,)


def test_a_file_comes_in_once_and_can_be_removed(tmp_path):
    (tmp_path / "one.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:04.000\nBees dance to say where the flowers are.\n")
    library = tmp_path / "library"
    assert earmark("add", tmp_path / "one.vtt", data_dir=library).returncode == 0
    before = called("list", "--json", data_dir=library).stdout
    assert "was there already" in called("add", tmp_path / "one.vtt", data_dir=library).stdout
    assert called("list", "--json", data_dir=library).stdout == before
    (episode,) = json.loads(before)
    assert earmark("remove", episode["id"], data_dir=library).returncode == 0
    assert json.loads(called("list", "--json", data_dir=library).stdout) == []


def test_an_unknown_setting_is_refused(tmp_path):
    assert "EARMARK_SPEEKING" in refused(earmark("list", data_dir=tmp_path, EARMARK_SPEEKING="x"))


def test_doctor_says_what_is_there(demo_dir):
    findings = {one["subject"]: one for one in json.loads(earmark("doctor", "--json", data_dir=demo_dir).stdout)}
    assert findings["library"]["state"] == "1 episodes, 1 ready"
    assert findings["hearing"]["advice"]
    assert findings["finding"]["ok"]
    assert {"gradio", "torch", "disk", "settings", "microphone"} & set(findings)
