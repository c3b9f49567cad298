# SPDX-License-Identifier: GPL-3.0-or-later
"""How models use the processors and the memory of a process."""

import ctypes
import os
import sys
from contextlib import suppress

_ARENA_MAX = -8  # mallopt's name for the number of heaps


def usable() -> int:
    """Threads for one model: as many as there are processors for this process, four at most, since more gain nothing
    for a short turn."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, there)


def keep_numpy_to_one() -> None:
    """Let numpy multiply in one thread: its others go on spinning for a while after each product, in the way of the
    engines' that come next, and the products of a question are small."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


def share_one_heap() -> None:
    """Let all threads take their memory from one heap; to be called before there are others.

    The C library of Linux gives them heaps of their own otherwise, and hands what is free at the top of such a one back
    after each use: Whisper's encoder then took twice the time for windows of six to ten seconds.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
