# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that would take all memory, all time or all of the disk."""

import resource
import struct
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from episodes.media import confined_media
from episodes.media.recordings import normalise, normalise_here, probe
from voice.audio import Audio, write_wav
from voice.errors import AudioError


def flac(path: Path, rate: int, seconds: int) -> Path:
    """Silence, packed as tightly as it can be."""
    with av.open(str(path), "w", format="flac") as out:
        stream = out.add_stream("flac", rate=rate, layout="mono")
        quiet = np.zeros((1, 4096), np.int16)
        for number in range(rate * seconds // 4096 + 1):
            frame = av.AudioFrame.from_ndarray(quiet, format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, number * 4096
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def slow_wav(path: Path, rate: int) -> Path:
    """A few samples that claim to be an hour, since there are so few a second."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(rate)
        out.writeframes(b"\x80" * 3600)
    return path


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def sample_bomb(path: Path, samples: int) -> Path:
    """An m4a of a few hundred bytes whose tables tell of that many samples."""
    full = b"\0\0\0\0"
    entry = box(b"mp4a", b"\0" * 6 + b"\0\1", b"\0" * 8, struct.pack(">HHHHI", 1, 16, 0, 0, 8000 << 16))
    table = box(
        b"stbl", box(b"stsd", full, struct.pack(">I", 1), entry),
        box(b"stts", full, struct.pack(">III", 1, samples, 1)),
        box(b"stsc", full, struct.pack(">IIII", 1, 1, samples, 1)),
        box(b"stsz", full, struct.pack(">II", 1, samples)),
        box(b"stco", full, struct.pack(">II", 1, 40)),
    )  # fmt: skip
    media = box(
        b"mdia", box(b"mdhd", full, struct.pack(">IIIIHH", 0, 0, 8000, samples, 0x55C4, 0)),
        box(b"hdlr", full, b"\0\0\0\0soun", b"\0" * 13),
        box(b"minf", box(b"smhd", full, b"\0" * 4), box(b"dinf", box(b"dref", full, struct.pack(">I", 1),
            box(b"url ", b"\0\0\0\1"))), table),
    )  # fmt: skip
    track = box(b"trak", box(b"tkhd", b"\0\0\0\7", struct.pack(">IIIII", 0, 0, 1, 0, samples), b"\0" * 60), media)
    header = box(b"mvhd", full, struct.pack(">IIII", 0, 0, 8000, samples), b"\0" * 80)
    path.write_bytes(box(b"ftyp", b"M4A \0\0\0\0M4A ") + box(b"moov", header, track) + box(b"mdat", b"\0" * 16))
    return path


def refused(path: Path) -> AudioError:
    with pytest.raises(AudioError) as error:
        probe(path)
        normalise(path, path.parent / "out.m4a", lambda _: None)
    assert not list(path.parent.glob("out*"))
    return error.value


@pytest.mark.parametrize("rate", [1, 16, 3_999])
def test_a_rate_at_which_nobody_speaks_is_refused(tmp_path, rate):
    assert "samples a second" in refused(slow_wav(tmp_path / "slow.wav", rate)).message


def test_tables_that_tell_of_more_than_there_is_take_no_memory_of_ours(tmp_path):
    bomb = sample_bomb(tmp_path / "bomb.m4a", 200_000_000)
    assert bomb.stat().st_size < 1000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    refused(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"
    now = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    mine = "a child of this test, or a larger one of another before"
    assert now == largest or now * 1000 < confined_media.MEMORY, mine


def test_hours_out_of_nothing_are_refused(tmp_path, monkeypatch):
    made = flac(tmp_path / "hours.flac", 8000, 120)
    raw = bytearray(made.read_bytes())
    raw[21:26] = bytes([raw[21] & 0xF0, 0, 0, 0, 0])  # its head says nothing of its length, so decoding has to notice
    made.write_bytes(bytes(raw))
    monkeypatch.setattr(confined_media, "LEAST_SOUND_SECONDS", 10.0)
    monkeypatch.setattr(confined_media, "SPARSEST", 10_000)
    with pytest.raises(AudioError, match="far more sound"):
        normalise_here(made, tmp_path / "out.m4a", lambda _: None)
    assert not list(tmp_path.glob("out*"))


def test_what_takes_too_long_is_ended(tmp_path, monkeypatch):
    path = flac(tmp_path / "long.flac", 8000, 590)
    run = confined_media._run
    monkeypatch.setattr(confined_media, "_run", lambda what, path, more, processor, disk, tell: run(
        what, path, more, 1 if what == "normalise" else processor, disk, tell))
    monkeypatch.setattr(confined_media, "_SLOWEST", 1e9)
    begun = time.monotonic()
    try:
        normalise(path, tmp_path / "out.m4a", lambda _: None)
    except AudioError as error:
        assert "far more time" in error.message
        assert not list(tmp_path.glob("out*"))
    assert time.monotonic() - begun < 60


def test_taking_in_stops_at_once_when_it_is_told_to(tmp_path):
    class Stopped(BaseException):
        pass

    def stop(fraction: float) -> None:
        raise Stopped

    tone = np.sin(np.arange(48_000 * 600, dtype=np.float32) / 20)
    source = tmp_path / "long.wav"
    write_wav(source, Audio(tone, 48_000))
    with pytest.raises(Stopped):
        normalise(source, tmp_path / "out.m4a", stop)
    assert not list(tmp_path.glob("out*"))


def test_tags_are_one_line_and_cut(tmp_path):
    path = tmp_path / "talk.mp3"
    with av.open(str(path), "w", format="mp3") as out:
        out.metadata.update({"title": "\x1b]0;owned\x07\x1b[2J\u202eTalk", "album": "x" * 100_000})
        stream = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44_100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    found = probe(path)
    assert found.title.isprintable()
    assert "Talk" in found.title
    assert len(found.show) <= 500
