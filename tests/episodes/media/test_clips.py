# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip holds the sound between its two times."""

import pytest

from episodes.media.clips import LONGEST_CLIP, cut, save_clip
from episodes.media.recordings import normalise, probe
from tests.browser.tones import heard_position, write_episode
from voice.audio import read_audio, read_part
from voice.errors import AudioError, LibraryError


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    normalise(write_episode(folder), folder / "e.m4a", lambda part: None)
    return folder / "e.m4a"


def test_a_clip_is_heard_from_its_start_to_its_end(sound, tmp_path):
    (tmp_path / "clip.m4a").write_bytes(cut(sound, 20.5, 24.0, "Title", "http://here/?t=20"))
    onset, position = heard_position(read_audio(tmp_path / "clip.m4a"))
    assert position - onset == pytest.approx(20.5, abs=0.1)
    found = probe(tmp_path / "clip.m4a")
    assert found.seconds == pytest.approx(3.5, abs=0.06)
    assert found.title == "Title"


def test_nothing_is_cut_behind_the_end_and_no_more_than_a_clip(sound, tmp_path):
    for start, end in ((99, 120), (30, 30), (30, 20)):
        with pytest.raises(AudioError, match="no sound between"):
            cut(sound, start, end)
    (tmp_path / "long.m4a").write_bytes(cut(sound, 0, 50, longest=2.0))
    assert probe(tmp_path / "long.m4a").seconds == pytest.approx(2, abs=0.06)
    assert LONGEST_CLIP == 180


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".wav", ".flac", ".ogg", ".opus"])
def test_a_clip_is_written_as_its_name_says(sound, tmp_path, suffix):
    target = tmp_path / f"clip{suffix}"
    save_clip(sound, target, 20.5, 24.0, "Title")
    onset, position = heard_position(read_audio(target))
    assert position - onset == pytest.approx(20.5, abs=0.1)
    found = probe(target)
    assert found.seconds == pytest.approx(3.5, abs=0.08)
    assert found.title == "Title"


def test_what_cannot_be_written_is_one_sentence(sound, tmp_path):
    with pytest.raises(AudioError, match=r"clip\.txt"):
        save_clip(sound, tmp_path / "clip.txt", 1, 2)
    with pytest.raises(AudioError, match="no sound between"):
        save_clip(sound, tmp_path / "clip.wav", 9999, 10000)
    with pytest.raises(LibraryError, match="none"):
        save_clip(sound, tmp_path / "none" / "clip.m4a", 1, 2)
    assert not list(tmp_path.iterdir())


def test_a_part_is_read_as_it_is_in_the_whole(sound):
    onset, position = heard_position(read_part(sound, 31.3, 4.0))
    assert position - onset == pytest.approx(31.3, abs=0.1)
    assert read_part(sound, 31.3, 4.0).seconds == pytest.approx(4.0, abs=0.001)
    assert read_part(sound, 5000.0, 4.0).seconds == 0
