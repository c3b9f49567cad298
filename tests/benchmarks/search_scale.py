# SPDX-License-Identifier: GPL-3.0-or-later
"""How long finding takes in a large library, and what adding to one costs, through the code that answers users.

    python -m tests.benchmarks.search_scale --passages N [--json] [--questions N] [--folder DIR]

A library of N passages is made with `Index.add`, in a temporary folder, or in `--folder` to be used again. Its texts
vary real talk (the podcasts beside this checkout where they are there, else words drawn by Zipf's law), with ever new
names, as libraries have them; its vectors are those of the talk, each moved at random, so they crowd where talk does.

`p50_ms` and `p95_ms`: from the text of a question never asked before to the sections about it, over the whole library,
the embedding of the question included. `read_…`: to the runs of sentences that answer it, as answers are found, over
the library, and `episode_…` in one of its episodes; by the clock, and `…_cpu_ms` of the processor, which tells the
same beside other work. `bandwidth_ratio`: the scan of all vectors against reading as many bytes as fast
as the machine can. `recall@10`: the nearest ten against float32 over all rows. `add_ms` beside `add_alone_ms`: one
more episode, here and in an empty library (medians); `add_worst_ms` the longest of them.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from retrieval.finding.sections.find_sections import find_sections
from retrieval.finding.sentences.find_sentences import find_sentences
from retrieval.index import vectors as stored_vectors
from retrieval.index.chunking import UNIT_WORDS, WINDOW_WORDS, passages, window_spans
from retrieval.index.embedding import DIMENSION, Embedder, Matrix
from retrieval.index.index import Index
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.token_store import TokenStore, build_token_store
from retrieval.model import Passage, Question
from tests.benchmarks.moments import read
from tests.benchmarks.phrasing import WAYS
from tests.benchmarks.vectors import Remembering
from voice.model import Cue

PODCASTS = Path(__file__).parents[3] / "shared" / "data" / "moments" / "bitcoin"
_POOL = 2000  # pieces of talk that are varied
_EPISODE = 260  # units of an episode: three quarters of an hour
_TOPIC = 14  # units about one thing
_MOVED = 0.35  # length of the random step from a piece's vector, which is 1 long
_ADDED = 20  # episodes added while the time is taken
_EXACT = 40  # questions whose nearest are also found exactly
_READ = 1 << 28  # bytes read to measure the memory


def pool() -> list[str]:
    """Pieces of talk of about thirty words, in the order in which they were said."""
    if (PODCASTS / "episodes.jsonl").exists():
        units = [
            passage.text
            for episode, cues in read(PODCASTS, 12).cues.items() for passage in passages(episode, cues)
            if passage.grain == UNIT_WORDS
        ]  # fmt: skip
        return units[:_POOL]
    pick = np.random.default_rng(1)
    vocabulary = np.array([_name(pick) for _ in range(20_000)])
    chances = 1 / np.arange(1, len(vocabulary) + 1)
    return [
        " ".join(vocabulary[pick.choice(len(vocabulary), UNIT_WORDS, p=chances / chances.sum())]) + "."
        for _ in range(_POOL)
    ]


def _name(pick: np.random.Generator) -> str:
    return "".join(pick.choice(["ka", "lo", "mi", "ren", "tu", "sha", "vor", "el", "ny", "ba"], pick.integers(2, 5)))


def invented(talk: Sequence[str], vectors: Matrix, number: int) -> tuple[list[Passage], Matrix]:
    """Episode ``number`` of the library: its passages and their vectors."""
    pick = np.random.default_rng([7, number])
    first = pick.integers(0, len(talk) - _TOPIC, -(-_EPISODE // _TOPIC))
    rows = (first[:, None] + np.arange(_TOPIC)).ravel()[:_EPISODE]
    guests = [f"{_name(pick)}{number}", *(f"{_name(pick)}{int(pick.zipf(1.3)) % 1_000_000}" for _ in range(9))]
    texts = []
    for row in rows:
        words = talk[row].split()
        strange = talk[int(pick.integers(len(talk)))].split()
        for place in pick.integers(0, len(words), 4):
            words[place] = str(pick.choice(strange))
        words.insert(int(pick.integers(len(words))), guests[min(int(pick.geometric(0.3)), len(guests)) - 1])
        texts.append(" ".join(words))
    noise = pick.normal(size=(len(rows), DIMENSION)) * _MOVED / np.sqrt(DIMENSION)
    units = vectors[rows] + noise
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    name = f"episode-{number}"
    turns = [2 if place % 5 == 0 else 0 for place in range(len(rows))]
    found = [
        Passage(name, 11.0 * place, 11.0 * place + 11, text, guests[place // 5 % 2], UNIT_WORDS, turn)
        for place, (text, turn) in enumerate(zip(texts, turns, strict=True))
    ]
    spans = window_spans([len(text.split()) for text in texts], turns)
    wide = np.stack([units[a:b].mean(axis=0) for a, b in spans])
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    found += [
        Passage(
            name, found[a].start, found[b - 1].end, " ".join(texts[a:b]), found[a].speaker, WINDOW_WORDS,
            found[a].break_,
        )
        for a, b in spans
    ]
    return found, np.concatenate([units, wide]).astype(np.float32)


def scripts(talk: Sequence[str], embed: Embedder) -> list[TokenStore]:
    """What is read of each two pieces of talk that follow each other, from every second piece on."""
    return [
        build_token_store([Cue(0.0, 11.0, talk[at]), Cue(11.0, 22.0, talk[at + 1])], embed)
        for at in range(0, len(talk) - 1, 2)
    ]


def written(read: Sequence[TokenStore], number: int) -> TokenStore:
    """The token store of episode ``number``: as real ones, but for the names that are put into its passages."""
    first = np.random.default_rng([7, number]).integers(0, 2 * len(read) - _TOPIC, -(-_EPISODE // _TOPIC))
    parts = [read[pair] for pair in ((first[:, None] // 2 + np.arange(_TOPIC // 2)).ravel() % len(read)).tolist()]
    places = np.concatenate([part.sentences for part in parts])
    owner = np.repeat(np.arange(len(parts)), [len(part.sentences) for part in parts])
    pieces = np.cumsum([0, *(len(part.ids) for part in parts)])[owner].astype(np.uint32)
    for column in ("at", "first", "last"):
        places[column] += pieces
    places["chunk"] += np.cumsum([0, *(len(part.chunks) - 1 for part in parts)])[owner].astype(np.uint32)
    places["start"] += 22.0 * owner
    places["end"] += 22.0 * owner
    places["turn"] = owner // 2
    return TokenStore(
        places, tuple(text for part in parts for text in part.texts), ("",),
        np.concatenate([part.ids for part in parts]), np.concatenate([part.codes for part in parts]),
    )  # fmt: skip


def build(
    index: Index, count: int, talk: Sequence[str], vectors: Matrix, say: Callable[[str], None],
    read: Sequence[TokenStore] = (),
) -> None:  # fmt: skip
    """Add episodes until the index has ``count`` passages; with ``read`` they can be read for answers too."""
    with index.snapshot() as snapshot:
        number, rows = len(snapshot.episodes), snapshot.passage_count
    began = time.perf_counter()
    while rows < count:
        found, moved = invented(talk, vectors, number)
        index.add(found[0].episode_id, found, moved, "", written(read, number) if read else None)
        number, rows = number + 1, rows + len(found)
        if number % 250 == 0:
            say(f"{rows} passages after {time.perf_counter() - began:.0f} s")


def questions(talk: Sequence[str], count: int) -> Iterator[str]:
    """Questions that were never asked before, in words of the talk and as people put them."""
    pick = np.random.default_rng(3)
    for _ in range(count):
        words = talk[int(pick.integers(len(talk)))].strip(".?!").split()
        place = int(pick.integers(max(len(words) - 5, 1)))
        yield str(pick.choice(WAYS)).format(" ".join(words[place : place + int(pick.integers(2, 6))]).lower())


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def reading(index: SqliteIndex, embed: Embedder, talk: Sequence[str], asked: int) -> dict[str, float]:
    """How long it takes to the runs that answer: over the library, and in one of its episodes."""
    with index.snapshot() as snapshot:
        episodes = len(snapshot.episodes)
    found = {}
    for name, places in (("read", [None]), ("episode", [f"episode-{number}" for number in range(min(episodes, 50))])):
        clock, used = [], []
        for number, text in enumerate(questions(talk[:: -1 if name == "read" else 1], asked + 5)):
            question = Question(f"{text} {name}", places[number % len(places)])
            began, worked = time.perf_counter(), time.process_time()
            find_sentences(question, index, embed)
            clock.append(1000 * (time.perf_counter() - began))
            used.append(1000 * (time.process_time() - worked))
        for kind, times in (("ms", clock[5:]), ("cpu_ms", used[5:])):  # the first ones load what is loaded once
            for share in (50, 95):
                found[f"{name}_p{share}_{kind}"] = round(float(np.quantile(times, share / 100)), 1)
    return found


def bandwidth() -> float:
    """Bytes that the machine reads from memory in a second, by the fastest of some ways, on all its cores."""
    cores = os.cpu_count() or 1
    data = np.ones(_READ // 4, np.float32)
    parts = np.array_split(data, cores)
    times = []
    with ThreadPoolExecutor(cores) as threads:
        for work in (lambda part: np.dot(part, part), np.max, lambda part: np.bitwise_or.reduce(part.view(np.uint64))):
            times += [milliseconds(lambda: list(threads.map(work, parts))) for _ in range(7)]  # noqa: B023
    return _READ / min(times) * 1000


def measure(index: SqliteIndex, embed: Embedder, talk: Sequence[str], vectors: Matrix, asked: int) -> dict[str, float]:
    """All numbers for an index that is built."""
    for text in questions(talk[::-1], 10):
        find_sections(Question(text), index, embed)
    times = [milliseconds(lambda: find_sections(Question(text), index, embed)) for text in questions(talk, asked)]  # noqa: B023
    with index.snapshot() as snapshot:
        stored, runs, episodes = snapshot.matrix, snapshot.runs, len(snapshot.episodes)
    asks = [embed.encode_question(text) for text in questions(talk, _EXACT)]
    embedding = [milliseconds(lambda: embed.encode_question(f"{text} really")) for text in questions(talk, _EXACT)]  # noqa: B023
    scans = [milliseconds(lambda: stored_vectors.scan(stored, vector, runs)) for vector in asks]  # noqa: B023
    kept = 0
    for vector in asks:
        exact = np.concatenate([np.einsum("ij,j->i", stored.exact[first:last], vector) for first, last in runs])
        rows = np.concatenate([np.arange(first, last) for first, last in runs])
        best = rows[np.argpartition(-exact, 10)[:10]]
        kept += len(set(best.tolist()) & set(stored_vectors.nearest(stored, vector, 10, runs)[0].tolist()))
    scanned = stored_vectors.row_bytes() * len(rows)
    speed = bandwidth()
    adding = [
        milliseconds(lambda: index.add(found[0].episode_id, found, moved))  # noqa: B023
        for found, moved in (invented(talk, vectors, episodes + number) for number in range(_ADDED))
    ]
    with TemporaryDirectory() as folder:
        small = SqliteIndex.open(Path(folder))
        alone = [
            milliseconds(lambda: small.add(found[0].episode_id, found, moved))  # noqa: B023
            for found, moved in (invented(talk, vectors, number) for number in range(_ADDED))
        ]
        small.close()
    for number in range(_ADDED):
        index.remove(f"episode-{episodes + number}")
    return {
        "passages": len(rows), "episodes": episodes, "questions": asked,
        "p50_ms": round(float(np.quantile(times, 0.5)), 2), "p95_ms": round(float(np.quantile(times, 0.95)), 2),
        "embedding_ms": round(float(np.median(embedding)), 2), "scan_ms": round(float(np.median(scans)), 2),
        "bandwidth_gb_s": round(speed / 1e9, 2),
        "bandwidth_ratio": round(float(np.median(scans)) / (1000 * scanned / speed), 3),
        "recall@10": kept / (10 * len(asks)),
        "add_ms": round(float(np.median(adding)), 1), "add_worst_ms": round(max(adding), 1),
        "add_alone_ms": round(float(np.median(alone)), 1),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--passages", type=int, default=100_000, help="size of the library (100000)")
    parser.add_argument("--questions", type=int, default=200, help="how many are asked (200)")
    parser.add_argument("--folder", type=Path, help="keep the library here and use it again")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args(arguments)
    if options.passages < 1000 or options.questions < 1:
        parser.error("a library of at least 1000 passages and one question are needed")

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")

    talk = pool()
    vectors = Remembering().encode(talk)
    with TemporaryDirectory() as scratch:
        index = SqliteIndex.open(options.folder or Path(scratch))
        embed = Embedder.load()
        build(index, options.passages, talk, vectors, say, scripts(talk, embed))
        found = measure(index, embed, talk, vectors, options.questions)
        found |= reading(index, embed, talk, options.questions)
        index.close()
    text = json.dumps(found, indent=1) if options.json else "\n".join(f"{name:<16}{v:>12}" for name, v in found.items())
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
