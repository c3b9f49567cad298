# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what is quoted answers: against answers that people have written, on one set of episodes and questions.

    python -m tests.benchmarks.quotes DIR [--limit N] [--json]

DIR holds `episodes.jsonl` and `queries.jsonl` as for `tests.benchmarks.moments`; each question also has an `answer`
that somebody wrote who knew the whole recording (QMSum). Requests for summaries are left out: they are no questions.

"like" is the cosine of MiniLM between the quote and the written answer; "says" the share of the quote's telling words
that stand in the written answer and not in the question; "in span" how often the quote begins inside the part that
people marked as answering. Beside Earmark's choice: the first words from where it jumps to, as many as a quote has.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from episodes.text.sentences import sentences
from episodes.text.stemming import stems
from retrieval.answers.quote import SPOKEN, choose_quote
from retrieval.finding.sentences.find_sentences import find_sentences
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.token_store import build_token_store
from retrieval.model import Moment, Question
from tests.benchmarks.moments import read
from tests.benchmarks.vectors import Remembering
from voice.model import Cue

_NO_QUESTION = re.compile(r"summari[sz]e|give (?:a|an) (?:summary|overview)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the spans (seconds) that answer it, and what a person wrote as its answer."""

    question: Question
    spans: tuple[tuple[float, float], ...]
    answer: str


def asked(folder: Path, episodes: Sequence[str]) -> list[Asked]:
    """The questions about these episodes that have a written answer."""
    found = map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())
    return [
        Asked(
            Question(one["query"], one["episode"]), tuple((float(a), float(b)) for a, b in one["spans"]), one["answer"]
        )
        for one in found
        if one["episode"] in episodes and one.get("answer") and not _NO_QUESTION.match(one["query"])
    ]


def first_words(moment: Moment, cues: Sequence[Cue]) -> Moment:
    """The first sentences of a moment, as many as a quote may have."""
    lines = [line for line in sentences(cues) if line.start >= moment.start - 0.05]
    words = [word for line in lines[:6] for word in line.text.split()][: round(SPOKEN * 0.6)]
    return Moment(moment.episode_id, lines[0].start, lines[0].end, " ".join(words)) if lines else moment


def judged(quote: Moment, one: Asked, embed: Remembering) -> tuple[float, ...]:
    """What one quote is worth, in the order of ``METRICS``."""
    vectors = embed.encode([quote.quote, one.answer])
    telling, wanted = stems(quote.quote), stems(one.answer) - stems(one.question.text)
    return (
        float(vectors[0] @ vectors[1]),
        len(telling & wanted) / max(len(telling), 1),
        float(any(start - 10 <= quote.start <= end for start, end in one.spans)),
        float(quote.quote[:1].isupper() or not quote.quote[:1].isalpha()),
        float("?" in quote.quote),
        float(len(quote.quote.split())),
    )


METRICS = ("like", "says", "in span", "begins", "asks", "words")
"""Means over the questions; "begins" how many quotes begin with a capital, "asks" how many hold a question."""


def measure(folder: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """All metrics, of Earmark and of the first words from where it jumps to."""
    moments, embed, reads = read(folder, limit), Remembering(), Embedder.load()
    rows: dict[str, list[tuple[float, ...]]] = {"first words": [], "earmark": []}
    with TemporaryDirectory() as made:
        index = SqliteIndex.open(Path(made))
        for episode, cues in moments.cues.items():
            found = passages(episode, cues)
            index.add(
                episode, found, embed.encode([passage.text for passage in found]), tokens=build_token_store(cues, reads)
            )
        for one in asked(folder, list(moments.cues)):
            found_runs = find_sentences(one.question, index, reads).runs
            quote = choose_quote(one.question, found_runs, moments.cues.__getitem__)
            if quote is None:
                continue
            best = quote.moment(1.0)
            rows["earmark"].append(judged(best, one, embed))
            first = first_words(best, moments.cues[best.episode_id])
            rows["first words"].append(judged(first, one, embed))
        index.close()
    report = {
        name: dict(zip(METRICS, np.mean(values, axis=0).round(4).tolist(), strict=True))
        for name, values in rows.items()
    }
    report["earmark"]["questions"] = len(rows["earmark"])
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, help="use only the first episodes")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    report = measure(options.folder, options.limit)
    if options.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
        return
    sys.stdout.write(f"{report['earmark'].pop('questions')} questions\n| quote | {' | '.join(METRICS)} |\n")
    sys.stdout.write(f"|---{'|---' * len(METRICS)}|\n")
    for name, found in report.items():
        sys.stdout.write(f"| {name} | {' | '.join(f'{found[metric]:.3f}' for metric in METRICS)} |\n")


if __name__ == "__main__":
    main()
