# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen, end to end on a real sound server: what is said into the microphone, what is heard.

The episode's sound is a file in which each second has a pitch of its own, so that a place is judged by its sound.
"""

import logging
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.conftest import library_copy
from tests.demo import spoken_wav
from tests.episodes.tones import pitch, write_tones
from tests.soundcard import Ear, SoundCard, loudness
from tests.soundcard import pitch as heard_pitch
from ui.listen.turn import Turn
from voice.audio import Audio

VOICE = "joe"


class Room:
    """A companion that plays in a room with a listener who speaks and hears."""

    def __init__(self, card: SoundCard, folder: Path) -> None:
        from ui.companion import Companion
        from ui.listen.session import ListeningSession
        from ui.settings import Settings

        self.card, self.folder = card, folder
        self.companion = Companion(Settings(data_dir=folder, hearing="tiny.en"))
        self.seen: dict[int, Turn] = {}
        self.make = lambda: ListeningSession(self.companion, on_turn=self.on_turn)
        self.start()

    def on_turn(self, turn: Turn) -> None:
        self.seen[turn.id] = turn

    @property
    def attempts(self) -> list[Turn]:
        """The turns that were acted on, in order."""
        return list(self.seen.values())

    def start(self) -> None:
        self.seen.clear()  # each session numbers its turns anew
        self.session = self.make()
        self.session.open(play=False)
        self.companion.warm(self.session.episode_id)
        self.thread = threading.Thread(target=self.session.run)
        self.thread.start()
        self.until(lambda: self.session._devices.open, "the devices open")

    def restart(self, **settings: object) -> None:
        """Listen anew with other settings."""
        self.end()
        self.companion.settings = msgspec.structs.replace(self.companion.settings, **settings)
        self.start()

    def until(self, reached: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, f"never: {what}"
            assert self.thread.is_alive(), f"ended before: {what}"
            time.sleep(0.01)

    def ask(self, text: str) -> None:
        """Say it, and wait until it was understood."""
        before = len(self.attempts)
        self.say(text)
        self.until(lambda: len(self.attempts) > before, f"understood {text!r}")

    def play_at(self, seconds: float) -> None:
        self.session.player.seek(seconds)
        self.session.player.play()
        time.sleep(0.4)

    def say(self, text: str) -> None:
        """Say it, whether it is listened to or not."""
        self.card.play(spoken_wav(text, VOICE, self.folder / "said.wav"))

    def end(self) -> None:
        self.session.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def close(self) -> None:
        self.end()
        self.companion.close()


@pytest.fixture(scope="module")
def room(sound_card: SoundCard, demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("listening") / "earmark"
    library_copy(demo_dir, folder)
    (audio,) = (folder / "audio").glob("*.m4a")
    write_tones(audio, "aac", 520.0, rate=16_000)
    logging.getLogger("earmark.listen").setLevel(logging.INFO)
    made = Room(sound_card, folder)
    made.play_at(0.0)
    time.sleep(4.0)  # nobody is heard over the first sound of all, whose echo is still being learnt
    made.session.player.pause()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def quiet(room: Room) -> Iterator[None]:
    yield
    room.session.player.speed = 2.0
    for key in "s-":  # keys are obeyed in order: when it is slower, it has stopped as well
        room.session.press(key)
    room.until(lambda: room.session.player.speed < 2.0, "the keys are obeyed")
    room.until(lambda: not room.session.reply.speaking, "silence")
    room.session.player.pause()
    room.session.player.speed = 1.0


def the_place(ear: Ear, seconds: float = 0.4) -> float:
    """The pitch of what sounds now."""
    start = ear.now
    while ear.now < start + seconds:
        time.sleep(0.01)
    return heard_pitch(ear.heard(start, start + seconds))


def test_a_question_is_answered_and_the_podcast_comes_back_where_it_was(room: Room) -> None:
    player = room.session.player
    with room.card.listen() as ear:
        room.play_at(120.0)
        assert the_place(ear, 0.3) in [pytest.approx(pitch(second), abs=10) for second in (120, 121)]
        room.ask("What is organic alignment?")
        place = room.session.policy.place
        assert place is not None and 120 < place < 124
        room.until(lambda: player.speaking, "an answer sounds")
        began = ear.now
        time.sleep(3.5)
        answer = ear.heard(began, ear.now)
        assert loudness(answer) > 0.01
        said = room.companion.hear(answer.at_rate(16_000)).text.lower()
        words = said.replace(",", " ").replace(".", " ").split()
        wanted = room.attempts[-1].answer
        assert wanted is not None
        opening = wanted.text.lower().replace("“", "").replace(",", " ").split()[:8]
        assert len(set(opening) & set(words)) >= 4, said
        room.session.press("s")  # the rest would take long
        room.until(lambda: player.playing, "the podcast plays again")
        resumed = player.position
        assert resumed == pytest.approx(place - 3.0, abs=0.3)
        heard = the_place(ear, 0.3)
    assert heard in [pytest.approx(pitch(int(place - 3.0 + ahead)), abs=10) for ahead in (0, 1)]


def test_talking_over_an_answer_stops_it(room: Room) -> None:
    room.play_at(60.0)
    room.ask("Why is a chatbot like a mirror?")
    room.until(lambda: room.session.player.speaking, "an answer sounds")
    time.sleep(0.8)
    room.ask("Pause the podcast.")
    assert room.attempts[-1].command is not None and room.attempts[-1].command.name == "pause"
    room.until(lambda: not room.session.reply.speaking, "silence")
    assert not room.session.player.playing
    with room.card.listen() as ear:
        time.sleep(0.5)
        assert loudness(ear.heard(0.1)) < 0.001


@pytest.mark.long
def test_what_was_paused_stays_paused(room: Room) -> None:
    room.session.player.seek(80.0)
    room.ask("What are the layers of homeostasis?")
    room.until(lambda: room.session.player.speaking, "an answer sounds")
    room.ask("Stop.")
    room.until(lambda: not room.session.reply.speaking, "silence")
    assert not room.session.player.playing
    assert room.session.player.position == pytest.approx(80.0, abs=0.1)


@pytest.mark.long
def test_go_back_to_where_i_was(room: Room) -> None:
    room.play_at(200.0)
    room.ask("Go to the beginning.")
    room.until(lambda: room.session.player.playing and room.session.player.position < 3, "it plays the beginning")
    with room.card.listen() as ear:
        room.ask("Go back to where I was.")
        room.until(lambda: room.session.player.playing, "the podcast plays again")
        heard = the_place(ear, 0.3)
    assert heard in [pytest.approx(pitch(200 + ahead), abs=10) for ahead in range(6)], room.session.player.position


def test_noise_and_a_cough_are_no_question(room: Room) -> None:
    before, turns = len(room.attempts), room.session.turns
    room.play_at(400.0)
    draw = np.random.default_rng(3)
    noise = (0.1 * draw.standard_normal(16_000)).astype(np.float32)
    room.card.play(Audio(noise, 16_000))
    time.sleep(1.0)
    assert room.session.turns == turns and len(room.attempts) - before <= 1
    room.until(lambda: room.session.player.playing, "the podcast plays on")


def test_place_speed_and_saved_moments_survive(room: Room) -> None:
    session = room.session
    session.player.seek(321.0)
    session.now_playing.save_moment(321.0)
    session.player.speed = 1.5
    room.restart()
    again = room.session
    assert again is not session
    assert again.player.position == pytest.approx(321.0, abs=0.1)
    assert again.player.speed == 1.5 and len(again.now_playing.bookmarks) == 1


@pytest.mark.long
def test_the_wake_word_is_needed_stops_the_podcast_and_pause_stays_paused(room: Room, tmp_path: Path) -> None:
    button = tmp_path / "event0"
    os.mkfifo(button)
    press = os.open(button, os.O_RDWR)
    room.restart(wake="word", wake_model="alexa", button=str(button))
    session, player = room.session, room.session.player
    room.play_at(150.0)
    before = len(room.attempts)
    room.say("Go to the beginning.")
    time.sleep(0.8)
    assert len(room.attempts) == before and player.playing and player.position > 150
    with room.card.listen() as ear:
        room.say("Alexa")
        room.until(lambda: session.gate.called, "it was called")
        stopped, called = player.position, ear.now
        assert not player.playing
        room.ask("Pause.")
        tones = [heard_pitch(ear.heard(called + at, called + at + 0.05)) for at in np.arange(0, 1.0, 0.01)]
    assert any(tone == pytest.approx(880, abs=25) for tone in tones), "the earcon"
    assert room.attempts[-1].command is not None and room.attempts[-1].command.name == "pause"
    time.sleep(0.3)
    assert not player.playing and player.position == pytest.approx(stopped, abs=0.1)
    player.play()
    os.write(press, struct.pack("@llHHi", 0, 0, 1, 28, 1))
    room.until(lambda: session.gate.called and not player.playing, "the button stops it")
    os.write(press, struct.pack("@llHHi", 0, 0, 1, 28, 1))
    room.until(lambda: player.playing, "it goes on: never mind")
    room.restart(wake="none", wake_model="", button="")
    os.close(press)
