# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound that tells its own time: each second has a pitch of its own, so what is heard proves where it was taken."""

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


def pitch(second: int) -> float:
    """Hertz of that second; all differ within 60 seconds."""
    return 300.0 + 40.0 * (second % 60)


def tones(seconds: float, rate: int) -> Samples:
    """Mono sound of that length."""
    at = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * (300.0 + 40.0 * (np.floor(at) % 60)) * at)).astype(np.float32)


def write_tones(
    path: Path,
    codec: str,
    seconds: float = 20.0,
    rate: int = 44_100,
    layout: str = "mono",
    container: str | None = None,
    picture: bool = False,
    prepare: Callable[[av.container.OutputContainer, av.AudioStream], None] = lambda out, stream: None,
) -> Path:
    """A file of tones in any codec and container that FFmpeg writes, with a small film when asked."""
    with av.open(str(path), "w", format=container) as out:
        film = out.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p") if picture else None
        stream = out.add_stream(codec, rate=rate, layout=layout)
        prepare(out, stream)
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate, frame_size=size)
        whole = av.AudioFrame.from_ndarray(tones(seconds, rate).reshape(1, -1), format="fltp", layout="mono")
        whole.sample_rate, whole.pts = rate, 0
        if film is not None:
            for _ in range(round(seconds * 5)):
                out.mux(film.encode(av.VideoFrame(64, 64, "yuv420p")))
            out.mux(film.encode(None))
        for given in (whole, None):
            for piece in resampler.resample(given):
                out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def vbr(out: av.container.OutputContainer, stream: av.AudioStream) -> None:
    """Make an MP3 stream one of variable bit rate."""
    stream.codec_context.qscale = True
    stream.codec_context.global_quality = 6 * 118


def heard_at(path: Path, seconds: float, length: float) -> tuple[Samples, int]:
    """What a player hears after a seek: ``length`` seconds of mono samples, and the rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        container.seek(int(seconds / stream.time_base), stream=stream)
        parts: list[Samples] = []
        begin = None
        for frame in container.decode(stream):
            begin = frame.time if begin is None else begin
            parts.append(frame.to_ndarray()[0])
            if frame.time > seconds + length + 0.2:
                break
    rate = stream.rate
    first = round((seconds - (begin or 0.0)) * rate)
    return np.concatenate(parts)[first : first + round(length * rate)], rate


def change_heard(path: Path, second: int) -> float:
    """Seconds at which the pitch of ``second`` is heard to begin (nan when it is not heard nearby)."""
    samples, rate = heard_at(path, second - 0.3, 0.6)
    at = np.arange(len(samples)) / rate
    window = np.ones(int(0.04 * rate)) / int(0.04 * rate)

    def loudness(hertz: float) -> npt.NDArray[np.float64]:
        return np.asarray(np.abs(np.convolve(samples * np.exp(-2j * np.pi * hertz * at), window, "same")))

    louder = loudness(pitch(second)) - loudness(pitch(second - 1))
    crossings: Sequence[int] = np.flatnonzero((louder[:-1] < 0) & (louder[1:] >= 0)).tolist()
    return second - 0.3 + crossings[0] / rate if crossings else float("nan")
