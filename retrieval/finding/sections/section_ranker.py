# SPDX-License-Identifier: GPL-3.0-or-later
"""The learned part of finding: where in an episode an answer begins and goes on, and whether the episode has one.

Three tiny models; their weights are in ``section_ranker.json`` beside this file, which
``tests.benchmarks.train_section_ranker`` makes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from retrieval.finding.sections.query import Values
from retrieval.finding.sections.unit_evidence import UnitBatch

SECTION_WEIGHTS = Path(__file__).with_name("section_ranker.json")

_CLOSE = 30.0  # seconds from an answer's beginning within which a jump is as good as exact
_EARLY = 10.0  # seconds before its beginning at which a jump still lands in it
_SUBJECT = 400.0  # seconds in which the chance that a subject still goes on falls to a third
_INSIDE = 0.4  # how much it counts that the answer is going on around a jump
_AROUND = 60.0  # seconds before and after it
_CLIP = 6.0  # standard deviations beyond which a feature says nothing more

SUMMARY = (
    "near", "mean_60", "mean_120", "next", "at", "focus", "focus_60", "word_30", "word_60", "word_120", "share_30",
    "share_120", "share_480", "onset_120", "focus_onset_120", "word_onset_120", "both",
)  # fmt: skip
"""Features of the best unit that tell whether it is an answer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """``weight`` (inputs, outputs) and ``bias`` (outputs,); ReLU follows on all layers but the last."""

    weight: Values
    bias: Values


@dataclass(frozen=True, slots=True)
class Model:
    """Networks over standardised features, their outputs averaged."""

    names: tuple[str, ...]
    mean: Values
    scale: Values
    networks: tuple[tuple[Layer, ...], ...]

    def __call__(self, features: Mapping[str, Values]) -> Values:
        """One number for each row of the features."""
        rows = np.stack([features[name] for name in self.names])  # a feature in each: so nothing is copied crosswise
        rows -= self.mean[:, None]
        rows /= self.scale[:, None]
        np.clip(rows, -_CLIP, _CLIP, out=rows)
        outputs = []
        for layers in self.networks:
            values = rows
            for number, layer in enumerate(layers):
                values = layer.weight.T @ values + layer.bias[:, None]
                if number + 1 < len(layers):
                    values = np.maximum(values, 0)
            outputs.append(values[0])
        return np.asarray(np.mean(outputs, axis=0))

    @classmethod
    def from_json(cls, found: Mapping[str, object]) -> "Model":
        """The model as ``to_json`` wrote it."""
        names, mean, scale, networks = (found[key] for key in ("names", "mean", "scale", "networks"))
        return cls(
            tuple(names), np.array(mean), np.array(scale),  # type: ignore[arg-type]
            tuple(
                tuple(Layer(np.array(layer["weight"]), np.array(layer["bias"])) for layer in layers)
                for layers in networks  # type: ignore[attr-defined]
            ),
        )  # fmt: skip

    def to_json(self) -> dict[str, object]:
        """Plain lists with four significant digits, which is more than the training pins down."""

        def plain(values: Values) -> object:
            return json.loads(json.dumps(values.tolist()), parse_float=lambda text: float(f"{float(text):.4g}"))

        return {
            "names": list(self.names), "mean": plain(self.mean), "scale": plain(self.scale),
            "networks": [
                [{"weight": plain(layer.weight), "bias": plain(layer.bias)} for layer in layers]
                for layers in self.networks
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SectionScores:
    """What the ranker makes of the features.

    Logarithms, over the units: ``share``, the probability that the answer, if the episode has one, begins here;
    ``close``, that it begins within half a minute; ``worth``, how good it is to jump here. Over the episodes:
    ``cover``, the log-odds of an answer.
    """

    share: Values
    close: Values
    worth: Values
    cover: Values


@dataclass(frozen=True, slots=True)
class Ranker:
    """``place`` scores the units of an episode against each other as beginnings, ``inside`` as parts of the answer;
    ``cover`` gives the log-odds of an answer."""

    place: Model
    inside: Model
    cover: Model

    def score(self, batch: UnitBatch, features: Mapping[str, Values]) -> SectionScores:
        """Where the answers begin, and whether there are any."""
        share, close, worth = placed(batch, self.place(features), self.inside(features))
        return SectionScores(share, close, worth, self.cover(summary(batch, features, share, worth)))


def placed(batch: UnitBatch, scores: Values, inside: Values) -> tuple[Values, Values, Values]:
    """From scores of the units, as beginnings and as parts, to ``share``, ``close`` and ``worth`` of a verdict.

    A jump is good when an answer begins close to it, whichever unit that is exactly, and still good when it lands
    behind the beginning but before the subject is over. So the probabilities of what lies around are added up.
    """
    share = _shares(batch, scores)
    chance, going = np.exp(share), np.exp(_shares(batch, inside))
    start = batch.joined([np.maximum.accumulate(episode.start) for episode in batch.episodes])
    close, worth = np.empty(len(chance)), np.empty(len(chance))
    for low, high in zip(batch.edges[:-1], batch.edges[1:], strict=True):
        times, mine = start[low:high] - start[low], chance[low:high]
        sums = np.concatenate([[0.0], np.cumsum(mine)])
        parts = np.concatenate([[0.0], np.cumsum(going[low:high])])

        def between(before: float, after: float, sums: Values = sums) -> Values:
            first = np.searchsorted(times, times - before, side="left")  # noqa: B023
            return np.asarray(sums[np.searchsorted(times, times + after, side="right")] - sums[first])  # noqa: B023

        fading = np.exp(-times / _SUBJECT) * np.cumsum(mine * np.exp(times / _SUBJECT))
        close[low:high] = between(_CLOSE, _CLOSE)
        worth[low:high] = close[low:high] + fading + between(0.0, _EARLY) - mine
        worth[low:high] += _INSIDE * between(_AROUND, _AROUND, parts)
    return share, np.log(close), np.log(worth)


def _shares(batch: UnitBatch, scores: Values) -> Values:
    """The logarithms of the softmax over each episode's units."""
    away = scores - batch.highest(scores)
    return np.asarray(away - batch.spread(np.log(np.add.reduceat(np.exp(away), batch.edges[:-1]))))


def summary(batch: UnitBatch, features: Mapping[str, Values], share: Values, worth: Values) -> dict[str, Values]:
    """What an episode has to offer, an array over the episodes for each name: features of its best unit, their best
    values anywhere in the episode, and how clearly the best unit stands out."""
    found: dict[str, Values] = {}
    top = np.array([
        low + int(np.argmax(worth[low:high])) for low, high in zip(batch.edges[:-1], batch.edges[1:], strict=True)
    ])  # fmt: skip
    for name in SUMMARY:
        values = features[name]
        found[name] = values[top]
        found[f"most_{name}"] = np.maximum.reduceat(values, batch.edges[:-1])
    found["in_episode"], found["titled"] = features["in_episode"][top], features["titled"][top]
    found["question_words"] = features["question_words"][top]
    found["question_weight"] = features["question_weight"][top]
    found["share"], found["worth"] = share[top], worth[top]
    # the evidence within some sentences of the best unit, which may be spread over neighbours
    chance = np.exp(share)
    found["around"] = np.array([
        chance[max(low, unit - 3) : min(high, unit + 4)].sum()
        for low, high, unit in zip(batch.edges[:-1], batch.edges[1:], top, strict=True)
    ])  # fmt: skip
    found["units"] = np.log(batch.count)
    return found


@cache
def shipped_ranker() -> Ranker:
    """The ranker that comes with the program."""
    found = json.loads(SECTION_WEIGHTS.read_text(encoding="utf-8"))
    return Ranker(*(Model.from_json(found[name]) for name in ("place", "inside", "cover")))
