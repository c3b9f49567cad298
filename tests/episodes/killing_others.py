# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a process that syncs, removes or asks at any moment, and looks whether the library is whole after it.

``python -m tests.episodes.killing_others --kills 100`` does it so often for each; with ``--database postgres`` on a
server. After a kill the same is done once
more, without a kill: the library then has to be as one that was never interrupted. What taking in survives,
``tests.episodes.killing`` tells.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from episodes.ingest.submit import enqueue
from episodes.ingest.subscriptions import subscriptions, sync, take
from episodes.model import Source, State, Step, StepState
from episodes.sources.http import Net
from episodes.sources.resolve import Selection, gather
from episodes.store.jobs import Queue
from episodes.store.library import Library
from retrieval.index.chunking import passages
from retrieval.index.index import Index
from tests.episodes.conftest import hashed
from tests.episodes.feedserver import Publisher, publishing
from tests.episodes.places import Places, check, stored
from ui.settings import Settings
from ui.storage import Storage, open_library
from voice.model import Cue

EPISODES = 12
NET = Net(private=True)
_PROCESSES = multiprocessing.get_context("fork")  # a child that begins at once


def made(place: Settings, publisher: Publisher) -> None:
    """A library of some episodes that can be asked, which follows a feed that has got new ones."""
    publisher.files["/feed.xml"] = publisher.feed({})
    with opened(place) as (library, index):
        take(library, gather(f"{publisher.base}/feed.xml", NET, Selection(0)))
        for number in range(EPISODES):
            episode = enqueue(library, Source(f"Talk {number}", address=f"https://example.org/{number}.mp3"))
            cues = tuple(Cue(4.0 * at, 4.0 * at + 4, f"Bees of talk {number} dance {at} times.") for at in range(40))
            library.save_cues(episode.id, cues)
            found = passages(episode.id, cues)
            rows = hashed([passage.text for passage in found])
            index.add(episode.id, found, np.pad(rows, ((0, 0), (0, 384 - rows.shape[1]))))
            for step in Step:
                library.set_step(episode.id, StepState(step, State.DONE, 1.0))
    items = [{"guid": f"new-{number}", "title": f"New {number}"} for number in range(40)]
    publisher.files["/feed.xml"] = publisher.feed(*items)


@contextmanager
def opened(place: Settings) -> Iterator[tuple[Library, Index]]:
    """A library and its index."""
    with closing(Storage(place)) as storage, closing(storage.index()) as index:
        yield storage.library, index


def syncs(place: Settings) -> None:
    """Look for what is new."""
    with opened(place) as (library, _):
        for one in subscriptions(library):
            sync(library, one, NET)


def removes(place: Settings) -> None:
    """Forget every other episode that is there, as the program does."""
    with opened(place) as (library, index):
        there = {episode.source: episode.id for episode in library.episodes()}
        for number in range(0, EPISODES, 2):
            if name := there.get(f"https://example.org/{number}.mp3"):
                index.remove(name)
                library.remove(name)
        for gone in set(index.episodes) - {episode.id for episode in library.episodes()}:  # as at every start
            index.remove(gone)


def asks(place: Settings) -> None:
    """Search and read, again and again."""
    vector = np.zeros(384, np.float32)
    vector[0] = 1.0
    with opened(place) as (library, index):
        for _ in range(30):
            with index.snapshot() as snapshot:
                snapshot.dense(vector, 10)
                for name in snapshot.episodes:
                    library.cues(name)


def _quietly(work: Callable[[Settings], None], place: Settings) -> None:
    os.setpgrp()
    work(place)


def _begun(work: Callable[[Settings], None], place: Settings) -> BaseProcess:
    process = _PROCESSES.Process(target=_quietly, args=(work, place))
    process.start()
    return process


def tried(work: Callable[[Settings], None], places: Places, kills: int, chance: random.Random) -> tuple[int, int]:
    """Kill so often; how many libraries were good after it, and how many kills struck before all was done."""
    good, struck = 0, 0
    with publishing() as publisher:
        first = places.empty(f"{work.__name__}_made")
        made(first, publisher)
        beside = places.copy(first, f"{work.__name__}_beside")
        begun = monotonic()
        process = _begun(work, beside)
        process.join(300)
        seconds = monotonic() - begun
        assert process.exitcode == 0
        wanted = _all_of(beside)
        for number in range(kills):
            place = places.copy(first, f"{work.__name__}_{number}")
            process = _begun(work, place)
            sleep(chance.uniform(0, seconds))
            process.kill()
            process.join(60)
            struck += process.exitcode == -signal.SIGKILL
            check(place)
            process = _begun(work, place)
            process.join(300)
            good += process.exitcode == 0 and _all_of(place) == wanted
            places.forget(place)
    return good, struck


def _all_of(place: Settings) -> dict[str, Any]:
    with closing(open_library(place)) as library:
        jobs = Queue(library.database).jobs()
    return {**stored(place), "jobs": sorted((job.episode_id, job.state) for job in jobs)}


def main() -> None:
    """Kill as often as asked, and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    given = options.parse_args()
    print(f"seed {given.seed}, {given.database}")
    for work in (syncs, removes, asks):
        with tempfile.TemporaryDirectory() as name, Places.on(given.database, Path(name)) as places:
            good, struck = tried(work, places, given.kills, random.Random(given.seed))
        print(f"{work.__name__:8} {given.kills} kills, {struck} of them before it was done: {good} good")


if __name__ == "__main__":
    main()
