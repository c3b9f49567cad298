# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what was read answers, as a probability: on a subject there is always something to be said."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for the first run: the highest logit, the logarithm of how many places are nearly as high, the logit
    of no answer, the shares of the first and the second run, how well the best chunk matches as a whole, and the
    best few seconds."""

    best: float
    spread: float
    none: float
    share: float
    second: float
    match: float
    around: float


WEIGHTS = {"match": 12.0}
"""Of a logistic regression."""
BIAS = -5.5


def probability(signs: Signs) -> float:
    """The probability that the first run answers, 0..1."""
    total = BIAS + sum(weight * getattr(signs, name) for name, weight in WEIGHTS.items())
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, total)))), 4)
