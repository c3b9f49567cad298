# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny Whisper hears what the tests speak to it, in voices it was never trained on, and hears nothing in noise."""

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.models.whisper import domain, evaluate, sounds, speech, tokenizer

if TYPE_CHECKING:
    from faster_whisper import WhisperModel


@pytest.fixture(scope="module")
def model() -> "WhisperModel":
    return evaluate.load()


def test_a_spoken_text_has_the_same_samples_every_time() -> None:
    first = speech.say("Go back thirty seconds.")
    speech.say("Something else, by somebody else.", "en+m4")
    again = speech.say("Go back thirty seconds.")

    assert first.dtype == again.dtype == "float32"
    assert first.tolist() == again.tolist()
    assert 1.0 < len(first) / speech.RATE < 2.5
    assert abs(float(abs(first).max()) - speech.PEAK) < 0.05


def test_an_unknown_voice_is_an_error() -> None:
    with pytest.raises(speech.SpeechError, match="no voice"):
        speech.say("Hello.", "klingonese")


def test_words_are_marked_in_order_to_the_end() -> None:
    said = speech.speak("What is the story of the apprentice?")

    assert [mark.text for mark in said.words] == ["What", "is", "the", "story", "of", "the", "apprentice?"]
    assert all(mark.start < mark.end for mark in said.words)
    assert abs(said.words[-1].end - len(said.samples) / speech.RATE) < 0.1


def test_the_exported_tokenizer_has_every_word_of_the_grammar(model: "WhisperModel") -> None:
    rng = random.Random(7)
    texts = [*domain.DEMO_QUESTIONS, *domain.FIXED_COMMANDS, *domain.OTHER_FIXED]
    texts += [domain.in_domain_text(rng) for _ in range(300)] + [domain.answer(rng) for _ in range(100)]

    for text in texts:
        pieces = model.hf_tokenizer.encode(" " + text, add_special_tokens=False).tokens
        assert all(piece.startswith("Ġ") or not piece[-1].isalnum() for piece in pieces), text


def test_it_is_an_english_model_of_its_documented_size(model: "WhisperModel") -> None:
    assert not model.model.is_multilingual
    assert (evaluate.MODEL / "model.bin").stat().st_size < 4_000_000
    assert model.hf_tokenizer.token_to_id(tokenizer.NO_SPEECH) is not None


def test_questions_and_commands_by_unknown_voices(model: "WhisperModel") -> None:
    texts = evaluate.drawn(30, 11, domain.in_domain_text)

    found = evaluate.measure(model, texts, seed=12)

    assert found.word_error_rate <= 0.08, found.wrong


@pytest.mark.parametrize("voice", ["en-us+f3", "en+robert"])
def test_the_demonstration_questions(model: "WhisperModel", voice: str) -> None:
    pairs = [
        (text, evaluate.hear(model, speech.with_silence(speech.say(text, voice)))) for text in domain.DEMO_QUESTIONS
    ]

    assert len(evaluate.score(pairs).wrong) <= 1, evaluate.score(pairs).wrong


def test_word_times(model: "WhisperModel") -> None:
    said = speech.speak("Why is there care beneath our goals?")
    samples = speech.with_silence(said.samples, before=0.5)

    segments, _ = model.transcribe(samples, language="en", word_timestamps=True)
    words = [word for segment in segments for word in segment.words or []]

    assert [evaluate.plain(word.word) for word in words] == [evaluate.plain(mark.text) for mark in said.words]
    late = sorted(abs(word.start - 0.5 - mark.start) for word, mark in zip(words, said.words, strict=True))
    assert late[len(late) // 2] < 0.2


@pytest.mark.parametrize(
    "options", [{"beam_size": 1}, {"without_timestamps": True}, {"vad_filter": True}, evaluate.MODES["hotwords"]]
)
def test_other_ways_to_ask_for_a_transcript(model: "WhisperModel", options: dict[str, Any]) -> None:
    texts = ("Can a machine become a peer?", "Go back thirty seconds.", "Play the part about homeostasis.")

    found = evaluate.measure(model, texts, **options)

    assert found.errors <= 1, found.wrong


@pytest.mark.parametrize("name", sorted(sounds.examples(0.1)))
def test_sounds_without_speech_give_nothing(model: "WhisperModel", name: str) -> None:
    samples = sounds.examples()[name]

    assert evaluate.hear(model, samples, vad_filter=True) == ""
    assert evaluate.invented(model, samples, temperature=0, beam_size=1) == ""
