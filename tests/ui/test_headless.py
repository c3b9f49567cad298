# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen, end to end on a real sound server: what is said into the microphone, what is heard.

The episode's sound is a file in which each second has a pitch of its own, so that a place is judged by its sound.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TINY_WHISPER
from tests.demo import spoken_wav
from tests.episodes.tones import pitch, write_tones
from tests.soundcard import Ear, SoundCard, loudness
from tests.soundcard import pitch as heard_pitch
from voice.audio import Audio

VOICE = "en-us"


class Room:
    """A companion that plays in a room with a listener who speaks and hears."""

    def __init__(self, card: SoundCard, folder: Path) -> None:
        from ui.app import Companion
        from ui.config import Settings
        from ui.headless import Headless

        self.card, self.folder = card, folder
        self.companion = Companion(Settings(data_dir=folder, hearing=str(TINY_WHISPER)))
        self.attempts: list = []
        self.headless = Headless(self.companion, on_turn=self.attempts.append)
        self.headless.open(play=False)
        self.companion.warm(self.headless.episode_id)
        self.thread = threading.Thread(target=self.headless.run)
        self.thread.start()
        self.until(lambda: self.headless._sound.open, "the devices open")

    def until(self, reached: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, f"never: {what}"
            assert self.thread.is_alive(), f"ended before: {what}"
            time.sleep(0.01)

    def ask(self, text: str) -> None:
        """Say it, and wait until it was understood."""
        before = len(self.attempts)
        self.card.play(spoken_wav(text, VOICE, self.folder / "said.wav"))
        self.until(lambda: len(self.attempts) > before, f"understood {text!r}")

    def play_at(self, seconds: float) -> None:
        self.headless.player.seek(seconds)
        self.headless.player.play()
        time.sleep(0.4)

    def close(self) -> None:
        self.headless.stop()
        self.thread.join(20)
        self.companion.close()


@pytest.fixture(scope="module")
def room(sound_card: SoundCard, demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("listening") / "earmark"
    shutil.copytree(demo_dir, folder)
    (audio,) = (folder / "audio").glob("*.m4a")
    write_tones(audio, "aac", 520.0, rate=16_000)
    logging.getLogger("earmark.listen").setLevel(logging.INFO)
    made = Room(sound_card, folder)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def quiet(room: Room) -> Iterator[None]:
    yield
    room.headless.press("s")
    room.until(lambda: not room.headless._now().speaking, "silence")
    room.headless.player.pause()
    room.headless.player.speed = 1.0


def the_place(ear: Ear, seconds: float = 0.4) -> float:
    """The pitch of what sounds now."""
    start = ear.now
    while ear.now < start + seconds:
        time.sleep(0.01)
    return heard_pitch(ear.heard(start, start + seconds))


def test_a_question_is_answered_and_the_podcast_comes_back_where_it_was(room: Room) -> None:
    player = room.headless.player
    with room.card.listen() as ear:
        room.play_at(120.0)
        assert the_place(ear, 0.3) in [pytest.approx(pitch(second), abs=10) for second in (120, 121)]
        room.ask("What is organic alignment?")
        place = room.headless.talk.place
        assert place is not None and 120 < place < 124
        room.until(lambda: player.speaking, "an answer sounds")
        began = ear.now
        room.headless.player.hold()  # one sentence is enough to be understood
        room.headless.player.release()
        time.sleep(3.5)
        answer = ear.heard(began, ear.now)
        assert loudness(answer) > 0.01
        said = room.companion.hear(answer.at_rate(16_000)).text.lower()
        words = said.replace(",", " ").replace(".", " ").split()
        assert len({"at", "forty", "five", "seconds", "elias", "brandt"} & set(words)) >= 4, said
        speaking = room.headless._speaking
        assert speaking is not None
        speaking.live = False  # the rest would take long
        room.until(lambda: speaking.finished, "the voice ends")
        speaking.sounds.clear()
        player.hush()
        room.until(lambda: player.playing, "the podcast plays again")
        resumed = player.position
        assert resumed == pytest.approx(place - 3.0, abs=0.3)
        heard = the_place(ear, 0.3)
    assert heard in [pytest.approx(pitch(int(place - 3.0 + ahead)), abs=10) for ahead in (0, 1)]


def test_talking_over_an_answer_stops_it(room: Room) -> None:
    room.play_at(60.0)
    room.ask("Why is a chatbot like a mirror?")
    room.until(lambda: room.headless.player.speaking, "an answer sounds")
    time.sleep(0.8)
    room.ask("Pause.")
    assert room.attempts[-1].command is not None and room.attempts[-1].command.name == "pause"
    room.until(lambda: not room.headless._now().speaking, "silence")
    assert not room.headless.player.playing
    with room.card.listen() as ear:
        time.sleep(0.5)
        assert loudness(ear.heard(0.1)) < 0.001


def test_what_was_paused_stays_paused(room: Room) -> None:
    room.headless.player.seek(80.0)
    room.ask("What are the layers of homeostasis?")
    room.until(lambda: room.headless.player.speaking, "an answer sounds")
    room.ask("Stop.")
    room.until(lambda: not room.headless._now().speaking, "silence")
    assert not room.headless.player.playing
    assert room.headless.player.position == pytest.approx(80.0, abs=0.1)


def test_go_back_to_where_i_was(room: Room) -> None:
    room.play_at(200.0)
    room.headless.talk.jump(300.0)
    room.headless.talk.marks = [200.0]
    room.headless.player.seek(300.0)
    with room.card.listen() as ear:
        room.ask("Go back to where I was.")
        room.until(lambda: room.headless.player.playing, "the podcast plays again")
        heard = the_place(ear, 0.3)
    assert heard in [pytest.approx(pitch(200 + ahead), abs=10) for ahead in (0, 1)]


def test_noise_and_a_cough_are_no_question(room: Room) -> None:
    before, turns = len(room.attempts), room.headless.turns
    room.play_at(400.0)
    draw = np.random.default_rng(3)
    noise = (0.1 * draw.standard_normal(16_000)).astype(np.float32)
    room.card.play(Audio(noise, 16_000))
    time.sleep(1.0)
    assert room.headless.turns == turns and len(room.attempts) - before <= 1
    room.until(lambda: room.headless.player.playing, "the podcast plays on")


def test_place_speed_and_bookmarks_survive(room: Room) -> None:
    from ui import listening

    headless = room.headless
    headless.player.seek(321.0)
    headless.player.speed = 1.5
    headless.talk.bookmarks.append(12.0)
    headless._save()
    state = listening.load(room.folder)
    assert state.positions[headless.episode_id] == pytest.approx(321.0)
    assert (state.speed, state.bookmarks[headless.episode_id]) == (1.5, [12.0])
