# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens by itself: feeds are looked at, and what was heard goes after a while."""

from dataclasses import dataclass

import pytest

from episodes.ingest.subscriptions import follow, subscriptions
from episodes.model import Episode, State, Step, StepState
from episodes.store.library import Library
from tests.episodes.feedserver import publishing
from tests.ui.home.conftest import add_episode
from ui.home.upkeep import JITTER, SOON, Upkeep, expired, hours_of, is_heard, is_quiet, seconds_of
from ui.listen import listening_state
from ui.positions import Listened, PlaybackPositions
from ui.settings import Settings
from voice.errors import SettingsError

HOUR, DAY = 3600.0, 86_400.0


@dataclass
class Shelf:
    """A library whose episodes go at once."""

    settings: Settings
    library: Library

    def remove(self, episode_id: str) -> None:
        self.library.remove(episode_id)


@pytest.fixture
def library(tmp_path):
    library = Library.open(tmp_path)
    yield library
    library.close()


def upkeep(library, clock, saved=tuple, **settings) -> Upkeep:
    shelf = Shelf(Settings(data_dir=library.folder, fetch_private=True, **settings), library)
    return Upkeep(shelf, PlaybackPositions(library.folder), saved, None, clock, lambda: 1.0)


def test_feeds_are_looked_at_after_a_start_and_then_every_few_hours_but_not_at_night(library):
    now = [12 * HOUR]
    with publishing() as publisher:
        publisher.files["/feed.xml"] = publisher.feed(*({"guid": f"g{n}", "title": f"T{n}"} for n in range(5)))
        follow(library, f"{publisher.base}/feed.xml")
        keeping = upkeep(library, lambda: now[0], sync="6h")
        keeping.step()  # nobody has looked at it yet: now, and its newest only
        assert [episode.title for episode in library.episodes()] == ["T2", "T1", "T0"]
        assert subscriptions(library)[0].seen == 5
        publisher.files["/feed.xml"] = publisher.feed(*({"guid": f"g{n}", "title": f"T{n}"} for n in range(6)))
        now[0] += 6 * HOUR
        keeping.step()
        assert len(library.episodes()) == 3
        now[0] += 6 * HOUR * JITTER
        keeping.step()
        assert library.episodes()[0].title == "T5"
        asked = len(publisher.asked)
        again = upkeep(library, lambda: now[0], sync="6h")
        again.step()
        now[0] += SOON
        again.step()
        night = upkeep(library, lambda: now[0], sync="6h", quiet_hours="0-24")
        night.step()
        now[0] += 12 * HOUR
        night.step()
        by_hand = upkeep(library, lambda: now[0])
        by_hand.step()
        now[0] += 12 * HOUR
        by_hand.step()
        assert len(publisher.asked) == asked + 1


def test_what_was_heard_goes_after_a_while_unless_it_is_saved(library, tone_file):
    heard, begun, saved, own = (
        add_episode(library, tone_file, title, feed="https://example.org/feed", address=f"https://example.org/{title}")
        for title in ("heard", "begun", "saved", "own")
    )
    listeners = PlaybackPositions(library.folder)
    for episode in (heard, saved):
        listeners.note("ann-ann-ann", episode.id, 59.0)
    listeners.note("ann-ann-ann", begun.id, 12.0)
    now = [listeners.get("ann-ann-ann", heard.id).at + 29 * DAY]
    keeping = upkeep(library, lambda: now[0], lambda: {saved.id}, keep="30 days")
    keeping.step()
    assert len(library.episodes()) == 4
    now[0] += 2 * DAY
    keeping.step()
    assert {episode.id for episode in library.episodes()} == {begun.id, saved.id, own.id}


def test_only_what_all_have_heard_goes_and_never_what_came_from_a_file():
    steps = tuple(StepState(step, State.DONE, 1.0) for step in Step)
    episode = Episode("e", "E", seconds=100.0, steps=steps)
    done, midway = Listened(100.0, at=1.0), Listened(30.0, at=1.0)
    for told, fed, expected in (
        ([done], True, ["e"]), ([done], False, []), ([done, midway], True, []), ([], True, []),
        ([done, Listened(100.0, at=95.0)], True, []),
    ):  # fmt: skip
        assert expired([episode], {"e": told}, (), lambda name, fed=fed: fed, 10.0, 100.0) == expected
    assert is_heard(100.0, Listened(5.0, ((0.0, 95.0),))) and not is_heard(100.0, Listened(5.0, ((0.0, 50.0),)))
    assert is_heard(3600.0, Listened(3545.0)) and not is_heard(3600.0, Listened(3500.0))


def test_a_bookmark_saves_an_episode(tmp_path):
    assert listening_state.bookmarked(tmp_path) == set()
    listening_state.save_state(tmp_path, listening_state.ListeningState(bookmarks={"a": [1.0], "b": []}))
    assert listening_state.bookmarked(tmp_path) == {"a"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6h", 6 * HOUR), ("45 min", 2700.0), ("30 days", 30 * DAY), ("1.5 hours", 5400.0), ("", None)],
)
def test_a_span_is_read(text, seconds):
    assert seconds_of("sync", text) == seconds


def test_spans_and_hours_that_are_none_are_refused():
    for text in ("6", "h", "0h", "-1h", "six hours", "30 seconds"):
        with pytest.raises(SettingsError, match="45 min"):
            seconds_of("keep", text)
    for text in ("23", "25-7", "a-b"):
        with pytest.raises(SettingsError, match="23-7"):
            hours_of(text)
    assert [is_quiet(hours_of("23-7"), hour) for hour in (22, 23, 3, 7)] == [False, True, True, False]
    assert [is_quiet(hours_of("1-7"), hour) for hour in (0, 1, 7)] == [False, True, False]
    assert not is_quiet(hours_of(""), 3)
