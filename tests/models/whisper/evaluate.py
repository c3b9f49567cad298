# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the exported tiny Whisper through faster-whisper's ordinary `transcribe`.

    python -m tests.models.whisper.evaluate
    python -m tests.models.whisper.evaluate --piper voice/voices/female.onnx voice/voices/male.onnx

It prints the tables of tests/models/README.md and takes minutes. Every voice is one the model was never trained on,
but for the Piper voices, whose timbre it has heard.
"""

import argparse
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.models.whisper import domain, sounds, speech

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

MODEL = Path(__file__).parent / "tiny"
Say = Callable[[str, random.Random], speech.Samples]

MODES: dict[str, dict[str, Any]] = {
    "as it comes (beam 5)": {},
    "beam 1": {"beam_size": 1},
    "vad_filter": {"vad_filter": True},
    "word_timestamps": {"word_timestamps": True},
    "without_timestamps": {"without_timestamps": True},
    "hotwords": {"hotwords": "Nora Lindqvist, Elias Brandt, Second Nature, homeostasis"},
    "initial_prompt": {"initial_prompt": "Raising the Apprentice, with Elias Brandt and Xanthippe Quill."},
}


@dataclass(frozen=True, slots=True)
class Score:
    """How well a set was heard: ``words`` spoken, word ``errors``, and which sentences came out wrong."""

    sentences: int
    words: int
    errors: int
    wrong: tuple[tuple[str, str], ...]

    @property
    def word_error_rate(self) -> float:
        """Errors per word spoken."""
        return self.errors / max(1, self.words)

    @property
    def exact(self) -> float:
        """Share of sentences without an error."""
        return 1 - len(self.wrong) / max(1, self.sentences)


def plain(text: str) -> str:
    """Lower case, letters only."""
    return re.sub(r"[^a-z ]", "", text.lower().replace("-", " ")).strip()


def word_errors(spoken: Sequence[str], heard: Sequence[str]) -> int:
    """The edit distance between two lists of words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(spoken, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


def score(pairs: Iterable[tuple[str, str]]) -> Score:
    """Compare pairs of (spoken, heard), punctuation and case aside."""
    words = errors = sentences = 0
    wrong = []
    for spoken, heard in pairs:
        said, got = plain(spoken), plain(heard)
        sentences, words = sentences + 1, words + len(said.split())
        errors += word_errors(said.split(), got.split())
        if said != got:
            wrong.append((said, got))
    return Score(sentences, words, errors, tuple(wrong))


def load(path: Path = MODEL) -> "WhisperModel":
    """The model as the product loads it."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=1)


def hear(model: "WhisperModel", samples: speech.Samples, **options: Any) -> str:
    """What ``model`` makes of ``samples`` (16 kHz), as one text."""
    segments, _ = model.transcribe(samples, language="en", condition_on_previous_text=False, **options)
    return "".join(segment.text for segment in segments).strip()


def held_out_voice(text: str, rng: random.Random) -> speech.Samples:
    """``text`` by a voice, speed and pitch by chance, in a timbre never trained on, with silence around it."""
    language = rng.choice(speech.LANGUAGES[:2] if rng.random() < 0.7 else speech.LANGUAGES)
    voice = f"{language}+{rng.choice(speech.HELD_OUT_VARIANTS)}"
    return speech.with_silence(speech.say(text, voice, rng.randint(130, 190), rng.randint(30, 70)))


def measure(
    model: "WhisperModel", texts: Sequence[str], say: Say = held_out_voice, seed: int = 1, **options: Any
) -> Score:
    """Speak every text once and compare what is heard."""
    rng = random.Random(seed)
    return score((text, hear(model, say(text, rng), **options)) for text in texts)


def drawn(count: int, seed: int, draw: Callable[[random.Random], str]) -> list[str]:
    """``count`` texts by ``draw``."""
    rng = random.Random(seed)
    return [draw(rng) for _ in range(count)]


def held_out(draw: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    """``draw`` again and again until the text is one that was never trained on."""

    def drawing(rng: random.Random) -> str:
        while not domain.is_held_out(text := draw(rng)):
            pass
        return text

    return drawing


def long_clip(count: int, seed: int) -> tuple[str, speech.Samples]:
    """One held-out voice speaks ``count`` sentences with pauses of 0.3-0.9 s: the text and 16 kHz samples."""
    rng = random.Random(seed)
    texts = [domain.in_domain_text(rng) if rng.random() < 0.7 else domain.answer(rng) for _ in range(count)]
    voice = f"en-us+{rng.choice(speech.HELD_OUT_VARIANTS)}"
    parts = []
    for text in texts:
        before, after = rng.uniform(0.15, 0.45), rng.uniform(0.15, 0.45)
        parts.append(speech.with_silence(speech.say(text, voice), before, after))
    return " ".join(texts), np.concatenate(parts)


def speech_spans(samples: speech.Samples) -> list[float]:
    """Starts and ends (seconds) of speech by faster-whisper's VAD, as `clip_timestamps` wants them."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    found = get_speech_timestamps(samples, VadOptions(min_silence_duration_ms=200, speech_pad_ms=120))
    return [span[edge] / speech.RATE for span in found for edge in ("start", "end")]


def invented(model: "WhisperModel", samples: speech.Samples, **options: Any) -> str:
    """The text heard in a sound without speech, save segments marked as no speech (probability 0.6 or more)."""
    segments, _ = model.transcribe(samples, language="en", condition_on_previous_text=False, **options)
    return "".join(s.text for s in segments if s.no_speech_prob < 0.6).strip()


def piper_voice(path: Path) -> Say:
    """Speak with the Piper voice at ``path``."""
    from piper import PiperVoice

    from tests.models.whisper.pool import by_piper

    voice = PiperVoice.load(path)

    def say(text: str, rng: random.Random) -> speech.Samples:
        samples = by_piper(voice, text).samples
        return speech.with_silence((samples / 40000).astype(np.float32))

    return say


def _row(name: str, found: Score, examples: int = 4) -> None:
    print(f"| {name} | {found.sentences} | {found.word_error_rate:.1%} | {found.exact:.1%} |", flush=True)
    for spoken, heard in found.wrong[:examples]:
        print(f"    {spoken} -> {heard}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--piper", type=Path, nargs="*", default=[], help="Piper voices (.onnx) to hear as well")
    parser.add_argument("--count", type=int, default=200, help="sentences in each set")
    options = parser.parse_args()
    model, count = load(options.model), options.count
    print("| set | sentences | WER | exact |\n|---|---|---|---|")
    texts = drawn(count, 2, domain.in_domain_text)
    for name, mode in MODES.items():
        _row(f"questions and commands, {name}", measure(model, texts, **mode), 12 if not mode else 0)
    unseen = drawn(count, 3, lambda rng: domain.in_domain_text(rng, held_out=True))
    _row("held-out sentences", measure(model, unseen), 8)
    _row("ten demo questions, ten voices", measure(model, domain.DEMO_QUESTIONS * 10))
    _row("fixed commands, six voices", measure(model, domain.FIXED_COMMANDS * 6), 12)
    _row("answers", measure(model, drawn(count, 4, domain.answer)))
    _row("sentences of the episode", measure(model, drawn(count, 5, domain.from_episode)))
    for path in options.piper:
        say = piper_voice(path)
        _row(f"Piper {path.stem}: questions and commands", measure(model, texts, say))
        _row(f"Piper {path.stem}: held-out answers", measure(model, drawn(count, 6, held_out(domain.answer)), say))
        _row(f"Piper {path.stem}: sentences of the episode", measure(model, drawn(count, 7, domain.from_episode), say))
    clips = [long_clip(14, seed) for seed in range(6)]
    cut = [(text, hear(model, clip, clip_timestamps=speech_spans(clip))) for text, clip in clips]
    seconds = sorted(len(clip) // speech.RATE for _, clip in clips)
    _row(f"clips of {seconds[0]}-{seconds[-1]} s, cut by the VAD", score(cut), 0)
    _row("the same clips, vad_filter", score((text, hear(model, clip, vad_filter=True)) for text, clip in clips), 0)
    _row("the same clips, whole", score((text, hear(model, clip)) for text, clip in clips), 0)
    print("\n| no speech | vad_filter | without, temperature 0 | without_timestamps |\n|---|---|---|---|")
    for name, samples in sounds.examples().items():
        ways = ({"vad_filter": True}, {"temperature": 0}, {"temperature": 0, "without_timestamps": True})
        cells = [name, *(invented(model, samples, **way) or "nothing" for way in ways)]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
