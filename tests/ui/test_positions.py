# SPDX-License-Identifier: GPL-3.0-or-later
"""Where listeners are: kept, joined, bounded, and nobody else's."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from episodes.store.postgres import PostgresDatabase
from ui import positions
from ui.positions import Listened, PlaybackPositions, listener_key, listener_of, union
from voice.errors import LibraryError, SettingsError

ANN, BEN = "ann-of-the-kitchen", "ben-of-the-garden"


@pytest.fixture
def server(database_url):
    """The database server of each engine that has one."""
    database = PostgresDatabase.open(database_url) if database_url else None
    yield database
    if database is not None:
        database.close()


def test_a_position_is_the_listeners_own_and_outlives_the_process(tmp_path, server):
    PlaybackPositions(tmp_path, server).note(ANN, "e1", 65.5, [(10, 65.5)])
    memory = PlaybackPositions(tmp_path, server)
    kept = memory.get(ANN, "e1")
    assert (kept.position, kept.heard) == (65.5, ((10, 65.5),))
    assert memory.get(BEN, "e1") == memory.get(ANN, "e2") == Listened()
    assert memory.all(ANN) == {"e1": kept} and memory.everybody() == {"e1": [kept]}
    memory.note(ANN, "e1", 3.0)
    assert memory.get(ANN, "e1").position == 3.0


def test_what_two_devices_heard_at_once_is_heard(tmp_path, server):
    memories = [PlaybackPositions(tmp_path, server) for _ in range(2)]

    def listen(memory, first):
        for number in range(9):
            memory.note(ANN, "e1", number, [(4 * number + first, 4 * number + first + 0.5)])

    devices = [threading.Thread(target=listen, args=each) for each in zip(memories, (0, 2), strict=True)]
    for device in devices:
        device.start()
    for device in devices:
        device.join()
    assert memories[0].get(ANN, "e1").heard == ((0, 34.5),)


def test_the_household_is_drawn_and_stays(tmp_path, server):
    memory = PlaybackPositions(tmp_path, server)
    drawn = memory.household()
    memory.note(ANN, "e1", 1.0)
    assert PlaybackPositions(tmp_path, server).household() == drawn != ANN


@pytest.mark.parametrize("listeners", [(ANN,), (ANN, BEN)])
def test_the_household_is_the_only_listener_there_is(tmp_path, server, listeners):
    memory = PlaybackPositions(tmp_path, server)
    for listener in listeners:
        memory.note(listener, "e1", 1.0)
    assert (memory.household() == ANN) is (listeners == (ANN,)) and memory.household() != BEN


@pytest.mark.parametrize(("name", "auth", "who"), [
    ("ann", "", "user-ann"), ("", "ann:long enough", "user-ann"), ("ben", "ann:long enough", "user-ben"),
    ("0123456789abcdef" * 2, "ann:long enough", "0123456789abcdef" * 2),
])  # fmt: skip
def test_who_listens_is_who_the_settings_name(tmp_path, name, auth, who):
    assert listener_of(name, auth, PlaybackPositions(tmp_path)) == (listener_key("ann") if who == "user-ann" else who)


def test_nobody_and_several_are_the_household(tmp_path):
    memory = PlaybackPositions(tmp_path)
    assert listener_of("", "", memory) == listener_of("", "ann:long enough, ben:long too", memory) == memory.household()


def test_a_listener_has_a_speed(tmp_path, server):
    memory = PlaybackPositions(tmp_path, server)
    for speed in (1.2, 1.5):
        memory.set_speed(ANN, speed)
    assert (memory.speed(ANN), memory.speed(BEN)) == (1.5, 1.0)


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), max_size=20))
def test_joined_stretches_are_in_order_apart_and_hold_all_that_was_heard(stretches):
    joined = union(stretches)
    assert all(a < b for a, b in joined)
    assert all(b < c for (_, b), (c, _) in pairwise(joined))
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in stretches if start < end)


@pytest.mark.parametrize("key", ["", "short", "x" * 81, "../../etc/passwd", "a b c d e f g"])
def test_a_key_that_is_none_is_refused(tmp_path, key):
    with pytest.raises(SettingsError):
        PlaybackPositions(tmp_path).note(key, "e1", 1.0)


def test_the_oldest_positions_go_when_there_are_too_many(tmp_path, server, monkeypatch):
    monkeypatch.setattr(positions, "MOST_POSITIONS", 3)
    memory = PlaybackPositions(tmp_path, server)
    for number in range(5):
        memory.note(ANN, f"e{number}", 7.0)
    assert [memory.get(ANN, f"e{number}").position for number in range(5)] == [0, 0, 7, 7, 7]


def test_all_goes_to_another_place_and_nothing_there_is_overwritten(tmp_path, server):
    here, there = PlaybackPositions(tmp_path, server), PlaybackPositions(made(tmp_path / "there"))
    here.note(ANN, "e1", 65.5, [(10, 65.5)])
    here.set_speed(ANN, 1.5)
    household = here.household()
    there.note(BEN, "e1", 1.0)
    here.copy_to(there)
    assert there.everybody() == {"e1": [there.get(ANN, "e1"), there.get(BEN, "e1")]}
    assert (there.get(ANN, "e1"), there.speed(ANN), there.household()) == (here.get(ANN, "e1"), 1.5, household)


def made(folder):
    folder.mkdir()
    return folder


def test_a_damaged_file_is_said_with_what_to_do(tmp_path):
    (tmp_path / "listeners.db").write_bytes(b"this is not a database, and long enough to be read as one" * 20)
    with pytest.raises(LibraryError, match="positions, notes and saved moments go with it"):
        PlaybackPositions(tmp_path)
