# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of several rooms share."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.soundcard import SoundCard, running_card

ROOT = Path(__file__).parents[1]
TINY_WHISPER = ROOT / "tests" / "models" / "whisper" / "tiny"


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """A sound card of our own for the whole run.

    PortAudio looks for its server when sounddevice is imported, so ask for the fixture before that import
    (or import sounddevice in a child process).
    """
    yield from running_card()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what plays and records in real time: beside other work its sound would have gaps."""
    for item in items:
        if "sound_card" in getattr(item, "fixturenames", ()) or "browser" in item.path.parts:
            item.add_marker("sound")


@pytest.fixture(scope="session")
def demo_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The data folder of a library with the demo episode in it, made as on a first start. Nobody writes to it.

    ``DEMO_DIR`` is where it is made for several runs, as 'make test' has them.
    """
    from ui.companion import Companion
    from ui.settings import Settings

    base = tmp_path_factory.getbasetemp()
    shared = os.environ.get("DEMO_DIR") or (base if worker_id == "master" else base.parent)  # one for all workers
    folder = Path(shared) / "demo" / "earmark"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        companion = Companion(Settings(data_dir=folder))
        try:
            companion.add_demo()
        finally:
            companion.close()
    return folder


@dataclass(frozen=True, slots=True)
class RunningServer:
    """An ``earmark serve`` of its own process, ready to answer."""

    url: str
    data_dir: Path


@pytest.fixture(scope="session")
def server(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The demo library, served; it hears with the tiny Whisper."""
    folder = tmp_path_factory.mktemp("served") / "earmark"
    shutil.copytree(demo_dir, folder)
    with serving(folder, EARMARK_HEARING=str(TINY_WHISPER)) as url:
        yield RunningServer(url, folder)


@contextmanager
def serving(data_dir: Path, **variables: str) -> Iterator[str]:
    """Run ``earmark serve`` on a free port until it is ready; yields its address."""
    from ui.cli.client import Server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(data_dir), "serve", "--port", str(port), "--no-open"]
    log = data_dir.parent / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 300
        while not Server(url).answers():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, log.read_text()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of four megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
