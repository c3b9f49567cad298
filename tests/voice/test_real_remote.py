# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wyoming servers that people run elsewhere, with the packaged weights: faster-whisper hears what Piper says."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from voice.audio import HEARING_RATE, join
from voice.recognition.remote_recognition import RemoteHearing
from voice.synthesis.piper import PACKAGED_VOICE
from voice.synthesis.remote_synthesis import RemoteSpeaking
from voice.weights import JOE, TINY_EN
from voice.wyoming_client import RemoteEngine, address_of

pytest.importorskip("wyoming_faster_whisper", reason="pip install wyoming-faster-whisper wyoming-piper")
pytest.importorskip("wyoming_piper", reason="pip install wyoming-piper")


def nobody() -> None:
    raise AssertionError("the engine of this machine was asked")


@contextmanager
def serving(folder: Path, **words: tuple[str, ...]) -> Iterator[list[RemoteEngine]]:
    """Servers by module, each in a process of its own, offline, until the block is left."""
    processes, ports = [], []
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("wb") as log:
        for module, given in words.items():
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
            at = ("--uri", f"tcp://127.0.0.1:{ports[-1]}", "--data-dir", str(folder))
            command = [sys.executable, "-m", module, *at, *given]
            processes.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment))
    try:
        deadline = time.monotonic() + 100
        for process, port in zip(processes, ports, strict=True):
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
        yield [RemoteEngine(address_of(f"tcp://127.0.0.1:{port}")) for port in ports]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def test_what_one_says_the_other_hears(tmp_path):
    assert TINY_EN.path is not None and JOE.path is not None
    for name in (f"{PACKAGED_VOICE}.onnx", f"{PACKAGED_VOICE}.onnx.json"):
        (tmp_path / name).symlink_to(JOE.path / name)
    hears = ("--model", str(TINY_EN.path), "--language", "en", "--stt-library", "faster-whisper")
    with serving(tmp_path, wyoming_piper=("--voice", PACKAGED_VOICE), wyoming_faster_whisper=hears) as (piper, whisper):
        speaking = RemoteSpeaking(piper, nobody)
        sound = join([piece.at_rate(HEARING_RATE) for piece in speaking.speak("Why do the bees dance on the comb?")])
        heard = RemoteHearing(whisper, nobody).hear(sound)
    assert "bees dance" in heard.text.lower()
    assert sound.seconds > 1.0
