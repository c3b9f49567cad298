# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices that are missing, busy, unplugged or of another rate: said once, tried again with patience, never a crash."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voice.devices import duplex, sound_devices
from voice.devices.player import Player
from voice.errors import DeviceError


class Stream:
    def __init__(self) -> None:
        self.closed = False

    def abort(self, ignore_errors: bool = True) -> None:
        pass

    def close(self, ignore_errors: bool = True) -> None:
        self.closed = True


class Desk:
    """The devices of a machine, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.there, self.tries, self.rate = 100.0, True, 0, 48_000
        self.hears, self.plugged = True, False
        self.fill: Callable[[Any], None] = lambda out: None
        self.take: Callable[[Any], None] = lambda block: None
        self.streams: list[Stream] = []
        monkeypatch.setattr(duplex.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(sound_devices, "refresh", lambda: None)
        monkeypatch.setattr(sound_devices, "open_loudspeaker", self.loudspeaker)
        monkeypatch.setattr(sound_devices, "open_microphone", self.microphone)
        monkeypatch.setattr(sound_devices.Changes, "watch", lambda changes: None)
        monkeypatch.setattr(sound_devices.Changes, "seen", self.seen)

    def loudspeaker(self, fill: Any, rate: int, device: str, latency: float, late: Any) -> tuple[Stream, int]:
        self.tries += 1
        self.latency, self.late = latency, late
        if not self.there:
            raise DeviceError("There is no loudspeaker on this machine.", "Plug one in.")
        self.fill = fill
        self.streams.append(Stream())
        return self.streams[-1], self.rate

    def seen(self) -> bool:
        seen, self.plugged = self.plugged, False
        return seen

    def microphone(self, take: Any, device: str) -> tuple[Stream, int]:
        if not self.hears:
            raise DeviceError("There is no microphone 'desk'.", "Choose one of these: none.")
        self.take = take
        self.streams.append(Stream())
        return self.streams[-1], 44_100 if self.rate == 44_100 else 16_000


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


@pytest.fixture
def player():
    made = Player()
    yield made
    made.close()


def test_no_device_is_said_once_and_tried_again_ever_more_slowly(desk: Desk, player: Player, caplog) -> None:
    desk.there = False
    both = duplex.DuplexDevice(player, lambda block: None, "", "")
    with caplog.at_level(logging.INFO, "earmark.listen"):
        for _ in range(6000):  # ten minutes, ten times a second
            both.attend()
            desk.now += 0.1
        assert 15 <= desk.tries <= 30
        said = [record.message for record in caplog.records]
        assert said == ["There is no loudspeaker on this machine. Plug one in."]
        desk.there = True
        desk.now += 31
        both.attend()
    assert both.open and caplog.records[-1].message == "The loudspeaker is back."


def test_what_was_unplugged_is_closed_and_opened_again(desk: Desk, player: Player) -> None:
    both = duplex.DuplexDevice(player, lambda block: None, "", "")
    both.attend()
    first = list(desk.streams)
    desk.now += 4
    for _ in range(2):
        both.attend()
    assert not both.open and all(stream.closed for stream in first)
    desk.now += 2
    both.attend()
    assert both.open


def test_without_a_microphone_it_plays_on_says_so_once_and_hears_when_there_is_one(desk: Desk, player: Player) -> None:
    desk.hears = False
    told: list[str] = []
    both = duplex.DuplexDevice(player, lambda block: None, "desk", "", lambda error: told.append(str(error)))
    for _ in range(600):
        both.attend()
        both._alive["output"] = desk.now
        desk.now += 0.1
    assert told == ["There is no microphone 'desk'. Choose one of these: none."]
    (loudspeaker,) = desk.streams
    assert not loudspeaker.closed and desk.tries == 1
    desk.hears = desk.plugged = True
    for _ in range(3):
        both.attend()
    assert both.open and loudspeaker.closed and told[1:] == ["None"]


def test_a_machine_that_does_not_keep_up_gets_more_time(desk: Desk, player: Player) -> None:
    both = duplex.DuplexDevice(player, lambda block: None, "", "")
    both.attend()
    latencies = [desk.latency]
    for _ in range(5):
        for _ in range(5):
            desk.late()
        both.attend()
        latencies.append(desk.latency)
    assert both.open and latencies == [0.06, 0.12, 0.24, 0.24, 0.24, 0.24]


def test_other_rates_are_resampled_both_ways(desk: Desk, player: Player) -> None:
    desk.rate = 44_100
    blocks: list[np.ndarray] = []
    both = duplex.DuplexDevice(player, blocks.append, "", "")
    both.attend()
    for _ in range(100):
        desk.take(np.ones(441, np.float32))
        desk.fill(np.zeros(882, np.float32))
    assert sum(map(len, blocks)) == pytest.approx(16_000, abs=200)
    assert len(both.played()) == sum(map(len, blocks))


def test_the_earcon_is_short_and_soft() -> None:
    made = duplex.earcon(48_000)
    assert made.seconds < 0.2 and np.abs(made.samples).max() <= 0.2
