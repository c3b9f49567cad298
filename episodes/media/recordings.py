# SPDX-License-Identifier: GPL-3.0-or-later
"""Audio and video files: what they hold, and their sound in the one form that every player seeks exactly.

A VBR MP3 is why: a browser that seeks in it shows the right time and plays another one.
"""

import os
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from episodes.media import confined_media
from episodes.media.tracks import Track, left_channel, lyrics, speaking_track
from episodes.model import Chapter, Probe
from voice.audio import open_sound
from voice.errors import AudioError, EarmarkError, LibraryError, from_os_error
from voice.plain_text import one_line

if TYPE_CHECKING:
    import av
    import av.container

_BIT_RATE = {1: 64_000, 2: 96_000}  # bits per second for that many channels: transparent for speech
_FRAME = 1024  # samples in an AAC frame
MOST_CHAPTERS = 2_000
"""Chapters of a file that are read."""

LOWEST_RATE = 4_000
"""Hertz: less is no speech, and a way to make a few bytes into hours."""

_LONGEST_GAP = 10.0  # seconds of missing sound that are replaced by silence; a longer jump is a broken clock


def probe(path: Path) -> Probe:
    """Read a file's length, tags and embedded chapters (ID3, MP4, Vorbis comments) without decoding it.

    It is done in a process of its own, with bounds: see ``episodes.media.confined_media``.

    Raises AudioError when it is not a media file, has no sound track, or is made to take memory or time.
    """
    return confined_media.probe(path)


def probe_here(path: Path) -> Probe:
    """``probe`` in this process."""
    with open_sound(path) as container:
        stream = container.streams.audio[0]
        tags = {key.lower(): one_line(value) for key, value in {**stream.metadata, **container.metadata}.items()}
        seconds = (container.duration or 0) / 1_000_000
        if not seconds and stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        _plausible(path, stream.rate, seconds)
        marks: dict[float, str] = {}
        for number, mark in enumerate(container.chapters()[:MOST_CHAPTERS], 1):
            start = round(float(mark["start"] * (mark["time_base"] or 0)), 3)
            title = one_line(mark.get("metadata", {}).get("title", ""))
            if start >= 0 and (not seconds or start < seconds):
                marks.setdefault(start, title or f"Chapter {number}")
        return Probe(
            max(0.0, seconds),
            title=tags.get("title", ""),
            artist=tags.get("artist", tags.get("album_artist", "")),
            show=tags.get("album", ""),
            published=_iso_date(tags.get("date", "")),
            chapters=tuple(Chapter(start, title) for start, title in sorted(marks.items())),
            has_lyrics=bool(lyrics(container)),
        )


def read_lyrics(path: Path) -> str:
    """The text in a file's lyrics tag, where some publishers put the transcript; empty when there is none.

    Raises AudioError as ``probe`` does.
    """
    return confined_media.lyrics(path)


def read_lyrics_here(path: Path) -> str:
    """``read_lyrics`` in this process."""
    with open_sound(path) as container:
        return lyrics(container)


def normalise(source: Path, target: Path, on_progress: Callable[[float], None]) -> float:
    """Write the sound of ``source`` as AAC-LC in an MP4 container with its index in front; return its seconds.

    Any format and any length in bounded memory; one or two channels at 44.1 or 48 kHz. The clock is the source's: what
    a player plays at t there is at t here, encoder delays removed, damaged or missing pieces silent. The target appears
    under its name only when it is complete. ``on_progress`` gets fractions 0..1, in steps of at least 0.01.

    It is done in a process of its own, with bounds: see ``episodes.media.confined_media``. What ``on_progress``, which
    is called twice a second, raises breaks it off.

    Raises AudioError when there is no sound that can be decoded, or far more than a recording of that size can hold,
    NoSpace or LibraryError when it cannot be written.
    """
    fresh = not target.exists()
    try:
        seconds = confined_media.normalise(source, target, on_progress)
        on_progress(1.0)
    except BaseException:
        if fresh:  # the child may have come to its end just before it was killed
            target.unlink(missing_ok=True)
        raise
    finally:  # also when the child was killed
        _clear(target)
    return seconds


def normalise_here(source: Path, target: Path, on_progress: Callable[[float], None]) -> float:
    """``normalise`` in this process."""
    import av

    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(target)
        with NamedTemporaryFile(dir=target.parent, prefix=f"{target.stem}.", suffix=".part", delete=False) as file:
            part = Path(file.name)
        seconds = _transcode(source, part, on_progress)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        _verify(part, seconds)
        part.chmod(0o644)
        part.replace(target)
    except EarmarkError:
        raise
    except (av.FFmpegError, OSError) as error:
        raise _write_error(error, target) from error
    finally:  # also on Ctrl-C
        if part is not None:
            part.unlink(missing_ok=True)
    return seconds


def _plausible(path: Path, rate: int, seconds: float) -> None:
    """Refuse what no recording is. Raises AudioError."""
    if rate and rate < LOWEST_RATE:
        raise AudioError(f"{path.name} has {rate} samples a second, which is no speech.", "Get the file again.")
    if seconds > confined_media.longest(path.stat().st_size):
        raise AudioError(f"{path.name} tells of far more sound than a file of its size can hold.",
                         "It is damaged, or not a recording; get it from another place.")


def _clear(target: Path) -> None:
    """Remove what killed processes left of this file: an episode has one worker at a time."""
    for left in target.parent.glob(f"{target.stem}.*.part"):
        left.unlink(missing_ok=True)


def _write_error(error: Exception, target: Path) -> EarmarkError:
    code = getattr(error, "errno", None)
    known = error if isinstance(error, OSError) else OSError(code, str(error))
    return from_os_error(known, f"store the audio in {target.parent}")


def _verify(part: Path, seconds: float) -> None:
    """Make sure that what was written is whole: a full disk may show only in the length."""
    try:
        written = probe_here(part).seconds
    except AudioError as error:
        raise LibraryError("The converted audio cannot be read back.", "Check the disk, then try again.") from error
    if abs(written - seconds) > 0.1:
        raise LibraryError(f"Only {written:.0f} of {seconds:.0f} seconds of audio were stored.",
                           "Check the disk, then try again.")


def _transcode(source: Path, part: Path, on_progress: Callable[[float], None]) -> float:
    """Decode ``source`` and encode it into ``part``; return the seconds written."""
    with open_sound(source) as container:
        track = speaking_track(container)
        frames = _frames(container, track)
        first = next(frames, None)
        if first is None:
            raise AudioError(f"{source.name} holds no sound.", "The file is empty or damaged; get it again.")
        _, frame = first
        rate = 44_100 if frame.sample_rate % 11_025 == 0 else 48_000
        with _Encoder(part, rate, min(2, frame.layout.nb_channels)) as encoder:
            length = (container.duration or 0) / 1_000_000
            told = 0.0
            while first is not None:
                at, frame = first
                _plausible(source, frame.sample_rate, encoder.seconds)
                gap = at - encoder.seconds
                if 0.02 < gap < _LONGEST_GAP:
                    encoder.add_silence(gap)
                encoder.add(frame)
                done = min(0.99, encoder.seconds / length) if length else 0.0
                if done - told >= 0.01:
                    told = done
                    on_progress(done)
                first = next(frames, None)
        return encoder.seconds


def _frames(container: "av.container.InputContainer", track: Track) -> Iterator[tuple[float, "av.AudioFrame"]]:
    """(time in seconds on the file's clock, frame) of the sound track; packets that cannot be decoded are skipped."""
    import av

    stream = container.streams.audio[track.index]
    # Players count from the first sound or picture. A lone sound track's own start is only its encoder's delay.
    origin = (container.start_time or 0) / 1_000_000 if container.streams.video else None
    at = 0.0
    try:
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                continue
            for frame in decoded:
                if frame.samples and frame.sample_rate:
                    if frame.time is not None:
                        origin = frame.time if origin is None else origin
                        at = frame.time - origin
                    yield at, left_channel(frame) if track.left_only else frame
                    at += frame.samples / frame.sample_rate
    except av.FFmpegError:
        return  # the file breaks off here: what was read so far is its sound


class _Encoder:
    """Writes frames of any format as one AAC track; ``seconds`` is how much has come in."""

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        import av

        self._av = av
        self._out = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._layout = "mono" if channels == 1 else "stereo"
        self._rate = rate
        # FFmpeg's fast quantiser search: 2.5 times faster than its default, and on speech nearer to the source
        self._stream = self._out.add_stream("aac", rate=rate, layout=self._layout, options={"aac_coder": "fast"})
        self._stream.bit_rate = _BIT_RATE[channels]
        self._fifo = av.AudioFifo()
        self._resampler: av.AudioResampler | None = None
        self._given: tuple[str, str, int] | None = None
        self._samples = 0
        self._fed = 0.0
        self._written = 0

    @property
    def seconds(self) -> float:
        """Seconds of sound taken in so far."""
        return self._fed

    def add(self, frame: "av.AudioFrame") -> None:
        """Take a frame of any sample format, layout and rate; they may change on the way."""
        given = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or given != self._given:
            self._drain()
            self._resampler = self._av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
            self._given = given
        self._fed += frame.samples / frame.sample_rate
        frame.pts = None
        for piece in self._resampler.resample(frame):
            self._queue(piece)
        self._encode(final=False)

    def add_silence(self, seconds: float) -> None:
        """Add silence in the place of sound that is missing."""
        import numpy as np

        self._drain()
        channels = 1 if self._layout == "mono" else 2
        quiet = np.zeros((channels, round(seconds * self._rate)), np.float32)
        piece = self._av.AudioFrame.from_ndarray(quiet, format="fltp", layout=self._layout)
        piece.sample_rate = self._rate
        self._queue(piece)
        self._fed += seconds

    def _drain(self) -> None:
        """Take out of the resampler what it still holds, since its input changes."""
        if self._resampler is not None:
            for piece in self._resampler.resample(None):
                self._queue(piece)
        self._resampler = self._given = None

    def _queue(self, piece: "av.AudioFrame") -> None:
        piece.pts = None
        self._fifo.write(piece)

    def _encode(self, final: bool) -> None:
        while (frame := self._fifo.read(_FRAME, partial=final)) is not None:
            frame.pts, frame.time_base = self._written, Fraction(1, self._rate)
            frame.sample_rate = self._rate
            self._written += frame.samples
            self._out.mux(self._stream.encode(frame))

    def __enter__(self) -> "_Encoder":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._drain()
                self._encode(final=True)
                self._out.mux(self._stream.encode(None))
        finally:
            self._out.close()


def _iso_date(text: str) -> str:
    """An ISO date (or year, or year and month) from a tag such as ``2021-02-22T15:59`` or ``28.02.2021``."""
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text):
        return "-".join(match.groups())
    if match := re.match(r"(\d{4})(-\d{2})?(-\d{2})?", text):
        return match.group(0)
    if match := re.match(r"(\d{1,2})\.(\d{1,2})\.(\d{4})$", text):
        return f"{match.group(3)}-{int(match.group(2)):02d}-{int(match.group(1)):02d}"
    return ""
