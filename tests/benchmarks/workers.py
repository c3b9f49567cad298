# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast several workers take in transcripts on a PostgreSQL server, and what limits them.

    python -m tests.benchmarks.workers [--episodes N] [--minutes M] [--workers 1,2,4] [--json]

For each number of workers, ``earmark work --concurrency`` takes the same transcripts into an empty library on a server
of its own, on this machine. `seconds`: from the first job that is taken to the last that is done, without the loading
of models. `worker_s` and `server_s`: seconds of processor time for each episode, of the workers (with loading, which is
told besides) and of the server. `load`: how much else the machine does meanwhile.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from episodes.ingest.submit import enqueue
from episodes.model import Source
from episodes.store.jobs import Queue
from episodes.transcripts.writer import write_vtt
from tests import postgres
from tests.benchmarks.library import ROOT, parts
from tests.episodes.places import Places
from ui.settings import Settings
from ui.storage import open_library

_LOOK = 0.1  # seconds between two looks at the queue


def _spent() -> float:
    """Seconds of processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def worked(place: Settings, workers: int) -> tuple[float, float]:
    """Let so many workers empty the queue: seconds that it took, and seconds of processor time of all of them."""
    variables = {"EARMARK_DATABASE": place.database, "EARMARK_DATA_DIR": str(place.data_dir)}
    before = _spent()
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "work", "--idle", "3", "--concurrency", str(workers)],
        cwd=ROOT, env=os.environ | variables,
    )  # fmt: skip
    began = ended = 0.0
    with closing(open_library(place)) as library:
        queue = Queue(library.database)
        while process.poll() is None and not ended:
            began = began or (time.monotonic() if queue.running() else 0.0)
            ended = time.monotonic() if began and not queue.counts() else 0.0
            time.sleep(_LOOK)
    assert process.wait() == 0
    return ended - began, _spent() - before


def measure(places: Places, server: postgres.Server, given: Sequence[Source], workers: int) -> dict[str, float]:
    """All numbers for so many workers."""
    nothing = places.empty(f"nothing_{workers}")
    _, loading = worked_alone(nothing, workers)
    place = places.empty(f"workers_{workers}")
    with closing(open_library(place)) as library:
        for source in given:
            enqueue(library, source)
    before = server.processor_seconds()
    seconds, spent = worked(place, workers)
    with closing(open_library(place)) as library:
        assert len(library.all_ready()) == len(given)
    return {
        "workers": workers, "seconds": round(seconds, 1), "per_hour": round(3600 * len(given) / seconds),
        "worker_s": round((spent - loading) / len(given), 2), "loading_s": round(loading / workers, 1),
        "server_s": round((server.processor_seconds() - before) / len(given), 2), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def worked_alone(place: Settings, workers: int) -> tuple[float, float]:
    """One transcript of a line a worker: what starting and loading costs."""
    with closing(open_library(place)) as library:
        for number in range(workers):
            path = place.data_dir / f"{number}.srt"
            path.write_text(f"1\n00:00:00,000 --> 00:00:09,000\nBees dance for the {number}th time today.\n")
            enqueue(library, Source(f"Short {number}", transcript=path))
    return worked(place, workers)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--episodes", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as name, postgres.running() as server:
        top = Path(name)
        places = Places(top, server)
        given = []
        for number, (title, cues) in enumerate(islice(parts(options.minutes), options.episodes)):
            path = top / f"{number}.vtt"
            path.write_text(write_vtt(cues), "utf-8")
            given.append(Source(title, transcript=path, show=f"Show {number % 20}"))
        rows = [measure(places, server, given, int(workers)) for workers in options.workers.split(",")]
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print("  ".join(f"{what} {value}" for what, value in row.items()))


if __name__ == "__main__":
    main()
