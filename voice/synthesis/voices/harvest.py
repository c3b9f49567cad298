# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts diphones out of espeak-ng's own waveform: from the middle of one phoneme to the middle of the next.

espeak speaks on one note, so its period is known exactly and every cut and every frame can lie on the same phase of
the voice. That is what makes joints inaudible and lets the pitch be changed afterwards (TD-PSOLA; Moulines and
Charpentier, "Pitch-synchronous waveform processing techniques", Speech Communication 9, 1990).
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voice.synthesis.espeak import Espeak

RATE = 16_000  # hertz of the bank
_WORDS_A_MINUTE = 165
EMPHASIS = 0.9  # x[n] - 0.9 x[n-1]: the bank is stored with a flat spectrum, so 8 bits a sample are enough
FIXED, NOISE, VOICED = 0, 1, 2
"""Kinds of frames: a transient that is played once; stretchable noise or silence; a stretchable period."""

_STOPS = ("p", "t", "k", "b", "d", "ɡ", "tʃ", "dʒ", "ɾ", "ʔ")
_CANDIDATES = 10  # instances of a pair to choose from
_SILENCE = ""
_BANDS = 24

Wave = npt.NDArray[np.float32]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Unit:
    """One diphone. `wave` is pre-emphasised; `marks` are the frames' centres in it, in samples; `kinds` per frame."""

    wave: Wave
    marks: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]


@dataclass(slots=True)
class _Found:
    """Candidates for one pair: the unit and the spectra (dB per band) at its two ends."""

    units: list[Unit] = field(default_factory=list)
    ends: list[tuple[Wave, Wave]] = field(default_factory=list)


def spoken_words() -> list[str]:
    """The plain words of the pronouncing dictionary that comes with pocketsphinx, in its order."""
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    with path.open(encoding="utf-8") as file:
        words = [line.split(maxsplit=1)[0] for line in file]
    return [word for word in words if re.fullmatch("[a-z]{2,}", word)]


def harvest(espeak: Espeak, sentences: int, rare: int, seed: int = 7) -> tuple[dict[Pair, Unit], float]:
    """One unit for every pair of neighbouring phonemes of English ("" is silence), and the period in samples.

    `sentences` of five words in random order give most pairs; those with fewer than `rare` instances are asked for
    by a word that ends in the first phoneme before one that begins with the second.
    """
    chance = random.Random(seed)  # noqa: S311 - an order of words, nothing secret
    words = spoken_words()
    chance.shuffle(words)
    period = _period(_say(espeak, "Are you aware, Laura?")[0])
    phase = _pulse_phase([_say(espeak, f"{words[i]} {words[-i]}.")[0] for i in range(1, 40)], period)
    found: dict[Pair, _Found] = {}
    begins: dict[str, list[str]] = {}
    ends: dict[str, list[str]] = {}
    at = 0
    for _ in range(sentences):
        chosen, at = words[at : at + 5], at + 5
        _collect(found, *_say(espeak, f"{' '.join(chosen[:3])}, {' '.join(chosen[3:])}."), period, phase)
    for word in words[at : at + 2500]:
        names = [name for name, _ in _clean(espeak.say(word, _WORDS_A_MINUTE)[1]) if name]
        if names:
            begins.setdefault(names[0], []).append(word)
            ends.setdefault(names[-1], []).append(word)
    for text in _missing(found, begins, ends, rare):
        _collect(found, *_say(espeak, text), period, phase)
    return _choose(found), period


def _say(espeak: Espeak, text: str) -> tuple[Wave, list[tuple[str, int]]]:
    """The text on one note at RATE, and its phonemes without stress marks as (IPA, first sample)."""
    from scipy.signal import resample_poly

    wave, phonemes = espeak.say(text, _WORDS_A_MINUTE, pitch_range=0)
    common = int(np.gcd(RATE, espeak.rate))
    up, down = RATE // common, espeak.rate // common
    wave = resample_poly(wave, up, down, window=_low_pass(up, down)).astype(np.float32)
    return wave, [(name, round(sample * RATE / espeak.rate)) for name, sample in _clean(phonemes)]


@cache
def _low_pass(up: int, down: int) -> Wave:
    """The filter of the change of rate, made once."""
    from scipy.signal import firwin

    most = max(up, down)
    taps: Wave = firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0)).astype(np.float32)
    return taps


def _clean(phonemes: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Phonemes without stress marks and without the marks of another language."""
    return [(name.lstrip("ˈˌ"), sample) for name, sample in phonemes if "(" not in name]


def _period(wave: Wave) -> float:
    """The period of a wave of constant pitch, in samples, from the last strong peak of its autocorrelation."""
    spectrum = np.abs(np.fft.rfft(wave, 1 << 19)) ** 2
    similar = np.fft.irfft(spectrum)
    first = 40 + int(np.argmax(similar[40:280]))
    best = float(first)
    for times in (2, 4, 8):
        near = round(best * times)
        window = similar[near - 12 : near + 13]
        top = near - 12 + int(np.argmax(window))
        left, mid, right = similar[top - 1 : top + 2]
        best = (top + 0.5 * (left - right) / (left - 2 * mid + right)) / times
    return best


def _fundamental(wave: Wave, period: float) -> npt.NDArray[np.complex128]:
    """The fundamental at every sample: its angle is the phase of the voice, its magnitude tells voiced from not."""
    from scipy.signal import fftconvolve

    turn = np.exp(2j * np.pi * np.arange(len(wave)) / period)
    window = np.hanning(2 * round(1.25 * period) + 1)
    slow = fftconvolve(wave * turn.conj(), window / window.sum(), "same")
    return np.asarray(slow * turn)


def _pulse_phase(waves: Iterable[Wave], period: float) -> float:
    """The phase of the fundamental at which the energy of a period is centred: frames are cut around it."""
    total = 0j
    for wave in waves:
        base = _fundamental(wave, period)
        voiced = np.abs(base) > 0.02
        energy = _emphasise(wave) ** 2
        total += np.sum(energy[voiced] * base[voiced] / np.abs(base[voiced]))
    return float(np.angle(total))


def _emphasise(wave: Wave) -> Wave:
    """A flat spectrum instead of one that falls."""
    return wave - EMPHASIS * np.concatenate([[np.float32(0)], wave[:-1]]).astype(np.float32)


def _marks(wave: Wave, period: float, phase: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The frame centres of a wave, one a period, and which are voiced; gaps between voiced runs are divided evenly."""
    base = _fundamental(wave, period)
    angle = np.unwrap(np.angle(base) - phase) / (2 * np.pi)
    turns = np.floor(angle)
    crossing = np.nonzero(np.diff(turns) > 0)[0]
    loud = np.abs(base) > 0.008
    marks: list[int] = [0]
    voiced = [False]
    for at in (int(x) for x in crossing if loud[x]):
        gap = at - marks[-1]
        if gap < 0.6 * period:
            continue
        steps = max(1, round(gap / period))
        for step in range(1, steps):
            marks.append(marks[-1] + (at - marks[-1]) // (steps - step + 1))
            voiced.append(False)
        marks.append(at)
        voiced.append(True)
    while marks[-1] + period < len(wave):
        marks.append(marks[-1] + round(period))
        voiced.append(False)
    return np.array(marks), np.array(voiced)


def _collect(
    found: dict[Pair, _Found], wave: Wave, phonemes: list[tuple[str, int]], period: float, phase: float
) -> None:
    """Add what one spoken sentence holds to the candidates."""
    marks, voiced = _marks(wave, period, phase)
    flat = _emphasise(wave)
    level = np.sqrt(np.convolve(flat**2, np.ones(64) / 64, "same") + 1e-9)
    bounds = [sample for _, sample in phonemes] + [len(wave)]
    cuts = [_cut(name, bounds[i], bounds[i + 1], level) for i, (name, _) in enumerate(phonemes)]
    half = round(period)
    for i in range(len(phonemes) - 1):
        pair = (phonemes[i][0], phonemes[i + 1][0])
        if pair == (_SILENCE, _SILENCE):
            continue
        entry = found.setdefault(pair, _Found())
        if len(entry.units) >= _CANDIDATES:
            continue
        edge = bounds[i + 1]
        first, last = cuts[i], cuts[i + 1]
        if pair[0] == _SILENCE:
            first = max(first, edge - half)
        if pair[1] == _SILENCE:
            quiet = np.nonzero(level[edge:last] > 0.002)[0]
            last = edge + (int(quiet[-1]) if len(quiet) else 0) + half
        a, b = np.searchsorted(marks, [first, last])
        if b <= a or marks[b - 1] + half > len(flat) or marks[a] < half:
            continue
        inside = slice(marks[a] - half, marks[b - 1] + half)
        kinds = np.where(voiced[a:b], VOICED, NOISE).astype(np.uint8)
        for k in range(a, b):
            if _transient(level, int(marks[k]), half):
                kinds[k - a] = FIXED
        entry.units.append(Unit(flat[inside].copy(), marks[a:b] - marks[a] + half, kinds))
        entry.ends.append((_bands(flat, int(marks[a]), half), _bands(flat, int(marks[min(b, len(marks) - 1)]), half)))


def _cut(name: str, begin: int, end: int, level: Wave) -> int:
    """Where to cut inside a phoneme: in the closure of a stop, else in the middle."""
    if name in _STOPS and end - begin > 64:
        length = end - begin
        part = level[begin + length // 10 : begin + length * 6 // 10]
        return begin + length // 10 + int(np.argmin(part))
    return (begin + end) // 2


def _transient(level: Wave, at: int, half: int) -> bool:
    """Does the level jump by 12 dB within the frame around `at` (the release of a stop)?"""
    before = level[max(0, at - half) : at - half // 3]
    after = level[at - half // 3 : at + half]
    return bool(len(before) and len(after) and after.max() > 0.03 and after.max() > 4 * before.mean())


def _bands(flat: Wave, at: int, half: int) -> Wave:
    """The spectrum around a mark in dB, in bands of equal width."""
    piece = flat[max(0, at - half) : at + half]
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1024)) ** 2
    bands = power[: 512 - 512 % _BANDS].reshape(_BANDS, -1).mean(axis=1)
    decibels: Wave = (10 * np.log10(bands + 1e-6)).astype(np.float32)
    return decibels


def _missing(
    found: dict[Pair, _Found], begins: dict[str, list[str]], ends: dict[str, list[str]], rare: int
) -> Iterator[str]:
    """Texts in which pairs with fewer than `rare` instances occur between two words."""
    for last in sorted(ends):
        for first in sorted(begins):
            have = len(found[last, first].units) if (last, first) in found else 0
            for i in range(min(rare - have, len(ends[last]), len(begins[first]))):
                yield f"the {ends[last][i]} {begins[first][-1 - i]} again."


def _choose(found: dict[Pair, _Found]) -> dict[Pair, Unit]:
    """Of every pair the instance whose ends are most like its phonemes usually are, and whose length is usual."""
    at_phoneme: dict[str, list[Wave]] = {}
    for (a, b), entry in found.items():
        at_phoneme.setdefault(a, []).extend(left for left, _ in entry.ends)
        at_phoneme.setdefault(b, []).extend(right for _, right in entry.ends)
    usual = {name: np.median(np.stack(all_), axis=0) for name, all_ in at_phoneme.items() if all_}
    chosen: dict[Pair, Unit] = {}
    for (a, b), entry in sorted(found.items()):
        if not entry.units:
            continue
        length = float(np.median([len(unit.marks) for unit in entry.units]))

        def cost(i: int, a: str = a, b: str = b, entry: _Found = entry, length: float = length) -> float:
            left, right = entry.ends[i]
            unlike = 0.0
            for name, heard in ((a, left), (b, right)):
                if name != _SILENCE:
                    unlike += float(np.mean((heard - usual[name]) ** 2))
            return float(unlike + 60 * np.log(len(entry.units[i].marks) / length) ** 2)

        chosen[a, b] = entry.units[min(range(len(entry.units)), key=cost)]
    return chosen
