# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of an episode, known before anything is asked: where something new begins, and what each unit alone says."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from retrieval.index.embedding import Matrix

SCALES = (60, 120, 240)
"""Words on either side of a unit's beginning that are compared."""


def topic_shifts(vectors: Matrix, words: Sequence[int]) -> npt.NDArray[np.float32]:
    """How much the talk before each unit differs from the talk after it, (units, 3), 0 for the same and up to 2.

    ``vectors`` are the units' (n, width); one column for each of ``SCALES``. The first unit counts as all new.
    """
    ends = np.cumsum(np.asarray(words, np.int64))
    starts = ends - np.asarray(words, np.int64)
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors.astype(np.float64), axis=0)])
    here = np.arange(len(words))
    columns = []
    for scale in SCALES:
        last = np.minimum(np.searchsorted(ends, starts + scale, side="left") + 1, len(words))
        first = np.searchsorted(ends, starts - scale, side="right")
        after, before = sums[last] - sums[here], sums[here] - sums[first]
        norm = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
        inner = np.einsum("ij,ij->i", after, before)
        columns.append(1 - np.divide(inner, norm, out=np.zeros_like(inner), where=norm > 0))
    return np.stack(columns, axis=1).astype(np.float32) if len(words) else np.zeros((0, len(SCALES)), np.float32)


_RIDGE = 1.0  # how much plain nearness stays in the focus, in units of the mean variance


def focus(vectors: Matrix) -> tuple[Matrix, Matrix]:
    """Rows (units, width) and offsets (units,): a question's inner product with a row, less its offset, is high where
    a unit speaks of what the question asks *and the rest of the episode does not*.

    All units of an episode about one subject are near to a question about it. So the directions in which the units
    vary anyway count less: the rows are the units' distances from their mean, whitened by their own covariance
    (ridge-regularised, as in Fisher's discriminant).
    """
    if not len(vectors):
        return np.zeros_like(vectors), np.zeros(0, np.float32)
    mean = vectors.mean(axis=0, dtype=np.float64)
    away = vectors - mean
    spread = away.T @ away / max(len(vectors) - 1, 1)
    ridge = _RIDGE * max(float(np.trace(spread)) / len(spread), 1e-9)
    spread[np.diag_indices_from(spread)] += ridge
    rows = ridge * np.linalg.solve(spread, away.T).T
    return rows.astype(np.float32), (rows @ mean).astype(np.float32)
