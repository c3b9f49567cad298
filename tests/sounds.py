# SPDX-License-Identifier: GPL-3.0-or-later
"""Sounds that are not speech: silence, noise, hum, music-like tones, clicks, breath. All mono at 16 kHz."""

import numpy as np
import numpy.typing as npt

from tests.speech import RATE

Samples = npt.NDArray[np.float32]


def noise(rng: np.random.Generator, count: int, colour: float = 0.0) -> Samples:
    """Noise of unit power whose spectrum falls by ``colour`` x 6 dB an octave (0 white, 1 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.maximum(np.fft.rfftfreq(count, 1 / RATE), 30.0) ** colour
    wave = np.fft.irfft(spectrum, count)
    return np.asarray(wave / (np.sqrt((wave**2).mean()) + 1e-12), np.float32)


def hum(rng: np.random.Generator, count: int, mains: float) -> Samples:
    """Mains hum: ``mains`` hertz and up to twelve harmonics of random strength and phase; peak 1."""
    time = np.arange(count) / RATE
    orders = np.arange(1, rng.integers(2, 14))
    strength = rng.uniform(0, 1, len(orders)) / orders ** rng.uniform(0.3, 1.5)
    strength[0] = 1.0
    phase = rng.uniform(0, 2 * np.pi, len(orders))
    wave = (strength[:, None] * np.sin(2 * np.pi * mains * orders[:, None] * time + phase[:, None])).sum(0)
    return _peak_one(wave)


def tones(rng: np.random.Generator, count: int) -> Samples:
    """Music-like: chords of harmonic notes that change or die away; peak 1."""
    wave, at = np.zeros(count), 0
    length = round(RATE * rng.uniform(0.15, 2.5))
    decay, vibrato = rng.uniform(0, 5), rng.uniform(0, 0.01)
    while at < count:
        size = min(length, count - at)
        time = np.arange(size) / RATE
        root = 110 * 2 ** (rng.integers(0, 36) / 12)
        for step in rng.choice([0, 3, 4, 7, 10, 12, 16, 19], rng.integers(1, 5), replace=False):
            bend = vibrato * np.sin(2 * np.pi * 5 * time)
            for order in range(1, rng.integers(2, 7)):
                pitch = root * 2 ** (step / 12) * order
                wave[at : at + size] += np.sin(2 * np.pi * pitch * time + order * bend * root) / order**1.5 * (
                    np.exp(-decay * time) * np.minimum(1, time * 50) * np.minimum(1, (size / RATE - time) * 50)
                )
        at += length
    return _peak_one(wave)


def clicks(rng: np.random.Generator, count: int) -> Samples:
    """Clicks or knocks, evenly spaced or not; peak 1."""
    wave = np.zeros(count)
    gap = rng.uniform(0.05, 0.8) * RATE
    jitter = rng.choice([0.0, rng.uniform(0, 0.4)])
    at = np.cumsum(gap * (1 + jitter * rng.uniform(-1, 1, int(count / gap) + 1))).astype(int)
    wave[at[at < count]] = 1.0
    if rng.random() < 0.6:
        size = round(RATE * rng.uniform(0.002, 0.08))
        body = rng.standard_normal(size) if rng.random() < 0.5 else np.sin(np.arange(size) * rng.uniform(0.02, 0.6))
        wave = np.convolve(wave, body * np.exp(-np.linspace(0, 6, size)))[:count]
    return _peak_one(wave)


def breath(rng: np.random.Generator, count: int) -> Samples:
    """Breath-like: band-limited noise that swells and falls; peak 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    centre, width = rng.uniform(300, 3500), rng.uniform(300, 2500)
    spectrum *= np.exp(-(((frequency - centre) / width) ** 2))
    time = np.arange(count) / RATE
    swell = np.sin(2 * np.pi * rng.uniform(0.15, 1.2) * time + rng.uniform(0, 6))
    return _peak_one(np.fft.irfft(spectrum, count) * np.clip(swell, 0, None) ** rng.uniform(0.5, 2))


def any_sound(rng: np.random.Generator, count: int) -> Samples:
    """One of the above by chance, at a level by chance (-60 dB to almost full scale), often over faint noise."""
    makers = (
        lambda: np.zeros(count, np.float32),
        lambda: noise(rng, count, rng.choice([0, 0, 0.5, 1, rng.uniform(0, 1.2)])) * 0.25,
        lambda: hum(rng, count, rng.choice([50, 60, 100, 120, rng.uniform(30, 400)])),
        lambda: tones(rng, count),
        lambda: clicks(rng, count),
        lambda: breath(rng, count),
    )
    wave = makers[rng.choice(6, p=[0.15, 0.2, 0.2, 0.2, 0.1, 0.15])]() * 10 ** rng.uniform(-2.5, -0.05)
    if rng.random() < 0.5:
        wave = wave + noise(rng, count, rng.choice([0, 0.5, 1])) * 10 ** rng.uniform(-4, -1.5)
    return np.asarray(np.clip(wave, -1, 1), np.float32)


def examples(seconds: float = 5.0, seed: int = 99) -> dict[str, Samples]:
    """Fixed sounds in which nobody speaks, by name: what measures the model must give nothing for."""
    rng, count = np.random.default_rng(seed), round(seconds * RATE)
    time = np.arange(count) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (262, 330, 392, 523))
    train = (np.arange(count) % 4000 == 0) * 0.8
    found = {
        "silence": np.zeros(count),
        "noise -60 dB": noise(rng, count) * 0.001,
        "noise -40 dB": noise(rng, count) * 0.01,
        "noise -20 dB": noise(rng, count) * 0.1,
        "brown noise -20 dB": noise(rng, count, 1.0) * 0.1,
        "sine 100 Hz": 0.1 * np.sin(2 * np.pi * 100 * time),
        "hum 50 Hz": hum(rng, count, 50) * 0.2,
        "hum 60 Hz": hum(rng, count, 60) * 0.2,
        "hum 100 Hz": hum(rng, count, 100) * 0.5,
        "chord": 0.05 * chord,
        "melody": tones(rng, count) * 0.5,
        "slow chords": tones(rng, count) * 0.3,
        "click train": train,
        "knocks": clicks(rng, count) * 0.7,
        "breath": breath(rng, count) * 0.1,
        "loud breath": breath(rng, count) * 0.5,
    }
    return {name: np.asarray(wave, np.float32) for name, wave in found.items()}


def _peak_one(wave: npt.NDArray[np.float64]) -> Samples:
    return np.asarray(wave / (np.abs(wave).max(initial=0.0) + 1e-9), np.float32)
