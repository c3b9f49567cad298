# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the utterances that the tiny Whisper is trained on, once, so that training only has to mix them.

    python -m tests.models.whisper.pool build/whisper/pool --piper voice/voices/female.onnx voice/voices/male.onnx

Each chunk file holds a thousand utterances (espeak-ng in many voices; one in eight by the Piper voices, if given) and
depends only on its number, so that several processes can share the work (--first, --chunks).
"""

import argparse
import pickle
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.models.whisper import domain, speech

CHUNK = 1000
PIPER_SHARE = 0.125


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance of the pool: int16 (n,) at 16 kHz; marks are empty where the engine does not tell them."""

    text: str
    voice: str
    samples: npt.NDArray[np.int16]
    words: tuple[speech.Mark, ...]
    phonemes: tuple[speech.Mark, ...]


def random_voice(rng: random.Random, variants: tuple[str, ...] = speech.TRAINING_VARIANTS) -> str:
    """An accent and a timbre; the two plain accents are most frequent."""
    language = rng.choice(speech.LANGUAGES[:2] if rng.random() < 0.7 else speech.LANGUAGES)
    variant = rng.choice(variants)
    return f"{language}+{variant}" if variant else language


def by_espeak(engine: speech.Engine, text: str, voice: str, rng: random.Random) -> Spoken:
    """``text`` by espeak-ng at a speed, pitch and liveliness by chance."""
    said = engine.speak(text, voice, rng.randint(125, 200), rng.randint(20, 80), rng.randint(25, 75))
    return Spoken(text, voice, _int16(said.samples), said.words, said.phonemes)


def by_piper(voice: Any, text: str, rng: random.Random | None = None) -> Spoken:
    """``text`` by a loaded `piper.PiperVoice`, at a speed by chance if ``rng`` is given."""
    from piper import SynthesisConfig

    config = SynthesisConfig(length_scale=rng.uniform(0.85, 1.2) if rng else 1.0)
    wave = np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(text, config)])
    samples = speech.resample(wave.astype(np.float32), voice.config.sample_rate, speech.RATE)
    loud = np.flatnonzero(np.abs(samples) > 1e-3)
    return Spoken(text, "piper", _int16(samples[loud[0] : loud[-1] + 200]), (), ())


def _int16(samples: speech.Samples) -> npt.NDArray[np.int16]:
    return (samples / max(float(np.abs(samples).max()), 1e-6) * 30000).astype(np.int16)


def write(path: Path, spoken: list[Spoken]) -> None:
    """Write a chunk; it appears under its name only when it is complete."""
    # plain tuples: this module is `__main__` when it renders, and a pickle would look for its classes there
    rows = [(s.text, s.voice, s.samples, s.words, s.phonemes) for s in spoken]
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(rows))
    partial.rename(path)


def render(number: int, pipers: Sequence[Any]) -> list[Spoken]:
    """Chunk ``number``: the same number gives the same utterances."""
    rng = random.Random(1000 + number)
    found: list[Spoken] = []
    with speech.Engine() as engine:
        while len(found) < CHUNK:
            text = domain.training_text(rng)
            if pipers and rng.random() < PIPER_SHARE:
                found.append(by_piper(rng.choice(pipers), text, rng))
            else:
                found.append(by_espeak(engine, text, random_voice(rng), rng))
    return [spoken for spoken in found if 1600 < len(spoken.samples) < 14 * speech.RATE]


def load(folder: Path) -> list[Spoken]:
    """All utterances of the pool in ``folder``, in the order of their chunks."""
    chunks = sorted(folder.glob("*.pickle"))
    return [Spoken(*row) for path in chunks for row in pickle.loads(path.read_bytes())]


def main() -> None:
    """Render chunks into a folder; chunks that are there already are left alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--piper", type=Path, nargs="*", default=[], help="Piper voices (.onnx) to hear as well")
    parser.add_argument("--first", type=int, default=0, help="number of the first chunk")
    parser.add_argument("--chunks", type=int, default=28, help="how many chunks of a thousand utterances")
    options = parser.parse_args()
    pipers = []
    if options.piper:
        from piper import PiperVoice

        pipers = [PiperVoice.load(path) for path in options.piper]
    options.folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.chunks):
        path = options.folder / f"{number:03d}.pickle"
        if not path.exists():
            write(path, render(number, pipers))
            print(path, flush=True)


if __name__ == "__main__":
    main()
