# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons: events as the kernel writes them, read from a pipe; and a pin, by gpiozero's own stand-in for pins."""

import logging
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from voice.errors import DeviceError, SettingsError
from voice.turns import button


def event(kind: int, code: int, value: int) -> bytes:
    """One struct input_event of linux/input.h."""
    return struct.pack("@llHHi", 1700000000, 250_000, kind, code, value)


PRESS = event(4, 4, 0x70028) + event(1, 28, 1) + event(0, 0, 0) + event(1, 28, 2) + event(1, 28, 0) + event(0, 0, 0)
"""Scan code, key down, report, repeat, key up, report: what one press of a key sends."""


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(button, "_PATIENCE", (0.02, 0.05))


def test_a_key_of_an_input_device_counts_once_a_press(tmp_path: Path) -> None:
    path = tmp_path / "event3"
    os.mkfifo(path)
    pressed: list[int] = []
    end = os.open(path, os.O_RDWR)
    watched = button.watch(str(path), lambda: pressed.append(1))
    os.write(end, PRESS + PRESS[:30])
    until(lambda: len(pressed) == 1)
    os.write(end, PRESS[30:])
    until(lambda: len(pressed) == 2)
    watched.close()
    assert pressed == [1, 1]
    os.close(end)


def test_one_that_is_unplugged_is_said_once_and_found_again(tmp_path: Path, impatient: None, caplog) -> None:
    path = tmp_path / "event3"
    pressed: list[int] = []
    with caplog.at_level(logging.INFO, "earmark.listen"):
        watched = button.watch(str(path), lambda: pressed.append(1))
        until(lambda: "There is no button" in caplog.text)
        time.sleep(0.2)
        assert caplog.text.count("There is no button") == 1
        os.mkfifo(path)
        end = os.open(path, os.O_RDWR)
        until(lambda: "The button is back." in caplog.text)
        os.write(end, PRESS)
        until(lambda: pressed == [1])
        watched.close()
    os.close(end)


def test_it_is_found_by_a_part_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "event7" / "device").mkdir(parents=True)
    (tmp_path / "event7" / "device" / "name").write_text("ACME Foot Switch\n")
    monkeypatch.setattr(button, "_NAMES", tmp_path)
    assert button._named("foot switch") == Path("/dev/input/event7")
    with pytest.raises(DeviceError, match="event7: ACME Foot Switch"):
        button._named("gramophone")


def test_a_pin_calls_when_it_is_closed() -> None:
    import gpiozero
    from gpiozero.pins.mock import MockFactory

    before = gpiozero.Device.pin_factory
    factory = gpiozero.Device.pin_factory = MockFactory()
    try:
        pressed: list[int] = []
        watched = button.watch("gpio:17", lambda: pressed.append(1))
        for _ in range(2):
            factory.pin(17).drive_low()
            time.sleep(0.08)
            factory.pin(17).drive_high()
            time.sleep(0.08)
        watched.close()
        assert pressed == [1, 1]
        with pytest.raises(DeviceError, match="pin 99"):
            button.watch("gpio:99", lambda: None)
    finally:
        factory.reset()
        gpiozero.Device.pin_factory = before


def test_a_pin_where_there_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    with pytest.raises(DeviceError):
        button.watch("gpio:17", lambda: None)
    with pytest.raises(SettingsError, match="gpio:17"):
        button.watch("gpio:red", lambda: None)
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(DeviceError, match="pip install gpiozero lgpio"):
        button.watch("gpio:17", lambda: None)
