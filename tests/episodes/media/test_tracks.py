# SPDX-License-Identifier: GPL-3.0-or-later
"""The sound that is to be heard, where a file has several."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from episodes.media.recordings import normalise
from episodes.media.tracks import Track, speaking_track
from voice.audio import open_sound

Sound = npt.NDArray[np.float32]
RATE = 16_000


def written(path: Path, *tracks: Sound) -> Path:
    """A Matroska file with these tracks, float (channels, samples) each, of one length."""
    with av.open(str(path), "w") as out:
        layouts = ["mono" if track.shape[0] == 1 else "stereo" for track in tracks]
        streams = [out.add_stream("pcm_s16le", rate=RATE, layout=layout) for layout in layouts]
        for at in range(0, tracks[0].shape[1], RATE):
            for stream, track, layout in zip(streams, tracks, layouts, strict=True):
                packed = (track[:, at : at + RATE].T.reshape(1, -1) * 32_000).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
                frame.sample_rate, frame.pts = RATE, at
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


def level(path: Path) -> float:
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return float(np.sqrt(np.square(sound).mean()))


@pytest.fixture
def talk() -> Sound:
    return np.asarray(0.2 * np.sin(np.arange(4 * RATE) * 0.1), np.float32)[None]


def test_a_silent_first_track_is_passed_over(tmp_path: Path, talk: Sound) -> None:
    path = written(tmp_path / "x.mkv", 0 * talk, talk)
    with open_sound(path) as container:
        assert speaking_track(container) == Track(1)
    normalise(path, tmp_path / "x.m4a", lambda part: None)
    assert level(tmp_path / "x.m4a") > 0.1


def test_channels_that_cancel_are_heard_from_the_left(tmp_path: Path, talk: Sound) -> None:
    path = written(tmp_path / "x.mkv", np.concatenate([talk, -talk]))
    seconds = normalise(path, tmp_path / "x.m4a", lambda part: None)
    assert seconds == pytest.approx(4.0, abs=0.05)
    with av.open(str(tmp_path / "x.m4a")) as container:
        assert container.streams.audio[0].codec_context.channels == 1
    assert level(tmp_path / "x.m4a") > 0.1


def test_an_ordinary_file_stays_as_it_is(tmp_path: Path, talk: Sound) -> None:
    for tracks in ([talk, talk], [np.concatenate([talk, 0.5 * talk])], [0 * talk, 0 * talk]):
        with open_sound(written(tmp_path / "x.mkv", *tracks)) as container:
            assert speaking_track(container) == Track()
