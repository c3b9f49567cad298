# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the right moment is found: Earmark beside the usual recipes, on one set of episodes and questions.

    python -m tests.benchmarks.moments DIR [--json] [--only earmark] [--limit N]

DIR holds `episodes.jsonl` ({"id", "title", "cues": [{"start", "end", "speaker", "text"}]}) and `queries.jsonl`
({"qid", "query", "episode", "spans": [[start, end], …]}), in seconds. A jump to time t is a *hit* when
start - 10 ≤ t ≤ end for a right span, and *near* when |t - start| ≤ 30. "in episode": the episode is known; "library":
over the whole set, where the episode must be right too. Brackets hold 95 % bootstrap intervals over the questions.
Beside Earmark stand the usual recipes, and two libraries of others (`peers`) where the extra `benchmarks` is installed.
Every text is embedded once and remembered (`vectors`): nearly all of a first run is that, some 5,000 words a second.
"""

import argparse
import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.finding.sections.find_sections import find_sections
from retrieval.finding.sections.section_ranker import Ranker
from retrieval.index.chunking import passages
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Question
from tests.benchmarks import peers
from tests.benchmarks.vectors import Remembering
from voice.model import Cue

Scores = npt.NDArray[np.float64]
Found = list[tuple[str, float]]
"""Episode and jump time in seconds, best first."""
Finder = Callable[[str, str | None], Found]
"""From a question and an episode (None: the whole set) to the best ten jumps."""

TEN = 10
RECIPES = ("bm25", "minilm", "rrf", "zsum")
_WINDOW, _STRIDE = 120, 60  # words
_WORD = re.compile(r"[a-z0-9]+")
_METRICS = {"in_episode": ("hit@1", "hit@3", "hit@10", "near@1"), "library": ("hit@1", "hit@10", "near@1", "episode@1")}


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the spans, in seconds, that answer it."""

    text: str
    episode: str
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """One set: cues by episode, questions, and the episodes' titles."""

    cues: dict[str, tuple[Cue, ...]]
    queries: tuple[Query, ...]
    titles: dict[str, str] = field(default_factory=dict)


def read(folder: Path, limit: int | None = None) -> Moments:
    """Read a set; with ``limit`` only its first episodes and the questions about them.

    Raises ValueError, in one sentence, when the folder holds no such set.
    """
    cues: dict[str, tuple[Cue, ...]] = {}
    titles: dict[str, str] = {}
    for episode in _lines(folder / "episodes.jsonl", ("id", "cues"))[:limit]:
        name = str(episode["id"])
        titles[name] = str(episode.get("title") or "")
        cues[name] = tuple(
            Cue(float(cue["start"]), max(float(cue.get("end") or 0), float(cue["start"])), str(cue.get("text") or ""),
                str(cue.get("speaker") or ""))
            for cue in episode["cues"]
        )  # fmt: skip
    found = _lines(folder / "queries.jsonl", ("query", "episode", "spans"))
    return Moments(cues, tuple(
        Query(str(item["query"]), str(item["episode"]), tuple((float(a), float(b)) for a, b in item["spans"]))
        for item in found if str(item["episode"]) in cues and item["spans"]
    ), titles)  # fmt: skip


def _lines(path: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path} cannot be read; see the head of this file for the format of a set.") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                item = json.loads(line)
                if any(key not in item for key in keys):
                    raise KeyError
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number}, is not an object with {', '.join(keys)}.") from error
            found.append(item)
    return found


# -- the usual recipes: windows of 120 words, one every 60, a jump goes to the window's start --------------------------


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of a set: their episodes, start times in seconds and texts."""

    episode: npt.NDArray[np.str_]
    start: Scores
    texts: list[str]


def windows(moments: Moments) -> Windows:
    """Cut every episode into windows."""
    rows: list[tuple[str, float, str]] = []
    for episode, cues in moments.cues.items():
        words: list[tuple[float, str]] = []
        for cue in cues:
            said = cue.text.split()
            words += [(cue.start + (cue.end - cue.start) * i / len(said), word) for i, word in enumerate(said)]
        for first in range(0, max(len(words) - _STRIDE, 1), _STRIDE):
            piece = words[first : first + _WINDOW]
            if piece:
                rows.append((episode, piece[0][0], " ".join(word for _, word in piece)))
    return Windows(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), [row[2] for row in rows])


class Bm25:
    """Okapi BM25 (k1 1.2, b 0.75) over texts, words stemmed, as SQLite's FTS5 has it."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._db = sqlite3.connect(":memory:")
        self._db.execute("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize='porter unicode61')")
        self._db.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", enumerate(texts))

    @cache  # noqa: B019  (one object for one run)
    def scores(self, query: str) -> Scores:
        """The score of every text for a query."""
        total = np.zeros(self._size)
        words = " OR ".join(f'"{word}"' for word in dict.fromkeys(_WORD.findall(query.lower())))
        if words:
            found = self._db.execute("SELECT rowid, -bm25(texts) FROM texts WHERE texts MATCH ?", (words,)).fetchall()
            total[[row for row, _ in found]] = [score for _, score in found]
        return total


def recipes(moments: Moments, embed: Remembering) -> dict[str, Finder]:
    """BM25, MiniLM, and their two usual combinations, over the same windows."""
    cut = windows(moments)
    bm25 = Bm25(cut.texts)
    matrix = embed.encode(cut.texts)

    def dense(query: str) -> Scores:
        return np.asarray(matrix @ embed.encode_question(query), np.float64)

    def finder(combine: Callable[[Scores, Scores], Scores]) -> Finder:
        def look(query: str, episode: str | None) -> Found:
            rows = np.flatnonzero(cut.episode == episode) if episode else np.arange(len(cut.texts))
            if not len(rows):
                return []
            scores = combine(bm25.scores(query)[rows], dense(query)[rows])
            best = rows[np.argsort(-scores, kind="stable")[:TEN]]
            return [(str(cut.episode[row]), float(cut.start[row])) for row in best]

        return look

    return {
        "bm25": finder(lambda lexical, near: lexical),
        "minilm": finder(lambda lexical, near: near),
        "rrf": finder(lambda lexical, near: 1 / (60 + _ranks(lexical)) + 1 / (60 + _ranks(near))),
        "zsum": finder(lambda lexical, near: _standard(lexical) + _standard(near)),
    }


def _ranks(scores: Scores) -> Scores:
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _standard(scores: Scores) -> Scores:
    return np.asarray((scores - scores.mean()) / (scores.std() + 1e-9))


def described(moments: Moments) -> dict[str, tuple[str, Sequence[Cue]]]:
    """Title and cues of each episode."""
    return {name: (moments.titles.get(name, ""), cues) for name, cues in moments.cues.items()}


# -- Earmark, through the code that answers users ---------------------------------------------------------------------


def earmark(moments: Moments, embed: Remembering, folder: Path) -> Finder:
    """Index the set as a library and search it."""
    index = SqliteIndex.open(folder)
    for episode, cues in moments.cues.items():
        found = passages(episode, cues)
        index.add(episode, found, embed.encode([passage.text for passage in found]), moments.titles.get(episode, ""))
    return searcher(index, embed, None)


def searcher(index: SqliteIndex, embed: Remembering, ranker: Ranker | None) -> Finder:
    """Search an index, with a ranker other than the one that comes with the program if one is given."""

    def look(query: str, episode: str | None) -> Found:
        found = find_sections(Question(query, episode), index, embed, TEN, ranker=ranker)
        return [(moment.episode_id, moment.start) for moment in found]

    return look


# -- scoring ----------------------------------------------------------------------------------------------------------


def judge(query: Query, found: Found) -> dict[str, float]:
    """What one list of jumps is worth: each metric 0 or 1."""
    hits = [
        episode == query.episode and any(start - 10 <= time <= end for start, end in query.spans)
        for episode, time in found
    ]
    near = bool(found) and found[0][0] == query.episode and any(
        abs(found[0][1] - start) <= 30 for start, _ in query.spans
    )
    return {
        "hit@1": float(any(hits[:1])), "hit@3": float(any(hits[:3])), "hit@10": float(any(hits[:TEN])),
        "near@1": float(near), "episode@1": float(bool(found) and found[0][0] == query.episode),
    }  # fmt: skip


def interval(values: Scores) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean."""
    if not len(values):
        return 0.0, 0.0
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (1000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def measure(moments: Moments, finder_for: Callable[[Query], Finder]) -> dict[str, dict[str, object]]:
    """All metrics of the finder for each question, with their intervals."""
    report: dict[str, dict[str, object]] = {}
    for scope, names in _METRICS.items():
        judged = [
            judge(query, finder_for(query)(query.text, query.episode if scope == "in_episode" else None))
            for query in moments.queries
        ]
        values = {name: np.array([item[name] for item in judged]) for name in names}
        report[scope] = {name: round(float(column.mean()), 4) if judged else 0.0 for name, column in values.items()}
        report[scope]["interval"] = {
            name: [round(edge, 4) for edge in interval(column)] for name, column in values.items()
        }
    return report


def table(report: dict[str, dict[str, dict[str, object]]]) -> str:
    """The report for people."""
    lines = []
    for scope, names in _METRICS.items():
        lines += ["", f"{scope.replace('_', ' '):<12}" + "".join(f"{name:>21}" for name in names)]
        for name, found in report.items():
            cells = []
            for metric in names:
                low, high = found[scope]["interval"][metric]  # type: ignore[index]
                cells.append(f"{found[scope][metric]:>8.3f} [{low:.3f}-{high:.3f}]".rjust(21))
            lines.append(f"{name:<12}" + "".join(cells))
    return "\n".join(lines[1:])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--only", help="one of the systems")
    parser.add_argument("--limit", type=int, help="use only the first episodes")
    options = parser.parse_args(arguments)
    try:
        moments, embed = read(options.folder, options.limit), Remembering()
    except ValueError as error:
        parser.error(str(error))
    with TemporaryDirectory() as folder:
        makers: dict[str, Callable[[], dict[str, Finder]]] = {name: lambda: recipes(moments, embed) for name in RECIPES}
        makers |= {
            "llamaindex": lambda: {"llamaindex": peers.llama_index(described(moments), embed, TEN)},
            "txtai": lambda: {"txtai": peers.txtai(described(moments), embed, TEN)},
            "earmark": lambda: {"earmark": earmark(moments, embed, Path(folder))},
        }
        if options.only and options.only not in makers:
            parser.error(f"unknown system {options.only}; there are {', '.join(makers)}")
        report, began = {}, time.perf_counter()
        made: dict[str, Finder] = {}
        for name in [options.only] if options.only else makers:
            try:
                made = made if name in made else makers[name]()
            except ImportError as error:
                sys.stderr.write(f"{name} is left out ({error}); {peers.INSTALL}\n")
                continue
            finder = made[name]
            report[name] = measure(moments, lambda _: finder)  # noqa: B023
            sys.stderr.write(f"{name}: after {time.perf_counter() - began:.0f} s\n")
    count = f"{len(moments.cues)} episodes, {len(moments.queries)} questions"
    sys.stdout.write(json.dumps(report, indent=1) + "\n" if options.json else f"{count}\n{table(report)}\n")


if __name__ == "__main__":
    main()
