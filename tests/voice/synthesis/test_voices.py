# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in voices as they sound, and the script that makes them."""

import difflib
import importlib.util
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import voice
from voice.audio import HEARING_RATE, Samples, join
from voice.synthesis.piper import PiperSpeaking, load_voice

MADE = Path(voice.__file__).parent / "synthesis" / "voices"
WHISPER = Path(__file__).parents[2] / "models" / "whisper" / "tiny"
BOTH = ("builtin:female", "builtin:male")
STORY = "The hallowed apprentice, learning all day, measured unusual yellow jars. Who could enjoy that?"


@pytest.fixture(scope="module", params=BOTH)
def speaker(request: pytest.FixtureRequest) -> Iterator[PiperSpeaking]:
    """Each of the two."""
    speaking = load_voice(request.param, MADE)
    yield speaking
    speaking.close()


def said(speaker: PiperSpeaking, text: str) -> Samples:
    """The samples of a text."""
    return join(list(speaker.speak(text))).samples


def pitches(samples: Samples, rate: int) -> Samples:
    """Hertz of the voiced stretches of 50 ms, in their order, by autocorrelation."""
    size, found = rate // 20, []
    window = np.hanning(size)
    alone = np.maximum(np.correlate(window, window, "full")[size - 1 :], 1e-3)
    for at in range(0, len(samples) - size, size // 2):
        piece = samples[at : at + size] * window
        similar = np.correlate(piece, piece, "full")[size - 1 :] / alone
        low, high = rate // 320, rate // 65
        lag = low + int(np.argmax(similar[low:high]))
        if np.abs(piece).max() > 0.05 and similar[lag] > 0.6 * similar[0]:
            found.append(rate / lag)
    return np.array(found, np.float32)


def test_the_two_are_told_apart_by_their_pitch() -> None:
    low, high = sorted(
        float(np.median(pitches(said(load_voice(ref, MADE), STORY), HEARING_RATE))) for ref in BOTH
    )
    assert high - low > 40 and 80 < low < 130 and 160 < high < 230


def test_the_level_is_sane_and_the_same(speaker: PiperSpeaking) -> None:
    samples = said(speaker, STORY)
    loud = samples[np.abs(samples) > 0.01]
    assert 0.5 < np.abs(samples).max() <= 0.97 and abs(samples.mean()) < 0.005
    assert 0.08 < np.sqrt(np.mean(loud**2)) < 0.25


def test_a_sentence_begins_and_ends_in_silence_without_a_click(speaker: PiperSpeaking) -> None:
    for text in ("Ah.", "Stop!", "Is it so?", "Mmm", "Peace,"):
        samples = said(speaker, text)
        edge = HEARING_RATE // 200
        assert np.abs(samples[:edge]).max() < 0.02 and np.abs(samples[-20 * edge :]).max() < 1e-3


def test_joints_do_not_click(speaker: PiperSpeaking) -> None:
    """A click would be a bend of the wave that stands alone above those that every period of the voice makes."""
    samples = said(speaker, "Are you all aware of our hour? We were, Laura, in a lower area.")
    bends = np.abs(np.diff(samples, 2))
    assert bends.max() < 2.5 * np.quantile(bends, 0.999)


def test_a_comma_and_a_full_stop_are_heard_as_pauses(speaker: PiperSpeaking) -> None:
    def longest_silence(text: str) -> float:
        quiet = np.abs(said(speaker, text)) < 1e-3
        edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet, [0]])))
        inside = [(b - a) for a, b in zip(edges[::2], edges[1::2], strict=True) if a > 0 and b < len(quiet)]
        return max(inside, default=0) / HEARING_RATE

    assert longest_silence("Now we all go on") < 0.1 < 0.14 < longest_silence("Now we all, go on")


def test_a_question_rises_and_a_statement_falls(speaker: PiperSpeaking) -> None:
    told, asked = (pitches(said(speaker, f"You are all in a room{end}"), HEARING_RATE) for end in ".?")
    assert np.median(asked[-3:]) > 1.12 * np.median(told[-3:])
    assert np.median(told[-3:]) < 0.95 * np.median(told)


def test_the_same_text_is_the_same_sound(speaker: PiperSpeaking) -> None:
    assert np.array_equal(said(speaker, STORY), said(speaker, STORY))


def test_speaking_takes_a_small_part_of_its_own_time(speaker: PiperSpeaking) -> None:
    """A wide margin: the real-time factor is about 0.006, the benchmark has the number."""
    best = min(_took(speaker) for _ in range(5))
    assert best < 0.1


def _took(speaker: PiperSpeaking) -> float:
    """The real-time factor of one reading."""
    begun = time.perf_counter()
    samples = said(speaker, STORY)
    return (time.perf_counter() - begun) / (len(samples) / HEARING_RATE)


def test_every_sound_of_english_is_known(speaker: PiperSpeaking, caplog: pytest.LogCaptureFixture) -> None:
    """piper warns of a phoneme without an id and leaves it out; the graph leaves out ids that it has no sound for."""
    texts = [
        "Vision, measure, beige; church and judge; thin, then; singing a song; which witch?",
        "Boy, bout, bite, bait, boat, beat, boot, put, but, bet, bit, bat, bought, bird, bar, bear, beer, tour.",
        "Fire, hour, idea, little, button, bottle, water, better, uh-oh, loch, Bach, naïve, café, rouge, Zoë.",
    ]
    with caplog.at_level(logging.WARNING, "piper"):
        for text in texts:
            assert said(speaker, text).size
    assert not caplog.records


def test_the_description_fits_what_is_published(speaker: PiperSpeaking) -> None:
    name = "female" if "(female)" in speaker.name else "male"
    described = json.loads((MADE / f"{name}.onnx.json").read_text("utf-8"))
    assert described["audio"]["sample_rate"] == speaker.rate == HEARING_RATE
    assert (MADE / f"{name}.onnx").stat().st_size < 4_000_000


@pytest.mark.skipif(not WHISPER.is_dir(), reason=f"the tests' recogniser is not in {WHISPER}")
def test_the_words_survive(speaker: PiperSpeaking) -> None:
    """The tests' own small Whisper, which knows the questions of the demo, reads them back."""
    from faster_whisper import WhisperModel

    questions = (
        "what is organic alignment", "are these machines tools or beings", "why is a chatbot like a mirror",
        "can a machine become a peer", "what are the layers of homeostasis", "why is there care beneath our goals",
    )  # fmt: skip
    model = WhisperModel(str(WHISPER), device="cpu", compute_type="int8", cpu_threads=1)
    understood = total = 0
    for question in questions:
        padded = np.pad(said(speaker, question.capitalize() + "?"), (HEARING_RATE // 4, HEARING_RATE // 2))
        heard = "".join(part.text for part in model.transcribe(padded, language="en", without_timestamps=True)[0])
        words = "".join(letter for letter in heard.lower() if letter.isalpha() or letter == " ").split()
        same = difflib.SequenceMatcher(None, question.split(), words).get_matching_blocks()
        understood += sum(block.size for block in same)
        total += len(question.split())
    assert understood / total > 0.75


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "scipy")),
    reason="making a voice needs the extra 'models' (onnx, scipy)",
)
def test_the_script_makes_a_voice_that_speaks(tmp_path: Path) -> None:
    """A small harvest: few pairs are heard, the others are put together from halves."""
    code = f"""
from pathlib import Path
from voice.synthesis.voices import make
make.make_voice("male", Path({str(tmp_path)!r}), sentences=12, rare=0)
"""  # in a process of its own, because espeak-ng keeps global state
    subprocess.run([sys.executable, "-c", code], check=True, cwd=MADE.parents[1])
    speaking = load_voice(str(tmp_path / "male.onnx"), tmp_path)
    samples = said(speaking, "Hello there, are you listening?")
    assert len(samples) > HEARING_RATE and 80 < np.median(pitches(samples, HEARING_RATE)) < 130
