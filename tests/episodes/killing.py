# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a worker at any moment, lets another finish, and looks whether the library came out as without the kill.

``python -m tests.episodes.killing --kills 50`` does it fifty times, with the tests' own Whisper, real conversion and
the real index; with ``--database postgres`` on a server. Each kill has a library of its own; the moment is drawn from
the time that a whole ingest takes, and the seed is printed, so that a failure can be had again with ``--seed``.
"""

import argparse
import hashlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from episodes.ingest import worker
from episodes.ingest.pipeline import Tools
from episodes.ingest.submit import enqueue
from episodes.model import Cue, Episode
from episodes.sources.files import local_source
from episodes.store import jobs
from episodes.store.jobs import Queue
from episodes.store.library import Library
from retrieval.index.chunking import passages
from retrieval.index.index import Index
from retrieval.index.postgres_index import PostgresIndex
from retrieval.index.sqlite_index import SqliteIndex
from tests.demo import TEN_QUESTIONS
from tests.episodes.conftest import hashed
from tests.episodes.places import Places, stored
from tests.speech import RATE, say
from ui.settings import Settings
from ui.storage import Storage
from voice.audio import Audio, join, silence, stream_audio, write_wav
from voice.errors import LibraryError
from voice.model import Bias, Piece
from voice.recognition.whisper import Whisper
from voice.turns.voice_activity import Block, blocks
from voice.weights import TINY_EN

MODEL = TINY_EN.path or Path()
LEASE = 3.0
"""Seconds after which another worker takes over here, where nobody is known to be gone."""

_LONG = 300.0  # seconds that a worker may take, on a machine that may be busy
_PROCESSES = multiprocessing.get_context("forkserver")  # a child that begins at once, and has none of our threads


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a kill came to: at which ``step`` it struck, whether the library is ``same`` as without, which pieces were
    ``heard`` and which of them ``twice``, and whether those were but the one in flight."""

    step: str
    same: bool
    heard: int
    twice: int
    in_flight: bool

    @property
    def good(self) -> bool:
        """True when nothing was lost and nothing was done twice but the piece in flight."""
        return self.same and self.in_flight


class _Noting(Whisper):
    """The recogniser, which notes each stretch of sound before it hears it."""

    def __init__(self, notes: Path) -> None:
        super().__init__(MODEL, threads=1, windows=1)
        self._notes = notes

    def _block(self, block: Block, bias: Bias) -> Any:
        _note(self._notes, block)
        return super()._block(block, bias)


class _Dividing:
    """Divides a recording as the recogniser does, and says a fixed sentence for each stretch of it.

    What is killed and stored is the same, without the seconds that decoding takes.
    """

    name = "divided"

    def __init__(self, notes: Path) -> None:
        self._notes = notes

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        for block in blocks(stream_audio(path), 1, since):
            _note(self._notes, block)
            said = TEN_QUESTIONS[round(block.start) % len(TEN_QUESTIONS)].text
            yield Piece(block.start, block.end, (Cue(block.start, block.end, said),), "en")


def _note(notes: Path, block: Block) -> None:
    with notes.open("a") as file:
        file.write(hashlib.sha256(block.samples.tobytes()).hexdigest()[:16] + "\n")


def speech(path: Path, sentences: int, first: int = 0) -> Path:
    """Write some seconds of speech in sentences, with pauses between them at which a recording is cut."""
    said = itertools.islice(itertools.cycle(TEN_QUESTIONS), first, first + sentences)
    parts = [(Audio(say(f"{one.text} {one.text}"), RATE), silence(1.2, RATE)) for one in said]
    write_wav(path, join([part for pair in parts for part in pair]))
    return path


def whole(place: Settings, audio: Path, hears: bool = True) -> float:
    """Take the audio in without a kill; returns how many seconds a worker took. Not ``hears``: it is only divided."""
    library, _ = _enqueued(place, audio)
    process, began = worker_of(place, hears)
    process.join(_LONG)
    assert process.exitcode == 0
    library.close()
    return monotonic() - began


def killed(place: Settings, audio: Path, after: float, wanted: dict[str, Any], hears: bool = True) -> Outcome:
    """Take the audio in with a worker that is killed ``after`` seconds, then with another one, and compare what came of
    it with what is ``wanted``: what a library holds that was never interrupted."""
    library, episode = _enqueued(place, audio)
    process, began = worker_of(place, hears)
    sleep(max(0.0, began + after - monotonic()))
    process.kill()
    process.join(_LONG)
    step = library.episode(episode.id).status.rstrip(" %0123456789")
    before = heard(place)
    process, _ = worker_of(place, hears)
    process.join(_LONG)
    assert process.exitcode == 0
    times = Counter(heard(place))
    twice = [sound for sound, count in times.items() if count > 1]
    in_flight = len(twice) <= 1 and all(times[sound] == 2 and sound == before[-1] for sound in twice)
    assert Queue(library.database).jobs() == []
    library.close()
    return Outcome(step, stored(place) == wanted, len(times), len(twice), in_flight)


def killed_indexing(place: Settings, source: Path, moment: str) -> tuple[bool, tuple[str, ...]]:
    """Take the source in with a worker that is killed at a ``moment`` of the last step, ``vectors`` (they are written,
    the index does not count them) or ``index`` (it does, the library does not know); then let another one finish.

    Returns whether the episode was ready in between, and the ids that the index then held.
    """
    library, episode = _enqueued(place, source)
    process, _ = worker_of(place, dies=moment)
    process.join(_LONG)
    assert process.exitcode == -signal.SIGKILL
    with closing(Storage(place)) as storage:
        between = library.episode(episode.id).ready, storage.index().episodes
    process, _ = worker_of(place)
    process.join(_LONG)
    assert process.exitcode == 0
    assert library.episode(episode.id).ready
    library.close()
    return between


def _enqueued(place: Settings, audio: Path) -> tuple[Library, Episode]:
    library = Storage(place).library
    return library, enqueue(library, local_source(audio))


def heard(place: Settings) -> list[str]:
    """What sound was heard in a library, in order: a name for each stretch."""
    notes = place.data_dir / "heard"
    return notes.read_text().split() if notes.exists() else []


def worker_of(place: Settings, hears: bool = True, dies: str = "", host: str = "") -> tuple[BaseProcess, float]:
    """A worker of its own process, which ends when nothing is left to do, and when it began to work. It may be of
    another ``host``."""
    _PROCESSES.set_forkserver_preload(
        ["faster_whisper", "av", "pydantic", "episodes.ingest.worker", "retrieval.index.postgres", "ui.storage"]
    )
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_work, args=(place, theirs, hears, dies, host))
    process.start()
    ours.recv()
    return process, monotonic()


def _die(*args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(index: Index) -> Index:
    """An index whose process is killed once the vectors are written."""
    if isinstance(index, SqliteIndex):
        append = index._append
        index._append = lambda *args: _die(append(*args))  # type: ignore[method-assign,assignment]
    elif isinstance(index, PostgresIndex):
        index._count = _die  # type: ignore[method-assign]
    return index


def _work(place: Settings, begun: Any, hears: bool, dies: str, host: str) -> None:
    """What the child does: work until there is nothing more to do, or until the moment at which it ``dies``."""
    jobs.LEASE = LEASE
    socket.gethostname = lambda: host or "killing"
    storage, stopping = Storage(place), threading.Event()
    library, index = storage.library, _dying(storage.index()) if dies == "vectors" else storage.index()

    def embed(texts: Sequence[str]) -> Any:
        return hashed(texts)

    def put(episode: Episode, cues: tuple[Cue, ...]) -> None:
        found = passages(episode.id, cues)
        rows = hashed([passage.text for passage in found])
        index.add(episode.id, found, np.pad(rows, ((0, 0), (0, 384 - rows.shape[1]))))
        if dies == "index":
            _die()

    def watch() -> None:
        while not stopping.wait(0.1):
            with suppress(LibraryError):  # the server is away
                if not Queue(library.database).counts():
                    stopping.set()

    begun.send(None)
    watching = threading.Thread(target=watch)
    watching.start()
    recogniser = _Noting if hears else _Dividing
    worker.run(library, Tools(hearing=lambda: recogniser(place.data_dir / "heard"), embed=embed, index=put), stopping)
    watching.join()
    storage.close()


def main() -> None:
    """Kill as often as asked, and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--sentences", type=int, default=16)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--divided", action="store_true", help="divide the sound as the recogniser does, unheard")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    chance = random.Random(given.seed)
    outcomes = []
    with tempfile.TemporaryDirectory() as name, Places.on(given.database, Path(name)) as places:
        audio = speech(Path(name) / "speech.wav", given.sentences)
        hears = not given.divided
        whole(places.empty("first"), audio, hears)  # what is loaded for the first time takes longer
        beside = places.empty("beside")
        seconds = whole(beside, audio, hears)
        wanted = stored(beside)
        for number in range(given.kills):
            place = places.empty(f"k{number}")
            outcomes.append(killed(place, audio, chance.uniform(0, seconds), wanted, hears))
            places.forget(place)
    steps = Counter(outcome.step for outcome in outcomes)
    table = {
        "seed": given.seed, "database": given.database, "kills": len(outcomes),
        "good": sum(outcome.good for outcome in outcomes),
        "same library": sum(outcome.same for outcome in outcomes), "pieces of the audio": outcomes[0].heard,
        "pieces heard twice": sum(outcome.twice for outcome in outcomes),
        "but the one in flight": sum(not outcome.in_flight for outcome in outcomes),
        "struck while": dict(steps),
    }  # fmt: skip
    if given.json:
        print(json.dumps(table))
    else:
        for what, value in table.items():
            print(f"{what:22} {value}")


if __name__ == "__main__":
    main()
