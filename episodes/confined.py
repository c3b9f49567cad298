# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of strangers are read in a process of its own, which is ended when it takes too long or too much.

Our own patterns are bounded, and those of libraries are not ours to bound: a feed that one of them reads in quadratic
time would hold the interpreter's lock, and with it the server. A thread cannot be ended; a process can.

A process takes a third of a second to start, so that those that did well are kept for the next text. What goes in and
comes out is data (msgpack, checked against the types of the function), never code.
"""

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeVar, get_type_hints

import msgspec

from voice import errors
from voice.errors import EarmarkError

T = TypeVar("T")

MEMORY = 2_000_000_000
"""Bytes of address space: the libraries alone take some hundred million."""

LEAST_CPU_SECONDS = 20.0
"""Seconds of processor time for a text of any size."""

LEAST_BYTES_PER_SECOND = 50_000
"""Bytes that are read in a second of processor time, at the least; ours read a million."""

_TOGETHER = threading.BoundedSemaphore(2)
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
_LOOK = 0.25  # seconds between two looks whether anybody still waits
_WAITING = 5  # times as many seconds as of processor time: a busy machine
_HEAD = 8  # bytes that tell how many follow


def granted(size: int) -> float:
    """Seconds of processor time for a text of ``size`` bytes."""
    return LEAST_CPU_SECONDS + size / LEAST_BYTES_PER_SECOND


def nobody_asks() -> None:
    """Nothing breaks it off."""


def call(work: Callable[..., T], *given: Any, size: int, over: EarmarkError,
         check: Callable[[], None] = nobody_asks, seconds: float = 0.0) -> T:  # fmt: skip
    """``work(*given)`` in another process: a function of a module whose arguments and result have types.

    ``size`` is how many bytes it reads, which bounds its time (``seconds`` bounds it otherwise). Raises what ``work``
    raises of our own errors, ``over`` when it needed more than a text of its size can, or failed otherwise, and
    whatever ``check``, which is called several times a second, raises.
    """
    seconds = seconds or granted(size)
    task = msgspec.msgpack.encode((work.__module__, work.__name__, seconds, _packed(given)))
    with _TOGETHER:
        process = _take()
        try:
            answer = process.ask(task, _WAITING * seconds, check)
        except BaseException as error:
            process.end()
            if isinstance(error, _Over):
                raise over from error
            raise
        _give_back(process)
    try:
        kind, *rest = msgspec.msgpack.decode(answer)
        if kind == "done":
            made: T = msgspec.msgpack.decode(rest[0], type=get_type_hints(work)["return"], dec_hook=_from_data)
            return made
    except msgspec.MsgspecError as error:
        raise over from error
    if kind == "refused":
        raise getattr(errors, rest[0], type(over))(rest[1], rest[2])
    raise over from RuntimeError(f"{work.__name__}: {rest[0]}")


def environment() -> dict[str, str]:
    """The variables of a child: what it needs to find this program, and one thread."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    root = str(Path(__file__).parents[1])
    return kept | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def bound(what: str, value: int, hard: int | None = None) -> None:
    """Set one of this process's own bounds, of the names in ``resource``, where the system has it."""
    with contextlib.suppress(ImportError, ValueError, OSError, AttributeError):
        import resource

        resource.setrlimit(getattr(resource, what), (value, value if hard is None else hard))


class _Over(Exception):
    """The process took too long, or ended."""


class _Process:
    """One process that reads, and what it is told and says."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-B", "-c", "from episodes.confined import main; main()"]
        self._process = subprocess.Popen(  # noqa: S603  this program itself
            command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the program, which says what becomes of the reading
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, task: bytes, longest: float, check: Callable[[], None]) -> bytes:
        """Its answer to a task. Raises _Over when there is none within ``longest`` seconds, and what ``check`` does."""
        answer: Future[bytes] = _HELPERS.submit(self._exchange, task)
        waited = 0.0
        while True:
            try:
                return answer.result(_LOOK)
            except TimeoutError:
                waited += _LOOK
            check()
            if waited > longest:
                raise _Over

    def _exchange(self, task: bytes) -> bytes:
        told, says = self._process.stdin, self._process.stdout
        assert told is not None and says is not None  # noqa: S101  both are pipes
        try:
            _write(told, task)
            answer = _read(says)
        except (OSError, ValueError) as error:
            raise _Over from error
        if answer is None:
            raise _Over
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


_HELPERS = ThreadPoolExecutor(4, "earmark-reading")
_idle: list[_Process] = []
_lock = threading.Lock()


def _take() -> _Process:
    with _lock:
        while _idle:
            process = _idle.pop()
            if process.alive:
                return process
            process.end()
    return _Process()


def _give_back(process: _Process) -> None:
    with _lock:
        _idle.append(process)


@atexit.register
def _end_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()


def _forked() -> None:
    """A child of a fork has none of the threads, and must not talk to its parent's processes."""
    global _idle, _lock, _HELPERS, _TOGETHER
    _idle, _lock = [], threading.Lock()
    _HELPERS, _TOGETHER = ThreadPoolExecutor(4, "earmark-reading"), threading.BoundedSemaphore(2)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def main() -> None:
    """What the child does: answer one task after another until nobody asks any more."""
    told, says = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    bound("RLIMIT_AS", MEMORY)
    bound("RLIMIT_CORE", 0)
    bound("RLIMIT_FSIZE", 0)  # a reader writes no file
    with contextlib.suppress(OSError, BrokenPipeError):
        while (task := _read(told)) is not None:
            _write(says, _answer(task))


def _answer(task: bytes) -> bytes:
    module, name, seconds, given = msgspec.msgpack.decode(task)
    _grant(seconds)
    work = getattr(import_module(module), name)
    hints = get_type_hints(work)
    types = tuple(hint for parameter, hint in hints.items() if parameter != "return")
    try:
        rows = msgspec.msgpack.decode(given)
        found = work(*(msgspec.convert(row, kind, dec_hook=_from_data) for row, kind in zip(rows, types, strict=False)))
        return msgspec.msgpack.encode(("done", _packed(found)))
    except EarmarkError as error:
        return msgspec.msgpack.encode(("refused", type(error).__name__, error.message, error.hint))
    except MemoryError:
        os._exit(1)
    except Exception as error:  # of whatever library: the text could not be read
        return msgspec.msgpack.encode(("failed", f"{type(error).__name__}: {error}"[:500]))


def _grant(seconds: float) -> None:
    """Processor time for one task more; the system ends a process that takes longer."""
    with contextlib.suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        whole = int(used.ru_utime + used.ru_stime + seconds) + 1
        bound("RLIMIT_CPU", whole, resource.getrlimit(resource.RLIMIT_CPU)[1])


def _packed(what: Any) -> bytes:
    return msgspec.msgpack.encode(what, enc_hook=_as_data)


def _as_data(value: Any) -> Any:
    if isinstance(value, Path):  # a name need not be UTF-8
        return os.fsencode(value)
    raise NotImplementedError(type(value).__name__)


def _from_data(kind: type, value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise NotImplementedError(kind.__name__)


def _write(to: IO[bytes], what: bytes) -> None:
    to.write(len(what).to_bytes(_HEAD, "big") + what)
    to.flush()


def _read(source: IO[bytes]) -> bytes | None:
    """What the other side said; None when it has gone."""
    head = source.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size = int.from_bytes(head, "big")
    said = source.read(size)
    return said if len(said) == size else None
