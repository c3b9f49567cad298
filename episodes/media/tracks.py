# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sound of a file is the one to hear: a first track may be silent, and two channels may cancel each other out.

A few seconds here and there are decoded, and nothing is changed in files whose first track speaks on both channels.
"""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import av
    import av.container

_PLACES = (0.1, 0.4, 0.7, 0.0)  # shares of the length at which is listened
_HEARD = 6.0  # seconds at each place
_SILENT = 1e-3  # root mean square, -60 dB: nobody speaks
_CANCELLED = 0.05  # share of a channel's level that is left of the mix of both
_LYRICS = 2_000_000  # characters


@dataclass(frozen=True, slots=True)
class Track:
    """The sound track to take: its ``index`` among those of the file; ``left_only`` when the mix of both channels would
    be silence."""

    index: int = 0
    left_only: bool = False


def speaking_track(container: "av.container.InputContainer") -> Track:
    """The first track in which something is heard (the first one when there is none), listened to at a few places.

    The container is left at its beginning.
    """
    streams = container.streams.audio
    found = Track()
    if len(streams) > 1 or streams[0].codec_context.channels == 2:
        for index in range(len(streams)):
            channels = _heard(container, index)
            if channels.size and float(np.sqrt(np.square(channels).mean(axis=1)).max()) > _SILENT:
                found = Track(index, _cancel(channels))
                break
        container.seek(0)
    return found


def left_channel(frame: "av.AudioFrame") -> "av.AudioFrame":
    """The left channel of a frame, as a frame of one channel."""
    import av

    planes = _channels(frame)
    alone = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes[:1]), format="fltp", layout="mono")
    alone.sample_rate = frame.sample_rate
    return alone


def lyrics(container: "av.container.InputContainer") -> str:
    """The text in a file's lyrics tag (ID3's USLT, MP4's ©lyr, Vorbis comments), empty when there is none."""
    found = [value for key, value in container.metadata.items()
             if key.lower().partition("-")[0] in ("lyrics", "unsyncedlyrics", "unsynced lyrics", "uslt")]  # fmt: skip
    return max(found, key=len, default="")[:_LYRICS]


def _heard(container: "av.container.InputContainer", index: int) -> npt.NDArray[np.float32]:
    """What a track sounds like at a few places: float32 (channels, samples)."""
    import av

    stream = container.streams.audio[index]
    length = container.duration or 0
    pieces: list[npt.NDArray[np.float32]] = []
    for share in _PLACES if length else (0.0,):
        try:
            container.seek(int(share * length))
            taken = 0.0
            for frame in islice(container.decode(stream), 2000):
                pieces.append(_channels(frame))
                taken += frame.samples / (frame.sample_rate or 1)
                if taken > _HEARD:
                    break
        except av.FFmpegError:
            continue
    width = min((piece.shape[0] for piece in pieces), default=0)
    return np.concatenate([piece[:width] for piece in pieces], axis=1) if pieces else np.zeros((0, 0), np.float32)


def _channels(frame: "av.AudioFrame") -> npt.NDArray[np.float32]:
    """The samples of a frame as float32 (channels, samples) in [-1, 1]."""
    import av

    resampler = av.AudioResampler(format="fltp", layout=frame.layout.name, rate=frame.sample_rate)
    frame.pts = None
    rows = [piece.to_ndarray() for piece in resampler.resample(frame)]
    return np.concatenate(rows, axis=1) if rows else np.zeros((frame.layout.nb_channels, 0), np.float32)


def _cancel(channels: npt.NDArray[np.float32]) -> bool:
    """True for two channels of which one is the other upside down."""
    if channels.shape[0] != 2:
        return False
    mixed = float(np.sqrt(np.square(channels.mean(axis=0)).mean()))
    return mixed < _CANCELLED * float(np.sqrt(np.square(channels[0]).mean()))
