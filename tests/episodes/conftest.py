# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this room share."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from episodes.text.lexicon import content_words


def hashed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Embeddings without a model: each content word has a random direction, a text is the mean of its words'."""
    rows = np.zeros((len(texts), 128), np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[0] = 1e-3
        for word in content_words(text):
            seed = int.from_bytes(hashlib.blake2s(word.rstrip("s").encode(), digest_size=4).digest())
            row += np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def embed() -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """The embedder of the tests, as a function to hand in."""
    return hashed
