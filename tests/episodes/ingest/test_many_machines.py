# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers of several machines on one library: one is killed, the server is killed, and everything is done once."""

import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, sleep

import pytest

from episodes.ingest.submit import enqueue
from episodes.sources.files import local_source
from episodes.store.jobs import JobState, Queue
from episodes.store.library import Library
from tests import postgres
from tests.episodes import killing
from tests.episodes.places import Places
from ui.settings import Settings
from ui.storage import Storage, open_library
from voice.errors import LibraryError

EPISODES = 6

pytestmark = pytest.mark.timeout(300)  # some processes on a machine that may be busy


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    if postgres.MISSING:
        pytest.skip(postgres.MISSING)
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Each of other speech."""
    folder = tmp_path_factory.mktemp("recordings")
    return [killing.speech(folder / f"{number}.wav", 6, number) for number in range(EPISODES)]


@pytest.fixture
def place(server: postgres.Server, recordings: list[Path], tmp_path: Path) -> Settings:
    """A library with recordings in its queue."""
    place = Places(tmp_path, server).empty("machines")
    with closing(open_library(place)) as library:
        for recording in recordings:
            enqueue(library, local_source(recording))
    return place


def machines(place: Settings) -> list[BaseProcess]:
    """Three workers, each of another host name."""
    return [killing.worker_of(place, hears=False, host=f"machine-{number}")[0] for number in range(3)]


def all_done(place: Settings, workers: list[BaseProcess]) -> Counter[str]:
    """Wait until the queue is empty; how often each stretch of sound was heard."""
    for worker in workers:
        worker.join(90)
        assert worker.exitcode == 0
    with closing(Storage(place)) as storage:
        assert all(episode.ready for episode in storage.library.episodes())
        assert set(storage.index().episodes) == storage.library.all_ready() and storage.library.count() == EPISODES
    return Counter(killing.heard(place))


def until_some_are_in(library: Library, workers: list[BaseProcess]) -> None:
    deadline = monotonic() + 60
    while len(library.all_ready()) < 2 or len(running(library)) < len(workers):
        assert monotonic() < deadline
        sleep(0.01)


def running(library: Library) -> set[str]:
    """The machines that are at something."""
    jobs = Queue(library.database).jobs()
    return {job.worker.partition(":")[0] for job in jobs if job.state is JobState.RUNNING}


@pytest.mark.long
def test_a_killed_machines_job_is_taken_over_and_nothing_is_done_twice_but_the_piece_in_flight(place: Settings) -> None:
    workers = machines(place)
    with closing(open_library(place)) as library:
        until_some_are_in(library, workers)
        lost = random.SystemRandom().choice(workers)
        lost.kill()
    workers.remove(lost)
    heard = all_done(place, workers)
    assert len(heard) > EPISODES  # pieces, of which each was heard
    assert sum(heard.values()) <= len(heard) + 1


@pytest.mark.long  # one that was killed is used again in tests/episodes/store/test_postgres.py
def test_workers_and_who_asks_go_on_when_the_server_is_back(
    place: Settings, server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("episodes.store.postgres._PATIENCE", 0.5)
    workers = machines(place)
    with closing(open_library(place)) as library:
        until_some_are_in(library, workers)
        server.stop(signal.SIGQUIT)
        for _ in range(3):
            with pytest.raises(LibraryError, match="does not answer"):
                library.count()
        server.start()
        assert library.count() == EPISODES
    heard = all_done(place, workers)
    assert sum(heard.values()) <= len(heard) + len(workers)
