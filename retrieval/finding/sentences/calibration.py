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

ANSWERED = 0.33
"""Probability from which on the best run counts as an answer: of the answerable about .92 reach it, on episodes that
nothing was learned from (``tests.benchmarks.train_sentence_ranker``)."""


@dataclass(frozen=True, slots=True)
class CalibrationFeatures:
    """What speaks for the first run.

    Of the reader: the logit of all tokens together above that of no answer (``above``), and that of no answer
    (``none``), which it gives a question whatever was read: some are seldom answered. The others are features of the
    first run (``sentence_features``).
    """

    above: float
    none: float
    wide: float
    number: float
    farthest: float
    unheard: float


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
