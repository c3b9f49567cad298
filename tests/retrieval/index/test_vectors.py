# SPDX-License-Identifier: GPL-3.0-or-later
"""The nearest rows are found as exactly as with float32, wherever they lie."""


import numpy as np
import pytest

from retrieval.index import vectors
from retrieval.index.embedding import DIMENSION, Matrix


def unit_rows(count: int, seed: int = 0) -> Matrix:
    """Rows that crowd around a few directions, as passages about a few subjects do."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(20, DIMENSION))[rng.integers(0, 20, count)] + rng.normal(size=(count, DIMENSION))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def rows() -> Matrix:
    return unit_rows(70_000)


@pytest.fixture(scope="module")
def kept(rows: Matrix, tmp_path_factory: pytest.TempPathFactory) -> vectors.VectorFiles:
    folder = tmp_path_factory.mktemp("matrix")
    vectors.append(folder, "m", 0, rows[:50_000])
    vectors.append(folder, "m", 50_000, rows[50_000:])
    found = vectors.open_vectors(folder, "m", len(rows))
    assert found is not None
    return found


@pytest.mark.parametrize("runs", [[(0, 70_000)], [(0, 100), (500, 69_000)], [(69_990, 70_000)], []])
@pytest.mark.parametrize("simd", [True, False])
def test_the_nearest_are_those_of_float32(
    rows: Matrix, kept: vectors.VectorFiles, runs: list[tuple[int, int]], simd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if simd:
        pytest.importorskip("numkong", reason="there is no numkong for this machine")
    monkeypatch.setattr(vectors, "_simd", lambda: simd)
    allowed = np.zeros(len(rows), bool)
    for first, last in runs:
        allowed[first:last] = True
    for question in unit_rows(5, seed=1):
        cosines = np.where(allowed, rows @ question, -np.inf)
        expected = [row for row in np.argsort(-cosines)[:10] if allowed[row]]
        found, near = vectors.nearest(kept, question, 10, runs)
        assert found.tolist() == expected
        assert near == pytest.approx(cosines[expected], abs=1e-5)


def test_the_best_of_very_many_scores() -> None:
    scores = np.random.default_rng(0).normal(size=99_999).astype(np.float32)
    scores[5000:5400] += 9  # close together
    assert set(vectors.top_rows(scores, 300)) == set(np.argsort(-scores)[:300])
    assert set(vectors.top_rows(scores[:200], 300)) == set(range(200))
