# SPDX-License-Identifier: GPL-3.0-or-later
"""Models use the processors there are, and numpy one of them."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from voice.processors import keep_numpy_to_one, usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux lets a process choose its processors")
def test_no_more_threads_than_the_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    assert 1 <= usable() <= min(4, len(before))
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_numpy_multiplies_in_one_thread() -> None:
    def threads() -> set[int]:
        assert np.ones((2, 2)) @ np.ones((2, 2)) is not None
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2, "blas"):
        keep_numpy_to_one()
        assert threads() == {1}
