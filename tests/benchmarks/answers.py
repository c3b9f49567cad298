# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what is said answers: natural questions, asked of the running product, beside the usual recipes.

    python -m tests.benchmarks.answers DIR [--episodes DIR] [--folder DIR] [--only earmark] [--limit N] [--every N]
        [--json]
    python -m tests.benchmarks.answers DIR --out docs/ANSWERS.md

DIR holds `queries.jsonl` ({"qid", "query", "episode", "spans": [[start, end], …], "must": [[…], …], "kind", "covered"},
seconds; "answers" may stand for "must") and `episodes.jsonl` ({"id", "title", "cues"}), or that is in `--episodes`
(else ../moments/bitcoin beside DIR). The episodes go through the ordinary way in as VTT files, into a library in a
temporary folder, or in `--folder` to be used again; the questions go through the ordinary way too.

*said*: every string of one alternative of "must" stands in what is spoken, and it is not a decline. *landed*: the
first jump lies between 10 s before a span and its end; *near*: within 30 s of a span's beginning. *declined*: of the
questions that the episode is about and does not answer, how many are; at the shipped threshold, and where .95, .90 and
.80 of the answerable are kept. Brackets hold 95 % bootstrap intervals over the questions.

Beside it, over the same runs of one to three sentences (45 words at most) of the episode: the best by MiniLM's cosine,
by BM25, by the sum of their z-scores, and LlamaIndex and txtai as their first pages say.
"""

import argparse
import json
import math
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from episodes.model import Cue
from episodes.text.sentences import Line
from episodes.text.stemming import stems
from episodes.transcripts.writer import write_vtt
from retrieval.index.token_store import MAX_WORDS, quotable_sentences
from retrieval.model import Question
from tests.benchmarks.vectors import Remembering
from ui.companion import Companion
from ui.settings import Settings
from voice.model import clock

KEPT = (0.95, 0.9, 0.8)
"""Shares of the answerable questions that are answered, at which it is told how many of the others are declined."""

_EARLY, _NEAR = 10.0, 30.0  # seconds before a span at which a jump still lands in it, and around its beginning
_WORDS_A_SECOND = 2.9  # of the voice that comes with the program, over 15 of its answers
_SHOWN = 60  # questions on the page
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the spans (seconds) that answer it and the words that its answer must hold."""

    text: str
    episode: str
    spans: tuple[tuple[float, float], ...]
    must: tuple[tuple[str, ...], ...]
    kind: str
    covered: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a question: what is spoken, whether it is an answer, where to jump (None: nowhere), how sure it is,
    and how long it took (milliseconds, by the clock and of the processor)."""

    text: str
    covered: bool
    jump: float | None
    sure: float
    took: float
    worked: float = 0.0


@dataclass(frozen=True, slots=True)
class Set:
    """Questions, and the cues and titles of their episodes by id."""

    asked: tuple[Asked, ...]
    cues: Mapping[str, tuple[Cue, ...]]
    titles: Mapping[str, str]


def read(folder: Path, episodes: Path | None = None, limit: int | None = None, every: int = 1) -> Set:
    """Read a set, or every Nth of its questions; with ``limit`` only those about its first episodes.

    Raises ValueError, in one sentence, when the folder holds no such set.
    """
    try:
        asked = [_asked(json.loads(line)) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
        names = list(dict.fromkeys(one.episode for one in asked))[:limit]
        asked = asked[::every]
        where = episodes or (folder if (folder / "episodes.jsonl").exists() else folder / "../../moments/bitcoin")
        cues, titles = {}, {}
        for line in (where / "episodes.jsonl").read_text("utf-8").splitlines():
            found = json.loads(line)
            if found["id"] in names:
                titles[found["id"]] = str(found.get("title") or found["id"])
                cues[found["id"]] = tuple(
                    Cue(cue["start"], cue["end"], cue["text"], cue.get("speaker") or "") for cue in found["cues"]
                )
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{folder} holds no set of questions with episodes ({error}).") from error
    missing = set(names) - set(cues)
    if missing:
        raise ValueError(f"The episode {sorted(missing)[0]} is not in {where}; name its folder with --episodes.")
    return Set(tuple(one for one in asked if one.episode in cues), cues, titles)


def _asked(found: dict[str, Any]) -> Asked:
    must = found.get("must") or [[one] for one in found.get("answers", ())]
    kind = found.get("kind") or found["query"].split()[0].lower()
    return Asked(
        found["query"], found["episode"], tuple((float(a), float(b)) for a, b in found["spans"]),
        tuple(tuple(_plain(part) for part in one) for one in must), kind, bool(found.get("covered", True)),
    )


def _plain(text: str) -> str:
    return text.lower().replace("’", "'")


# -- what is measured ------------------------------------------------------------------------------------------------


def says(one: Asked, told: Told) -> bool:
    """Whether the answer is said."""
    text = _plain(told.text)
    return told.covered and any(all(part in text for part in must) for must in one.must)


def landed(one: Asked, told: Told) -> bool:
    """Whether the jump lands in the stretch that answers."""
    return told.jump is not None and any(start - _EARLY <= told.jump <= end for start, end in one.spans)


def near(one: Asked, told: Told) -> bool:
    """Whether the jump comes close to where a stretch that answers begins."""
    return told.jump is not None and any(abs(told.jump - start) <= _NEAR for start, _ in one.spans)


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and the 95 % bootstrap interval of it."""
    if not values:
        return (math.nan,) * 3
    array = np.asarray(values, np.float64)
    draws = np.random.default_rng(0).integers(0, len(array), (_DRAWS, len(array)))
    low, high = np.quantile(array[draws].mean(axis=1), (0.025, 0.975))
    return round(float(array.mean()), 3), round(float(low), 3), round(float(high), 3)


def report(asked: Sequence[Asked], told: Sequence[Told]) -> dict[str, Any]:
    """All figures of one way of answering."""
    pairs = list(zip(asked, told, strict=True))
    there = [(one, made) for one, made in pairs if one.covered]
    gone = [made for one, made in pairs if not one.covered]
    answered = [made for _, made in there if made.covered]
    words = [len(made.text.split()) for made in answered] or [0]
    found: dict[str, Any] = {
        "said": _interval([says(*pair) for pair in there]),
        "landed": _interval([landed(*pair) for pair in there]),
        "near": _interval([near(*pair) for pair in there]),
        "answered": _interval([made.covered for _, made in there]),
        "declined": _interval([not made.covered for made in gone]),
        "words": statistics.median(words),
        "seconds": round(statistics.median(words) / _WORDS_A_SECOND, 1),
        "p50_ms": round(float(np.quantile([made.took for made in told], 0.5)), 1),
        "p95_ms": round(float(np.quantile([made.took for made in told], 0.95)), 1),
        "p95_cpu_ms": round(float(np.quantile([made.worked for made in told], 0.95)), 1),
        "questions": [len(there), len(gone)],
    }
    for kept in KEPT:
        least = float(np.quantile([made.sure for _, made in there], 1 - kept)) if there else math.nan
        found[f"declined@{kept}"] = round(sum(made.sure < least for made in gone) / max(len(gone), 1), 3)
    found["kinds"] = {
        kind: {
            "said": round(statistics.mean(says(*pair) for pair in there if pair[0].kind == kind), 3),
            "landed": round(statistics.mean(landed(*pair) for pair in there if pair[0].kind == kind), 3),
            "questions": count,
        }
        for kind, count in Counter(one.kind for one, _ in there).most_common()
    }
    return found


# -- the product -----------------------------------------------------------------------------------------------------


def library(found: Set, folder: Path) -> tuple[Companion, dict[str, str]]:
    """A library that holds the set's episodes, and their ids in it; what is there already is not added again."""
    companion = Companion(Settings(data_dir=folder / "earmark", demo=False))
    companion.mend_index()
    known = {episode.title: episode.id for episode in companion.library.episodes()}
    ids = {}
    for name, cues in found.cues.items():
        title = re.sub(r"[^\w-]+", " ", name).strip()
        if title not in known:
            path = folder / f"{title}.vtt"
            path.write_text(write_vtt(cues), "utf-8")
            known[title] = companion.add(path).id
        ids[name] = known[title]
    return companion, ids


def earmark(found: Set, folder: Path) -> list[Told]:
    """What the product makes of each question."""
    companion, ids = library(found, folder)
    try:
        companion.ask(Question("What is this about?", ids[found.asked[0].episode]))  # models load now
        made = []
        for one in found.asked:
            since, used = time.perf_counter(), time.process_time()
            answer = companion.ask(Question(one.text, ids[one.episode]))
            took, worked = 1000 * (time.perf_counter() - since), 1000 * (time.process_time() - used)
            first = answer.moments[0] if answer.moments else None
            sure = first.confidence if first else 0.0
            made.append(Told(answer.text, answer.covered, first.start if first else None, sure, took, worked))
        return made
    finally:
        companion.close()


# -- the recipes -----------------------------------------------------------------------------------------------------


def runs(cues: Iterable[Cue]) -> list[tuple[float, str]]:
    """The runs of one to three sentences of one speaker: where each begins (seconds) and what it says."""
    lines = quotable_sentences(list(cues))
    found = []
    for first, line in enumerate(lines):
        mine: list[Line] = []
        for other in lines[first : first + 3]:
            if mine and (other.turn_start or sum(len(one.text.split()) for one in [*mine, other]) > MAX_WORDS):
                break
            mine.append(other)
            found.append((line.start, " ".join(one.text for one in mine)))
    return found


Scorer = Callable[[str], Sequence[float]]
"""From a question to a score for each run of an episode."""


def cosine(texts: Sequence[str], embed: Remembering) -> Scorer:
    """MiniLM's cosine."""
    rows = embed.encode(texts)
    return lambda question: (rows @ embed.encode_question(question)).tolist()  # type: ignore[no-any-return]


def bm25(texts: Sequence[str], embed: Remembering) -> Scorer:
    """BM25 over stems, k1 = 1.2 and b = 0.75."""
    counts = [Counter(word for part in text.split() for word in stems(part)) for text in texts]
    holding = Counter(word for count in counts for word in count)
    lengths = np.array([sum(count.values()) for count in counts], np.float64)
    norm = 1.2 * (0.25 + 0.75 * lengths / max(lengths.mean(), 1.0))

    def score(question: str) -> Sequence[float]:
        total = np.zeros(len(texts))
        for word in stems(question):
            held = np.array([count[word] for count in counts], np.float64)
            rare = math.log(1 + (len(texts) - holding[word] + 0.5) / (holding[word] + 0.5))
            total += rare * held * 2.2 / (held + norm)
        return total.tolist()  # type: ignore[no-any-return]

    return score


def both(texts: Sequence[str], embed: Remembering) -> Scorer:
    """The sum of the z-scores of cosine and BM25."""
    parts = [cosine(texts, embed), bm25(texts, embed)]

    def score(question: str) -> Sequence[float]:
        scores = [np.asarray(part(question)) for part in parts]
        total = sum((one - one.mean()) / max(float(one.std()), 1e-9) for one in scores)
        return np.asarray(total).tolist()  # type: ignore[no-any-return]

    return score


def llama_index(texts: Sequence[str], embed: Remembering) -> Scorer:
    """LlamaIndex's vector index over the runs as nodes. Raises ImportError when it is not installed."""
    from llama_index.core import VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import TextNode

    class MiniLM(BaseEmbedding):  # type: ignore[misc]
        def _get_text_embedding(self, text: str) -> list[float]:
            return embed.encode([text])[0].tolist()  # type: ignore[no-any-return]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return embed.encode(texts).tolist()  # type: ignore[no-any-return]

        def _get_query_embedding(self, query: str) -> list[float]:
            return embed.encode_question(query).tolist()  # type: ignore[no-any-return]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    nodes = [TextNode(text=text, id_=str(number)) for number, text in enumerate(texts)]
    retriever = VectorStoreIndex(nodes, embed_model=MiniLM(embed_batch_size=256)).as_retriever(similarity_top_k=1)

    def score(question: str) -> Sequence[float]:
        scores = [-1.0] * len(texts)
        for found in retriever.retrieve(question):
            scores[int(found.node.node_id)] = float(found.score or 0.0)
        return scores

    return score


def txtai(texts: Sequence[str], embed: Remembering) -> Scorer:
    """txtai's hybrid index over the runs. Raises ImportError when it is not installed."""
    from txtai import Embeddings

    embed.encode(texts)  # all at once, which is quicker than batch by batch as below
    index = Embeddings(method="external", transform=lambda batch: embed.encode(batch), hybrid=True)
    index.index(list(enumerate(texts)))

    def score(question: str) -> Sequence[float]:
        scores = [-1.0] * len(texts)
        for number, value in index.search(question, 1):
            scores[int(number)] = float(value)
        return scores

    return score


RECIPES: dict[str, Callable[[Sequence[str], Remembering], Scorer]] = {
    "cosine": cosine, "bm25": bm25, "sum": both, "llama_index": llama_index, "txtai": txtai,
}  # fmt: skip


def recipe(name: str, found: Set, embed: Remembering) -> list[Told]:
    """What a recipe makes of each question: it answers always, with the best run."""
    made: dict[str, tuple[list[tuple[float, str]], Scorer]] = {}
    for episode, cues in found.cues.items():
        pieces = runs(cues)
        made[episode] = pieces, RECIPES[name]([text for _, text in pieces], embed)
    told = []
    for one in found.asked:
        pieces, scorer = made[one.episode]
        since = time.perf_counter()
        scores = scorer(one.text)
        best = max(range(len(pieces)), key=scores.__getitem__)
        took = 1000 * (time.perf_counter() - since)
        told.append(Told(pieces[best][1], True, pieces[best][0], float(scores[best]), took))
    return told


# -- what is shown ---------------------------------------------------------------------------------------------------

_COLUMNS = ("said", "landed", "near", "answered", "declined")
_MORE = (*(f"declined@{kept}" for kept in KEPT), "words", "seconds", "p50_ms", "p95_ms", "p95_cpu_ms")


def table(reports: Mapping[str, dict[str, Any]]) -> str:
    """The reports as Markdown tables."""
    lines = [f"| way | {' | '.join((*_COLUMNS, *_MORE))} |", f"|---{'|---' * len((*_COLUMNS, *_MORE))}|"]
    for name, found in reports.items():
        cells = [f"{found[key][0]:.3f} [{found[key][1]:.3f} {found[key][2]:.3f}]" for key in _COLUMNS]
        lines.append(f"| {name} | {' | '.join([*cells, *(f'{found[key]}' for key in _MORE)])} |")
    lines += ["", "| kind | questions | " + " | ".join(f"{name}: said, landed" for name in reports) + " |"]
    lines.append(f"|---|---{'|---' * len(reports)}|")
    for kind, first in next(iter(reports.values()))["kinds"].items():
        cells = [f"{one['kinds'][kind]['said']:.2f}, {one['kinds'][kind]['landed']:.2f}" for one in reports.values()]
        lines.append(f"| {kind} | {first['questions']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(found: Set, told: Sequence[Told]) -> str:
    """Some of the questions with their answers as they are spoken, each marked, as Markdown."""
    every = list(zip(found.asked, told, strict=True))
    count = min(_SHOWN, len(every))
    shown = [every[at * len(every) // count] for at in range(count)]
    shown.sort(key=lambda pair: list(found.cues).index(pair[0].episode))
    right = sum(says(*pair) if pair[0].covered else not pair[1].covered for pair in shown)
    lines = [
        "# What Earmark answers",
        "",
        f"{len(shown)} of {len(every)} natural questions over {len({one.episode for one, _ in shown})} podcasts,",
        "evenly spread over the set, and every answer as it is spoken:",
        "made without a language model, by `python -m tests.benchmarks.answers DIR --out docs/ANSWERS.md`.",
        "✓ the words that answer are said, ✗ they are not; ∅ marks questions that the episode does not answer, where ✓",
        f"is an answer that says so. The time is where the player jumps to. {right} of {len(shown)} are right.",
    ]
    episode = ""
    for one, made in shown:
        if one.episode != episode:
            episode = one.episode
            lines += ["", f"## {found.titles[episode]}"]
        good = says(one, made) if one.covered else not made.covered
        at = f" ({clock(made.jump)})" if made.jump is not None else ""
        lines += ["", f"{'✓' if good else '✗'} {'' if one.covered else '∅ '}**{one.text}**{at}  ", made.text]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("set", type=Path, help="folder of the questions")
    parser.add_argument("--episodes", type=Path, help="folder of the episodes")
    parser.add_argument("--folder", type=Path, help="where the library is made, and found again")
    parser.add_argument("--only", choices=("earmark", *RECIPES), action="append", help="measure only this")
    parser.add_argument("--limit", type=int, help="use only the questions about the first episodes")
    parser.add_argument("--every", type=int, default=1, help="use only every Nth question")
    parser.add_argument("--out", type=Path, help="write the page of answers there")
    parser.add_argument("--told", type=Path, help="write every question with what came of it there, as JSON lines")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        found = read(options.set, options.episodes, options.limit, options.every)
    except ValueError as error:
        parser.error(str(error))
    reports = {}
    for name in options.only or ("earmark",) if options.out else options.only or ("earmark", *RECIPES):
        try:
            with TemporaryDirectory() as made:
                told = earmark(found, options.folder or Path(made)) if name == "earmark" else recipe(
                    name, found, Remembering()
                )  # fmt: skip
        except ImportError:
            sys.stderr.write(f"{name} is left out: pip install -c constraints.txt -e '.[benchmarks]'\n")
            continue
        reports[name] = report(found.asked, told)
        if name == "earmark" and options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(page(found, told), "utf-8")
        if name == "earmark" and options.told:
            options.told.write_text(
                "".join(
                    json.dumps({
                        "query": one.text, "kind": one.kind, "covered": one.covered, "said": says(one, tell),
                        "landed": landed(one, tell), "near": near(one, tell), "must": one.must, "spans": one.spans,
                        "told": tell.text, "answered": tell.covered, "jump": tell.jump, "sure": tell.sure,
                    }) + "\n" for one, tell in zip(found.asked, told, strict=True)
                ), "utf-8",
            )  # fmt: skip
    sys.stdout.write(json.dumps(reports, indent=1) + "\n" if options.json else table(reports))


if __name__ == "__main__":
    main()
