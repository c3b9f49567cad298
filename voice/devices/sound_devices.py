# SPDX-License-Identifier: GPL-3.0-or-later
"""Microphones and loudspeakers of this machine: the only place that touches the sound card."""

import math
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from voice.audio import HEARING_RATE, Audio, Samples
from voice.errors import DeviceError

_BLOCK = 0.05  # seconds of sound handed over at a time
_AHEAD = 8  # pieces that are prepared while one sounds
_LATENCY = {"input": 0.2, "output": 0.4}  # seconds of buffer, for a busy machine; stopping throws it away at once


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device: ``index`` as PortAudio counts, channels it takes in and gives out, its usual rate in hertz."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate: int
    default: bool = False


def devices() -> list[Device]:
    """Every microphone and loudspeaker; empty on a machine without any. Raises DeviceError without PortAudio."""
    sounddevice = _portaudio()
    try:
        found, defaults = list(sounddevice.query_devices()), list(sounddevice.default.device)
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"The sound system does not answer ({error}).", "Check that a sound server runs.") from error
    return [
        Device(
            index,
            str(entry["name"]),
            int(entry["max_input_channels"]),
            int(entry["max_output_channels"]),
            round(entry["default_samplerate"]),
            index in defaults,
        )
        for index, entry in enumerate(found)
    ]


def play(pieces: Iterator[Audio], device: str | int | None = None) -> None:
    """Play sound piece by piece and return when the last has sounded.

    ``device``: a name or a part of it, an index, or None for the usual loudspeaker. Pieces are made while earlier ones
    sound. On Ctrl-C, or any error while a piece is made, the sound stops at once and the exception goes on.
    Raises DeviceError when there is no such loudspeaker.
    """
    sounddevice = _portaudio()
    first = next(pieces, None)
    if first is None:
        return
    index = _index(device, "output")
    with _stream(sounddevice.OutputStream, index, "output", samplerate=first.rate, channels=1) as stream:
        block = round(_BLOCK * first.rate)
        try:
            for piece in _ahead(first, pieces):
                samples = np.clip(np.nan_to_num(piece.at_rate(first.rate).samples), -1.0, 1.0)
                for at in range(0, len(samples), block):
                    stream.write(np.ascontiguousarray(samples[at : at + block].reshape(-1, 1)))
            # not every sound system waits for its buffer at the end, so silence pushes the last sound out
            stream.write(np.zeros((round((stream.latency + _BLOCK) * first.rate), 1), np.float32))
            stream.stop()
        except BaseException:
            stream.abort()
            raise


def record(
    seconds: float = math.inf,
    device: str | int | None = None,
    until: Callable[[Samples], bool] = lambda block: False,
    rate: int = HEARING_RATE,
) -> Audio:
    """Record mono sound at ``rate`` hertz for ``seconds``, or until ``until`` says so.

    ``until`` is called with each new block (float32 (n,), about 50 ms) and ends the recording by returning True.
    ``device`` as for `play`. Ctrl-C stops the recording and goes on. Raises DeviceError when there is no such
    microphone, or when it falls silent for good (it was unplugged).
    """
    sounddevice = _portaudio()
    index = _index(device, "input")
    blocks: queue.SimpleQueue[Samples] = queue.SimpleQueue()

    def arrived(data: Samples, frames: int, time: object, status: object) -> None:
        blocks.put(data[:, 0].copy())  # PortAudio reuses the buffer

    taken: list[Samples] = []
    left = seconds * rate
    block = round(_BLOCK * rate)
    with _stream(
        sounddevice.InputStream, index, "input", samplerate=rate, channels=1, blocksize=block, callback=arrived
    ):
        while left > 0:
            try:
                taken.append(blocks.get(timeout=5.0))
            except queue.Empty:
                raise DeviceError(
                    "The microphone sends nothing.", "Check that it is plugged in, or choose another."
                ) from None
            left -= len(taken[-1])
            if until(taken[-1]):
                break
    samples = np.concatenate(taken) if taken else np.zeros(0, np.float32)
    return Audio(samples[: round(seconds * rate)] if math.isfinite(seconds) else samples, rate)


def open_microphone(take: Callable[[Samples], None], device: str | int | None = None) -> tuple[Any, int]:
    """A running stream that hands each block (float32 (n,), about 32 ms) to ``take``, and its rate in hertz.

    16 kHz where the device can, else its own rate. ``take`` runs in the audio thread and must only copy and return.
    Close the stream with its ``close``. Raises DeviceError.
    """

    def arrived(data: Samples, frames: int, time: object, status: object) -> None:
        take(data[:, 0].copy())  # PortAudio reuses the buffer

    return _running("input", HEARING_RATE, device, arrived, blocksize_seconds=0.032, latency=0.032)


def open_loudspeaker(
    fill: Callable[[Samples], None], rate: int, device: str | int | None = None, latency: float = 0.06,
    late: Callable[[], None] = lambda: None,
) -> tuple[Any, int]:
    """A running stream that lets ``fill`` write each block (float32 (n,)), and its rate in hertz; else as above.

    ``latency``: seconds of sound that lie in the device, and so go on when ``fill`` turns silent. ``late`` hears of it
    when that was not enough and the sound had a gap.
    """

    def wanted(data: Samples, frames: int, time: object, status: Any) -> None:
        if status.output_underflow:
            late()
        fill(data[:, 0])

    return _running("output", rate, device, wanted, blocksize_seconds=0.02, latency=latency)


def refresh() -> None:
    """Look for devices anew: PortAudio lists them once. No stream may be open."""
    sounddevice = _portaudio()
    try:
        sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"The sound system does not answer ({error}).", "Check that a sound server runs.") from error


class Changes:
    """Watches whether sound devices have come or gone while a stream is open, which PortAudio cannot tell: a process of
    its own lists them anew now and then. Not for several threads."""

    def __init__(self, every: float = 10.0) -> None:
        self._every = every
        self._known: list[str] = []
        self._child: subprocess.Popen[str] | None = None
        self._next = math.inf

    def watch(self) -> None:
        """Begin, with the devices that are known now."""
        if self._next == math.inf:
            self._known = sorted(device.name for device in devices())
            self._next = time.monotonic() + 1.0

    def stop(self) -> None:
        """End it."""
        self._next = math.inf
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def seen(self) -> bool:
        """True when the devices are others than those that were known when it began; returns at once."""
        if self._child is None:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + self._every
                self._child = subprocess.Popen(  # noqa: S603 — our own words
                    [sys.executable, "-c", _LIST], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
                )
            return False
        if self._child.poll() is None:
            return False
        said, _ = self._child.communicate()
        self._child = None
        return bool(said) and said.splitlines() != self._known


_LIST = "import sounddevice; print(*sorted(d['name'] for d in sounddevice.query_devices()), sep='\\n')"


def _running(
    kind: str, rate: int, device: str | int | None, callback: Callable[..., None], blocksize_seconds: float,
    latency: float,
) -> tuple[Any, int]:
    """A started stream at ``rate``, or at the device's own rate when it refuses that one."""
    sounddevice = _portaudio()
    index = _index(device, kind)
    make = sounddevice.InputStream if kind == "input" else sounddevice.OutputStream
    own = next(entry.rate for entry in devices() if entry.index == index)
    for attempt in dict.fromkeys((rate, own)):
        try:
            stream = _stream(
                make, index, kind, samplerate=attempt, channels=1, callback=callback,
                blocksize=round(blocksize_seconds * attempt), latency=latency,
            )
            stream.start()
        except (DeviceError, sounddevice.PortAudioError) as error:
            problem = error
        else:
            return stream, attempt
    if isinstance(problem, DeviceError):
        raise problem
    raise DeviceError(f"The sound device does not start ({problem}).", "Close what else uses it, or choose another.")


def _portaudio() -> Any:
    """The sounddevice module; DeviceError tells how to get what it needs."""
    try:
        import sounddevice
    except OSError as error:  # the package is there, the system's library is not
        raise DeviceError(
            "PortAudio is missing, so no sound device can be used.", "Run: sudo apt install libportaudio2"
        ) from error
    except ImportError as error:
        raise DeviceError("The Python package sounddevice is missing.", "Run: pip install sounddevice") from error
    return sounddevice


def _index(wanted: str | int | None, kind: str) -> int:
    """The index of the device that is meant. Raises DeviceError listing the devices there are."""
    usable = [entry for entry in devices() if (entry.inputs if kind == "input" else entry.outputs)]
    what = "microphone" if kind == "input" else "loudspeaker"
    if not usable:
        raise DeviceError(f"There is no {what} on this machine.", "Plug one in, or check that a sound server runs.")
    if wanted is None or wanted == "":
        usual = list(_portaudio().default.device)[0 if kind == "input" else 1]
        return next((entry.index for entry in usable if entry.index == usual), usable[0].index)
    text = str(wanted).strip().lower()
    exact = [e for e in usable if str(e.index) == text or e.name.lower() == text]
    partly = exact or [e for e in usable if text in e.name.lower()]
    if not partly:
        listed = "; ".join(f"{entry.index}: {entry.name}" for entry in usable)
        raise DeviceError(f"There is no {what} {wanted!r}.", f"Choose one of these: {listed}.")
    return partly[0].index


def _stream(make: Callable[..., Any], index: int, kind: str, **options: Any) -> Any:
    """Open a stream; a refusal becomes a DeviceError that names the device."""
    import sounddevice

    try:
        return make(**{"device": index, "dtype": "float32", "latency": _LATENCY[kind]} | options)
    except (sounddevice.PortAudioError, ValueError) as error:
        name = next((entry.name for entry in devices() if entry.index == index), str(index))
        what = "microphone" if kind == "input" else "loudspeaker"
        raise DeviceError(
            f"The {what} {name!r} cannot be opened ({error}).", "Close what else uses it, or choose another."
        ) from error


def _ahead(first: Audio, pieces: Iterator[Audio]) -> Iterator[Audio]:
    """``first`` and the rest, made in a thread of its own so that the loudspeaker does not wait for them."""
    ready: queue.Queue[Audio | BaseException | None] = queue.Queue(_AHEAD)
    stop = threading.Event()

    def make() -> None:
        last: BaseException | None = None
        try:
            for piece in pieces:
                if stop.is_set():
                    return
                ready.put(piece)
        except BaseException as error:  # handed to the thread that plays, and raised there
            last = error
        ready.put(last)

    maker = threading.Thread(target=make, name="make sound", daemon=True)
    maker.start()
    try:
        yield first
        while True:
            item = ready.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        while not ready.empty():
            ready.get_nowait()
