# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a worker at any moment, lets another finish, and looks whether the library came out as without the kill.

``python -m tests.episodes.killing --kills 50`` does it fifty times, with the tests' own Whisper, real conversion and
the real index. Each kill has a library of its own; the moment is drawn from the time that a whole ingest takes, and the
seed is printed, so that a failure can be had again with ``--seed``.
"""

import argparse
import hashlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
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
from episodes.store.jobs import Queue
from episodes.store.library import Library
from retrieval.index.chunking import passages
from retrieval.index.index import Index
from tests.demo import TEN_QUESTIONS
from tests.episodes.conftest import hashed
from tests.speech import RATE, say
from voice.audio import Audio, join, silence, stream_audio, write_wav
from voice.model import Bias, Piece
from voice.recognition.whisper import Whisper
from voice.turns.voice_activity import Block, blocks
from voice.weights import TINY_EN

MODEL = TINY_EN.path or Path()
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


def speech(path: Path, sentences: int) -> Path:
    """Write some seconds of speech in sentences, with pauses between them at which a recording is cut."""
    said = itertools.islice(itertools.cycle(TEN_QUESTIONS), sentences)
    parts = [(Audio(say(f"{one.text} {one.text}"), RATE), silence(1.2, RATE)) for one in said]
    write_wav(path, join([part for pair in parts for part in pair]))
    return path


def whole(folder: Path, audio: Path, hears: bool = True) -> float:
    """Take the audio in without a kill; returns how many seconds a worker took. Not ``hears``: it is only divided."""
    _enqueued(folder, audio)
    process, began = _worker(folder, hears)
    process.join(60)
    assert process.exitcode == 0
    return monotonic() - began


def killed(folder: Path, audio: Path, after: float, beside: Path, hears: bool = True) -> Outcome:
    """Take the audio in with a worker that is killed ``after`` seconds, then with another one, and compare what came of
    it with the library ``beside``, which was never interrupted."""
    library, episode = _enqueued(folder, audio)
    process, began = _worker(folder, hears)
    sleep(max(0.0, began + after - monotonic()))
    process.kill()
    process.join(60)
    step = library.episode(episode.id).status.rstrip(" %0123456789")
    before = _heard(folder)
    process, _ = _worker(folder, hears)
    process.join(60)
    assert process.exitcode == 0
    heard = Counter(_heard(folder))
    twice = [sound for sound, times in heard.items() if times > 1]
    in_flight = len(twice) <= 1 and all(heard[sound] == 2 and sound == before[-1] for sound in twice)
    assert Queue(library.database).jobs() == []
    library.close()
    return Outcome(step, stored(folder) == stored(beside), len(heard), len(twice), in_flight)


def killed_indexing(folder: Path, source: Path, moment: str) -> tuple[bool, tuple[str, ...]]:
    """Take the source in with a worker that is killed at a ``moment`` of the last step, ``vectors`` (they are written,
    the index does not count them) or ``index`` (it does, the library does not know); then let another one finish.

    Returns whether the episode was ready in between, and the ids that the index then held.
    """
    library, episode = _enqueued(folder, source)
    process, _ = _worker(folder, dies=moment)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    between = library.episode(episode.id).ready, Index.open(folder / "index").episodes
    process, _ = _worker(folder)
    process.join(60)
    assert process.exitcode == 0
    assert library.episode(episode.id).ready
    library.close()
    return between


def stored(folder: Path) -> dict[str, Any]:
    """All that a library holds: its rows, its audio and its index, without what tells of the work itself."""
    found: dict[str, Any] = {}
    for name, left_out in (
        ("library.db", {"jobs", "speeds", "changes", "removed"}), ("index/index.db", {"meta", "gone"}),
    ):  # fmt: skip
        with sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True) as database:
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in sorted(set(tables) - left_out):
                if not table.startswith(("texts_", "episode_words_")):  # a full-text table's own, in an own order
                    # numbers of rows and changes, which are never used twice, are left out
                    out = ("first", "texts", "version") if name.startswith("index") else ("changed",)
                    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                    columns = [f'"{column}"' for column in columns if column not in out]
                    rows = database.execute(f"SELECT {', '.join(columns)} FROM {table}")
                    found[f"{name}: {table}"] = sorted(map(repr, rows))
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.parent.name in ("audio", "fetched"):
            found[str(file.relative_to(folder))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def _enqueued(folder: Path, audio: Path) -> tuple[Library, Episode]:
    Index.open(folder / "index").close()
    library = Library.open(folder)
    return library, enqueue(library, local_source(audio))


def _heard(folder: Path) -> list[str]:
    notes = folder / "heard"
    return notes.read_text().split() if notes.exists() else []


def _worker(folder: Path, hears: bool = True, dies: str = "") -> tuple[BaseProcess, float]:
    """A worker of its own process, and when it began to work."""
    _PROCESSES.set_forkserver_preload(
        ["faster_whisper", "av", "pydantic", "episodes.ingest.worker", "retrieval.index.index"]
    )
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_work, args=(folder, theirs, hears, dies))
    process.start()
    ours.recv()
    return process, monotonic()


class _Dying(Index):
    """An index whose process is killed once the vectors are written."""

    def _append(self, *args: Any) -> None:
        super()._append(*args)
        os.kill(os.getpid(), signal.SIGKILL)


def _work(folder: Path, begun: Any, hears: bool, dies: str) -> None:
    """What the child does: work until there is nothing more to do, or until the moment at which it ``dies``."""
    library, index = Library.open(folder), (_Dying if dies == "vectors" else Index).open(folder / "index")

    def embed(texts: Sequence[str]) -> Any:
        return hashed(texts)

    def put(episode: Episode, cues: tuple[Cue, ...]) -> None:
        found = passages(episode.id, cues)
        rows = hashed([passage.text for passage in found])
        index.add(episode.id, found, np.pad(rows, ((0, 0), (0, 384 - rows.shape[1]))))
        if dies == "index":
            os.kill(os.getpid(), signal.SIGKILL)

    begun.send(None)
    recogniser = _Noting if hears else _Dividing
    worker.run(library, Tools(lambda: recogniser(folder / "heard"), embed, put), threading.Event(), idle=0.0)


def main() -> None:
    """Kill as often as asked, and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--sentences", type=int, default=16)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    chance = random.Random(given.seed)
    outcomes = []
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        audio = speech(top / "speech.wav", given.sentences)
        whole(top / "first", audio)  # what is loaded for the first time takes longer
        seconds = whole(top / "beside", audio)
        for number in range(given.kills):
            outcomes.append(killed(top / str(number), audio, chance.uniform(0, seconds), top / "beside"))
    steps = Counter(outcome.step for outcome in outcomes)
    table = {
        "seed": given.seed, "kills": len(outcomes), "good": sum(outcome.good for outcome in outcomes),
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
