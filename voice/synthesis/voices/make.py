# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the built-in voices: ``python -m voice.synthesis.voices.make [folder]`` (needs the packages onnx and scipy).

Each voice is an espeak-ng voice of our own, cut into diphones and put into an ONNX graph that piper loads. The same
versions of espeak-ng and pocketsphinx (whose word list is spoken) give the same bytes.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voice.synthesis.espeak import Espeak
from voice.synthesis.voices.harvest import RATE, Pair, Unit, harvest

if TYPE_CHECKING:
    from voice.synthesis.voices.graph import Bank

_STEADY = "flutter 0\nroughness 0"  # the period has to be known exactly


def _throat(percent: int, brightness: int) -> str:
    """Lines of a variant: all formants moved to `percent` of the frequency, those above the third at `brightness`."""
    return "\n".join(f"formant {i} {percent} {100 if i < 4 else brightness} 100" for i in range(9))


VARIANTS = {
    "female": f"gender female\npitch 200 200\n{_STEADY}\n{_throat(103, 100)}",
    "male": f"gender male\npitch 120 120\n{_STEADY}\n{_throat(99, 90)}",
}
"""espeak voice variants. The formants stay near espeak's own: moved by 8 percent, a recogniser understands far less."""

_PAUSES = {
    ",": (0.16, -0.02),
    ";": (0.25, -0.06),
    ":": (0.22, -0.06),
    ".": (0.30, -0.22),
    "!": (0.30, -0.20),
    "?": (0.30, 0.22),
}
"""Seconds of silence, and the change of pitch (natural logarithm) towards it."""

_STRESS = {"ˈ": 1.0, "ˌ": 0.45}
_VOWELS = "aeiouæɐɑɒɔəɚɛɜɪʊʌᵻ"

_SOUNDS_LIKE = {
    foreign: known
    for known, all_foreign in {
        "æ": "aɶ", "ɛ": "eε", "ɑː": "ɑɒ", "ɔː": "ɔ", "oʊ": "o", "uː": "uʉɯ", "ɜː": "ɜɝøœɞ", "ə": "ɘɵ", "ʌ": "ɤ",
        "ɪ": "ʏ", "ᵻ": "ɨ", "iː": "y", "b": "ɓʙ", "d": "ɖɗ", "f": "ɸ", "h": "çħɦχX", "j": "ɲʎʝ", "k": "cqx",
        "l": "ɫɬɭʟ", "m": "ɱ", "n": "ɳ", "ŋ": "ɴ", "s": "ʦ", "t": "ʈʔɾ", "v": "ʋβⱱ", "w": "ɥɰʍ", "z": "ɮ",
        "ɡ": "gɟɠɢɣʄʛ", "ɹ": "rɺɻɽʀʁ", "ʃ": "ʂɕ", "ʒ": "ʐʑ",
    }.items()
    for foreign in all_foreign
}  # fmt: skip
"""What is said for a sound that English lacks, or that was never heard on its own."""


def main(folder: Path) -> None:
    """Make every voice in a process of its own, because espeak-ng keeps the voice it has."""
    for name in VARIANTS:
        subprocess.run([sys.executable, "-m", "voice.synthesis.voices.make", str(folder), name], check=True)  # noqa: S603 - itself


def make_voice(name: str, folder: Path, sentences: int = 1500, rare: int = 4) -> Path:
    """Harvest one voice and write ``<name>.onnx`` and ``<name>.onnx.json`` into the folder.

    sentences, rare: how much is read, see voice.voices.harvest.harvest.
    """
    import onnx

    from voice.synthesis.voices.graph import build

    with tempfile.TemporaryDirectory() as data, Espeak(Path(data), "en-us", VARIANTS[name]) as espeak:
        units, period = harvest(espeak, sentences, rare)
    bank, config = assemble(units, period, name)
    path = folder / f"{name}.onnx"
    onnx.save(build(bank), str(path))
    path.with_suffix(".onnx.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def assemble(units: dict[Pair, Unit], period: float, name: str) -> "tuple[Bank, dict[str, Any]]":
    """The bank of the graph and piper's configuration for a set of units."""
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    from voice.synthesis.voices.graph import Bank, mulaw

    phones = sorted({phone for pair in units for phone in pair if phone})
    number = {phone: i for i, phone in enumerate(["", *phones])}
    size = len(number)
    waves, marks, kinds, at, frame = [], [], [], 0, 0
    table = np.zeros((size, size, 4), np.int64)
    first_half: dict[int, tuple[int, int]] = {}
    second_half: dict[int, tuple[int, int]] = {}
    for (a, b), unit in sorted(units.items()):
        waves.append(unit.wave)
        marks.append(unit.marks + at)
        kinds.append(unit.kinds)
        count = len(unit.marks)
        table[number[a], number[b], :2] = frame, count
        # a pair that was never heard is put together from two that were: half of this one, half of that
        second_half.setdefault(number[a], (frame, count // 2))
        first_half.setdefault(number[b], (frame + count // 2, count - count // 2))
        at += len(unit.wave)
        frame += count
    for i in range(size):
        for j in range(size):
            if table[i, j, 1] == 0 and (i or j):
                nothing = (0, 0)  # for a phoneme that was heard on one side only
                table[i, j] = (*second_half.get(i, nothing), *first_half.get(j, nothing))
    sound = np.concatenate(waves)
    loudest = float(np.quantile(np.abs(sound), 0.9999))

    ids = {phone: list(value) for phone, value in DEFAULT_PHONEME_ID_MAP.items()}
    for phone in phones:
        ids.setdefault(phone, [max(value[0] for value in ids.values()) + 1])
    symbols = max(value[0] for value in ids.values()) + 1
    of_id = np.full(symbols, -1, np.int64)
    stress, pause, tone = (np.zeros(symbols, np.float32) for _ in range(3))
    for phone, (i,) in ids.items():
        said = phone if phone in number else _SOUNDS_LIKE.get(phone, "-")
        of_id[i] = 0 if phone in _PAUSES else number.get(said, -1)
        pause[i], tone[i] = _PAUSES.get(phone, (0.0, 0.0))
        stress[i] = _STRESS.get(phone, 0.0)
    bank = Bank(
        sound=mulaw(sound / loudest),
        mark=np.concatenate(marks).astype(np.int64),
        kind=np.concatenate(kinds),
        unit=table.reshape(-1, 4),
        of_id=of_id,
        stress=stress,
        pause=pause,
        tone=tone,
        vowel=np.array([any(letter in _VOWELS for letter in phone) for phone in ["", *phones]], np.float32),
        period=period,
        gain=loudest,
    )
    config = {
        "audio": {"sample_rate": RATE, "quality": "low"},
        "dataset": f"earmark-{name}",
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "family": "en", "region": "US", "name_english": "English"},
        "phoneme_type": "espeak",
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "num_symbols": symbols,
        "num_speakers": 1,
        "speaker_id_map": {},
        "phoneme_id_map": ids,
        "vowel_clusters": [list(phone) for phone in phones if len(phone) > 1],
        "piper_version": "1.0.0",
    }
    return bank, config


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    if len(sys.argv) > 2:
        print(make_voice(sys.argv[2], target))  # noqa: T201 - the script's result
    else:
        main(target)
