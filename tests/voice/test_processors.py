# SPDX-License-Identifier: GPL-3.0-or-later
"""Models use the processors there are, numpy one of them, and all threads one heap."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from tests.conftest import ROOT
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


HEAPS = """
import ctypes, sys, threading
if sys.argv[1:]:
    from voice.processors import share_one_heap
    share_one_heap()
libc, both = ctypes.CDLL(None), threading.Barrier(3)
def work():
    libc.malloc(5000)
    both.wait()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
both.wait()
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has one heap, or other ways")
def test_threads_share_one_heap() -> None:
    def heaps(*how: str) -> int:
        command = [sys.executable, "-c", HEAPS, *how]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return told.count("<heap nr=")

    assert heaps() > 1 == heaps("shared")
