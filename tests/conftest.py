# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of several rooms share."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests import postgres
from tests.soundcard import SoundCard, running_card
from ui.settings import Settings

if TYPE_CHECKING:
    from voice.recognition.whisper import Whisper

ROOT = Path(__file__).parents[1]

TOGETHER = {
    "a browser": ("tests/browser/",),
    "a server": (
        "tests/test_loop.py", "tests/ui/cli/test_main.py", "tests/ui/cli/test_relative_names.py",
        "tests/ui/test_asking.py", "tests/ui/test_gradio_files.py",
        "tests/ui/test_listener_data.py", "tests/ui/test_positions.py", "tests/ui/test_work.py",
        "tests/ui/web/test_mcp_tools.py",
    ),
    "PyTorch": ("tests/retrieval/index/test_embedding.py", "tests/retrieval/finding/sentences/test_cross_encoder.py"),
    "Gradio": (
        "tests/ui/web/", "tests/ui/home/", "tests/ui/test_server_note.py", "tests/ui/listen/test_listening_state.py",
    ),
    "machines": ("tests/episodes/ingest/test_many_machines.py", "tests/episodes/test_kills.py"),
}  # fmt: skip
"""What takes seconds to start, and the beginnings of the files that share it in one process."""

ALSO_ON_A_SERVER = ("tests/episodes/ingest/test_subscriptions.py", "tests/episodes/test_kills.py")
"""What has most of its time from what is stored, and little from where: on PostgreSQL it is for ``make test-long``."""


def for_long(*values: Any) -> list[Any]:
    """Parameters of a test with which it is for ``make test-long``."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


# The same examples in every run, so that it tells of the change and not of luck. To draw others: CONTRIBUTING.md.
settings.register_profile("same", derandomize=True)
settings.register_profile("drawn")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def packaged_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hear with the packaged Whisper and speak with the packaged voice, each loaded once for the whole run.

    The cache of a model hub is empty, so that no test depends on what its owner has fetched.
    """
    from huggingface_hub import constants

    from ui import engines
    from voice.recognition.whisper_models import PACKAGED_MODEL
    from voice.synthesis import piper

    hearing, speaking = engines.load_hearing, engines.load_voice
    loaded: dict[tuple[object, ...], object] = {}

    def hearing_once(choice, folder, language="en", threads=0, memory=None):
        if choice.model != PACKAGED_MODEL:
            return hearing(choice, folder, language, threads, memory)
        key = ("hearing", language)
        if key not in loaded:
            loaded[key] = hearing(choice, folder, language, threads, memory)
        return loaded[key]

    def speaking_once(ref, folder, speed=1.0, memory=None):
        if ref != piper.PACKAGED_VOICE:
            return speaking(ref, folder, speed, memory)
        if "speaking" not in loaded:
            loaded["speaking"] = speaking(ref, folder, speed, memory)
        return loaded["speaking"]

    with pytest.MonkeyPatch.context() as patch:
        empty = str(tmp_path_factory.mktemp("hub"))
        patch.setenv("HF_HUB_CACHE", empty)
        patch.setattr(constants, "HF_HUB_CACHE", empty)
        patch.setattr(engines, "load_hearing", hearing_once)
        patch.setattr(engines, "load_voice", speaking_once)
        yield


@pytest.fixture(scope="session")
def whisper(packaged_engines: None) -> "Whisper":
    """The packaged recogniser, for tests that hear for themselves."""
    from voice.recognition.whisper import Whisper
    from voice.weights import TINY_EN

    assert TINY_EN.path is not None, TINY_EN.remedy
    return Whisper(TINY_EN.path, "tiny.en", threads=2)


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """A sound card of our own for the whole run.

    PortAudio looks for its server when sounddevice is imported, so ask for the fixture before that import
    (or import sounddevice in a child process).
    """
    yield from running_card()


def group(node: str) -> str:
    """The tests that are for one process: those of a file, or of all files that share something."""
    file = node.partition("::")[0]
    return next((name for name, parts in TOGETHER.items() if file.startswith(parts)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each group of tests to one process (its own groups, --dist=loadgroup, xdist 3.8 loses with pytest 9.2)."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what plays and records in real time: beside other work its sound would have gaps.

    What several files share comes first, then files with few tests: theirs are the long ones, and the end of a run
    should not wait for one of them.
    """
    count = Counter(item.path for item in items)
    shared = [*TOGETHER]
    place = {}
    for item in items:
        if "sound_card" in getattr(item, "fixturenames", ()):
            item.add_marker("sound")
        if item.nodeid.startswith(ALSO_ON_A_SERVER) and "[postgres" in item.nodeid:
            item.add_marker("long")
        if "browser" in item.path.parts and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(300))  # a page, on a machine that is busy with other tests
        name = group(item.nodeid)
        place[item] = (shared.index(name) if name in shared else len(shared), count[item.path])
    items.sort(key=place.__getitem__)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the whole run, with the extensions that are needed."""
    if postgres.MISSING:
        pytest.skip(postgres.MISSING)
    import psycopg

    with postgres.running() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            for extension in ("vector", "pg_trgm"):
                connection.execute(f"CREATE EXTENSION {extension}")
        yield server


@pytest.fixture(scope="session")
def postgres_schema(postgres_server: postgres.Server) -> str:
    """The address of a schema of its own on the server, with the tables made."""
    import psycopg

    from ui.storage import migrate_tables

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    url = f"{postgres_server.url}?options=-csearch_path%3D{name},public"
    migrate_tables(Settings(database=url))
    return url


@pytest.fixture
def postgres_url(postgres_schema: str) -> str:
    """The same, empty: that is quicker than making the tables again."""
    import psycopg

    with psycopg.connect(postgres_schema, autocommit=True) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        tables = ", ".join(f'"{name}"' for (name,) in rows if name != "migrations")
        connection.execute(f"TRUNCATE {tables} CASCADE")
        connection.execute("INSERT INTO changes VALUES (0)")
    return postgres_schema


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The setting ``database`` of each engine, with its tables made: a test that asks for it runs on both."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def shared_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that the processes of a run share, for what is costly to make (see ``one_at_a_time``).

    ``DEMO_DIR`` is one for several runs, as 'make test' has them.
    """
    base = tmp_path_factory.getbasetemp()
    return Path(os.environ.get("DEMO_DIR") or (base if worker_id == "master" else base.parent))


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Only one process is in here at a time; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def demo_dir(shared_dir: Path) -> Path:
    """The data folder of a library with the demo episode in it, made as on a first start. Nobody writes to it."""
    from ui.companion import Companion
    from ui.settings import Settings

    folder = shared_dir / "demo" / "earmark"
    with one_at_a_time(folder):
        companion = Companion(Settings(data_dir=folder))
        try:
            companion.add_demo()
        finally:
            companion.close()
    return folder


def library_copy(library: Path, folder: Path) -> Path:
    """A library's folder copied while others may read it: without what SQLite has beside a database that is open."""
    return Path(shutil.copytree(library, folder, ignore=shutil.ignore_patterns("*-wal", "*-shm")))


@dataclass(frozen=True, slots=True)
class RunningServer:
    """An ``earmark serve`` of its own process, ready to answer."""

    url: str
    data_dir: Path


@pytest.fixture(scope="session")
def server(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The demo library, served."""
    folder = tmp_path_factory.mktemp("served") / "earmark"
    library_copy(demo_dir, folder)
    with serving(folder, EARMARK_HEARING="tiny.en") as url:
        yield RunningServer(url, folder)


@contextmanager
def serving(data_dir: Path, cwd: Path = ROOT, **variables: str) -> Iterator[str]:
    """Run ``earmark serve`` on a free port until it is ready, in a folder; yields its address."""
    from ui.cli.client import Server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(data_dir), "serve", "--port", str(port), "--no-open"]
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    log = data_dir.parent / "serve.log"
    with log.open("wb") as out:
        variables = os.environ | {"PYTHONPATH": str(ROOT)} | variables
        process = subprocess.Popen(command, cwd=cwd, env=variables, stdout=out, stderr=out)
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
