# SPDX-License-Identifier: GPL-3.0-or-later
"""From a microphone to turns, with Silero itself: short words, digital silence, and what the loudspeaker plays."""

import numpy as np
import pytest

from tests.benchmarks.echo import echo_of
from tests.speech import say
from voice.audio import FRAME, HEARING_RATE, Samples
from voice.devices.resampling import DriftResampler
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change


def changes(front_end: FrontEnd, heard: Samples, played: Samples | None = None) -> list[tuple[str, float]]:
    line = DriftResampler()
    line.add(np.zeros_like(heard) if played is None else played)
    return [
        (event.change.value, at / HEARING_RATE)
        for at in range(0, len(heard) - FRAME, FRAME)
        for event in front_end.push(heard[at : at + FRAME], line.take(FRAME, front_end.drift))
    ]


@pytest.mark.parametrize("voice", ["en-us", "en-gb-x-rp", "en-us+f3"])
@pytest.mark.parametrize("word", ["Pause.", "Next.", "Stop."])
def test_a_short_word_after_a_minute_of_digital_silence_is_a_turn(voice: str, word: str) -> None:
    heard = np.pad(say(word, voice), (20 * HEARING_RATE, 2 * HEARING_RATE))
    assert [change for change, _ in changes(FrontEnd(), heard)][-1] == Change.OVER.value


def test_a_loud_podcast_is_nobody_and_who_speaks_over_it_is_somebody() -> None:
    texts = ("Organic alignment is what happens when parts find that they are one thing.",
             "A hammer is a tool, and a tool has no goals of its own.")  # fmt: skip
    played = np.concatenate([np.pad(say(text, "en-us"), (0, 6000)) for text in texts * 4]).astype(np.float32) * 0.7
    heard = echo_of(played, 0.5, 0.12)
    alone = changes(FrontEnd(), heard, played)
    assert alone == []
    person = say("Go back thirty seconds.", "en-gb-x-rp")
    at = len(heard) - 5 * HEARING_RATE
    heard[at : at + len(person)] += person
    ((change, when), *_) = changes(FrontEnd(), heard, played)
    assert change == "began" and 0 < when - at / HEARING_RATE < 0.6
