# SPDX-License-Identifier: GPL-3.0-or-later
"""Audio files in, exact audio out."""

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from episodes.media.recordings import normalise, normalise_here, probe, probe_here
from episodes.model import Chapter
from tests.conftest import for_long
from tests.episodes.tones import change_heard, heard_at, pitch, tones, vbr, write_tones
from voice.audio import Audio, write_wav
from voice.errors import AudioError, EarmarkError, NoSpace

KINDS = {
    "vbr.mp3": {"codec": "libmp3lame", "prepare": vbr},
    "stereo.flac": {"codec": "flac", "rate": 48_000, "layout": "stereo"},
    "talk.opus": {"codec": "libopus", "rate": 48_000, "container": "ogg"},
    "film.mp4": {"codec": "aac", "picture": True},
    "low.mp3": {"codec": "libmp3lame", "rate": 22_050},
    "phone.wav": {"codec": "pcm_s16le", "rate": 8_000},
    "talk.m4a": {"codec": "aac", "container": "mp4"},
    "film.mkv": {"codec": "libopus", "rate": 48_000, "picture": True},
}


@pytest.mark.parametrize("name", [*[*KINDS][:4], *for_long(*[*KINDS][4:])])
def test_a_seek_lands_on_the_sound_of_that_time(tmp_path: Path, name: str) -> None:
    source = write_tones(tmp_path / name, seconds=10.0, **KINDS[name])  # type: ignore[arg-type]
    told: list[float] = []
    seconds = normalise(source, tmp_path / "out.m4a", told.append)
    assert seconds == pytest.approx(10.0, abs=0.05)
    assert probe(tmp_path / "out.m4a").seconds == pytest.approx(10.0, abs=0.05)
    for second in (1, 4, 7, 9):
        assert change_heard(tmp_path / "out.m4a", second) == pytest.approx(second, abs=0.025)
    samples, rate = heard_at(tmp_path / "out.m4a", 0.0, 0.5)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(pitch(0), abs=4)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert [entry.name for entry in tmp_path.iterdir() if entry.name != name] == ["out.m4a"]


def test_the_result_is_what_browsers_play_at_once(tmp_path: Path) -> None:
    normalise(write_tones(tmp_path / "a.flac", "flac", 5, 48_000, "stereo"), tmp_path / "a.m4a", lambda _: None)
    raw = (tmp_path / "a.m4a").read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat")  # the index in front
    assert b"elst" in raw  # the edit list that takes the encoder's delay away
    with av.open(str(tmp_path / "a.m4a")) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.profile, stream.rate, stream.channels) == ("aac", "LC", 48_000, 2)


def test_more_than_two_channels_become_two(tmp_path: Path) -> None:
    normalise(write_tones(tmp_path / "a.flac", "flac", 3, layout="5.1"), tmp_path / "a.m4a", lambda _: None)
    with av.open(str(tmp_path / "a.m4a")) as container:
        assert container.streams.audio[0].channels == 2


def test_sound_that_begins_after_the_picture_keeps_its_time(tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    with av.open(str(write_tones(tmp_path / "a.mkv", "libopus", 5, 48_000, picture=True))) as given, \
            av.open(str(late), "w") as out:  # fmt: skip
        copies = {stream.index: out.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                if packet.stream.type == "audio":
                    packet.pts += round(1.5 / packet.time_base)
                    packet.dts += round(1.5 / packet.time_base)
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    assert normalise(late, tmp_path / "late.m4a", lambda _: None) == pytest.approx(6.5, abs=0.05)
    samples, _ = heard_at(tmp_path / "late.m4a", 0.2, 1.0)
    assert np.abs(samples).max() < 0.01
    samples, rate = heard_at(tmp_path / "late.m4a", 2.6, 0.3)  # 1.1 s into the sound
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(pitch(1), abs=5)


def test_the_damaged_middle_of_a_file_is_passed_over(tmp_path: Path) -> None:
    whole = normalise(write_tones(tmp_path / "a.m4a", "aac", container="mp4"), tmp_path / "b.m4a", lambda _: None)
    raw = bytearray((tmp_path / "b.m4a").read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 3000] = np.random.default_rng(1).bytes(3000)
    (tmp_path / "bad.m4a").write_bytes(raw)
    assert normalise(tmp_path / "bad.m4a", tmp_path / "c.m4a", lambda _: None) == pytest.approx(whole, abs=0.1)
    assert change_heard(tmp_path / "c.m4a", 18) == pytest.approx(18, abs=0.025)


def test_half_a_file_gives_the_half_that_is_there(tmp_path: Path) -> None:
    raw = write_tones(tmp_path / "a.mp3", "libmp3lame").read_bytes()
    (tmp_path / "half.mp3").write_bytes(raw[: len(raw) // 2])
    assert normalise(tmp_path / "half.mp3", tmp_path / "c.m4a", lambda _: None) == pytest.approx(10, abs=0.2)


def test_tags_and_chapters_are_read(tmp_path: Path) -> None:
    def tag(out: av.container.OutputContainer, stream: av.AudioStream) -> None:
        out.metadata.update({"title": "A talk", "artist": "Ann Lee", "album": "The Show", "date": "2024-05-06"})
        out.set_chapters([
            {"id": start, "start": start * 1000, "end": start * 1000 + 1000, "time_base": Fraction(1, 1000),
             "metadata": {"title": title}} for start, title in ((0, "Hello"), (5, "The\n middle"))
        ])  # fmt: skip

    for name, codec, container in (("a.mp3", "libmp3lame", None), ("a.m4a", "aac", "mp4")):
        found = probe(write_tones(tmp_path / name, codec, 10, container=container, prepare=tag))
        assert (found.title, found.artist, found.show) == ("A talk", "Ann Lee", "The Show")
        assert found.published.startswith("2024")
        assert found.chapters == (Chapter(0, "Hello"), Chapter(5, "The middle"))


def bad_files(folder: Path) -> Iterator[tuple[Path, str]]:
    def made(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    yield made("empty.mp3", b""), "is empty"
    yield made("empty.wav", b""), "is empty"
    yield made("text.mp3", b"This is a letter, not music.\n" * 50), "not audio that can be decoded"
    yield made("noise.mp3", np.random.default_rng(2).bytes(100_000)), "noise.mp3"
    yield made("captions.mp3", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n"), "not audio that can be decoded"
    yield made("list.mp3", f"#EXTM3U\n#EXTINF:5,\n{folder / 'good.wav'}\n#EXT-X-ENDLIST\n".encode()), "not audio"
    write_wav(folder / "header.wav", Audio(np.zeros(0, np.float32), 8000))
    yield folder / "header.wav", "holds no sound"
    with av.open(str(folder / "silent.mp4"), "w") as out:
        film = out.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p")
        out.mux(film.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(film.encode(None))
    yield folder / "silent.mp4", "holds no sound"
    yield folder, "is a folder"
    yield folder / "none.mp3", "There is no file"


def test_what_is_no_sound_is_refused_in_one_sentence(tmp_path: Path) -> None:
    write_wav(tmp_path / "good.wav", Audio(tones(3, 8000), 8000))
    for path, says in bad_files(tmp_path):
        with pytest.raises(AudioError) as caught:
            normalise(path, tmp_path / "out" / "x.m4a", lambda _: None)
        assert says in caught.value.message
        assert path.name in caught.value.message
        assert caught.value.hint
        assert not list((tmp_path / "out").iterdir())


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    source = write_tones(tmp_path / "a.flac", "flac", 10)
    with pytest.raises(KeyboardInterrupt):
        normalise(source, tmp_path / "out" / "a.m4a", stop)
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize("kilobytes", [8, 60, 130])
def test_a_full_disk_is_said_and_leaves_nothing(small_disk: Path, tmp_path: Path, kilobytes: int) -> None:
    source = write_tones(tmp_path / "a.flac", "flac", 20)  # 160 kB as AAC
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(small_disk)], check=True)
    with pytest.raises(NoSpace, match="The disk is full"):
        normalise(source, small_disk / "a.m4a", lambda _: None)
    assert not list(small_disk.iterdir())


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A second of each kind, to be damaged."""
    folder = tmp_path_factory.mktemp("whole")
    return {name: write_tones(folder / name, seconds=1.0, **options).read_bytes()  # type: ignore[arg-type]
            for name, options in KINDS.items()}  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(KINDS)), cut=st.floats(0, 1), data=st.data())
def test_no_damaged_file_does_more_than_be_refused(
    recordings: dict[str, bytes], tmp_path: Path, name: str, cut: float, data: st.DataObject
) -> None:
    """Bytes changed, cut off or put in: what can still be heard comes in, all else is one sentence, and no half is
    left."""
    raw = bytearray(recordings[name])
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=12)):
        raw[at : at + 4] = data.draw(st.binary(min_size=1, max_size=40))
    path = tmp_path / name
    path.write_bytes(bytes(raw[: max(1, int(len(raw) * cut))] if cut < 0.8 else raw))
    out = tmp_path / "out.m4a"
    out.unlink(missing_ok=True)
    try:
        said = probe_here(path)
        seconds = normalise_here(path, out, lambda _: None)
    except EarmarkError as error:
        assert error.message.endswith((".", "?")) and "\n" not in str(error)
        assert not out.exists()
    else:
        assert probe_here(out).seconds == pytest.approx(seconds, abs=0.1)
        assert all(chapter.title.isprintable() for chapter in said.chapters)
    assert {entry.name for entry in tmp_path.iterdir()} <= {*KINDS, "out.m4a"}
