# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest episode of a show, and where advertising ends."""

import pytest

from episodes.model import Cue, Episode, Segment, State, Step, StepState
from retrieval.answers import respond
from retrieval.answers.playable import after_ads, latest
from retrieval.model import Question
from tests.retrieval.corpora import Listed, corpus
from voice.turns.commands import CommandName
from voice.turns.playback_policy import NO_ADS

DONE = tuple(StepState(step, State.DONE, 1.0) for step in Step)
EPISODES = tuple(
    Episode(name, name.title(), show, published=published, audio=audio, steps=DONE)
    for name, show, published, audio in (
        ("new", "The Daily Numbers", "2026-02-01", "a.m4a"), ("mute", "The Daily Numbers", "2026-03-01", ""),
        ("old", "The Daily Numbers", "2025-02-01", "a.m4a"), ("bees", "Bee Talk", "2026-02-15", "a.m4a"),
        ("loose", "", "", "a.m4a"),
    )
)
PARTS = (Segment(0, 60, "Welcome"), Segment(60, 90, "A word from our sponsor"), Segment(90, 130, "Ad: tea"),
         Segment(130, 500, "Bees"), Segment(500, 1500, "How advertising changed us"))  # fmt: skip


@pytest.mark.parametrize(("show", "found"), [
    ("", "bees"), ("daily numbers", "new"), ("the daily numbers podcast", "new"), ("the daily number", "new"),
    ("bee talk", "bees"), ("bees in space", None), ("a", None),
])  # fmt: skip
def test_the_latest_of_a_show_with_sound(show: str, found: str | None) -> None:
    one = latest(Listed({one.id: one for one in EPISODES}, {}), show)
    assert (one.id if one else None) == found


@pytest.mark.parametrize(("position", "end"), [
    (30, 130), (70, 130), (100, 130), (200, None), (600, None), (1600, None),
])  # fmt: skip
def test_advertising_ends_where_the_titles_say_so(position: float, end: float | None) -> None:
    assert after_ads(PARTS, position) == end


def test_advertising_that_is_far_away_is_not_what_is_to_be_skipped() -> None:
    far = (Segment(0, 600, "Bees"), Segment(600, 660, "Sponsors"))
    assert (after_ads(far, 100.0), after_ads(far, 500.0)) == (None, 660)


def test_they_are_answered_with_where_to_go() -> None:
    cues = {name.id: (Cue(0, 5, "Hello there."),) for name in EPISODES}
    library = corpus(cues, EPISODES, {"new": PARTS})
    made = respond.answer(Question("play the latest of The Daily Numbers"), library)
    assert made.command is not None and made.command.name is CommandName.PLAY_LATEST
    assert (made.moments[0].episode_id, made.moments[0].start) == ("new", 0.0)
    gone = respond.answer(Question("play the latest of Nature"), library)
    assert gone.command is None and gone.text == "I found no episode of nature."
    skipped = respond.answer(Question("skip to the part after the ads", "new", position=70.0), library)
    assert skipped.command is not None and skipped.moments[0].start == 130
    assert respond.answer(Question("skip to the part after the ads", "new", position=300.0), library).text == NO_ADS
