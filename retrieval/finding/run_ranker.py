# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run of sentences is quoted: a linear score of its features, learned list by list from questions.

``tests.benchmarks.train_runs`` makes ``runs.json``.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from retrieval.finding.run_features import NAMES, Values

WEIGHTS = Path(__file__).with_name("runs.json")


def score_runs(found: Values) -> Values:
    """A score for each row of features (runs, features); differences are log-odds of holding the answer."""
    return np.asarray(found @ _weights())


@cache
def _weights() -> Values:
    found = json.loads(WEIGHTS.read_text("utf-8"))
    return np.array([found.get(name, 0.0) for name in NAMES])
