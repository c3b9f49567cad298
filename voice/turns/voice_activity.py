# SPDX-License-Identifier: GPL-3.0-or-later
"""Where somebody speaks (Silero's detector, as faster-whisper has it), and a recording cut at its pauses."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from voice.audio import HEARING_RATE, Audio, Samples

WHISPER_WINDOW = 30.0
"""Seconds that Whisper sees at once."""

_MARGIN = 0.2  # seconds kept around speech
_MERGE = 0.35  # seconds: shorter pauses do not end a span
_MOST = 300.0  # seconds of a block in which hardly anybody speaks

SpeechSpan = tuple[float, float]


def clean(audio: Audio) -> Samples:
    """Float32 samples (n,) at 16 kHz in [-1, 1]: what is no number becomes silence, what is too loud is clipped."""
    samples = np.nan_to_num(np.asarray(audio.samples, np.float32).reshape(-1), nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(Audio(samples, audio.rate).at_rate(HEARING_RATE).samples, -1.0, 1.0)


class VoiceActivityDetector:
    """Silero's probability of speech, frame after frame, with its memory in our hands. Not for several threads.

    faster-whisper's own wrapper forgets between calls, so it serves whole recordings only.
    """

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model

        self._session = get_vad_model().session
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(64, np.float32)

    def __call__(self, frame: Samples) -> float:
        """The probability of speech in the next frame (512 samples at 16 kHz)."""
        given = np.concatenate([self._context, frame]).reshape(1, -1)
        found, self._h, self._c = self._session.run(None, {"input": given, "h": self._h, "c": self._c})
        self._context = frame[-64:].copy()
        return float(np.asarray(found).reshape(-1)[0])


class GatedDetector:
    """A detector that is only asked where the sound rises above what is usual: a quiet room costs nothing.

    Follows the level of what is no speech. When the sound rises, the detector first gets the frames just before, so
    that the beginning of a word is judged with what led to it. Not for several threads.
    """

    def __init__(self, detect: VoiceActivityDetector) -> None:
        self._detect = detect
        self._asleep: deque[Samples] = deque(maxlen=_LED_BY)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, but for how loud it usually is."""
        self._detect.reset()
        self._asleep.clear()
        self._usual, self._awake = _FAINTEST, _STAYS_AWAKE

    def __call__(self, frame: Samples) -> float:
        """The probability of speech in the next frame (512 samples at 16 kHz); 0 while nothing rises."""
        power = float(np.dot(frame, frame)) / len(frame)
        if power > _RISES * self._usual:
            self._awake = _STAYS_AWAKE
        if self._awake == 0:
            self._follow(power)
            self._asleep.append(frame)
            return 0.0
        while self._asleep:
            self._detect(self._asleep.popleft())
        probability = self._detect(frame)
        if probability > _PERHAPS:
            self._awake = _STAYS_AWAKE
        else:
            self._follow(power)
            self._awake -= 1
        return probability

    def _follow(self, power: float) -> None:
        self._usual = max(_FAINTEST, min(power, _GROWS * self._usual))


_FAINTEST = 2e-7  # power (-67 dBFS) that counts as silence: the noise that is added for the detector has half of it
_RISES = 2.5  # times the usual power (4 dB)
_GROWS = 1.015  # at most, from frame to frame: twice in a second and a half
_PERHAPS = 0.1  # probability below which it is no speech for sure
_STAYS_AWAKE = 16  # frames (half a second) in which it is asked on
_LED_BY = 4  # frames


def speech_spans(samples: Samples, threshold: float = 0.5) -> list[SpeechSpan]:
    """Start and end in seconds of every stretch of speech in ``samples`` (n,) at 16 kHz.

    ``threshold`` is the probability of speech above which a stretch begins.
    """
    if len(samples) < HEARING_RATE // 20 or not np.any(samples):
        return []
    from faster_whisper.vad import get_speech_timestamps

    found = get_speech_timestamps(
        samples,
        threshold=threshold,
        min_speech_duration_ms=60,
        min_silence_duration_ms=round(_MERGE * 1000),
        speech_pad_ms=round(_MARGIN * 1000),
    )
    return [(span["start"] / HEARING_RATE, span["end"] / HEARING_RATE) for span in found]


def spoken_part(samples: Samples) -> tuple[float, Samples]:
    """From the first to the last speech: the start in seconds, and the samples (none when nobody speaks)."""
    spans = speech_spans(samples)
    if not spans:
        return 0.0, samples[:0]
    start, end = spans[0][0], spans[-1][1]
    return start, samples[int(start * HEARING_RATE) : int(end * HEARING_RATE)]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a recording: ``start`` and ``end`` in seconds, its ``samples`` (n,) at 16 kHz, none where nobody
    speaks, and the ``spans`` of speech in them, as pairs of samples."""

    start: float
    end: float
    samples: Samples
    spans: tuple[tuple[int, int], ...] = ()


def blocks(stream: Iterable[Audio], windows: int, since: float = 0.0) -> Iterator[Block]:
    """Cut a stream at 16 kHz into blocks whose speech fills so many ``windows`` of Whisper's, in bounded memory.

    What is before ``since`` is passed over; where a block ended, the same blocks follow as without. The cuts lie
    between two stretches of speech, and only the last window of all is not full: a window takes the same time whatever
    is in it.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    # faster-whisper's own, for batches
    options = VadOptions(max_speech_duration_s=WHISPER_WINDOW, min_silence_duration_ms=160)
    waiting: list[Samples] = []
    held, start = 0, since
    enough = step = round((windows + 1) * WHISPER_WINDOW * HEARING_RATE)
    for part in chain(after(stream, since), (None,)):
        if part is not None:
            waiting.append(part.samples)  # a decoder's frames are short: they are cleaned together
            held += len(part.samples)
        while held and (held >= enough or part is None):
            buffer = clean(Audio(np.concatenate(waiting), HEARING_RATE))
            waiting = [buffer]
            spans = [(found["start"], found["end"]) for found in get_speech_timestamps(buffer, options)]
            cut = _filled(spans, windows)
            if cut is None and part is None:
                cut = held
            elif cut is None and held < _MOST * HEARING_RATE:
                enough += step  # little speech so far: more of the stream is needed to fill the windows
                break
            elif cut is None:
                going_on = len(spans) > 1 and spans[-1][1] >= held
                cut = (spans[-2][1] + spans[-1][0]) // 2 if going_on else held
            done = start + cut / HEARING_RATE
            inside = tuple((begin, min(end, cut)) for begin, end in spans if begin < cut)
            yield Block(start, done, buffer[:cut] if inside else buffer[:0], inside)
            waiting, held, start, enough = [buffer[cut:]], held - cut, done, step


def _filled(spans: Sequence[tuple[int, int]], windows: int) -> int | None:
    """The sample at which the speech in ``spans`` has filled so many windows, None while it has not.

    Packed as faster-whisper packs it: one stretch after another, into a new window when it no longer fits.
    """
    full, held = 0, 0
    for place, (begin, end) in enumerate(spans):
        if held + end - begin > WHISPER_WINDOW * HEARING_RATE:
            full, held = full + 1, 0
            if full == windows:
                return (spans[place - 1][1] + begin) // 2
        held += end - begin
    return None


def after(stream: Iterable[Audio], since: float) -> Iterator[Audio]:
    """A stream at 16 kHz without its first ``since`` seconds.

    Passed over, and not sought: only a decoder that ran from the beginning gives the same samples to the last bit.
    """
    skip = round(since * HEARING_RATE)
    for part in stream:
        if skip < len(part.samples):
            yield Audio(part.samples[skip:], part.rate)
        skip = max(0, skip - len(part.samples))
