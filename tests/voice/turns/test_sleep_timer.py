# SPDX-License-Identifier: GPL-3.0-or-later
"""When the podcast stops by itself: by the clock, and where something ends; time is a number."""

import pytest

from voice.turns.sleep_timer import FADE, SleepTimer, gain

TOPICS, LENGTH = (0.0, 100.0, 250.0), 600.0


def test_by_the_clock() -> None:
    timer = SleepTimer(at=1200.0)
    assert timer.ends(TOPICS, LENGTH) == ()
    assert timer.left(200.0, 50.0, 50.1, 1.0, ()) == 1000.0
    assert timer.left(1200.0, 50.0, 50.1, 1.0, ()) == 0.0


@pytest.mark.parametrize(("until", "before", "position", "left"), [
    ("topic", 90.0, 90.1, 9.9), ("topic", 99.95, 100.05, 0.0), ("topic", 99.95, 120.0, 130.0),  # jumped over it
    ("topic", 260.0, 10.0, 90.0), ("topic", 260.0, 260.1, 339.9), ("episode", 99.95, 100.05, 499.95),
])  # fmt: skip
def test_at_the_end_of_what_plays(until: str, before: float, position: float, left: float) -> None:
    timer = SleepTimer(until=until)
    ends = timer.ends(TOPICS, LENGTH)
    assert timer.left(5.0, before, position, 1.0, ends) == pytest.approx(left)
    if left:
        assert timer.left(5.0, before, position, 2.0, ends) == pytest.approx(left / 2)


def test_it_fades_out_at_the_end_only() -> None:
    assert [gain(left) for left in (600.0, FADE, FADE / 2, 0.0, -1.0)] == [1.0, 1.0, 0.5, 0.0, 0.0]
