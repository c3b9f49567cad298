# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream read at the pace of another clock: nothing is lost, and a tone stays the tone it is."""

import numpy as np
import pytest

from voice.devices.resampling import DriftResampler

TONE = np.sin(2 * np.pi * 1000 * np.arange(40_000) / 16_000).astype(np.float32)


def read(drift: float, count: int = 512, times: int = 60) -> np.ndarray:
    line = DriftResampler()
    line.add(TONE)
    return np.concatenate([line.take(count, drift) for _ in range(times)])


def test_at_the_same_pace_it_is_the_same() -> None:
    assert np.array_equal(read(0.0), TONE[: 60 * 512])


@pytest.mark.parametrize("drift", [5e-5, -3e-4, 0.01])
def test_at_another_pace_it_is_the_same_tone_faster(drift: float) -> None:
    made = read(drift)
    wanted = np.sin(2 * np.pi * 1000 * (1 + drift) * np.arange(len(made)) / 16_000)
    assert np.square(made[64:-64] - wanted[64:-64]).mean() < 1e-5


def test_what_is_not_there_is_silence_and_what_comes_later_follows() -> None:
    line = DriftResampler()
    assert not line.take(512).any()
    line.add(TONE[:100])
    made = line.take(512)
    assert np.count_nonzero(made) > 50 and not made[200:].any()
    assert len(line.take(0)) == 0


def test_what_waits_is_known_and_may_be_skipped() -> None:
    line = DriftResampler()
    line.add(TONE[:1000])
    line.take(300)
    assert line.waiting == pytest.approx(700, abs=1)
    line.skip(200)
    assert np.array_equal(line.take(100), TONE[500:600])
