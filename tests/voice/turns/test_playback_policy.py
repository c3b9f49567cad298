# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the conversation, which are pure: what is to be done, in which order."""

import pytest

from voice.turns.playback_policy import NO_ADS, Action, AnsweredSpan, Do, PlaybackPolicy, PlayerState

PLAYING = PlayerState(True, 100.0, length=600.0)
PAUSED = PlayerState(False, 100.0, length=600.0)
QUIET = PlayerState(False, 100.0, speaking=False)
ANSWERING = PlayerState(False, 100.0, speaking=True)


def test_a_question_stops_the_podcast_and_the_answer_gives_it_back_earlier():
    talk = PlaybackPolicy()
    assert talk.began(PLAYING) == [Action(Do.PAUSE)]
    assert talk.asked() == [Action(Do.HUSH), Action(Do.PAUSE)]
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]
    assert not talk.interrupted


def test_what_was_paused_stays_paused():
    talk = PlaybackPolicy()
    assert talk.began(PAUSED) == []
    talk.asked()
    assert Action(Do.PLAY) not in talk.answered()


def test_a_cough_loses_nothing():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    assert talk.dropped() == [Action(Do.SEEK, 100.0), Action(Do.PLAY)]


def test_a_cough_within_an_answer_lets_the_answer_go_on():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    talk.asked()
    assert talk.began(ANSWERING) == [Action(Do.HOLD)]
    assert talk.dropped() == [Action(Do.RELEASE)]
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]


def test_a_second_question_throws_the_first_answer_away_and_the_state_before_the_first_decides():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    talk.asked()
    talk.began(ANSWERING)
    assert Action(Do.HUSH) in talk.asked()
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]


def test_stop_within_an_answer_stops_the_answer_only():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    talk.asked()
    talk.began(ANSWERING)
    assert talk.command("stop", None, "", ANSWERING) == [Action(Do.HUSH), Action(Do.SEEK, 97.0), Action(Do.PLAY)]


@pytest.mark.parametrize("name", ["pause", "stop"])
def test_pause_stays_paused_although_listening_paused_already(name: str):
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    actions = talk.command(name, None, "", QUIET)
    assert Action(Do.PAUSE) in actions and Action(Do.PLAY) not in actions
    talk.began(PAUSED)
    assert Action(Do.PLAY) not in talk.dropped()


def test_resume_plays_what_was_paused():
    talk = PlaybackPolicy()
    talk.began(PAUSED)
    assert talk.command("resume", None, "", PAUSED) == [Action(Do.HUSH), Action(Do.SEEK, 100.0), Action(Do.PLAY)]


def test_moving_is_relative_to_where_the_podcast_was_interrupted():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    assert talk.command("back", 30.0, "", QUIET) == [Action(Do.HUSH), Action(Do.SEEK, 70.0), Action(Do.PLAY)]
    talk.began(PAUSED)
    assert talk.command("forward", None, "", QUIET) == [Action(Do.HUSH), Action(Do.SEEK, 130.0)]


def test_back_to_where_i_was_after_a_jump():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    assert talk.command("play_about", None, "bees", QUIET)[-1] == Action(Do.FIND, text="bees")
    assert talk.jump(300.0)[-2:] == [Action(Do.SEEK, 300.0), Action(Do.PLAY)]
    talk.began(PlayerState(True, 320.0))
    assert talk.command("return_to", None, "", QUIET)[-2:] == [Action(Do.SEEK, 100.0), Action(Do.PLAY)]
    talk.began(PLAYING)
    assert talk.command("return_to", None, "", QUIET)[-1].do is Do.SAY


def test_topics():
    talk = PlaybackPolicy()
    topics = (0.0, 60.0, 95.0, 200.0)
    talk.began(PLAYING)
    assert talk.command("next_topic", None, "", QUIET, topics)[1] == Action(Do.SEEK, 200.0)
    talk.began(PLAYING)
    assert talk.command("previous_topic", None, "", QUIET, topics)[1] == Action(Do.SEEK, 60.0)


def test_speed_and_volume_are_set_and_playback_comes_back():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    actions = talk.command("set_speed", 1.5, "", QUIET)
    assert Action(Do.SPEED, 1.5) in actions and actions[-1] == Action(Do.PLAY)
    talk.began(PLAYING)
    assert Action(Do.VOLUME, 1.0) in talk.command("louder", None, "", QUIET)


def test_in_their_own_words_plays_the_moment_and_comes_back():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    talk.asked()
    talk.found([AnsweredSpan(300.0, 320.0)], "It is so.")
    talk.began(ANSWERING)
    assert talk.command("own_words", None, "", QUIET)[1:] == [Action(Do.SEEK, 300.0), Action(Do.PLAY_UNTIL, 320.0)]
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]


def test_ducking_goes_on_softly():
    talk = PlaybackPolicy(duck=True)
    assert talk.began(PLAYING) == [Action(Do.DUCK)]
    assert talk.dropped() == [Action(Do.PLAY)]


def test_what_plays_is_saved_and_what_was_saved_is_told():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    saved = talk.command("bookmark", None, "", QUIET)
    assert Action(Do.BOOKMARK, 100.0) in saved and saved[-1] == Action(Do.SAY, text="Saved.")
    talk.answered()


@pytest.mark.parametrize(("here", "elsewhere", "told"), [
    ([], 0, "There are no saved moments."), ([], 2, "None in this episode; 2 in others."),
    ([65.0, 3700.0], 0, "Your saved moments are at 1:05, 1:01:40."),
    ([65.0], 1, "Your saved moments are at 1:05. 1 more are in other episodes."),
])  # fmt: skip
def test_saved_moments_are_told(here: list[float], elsewhere: int, told: str):
    talk = PlaybackPolicy()
    talk.bookmarks, talk.bookmarks_elsewhere = here, elsewhere
    assert talk.command("bookmarks", None, "", PAUSED)[-1] == Action(Do.SAY, text=told)


@pytest.mark.parametrize(("amount", "about", "action", "told"), [
    (1200.0, "", Action(Do.SLEEP, 1200.0), "I stop in 20 minutes."),
    (None, "", Action(Do.SLEEP, 1800.0), "I stop in 30 minutes."),
    (5460.0, "", Action(Do.SLEEP, 5460.0), "I stop in 1 hour 31 minutes."),
    (45.0, "", Action(Do.SLEEP, 45.0), "I stop in 45 seconds."),
    (None, "topic", Action(Do.SLEEP, 0.0, "topic"), "I stop at the end of this topic."),
])  # fmt: skip
def test_sleep_is_said_and_the_podcast_goes_on(amount: float | None, about: str, action: Action, told: str):
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    assert talk.command("sleep", amount, about, QUIET) == [Action(Do.HUSH), action, Action(Do.SAY, text=told)]
    assert talk.answered()[-1] == Action(Do.PLAY)
    talk.began(PLAYING)
    assert Action(Do.AWAKE) in talk.command("awake", None, "", QUIET)


def test_advertising_is_skipped_where_it_is_marked():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    assert talk.command("skip_ads", None, "", QUIET, after_ads=130.0)[1:] == [Action(Do.SEEK, 130.0), Action(Do.PLAY)]
    assert talk.marks == [100.0]
    talk.began(PLAYING)
    assert talk.command("skip_ads", None, "", QUIET)[-1] == Action(Do.SAY, text=NO_ADS)
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]


def test_the_latest_of_a_show_leaves_nothing_to_give_back_once_it_plays():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    assert talk.command("play_latest", None, "bee talk", QUIET)[-1] == Action(Do.LATEST, text="bee talk")
    assert talk.interrupted
    talk.another_episode()
    assert not talk.interrupted and talk.dropped() == []


def test_a_key_changes_nothing_but_what_it_says():
    talk = PlaybackPolicy()
    assert talk.command("faster", None, "", PLAYING) == [Action(Do.HUSH), Action(Do.SPEED, 1.1)]
    assert not talk.interrupted


def test_what_a_key_lets_speak_stops_the_podcast_and_gives_it_back():
    talk = PlaybackPolicy()
    talk.found([AnsweredSpan(300.0, 320.0)], "It is so.")
    assert talk.command("repeat", None, "", PLAYING)[1:] == [Action(Do.PAUSE), Action(Do.SAY, text="It is so.")]
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]
    assert talk.command("own_words", None, "", PLAYING)[0] == Action(Do.PAUSE)
    assert talk.answered() == [Action(Do.SEEK, 97.0), Action(Do.PLAY)]
    assert Action(Do.PAUSE) not in talk.command("own_words", None, "", PAUSED)
    assert talk.answered() == [Action(Do.SEEK, 100.0), Action(Do.PAUSE)]


def test_the_stop_key_within_an_answer_gives_the_podcast_back():
    talk = PlaybackPolicy()
    talk.began(PLAYING)
    talk.asked()
    assert talk.command("stop", None, "", ANSWERING) == [Action(Do.HUSH), Action(Do.SEEK, 97.0), Action(Do.PLAY)]
