# SPDX-License-Identifier: GPL-3.0-or-later
"""How many processors models use."""

import os


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
