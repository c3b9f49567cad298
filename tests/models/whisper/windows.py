# SPDX-License-Identifier: GPL-3.0-or-later
"""Training windows: utterances of the pool mixed with gaps, rooms and noise, and what the decoder should say to them.

Two kinds. A short window (8 s) stands anywhere in the 30 s that Whisper sees and is cheap; a whole one is 30 s with
many sentences, the last often cut off by the window's end, as in a long clip.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.models.whisper import domain, sounds, tokenizer
from tests.models.whisper.pool import Spoken
from tests.models.whisper.speech import RATE, Mark, Samples

SHORT, WHOLE = 8, 30
"""Seconds of the two kinds."""

IGNORE = -100
LATEST_START = 1.0  # seconds: faster-whisper allows no later first timestamp
Span = tuple[float, float] | None  # seconds from the window's start; None: this token is said nowhere
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """One example: ``mel`` (80, frames) zero-padded, and a lesson for every token and every encoder position."""

    mel: npt.NDArray[np.float32]
    offset: int  # encoder position of the first frame
    inputs: list[int]
    targets: list[int]
    spans: list[Span]  # where each input token is said; a target's span is that of the next input
    phonemes: Ints  # class of the phoneme at each encoder position, 0 silence, IGNORE unknown
    first: int  # decoder position of the first token


@dataclass(slots=True)
class _Placed:
    """An utterance in the window at ``start`` seconds; ``ids`` and their spans relative to the utterance."""

    start: float
    seconds: float
    ids: list[int]
    spans: list[Span]
    phonemes: tuple[Mark, ...]
    known: bool


def token_spans(spoken: Spoken, ids: Sequence[int]) -> list[Span]:
    """Where each token of a text is said: a word's own place; for punctuation, the end of the word before it."""
    if not spoken.words:
        return [None] * len(ids)
    spans: list[Span] = []
    place = -1
    for index in ids:
        piece = tokenizer.piece_of(index)
        place += piece.startswith("Ġ")
        word = spoken.words[place]
        spans.append((word.start, word.end) if piece[-1].isalpha() else (word.end - 0.06, word.end))
    return spans


class Mixer:
    """Draws windows from a pool; the same seed gives the same windows."""

    def __init__(self, pool: Sequence[Spoken], seed: int) -> None:
        from faster_whisper.feature_extractor import FeatureExtractor

        self._pool = pool
        self._rng = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._features = FeatureExtractor()
        names = sorted({mark.text for spoken in pool for mark in spoken.phonemes} - {""})
        self._classes = {name: 1 + i % 159 for i, name in enumerate(names)} | {"": 0}
        self._control = {name: tokenizer.id_of(name) for name in tokenizer.CONTROLS}
        self._zero = tokenizer.id_of(tokenizer.TIMESTAMPS[0])

    def window(self, whole: bool) -> Window:
        """The next window, short or whole."""
        seconds = WHOLE if whole else SHORT
        if self._rng.random() < 0.09:
            return self._without_speech(seconds)
        rng = self._rng
        offset = 0 if whole or rng.random() < 0.6 else rng.randint(0, 1500 - seconds * 50)
        wave, placed, cut = self._speech(seconds, whole)
        mel = self._mel(self._spoil(wave), seconds)
        return self._labelled(mel, offset, placed, cut)

    def _without_speech(self, seconds: int) -> Window:
        rng = self._rng
        wave = sounds.any_sound(self._noise, round(rng.uniform(0.4, seconds - 0.1) * RATE))
        start, end, silence = (self._control[n] for n in (tokenizer.START, tokenizer.END, tokenizer.NO_SPEECH))
        free = self._zero + rng.choice([0, 0, 0, rng.randint(0, 50)])
        second = self._control[tokenizer.NO_TIMESTAMPS] if rng.random() < 0.35 else free
        # faster-whisper reads the probability of <|nospeech|> here but forces a timestamp: teach both
        verdict = silence if rng.random() < 0.85 else self._zero
        labels = np.zeros(seconds * 50, np.int64)
        prompt = self._prompt(0.15)
        inputs, targets = [*prompt, start, second], [*[IGNORE] * len(prompt), verdict, end]
        return Window(self._mel(wave, seconds), 0, inputs, targets, [None] * (len(inputs) + 1), labels, 0)

    def _speech(self, seconds: int, whole: bool) -> tuple[Samples, list[_Placed], float | None]:
        """The mixed wave, what was placed in it, and where a sentence begins that the window cuts off."""
        rng = self._rng
        room = seconds * RATE - 160
        wave = np.zeros(room, np.float32)
        at = round(rng.choice([0, rng.uniform(0, 0.4), rng.uniform(0, 1.5)]) * RATE)
        most = 1 if rng.random() < (0.1 if whole else 0.35) else rng.choice([2, 3, 5, 99, 99, 99])
        placed: list[_Placed] = []
        end = room
        while len(placed) < most:
            spoken = rng.choice(self._pool)
            speed = rng.choice([1.0, rng.uniform(0.9, 1.1)])
            samples = _respeed(spoken.samples, speed) * rng.choice([1, rng.uniform(0.25, 1)])
            if at + len(samples) > room - 800:
                if not placed:
                    at = 0
                    if len(samples) <= room:
                        continue
                    return self._speech(seconds, whole)
                if whole and 1600 < room - at < len(samples) and rng.random() < 0.8:
                    wave[at:] = samples[: room - at]
                    return wave, placed, at / RATE
                break
            wave[at : at + len(samples)] = samples
            ids = tokenizer.encode(spoken.text)
            spans: list[Span] = [s and (s[0] / speed, s[1] / speed) for s in token_spans(spoken, ids)]
            marks = tuple(Mark(m.text, m.start / speed, m.end / speed) for m in spoken.phonemes)
            placed.append(_Placed(at / RATE, len(samples) / RATE, ids, spans, marks, bool(spoken.words)))
            end = at + len(samples)
            at = end + round(rng.choice([rng.uniform(0.05, 0.5), rng.uniform(0.2, 0.8), rng.uniform(0.3, 1.5)]) * RATE)
        tail = rng.choice([0, rng.uniform(0, 0.6), rng.uniform(0, 2)])
        return wave[: min(room, end + round(tail * RATE))], placed, None

    def _spoil(self, wave: Samples) -> Samples:
        """A room, faint other sounds, noise and a level, each by chance."""
        rng, noise = self._rng, self._noise
        wave = wave * rng.choice([1, 1, 10 ** rng.uniform(-1.5, 0)])
        power = float(np.sqrt((wave**2).mean())) + 1e-4
        if rng.random() < 0.2:
            tail = noise.standard_normal(round(RATE * rng.uniform(0.03, 0.15)))
            tail *= np.exp(-np.linspace(0, 6, len(tail))) * rng.uniform(0.05, 0.25) / np.sqrt(len(tail) / 12)
            tail[0] = 1
            size = 1 << (len(wave) + len(tail)).bit_length()
            roomy = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(tail, size), size)[: len(wave)]
            wave = roomy.astype(np.float32)
        if rng.random() < 0.12:
            other = sounds.any_sound(noise, len(wave))
            other = other / (float(np.sqrt((other**2).mean())) + 1e-3)
            wave = wave + other * power * 10 ** (-rng.uniform(12, 35) / 20)
        if rng.random() < 0.6:
            hiss = sounds.noise(noise, len(wave), rng.choice([0, 0, 0.5, 1]))
            wave = wave + hiss * power * 10 ** (-rng.uniform(10, 45) / 20)
        return wave.astype(np.float32)

    def _mel(self, wave: Samples, seconds: int) -> npt.NDArray[np.float32]:
        """faster-whisper's own log-mel, with a gentle random tilt of its bands: another microphone, another throat."""
        mel = self._features(wave)[:, : seconds * 100]
        bands = np.linspace(0, np.pi, len(mel))
        tilt = sum(self._noise.normal(0, 0.07) * np.cos(order * bands) for order in (1, 2, 3, 4))
        mel = mel + np.asarray(tilt)[:, None]
        return np.pad(mel, ((0, 0), (0, seconds * 100 - mel.shape[1]))).astype(np.float32)

    def _prompt(self, chance: float) -> list[int]:
        """Now and then what came before: earlier sentences, or a list of names and words to expect."""
        rng = self._rng
        if rng.random() > chance:
            return []
        ids: list[int] = []
        most, stamped = rng.choice([8, 20, 40, 200]), rng.random() < 0.3
        listed = rng.random() < 0.5
        while len(ids) < most:
            if listed:
                ids += tokenizer.encode(rng.choice([*domain.words(), "".join(rng.sample("aeioulmnrstk", 5))]))
                ids += tokenizer.build().encode(rng.choice([",", ",", ",", ".", ""])).ids
            else:
                begin = self._zero + rng.randint(0, 1300)
                text = tokenizer.encode(rng.choice(self._pool).text)
                ids += [begin, *text, begin + 100] if stamped else text
        return [self._control[tokenizer.PREVIOUS], *ids[-most:]]

    def _labelled(self, mel: npt.NDArray[np.float32], offset: int, placed: list[_Placed], cut: float | None) -> Window:
        rng = self._rng
        prompt = self._prompt(0.15)
        first = rng.randint(0, 240) if not prompt and rng.random() < 0.3 else 0
        stamped = rng.random() < 0.7
        phonemes = np.zeros(mel.shape[1] // 2, np.int64)
        tokens = [self._control[tokenizer.START]]
        if not stamped:
            tokens.append(self._control[tokenizer.NO_TIMESTAMPS])
        where: list[Span] = [None] * len(tokens)

        def stamp(at: float, before: float, after: float) -> None:
            if stamped:
                tokens.append(self._zero + min(1500, offset + round(at / tokenizer.FRAME)))
                where.append((at - before, at + after))

        for index, item in enumerate(placed):
            end = item.start + item.seconds
            stamp(min(item.start, LATEST_START) if index == 0 else item.start, 0.04, 0.08)
            tokens += item.ids
            where += [s and (item.start + s[0], item.start + s[1]) for s in item.spans]
            stamp(end, 0.06, 0.06)
            if not item.known:
                phonemes[int(item.start * 50) : int(end * 50)] = IGNORE
            for mark in item.phonemes:
                begin = int((item.start + mark.start) * 50)
                phonemes[begin : max(begin + 1, int((item.start + mark.end) * 50))] = self._classes[mark.text]
        last = placed[-1].start + placed[-1].seconds
        if cut is not None:
            last = cut
            stamp(cut, 0.04, 0.08)
            phonemes[int(cut * 50) :] = IGNORE
        tokens.append(self._control[tokenizer.END])
        where.append((last - 0.04, last + 0.1))
        inputs = [*prompt, *tokens[:-1]]
        targets = [*[IGNORE] * len(prompt), *tokens[1:]]
        return Window(mel, offset, inputs, targets, [*[None] * len(prompt), *where], phonemes, first)


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows side by side, padded: see `Window`; ``spans`` (b, n + 1, 2) are encoder positions, [0, 0) is none."""

    mel: npt.NDArray[np.float32]
    offsets: Ints
    inputs: Ints
    targets: Ints
    spans: Ints
    phonemes: Ints
    positions: Ints


def collate(windows: Sequence[Window]) -> Batch:
    """Pad windows of one kind to a batch."""
    size, longest = len(windows), max(len(w.inputs) for w in windows)
    frames = windows[0].mel.shape[1] // 2
    inputs, targets = np.zeros((size, longest), np.int64), np.full((size, longest), IGNORE, np.int64)
    spans, positions = np.zeros((size, longest + 1, 2), np.int64), np.zeros((size, longest), np.int64)
    for row, window in enumerate(windows):
        inputs[row, : len(window.inputs)], targets[row, : len(window.targets)] = window.inputs, window.targets
        positions[row] = np.minimum(np.arange(longest) + min(window.first, max(0, 448 - longest)), 447)
        for index, span in enumerate(window.spans):
            if span is not None:
                begin = min(max(int(span[0] * 50), 0), frames - 1)
                spans[row, index] = begin, max(begin + 1, min(frames, round(span[1] * 50)))
    return Batch(
        np.stack([w.mel for w in windows]), np.array([w.offset for w in windows]), inputs, targets, spans,
        np.stack([w.phonemes for w in windows]), positions,
    )  # fmt: skip


def _respeed(samples: npt.NDArray[np.int16], speed: float) -> Samples:
    """int16 to float32, played ``speed`` times as fast, which moves the formants too: another speaker."""
    wave: npt.NDArray[Any] = samples / 32768
    if speed != 1.0:
        wave = np.interp(np.arange(0, len(wave) - 1, speed), np.arange(len(wave)), wave)
    return wave.astype(np.float32)
