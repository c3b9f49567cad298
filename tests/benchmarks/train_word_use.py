# SPDX-License-Identifier: GPL-3.0-or-later
"""Count how spoken English uses its words: ``python -m tests.benchmarks.train_word_use [--write]``.

It reads the transcripts of ``../shared/data`` (QMSum's meetings, MIT; the Friends dialogues, Apache-2.0), and prints
how many words were counted; ``--write`` puts them into ``episodes/text/word_use.tsv``. A word has to occur three times.
"""

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.material import FOLDER

SOURCES = ("moments/qmsum-train", "answers/friends")
TARGET = Path(__file__).parents[2] / "episodes" / "text" / "word_use.tsv"
SELDOM = 3
"""Times that a word has to occur."""

START, END = "<s>", "</s>"
BEFORE_NOUN, BEFORE_ADJECTIVE, BEFORE_VERB = ("the", "a", "of", "this"), ("very", "more", "is", "so"), (
    "to", "they", "i", "can"
)  # fmt: skip
AFTER_NOUN = ("of", "is", "and", END, "in", "that", "to", "was")

_SHRINK = 2.0  # imagined occurrences that say nothing: rare words stay near the middle
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+|[.!?;:,]")
_NOTE = re.compile(r"\{[^}]*\}|\([^)]*\)|<[^>]*>")


def sentences() -> Iterator[list[str]]:
    """Every clause of the transcripts as words in lower case."""
    for source in SOURCES:
        with (FOLDER / source / "episodes.jsonl").open(encoding="utf-8") as file:
            for cue in (cue for line in file for cue in json.loads(line)["cues"]):
                clause: list[str] = []
                for token in (*_TOKEN.findall(_NOTE.sub(" ", cue["text"].lower().replace("’", "'"))), "."):
                    if token not in ".!?;:,":
                        clause.append(token)
                    elif clause:
                        yield clause
                        clause = []


def counted() -> dict[str, list[float]]:
    """The figures of each word: how common it is, how like a noun, an adjective, a verb, and how it closes a phrase."""
    one: Counter[str] = Counter()
    two: Counter[tuple[str, str]] = Counter()
    after_the: Counter[tuple[str, str]] = Counter()
    for clause in sentences():
        words = [START, *clause, END]
        one.update(words)
        two.update(pairwise(words))
        after_the.update((b, c) for a, b, c in zip(words, words[1:], words[2:], strict=False) if a == "the")
    total = sum(one.values()) - one[START]

    def likelier(word: str, befores: tuple[str, ...]) -> float:
        share = one[word] / total
        return max(math.log((two[before, word] + _SHRINK) / (one[before] * share + _SHRINK)) for before in befores)

    def closes(word: str) -> float:
        def follows(after: str) -> float:
            anywhere = (two[word, after] + _SHRINK * one[after] / total) / (one[word] + _SHRINK)
            return (after_the[word, after] + _SHRINK * anywhere) / (two["the", word] + _SHRINK)

        return math.log(max(map(follows, AFTER_NOUN)))

    return {
        word: [math.log(one[word] / total), likelier(word, BEFORE_NOUN), likelier(word, BEFORE_ADJECTIVE),
               likelier(word, BEFORE_VERB), closes(word)]
        for word in sorted(one) if one[word] >= SELDOM and word[0].isalpha()
    }  # fmt: skip


def main() -> None:
    """Count, print, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    given = parser.parse_args()
    found = counted()
    print(f"{len(found)} words")
    if given.write:
        head = "# word\tcommon\tnoun\tadjective\tverb\tcloses (nats; tests.benchmarks.train_word_use makes this file)"
        rows = ["\t".join([word, *(f"{figure:.1f}" for figure in figures)]) for word, figures in found.items()]
        TARGET.write_text("\n".join([head, *rows]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
