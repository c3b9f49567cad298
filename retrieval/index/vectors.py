# SPDX-License-Identifier: GPL-3.0-or-later
"""The vectors of an index on disk, and the search for the nearest ones.

Two files hold the same rows: float32, which is exact, and eight bits, which is a quarter to read. A search scans the
small one and takes the best of it again in float32. Both are memory-mapped; reading them takes as long as the memory
needs to deliver them. Files only grow at their end, and which rows count is for the caller to know.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from retrieval.index.embedding import DIMENSION, Matrix

Codes = npt.NDArray[np.int8]
RowRanges = Sequence[tuple[int, int]]
"""Runs of rows, first and last (exclusive), that count."""

_SCALE = 508.0
"""Codes of a component of 1: a unit vector of 384 components hardly has one beyond a quarter, which is code 127."""
_SPARE = 4  # rows taken again in float32, for each one that is wanted
_LEAST = 1000  # rows taken again at least
_BLOCK = 1 << 22  # bytes copied at a time
_ALONE = 60_000  # rows up to which a second thread costs more than it brings
_PIECE = 16_384  # rows that a thread takes at a time
_CHUNK = 128  # rows of which only the best is looked at, when the best of very many are sought


@dataclass(frozen=True, slots=True)
class VectorFiles:
    """Rows of the two files: ``exact`` (n, width) float32 and ``codes`` (n, width) int8, both memory-mapped."""

    exact: Matrix
    codes: Codes


def file_names(name: str) -> tuple[str, str]:
    """The two files of a matrix with this name."""
    return f"{name}.f32", f"{name}.i8"


def row_sizes(width: int) -> tuple[int, int]:
    """Bytes of a row of ``width`` numbers in either file."""
    return 4 * width, width


def quantize(vectors: Matrix) -> Codes:
    """Unit rows (n, width) as codes, each component on its own, so that inner products keep their order but for noise
    of about 0.001."""
    return np.asarray(np.clip(np.rint(vectors * _SCALE), -127, 127), np.int8)


def append(folder: Path, name: str, rows: int, vectors: Matrix) -> None:
    """Write vectors behind the first ``rows`` rows and see them on the disk; after an OSError all is as before."""
    exact = np.ascontiguousarray(vectors, np.float32)
    both = (exact.tobytes(), quantize(exact).tobytes())
    for file_name, size, found in zip(file_names(name), row_sizes(exact.shape[1]), both, strict=True):
        path, end = folder / file_name, rows * size
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(end)
            try:
                file.write(found)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise


def checksum(vectors: Matrix) -> int:
    """A sum (CRC-32) over what is written of some vectors, in either file."""
    exact = np.ascontiguousarray(vectors, np.float32)
    return crc32(quantize(exact).tobytes(), crc32(exact.tobytes()))


def checksum_of(matrix: VectorFiles, first: int, last: int) -> int:
    """The sum over what stands in the files for the rows from ``first`` to ``last`` (exclusive)."""
    return crc32(matrix.codes[first:last].tobytes(), crc32(matrix.exact[first:last].tobytes()))


def copy_ranges(folder: Path, old: str, new: str, runs: Iterable[tuple[int, int]], width: int = DIMENSION) -> None:
    """Write the runs of one matrix one after the other to a new one, and see them on the disk."""
    kept = list(runs)
    for source_name, target_name, size in zip(file_names(old), file_names(new), row_sizes(width), strict=True):
        with (folder / source_name).open("rb") as source, (folder / target_name).open("wb") as target:
            for first, last in kept:
                source.seek(first * size)
                left = (last - first) * size
                while left:
                    block = source.read(min(left, _BLOCK))
                    if not block:
                        raise OSError(f"{source_name} ends too early")
                    target.write(block)
                    left -= len(block)
            target.flush()
            os.fsync(target.fileno())


def open_vectors(folder: Path, name: str, rows: int, width: int = DIMENSION) -> VectorFiles | None:
    """The first ``rows`` rows of a matrix of ``width`` columns; None when a file is too short. Raises OSError."""
    if not rows:
        return VectorFiles(np.zeros((0, width), np.float32), np.zeros((0, width), np.int8))
    exact, codes = (folder / file_name for file_name in file_names(name))
    if any(path.stat().st_size < rows * size for path, size in zip((exact, codes), row_sizes(width), strict=True)):
        return None
    return VectorFiles(
        np.memmap(exact, np.float32, "r", shape=(rows, width)),
        np.memmap(codes, np.int8, "r", shape=(rows, width)),
    )


def nearest(matrix: VectorFiles, vector: Matrix, count: int, runs: RowRanges) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The ``count`` rows nearest to ``vector`` (width,), best first, and their cosines."""
    rows = np.concatenate([np.arange(first, last) for first, last in runs]) if runs else np.zeros(0, np.int64)
    if len(rows) > max(_LEAST, _SPARE * count):
        rows = rows[top_rows(scan(matrix, vector, runs), max(_LEAST, _SPARE * count))]
    rows.sort()
    cosines = np.einsum("ij,j->i", matrix.exact[rows], vector)
    order = np.argsort(-cosines, kind="stable")[:count]
    return rows[order], cosines[order]


def scan(matrix: VectorFiles, vector: Matrix, runs: RowRanges) -> Matrix:
    """A number for each row of the runs that grows with its inner product with ``vector`` (width,)."""
    places = np.cumsum([0, *(last - first for first, last in runs)]).tolist()
    out = np.empty((places[-1], 1), np.float32)
    part = _scanner(matrix, vector)
    if len(out) <= _ALONE or (os.cpu_count() or 1) == 1:
        for (first, last), at in zip(runs, places, strict=False):
            part(first, last, out[at : at + last - first])
        return out[:, 0]
    # two threads take piece after piece: when one is woken late, the other has done more
    pieces = iter([
        (row, min(row + _PIECE, last), at + row - first)
        for (first, last), at in zip(runs, places, strict=False) for row in range(first, last, _PIECE)
    ])  # fmt: skip

    def work() -> None:
        for first, last, at in pieces:
            part(first, last, out[at : at + last - first])

    other = _helper().submit(work)
    work()
    other.result()
    return out[:, 0]


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "scan")  # two threads fill the memory bus of small machines


@cache
def _simd() -> bool:
    """Whether the library that multiplies bytes quickly is there; it has no wheels for some small computers."""
    return find_spec("numkong") is not None


def row_bytes() -> int:
    """Bytes that a scan reads of each row, at the precision this machine scans with."""
    return row_sizes(DIMENSION)[1 if _simd() else 0]


def _scanner(matrix: VectorFiles, vector: Matrix) -> Callable[[int, int, Matrix], object]:
    """What puts the numbers of the rows from one to another (exclusive) into a column."""
    if _simd():
        import numkong

        codes, wanted = np.asarray(matrix.codes), quantize(vector[None])
        return lambda first, last, out: numkong.cdist(codes[first:last], wanted, "dot", out=out)
    # numpy multiplies bytes slowly; einsum reads float32 at nearly the memory's speed, BLAS does not
    exact = np.asarray(matrix.exact)
    return lambda first, last, out: np.einsum("ij,j->i", exact[first:last], vector, out=out[:, 0])


def top_rows(scores: Matrix, count: int) -> npt.NDArray[np.int64]:
    """Places of the ``count`` highest scores, in no order.

    Of very many scores only those are sorted that reach what the best of the chunks have in common: that many are
    at least so high.
    """
    chunks = len(scores) // _CHUNK
    if chunks <= 2 * count:
        return np.argpartition(scores, -count)[-count:] if count < len(scores) else np.arange(len(scores))
    tops = scores[: chunks * _CHUNK].reshape(chunks, _CHUNK).max(axis=1)
    some = np.flatnonzero(scores >= np.partition(tops, -count)[-count])
    return some[np.argpartition(scores[some], -count)[-count:]]
