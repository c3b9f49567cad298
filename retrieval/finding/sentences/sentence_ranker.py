# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run of sentences is quoted: a score of its features, learned list by list from questions.

``tests.benchmarks.train_sentence_ranker`` makes ``sentence_ranker.json``.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from retrieval.finding.sections.query import Values
from retrieval.finding.sentences.sentence_features import FEATURE_NAMES

SENTENCE_WEIGHTS = Path(__file__).with_name("sentence_ranker.json")


_ALIKE = 0.6  # how well a question of the talk matches the one that is put, from which on its reply is preferred
_ECHO = 12.0  # log-odds for a match of one more


def score_runs(found: Values, weights: Values | None = None) -> Values:
    """A score for each row of features (runs, features); differences are log-odds of holding the answer.

    ``weights`` (features,) take the place of those that come with the program. Beside what is linear, the reply to a
    question of the talk that is nearly the one put is preferred.
    """
    echo = np.maximum(found[:, FEATURE_NAMES.index("reply")] - _ALIKE, 0.0)
    return np.asarray(found @ (_weights() if weights is None else weights) + _ECHO * echo)


@cache
def _weights() -> Values:
    found = json.loads(SENTENCE_WEIGHTS.read_text("utf-8"))
    return np.array([found.get(name, 0.0) for name in FEATURE_NAMES])
