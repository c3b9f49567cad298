# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of episodes: what the feed names and what lies in the recording, small, and never anything else."""

from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image

from episodes.media import artwork
from episodes.model import Source
from episodes.sources.fetcher import Fetcher
from episodes.sources.http import Net
from tests.episodes.feedserver import publishing
from voice.audio import Audio, write_wav
from voice.errors import AudioError

RED = (200, 30, 30)


def picture(kind: str, size: tuple[int, int] = (1200, 600)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, RED).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_a_small_jpeg_of_the_same_shape_and_colour(kind):
    made = Image.open(BytesIO(artwork.small(picture(kind))))
    assert (made.format, made.size) == ("JPEG", (artwork.SIDE, artwork.SIDE // 2))
    assert np.abs(np.asarray(made.convert("RGB")).mean(axis=(0, 1)) - RED).max() < 12


@pytest.mark.parametrize("content", [
    b"", b"<svg onload='alert(1)'/>", b"#EXTM3U\nfile:///etc/passwd", b"\xff\xd8\xff", picture("PNG")[:60],
])  # fmt: skip
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(AudioError):
        artwork.small(content)


def test_the_feeds_picture_is_fetched_once_and_goes_before_the_recordings_own(tmp_path):
    with publishing() as publisher:
        write_wav(tmp_path / "talk.wav", Audio(np.zeros(8000, np.float32), 8000))
        publisher.files |= {"/talk.wav": (tmp_path / "talk.wav").read_bytes(), "/art.png": picture("PNG")}
        source = Source("Talk", address=f"{publisher.base}/talk.wav", artwork=f"{publisher.base}/art.png")
        for _ in range(2):
            Fetcher(Net(private=True))(source, tmp_path / "fetched", lambda part: None)
        assert publisher.paths().count("/art.png") == 1
    assert artwork.keep_picture(tmp_path, "talk", None, tmp_path / "fetched" / artwork.FETCHED)
    assert Image.open(artwork.path_of(tmp_path, "talk")).size == (400, 200)


def test_a_cover_inside_the_recording_is_found_and_its_lack_is_no_fault(tmp_path):
    assert artwork.keep_picture(tmp_path, "covered", covered(tmp_path / "covered.m4a"), tmp_path / "none")
    assert Image.open(artwork.path_of(tmp_path, "covered")).size == (400, 400)
    write_wav(tmp_path / "bare.wav", Audio(np.zeros(8000, np.float32), 8000))
    assert not artwork.keep_picture(tmp_path, "bare", tmp_path / "bare.wav", tmp_path / "none")


def covered(path):
    """An .m4a with a cover."""
    with av.open(str(path), "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=48_000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 600
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        image = av.VideoFrame.from_ndarray(np.full((600, 600, 3), RED, np.uint8), "rgb24").reformat(format="yuvj420p")
        out.mux(cover.encode(image))
        out.mux(cover.encode(None))
        quiet = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        quiet.sample_rate = 48_000
        out.mux(sound.encode(quiet))
        out.mux(sound.encode(None))
    return path
