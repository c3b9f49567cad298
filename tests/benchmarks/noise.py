# SPDX-License-Identifier: GPL-3.0-or-later
"""What is heard where nobody asks: noises, music and coughs through the ears and the recogniser, as when listening.

    python -m tests.benchmarks.noise

The recordings are those of ``../shared/data/speech/noise`` (a kitchen, a living room) and speechbrain's noises, where
they are there; the sounds are the tests' own (hum, hiss, chords, melodies, clicks, breath, coughs). Each is heard at
four levels. A turn is what the ears took for speech; invented is what a recogniser made of a turn.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from retrieval.commands.said_often import SAID_OFTEN
from tests.benchmarks.hearing import CLIPS
from tests.sounds import examples
from voice.audio import FRAME, HEARING_RATE, Audio, Samples, read_audio
from voice.model import Bias
from voice.recognition.choice import Hearing
from voice.recognition.whisper import Whisper
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change
from voice.weights import TINY_EN

LEVELS = (0.01, 0.05, 0.2, 0.7)
"""Loudest sample."""


def cough(draw: np.random.Generator) -> Samples:
    """A burst of noise through a throat: 0.3 s that rise at once and fall, with the vowel of a cough in it."""
    at = np.arange(round(0.3 * HEARING_RATE)) / HEARING_RATE
    throat = sum(np.sin(2 * np.pi * hertz * at + draw.uniform(0, 6)) for hertz in (140, 650, 1100, 2400))
    burst = (draw.normal(0, 1, len(at)) + 0.5 * throat) * np.exp(-at / 0.07)
    return np.pad(burst, (HEARING_RATE // 2, HEARING_RATE)).astype(np.float32)


def sounds() -> Iterator[tuple[str, Samples]]:
    """Everything that is no speech, by name."""
    draw = np.random.default_rng(4)
    yield from examples().items()
    for number in range(5):
        yield f"cough {number}", np.concatenate([cough(draw), cough(draw)])
    folders = [CLIPS / "noise", CLIPS / "speechbrain"]
    for path in sorted(path for folder in folders if folder.is_dir() for path in folder.rglob("*")):
        if path.suffix in (".wav", ".flac") and ("noise" in path.as_posix().lower()):
            yield path.name, read_audio(path).samples


def turns(samples: Samples, level: float) -> Iterator[Samples]:
    """What the ears take for something said."""
    loud = samples / max(1e-9, float(np.abs(samples).max())) * level
    heard = np.pad(loud, (HEARING_RATE, 2 * HEARING_RATE)).astype(np.float32)
    front_end, silent = FrontEnd(), np.zeros(FRAME, np.float32)
    for at in range(0, len(heard) - FRAME, FRAME):
        for event in front_end.push(heard[at : at + FRAME], silent):
            if event.change is Change.OVER:
                yield front_end.utterance(event)


def main() -> None:
    engines: list[Hearing] = [Whisper(TINY_EN.path or Path(), "tiny.en")]
    bias = Bias(("Elias Brandt", "Nora Lindqvist"), ("homeostasis", "apprentice"), SAID_OFTEN)
    seconds, taken, invented = 0.0, 0, {engine.name: [] for engine in engines}
    for name, samples in sounds():
        for level in LEVELS:
            seconds += len(samples) / HEARING_RATE
            for said in turns(samples, level):
                taken += 1
                for engine in engines:
                    if text := engine.hear(Audio(said, HEARING_RATE), bias).text:
                        invented[engine.name].append(f"{name} at {level}: {text}")
    print(f"{seconds / 60:.1f} minutes without a question: {taken} turns")
    for engine_name, texts in invented.items():
        print(f"{engine_name}: {len(texts)} invented", *texts, sep="\n  ")


if __name__ == "__main__":
    main()
