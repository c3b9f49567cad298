# SPDX-License-Identifier: GPL-3.0-or-later
"""How the search on a PostgreSQL server does beside that in a file: the same library, the same questions, one table.

    python -m tests.benchmarks.search_engines --passages N [--json] [--questions N]

The library is that of ``search_scale``; the server is one of its own with two gigabytes for building, on this machine.
`build_s`: adding all episodes; on the server without HNSW, which is then made at once (`hnsw_s`). `p50_ms` and
`p95_ms`: from the text of a question to its moments, over the whole library; `eight_p50_ms`, `eight_p95_ms` and
`eight_per_s` with eight who ask at the same time. `dense_ms`: the fifty nearest passages; `recall@50`: against float32
over all rows. `bytes`: on disk, for each passage. `load`: how much else the machine does meanwhile.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from episodes.store.postgres import PostgresDatabase
from retrieval.finding.sections.find_sections import find_sections
from retrieval.index import postgres_index as on_server
from retrieval.index.embedding import Embedder, Matrix
from retrieval.index.index import Index
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Question
from tests import postgres
from tests.benchmarks.search_scale import build, milliseconds, pool, questions
from tests.benchmarks.vectors import Remembering
from ui.settings import Settings
from ui.storage import migrate_tables

_NEAREST = 50
_COMPARED = 40  # questions whose nearest are also found exactly
_ASKERS = 8
_MEMORY = "2GB"  # for building HNSW
_TABLES = ("episodes", "scripts", "passages", "texts", "words")

Exact = Sequence[set[tuple[str, int]]]


def exactly(index: SqliteIndex, asks: Sequence[Matrix]) -> Exact:
    """The nearest passages of each vector, by all rows in float32: episode, and number in it."""
    with index.snapshot() as snapshot:
        names = snapshot.episodes
        layouts = [snapshot.episode_passages(name) for name in names]
        rows = [np.concatenate(snapshot.vectors(layout)) for layout in layouts if layout is not None]
    found = []
    for vector in asks:
        cosines = [np.einsum("ij,j->i", own, vector) for own in rows]
        places = [(name, number) for name, own in zip(names, cosines, strict=True) for number in range(len(own))]
        best = np.argpartition(-np.concatenate(cosines), _NEAREST)[:_NEAREST]
        found.append({places[one] for one in best})
    return found


def measure(index: Index, embed: Embedder, talk: Sequence[str], asked: int, exact: Exact) -> dict[str, float]:
    """What both engines are asked alike."""
    for text in questions(talk[::-1], 10):
        find_sections(Question(text), index, embed)
    texts = list(questions(talk, asked + _ASKERS * asked // 2))
    times = [milliseconds(lambda: find_sections(Question(text), index, embed)) for text in texts[:asked]]  # noqa: B023
    asks = [embed.encode_question(text) for text in questions(talk, _COMPARED)]
    kept, dense = 0, []
    for vector, wanted in zip(asks, exact, strict=True):
        with index.snapshot() as snapshot:
            began = time.perf_counter()
            groups = snapshot.dense(vector, _NEAREST)
            dense.append(1000 * (time.perf_counter() - began))
        kept += len({(name, int(number)) for name, numbers, _ in groups for number in numbers} & wanted)
    began = time.perf_counter()
    with ThreadPoolExecutor(_ASKERS) as threads:
        def took(text: str) -> float:
            return milliseconds(lambda: find_sections(Question(text), index, embed))

        many = list(threads.map(took, texts[asked:]))
    return {
        "p50_ms": _of(times, 0.5), "p95_ms": _of(times, 0.95), "dense_ms": _of(dense, 0.5),
        "recall@50": round(kept / (_NEAREST * len(asks)), 4),
        "eight_p50_ms": _of(many, 0.5), "eight_p95_ms": _of(many, 0.95),
        "eight_per_s": round(len(many) / (time.perf_counter() - began), 1),
    }  # fmt: skip


def _of(times: Sequence[float], share: float) -> float:
    return round(float(np.quantile(times, share)), 1)


def in_file(folder: Path, count: int, talk: Sequence[str], vectors: Matrix, say: Callable[[str], None]) -> SqliteIndex:
    """The library in a folder."""
    index = SqliteIndex.open(folder)
    build(index, count, talk, vectors, say)
    return index


def on_postgres(
    database: PostgresDatabase, count: int, talk: Sequence[str], vectors: Matrix, say: Callable[[str], None]
) -> tuple[on_server.PostgresIndex, float, float]:
    """The library on a server, and how many seconds adding and HNSW took."""
    index = on_server.PostgresIndex.open(database, "packaged")
    database.execute("DROP INDEX index_packaged_nearest")
    began = time.perf_counter()
    build(index, count, talk, vectors, say)
    added = time.perf_counter() - began
    with database.transaction():
        database.execute(f"SET LOCAL maintenance_work_mem = '{_MEMORY}'")
        database.execute(
            "CREATE INDEX index_packaged_nearest ON index_packaged_passages USING hnsw (vector halfvec_ip_ops)"
            f" WITH (m = {on_server.M}, ef_construction = {on_server.CONSTRUCTION})"
        )
    database.execute("ANALYZE")
    return index, added, time.perf_counter() - began - added


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--passages", type=int, default=100_000, help="size of the library (100000)")
    parser.add_argument("--questions", type=int, default=100, help="how many are asked (100)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")

    talk = pool()
    vectors, embed = Remembering().encode(talk), Embedder.load()
    table: dict[str, dict[str, float]] = {}
    with TemporaryDirectory() as scratch, postgres.running() as server:
        began = time.perf_counter()
        index = in_file(Path(scratch), options.passages, talk, vectors, say)
        took = time.perf_counter() - began
        with index.snapshot() as snapshot:
            rows = snapshot.passage_count
        exact = exactly(index, [embed.encode_question(text) for text in questions(talk, _COMPARED)])
        size = sum(file.stat().st_size for file in Path(scratch).rglob("*") if file.is_file())
        table["SQLite"] = {"passages": rows, "build_s": round(took, 1), "hnsw_s": 0.0, "bytes": round(size / rows)}
        table["SQLite"] |= measure(index, embed, talk, options.questions, exact)
        index.close()
        say("in the file: done")
        migrate_tables(Settings(database=server.url))
        database = PostgresDatabase.open(server.url)
        there, added, hnsw = on_postgres(database, options.passages, talk, vectors, say)
        sizes = ", ".join(f"pg_total_relation_size('index_packaged_{name}')" for name in _TABLES)
        (size,) = database.execute(f"SELECT {sizes.replace(', ', ' + ')}").fetchone()
        (graph,) = database.execute("SELECT pg_relation_size('index_packaged_nearest')").fetchone()
        table["PostgreSQL"] = {"passages": rows, "build_s": round(added, 1), "hnsw_s": round(hnsw, 1),
                               "bytes": round(size / rows), "bytes of hnsw": round(graph / rows)}  # fmt: skip
        table["PostgreSQL"] |= measure(there, embed, talk, options.questions, exact)
        database.close()
    for found in table.values():
        found["load"] = round(os.getloadavg()[1], 1)
    if options.json:
        print(json.dumps(table))
        return
    print(f"{'':16}" + "".join(f"{name:>14}" for name in table))
    for what in table["PostgreSQL"]:
        print(f"{what:16}" + "".join(f"{found.get(what, 0):>14}" for found in table.values()))


if __name__ == "__main__":
    main()
