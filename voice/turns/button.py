# SPDX-License-Identifier: GPL-3.0-or-later
"""A button of one's own: a pin of a Raspberry Pi, or any key of an input device (a foot switch, a remote control)."""

import contextlib
import logging
import os
import select
import struct
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from voice.errors import DeviceError, SettingsError

log = logging.getLogger("earmark.listen")

_EVENT = struct.Struct("@llHHi")  # linux/input.h, struct input_event: seconds, microseconds, type, code, value
_KEY, _DOWN = 1, 1  # EV_KEY; 0 is up and 2 a repeat
_PATIENCE = (1.0, 30.0)  # seconds between two tries, the first and the longest
_BOUNCE = 0.05  # seconds in which a contact of metal may close more than once
_NAMES = Path("/sys/class/input")


class Button(Protocol):
    """A button that is watched until it is closed."""

    def close(self) -> None:
        """Watch it no more."""
        ...


def watch(setting: str, press: Callable[[], None]) -> Button:
    """Call ``press``, from another thread, whenever the button is pressed.

    ``setting``: ``gpio:17`` (a pin by its BCM number, closed to ground), ``/dev/input/event3``, or a part of the name
    of an input device. One that is not there is waited for, as a microphone is. Raises SettingsError for a pin that is
    none, and DeviceError where there are no pins.
    """
    wanted = setting.strip()
    if wanted.lower().startswith("gpio:"):
        return _Pin(wanted[5:].strip(), press)
    return _Keys(wanted, press)


class _Pin:
    """A pin of the machine, by gpiozero."""

    def __init__(self, pin: str, press: Callable[[], None]) -> None:
        try:
            import gpiozero
        except ImportError as error:
            raise DeviceError("The package gpiozero is missing, which reads pins.",
                              f"Run: {sys.executable} -m pip install gpiozero lgpio") from error  # fmt: skip
        if not pin.isdigit():
            raise SettingsError(f"The button gpio:{pin} is no pin.", "Give its BCM number, such as gpio:17.")
        try:
            with warnings.catch_warnings():  # one for each library of pins that is not there
                warnings.simplefilter("ignore")
                self._button: Any = gpiozero.Button(int(pin), pull_up=True, bounce_time=_BOUNCE)
        except Exception as error:  # each library of pins behind gpiozero raises errors of its own
            raise DeviceError(f"The pin {pin} cannot be read ({error}).",
                              "Check its number, and that you are in the group gpio.") from error  # fmt: skip
        self._button.when_pressed = lambda: press()

    def close(self) -> None:
        self._button.close()


class _Keys:
    """Any key of an input device, read as the kernel gives it."""

    def __init__(self, wanted: str, press: Callable[[], None]) -> None:
        self._wanted, self._press = wanted, press
        self._woken, self._end = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="button", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.close(self._end)
        self._thread.join(5)
        os.close(self._woken)

    def _watch(self) -> None:
        wait, said = _PATIENCE[0], ""
        while True:
            try:
                with _opened(self._wanted) as device:
                    if said:
                        log.info("The button is back.")
                    wait, said = _PATIENCE[0], ""
                    if self._read(device):
                        return
                problem = DeviceError(f"The button {self._wanted} is gone.", "Waiting for it to return.")
            except DeviceError as error:
                problem = error
            if str(problem) != said:  # once, not at every try
                said = str(problem)
                log.warning("%s", problem)
            if select.select([self._woken], [], [], wait)[0]:
                return
            wait = min(2 * wait, _PATIENCE[1])

    def _read(self, device: int) -> bool:
        """Read until the device is gone (False), or nobody watches any more (True)."""
        rest = b""
        while True:
            if self._woken in select.select([device, self._woken], [], [])[0]:
                return True
            try:
                given = os.read(device, 64 * _EVENT.size)
            except OSError:
                return False
            if not given:
                return False
            rest += given
            whole = len(rest) // _EVENT.size * _EVENT.size
            for *_, kind, _, value in _EVENT.iter_unpack(rest[:whole]):
                if (kind, value) == (_KEY, _DOWN):
                    self._press()
            rest = rest[whole:]


@contextlib.contextmanager
def _opened(wanted: str) -> Any:
    path = Path(wanted) if wanted.startswith("/") else _named(wanted)
    try:
        device = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except PermissionError as error:
        raise DeviceError(f"The button {path} may not be read by you.",
                          "Run: sudo usermod -aG input $USER, and log in again.") from error  # fmt: skip
    except OSError as error:
        raise DeviceError(f"There is no button {path} ({error.strerror}).",
                          f"Input devices: {_listed()}.") from error  # fmt: skip
    try:
        yield device
    finally:
        os.close(device)


def _named(wanted: str) -> Path:
    for name, path in _inputs():
        if wanted.lower() in name.lower():
            return path
    raise DeviceError(f"There is no button {wanted!r}.", f"Input devices: {_listed()}.")


def _inputs() -> list[tuple[str, Path]]:
    """The names of the input devices, and where each is read."""
    found = []
    for file in sorted(_NAMES.glob("event*/device/name")):
        with contextlib.suppress(OSError):  # unplugged at this moment
            found.append((file.read_text("utf-8").strip(), Path("/dev/input") / file.parts[-3]))
    return found


def _listed() -> str:
    return "; ".join(f"{path}: {name}" for name, path in _inputs()) or "none"
