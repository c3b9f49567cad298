# SPDX-License-Identifier: GPL-3.0-or-later
"""Hearing with faster-whisper: the packaged model, which hears for real."""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from tests.conftest import for_long
from tests.demo import word_errors
from tests.speech import RATE, joe, with_silence
from voice.audio import Audio, join, silence, write_wav
from voice.errors import AudioError, HearingError
from voice.model import Bias
from voice.recognition.whisper import Whisper, _ahead, folded, hot_words, is_invented
from voice.turns.voice_activity import Block
from voice.weights import TINY_EN

assert TINY_EN.path is not None, TINY_EN.remedy
MODEL = TINY_EN.path


def spoken(text: str) -> Audio:
    return Audio(with_silence(joe(text)), RATE)


def plain(text: str) -> str:
    """The words of a text."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def noise(kind: str, seconds: float = 4.0) -> Audio:
    """Sound in which nobody speaks."""
    time = np.arange(round(seconds * RATE)) / RATE
    random = np.random.default_rng(1)
    made = {
        "silence": np.zeros_like(time),
        "hiss": random.normal(0, 0.05, len(time)),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time),
        "chord": sum(0.1 * np.sin(2 * np.pi * f * time) for f in (220, 277.2, 329.6, 440)) * (1 + np.sin(4 * time)) / 2,
        "clicks": np.where(random.random(len(time)) < 0.0005, 0.8, 0.0),
    }
    return Audio(np.asarray(made[kind], np.float32), RATE)


@pytest.mark.parametrize("steps", [0, 1])
def test_a_question_that_nobody_waits_for_is_not_heard_to_its_end(whisper: Whisper, steps: int) -> None:
    said, wanted = spoken("why does he keep bees"), [True] * steps
    assert whisper.hear(said, wanted=lambda: bool(wanted) and wanted.pop()).text == ""
    assert whisper.hear(said, wanted=lambda: True).text.startswith("Why does he")


@pytest.mark.parametrize("text", [
    "go back thirty seconds", "why does he keep bees", *for_long("what happened to the old broom"),
])  # fmt: skip
def test_a_question_is_heard(whisper: Whisper, text: str) -> None:
    heard = whisper.hear(spoken(text))
    assert word_errors(text, heard.text.replace("30", "thirty"))[0] <= 1, heard.text
    assert 0.3 < heard.confidence <= 1
    timed = whisper.hear(spoken(text), timed=True)
    assert len(timed.words) == pytest.approx(len(text.split()), abs=1)
    assert timed.words[0].text.strip().lower() == text.split()[0]
    assert all(word.start <= word.end <= 10 for word in timed.words)


def test_the_times_of_words_count_from_the_start_of_the_recording(whisper: Whisper) -> None:
    late = join([silence(2.0, RATE), spoken("what is memory")])
    assert whisper.hear(late, timed=True).words[0].start == pytest.approx(2.3, abs=0.4)


@pytest.mark.long
def test_a_question_is_decoded_once_and_one_longer_than_a_window_is_heard_to_its_end(whisper: Whisper) -> None:
    model, lengths = whisper._model, []
    encode = model.encode
    model.encode = lambda features: lengths.append(features.shape) or encode(features)
    try:
        whisper.hear(spoken("what is memory"))
        assert len(lengths) == 1
        heard = whisper.hear(join([spoken("what is organic alignment"), silence(1.0, RATE)] * 12))
    finally:
        del model.encode
    assert heard.text.lower().count("what is organic") >= 10


def test_what_is_leant_towards_is_heard_once_and_with_what_else_it_may_have_been(whisper: Whisper) -> None:
    model, lengths = whisper._model, []
    bias = Bias(("Elias Brandt",), ("broom", "homeostasis"), ("pause", "resume", "go back thirty seconds", "louder"))
    encode = model.encode
    model.encode = lambda features: lengths.append(features.shape) or encode(features)
    try:
        for text in ("pause", "go to minute forty two", "louder"):
            heard = whisper.hear(spoken(text), bias)
            assert plain(heard.text).replace("42", "forty two") == text
            assert heard.text not in heard.others
    finally:
        del model.encode
    assert len(lengths) == 3


def test_any_rate_level_and_damage_is_taken(whisper: Whisper) -> None:
    heard = spoken("what is memory")
    loud = Audio(heard.samples * 50, RATE)
    holes = heard.samples.copy()
    holes[::4000] = np.nan
    for audio in (heard.at_rate(48_000), Audio(heard.samples * 0.02, RATE), Audio(holes, RATE)):
        assert plain(whisper.hear(audio).text) == "what is memory"
    whisper.hear(loud)


@pytest.mark.parametrize("kind", ["silence", "hiss", "hum", "chord", "clicks"])
def test_nobody_speaks_nothing_is_heard(whisper: Whisper, kind: str) -> None:
    heard = whisper.hear(noise(kind))
    assert (heard.text, heard.confidence, heard.words) == ("", 0.0, ())


@pytest.mark.parametrize("samples", [0, 1, 300])
def test_almost_no_sound_is_silence(whisper: Whisper, samples: int) -> None:
    assert whisper.hear(Audio(np.zeros(samples, np.float32), RATE)).text == ""


def test_names_may_be_given(whisper: Whisper) -> None:
    bias = Bias(("Elias Brandt", "Nora Lindqvist"), ("homeostasis",), ("pause", "go back thirty seconds"))
    heard = whisper.hear(spoken("what is memory"), bias)
    assert "memory" in heard.text.lower()


def test_a_recording_becomes_cues_with_times(whisper: Whisper, tmp_path: Path) -> None:
    sentences = [
        "why is a chatbot like a mirror",
        "are these machines tools or beings",
        "what is organic alignment",
    ] * 4
    parts: list[Audio] = []
    starts: list[float] = []
    for sentence in sentences:
        starts.append(sum(part.seconds for part in parts) + 1.0)
        parts += [silence(1.0, RATE), Audio(joe(sentence), RATE), silence(5.0, RATE)]
    write_wav(tmp_path / "talk.wav", join(parts))
    pieces = list(whisper.transcribe(tmp_path / "talk.wav", Bias()))
    cues = [cue for piece in pieces for cue in piece.cues]
    heard = " ".join(cue.text.lower() for cue in cues)
    assert heard.count("chatbot") == 4 and heard.count("machines") >= 2, heard
    chatbots = [word.end for cue in cues for word in cue.words if "chatbot" in word.text.lower()]
    for found, start in zip(chatbots, starts[::3], strict=True):
        assert found == pytest.approx(start + 1.0, abs=0.8)
    assert all(a.start <= b.start for a, b in itertools.pairwise(cues))
    assert pieces[0].start == 0 and all(a.end == b.start for a, b in itertools.pairwise(pieces))
    assert pieces[-1].end == pytest.approx(join(parts).seconds)
    assert list(whisper.transcribe(tmp_path / "talk.wav", Bias(), pieces[0].end)) == pieces[1:]


def test_a_silent_recording_gives_no_cues(whisper: Whisper, tmp_path: Path) -> None:
    write_wav(tmp_path / "silent.wav", silence(65.0, RATE))
    pieces = list(whisper.transcribe(tmp_path / "silent.wav", Bias()))
    assert [piece.cues for piece in pieces] == [()] * len(pieces)
    assert pieces[-1].end == 65.0


def test_a_file_that_is_no_sound_is_told(whisper: Whisper, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no sound")
    with pytest.raises(AudioError):
        list(whisper.transcribe(tmp_path / "a.mp3", Bias()))


def test_a_folder_without_a_tokenizer_is_refused_before_anything_is_asked_for(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes((MODEL / name).read_bytes())
    with pytest.raises(HearingError, match=r"lacks tokenizer\.json"):
        Whisper(tmp_path)


@pytest.mark.parametrize("damaged", ["model.bin", "tokenizer.json"])
def test_a_damaged_model_is_told(tmp_path: Path, damaged: str) -> None:
    for file in MODEL.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1000 if file.name == damaged else None])
    with pytest.raises(HearingError, match="cannot be"):
        Whisper(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Faster, faster.", "Faster."),
        ("faster faster", "faster"),
        ("Go back. Go back. Go back!", "Go back!"),
        ("What is memory? What is memory?", "What is memory?"),
        ("Go back thirty seconds.", "Go back thirty seconds."),
        ("Is it what it is?", "Is it what it is?"),
        ("Faster, much faster.", "Faster, much faster."),
        ("No.", "No."),
        ("Go on. " * 5, "Go on. " * 5),
        ("", ""),
    ],
)
def test_a_text_that_says_itself_twice_is_said_once(text: str, said: str) -> None:
    assert folded(text) == said


def test_what_nobody_could_have_said_in_the_time_is_said_once() -> None:
    assert folded("stop, " * 27 + "stop", 1.2) == "stop"
    assert folded("no, " * 7 + "no", 2.0) == "no, " * 7 + "no"
    assert folded("Go to minute 42. Go to minute 42. Go to mi", 0.5) == "Go to minute 42."
    assert folded("Go to minute 42. Go to minute 42. Go to", 30.0) == "Go to minute 42. Go to minute 42. Go to"


def test_what_is_leant_towards_fits_into_the_prompt_and_people_come_first() -> None:
    assert hot_words(Bias()) is None
    assert hot_words(Bias(("Elias Brandt",), ("broom",), ("pause",))) == "Elias Brandt, broom. Pause."
    many = hot_words(Bias(("Elias Brandt",), tuple(f"word{number}" for number in range(500))))
    assert many is not None
    assert many.startswith("Elias Brandt, word0, ")
    assert 600 < len(many) <= 710


@dataclass
class Said:
    """What the gate is shown of a segment."""

    text: str
    no_speech_prob: float
    avg_logprob: float
    compression_ratio: float = 1.0
    start: float = 0.0
    end: float = 1.0
    words: list[Any] | None = None


@pytest.mark.parametrize(
    ("said", "invented"),
    [
        (Said("What is memory?", 0.1, -0.2), False),
        (Said("What is memory?", 0.9, -0.2), False),  # the model's doubt alone
        (Said("What is memory?", 0.9, -1.1), True),
        (Said("What is memory?", 0.1, -1.1), False),
        (Said("Go go go go go go go go", 0.8, -0.3, 3.0), True),
        (Said("Thank you.", 0.1, -0.2), False),
        (Said("Thank you.", 0.1, -0.7), True),
        (Said("Thank you.", 0.7, -0.2), True),
        (Said(" ... ", 0.0, 0.0), True),
        (Said("你好", 0.1, -0.2), False),
    ],
)  # fmt: skip
def test_the_gate_against_invented_text(said: Said, invented: bool) -> None:
    assert is_invented(said) is invented
    assert math.isfinite(said.avg_logprob)


def test_the_next_block_is_made_while_one_is_heard_and_its_error_comes_through() -> None:
    begun = Event()

    def made() -> Iterator[Block]:
        yield Block(0.0, 1.0, np.zeros(0, np.float32))
        begun.set()
        raise AudioError("It breaks off.", "Get it again.")

    found = _ahead(made())
    assert next(found).end == 1.0
    assert begun.wait(5)
    with pytest.raises(AudioError, match="breaks off"):
        next(found)
