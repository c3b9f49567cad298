# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound in memory, and the way in and out of files (PyAV carries FFmpeg, so any format a listener has)."""

import io
import math
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from voice.errors import AudioError

if TYPE_CHECKING:
    import av.container

Samples = npt.NDArray[np.float32]

GIVE_SOUND = "Give an audio or video file, or a VTT, SRT or JSON transcript."

_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,webm,mov,mp3,mp4,mpeg,mpegts,mpc,mpc8,nut,oga,ogg,"
    "opus,rm,tta,voc,w64,wav,wv"
)  # containers of sound; never playlists, which would make FFmpeg open other files and addresses

HEARING_RATE = 16_000
"""Hertz: what every recogniser and the voice activity detector want."""

FRAME = 512
"""Samples at ``HEARING_RATE`` that voice activity detection judges at a time (Silero's frame)."""

FRAME_SECONDS = FRAME / HEARING_RATE


@dataclass(frozen=True, slots=True)
class Audio:
    """Mono sound: ``samples`` float32 (n,) in [-1, 1] at ``rate`` hertz."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def at_rate(self, rate: int) -> "Audio":
        """The same sound at another rate in hertz (FFmpeg's resampler)."""
        if rate == self.rate or not len(self.samples):
            return Audio(self.samples, rate)
        import av

        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        frame = av.AudioFrame.from_ndarray(self.samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = self.rate
        pieces = [piece.to_ndarray().reshape(-1) for given in (frame, None) for piece in resampler.resample(given)]
        wanted = round(len(self.samples) * rate / self.rate)
        joined = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        exact = np.pad(joined, (0, max(0, wanted - len(joined))))[:wanted]
        return Audio(np.clip(exact, -1, 1).astype(np.float32), rate)


class Resampler:
    """A stream at one rate in hertz as a stream at another, block by block."""

    def __init__(self, given: int, wanted: int) -> None:
        import av

        self.given, self._wanted = given, wanted
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=wanted)

    def __call__(self, samples: Samples) -> Samples:
        """The next samples; a few may still be inside."""
        if self.given == self._wanted or not len(samples):
            return samples
        import av

        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = self.given
        made = [piece.to_ndarray().reshape(-1) for piece in self._resampler.resample(frame)]
        return np.concatenate(made) if made else np.zeros(0, np.float32)


def silence(seconds: float, rate: int) -> Audio:
    """Digital silence of ``seconds`` at ``rate`` hertz."""
    return Audio(np.zeros(round(seconds * rate), np.float32), rate)


def join(parts: list[Audio]) -> Audio:
    """One sound after another; all parts have one rate."""
    if not parts:
        raise ValueError("nothing to join")
    if len({part.rate for part in parts}) > 1:
        raise ValueError("parts of different rates")
    return Audio(np.concatenate([part.samples for part in parts]), parts[0].rate)


@contextmanager
def open_sound(path: Path) -> Iterator["av.container.InputContainer"]:
    """An open media file with at least one sound track, whatever its name says.

    Raises AudioError when it is none, or one that would make FFmpeg open other files.
    """
    import av

    try:
        if path.is_dir():
            raise AudioError(f"{path.name} is a folder.", "Give one file in it.")
        if path.stat().st_size == 0:
            raise AudioError(f"{path.name} is empty.", "Get the file again.")
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        container = av.open(str(path.resolve()), metadata_errors="ignore", options=options)
    except FileNotFoundError:
        raise AudioError(f"There is no file {path}.", "Check the name.") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _undecodable(path, error) from error
    with container:
        if not container.streams.audio:
            raise AudioError(f"{path.name} holds no sound.", GIVE_SOUND)
        yield container


def stream_audio(path: Path, rate: int = HEARING_RATE) -> Iterator[Audio]:
    """Decode a file piece by piece (some thousand samples each), mono at ``rate`` hertz, in bounded memory.

    Damaged packets are skipped, as players do. Raises AudioError when the file holds no sound that can be decoded.
    """
    import av

    try:
        with open_sound(path) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            heard = False
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    continue
                for frame in frames:
                    for piece in resampler.resample(frame):
                        heard = True
                        yield Audio(piece.to_ndarray().reshape(-1).astype(np.float32), rate)
            for piece in resampler.resample(None) if heard else ():
                yield Audio(piece.to_ndarray().reshape(-1).astype(np.float32), rate)
            if not heard:
                raise AudioError(f"{path.name} holds no sound.", "The file is damaged; get it again.")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _undecodable(path, error) from error


def read_part(path: Path, start: float, seconds: float, rate: int = HEARING_RATE) -> Audio:
    """The sound from ``start`` for so many seconds (fewer at the end), mono at ``rate`` hertz, sought and not decoded
    from the beginning: for files in which that is exact, as normalised ones are.

    Raises AudioError when the file cannot be decoded.
    """
    import av

    parts: list[Samples] = []
    first: float | None = None
    try:
        with open_sound(path) as container:
            stream = container.streams.audio[0]
            container.seek(max(0, int((start - 0.5) * 1_000_000)))
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            for frame in container.decode(stream):
                at = frame.time or 0.0
                if at >= start + seconds:
                    break
                first = at if first is None else first
                parts += [piece.to_ndarray().reshape(-1).astype(np.float32) for piece in resampler.resample(frame)]
            for piece in resampler.resample(None) if parts else ():
                parts.append(piece.to_ndarray().reshape(-1).astype(np.float32))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _undecodable(path, error) from error
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    skip = max(0, round((start - (first or 0.0)) * rate))
    return Audio(samples[skip : skip + round(seconds * rate)], rate)


def duration(path: Path) -> float | None:
    """Seconds that a file says it lasts, None when it does not say. Raises AudioError when it cannot be opened."""
    with open_sound(path) as container:
        return container.duration / 1_000_000 if container.duration else None


def read_audio(path: Path, rate: int = HEARING_RATE, longest: float = math.inf) -> Audio:
    """Decode a whole file into memory, mono at ``rate`` hertz.

    Raises AudioError when it cannot be decoded or is longer than ``longest`` seconds.
    """
    parts, seconds = [], 0.0
    for part in stream_audio(path, rate):
        parts.append(part)
        seconds += part.seconds
        if seconds > longest:
            raise AudioError(f"{path.name} is longer than {longest:.0f} seconds.", "Give a shorter recording.")
    return join(parts)


def write_wav(path: Path, audio: Audio) -> None:
    """Write a 16-bit PCM WAV file."""
    path.write_bytes(wav_bytes(audio))


def wav_bytes(audio: Audio) -> bytes:
    """A 16-bit PCM WAV file in memory."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(audio.rate)
        out.writeframes(pcm16(audio.samples).tobytes())
    return buffer.getvalue()


ENCODED = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"), "opus": ("ogg", "libopus", "audio/ogg"),
    "aac": ("adts", "aac", "audio/aac"), "flac": ("flac", "flac", "audio/flac"),
    "wav": ("wav", "pcm_s16le", "audio/wav"),
}  # fmt: skip
"""What sound can be encoded as: the container, the codec, and the media type of each."""


def encoded(audio: Audio, form: str, speed: float = 1.0) -> bytes:
    """The sound in one of the forms of ``ENCODED``; ``speed`` is a factor in 0.5..2 that keeps the pitch."""
    import av

    container, codec, _ = ENCODED[form]
    rate = 48_000 if codec == "libopus" else audio.rate
    written = io.BytesIO()
    with av.open(written, "w", format=container) as target:
        stream: Any = target.add_stream(codec, rate=rate, layout="mono")
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_abuffer(sample_rate=audio.rate, format="flt", layout="mono", time_base=Fraction(1, audio.rate)),
            graph.add("anull") if speed == 1.0 else graph.add("atempo", f"{speed:.3f}"),
            graph.add("aformat", f"sample_fmts={stream.format.name}:sample_rates={rate}"),
            graph.add("asetnsamples", f"n={stream.frame_size or 1024}:p=0"),
            graph.add("abuffersink"),
        ).configure()
        frame = av.AudioFrame.from_ndarray(audio.samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate, frame.pts = audio.rate, 0
        for given in (frame, None):
            graph.push(given)
            for made in _pulled(graph):
                target.mux(stream.encode(made))
        target.mux(stream.encode(None))
    return written.getvalue()


def _pulled(graph: Any) -> Iterator[Any]:
    """What has come through the filters."""
    import av

    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return


def pcm16(samples: Samples) -> npt.NDArray[np.int16]:
    """Float samples in [-1, 1] as 16-bit integers; what is louder is clipped."""
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)


def from_pcm16(data: bytes, rate: int) -> Audio:
    """The inverse of ``pcm16``: little-endian 16-bit samples at ``rate`` hertz; an odd last byte is dropped."""
    whole = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
    return Audio(whole.astype(np.float32) / np.float32(32768), rate)


def _undecodable(path: Path, error: Exception) -> AudioError:
    reason = str(getattr(error, "strerror", None) or error or type(error).__name__)
    return AudioError(f"{path.name} is not audio that can be decoded ({reason}).", GIVE_SOUND)
