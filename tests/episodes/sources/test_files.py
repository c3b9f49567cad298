# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is, and what lies beside it."""

from pathlib import Path

import pytest

from episodes.sources.files import local_source
from tests.episodes.tones import write_tones
from voice.errors import AudioError, LibraryError

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n"


def test_audio_with_the_best_transcript_beside_it(tmp_path: Path) -> None:
    audio = write_tones(tmp_path / "my-talk_one.flac", "flac", 2)
    assert local_source(audio).title == "My talk one"
    assert local_source(audio).transcript is None
    for name in ("other.vtt", "my-talk_one two.vtt", "my-talk_one.info.json"):
        (tmp_path / name).write_text(VTT)
    assert local_source(audio).transcript is None
    for name in (".json", ".flac.srt", ".SRT", ".en.vtt", ".vtt"):
        better = tmp_path / f"my-talk_one{name}"
        better.write_text(VTT)
        assert local_source(audio).transcript == better


def test_tags_name_the_episode(tmp_path: Path) -> None:
    audio = write_tones(tmp_path / "a.flac", "flac", 2, prepare=lambda out, _: out.metadata.update(
        {"title": "A Talk", "album": "The Show", "artist": "Ann Lee, Bob Stone", "date": "2023-04-05"}))  # fmt: skip
    source = local_source(audio)
    assert (source.title, source.show, source.guests) == ("A Talk", "The Show", ("Ann Lee", "Bob Stone"))
    assert source.published == "2023-04-05"
    assert source.audio == audio


def test_a_transcript_alone_by_its_name_or_its_content(tmp_path: Path) -> None:
    for name in ("Episode 7 - Making Progress.vtt", "talk.txt"):
        (tmp_path / name).write_text(VTT)
    source = local_source(tmp_path / "Episode 7 - Making Progress.vtt")
    assert (source.audio, source.title) == (None, "Episode 7 - Making Progress")
    assert local_source(tmp_path / "talk.txt").transcript == tmp_path / "talk.txt"


def test_what_cannot_be_added_is_said_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear all, this is a letter. " * 40)
    for path, kind, says in (
        (tmp_path, LibraryError, "is a folder"),
        (tmp_path / "none.mp3", LibraryError, "There is no file"),
        (Path("https://example.org/feed.xml"), LibraryError, "is an address"),
        (Path("/dev/null"), LibraryError, "is not a file"),
        (tmp_path / "letter.txt", AudioError, "not audio"),
    ):
        with pytest.raises(kind, match=says) as caught:
            local_source(path)
        assert caught.value.hint
