# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop without a sound card: keys, what is kept, what is removed meanwhile, and what went wrong is said."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ui.companion import Companion
from ui.listen import listening_state
from ui.listen.session import ListeningSession
from ui.listen.turn import Finished, State, Turn
from ui.settings import Settings
from voice.audio import FRAME, Samples
from voice.errors import HearingError, LibraryError
from voice.turns import wake_gate


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
    return Path(shutil.copytree(demo_dir, tmp_path / "earmark"))


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
    assert listener.session.policy.bookmarks == [pytest.approx(place, abs=1e-6)]
    listener.session.press("left")
    listener.until(lambda: player.position == pytest.approx(place - 15, abs=0.01))
    listener.session.press("down")
    listener.until(lambda: player.volume < 1)


def test_a_bookmark_and_the_place_are_on_disk_before_anything_can_end_it(listener: Listener, folder: Path) -> None:
    listener.press("n")
    listener.until(lambda: listener.player.position > 0)
    listener.press("b")
    listener.until(lambda: bool(listener.session.policy.bookmarks))
    listener.until(lambda: bool(listening_state.load(folder).bookmarks.get(listener.session.episode_id)))
    killed = listening_state.load(folder)
    again = Listener(folder)
    again.start(play=False)
    assert again.player.position == pytest.approx(listener.session.now_playing.topics[1], abs=0.1)
    assert again.session.policy.bookmarks == killed.bookmarks[again.session.episode_id]
    again.end()


def test_an_episode_that_is_removed_meanwhile_ends_nothing(listener: Listener) -> None:
    listener.press(" ")
    listener.until(lambda: listener.player.playing)
    listener.companion.library.remove(listener.session.episode_id)
    listener.session.now_playing._saved_at = 0.0
    listener.until(lambda: bool(listener.said))
    assert listener.said == ["There is no episode with sound to play."]
    listener.until(lambda: not listener.player.playing)


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

    monkeypatch.setattr(wake_gate, "PATIENCE", 0.2)
    listener = Listener(folder, wake="word", wake_model="okay_nabu", duck=True)
    listener.start()
    player = listener.player
    listener.until(lambda: player.playing)
    listener.press("\r")
    listener.until(lambda: player.ducked and player.playing)
    listener.until(lambda: not player.ducked and player.playing)
    listener.end()


def test_what_goes_wrong_is_said_once(listener: Listener) -> None:
    seen: list[Turn] = []
    session = listener.session
    session._on_turn = seen.append
    problem = str(HearingError("The model cannot be read.", "Fetch it again."))
    for number in (1, 2):
        session.attention.turn = Turn(1000 + number, number, State.OVER)
        session._post("update", Finished(1000 + number, 0.0, problem))
        listener.until(lambda number=number: len(seen) == number)
    assert listener.said == ["The model cannot be read. Fetch it again."]


def test_a_clip_in_their_own_words_at_the_very_end_gives_the_podcast_back(listener: Listener) -> None:
    from voice.turns.playback_policy import Span

    session, player = listener.session, listener.player
    player.seek(60.0)
    player.play()
    session.policy.spans = (Span(player.length - 2.0, player.length + 5.0),)
    listener.press("o")
    listener.until(lambda: player.position > player.length - 2.5)
    listener.until(lambda: player.playing and player.position < 70)
