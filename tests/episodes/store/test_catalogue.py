# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking episodes up: pages, counts, names, shows and people, in a library that is too large to be read for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from episodes.ingest.status import outlook
from episodes.model import Cue, Episode, Overview, Show, Source, State, Step, StepState
from episodes.store.catalogue import Order
from episodes.store.jobs import BY_HAND, JobState, Queue
from episodes.store.library import Library
from ui.settings import Settings
from ui.storage import open_library
from voice.errors import UnknownEpisode

FRUIT = ("Apples", "Pears", "Plums", "Quinces", "Cherries")


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Iterator[Library]:
    """Five episodes of two shows, the newest arrival last; the first two can be asked and have sound."""
    library = open_library(Settings(data_dir=tmp_path / "library", database=database_url))
    with library.transaction():
        for number, title in enumerate(FRUIT):
            show = "Orchard" if number < 3 else ""
            made = Episode("", title, show, ("Ann Lee",) if number == 1 else (), f"2024-0{(3 * number) % 5 + 1}-01",
                           60.0 * (number + 1), f"/{title}.mp3")  # fmt: skip
            made = library.create(f"{number:064x}", made)
            if number < 2:
                library.save_audio(made.id, f"audio/{made.id}.m4a", made.seconds)
                for step in Step:
                    library.set_step(made.id, StepState(step, State.DONE, 1.0))
    yield library
    library.close()


def titles(library: Library, **wanted: object) -> list[str]:
    return [episode.title for episode in library.page(**{"limit": 9} | wanted)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("order", "first"), [
    (Order.ARRIVED, ["Cherries", "Quinces", "Plums"]), (Order.FIRST, ["Apples", "Pears", "Plums"]),
    (Order.PUBLISHED, ["Quinces", "Pears", "Cherries"]), (Order.NEWEST, ["Quinces", "Pears", "Cherries"]),
    (Order.OLDEST, ["Apples", "Plums", "Cherries"]), (Order.LONGEST, ["Cherries", "Quinces", "Plums"]),
    (Order.SHORTEST, ["Apples", "Pears", "Plums"]),
])  # fmt: skip
def test_pages_come_in_every_order(library: Library, order: Order, first: list[str]) -> None:
    assert titles(library, limit=3, order=order) == first
    assert [one.title for one in library.walk(order)][:3] == first
    assert titles(library, offset=5, order=order) == []


def test_pages_are_whole_episodes(library: Library) -> None:
    assert library.page(2, 1) == [library.episode("Quinces"), library.episode("Plums")]
    assert library.episodes() == library.page(99)


@pytest.mark.parametrize(("query", "found"), [
    ("", FRUIT[::-1]), ("PEAR", ["Pears"]),
    ("cherr", ["Cherries"]), ("erries", []), ("orchard l", ["Plums", "Pears"][1:]),
    ("ann orch", ["Pears"]), ("p", ["Plums", "Pears"]), ("pl", ["Plums"]), ("lums", []), ("apples pears", []),
    ('"', FRUIT[::-1]), ("apples) OR (pears", []),
])  # fmt: skip
def test_what_is_typed_finds_words_and_their_beginnings(library: Library, query: str, found: list[str]) -> None:
    assert titles(library, query=query) == list(found)
    assert library.count(query) == len(found)
    assert library.count(query, "Orchard") == sum(title in FRUIT[:3] for title in found)


def test_a_corrected_title_is_found_and_the_old_one_is_not(library: Library) -> None:
    plums = library.episode("plums")
    library.describe(plums.id, "Damsons", plums.published, plums.source)
    assert titles(library, query="plum") == []
    assert titles(library, query="damson orchard") == ["Damsons"]
    assert library.resolve("DAMSONS") == plums.id


def test_how_much_there_is_follows_every_change(library: Library) -> None:
    assert library.overview() == Overview(5, 2, 900.0, 1)
    assert library.shows() == [Show("", 2, 0, 540.0), Show("Orchard", 3, 2, 360.0)]
    apples, pears = library.episode("apples"), library.episode("pears")
    assert library.overview([apples.id, pears.id, "nothing"]) == Overview(2, 2, 180.0, 1)
    assert library.overview([]) == Overview()
    library.set_step(apples.id, StepState(Step.INDEXED))
    library.remove(pears.id)
    assert library.overview() == Overview(4, 0, 780.0, 1)
    assert library.shows()[1] == Show("Orchard", 2, 0, 240.0)
    assert library.of_show("Orchard") == [library.resolve("plums"), apples.id]
    assert titles(library, query="pears") == []
    for name in library.ids(9):
        library.remove(name)
    assert (library.overview(), library.shows(), library.count()) == (Overview(), [], 0)


def test_some_are_read_by_their_ids(library: Library) -> None:
    names = [library.resolve("pears"), "nothing", library.resolve("apples")]
    assert [one.title for one in library.some(names).values()] == ["Pears", "Apples"]
    assert library.titles(names) == {names[0]: "Pears", names[2]: "Apples"}
    assert [one.title for one in library.first(Order.LONGEST, 1, names)] == ["Pears"]


def test_the_next_one_to_play_has_sound_and_comes_round(library: Library) -> None:
    apples, pears, plums = (library.resolve(name) for name in FRUIT[:3])
    assert [library.playable(pears, step) for step in (-1, 0, 1)] == [apples, pears, apples]
    assert [library.playable(name, 0) for name in (plums, "nothing", "")] == [pears] * 3
    for name in (apples, pears):
        library.remove(name)
    assert library.playable(plums, 1) is None


def test_what_changed_since_a_version_is_told(library: Library) -> None:
    version = library.version()
    assert library.changed_since(version) == ([], [])
    apples, pears = library.resolve("apples"), library.resolve("pears")
    library.set_step(apples, StepState(Step.INDEXED, State.RUNNING, 0.1))
    library.remove(pears)
    assert library.changed_since(version) == ([apples], [pears])
    assert library.changes([apples]) == {apples: version + 1}
    mark = library.progress_mark()
    library.set_step(apples, StepState(Step.INDEXED, State.RUNNING, 0.2))
    assert library.progress_mark() != mark
    assert library.changed_since(library.version()) == ([], [])


def test_people_are_found_by_the_parts_of_their_names(library: Library) -> None:
    apples, pears = library.resolve("apples"), library.resolve("pears")
    library.save_cues(apples, [Cue(0, 1, "a", "Élise Roy"), Cue(1, 2, "b", "Élise Roy"), Cue(2, 3, "c")])
    library.save_cues(pears, [Cue(0, 1, "a", "Élise Roy"), Cue(1, 2, "b", "Ben")])
    assert library.speakers_like("elise") == ["Ben", "Élise Roy"]
    assert set(library.where_speaks("Élise Roy", 9)) == {apples, pears}
    assert len(library.where_speaks("Élise Roy", 1)) == 1
    assert library.where_speaks("Ben", 9) == [pears]
    library.save_cues(pears, [Cue(0, 1, "a")])
    assert library.speakers_like("ben") == ["Élise Roy"]


def test_names_are_looked_up_where_they_are_many(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("episodes.store.catalogue._FEW", 1)
    monkeypatch.setattr("episodes.store.catalogue._SPEAKERS", 1)
    library.save_cues(library.resolve("apples"), [Cue(0, 1, "a", "Ann Lee"), Cue(1, 2, "b", "Ben Lee")])
    assert library.speakers_like("benn") == ["Ben Lee"]
    assert library.speakers_like("leigh") == ["Ann Lee", "Ben Lee"]
    for ref in ("cherrys", "quinzes"):
        with pytest.raises(UnknownEpisode, match=f"Did you mean {ref[:2]}"):
            library.resolve(ref)
    with pytest.raises(UnknownEpisode, match="There is no episode"):
        library.resolve("nonsense")


def test_the_beginning_of_a_long_queue_is_shown_and_the_whole_is_counted(library: Library) -> None:
    queue = Queue(library.database)
    with library.transaction():
        for number, name in enumerate(library.ids(3)):
            queue.put(name, Source(name, address="https://x.org/a.mp3"), 0.0, number)
        queue.put(library.resolve("pears"), Source("p"), 0.0, BY_HAND)
    queue.cancel(library.resolve("pears"))
    running = queue.claim("me", 1.0)
    assert running is not None
    assert [job.priority for job in queue.jobs(1)] == [2, 1, BY_HAND]
    assert queue.counts() == {JobState.RUNNING: 1, JobState.WAITING: 2, JobState.CANCELLED: 1}
    assert [work.episode_id for work in outlook(library, 2.0, 1)] == [job.episode_id for job in queue.jobs(1)]
