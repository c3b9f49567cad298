# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests' own sound card, so that a silent test means a silent program and not a broken card."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.soundcard import SoundCard, loudness, pitch
from voice.audio import Audio, write_wav


def tone(hertz: float, seconds: float, rate: int = 48_000) -> Audio:
    time_axis = np.arange(round(seconds * rate)) / rate
    return Audio((0.3 * np.sin(2 * np.pi * hertz * time_axis)).astype(np.float32), rate)


def test_what_is_played_into_the_microphone_is_heard_there(sound_card: SoundCard) -> None:
    with sound_card.listen("mic") as ear:
        sound_card.play(tone(500, 0.6))
    heard = ear.heard()
    loud = np.flatnonzero(np.abs(heard.samples) > 0.1) / heard.rate
    assert loud[-1] - loud[0] == pytest.approx(0.6, abs=0.05)
    assert pitch(ear.heard(loud[0], loud[-1])) == pytest.approx(500, abs=5)


def test_the_loudspeaker_is_heard_and_silence_is_silence(sound_card: SoundCard, tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(880, 0.5))
    with sound_card.listen() as ear:
        time.sleep(0.2)
        mark = ear.now
        subprocess.run(["paplay", "--latency-msec=30", str(tmp_path / "tone.wav")], check=True)
    assert loudness(ear.heard(0, mark)) == 0
    assert pitch(ear.heard(mark)) == pytest.approx(880, abs=10)
