# SPDX-License-Identifier: GPL-3.0-or-later
"""What a large library costs: taking in, disk, memory, and how fast it is listed.

    python -m tests.benchmarks.library [--episodes N] [--minutes M] [--model] [--json]

Episodes are transcripts of M minutes each, cut from real conversations where the development data is beside the
checkout, else from the demo's script. They go the whole way (queue, topics, digest, index); with ``--model`` the
sentence model embeds them, else a stand-in of the same shape that costs nothing, so that what is measured is the rest.
Then ``earmark list`` is timed as a whole process, and what the page loads for its shelf from a running server.
"""

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from episodes.demo import dialogue
from episodes.ingest.pipeline import Tools
from episodes.ingest.submit import enqueue
from episodes.ingest.worker import bring_in
from episodes.model import Cue, Episode, Source
from episodes.store.library import Library
from episodes.transcripts.writer import write_vtt
from retrieval.index.chunking import passages
from retrieval.index.embedding import DIMENSION, Embedder, Matrix
from retrieval.index.sqlite_index import SqliteIndex
from tests.conftest import serving
from tests.material import FOLDER
from voice.errors import HearingError

ROOT = Path(__file__).parents[2]
SETS = ("moments/bitcoin", "moments/qmsum-train", "moments/qmsum-val")
CHROMIUM = Path("/usr/bin/chromium")
DRAW = """async () => {
  const began = performance.now();
  const episodes = await (await fetch("api/episodes")).json();
  const fetched = performance.now();
  episodes[0].title += ` ${fetched}`;  // else nothing is drawn
  Earmark.takeLibrary(episodes, null);
  document.getElementById("shelf").getBoundingClientRect();
  return [fetched - began, performance.now() - fetched];
}"""
RUNS = 15
EVERY = 100  # episodes between two measures of the speed


def parts(minutes: float) -> Iterator[tuple[str, list[Cue]]]:
    """(title, cues) of conversations cut into parts of that length; without data the demo's, again and again."""
    found = 0
    for name in SETS:
        path = FOLDER / name / "episodes.jsonl"
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            row = json.loads(line)
            cues = [Cue(cue["start"], cue["end"], cue["text"], cue["speaker"]) for cue in row["cues"] if cue["text"]]
            cues.sort(key=lambda cue: cue.start)
            for number in count():
                since = number * minutes * 60
                part = [Cue(cue.start - since, max(cue.end, cue.start) - since, cue.text, cue.speaker)
                        for cue in cues if since <= cue.start < since + minutes * 60]  # fmt: skip
                if not part and (not cues or cues[-1].start < since):
                    break
                if len(part) > 5:
                    found += 1
                    yield f"{row['title'] or row['id']}, part {number + 1}", part
    for number in count(found):
        lines = [(line.speaker, line.text) for line in dialogue().lines]
        said = (lines * 40)[number % len(lines) :][: round(minutes * 6)]
        yield f"Demo {number}", [Cue(10.0 * at, 10.0 * at + 9, f"{text} ({number})", who)
                                 for at, (who, text) in enumerate(said)]  # fmt: skip


def stand_in(texts: Sequence[str]) -> Matrix:
    """Unit vectors that are the same for the same text, and mean nothing."""
    rows = np.empty((len(texts), DIMENSION), np.float32)
    for row, text in zip(rows, texts, strict=True):
        seed = int.from_bytes(hashlib.blake2s(text.encode(), digest_size=8).digest())
        row[:] = np.random.Generator(np.random.SFC64(seed)).standard_normal(DIMENSION, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def take_in(folder: Path, episodes: int, minutes: float, model: bool) -> dict[str, float]:
    """Take episodes into a new library in ``folder``; what it took."""
    embed = Embedder.load().encode if model else stand_in
    library, index = Library.open(folder), SqliteIndex.open(folder / "index")
    given = folder.parent / "given"
    given.mkdir()

    def put(episode: Episode, cues: tuple[Cue, ...]) -> None:
        found = passages(episode.id, cues)
        index.add(episode.id, found, embed([passage.text for passage in found]))

    def hear() -> object:
        raise HearingError("a transcript was given")

    tools = Tools(hearing=hear, embed=embed, index=put)  # type: ignore[arg-type]
    before, hours, marks = peak(), 0.0, []
    texts = 0
    began, cpu = time.monotonic(), time.process_time()
    for number, (title, cues) in enumerate(islice(parts(minutes), episodes)):
        path = given / f"{number}.vtt"
        path.write_text(write_vtt(cues), "utf-8")
        texts += path.stat().st_size
        episode = bring_in(library, enqueue(library, Source(title, transcript=path, show=f"Show {number % 20}")), tools)
        hours += episode.seconds / 3600
        if (number + 1) % EVERY == 0:
            marks.append(time.process_time())
    took, worked = time.monotonic() - began, time.process_time() - cpu
    laps = [after - first for first, after in zip([cpu, *marks], marks, strict=False)]
    library.close()
    index.close()
    disk = {name: sum(file.stat().st_size for file in folder.rglob(name)) / 1e6 for name in ("library.db*", "*")}
    return {
        "episodes": episodes,
        "hours": round(hours, 1),
        "seconds": round(took, 1),
        "cpu_seconds": round(worked, 1),
        "episodes_per_second": round(episodes / took, 2),
        "cpu_first_hundred": round(laps[0], 1) if laps else 0.0,
        "cpu_last_hundred": round(laps[-1], 1) if laps else 0.0,
        "transcripts_mb": round(texts / 1e6, 1),
        "library_mb": round(disk["library.db*"], 1),
        "whole_mb": round(disk["*"], 1),
        "peak_memory_mb": round(peak(), 0),
        "memory_before_mb": round(before, 0),
    }


def peak() -> float:
    """The most memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def listing(folder: Path) -> dict[str, float]:
    """Milliseconds (medians) of ``earmark list``, of a process that does nothing, and of what the page loads."""
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(folder), "list"]
    found = {"list_ms": timed(lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True)),
             "python_ms": timed(lambda: subprocess.run([sys.executable, "-c", ""], check=True))}  # fmt: skip
    with serving(folder, EARMARK_DEMO="false") as url:
        for name, path in (("shelf_ms", "/api/episodes"), ("status_ms", "/api/status"), ("page_ms", "/")):
            found[name] = timed(lambda path=path: urllib.request.urlopen(url + path, timeout=30).read())  # type: ignore[misc]
        found |= drawn(url)
    return found


def drawn(url: str) -> dict[str, float]:
    """Milliseconds (medians) in a browser for the shelf: its data, and laying it out; nothing without one."""
    if not CHROMIUM.exists():
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#shelf [data-choose]", timeout=60_000)
        runs = [page.evaluate(DRAW) for _ in range(RUNS)][1:]
        browser.close()
    return {"browser_fetch_ms": round(statistics.median(run[0] for run in runs), 1),
            "browser_draw_ms": round(statistics.median(run[1] for run in runs), 1)}  # fmt: skip


def timed(what: object) -> float:
    """The median of some runs in milliseconds, after one that warms up."""
    assert callable(what)
    what()
    runs = []
    for _ in range(RUNS):
        began = time.perf_counter()
        what()
        runs.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(runs), 1)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--model", action="store_true", help="embed with the sentence model")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="earmark-library-") as temporary:
        folder = Path(temporary) / "library"
        found: dict[str, float | str] = {"embedder": "the sentence model" if given.model else "a stand-in"}
        found |= take_in(folder, given.episodes, given.minutes, given.model)
        found |= listing(folder)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' '):20} {value}")


if __name__ == "__main__":
    main()
