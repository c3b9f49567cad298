# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop without a sound card: keys, what is kept, what is removed meanwhile, and what went wrong is said."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from retrieval.model import Question
from tests.conftest import library_copy
from ui.companion import Companion
from ui.home.loudspeakers.house import House
from ui.home.loudspeakers.media_links import MediaLinks
from ui.listen import listening_state
from ui.listen.now_playing import HeardStretches, NowPlaying
from ui.listen.session import KEYS, ListeningSession
from ui.listen.turn import Finished, Turn, TurnState
from ui.listener_data import ListenerData
from ui.positions import PlaybackPositions
from ui.settings import Settings
from ui.web import server
from voice.audio import FRAME, Audio, Samples
from voice.devices.loudspeaker import Playing
from voice.devices.player import Player
from voice.errors import HearingError, LibraryError
from voice.model import Heard as HeardText
from voice.turns import wake_gate
from voice.turns.playback_policy import NO_ADS, Action, Do
from voice.turns.sleep_timer import FADE


class Silence:
    """A sound card in an empty room; what the loudspeaker is given is counted."""

    open = True

    def __init__(self, session: ListeningSession) -> None:
        self.session = session
        self.heard = np.zeros(FRAME, np.float32)

    def attend(self) -> None:
        self.session.player.fill(np.zeros(3 * FRAME, np.float32))
        self.session.player.played.clear()
        self.session._post("sound", self.heard)

    def played(self, drift: float) -> Samples:
        return np.zeros(FRAME, np.float32)

    def close(self) -> None:
        pass


class Listener:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.companion = Companion(Settings(data_dir=folder, **settings))
        self.session = ListeningSession(self.companion)
        self.session._devices = Silence(self.session)  # type: ignore[assignment]
        self.player = self.session.player
        self.said: list[str] = []
        self.session._processor.say = self.say  # type: ignore[method-assign]

    def say(self, id_: int, text: str) -> None:
        self.said.append(text)
        self.session._post("update", Finished(id_, 0.0))

    def start(self, **how: Any) -> None:
        self.session.open(**how)
        self.thread = threading.Thread(target=self.session.run)
        self.thread.start()

    def press(self, keys: str) -> None:
        for key in keys:
            self.session.press(key)

    def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 15
        while not reached():
            assert time.monotonic() < deadline and self.thread.is_alive()
            time.sleep(0.005)

    def end(self) -> None:
        self.press("q")
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.companion.close()


@pytest.fixture
def folder(demo_dir: Path, tmp_path: Path) -> Path:
    return library_copy(demo_dir, tmp_path / "earmark")


@pytest.fixture
def listener(folder: Path) -> Iterator[Listener]:
    made = Listener(folder)
    made.start(play=False)
    yield made
    made.end()


def test_keys_move_pause_mark_and_set(listener: Listener) -> None:
    player, topics = listener.player, listener.session.now_playing.topics
    listener.press(" ")
    listener.until(lambda: player.playing)
    listener.press("nn")
    listener.until(lambda: player.position >= topics[2])
    listener.press(" ")
    listener.until(lambda: not player.playing)
    place = player.position
    assert topics[2] <= place < topics[2] + 60
    listener.press("b+")
    listener.until(lambda: player.speed == pytest.approx(1.1))
    (mark,) = listener.session.now_playing.bookmarks
    assert topics[2] - 30 <= mark <= place
    listener.session.press("left")
    listener.until(lambda: player.position == pytest.approx(place - 15, abs=0.01))
    listener.session.press("down")
    listener.until(lambda: player.volume < 1)


def test_a_bookmark_and_the_place_are_on_disk_before_anything_can_end_it(listener: Listener, folder: Path) -> None:
    session = listener.session
    listener.press("nb")
    listener.until(lambda: PlaybackPositions(folder).get(session.now_playing.listener, session.episode_id).position > 0)
    again = Listener(folder)
    again.start(play=False)
    assert again.player.position == pytest.approx(session.now_playing.topics[1], abs=0.1)
    assert again.session.now_playing.bookmarks == session.now_playing.bookmarks != []
    (moment,) = ListenerData(folder).moments(session.now_playing.listener)
    assert moment.quote and moment.end > moment.start
    again.end()


def test_what_one_hears_on_the_page_goes_on_here_and_back(folder: Path) -> None:
    companion = Companion(Settings(data_dir=folder))
    page = TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads
    (episode,) = (episode.id for episode in companion.library.episodes())
    browser = {"X-Listener": "5f0e" * 8}
    page.put(f"/api/listening/{episode}", headers=browser, json={"position": 100.0, "heard": [[90, 100]]})
    listener = Listener(folder)
    listener.start(play=False)  # the only listener of the household
    player, now_playing = listener.player, listener.session.now_playing
    assert player.position == pytest.approx(100.0, abs=0.1)
    page.put(f"/api/listening/{episode}", headers=browser, json={"position": 130.0})
    listener.press(" ")
    listener.until(lambda: player.position > 130.5)
    assert player.position < 140
    listener.press(" b+")
    listener.until(lambda: bool(now_playing.bookmarks))
    listener.end()
    found = page.get(f"/api/listening/{episode}", headers=browser).json()
    assert found["position"] == pytest.approx(player.position, abs=0.1)
    (before, after) = found["heard"]
    assert before == [90, 100] and after[0] == pytest.approx(130, abs=0.3)
    assert after[1] == pytest.approx(player.position, abs=0.3)
    (saved,) = page.get("/api/moments", headers=browser).json()["moments"]
    assert saved["start"] == pytest.approx(now_playing.bookmarks[0]) and saved["quote"]
    again = Listener(folder, listener=browser["X-Listener"])
    again.session.open()
    assert again.player.speed == pytest.approx(1.1) and again.player.position == pytest.approx(player.position, abs=0.1)
    again.companion.close()
    companion.close()


def test_what_an_earlier_version_kept_is_taken_over_once(folder: Path) -> None:
    companion = Companion(Settings(data_dir=folder))
    (episode,) = (episode.id for episode in companion.library.episodes())
    old = listening_state.ListeningState(0.5, True, episode, {"gone": 5.0, episode: 200.0}, {episode: [95.0]}, 1.5)
    listening_state.save_state(folder, old)
    assert listening_state.bookmarked(folder) == {episode}
    first = NowPlaying(companion, Player())
    first.open()
    listeners, me = PlaybackPositions(folder), first.listener
    assert listeners.get(me, episode).position == 200.0 and set(listeners.all(me)) == {episode}
    assert (first.since, listeners.speed(me), first.greeted) == (200.0, 1.5, True)
    (moment,) = ListenerData(folder).moments(me)
    assert moment.start < 95.0 < moment.end + 5 and moment.quote
    assert listening_state.load_state(folder) == listening_state.ListeningState(0.5, True)
    listeners.note(me, episode, 10.0)
    listening_state.save_state(folder, old)  # as a power cut before the last step leaves it
    second = NowPlaying(companion, Player())
    assert second.listener == me and listeners.get(me, episode).position == 10.0
    assert len(ListenerData(folder).moments(me)) == 1
    companion.close()


@given(st.lists(st.tuples(st.floats(0, 1.9), st.booleans()), max_size=30), st.floats(3, 100))
def test_what_was_played_is_heard_and_what_was_jumped_over_is_not(steps: list[tuple[float, bool]], jump: float) -> None:
    heard, at, playing, played = HeardStretches(), 0.0, False, 0.0
    heard.at(at, playing)
    for step, plays in steps:
        at, played = at + step, played + step * (playing and plays)
        heard.at(at, plays)
        playing = plays
    heard.at(at + jump, True)
    told = heard.take()
    assert all(end <= at for _, end in told) and heard.take() == ()
    assert played - 1e-6 <= sum(end - start for start, end in told) <= at + 1e-6


def test_saved_moments_that_cannot_be_read_or_written_are_told_and_end_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = listener.session.now_playing._kept

    def fail(*given: object) -> None:
        raise LibraryError("The file could not be used.", "Move it away.")

    monkeypatch.setitem(KEYS, "list", "bookmarks")
    monkeypatch.setattr(kept, "save_moment", fail)
    monkeypatch.setattr(kept, "moments", fail)
    listener.press("b")
    listener.until(lambda: bool(listener.said))
    assert listener.said == ["The file could not be used. Move it away."]
    listener.session._post("key", "list")
    listener.until(lambda: len(listener.said) == 2)
    listener.press(" ")
    listener.until(lambda: listener.player.playing)


def test_an_episode_that_is_removed_meanwhile_ends_nothing(listener: Listener) -> None:
    listener.press(" ")
    listener.until(lambda: listener.player.playing)
    listener.companion.library.remove(listener.session.episode_id)
    listener.session.now_playing._saved_at = 0.0
    listener.until(lambda: bool(listener.said))
    assert listener.said == ["There is no episode with sound to play."]
    listener.until(lambda: not listener.player.playing)


class Kitchen:
    """A loudspeaker in another room, with what it was given last."""

    def __init__(self) -> None:
        self.address, self.start, self.playing = "", 0.0, False

    def play(self, address: Callable[[float], str], start: float) -> None:
        self.address, self.start, self.playing = address(0.0), start, True

    def pause(self) -> None:
        self.playing = False

    def state(self) -> Playing:
        return Playing(self.address, self.start, self.playing)


@pytest.mark.parametrize(("said", "back"), [("Take it back here.", True), ("Bring it here.", False)])
def test_what_plays_in_another_room_is_taken_back_here(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, said: str, back: bool
) -> None:
    session, companion, kitchen = listener.session, listener.companion, Kitchen()
    episode = companion.library.by_id(session.episode_id)
    assert episode is not None
    links = MediaLinks.of(companion.settings.data_dir)
    house = House(companion.library, links, {"kitchen": kitchen}, "http://here:7860")  # type: ignore[dict-item]
    if back:
        house.play("kitchen", episode, 75.0)
    monkeypatch.setattr(session._processor, "_house", house)
    monkeypatch.setattr(companion, "hear", lambda audio, episode_id, wanted: HeardText(said, 0.9))
    session.attention.turn = Turn(1, 1, state=TurnState.OVER)
    session._processor.understand(1, Audio(np.zeros(FRAME, np.float32), 16_000), (), False, Question, episode.id)
    if not back:
        listener.until(lambda: session.attention.turn is None)
        assert not listener.player.playing
        return
    listener.until(lambda: listener.player.playing)
    assert not kitchen.playing and not session.reply.speaking
    assert 75.0 <= listener.player.position < 80.0


def test_an_episode_without_sound_is_told(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener.companion.library, "audio_path", lambda episode: None)
    with pytest.raises(LibraryError, match="has no sound"):
        listener.session.open(listener.session.episode_id)


def test_a_call_by_a_key_stops_the_podcast_and_a_second_one_gives_it_back(folder: Path) -> None:
    listener = Listener(folder, wake="key")
    listener.start()
    player = listener.player
    listener.until(lambda: player.playing and player.position > 0.1)
    listener.press("\r")
    listener.until(lambda: not player.playing)
    assert listener.session.gate.called
    listener.press("\r")
    listener.until(lambda: player.playing)
    listener.press("\r ")  # what the call has stopped, the key for pausing starts
    listener.until(lambda: not listener.session.gate.called)
    listener.end()


def test_a_call_that_nothing_follows_gives_the_podcast_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(wake_gate, "SPEECH_TIMEOUT", 0.2)
    listener = Listener(folder, wake="word", wake_model="okay_nabu", duck=True)
    listener.start()
    player = listener.player
    listener.until(lambda: player.playing)
    listener.press("\r")
    listener.until(lambda: player.ducked and player.playing)
    listener.until(lambda: not player.ducked and player.playing)
    listener.end()


def test_it_falls_asleep_at_the_end_of_a_topic_and_loses_nothing(listener: Listener) -> None:
    session, player = listener.session, listener.player
    second = session.now_playing.topics[1]
    player.seek(second - 1.0)
    player.play()
    session.actions.do([Action(Do.SLEEP, 0.0, "topic")])
    listener.until(lambda: player.fade < 0.2)
    listener.until(lambda: not player.playing)
    assert player.position == pytest.approx(second - FADE, abs=0.3) and player.fade == 1.0
    session.actions.do([Action(Do.SLEEP, 600.0)])
    listener.press(" ")
    listener.until(lambda: player.playing)
    session.actions.sleep(time.monotonic() + 590.0)
    assert player.playing and 0.5 < player.fade < 0.8
    session.actions.do([Action(Do.AWAKE)])
    session.actions.sleep(time.monotonic() + 700.0)
    assert player.playing and player.fade == 1.0


def test_the_latest_of_a_show_is_played_or_it_is_said_that_there_is_none(listener: Listener) -> None:
    session = listener.session
    session.actions.command("play_latest", about="gardening hour")
    listener.until(lambda: bool(listener.said))
    assert listener.said == ["I found no episode of gardening hour."] and not session.player.playing
    session.actions.command("play_latest")
    listener.until(lambda: session.player.playing)
    session.actions.command("skip_ads")
    listener.until(lambda: len(listener.said) == 2)
    assert listener.said[1] == NO_ADS


def test_what_goes_wrong_is_said_once(listener: Listener) -> None:
    seen: list[Turn] = []
    session = listener.session
    session._on_turn = seen.append
    problem = str(HearingError("The model cannot be read.", "Fetch it again."))
    for number in (1, 2):
        session.attention.turn = Turn(1000 + number, number, TurnState.OVER)
        session._post("update", Finished(1000 + number, 0.0, problem))
        listener.until(lambda number=number: len(seen) == number)
    assert listener.said == ["The model cannot be read. Fetch it again."]


def test_a_clip_in_their_own_words_at_the_very_end_gives_the_podcast_back(listener: Listener) -> None:
    from voice.turns.playback_policy import AnsweredSpan

    session, player = listener.session, listener.player
    player.seek(60.0)
    player.play()
    session.policy.spans = (AnsweredSpan(player.length - 2.0, player.length + 5.0),)
    listener.press("o")
    listener.until(lambda: player.position > player.length - 2.5)
    listener.until(lambda: player.playing and player.position < 70)
