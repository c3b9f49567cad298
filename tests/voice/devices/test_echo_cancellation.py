# SPDX-License-Identifier: GPL-3.0-or-later
"""The device's own sound and words are told from the listener's."""

import numpy as np
import pytest

from tests.conftest import for_long
from voice.audio import FRAME
from voice.devices.echo_cancellation import EchoCanceller, is_echo
from voice.devices.resampling import DriftResampler
from voice.model import Heard


def test_an_echo_is_learnt_and_taken_out_while_a_voice_passes() -> None:
    draw = np.random.default_rng(1)
    played = draw.standard_normal(FRAME * 400) * 0.1
    way = np.zeros(4000)
    way[3000:3400] = draw.standard_normal(400) * np.exp(-np.arange(400) / 80) * 0.2
    heard = np.convolve(played, way)[: len(played)]
    voice = np.zeros(len(played))
    voice[FRAME * 300 :] = 0.1 * np.sin(np.arange(FRAME * 100) * 0.2)
    cancel = EchoCanceller()
    left = np.concatenate([
        cancel((heard + voice)[at : at + FRAME].astype(np.float32), played[at : at + FRAME].astype(np.float32))
        for at in range(0, len(played), FRAME)
    ])  # fmt: skip
    before = slice(FRAME * 200, FRAME * 300)
    assert np.square(left[before]).mean() < 0.01 * np.square(heard[before]).mean()
    during = slice(FRAME * 300, FRAME * 400)
    assert np.corrcoef(left[during], voice[during])[0, 1] > 0.98


@pytest.mark.parametrize("drift", [8e-5, *for_long(0.0, -8e-5)])
def test_clocks_that_run_apart_are_followed_and_a_person_is_still_heard(drift: float) -> None:
    draw = np.random.default_rng(1)
    loud = np.repeat(np.clip(draw.normal(0.6, 0.5, 400), 0, 2), FRAME * 4)  # syllables and pauses
    played = (0.1 * draw.standard_normal(FRAME * 1600) * loud).astype(np.float32)
    clock = DriftResampler()
    clock.add(np.convolve(played, np.r_[np.zeros(2000), draw.standard_normal(400) * np.exp(-np.arange(400) / 80) * 0.2])
              [: len(played)].astype(np.float32))  # fmt: skip
    heard = np.concatenate([clock.take(FRAME, drift) for _ in range(1590)])
    person = slice(FRAME * 1500, FRAME * 1560)
    voice = 0.1 * np.sin(np.arange(FRAME * 60) * 0.2)
    heard[person] += voice.astype(np.float32)
    cancel, line = EchoCanceller(), DriftResampler()
    line.add(played)
    parts, remains = [], []
    for at in range(0, len(heard), FRAME):
        parts.append(cancel(heard[at : at + FRAME], line.take(FRAME, cancel.drift)))
        remains.append(cancel.is_remains)
    left = np.concatenate(parts)
    late = slice(FRAME * 1200, FRAME * 1500)
    assert cancel.drift == pytest.approx(drift, abs=1.5e-5)
    assert np.square(left[late]).mean() < 0.06 * np.square(heard[late]).mean()
    assert np.mean(remains[1200:1500]) > 0.85 and np.mean(remains[1500:1560]) < np.mean(remains[1200:1500]) - 0.3
    assert np.corrcoef(left[person], voice)[0, 1] > 0.9


def test_what_does_not_sound_takes_nothing_away() -> None:
    frame = np.random.default_rng(2).standard_normal(FRAME).astype(np.float32)
    assert np.array_equal(EchoCanceller()(frame, np.zeros(FRAME, np.float32)), frame)


CUES = ("Organic alignment is what happens when parts that could go their own way find that they are one thing.",)


def test_the_podcasts_own_words_are_an_echo_though_misheard() -> None:
    for said in ("what happens when parts that could go their own way",
                 "what happens when part that good go there on way"):  # fmt: skip
        assert is_echo(Heard(said, 0.9), CUES)
        assert not is_echo(Heard(said, 0.9), ())


def test_questions_and_commands_are_not() -> None:
    for said in ("What is organic alignment?", "Go back thirty seconds.", "Pause.", "Why do bees become a hive?"):
        assert not is_echo(Heard(said, 0.7), CUES), said


def test_a_few_mumbled_words_are_the_rest_of_an_echo_unless_nothing_sounds_or_they_are_a_command() -> None:
    mumbled = Heard("Why find it?", 0.5)
    assert is_echo(mumbled, CUES)
    assert not is_echo(mumbled, ())
    assert not is_echo(Heard("Louder.", 0.5), CUES, command=True)
