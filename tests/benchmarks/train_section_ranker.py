# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the ranker, and tell how well it does on shows and meetings that it has never seen.

    python -m tests.benchmarks.train_section_ranker DIR [DIR …] \
        [--out retrieval/finding/sections/section_ranker.json] [--no-check]

Each folder is a set of `tests.benchmarks.moments`. The folds of a set are its shows (what stands before "--" in an
episode's id), small ones together; a set of fewer than two shows, of meetings for instance, is divided into fifths of
its episodes. The check leaves out a fold of every set at a time, trains on all that is left, and asks the questions
that were left out through the production code; questions of the first set are put to wrong episodes, too, and teach
when to decline. What is written in the end is trained on everything. Needs minutes; the result is the same on each run.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch

from retrieval.finding.sections.find_sections import COVERED
from retrieval.finding.sections.query import build_query
from retrieval.finding.sections.section_ranker import SECTION_WEIGHTS, Layer, Model, Ranker, placed, summary
from retrieval.finding.sections.unit_evidence import UnitEvidence, gather_evidence
from retrieval.finding.sections.unit_features import section_features
from retrieval.index.chunking import passages
from retrieval.index.sqlite_index import SqliteIndex
from tests.benchmarks.moments import Moments, Query, measure, read, searcher, table
from tests.benchmarks.phrasing import asked, common_words, misheard
from tests.benchmarks.vectors import Remembering

Array = npt.NDArray[np.float32]

EPOCHS, RATE, BATCH = 8, 2e-2, 16
WRONG = 4  # wrong episodes that each question is put to
KEPT = 0.9  # share of the answerable questions that must be answered
BIG = 50  # questions from which on a show is a fold of its own
_SHARE = (1.0, 0.5, 0.3)  # weight of each of the ways
MEETING = 0.2  # weight of a question of a set without shows: there are as many, and they are less like what is asked


@dataclass(frozen=True, slots=True)
class Example:
    """One question inside its episode: features (units, names), how well each unit begins the answer, whether it is
    part of it, its fold."""

    query: Query
    rows: Array
    worth: Array
    inside: Array
    fold: int
    weight: float


WAYS = ("as written", "asked", "misheard")
"""How each question is put: as it stands in the set, as a person would say it, and as a recogniser might hear that."""


@dataclass(frozen=True, slots=True)
class PreparedSet:
    """A set with its index, an index of each episode alone, and examples."""

    name: str
    moments: Moments
    index: SqliteIndex
    alone: dict[str, SqliteIndex]
    folds: dict[str, int]
    queries: list[tuple[Query, int]]
    examples: list[Example]
    names: tuple[str, ...]


def prepare(folder: Path, scratch: Path, embed: Remembering) -> PreparedSet:
    """Index a set and compute the features of all its questions."""
    moments = read(folder)
    index = SqliteIndex.open(scratch / folder.name)
    alone: dict[str, SqliteIndex] = {}
    for episode, cues in moments.cues.items():
        found = passages(episode, cues)
        vectors = embed.encode([passage.text for passage in found])
        alone[episode] = SqliteIndex.open(scratch / f"{folder.name}-{len(alone)}")
        for each in (index, alone[episode]):
            each.add(episode, found, vectors, moments.titles.get(episode, ""))
    folds = _folds(moments)
    weight = 1.0 if _has_shows(moments) else MEETING
    queries = _put_in_all_ways(moments)
    examples: list[Example] = []
    names: tuple[str, ...] = ()
    for number, (query, way) in enumerate(queries):
        library = _library(index, alone, query.episode, number)
        computed = section_features(_evidence(library, query.text, query.episode, embed))
        with index.snapshot() as snapshot:
            units = snapshot.episode_passages(query.episode)
            assert units is not None
        names = tuple(computed)
        worth = _worth(query, units.start)
        if worth.max() > 0:
            rows = np.stack([np.asarray(column, np.float32) for column in computed.values()], axis=1)
            inside = _inside(query, units.start)
            examples.append(Example(query, rows, worth, inside, folds[query.episode], weight * _SHARE[way]))
    return PreparedSet(folder.name, moments, index, alone, folds, queries, examples, names)


def _evidence(index: SqliteIndex, text: str, episode: str, embed: Remembering) -> UnitEvidence:
    with index.snapshot() as snapshot:
        units = snapshot.episode_passages(episode)
        assert units is not None
        return gather_evidence(snapshot, [units], build_query(snapshot, embed, text, units))


def _library(index: SqliteIndex, alone: dict[str, SqliteIndex], episode: str, number: int) -> SqliteIndex:
    """Every third question is asked in a library that holds nothing but the episode, as a new user's does."""
    return alone[episode] if number // len(WAYS) % 3 == 0 else index


def _put_in_all_ways(moments: Moments) -> list[tuple[Query, int]]:
    """Every question in all ``WAYS``, with the number of the way."""
    vocabulary = common_words(cue.text for cues in moments.cues.values() for cue in cues)
    found = []
    for number, query in enumerate(moments.queries):
        pick = np.random.default_rng(number)
        spoken = asked(query.text, pick)
        texts = (query.text, spoken, misheard(spoken, pick, vocabulary))
        found += [(replace(query, text=text), way) for way, text in enumerate(texts)]
    return found


def _has_shows(moments: Moments) -> bool:
    return all("--" in episode for episode in moments.cues)


def _folds(moments: Moments) -> dict[str, int]:
    """A fold for every episode: its show, small shows together; without shows a fifth of the episodes."""
    counts: dict[str, int] = {}
    for query in moments.queries:
        show = query.episode.partition("--")[0]
        counts[show] = counts.get(show, 0) + 1
    big = sorted(show for show, count in counts.items() if count >= BIG)
    few = len(big) + (len(counts) > len(big)) < 2  # a single fold would leave nothing to train on
    folds = {}
    for episode in moments.cues:
        show, mark, _ = episode.partition("--")
        mark = "" if few else mark
        folds[episode] = (big.index(show) if show in big else len(big)) if mark else zlib.crc32(episode.encode()) % 5
    return folds


def _worth(query: Query, starts: npt.NDArray[np.float64]) -> Array:
    near, exact = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    for start, _ in query.spans:
        near |= abs(starts - start) <= 30
        exact |= abs(starts - start) <= 3
    return (0.6 * near + 0.4 * exact).astype(np.float32)


def _inside(query: Query, starts: npt.NDArray[np.float64]) -> Array:
    """1 where a jump is a hit."""
    return np.any([(starts >= start - 10) & (starts <= end) for start, end in query.spans], axis=0).astype(np.float32)


# -- where: a listwise loss, the expected worth of a jump drawn from the softmax over the episode's units --------------


def train_place(names: tuple[str, ...], examples: Sequence[Example]) -> tuple[Model, Model]:
    """Linear scores of an episode's units: as beginnings of the answer, and as parts of it."""
    order = np.random.default_rng(0).permutation(len(examples))
    some = [examples[number] for number in order]  # in this order, so that each batch is one piece of memory
    rows = np.concatenate([example.rows for example in some])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows -= mean
    rows /= scale
    np.clip(rows, -6, 6, out=rows)
    lengths = [len(example.rows) for example in some]
    weight = torch.tensor([example.weight for example in some])
    place, inside = (
        Model(names, mean.astype(np.float64), scale.astype(np.float64), ((
            _train_layer(torch.from_numpy(rows), torch.from_numpy(np.concatenate(aims)), lengths, weight),
        ),))
        for aims in ([example.worth for example in some], [example.inside for example in some])
    )  # fmt: skip
    return place, inside


def _train_layer(rows: torch.Tensor, worth: torch.Tensor, lengths: Sequence[int], weight: torch.Tensor) -> Layer:
    torch.manual_seed(0)
    order = np.random.default_rng(0)
    layer = torch.nn.Linear(rows.shape[1], 1)
    edges = np.cumsum([0, *lengths])
    batches = [(first, min(first + BATCH, len(lengths))) for first in range(0, len(lengths), BATCH)]
    optimiser = torch.optim.AdamW(layer.parameters(), lr=RATE, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * len(batches) + 1)
    for _ in range(EPOCHS):
        for number in order.permutation(len(batches)):
            first, last = batches[number]
            part = slice(edges[first], edges[last])
            owner = torch.tensor(np.repeat(np.arange(last - first), lengths[first:last]))
            scores = layer(rows[part])[:, 0]
            most = torch.full((last - first,), -1e9).scatter_reduce(0, owner, scores.detach(), "amax")
            share = torch.exp(scores - most[owner])
            whole, gained = torch.zeros(last - first), torch.zeros(last - first)
            whole, gained = whole.index_add(0, owner, share), gained.index_add(0, owner, share * worth[part])
            loss = -(weight[first:last] * torch.log(gained / whole + 1e-6)).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return Layer(layer.weight.detach().numpy().T.astype(np.float64), layer.bias.detach().numpy().astype(np.float64))


# -- whether: logistic regression on questions put to the right and to wrong episodes ---------------------------------


@dataclass(frozen=True, slots=True)
class Put:
    """A question put to an episode: what the episode offers, and whether it is the right one."""

    offers: dict[str, float]
    right: bool
    fold: int
    way: int


def put(prepared: PreparedSet, place: dict[int, tuple[Model, Model]], embed: Remembering) -> list[Put]:
    """Put each question to its own episode and to wrong ones; ``place`` has a model for each fold."""
    found: list[Put] = []
    ids = sorted(prepared.moments.cues)
    for number, (query, way) in enumerate(prepared.queries):
        pick = np.random.default_rng(number)
        others = [name for name in ids if name != query.episode]
        fold = prepared.folds[query.episode]
        for name in (query.episode, *map(str, pick.choice(others, min(WRONG, len(others)), False))):
            index = _library(prepared.index, prepared.alone, name, number)
            evidence = _evidence(index, query.text, name, embed)
            computed = section_features(evidence)
            share, _, worth = placed(evidence.batch, *(model(computed) for model in place[fold]))
            offers = summary(evidence.batch, computed, share, worth)
            values = {key: float(column[0]) for key, column in offers.items()}
            found.append(Put(values, name == query.episode, fold, way))
    return found


def train_cover(puts: Sequence[Put]) -> Model:
    """The log-odds that an episode answers a question, right and wrong episodes counting alike."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    names = tuple(puts[0].offers)
    rows = np.array([[put.offers[name] for name in names] for put in puts])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows = np.clip((rows - mean) / scale, -6, 6)
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
    model.fit(rows, [put.right for put in puts])
    return Model(names, mean, scale, ((Layer(model.coef_.T, model.intercept_),),))


def apply(model: Model, puts: Sequence[Put]) -> npt.NDArray[np.float64]:
    """The log-odds for each question put."""
    return model({name: np.array([put.offers[name] for put in puts]) for name in model.names})


def declining(odds: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> str:
    """What is declined when 90 % of the answerable questions are kept, in words."""
    threshold = float(np.quantile(odds[right], 1 - KEPT))
    declined = float((odds[~right] < threshold).mean())
    order = np.argsort(odds)
    ranks = np.empty(len(odds))
    ranks[order] = np.arange(len(odds))
    area = (ranks[right].mean() - (right.sum() - 1) / 2) / (~right).sum()
    return (
        f"at {KEPT:.0%} of {right.sum()} answerable kept, {declined:.1%} of {(~right).sum()} unanswerable declined"
        f" (threshold {threshold:.3f}, area under the curve {area:.3f})"
    )


def thresholds(odds: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> list[str]:
    """What each confidence would keep and decline, and how many of as many answers of either kind were right."""
    lines = ["confidence   recall  declined  precision"]
    sure = 1 / (1 + np.exp(-odds))
    for least in (0.2, 0.25, COVERED, 0.35, 0.4, 0.5, 0.6):
        kept, wrong = float((sure[right] >= least).mean()), float((sure[~right] >= least).mean())
        lines.append(f"{least:10.2f}{kept:9.3f}{1 - wrong:10.3f}{kept / max(kept + wrong, 1e-9):11.3f}")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=SECTION_WEIGHTS)
    parser.add_argument("--no-check", action="store_true")
    options = parser.parse_args(arguments)
    embed = Remembering()
    with TemporaryDirectory() as scratch:
        sets = [prepare(folder, Path(scratch), embed) for folder in options.folders]
        names, every = sets[0].names, [example for each in sets for example in each.examples]
        _say(f"{len(every)} questions, {len(names)} features")
        folds = sorted({example.fold for example in every})
        place = {fold: train_place(names, [example for example in every if example.fold != fold]) for fold in folds}
        final = train_place(names, every)
        puts = put(sets[0], place, embed)
        cover = {fold: train_cover([item for item in puts if item.fold != fold]) for fold in folds}
        if not options.no_check:
            _check_declining(puts, cover)
            for each in sets:
                finders = {fold: searcher(each.index, embed, Ranker(*place[fold], cover[fold])) for fold in folds}
                held_out = measure(each.moments, lambda query: finders[each.folds[query.episode]])  # noqa: B023
                _say(f"\n{each.name}, {len(each.moments.queries)} questions, by {len(set(each.folds.values()))} folds")
                _say(table({"held out": held_out}))
        models = {"place": final[0], "inside": final[1], "cover": train_cover(puts)}
        text = json.dumps({name: model.to_json() for name, model in models.items()}, separators=(",", ":"))
        options.out.write_text(text + "\n", encoding="utf-8")


def _check_declining(puts: Sequence[Put], cover: dict[int, Model]) -> None:
    """What would be declined, each question judged by the model that has not seen its fold."""
    right = np.array([item.right for item in puts])
    ways, fold_of = np.array([item.way for item in puts]), np.array([item.fold for item in puts])
    odds = np.zeros(len(puts))
    for fold in set(fold_of.tolist()):
        odds[fold_of == fold] = apply(cover[fold], [item for item in puts if item.fold == fold])
    for way, name in enumerate(WAYS):
        _say(f"held out, {name}: " + declining(odds[ways == way], right[ways == way]))
    _say("held out, all: " + declining(odds, right))
    _say("\n".join(thresholds(odds, right)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
