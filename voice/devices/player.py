# SPDX-License-Identifier: GPL-3.0-or-later
"""The podcast player: one source of sound for the loudspeaker, podcast and voice together.

A thread decodes ahead into a bounded queue; ``fill``, which runs in the audio thread, only copies from it. FFmpeg
seeks and stretches (atempo keeps the pitch), so that a position is exact at every speed.
"""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from voice.audio import Audio, Resampler, Samples, open_sound
from voice.errors import AudioError
from voice.model import NORMAL_SPEED

SLOWEST_SPEED, FASTEST_SPEED = 0.5, 3.0
DUCKED = 0.15
"""The podcast's share of its volume while somebody speaks."""

_AHEAD = 50  # pieces of podcast that are decoded ahead, about a second
_VOICE_AHEAD = 6.0  # seconds of voice that wait at most
_FADE = 0.01  # seconds: no click when sound begins or ends


@dataclass(frozen=True, slots=True)
class _Piece:
    """Podcast ready to sound: where it ``start``s in the episode, and seconds of episode per sample."""

    generation: int
    start: float
    step: float
    samples: Samples


class Player:
    """Plays one episode and a voice over it at ``rate`` hertz. Safe to use from several threads."""

    def __init__(self, rate: int = 48_000) -> None:
        self.rate = rate
        self.volume = 1.0
        self.ducked = False
        self.fade = 1.0
        """The podcast's share of its volume while it fades out, 0..1."""
        self.playing = False
        self.problem: AudioError | None = None
        self.played: deque[Samples] = deque(maxlen=100)
        """What was handed to the loudspeaker, about two seconds, newest last: the echo that is to be expected."""
        self.length = 0.0
        self._speed = NORMAL_SPEED
        self._path: Path | None = None
        self._generation = 0
        self._begin = 0.0
        self._position = 0.0
        self._gain = 0.0
        self._ready: deque[_Piece] = deque()
        self._rest: _Piece | None = None
        self._over = False
        self._voice: deque[Samples] = deque()
        self._voice_at = 0
        self._resampled = Resampler(rate, rate)
        self._held = False
        self._chime: Samples = np.zeros(0, np.float32)
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._decode, name="player", daemon=True)
        self._thread.start()

    # -- the podcast -------------------------------------------------------------------------------------------

    def load(self, path: Path, position: float = 0.0, length: float = 0.0) -> None:
        """Take another episode, paused at ``position`` seconds; ``length`` bounds where one may seek (0: unknown)."""
        self.playing = False
        self._path, self.length = path, length
        self.problem = None
        self.seek(position)

    @property
    def position(self) -> float:
        """Seconds in the episode of the next sample that will be handed to the loudspeaker."""
        return self._position

    @property
    def ended(self) -> bool:
        """True when the episode has been played to its end."""
        return self._over and not self._ready and self._rest is None

    def seek(self, seconds: float) -> None:
        """Go to a position; what was decoded from elsewhere drops itself."""
        with self._lock:
            self._generation += 1
            self._begin = self._position = max(0.0, min(seconds, self.length - 0.5) if self.length > 1 else seconds)
            self._over = False
            self._ready.clear()
            self._rest = None
        self._work.set()

    @property
    def speed(self) -> float:
        """Times the recorded speed; the pitch stays."""
        return self._speed

    @speed.setter
    def speed(self, factor: float) -> None:
        self._speed = min(FASTEST_SPEED, max(SLOWEST_SPEED, factor))
        self.seek(self._position)

    def play(self) -> None:
        """Go on."""
        self.playing = self._path is not None

    def pause(self) -> None:
        """Fall silent within a block; the position stays."""
        self.playing = False

    # -- the voice ---------------------------------------------------------------------------------------------

    def say(self, audio: Audio) -> None:
        """Queue sound that is heard beside the podcast: an answer, piece by piece, without a gap between them."""
        if not self._voice or self._resampled.given != audio.rate:
            self._resampled = Resampler(audio.rate, self.rate)
        if len(samples := self._resampled(audio.samples)):
            self._voice.append(samples)

    def chime(self, audio: Audio) -> None:
        """Sound at once over everything else, a held voice too: an earcon. It does not count as speaking."""
        self._chime = np.ascontiguousarray(audio.at_rate(self.rate).samples)

    def hold(self) -> None:
        """Stop the voice where it is; ``release`` lets it go on, ``hush`` throws it away."""
        self._held = True

    def release(self) -> None:
        """Let a held voice go on."""
        self._held = False

    def hush(self) -> None:
        """Throw away what the voice had to say."""
        self._voice.clear()
        self._voice_at = 0
        self._held = False

    @property
    def speaking(self) -> bool:
        """True while voice is waiting or sounding."""
        return bool(self._voice)

    @property
    def full(self) -> bool:
        """True when enough voice waits, so that whoever makes it should wait too."""
        return sum(len(part) for part in tuple(self._voice)) > _VOICE_AHEAD * self.rate

    # -- the loudspeaker ---------------------------------------------------------------------------------------

    def fill(self, out: Samples) -> None:
        """Write the next samples (float32 (n,)); runs in the audio thread."""
        out[:] = 0
        target = self.volume * self.fade * (DUCKED if self.ducked else 1.0) if self.playing else 0.0
        if target > 0 or self._gain > 0:
            self._podcast(out)
            if self._gain != target:
                fade = min(len(out), round(_FADE * self.rate))
                out[:fade] *= np.linspace(self._gain, target, fade, dtype=np.float32)
                out[fade:] *= target
                self._gain = target
            elif target != 1:
                out *= target
        if not self._held:
            self._speak(out)
        if len(self._chime):
            taken, self._chime = self._chime[: len(out)], self._chime[len(out) :]
            out[: len(taken)] += taken
        np.clip(out, -1, 1, out=out)
        self.played.append(out.copy())

    def _podcast(self, out: Samples) -> None:
        at = 0
        with self._lock:
            while at < len(out):
                piece = self._rest or (self._ready.popleft() if self._ready else None)
                self._rest = None
                if piece is None:
                    break
                taken = min(len(out) - at, len(piece.samples))
                out[at : at + taken] = piece.samples[:taken]
                at += taken
                self._position = piece.start + taken * piece.step
                if taken < len(piece.samples):
                    self._rest = _Piece(piece.generation, self._position, piece.step, piece.samples[taken:])
        if self._over and self.ended:
            self.playing = False
        if len(self._ready) < _AHEAD // 2:  # to be woken for each block would cost more than the decoding
            self._work.set()

    def _speak(self, out: Samples) -> None:
        at = 0
        try:
            while at < len(out) and self._voice:
                part = self._voice[0]
                taken = min(len(out) - at, len(part) - self._voice_at)
                out[at : at + taken] += part[self._voice_at : self._voice_at + taken]
                at += taken
                self._voice_at += taken
                if self._voice_at >= len(part):
                    self._voice_at = 0
                    self._voice.popleft()
        except IndexError:  # hushed from another thread at this very moment
            self._voice_at = 0

    # -- decoding ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the thread that decodes."""
        self._closed = True
        self._work.set()
        self._thread.join(5)

    def _decode(self) -> None:
        done = 0
        while not self._closed:
            self._work.wait()
            self._work.clear()
            with self._lock:
                generation, begin, path, speed = self._generation, self._begin, self._path, self._speed
            if path is None or done == generation:
                continue
            try:
                for start, samples in stretch(path, begin, speed, self.rate):
                    if not self._offer(_Piece(generation, start, speed / self.rate, samples)):
                        break
                else:
                    self._end(generation)
            except AudioError as error:
                self.problem = error
                self._end(generation)
            done = generation
            self._work.set()  # a seek may have come meanwhile

    def _end(self, generation: int) -> None:
        with self._lock:
            self._over = self._over or generation == self._generation

    def _offer(self, piece: _Piece) -> bool:
        """Queue a piece when there is room; False when nobody wants this generation any more."""
        while not self._closed:
            with self._lock:
                if piece.generation != self._generation:
                    return False
                if len(self._ready) < _AHEAD:
                    self._ready.append(piece)
                    return True
            self._work.wait()
            self._work.clear()
        return False


def stretch(path: Path, begin: float, speed: float, rate: int) -> Iterator[tuple[float, Samples]]:
    """A file from ``begin`` seconds at ``speed``, mono at ``rate`` hertz: (where it starts in the file, samples).

    Raises AudioError.
    """
    import av
    from av.filter import Graph

    with open_sound(path) as container:
        stream = container.streams.audio[0]
        base = stream.time_base or Fraction(1, 1_000_000)
        if begin > 0:
            container.seek(int(max(0.0, begin - 0.2) / base), stream=stream)  # codecs need a run-up
        graph = Graph()
        source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))
        tempo = graph.add("atempo", f"{speed}")
        sink = graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        graph.configure()
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        made, fed, skip = 0, 0, -1

        def out() -> Iterator[tuple[float, Samples]]:
            nonlocal made
            while True:
                try:
                    frame = sink.pull()
                except (av.BlockingIOError, av.EOFError):
                    return
                samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1)  # type: ignore[attr-defined]
                yield begin + made * speed / rate, samples
                made += len(samples)

        try:
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    continue
                for frame in frames:
                    if skip < 0:
                        skip = max(0, round((begin - (frame.time or 0.0)) * rate))
                    for piece in resampler.resample(frame):
                        samples = np.asarray(piece.to_ndarray(), np.float32).reshape(-1)
                        dropped = min(skip, len(samples))
                        skip -= dropped
                        if dropped == len(samples):
                            continue
                        if speed == NORMAL_SPEED:
                            yield begin + made / rate, samples[dropped:]
                            made += len(samples) - dropped
                            continue
                        given = av.AudioFrame.from_ndarray(
                            np.ascontiguousarray(samples[dropped:]).reshape(1, -1), format="flt", layout="mono"
                        )
                        given.sample_rate, given.pts = rate, fed
                        given.time_base = Fraction(1, rate)
                        fed += len(samples) - dropped
                        source.push(given)
                        yield from out()
        except av.FFmpegError as error:
            raise AudioError(f"{path.name} cannot be played on ({error}).", "Add the episode again.") from error
