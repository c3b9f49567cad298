# SPDX-License-Identifier: GPL-3.0-or-later
"""How well topics are found: ``python -m tests.benchmarks.topics [DIR …] [--json] [--limit N]``.

Each DIR holds ``topics.jsonl`` (without one: the three sets of the development data). For each level of labels, Pk
(Beeferman et al. 1999) and WindowDiff (Pevzner and Hearst 2002) of the project's segmentation and of four others, lower
is better: means over items with the 95 % interval of given Pk (bootstrap over items), the window half the mean gold
segment, in cues. Three counts of topics: "own" is what the method chooses (equidistant, random and divisive have no
choice of their own and take one topic in four minutes, the mean of edited podcasts), "same" is the project's own count
for all that can be told one, "given" the true one. TextTiling is Hearst 1997; divisive is TreeSeg's split (Gklezakos et
al. 2024) of the same embeddings.
"""

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from episodes.model import Cue, Segment
from episodes.text.sentences import sentences
from episodes.topics.cohesion import Embed
from episodes.topics.segmentation import segment
from tests.benchmarks.vectors import Remembering
from tests.material import FOLDER

Boundaries = npt.NDArray[np.bool_]  # (n,): True where a cue begins a topic; the first is False


_MINUTES = 4  # of a topic, where a method has no choice of its own
_LIMIT = 35
_SETS = ("tinyrec-dev", "bitcoin", "qmsum-val")
_COLUMNS = ("own", "same", "given")


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--limit", type=int, default=_LIMIT, help=f"at most N items of a set, spread ({_LIMIT})")
    arguments = parser.parse_args()
    embed = Remembering().encode
    folders = arguments.folders or [FOLDER / "topics" / name for name in _SETS]
    result = {folder.name: run(folder, embed, arguments.limit) for folder in folders}
    if arguments.json:
        json.dump(result, sys.stdout, indent=1)
        return
    heads = "".join(f"{kind + ': Pk':>13}{'WD':>7}{'topics':>8}" for kind in _COLUMNS)
    print(f"{'':33}{heads}   95 % of given Pk")
    for folder, levels in result.items():
        for level, methods in levels.items():
            print(f"{folder}, {level}: {methods['earmark']['items']:.0f} items")
            for name, row in methods.items():
                cells = "".join(
                    f"{row[f'{kind}_pk']:13.3f}{row[f'{kind}_wd']:7.3f}{row[f'{kind}_topics']:8.1f}"
                    for kind in _COLUMNS
                )
                print(f"  {name:31}{cells}   {row['given_pk_low']:.3f} to {row['given_pk_high']:.3f}")


def run(folder: Path, embed: Embed, limit: int | None = None) -> dict[str, dict[str, dict[str, float]]]:
    """Scores by level, method and measure (``own_pk``, ``own_wd``, ``own_topics``, ``same_…``, ``given_…``, ``items``,
    ``given_pk_low``, ``given_pk_high``)."""
    scores: dict[str, dict[str, list[dict[str, float]]]] = {}
    with (folder / "topics.jsonl").open(encoding="utf-8") as file:
        items = [json.loads(line) for line in file]
    if limit is not None and limit < len(items):
        items = [items[place * len(items) // limit] for place in range(limit)]
    for item in items:
        cues = [Cue(cue["start"], cue["end"], cue["text"], cue["speaker"] or "") for cue in item["cues"]]
        own = _placed(segment(cues, embed), cues)
        same = int(own.sum()) + 1
        usual = max(1, round((cues[-1].end - cues[0].start) / 60 / _MINUTES))
        unasked = {
            name: (method(cues, embed, None if name == "texttiling" else usual), method(cues, embed, same))
            for name, method in _OTHERS.items()
        }
        for level, topics in item["levels"].items():
            gold = _gold(topics, cues)
            given = int(gold.sum()) + 1
            found = {"earmark": (own, own, _placed(segment(cues, embed, count=given), cues))}
            for name, method in _OTHERS.items():
                found[name] = (*unasked[name], method(cues, embed, given))
            for name, guesses in found.items():
                row: dict[str, float] = {}
                for kind, guess in zip(_COLUMNS, guesses, strict=True):
                    row |= {f"{kind}_pk": pk(gold, guess), f"{kind}_wd": window_diff(gold, guess)}
                    row[f"{kind}_topics"] = float(guess.sum()) + 1
                scores.setdefault(level, {}).setdefault(name, []).append(row)
    return {level: {name: _mean(rows) for name, rows in methods.items()} for level, methods in scores.items()}


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each measure, and the interval of one of them."""
    given = np.array([row["given_pk"] for row in rows])
    drawn = given[np.random.default_rng(0).integers(0, len(given), (2000, len(given)))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return means | {"items": float(len(rows)), "given_pk_low": float(low), "given_pk_high": float(high)}


def pk(gold: Boundaries, guess: Boundaries) -> float:
    """The share of windows whose two ends are in one topic for one of the two and not for the other."""
    ahead, before = _windows(gold), _windows(guess, _size(gold))
    return float(np.mean((ahead > 0) != (before > 0)))


def window_diff(gold: Boundaries, guess: Boundaries) -> float:
    """The share of windows with another number of boundaries."""
    return float(np.mean(_windows(gold) != _windows(guess, _size(gold))))


def _size(gold: Boundaries) -> int:
    return max(2, round(len(gold) / (int(gold.sum()) + 1) / 2))


def _windows(marks: Boundaries, size: int | None = None) -> npt.NDArray[np.int64]:
    """How many boundaries lie between cue i and cue i + size, for each i."""
    size = min(size or _size(marks), len(marks) - 1)
    counts = np.concatenate([[0], np.cumsum(marks)])
    return np.asarray(counts[size + 1 :] - counts[1 : len(counts) - size])


def _gold(topics: Sequence[dict[str, object]], cues: Sequence[Cue]) -> Boundaries:
    """A boundary is where the label of the cues' middles changes; outside all topics is a label, too."""
    spans = [(float(str(topic["start"])), float(str(topic["end"])), number) for number, topic in enumerate(topics)]
    labels = []
    for cue in cues:
        middle = (cue.start + cue.end) / 2
        labels.append(next((number for start, end, number in spans if start <= middle < end), -1))
    return np.array([False] + [before != now for before, now in pairwise(labels)])


def _placed(segments: Sequence[Segment], cues: Sequence[Cue]) -> Boundaries:
    starts = np.array([part.start for part in segments])
    labels = np.searchsorted(starts, [(cue.start + cue.end) / 2 for cue in cues], side="right")
    return np.concatenate([[False], labels[1:] != labels[:-1]])


def _equidistant(cues: Sequence[Cue], embed: Embed, count: int | None) -> Boundaries:
    marks = np.zeros(len(cues), bool)
    marks[[round(number * len(cues) / (count or 1)) for number in range(1, count or 1)]] = True
    marks[0] = False
    return marks


def _random(cues: Sequence[Cue], embed: Embed, count: int | None) -> Boundaries:
    rng = np.random.default_rng(len(cues) * 1000 + (count or 1))
    marks = np.zeros(len(cues), bool)
    marks[rng.choice(np.arange(1, len(cues)), min((count or 1) - 1, len(cues) - 1), replace=False)] = True
    return marks


def _divisive(cues: Sequence[Cue], embed: Embed, count: int | None) -> Boundaries:
    """TreeSeg: split where it lowers the scatter most, again and again, over sentences with those before them."""
    lines = sentences(cues)
    vectors = embed([line.text for line in lines]).astype(np.float64)
    context = np.stack([vectors[max(0, at - 4) : at + 1].mean(0) for at in range(len(lines))])
    sums = np.vstack([np.zeros(context.shape[1]), np.cumsum(context, axis=0)])

    def best_split(begin: int, end: int) -> tuple[float, int]:
        places = np.arange(begin + 1, end)
        if not len(places):
            return 0.0, begin
        left, right = sums[places] - sums[begin], sums[end] - sums[places]
        whole = ((sums[end] - sums[begin]) ** 2).sum() / (end - begin)
        gain = (left**2).sum(1) / (places - begin) + (right**2).sum(1) / (end - places) - whole
        return float(gain.max()), int(places[gain.argmax()])

    leaves = {(0, len(lines)): best_split(0, len(lines))}
    while len(leaves) < min(count or 1, len(lines)):
        (begin, end), (_, place) = max(leaves.items(), key=lambda leaf: leaf[1][0])
        del leaves[(begin, end)]
        for part in ((begin, place), (place, end)):
            leaves[part] = best_split(*part)
    return _placed([Segment(lines[begin].start, 0.0) for begin, _ in sorted(leaves)], cues)


def _texttiling(cues: Sequence[Cue], embed: Embed, count: int | None) -> Boundaries:
    """Hearst's TextTiling: word overlap of blocks of ten 20-word sequences, boundaries in the deepest valleys."""
    words: list[str] = []
    begins: list[int] = []  # the word with which each cue begins
    for cue in cues:
        begins.append(len(words))
        words += re.findall(r"[a-z']+", cue.text.lower())
    sequences = [Counter(words[at : at + 20]) for at in range(0, len(words), 20)]
    gaps = range(1, len(sequences))
    scores = np.array([_cosine(sequences[max(0, gap - 10) : gap], sequences[gap : gap + 10]) for gap in gaps])
    if len(scores) < 3:
        return np.zeros(len(cues), bool)
    scores = np.convolve(np.pad(scores, 1, mode="edge"), np.ones(3) / 3, "valid")
    depth = np.array([_peak(scores[at::-1]) + _peak(scores[at:]) - 2 * scores[at] for at in range(len(scores))])
    valleys = [at for at in range(len(depth)) if depth[at] == depth[max(0, at - 3) : at + 4].max() and depth[at] > 0]
    deepest = sorted(valleys, key=lambda at: -depth[at])
    cut = depth.mean() - depth.std() / 2
    chosen = [at for at in deepest if depth[at] > cut] if count is None else deepest[: count - 1]
    marks = np.zeros(len(cues), bool)
    for at in chosen:
        marks[int(np.argmin(np.abs(np.array(begins) - (at + 1) * 20)))] = True
    marks[0] = False
    return marks


def _cosine(left: Sequence[Counter[str]], right: Sequence[Counter[str]]) -> float:
    one, two = sum(left, Counter[str]()), sum(right, Counter[str]())
    shared = sum(one[word] * two[word] for word in one)
    return shared / math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in two.values()) or 1.0)


def _peak(scores: Iterable[float]) -> float:
    """The height to which scores climb from their first without going down."""
    top = -1.0
    for score in scores:
        if score < top:
            break
        top = score
    return top


_OTHERS: dict[str, Callable[[Sequence[Cue], Embed, int | None], Boundaries]] = {
    "equidistant": _equidistant,
    "random": _random,
    "texttiling": _texttiling,
    "divisive": _divisive,
}

if __name__ == "__main__":
    main()
