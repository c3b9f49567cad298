# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of episodes, a page at a time: what was begun and finished, and in which order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from episodes.model import Episode, State, Step, StepState
from episodes.store.library import Library
from ui import browsing
from ui.browsing import By, EpisodeFilter, Wanted, stage
from ui.positions import Listened

TITLES = ("cress", "Apples", "Bees", "dill", "Elder")
"""As they come in."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library.open(tmp_path)
    for number, title in enumerate(TITLES):
        seconds = 1000.0 * (1 + number)
        one = library.create(f"{number:064x}", Episode("", title, "Garden" if number else "", seconds=seconds))
        library.save_audio(one.id, f"audio/{title}.m4a", seconds)
        for step in Step:
            library.set_step(one.id, StepState(step, State.DONE, 1.0))
    yield library
    library.close()


def test_an_episode_is_new_in_progress_or_finished():
    for listened, kind in (
        (Listened(), EpisodeFilter.NEW), (Listened(0.5, ((0.0, 0.5),), 1.0), EpisodeFilter.NEW),
        (Listened(754.0, (), 1.0), EpisodeFilter.GOING),
        (Listened(3575.0, (), 1.0), EpisodeFilter.HEARD), (Listened(10.0, ((0.0, 3550.0),), 1.0), EpisodeFilter.HEARD),
    ):
        assert stage(3600.0, listened) is kind
    short = stage(60.0, Listened(40.0, (), 1.0))
    assert short is EpisodeFilter.GOING, "of a short one the last half minute still counts"


def test_a_list_comes_in_pages_by_what_was_heard_and_in_any_order(library):
    ids = {episode.title: episode.id for episode in library.episodes()}
    listened = {
        ids["Bees"]: Listened(100.0, ((0.0, 100.0),), 5.0), ids["dill"]: Listened(3990.0, (), 9.0),
        ids["Elder"]: Listened(0.2, (), 7.0), "gone": Listened(5.0, (), 8.0),
    }  # fmt: skip

    def titles(wanted: Wanted, limit: int = 9, offset: int = 0) -> tuple[str, int]:
        found, count = browsing.page(library, listened, wanted, limit, offset)
        return " ".join(episode.title for episode in library.listed(found)), count

    assert titles(Wanted()) == ("Elder dill Bees Apples cress", 5)
    assert titles(Wanted(by=By.TITLE), 2, 1) == ("Bees cress", 5)
    assert titles(Wanted(by=By.SHORT), 2) == ("cress Apples", 5)
    assert titles(Wanted(by=By.PLAYED), 3) == ("dill Bees Elder", 5)
    assert titles(Wanted(by=By.PLAYED), 3, 3) == ("Apples cress", 5)
    assert titles(Wanted(kind=EpisodeFilter.GOING)) == ("Bees", 1)
    assert titles(Wanted(kind=EpisodeFilter.HEARD)) == ("dill", 1)
    assert titles(Wanted(kind=EpisodeFilter.NEW), 2) == ("Elder Apples", 3)
    assert titles(Wanted(kind=EpisodeFilter.NEW), 2, 2) == ("cress", 3)
    assert titles(Wanted(query="d", kind=EpisodeFilter.HEARD)) == ("dill", 1)
    assert titles(Wanted(show="Garden", kind=EpisodeFilter.NEW)) == ("Elder Apples", 2)


def test_the_next_episode_is_the_next_of_its_show(library):
    found = {episode.title: episode for episode in library.episodes()}

    def beside(title: str, step: int) -> str | None:
        one = browsing.neighbouring_episode(library, found[title], step)
        return one and one.title

    assert (beside("Bees", 1), beside("Bees", -1)) == ("dill", "Apples")
    assert (beside("Elder", 1), beside("Apples", -1), beside("cress", 1)) == (None, None, None)
    for title, day in (("Apples", "2026-03-01"), ("Bees", "2026-01-01"), ("dill", "2026-02-01"), ("Elder", "2026-04")):
        library.describe(found[title].id, title, day, "")
    assert (beside("Bees", 1), beside("Bees", -1)) == ("dill", None)
