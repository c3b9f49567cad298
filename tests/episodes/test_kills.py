# SPDX-License-Identifier: GPL-3.0-or-later
"""What is killed in the middle leaves a whole library, on each engine: a few of the kills that ``killing`` and
``killing_others`` try by the dozen."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import for_long
from tests.episodes import killing, killing_others
from tests.episodes.places import Places, stored
from ui.settings import Settings

pytestmark = pytest.mark.timeout(300)  # processes of their own, on a machine that may be busy


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Places]:
    """Libraries of each engine."""
    if request.param == "sqlite":
        yield Places(tmp_path)
        return
    with Places.of(request.getfixturevalue("postgres_server"), tmp_path) as places:
        yield places


@pytest.mark.parametrize("kills", [1, *for_long(6)])
def test_kill_at_random_moments_and_finish_all_the_same(places: Places, tmp_path: Path, kills: int) -> None:
    """Without a decoder; ``python -m tests.episodes.killing --kills 50`` tries more, with one."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # shown when it fails
    audio = killing.speech(tmp_path / "speech.wav", 6)
    beside = places.empty("beside")
    seconds = killing.whole(beside, audio, hears=False)
    chance = random.Random(seed)
    for number in range(kills):
        after = chance.uniform(number, number + 1) / kills * seconds
        outcome = killing.killed(places.empty(f"k{number}"), audio, after, stored(beside), hears=False)
        assert outcome.good, (seed, after, outcome)
        assert outcome.heard > 1


@pytest.mark.parametrize(("moment", "indexed"), [("vectors", 0), ("index", 1)])
def test_killed_between_index_and_library_both_come_back_in_step(
    places: Places, tmp_path: Path, moment: str, indexed: int
) -> None:
    path = tmp_path / "bees.srt"
    path.write_text("".join(
        f"{number + 1}\n00:00:{4 * number:02},000 --> 00:00:{4 * number + 4:02},000\nBees dance {number} times.\n\n"
        for number in range(6)
    ))  # fmt: skip
    beside, place = places.empty("beside"), places.empty("killed")
    killing.whole(beside, path)
    ready, between = killing.killed_indexing(place, path, moment)
    assert not ready
    assert len(between) == indexed
    assert stored(place) == stored(beside)


@pytest.mark.parametrize("work", [killing_others.syncs, killing_others.removes, killing_others.asks])
def test_what_else_is_killed_and_done_again_comes_out_the_same(
    places: Places, work: Callable[[Settings], None]
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    good, _ = killing_others.tried(work, places, 1, random.Random(seed))
    assert good == 1
