# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a process that syncs, removes or asks at any moment, and looks whether the library is whole after it.

``python -m tests.episodes.killing_others --kills 100`` does it so often for each. After a kill the same is done once
more, without a kill: the library then has to be as one that was never interrupted. What taking in survives,
``tests.episodes.killing`` tells.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from episodes.ingest.submit import enqueue
from episodes.ingest.subscriptions import subscriptions, sync, take
from episodes.model import Source, State, Step, StepState
from episodes.sources.http import Net
from episodes.sources.resolve import Choice, gather
from episodes.store.library import Library
from retrieval.index.chunking import passages
from retrieval.index.index import Index
from tests.episodes.conftest import hashed
from tests.episodes.feedserver import Publisher, publishing
from tests.episodes.killing import stored
from voice.model import Cue

EPISODES = 12
NET = Net(private=True)
_PROCESSES = multiprocessing.get_context("fork")  # a child that begins at once


def made(folder: Path, publisher: Publisher) -> None:
    """A library of some episodes that can be asked, which follows a feed that has got new ones."""
    publisher.files["/feed.xml"] = publisher.feed({})
    with closing(Library.open(folder)) as library, closing(Index.open(folder / "index")) as index:
        take(library, gather(f"{publisher.base}/feed.xml", NET, Choice(0)))
        for number in range(EPISODES):
            episode = enqueue(library, Source(f"Talk {number}", address=f"https://example.org/{number}.mp3"))
            cues = tuple(Cue(4.0 * at, 4.0 * at + 4, f"Bees of talk {number} dance {at} times.") for at in range(40))
            library.save_cues(episode.id, cues)
            found = passages(episode.id, cues)
            rows = hashed([passage.text for passage in found])
            index.add(episode.id, found, np.pad(rows, ((0, 0), (0, 384 - rows.shape[1]))))
            for step in Step:
                library.set_step(episode.id, StepState(step, State.DONE, 1.0))
    items = [{"guid": f"new-{number}", "title": f"New {number}"} for number in range(90)]
    publisher.files["/feed.xml"] = publisher.feed(*items)


def syncs(folder: Path) -> None:
    """Look for what is new."""
    with closing(Library.open(folder)) as library:
        for one in subscriptions(library):
            sync(library, one, NET)


def removes(folder: Path) -> None:
    """Forget every other episode that is there, as the program does."""
    with closing(Library.open(folder)) as library, closing(Index.open(folder / "index")) as index:
        there = {episode.source: episode.id for episode in library.episodes()}
        for number in range(0, EPISODES, 2):
            if name := there.get(f"https://example.org/{number}.mp3"):
                index.remove(name)
                library.remove(name)
        for gone in set(index.episodes) - {episode.id for episode in library.episodes()}:  # as at every start
            index.remove(gone)


def asks(folder: Path) -> None:
    """Search and read, again and again."""
    vector = np.zeros(384, np.float32)
    vector[0] = 1.0
    with closing(Library.open(folder)) as library, closing(Index.open(folder / "index")) as index:
        for _ in range(30):
            with index.view() as view:
                for name in view.episodes:
                    library.cues(name)


def _quietly(work: Callable[[Path], None], folder: Path) -> None:
    os.setpgrp()
    work(folder)


def tried(work: Callable[[Path], None], top: Path, kills: int, chance: random.Random) -> tuple[int, int]:
    """Kill so often; how many libraries were good after it, and how many kills struck before all was done."""
    seconds, good, struck = 0.0, 0, 0
    with publishing() as publisher:
        made(top / "made", publisher)
        shutil.copytree(top / "made", top / "beside")
        begun = monotonic()
        process = _PROCESSES.Process(target=_quietly, args=(work, top / "beside"))
        process.start()
        process.join(120)
        seconds = monotonic() - begun
        assert process.exitcode == 0
        wanted = _all_of(top / "beside")
        for number in range(kills):
            folder = top / str(number)
            shutil.copytree(top / "made", folder)
            process = _PROCESSES.Process(target=_quietly, args=(work, folder))
            process.start()
            sleep(chance.uniform(0, seconds))
            process.kill()
            process.join(60)
            struck += process.exitcode == -signal.SIGKILL
            for name in ("library.db", "index/index.db"):
                with closing(sqlite3.connect(folder / name)) as database:
                    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), (work.__name__, number)
            process = _PROCESSES.Process(target=_quietly, args=(work, folder))
            process.start()
            process.join(120)
            good += process.exitcode == 0 and _all_of(folder) == wanted
            shutil.rmtree(folder)
        shutil.rmtree(top)
    return good, struck


def _all_of(folder: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(folder / "library.db")) as database:
        waiting = database.execute("SELECT episode, state FROM jobs ORDER BY episode").fetchall()
    return {**stored(folder), "jobs": waiting}


def main() -> None:
    """Kill as often as asked, and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args()
    print(f"seed {given.seed}")
    for work in (syncs, removes, asks):
        with tempfile.TemporaryDirectory() as name:
            good, struck = tried(work, Path(name) / work.__name__, given.kills, random.Random(given.seed))
        print(f"{work.__name__:8} {given.kills} kills, {struck} of them before it was done: {good} good")


if __name__ == "__main__":
    main()
