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

WEIGHTS = Path(__file__).with_name("calibration.json")


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


def probability(calibration_features: CalibrationFeatures) -> float:
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
    found = json.loads(WEIGHTS.read_text("utf-8"))
    return found["weights"], found["bias"]
