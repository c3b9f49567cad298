# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever takes an episode in is told how far embedding is, and can break it off."""

import numpy as np
import pytest

from ui.embedding_progress import ProgressEncoder


def encode(texts):
    return np.array([[float(text)] for text in texts], np.float32)


def test_the_vectors_are_the_same_and_the_share_is_told():
    told, heard = ProgressEncoder(encode), []
    texts = [str(number) for number in range(300)]
    with told.to(heard.append):
        assert told.encode(texts)[:, 0].tolist() == list(range(300))
    assert heard == [0.0, 128 / 300, 256 / 300]
    told.encode(texts)
    assert len(heard) == 3


def test_it_can_be_broken_off_between_two_pieces():
    embedded = []

    def stop(part: float) -> None:
        if part:
            raise KeyboardInterrupt

    told = ProgressEncoder(lambda texts: embedded.extend(texts) or encode(texts))
    with pytest.raises(KeyboardInterrupt), told.to(stop):
        told.encode([str(number) for number in range(1000)])
    assert len(embedded) == 128
