# SPDX-License-Identifier: GPL-3.0-or-later
"""The player, judged by the sound it hands over: each second of the file has a pitch of its own."""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.episodes.tones import pitch, write_tones
from tests.soundcard import pitch as heard_pitch
from voice.audio import Audio
from voice.devices.player import Player, stretch

RATE = 16_000


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tones(tmp_path_factory.mktemp("player") / "tones.m4a", "aac", 30.0)


@pytest.fixture
def player(tones: Path):
    made = Player(RATE)
    made.load(tones, 0.0, 30.0)
    yield made
    made.close()


def take(player: Player, seconds: float) -> Audio:
    """What the loudspeaker gets, in blocks of 20 ms, at the pace at which it is decoded."""
    blocks = []
    for _ in range(round(seconds / 0.02)):
        until = time.monotonic() + 5
        while player.playing and not player.ended and len(player._ready) < 2 and not player._over:
            assert time.monotonic() < until
            time.sleep(0.001)
        block = np.zeros(round(0.02 * RATE), np.float32)
        player.fill(block)
        blocks.append(block)
    return Audio(np.concatenate(blocks), RATE)


def test_a_seek_lands_on_the_right_sound(player: Player):
    for second in (12, 3, 27):
        player.seek(second + 0.2)
        player.play()
        assert heard_pitch(take(player, 0.6)) == pytest.approx(pitch(second), abs=8)
        assert player.position == pytest.approx(second + 0.8, abs=1e-3)


def test_a_seek_is_exact_to_a_few_milliseconds(tones: Path):
    samples = np.concatenate([part for (_, part), _ in zip(stretch(tones, 9.9, 1.0, RATE), range(20), strict=False)])
    step = round(0.02 * RATE)
    pitches = [heard_pitch(Audio(samples[at : at + 4 * step], RATE)) for at in range(0, round(0.2 * RATE), step // 4)]
    change = next(i for i, p in enumerate(pitches) if abs(p - pitch(10)) < abs(p - pitch(9))) * step / 4 / RATE + 0.04
    assert change == pytest.approx(0.1, abs=0.02)


def test_paused_is_silent_and_stays_where_it_is(player: Player):
    player.play()
    take(player, 0.5)
    player.pause()
    take(player, 0.02)
    place = player.position
    assert np.abs(take(player, 0.5).samples).max() == 0
    assert player.position == place
    player.play()
    take(player, 0.5)
    assert player.position == pytest.approx(place + 0.5, abs=1e-3)


def test_speed_keeps_the_pitch_and_counts_right(player: Player):
    player.seek(10.0)
    player.speed = 2.0
    player.play()
    heard = take(player, 4.0)
    assert player.position == pytest.approx(18.0, abs=0.1)
    late = Audio(heard.samples[round(3.1 * RATE) : round(3.35 * RATE)], RATE)
    assert heard_pitch(late) == pytest.approx(pitch(16), abs=12)


def test_ducking_and_volume(player: Player):
    player.play()
    loud = np.abs(take(player, 0.4).samples).max()
    player.ducked = True
    take(player, 0.02)
    assert np.abs(take(player, 0.2).samples).max() < 0.25 * loud
    player.ducked, player.volume = False, 0.5
    take(player, 0.02)
    assert np.abs(take(player, 0.2).samples).max() == pytest.approx(0.5 * loud, rel=0.25)


def test_the_voice_is_heard_held_released_and_hushed(player: Player):
    player.say(Audio(np.full(RATE, 0.5, np.float32), RATE))
    assert take(player, 0.2).samples.max() == pytest.approx(0.5)
    player.hold()
    assert take(player, 0.2).samples.max() == 0 and player.speaking
    player.release()
    assert take(player, 0.2).samples.max() == pytest.approx(0.5)
    player.hush()
    assert take(player, 0.1).samples.max() == 0 and not player.speaking


def test_the_end_is_the_end(player: Player):
    player.seek(29.0)
    player.play()
    take(player, 1.6)
    assert player.ended and not player.playing
    player.seek(2.2)
    player.play()
    assert heard_pitch(take(player, 0.5)) == pytest.approx(pitch(2), abs=8)
