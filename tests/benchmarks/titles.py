# SPDX-License-Identifier: GPL-3.0-or-later
"""How near titles come to those that people gave: ``python -m tests.benchmarks.titles [DIR …] [--limit N]``.

Each DIR holds ``topics.jsonl`` as for ``tests.benchmarks.topics`` (without one: podcasts and meetings of the
development data). The topics are given, and titled out of what is said in them. Printed are the mean cosine of title
and label (all-MiniLM-L6-v2), how often a title is nearer to its own label than to any other one of the episode, and how
often they share a telling word; and the same for titles that stand one topic too early, which is chance.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from episodes.model import Cue, Segment
from episodes.text.lexicon import content_words
from episodes.topics.summary import digest
from tests.benchmarks.vectors import Remembering
from tests.material import FOLDER

_SETS = ("bitcoin", "qmsum-val")
_LIMIT = 30
_NO_TOPIC = {"introduction", "intro", "closing words"}


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="DIR")
    parser.add_argument("--limit", type=int, default=_LIMIT, help=f"at most N items of a set, spread ({_LIMIT})")
    parser.add_argument("--show", action="store_true", help="print each title beside its label")
    given = parser.parse_args()
    embed = Remembering().encode
    for folder in given.folders or [FOLDER / "topics" / name for name in _SETS]:
        with (folder / "topics.jsonl").open(encoding="utf-8") as file:
            items = [json.loads(line) for line in file]
        if len(items) > given.limit:
            items = [items[place * len(items) // given.limit] for place in range(given.limit)]
        rows: list[tuple[float, float, float, float, float, float]] = []
        for item in items:
            cues = [Cue(cue["start"], cue["end"], cue["text"], cue["speaker"] or "") for cue in item["cues"]]
            labels = sorted(next(iter(item["levels"].values())), key=lambda topic: topic["start"])
            titled, _ = digest(cues, [Segment(topic["start"], topic["end"]) for topic in labels], embed)
            pairs = [(part.title, topic["title"]) for part, topic in zip(titled, labels, strict=True)
                     if not _NO_TOPIC & {part.title.lower(), topic["title"].lower()}]  # fmt: skip
            if len(pairs) < 2:
                continue
            if given.show:
                print("\n".join(f"{title:40} {label}" for title, label in pairs))
            alike = embed([title for title, _ in pairs]) @ embed([label for _, label in pairs]).T
            told = [{word.rstrip("s") for word in content_words(title)} for title, _ in pairs]
            meant = [{word.rstrip("s") for word in content_words(label)} for _, label in pairs]
            for own in range(len(pairs)):
                other = (own + 1) % len(pairs)
                rows.append((
                    float(alike[own, own]), float(alike[own].argmax() == own), float(bool(told[own] & meant[own])),
                    float(alike[own, other]), float(alike[own].argmax() == other),
                    float(bool(told[own] & meant[other])),
                ))  # fmt: skip
        means = np.mean(rows, axis=0)
        for name, (cosine, nearest, words) in (("titles", means[:3]), ("chance", means[3:])):
            print(f"{folder.name:12} {name:7} {len(rows):4}   cosine {cosine:.3f}   nearest {nearest:.3f}"
                  f"   shares a word {words:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
