# SPDX-License-Identifier: GPL-3.0-or-later
"""What each call of the page, the command line and a question costs in a large library, search itself aside.

``python -m tests.benchmarks.library_scale`` fills a library with 100,000 episodes (rows only: no sound, and transcripts
of a few), and prints milliseconds of processor time of each call: the median of some runs.
"""

import argparse
import gc
import itertools
import json
import resource
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import process_time, time

import numpy as np
from click.testing import CliRunner
from fastapi import FastAPI
from fastapi.testclient import TestClient

from episodes.ingest.status import eta_of, outlook
from episodes.ingest.worker import adopt
from episodes.model import Cue, Episode, Source, State, Step, StepState
from episodes.store.catalogue import Order
from episodes.store.jobs import BY_HAND, Queue, worker_name
from episodes.store.library import Library
from episodes.store.migrations import MIGRATIONS
from episodes.store.words import name_words
from retrieval.answers import respond
from retrieval.answers.corpus import Corpus
from retrieval.index import vectors
from retrieval.index.chunking import passages
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Question, SearchResult
from ui.cli.main import main as earmark
from ui.companion import Companion
from ui.listener_data import ListenerData
from ui.positions import PlaybackPositions
from ui.settings import Settings
from ui.shows import ShowSettingsStore
from ui.web.api import episodes as routes
from ui.web.dependencies import Served
from ui.web.model_fetching import ModelFetching

LIMIT = 20.0
"""Milliseconds that a call may take."""

BEFORE = {
    "library.page": 3700, "library.episode by title": 86, "queue.claim": 135, "queue.jobs": 1050, "outlook": 4800,
    "page: the shelf": 3900, "page: status": 4800, "question: of the library": 7400, "index: look after an add": 900,
}  # fmt: skip
"""Milliseconds of processor time before calls were looked up, where a call did the same by reading everything."""

_READY = 0.9  # share of the episodes that are ready; the rest waits
_SHOWS, _WORDS, _PEOPLE = 200, 4_000, 8_000
_UNITS, _WINDOWS = 10, 3  # passages of an episode in the index
_TOLD = 40  # episodes that have a transcript
_RUNS = 5


def fill(folder: Path, count: int) -> None:
    """Make a library of ``count`` episodes."""
    chance = np.random.default_rng(0)
    words = [f"{a}{b}{c}" for a, b, c in itertools.product("bdfgklmnprst", "aeiou", ("rk", "lo", "nd", "sta", "min"))]
    words = [one + two for one in words for two in words[:14]][:_WORDS]
    people = [f"{words[n % 1999].title()} {words[(7 * n) % 1777].title()}" for n in range(_PEOPLE)]
    titles = [" ".join(words[at] for at in five).title() for five in chance.integers(0, _WORDS, (count, 5))]
    ids = [f"{title.lower().replace(' ', '-')[:40]}-{number:06x}" for number, title in enumerate(titles)]
    ready = int(_READY * count)
    _old_library(folder, ids, titles, people, ready)
    library = Library.open(folder)  # which brings it up to date
    with library.transaction() as db:
        db.executemany(
            "INSERT OR IGNORE INTO speakers VALUES (?, ?)",
            ((people[at % _PEOPLE], name) for number, name in enumerate(ids) for at in (number, 3 * number)),
        )
        db.executemany(
            "INSERT OR IGNORE INTO name_words VALUES (?, ?)",
            ((word, name) for name in people for word in name_words(name)),
        )
    for name in ids[-_TOLD:]:
        library.save_cues(name, _cues(400, people))
    _fill_index(folder / "index", ids[:ready])
    library.close()


def _old_library(folder: Path, ids: list[str], titles: list[str], people: list[str], ready: int) -> None:
    """The rows as version 5 of the library had them."""
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(folder / "library.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    for step in MIGRATIONS[:5]:
        step(db)
    db.execute("PRAGMA user_version = 5")
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'en')",
        (
            (name, number + 1, f"{number:064x}", title, f"Show {number % _SHOWS}",
             json.dumps([people[number % _PEOPLE]]),
             f"20{number % 20 + 5:02}-{number % 12 + 1:02}-{number % 28 + 1:02}", 2820.0 + number % 600,
             f"https://example.org/{number}.mp3", f"audio/{name}.m4a" if number < ready else "")
            for number, (name, title) in enumerate(zip(ids, titles, strict=True))
        ),
    )  # fmt: skip
    db.executemany(
        "INSERT INTO steps VALUES (?, ?, ?, ?, '')",
        (
            (name, step, "done" if number < ready else "waiting", float(number < ready))
            for number, name in enumerate(ids) for step in Step
        ),
    )  # fmt: skip
    waiting = list(enumerate(ids))[ready:]
    db.executemany(
        "INSERT INTO sources VALUES (?, ?)",
        ((name, json.dumps({"title": titles[number], "address": "https://example.org/a.mp3"}))
         for number, name in waiting),
    )  # fmt: skip
    db.executemany("INSERT INTO jobs VALUES (?, ?, 'waiting', 0, 0, 0, '', 0, NULL, 0)",
                   ((name, number + 1) for number, name in waiting))  # fmt: skip
    db.execute("COMMIT")
    db.close()


def _cues(count: int, people: list[str]) -> list[Cue]:
    said = "well what we found there was that it takes rather longer than anybody had thought at first"
    return [Cue(6.0 * n, 6.0 * n + 5, said, people[n // 40 % 3]) for n in range(count)]


def _fill_index(folder: Path, ids: list[str]) -> None:
    index, size = SqliteIndex.open(folder), _UNITS + _WINDOWS
    with index._writing() as db:
        db.executemany(
            "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, '', x'', '[]', x'')",
            ((name, size * at, _UNITS * at, _UNITS, _WINDOWS) for at, name in enumerate(ids)),
        )
        db.executemany(
            "INSERT INTO spans VALUES (?, ?, ?, ?, ?, 1)",
            ((size * at, name, _UNITS * at, _UNITS, _WINDOWS) for at, name in enumerate(ids)),
        )
        for name, value in (("rows", size * len(ids)), ("texts", _UNITS * len(ids)), ("units", _UNITS * len(ids))):
            index._set(db, name, value)
    for file, width in zip(vectors.file_names("vectors-1"), (4 * 384, 384), strict=True):
        with (folder / file).open("wb") as sparse:  # nobody reads the vectors: they take no room
            sparse.truncate(size * len(ids) * width)
    index.close()


def calls(folder: Path, library: Library) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every call, by name."""
    newest = library.page(1)[0]
    some = library.page(40, library.count() // 2)
    one, queue, worker = some[0], Queue(library.database), worker_name()
    count = library.count()
    fresh = itertools.count()

    def created() -> Episode:
        number = next(fresh)
        return library.create(f"f{number:063x}", Episode("", f"A new one {number}", "Show 3", ("Ann Lee",)))

    yield "library.count", library.count
    yield "library.overview", library.overview
    yield "library.shows", library.shows
    yield "library.page", lambda: library.page(50)
    yield "library.page, the last", lambda: library.page(50, count - 60)
    yield "library.page, published", lambda: library.page(50, order=Order.PUBLISHED)
    yield "library.page of a show", lambda: library.page(50, show="Show 7")
    yield "library.page, common word", lambda: library.page(50, query="show")
    yield "library.page, rare words", lambda: library.page(50, query=" ".join(one.title.split()[:2]))
    yield "library.count, common word", lambda: library.count("show")
    yield "library.count, short word", lambda: library.count("ba")
    yield "library.resolve, id", lambda: library.resolve(one.id)
    yield "library.episode by title", lambda: library.episode(one.title)
    yield "library.resolve, beginning", lambda: library.resolve(one.id[:-2])
    yield "library.resolve, misspelt", lambda: _refused(lambda: library.resolve(one.title[:-3] + "x"))
    yield "library.titles of 40", lambda: library.titles([each.id for each in some])
    yield "library.some of 40", lambda: library.some([each.id for each in some])
    yield "library.of_show", lambda: library.of_show("Show 7")
    yield "library.playable, next", lambda: library.playable(one.id, 1)
    yield "library.speakers_like", lambda: library.speakers_like("barkbark")
    yield "library.changed_since", lambda: library.changed_since(library.version() - 2)
    yield "library.create", created
    yield "library.set_step", lambda: library.set_step(one.id, StepState(Step.INDEXED, State.DONE, 1.0, str(time())))
    yield "queue.put", lambda: queue.put(created().id, Source("A new one", address="https://x.org/a.mp3"), 0.0, BY_HAND)
    yield "queue.claim", lambda: queue.release(queue.claim(worker, time()) or _nothing())
    yield "queue.claim, fetched only", lambda: queue.claim(worker, time(), one.id)
    yield "queue.jobs", lambda: queue.jobs(100)
    yield "queue.counts", queue.counts
    yield "queue.waits", lambda: queue.waits(time())
    yield "queue.hurry", lambda: queue.hurry(newest.id)
    yield "outlook", lambda: outlook(library, time())
    yield "eta_of", lambda: eta_of(library, newest.id, time())
    yield "adopt", lambda: adopt(library)
    yield from _index_calls(folder)
    yield from _question_calls(library, one)
    yield from _page_calls(folder, library, one)
    yield from _cli_calls(folder, one)


def _index_calls(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    index = SqliteIndex.open(folder / "index")
    found = passages("new", _cues(20, ["Ann", "Ben", "Cy"]))
    rows = np.zeros((len(found), 384), np.float32)
    numbers = itertools.count()

    def look() -> int:
        with index.snapshot() as snapshot:
            return snapshot.passage_count

    look()
    yield "index: add", lambda: index.add(f"new-{next(numbers)}", found, rows)

    def look_after() -> int:
        index.add(f"new-{next(numbers)}", found, rows)
        return look()

    yield "index: look after an add", look_after
    yield "index: remove", lambda: index.remove(f"new-{next(numbers) - 3}")


def _question_calls(library: Library, one: Episode) -> Iterator[tuple[str, Callable[[], object]]]:
    corpus = Corpus(
        library, library.cues, library.segments, library.digest, lambda question, count, among: SearchResult(),
        lambda question, count: [], lambda word: 3, lambda text: {},
    )  # fmt: skip
    within = library.of_show("Show 7")
    for name, text in (
        ("of the library", "Why is a chatbot like a mirror?"), ("how many", "How many episodes do I have?"),
        ("what is there", "What is in my library?"), ("the longest", "Which is my longest episode?"),
        ("the newest", "What is the newest episode?"), ("a speaker", "What did Barkrk say about honey?"),
    ):  # fmt: skip
        yield f"question: {name}", lambda text=text: respond.answer(Question(text), corpus)
    yield "question: in a show", lambda: respond.answer(Question("How many episodes do I have?"), corpus, within)
    yield "question: in an episode", lambda: respond.answer(Question("Why do bees dance?", one.id), corpus)


def _page_calls(folder: Path, library: Library, one: Episode) -> Iterator[tuple[str, Callable[[], object]]]:
    settings = Settings(data_dir=folder, demo=False)
    companion = Companion(settings)
    app = FastAPI()
    app.include_router(routes.router)
    app.state.served = Served(
        companion, PlaybackPositions(folder), ModelFetching(companion), ListenerData(folder), ShowSettingsStore(folder)
    )
    client = TestClient(app)
    tag = client.get("/api/episodes?limit=50").headers["etag"]
    companion.mend_index()
    yield "page: the shelf", lambda: client.get("/api/episodes?limit=50").content
    yield "page: the shelf, no news", lambda: client.get("/api/episodes?limit=50", headers={"If-None-Match": tag})
    typed = {"limit": "50", "query": one.title[:-2]}
    yield "page: search of titles", lambda: client.get("/api/episodes", params=typed).content
    yield "page: status", lambda: client.get("/api/status").content
    yield "page: an episode", lambda: client.get(f"/api/episodes/{one.id}").content
    yield "companion.mend_index", companion.mend_index

    def changed() -> None:
        library.set_step(one.id, StepState(Step.INDEXED, State.DONE, 1.0, str(time())))
        companion.mend_index()

    yield "companion.mend_index, news", changed
    companion.bias(None)
    yield "companion.bias", lambda: companion.bias(None)


def _cli_calls(folder: Path, one: Episode) -> Iterator[tuple[str, Callable[[], object]]]:
    runner = CliRunner()
    for words in (["list", "--limit", "50"], ["list", "--match", one.title], ["show", one.id], ["jobs"], ["feeds"]):
        yield f"earmark {words[0]} {words[1] if len(words) > 2 else ''}".strip(), lambda words=words: runner.invoke(
            earmark, ["--data-dir", str(folder), *words], catch_exceptions=False
        )


def _refused(work: Callable[[], object]) -> str:
    try:
        work()
    except Exception as error:
        return str(error)
    raise AssertionError("it was found")


def _nothing() -> object:
    raise AssertionError("there is no job")


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--episodes", type=int, default=100_000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    table: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = process_time()
        fill(folder, given.episodes)
        filled = process_time() - began
        library = Library.open(folder)
        if not given.json:
            print(f"{given.episodes:,} episodes, filled in {filled:.0f} s of processor time\n")
            print(f"{'call':30} {'before':>9} {'now':>9}  milliseconds of processor time", flush=True)
        for what, call in calls(folder, library):
            call()
            times = []
            for _ in range(_RUNS):
                began = process_time()
                call()
                times.append(1000 * (process_time() - began))
            table[what] = round(median(times), 2)
            if not given.json:
                before = f"{BEFORE[what]:,}" if what in BEFORE and given.episodes == 100_000 else ""
                slow = f"  more than {LIMIT:.0f}" if table[what] > LIMIT else ""
                print(f"{what:30} {before:>9} {table[what]:9.2f}{slow}", flush=True)
        gc.collect()
        memory = _resident()
        for _, call in calls(folder, library):
            call()
        gc.collect()
        grown = _resident() - memory
    if given.json:
        print(json.dumps({"episodes": given.episodes, "filled": filled, "megabytes": grown, "milliseconds": table}))
    else:
        print(f"\nmemory grew by {grown:.0f} MB when all was called again")


def _resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
