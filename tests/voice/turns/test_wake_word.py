# SPDX-License-Identifier: GPL-3.0-or-later
"""Wake words: real detectors hear a word in many voices, nothing else wakes, and the podcast wakes nobody."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.echo import echo_of
from tests.material import material
from tests.models.wake.train import MODEL
from tests.speech import say
from voice.audio import FRAME, Samples, read_audio
from voice.errors import SettingsError
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change
from voice.turns.wake_word import WakeWordListener, load_wake

RATE = 16_000
ALEXA, EARMARK = ("alexa", "Alexa"), (str(MODEL), "hey earmark")


def around(speech: Samples, before: float = 2.0, after: float = 1.0) -> Samples:
    """Speech in a quiet room."""
    quiet = np.pad(speech, (round(before * RATE), round(after * RATE)))
    return (quiet + np.random.default_rng(0).normal(0, 0.001, len(quiet))).astype(np.float32)


def woken(model: str, heard: Samples, played: Samples | None = None) -> list[float]:
    """The seconds at which ears that are not open are woken."""
    front_end = FrontEnd(watch=WakeWordListener(load_wake(model)))
    played = np.zeros_like(heard) if played is None else played
    return [
        at / RATE
        for at in range(0, len(heard) - FRAME, FRAME)
        for event in front_end.push(heard[at : at + FRAME], played[at : at + FRAME], is_open=False)
        if event.change is Change.WOKEN
    ]


@pytest.mark.parametrize(("model", "word"), [ALEXA, EARMARK], ids=["microWakeWord", "openWakeWord"])
def test_its_word_wakes_in_every_voice_once_and_soon(model: str, word: str) -> None:
    for voice in ("en-us", "en-gb-x-rp", "en-us+m4", "en-us+f3"):
        speech = say(word, voice)
        (when,) = woken(model, around(speech))
        assert -0.35 < when - (2.0 + len(speech) / RATE) < 0.5, voice


@pytest.mark.parametrize("model", [ALEXA[0], EARMARK[0]], ids=["microWakeWord", "openWakeWord"])
def test_nothing_else_wakes(model: str) -> None:
    others = ("What does Elias say about alignment?", "Hey Jarvis.", "Go back thirty seconds.", "He had a remark.")
    speech = np.concatenate([around(say(text, "en-us+m4"), 0.5, 0.5) for text in others])
    assert woken(model, around(speech)) == []


def test_the_word_in_the_podcast_wakes_nobody_and_a_person_over_it_does() -> None:
    story = say("My daughter says Alexa, and the machine says hello, and she is happy.", "en-us")
    played = np.concatenate([around(story, 1.0, 1.0)] * 2) * 0.7
    for level, delay in ((0.3, 0.12), (1.0, 0.25)):
        assert woken("alexa", echo_of(played, level, delay), played) == []
    other = np.concatenate([around(say("The layers of homeostasis are a test of care.", "en-us"), 1.0, 1.0)] * 3) * 0.7
    heard = echo_of(other, 0.3, 0.12)
    person = say("Alexa", "en-gb-x-rp")
    at = len(heard) * 2 // 3
    heard[at : at + len(person)] += person
    assert len(woken("alexa", heard, other)) == 1


def test_people_wake_it_with_its_word_only() -> None:
    folder = material("speech", "wakewords")
    clips = {word: sorted((folder / word).iterdir())[:8] for word in ("alexa", "computer", "jarvis")}
    heard = {word: sum(bool(woken("alexa", around(read_audio(clip).samples, 1.0))) for clip in files)
             for word, files in clips.items()}  # fmt: skip
    assert heard["alexa"] >= 7 and heard["computer"] == heard["jarvis"] == 0


def test_what_is_said_in_one_breath_with_the_word_is_a_turn_without_it() -> None:
    command = say("Go back thirty seconds.", "en-us")
    heard = np.concatenate([around(say("Alexa", "en-us"), 1.0, 0.15), around(command, 0.0, 3.0)])
    front_end, is_open, turns = FrontEnd(watch=WakeWordListener(load_wake("alexa"))), False, []
    for at in range(0, len(heard) - FRAME, FRAME):
        for event in front_end.push(heard[at : at + FRAME], np.zeros(FRAME, np.float32), is_open):
            is_open = is_open or event.change is Change.WOKEN
            if event.change is Change.OVER:
                turns.append(len(front_end.utterance(event)) / RATE)
    assert turns == [pytest.approx(len(command) / RATE + 0.35, abs=0.2)]


@pytest.mark.parametrize(
    ("setting", "says"),
    [("", "Set wake_model"), ("hey_computer", "okay_nabu"), ("/nowhere/word.json", "Check the setting"),
     ("word.pt", "Check the setting")],
)  # fmt: skip
def test_a_model_that_is_not_there_is_told(setting: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_wake(setting)()
    assert says in str(caught.value)


@pytest.mark.parametrize(("name", "content"), [("word.json", "{}"), ("word.json", "no"), ("word.onnx", "no"),
                                               ("word.tflite", "no")])  # fmt: skip
def test_a_model_that_cannot_be_read_is_told(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"word\.(json|onnx|tflite)"):
        load_wake(str(path))()


@pytest.mark.parametrize(("model", "package"), [("alexa", "pymicro_wakeword"), (str(MODEL), "livekit.wakeword")])
def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, model: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match="pip install pymicro-wakeword livekit-wakeword"):
        load_wake(model)()
