# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what was read answers, as a probability: on a subject there is always something to be said.

A logistic regression. Its weights come from questions whose answer was cut out of the episode, so that they are on its
subject and are not answered (``tests.benchmarks.train_sentence_ranker``).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

CALIBRATION_WEIGHTS = Path(__file__).with_name("calibration.json")

ANSWERED = 0.28
"""Probability from which on the best run counts as an answer: of the answerable about .91 reach it, on episodes that
nothing was learned from (``tests.benchmarks.train_sentence_ranker``)."""


@dataclass(frozen=True, slots=True)
class CalibrationFeatures:
    """What speaks for the first run.

    Of the reader: the highest logit (``top``), that of all tokens together (``total``), and by how much it is
    above that of no answer (``none``). Of the runs: ``score`` of the first, its ``margin`` over the second and its
    ``share``, the best match of any (``most``). The others are features of the first run (``sentence_features``).
    """

    top: float
    total: float
    none: float
    score: float
    margin: float
    share: float
    most: float
    read: float
    peak: float
    match: float
    wide: float
    chunk: float
    overlap: float
    reply: float
    mean: float
    weakest: float
    weak: float
    lacks: float


def answer_probability(calibration_features: CalibrationFeatures) -> float:
    """The probability that the first run answers, 0..1."""
    weights, bias = _weights()
    values = asdict(calibration_features)
    total = bias + sum(weight * values[name] for name, weight in weights.items())
    return as_probability(total)


def as_probability(odds: float) -> float:
    """The probability, 0..1, that log-odds stand for."""
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))), 4)


@cache
def _weights() -> tuple[Mapping[str, float], float]:
    found = json.loads(CALIBRATION_WEIGHTS.read_text("utf-8"))
    return found["weights"], found["bias"]
