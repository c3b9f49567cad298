# SPDX-License-Identifier: GPL-3.0-or-later
"""Where listeners are: kept, joined, bounded, and nobody else's."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import positions
from ui.positions import Listened, Listeners, key_of, listener_of, union
from voice.errors import LibraryError, SettingsError

ANN, BEN = "ann-of-the-kitchen", "ben-of-the-garden"


def test_a_position_is_the_listeners_own_and_outlives_the_process(tmp_path):
    Listeners(tmp_path).note(ANN, "e1", 65.5, [(10, 65.5)])
    kept = Listeners(tmp_path).get(ANN, "e1")
    assert (kept.position, kept.heard) == (65.5, ((10, 65.5),))
    assert Listeners(tmp_path).get(BEN, "e1") == Listeners(tmp_path).get(ANN, "e2") == Listened()


def test_what_two_devices_heard_at_once_is_heard(tmp_path):
    memory = Listeners(tmp_path)

    def listen(first):
        for number in range(9):
            memory.note(ANN, "e1", number, [(4 * number + first, 4 * number + first + 0.5)])

    devices = [threading.Thread(target=listen, args=[first]) for first in (0, 2)]
    for device in devices:
        device.start()
    for device in devices:
        device.join()
    assert memory.get(ANN, "e1").heard == ((0, 34.5),)


def test_the_household_is_the_only_listener_there_is_or_one_that_is_drawn_and_stays(tmp_path):
    memory = Listeners(tmp_path)
    drawn = memory.household()
    memory.note(ANN, "e1", 1.0)
    assert Listeners(tmp_path).household() == drawn != ANN
    one, two = Listeners(made(tmp_path / "one")), Listeners(made(tmp_path / "two"))
    for each in (one, two):
        each.note(ANN, "e1", 1.0)
    two.note(BEN, "e1", 1.0)
    assert one.household() == ANN and two.household() not in (ANN, BEN)


def made(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize(("name", "auth", "who"), [
    ("ann", "", "user-ann"), ("", "ann:long enough", "user-ann"), ("ben", "ann:long enough", "user-ben"),
    ("0123456789abcdef" * 2, "ann:long enough", "0123456789abcdef" * 2),
])  # fmt: skip
def test_who_listens_is_who_the_settings_name(tmp_path, name, auth, who):
    assert listener_of(name, auth, Listeners(tmp_path)) == (key_of("ann") if who == "user-ann" else who)


def test_nobody_and_several_are_the_household(tmp_path):
    memory = Listeners(tmp_path)
    assert listener_of("", "", memory) == listener_of("", "ann:long enough, ben:long too", memory) == memory.household()


def test_a_listener_has_a_speed(tmp_path):
    Listeners(tmp_path).set_speed(ANN, 1.5)
    assert (Listeners(tmp_path).speed(ANN), Listeners(tmp_path).speed(BEN)) == (1.5, 1.0)


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), max_size=20))
def test_joined_stretches_are_in_order_apart_and_hold_all_that_was_heard(stretches):
    joined = union(stretches)
    assert all(a < b for a, b in joined)
    assert all(b < c for (_, b), (c, _) in pairwise(joined))
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in stretches if start < end)


@pytest.mark.parametrize("key", ["", "short", "x" * 81, "../../etc/passwd", "a b c d e f g"])
def test_a_key_that_is_none_is_refused(tmp_path, key):
    with pytest.raises(SettingsError):
        Listeners(tmp_path).note(key, "e1", 1.0)


def test_the_oldest_positions_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(positions, "MOST_ROWS", 3)
    memory = Listeners(tmp_path)
    for number in range(5):
        memory.note(ANN, f"e{number}", 7.0)
    assert [memory.get(ANN, f"e{number}").position for number in range(5)] == [0, 0, 7, 7, 7]


def test_a_damaged_file_is_said_with_what_to_do(tmp_path):
    (tmp_path / "listeners.db").write_bytes(b"this is not a database, and long enough to be read as one" * 20)
    with pytest.raises(LibraryError, match="positions, notes and saved moments go with it"):
        Listeners(tmp_path)
