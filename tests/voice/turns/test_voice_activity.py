# SPDX-License-Identifier: GPL-3.0-or-later
"""Where somebody speaks, and how a long recording is cut."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.speech import RATE, say
from voice.audio import FRAME, Audio
from voice.turns.voice_activity import GatedDetector, blocks, clean, speech_spans, spoken_part

SENTENCE = say("Nobody hands the cell a rule book, it learns what it means to belong to that body.")


def stream(samples: np.ndarray, block: int = 4096) -> Iterator[Audio]:
    for at in range(0, len(samples), block):
        yield Audio(samples[at : at + block], RATE)


def gap(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1e-4, round(seconds * RATE)).astype(np.float32)


def test_speech_is_found_with_a_little_around_it() -> None:
    samples = np.concatenate([gap(2), SENTENCE, gap(2)])
    [(start, end)] = speech_spans(samples)
    assert start == pytest.approx(1.9, abs=0.2) and end == pytest.approx(2 + len(SENTENCE) / RATE, abs=0.4)
    offset, part = spoken_part(samples)
    assert offset == start and len(part) == pytest.approx((end - start) * RATE, abs=2)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 5.0])
def test_silence_has_no_speech(seconds: float) -> None:
    assert speech_spans(np.zeros(round(seconds * RATE), np.float32)) == []
    assert len(spoken_part(gap(seconds))[1]) == 0


def test_what_is_no_number_becomes_silence() -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 3.0, 0.5], np.float32)
    assert clean(Audio(samples, RATE)).tolist() == [0.0, 1.0, -1.0, 1.0, 0.5]


@pytest.mark.parametrize("pause", [0.3, 1.5, 8.0])
def test_blocks_fill_their_windows_and_lose_nothing(pause: float) -> None:
    sentences = round(100 / (len(SENTENCE) / RATE))
    samples = np.concatenate([part for _ in range(sentences) for part in (SENTENCE, gap(pause))])
    found = list(blocks(stream(samples), windows=2))
    ends = [0.0, *(block.end for block in found)]
    assert ends[-1] == pytest.approx(len(samples) / RATE)
    period = len(SENTENCE) / RATE + pause
    for block, before in zip(found, ends, strict=False):
        assert block.start == pytest.approx(before)
        assert np.array_equal(block.samples, samples[round(block.start * RATE) : round(block.end * RATE)])
        assert all(0 <= begin < end <= len(block.samples) for begin, end in block.spans)
    for block in found[:-1]:
        assert block.end % period > len(SENTENCE) / RATE - 0.5  # in a pause
        said = sum(end - begin for begin, end in block.spans) / RATE
        assert 60.0 - 2 * period - 10 < said < 60.0 + 1  # full: no sentence more had fitted
    again = list(blocks(stream(samples), 2, since=found[0].end))
    assert [(block.start, block.end, block.spans) for block in again] == [
        (block.start, block.end, block.spans) for block in found[1:]
    ]


def test_a_long_silence_is_passed_over_in_blocks() -> None:
    found = list(blocks(stream(gap(350)), windows=4))
    assert all(not len(block.samples) for block in found) and max(one.end - one.start for one in found) <= 301
    assert found[-1].end == pytest.approx(350)
    assert list(blocks(iter([]), 4)) == []


class Asked:
    """A detector that remembers the frames it was given."""

    def __init__(self) -> None:
        self.frames: list[float] = []

    def reset(self) -> None:
        self.frames = []

    def __call__(self, frame: np.ndarray) -> float:
        self.frames.append(float(frame[0]))
        return 0.9 if abs(float(frame[0])) > 0.01 else 0.0


def test_a_quiet_room_is_not_judged_and_a_word_with_what_led_to_it() -> None:
    asked = Asked()
    gated = GatedDetector(asked)  # type: ignore[arg-type]
    for number in range(1000):
        assert gated(np.full(FRAME, 1e-3 + number * 1e-9, np.float32)) == 0.0
    room = len(asked.frames)
    assert room < 300
    assert gated(np.full(FRAME, 0.05, np.float32)) == 0.9
    led_by = [1e-3 + number * 1e-9 for number in range(996, 1000)]
    assert asked.frames[room:] == pytest.approx([*led_by, 0.05], abs=1e-9)
    for _ in range(2000):  # somebody who speaks for a minute does not become what is usual
        assert gated(np.full(FRAME, 0.05, np.float32)) == 0.9
    assert len(asked.frames) == room + 2005


def test_what_is_loud_at_first_and_never_speech_is_left_alone_in_the_end() -> None:
    asked = Asked()
    gated = GatedDetector(asked)  # type: ignore[arg-type]
    for _ in range(1000):
        gated(np.full(FRAME, 0.009, np.float32))
    before = len(asked.frames)
    for _ in range(100):
        gated(np.full(FRAME, 0.009, np.float32))
    assert len(asked.frames) == before
    gated.reset()
    gated(np.full(FRAME, 0.009, np.float32))
    assert len(asked.frames) == 1
