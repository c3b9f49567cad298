# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reference stands for: files, folders, saved feeds, and which of their episodes are wanted."""

from pathlib import Path

import pytest

from episodes.model import Source
from episodes.sources.http import Net
from episodes.sources.resolve import Selection, gather
from episodes.transcripts.fit import length_remark, misfit
from tests.episodes.feedserver import Publisher
from tests.episodes.tones import write_tones
from voice.errors import AudioError, DownloadError, LibraryError
from voice.model import Cue

NET = Net()
VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\nHello.\n"


def test_a_folder_is_walked_with_what_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "2024" / "may").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    write_tones(tmp_path / "a.wav", "pcm_s16le", 2)
    write_tones(tmp_path / "2024" / "may" / "b.flac", "flac", 2)
    write_tones(tmp_path / "2024" / "film.mkv", "aac", 2, container="matroska", picture=True)
    write_tones(tmp_path / ".hidden" / "c.wav", "pcm_s16le", 2)
    (tmp_path / "a.en.vtt").write_text(VTT)
    (tmp_path / "2024" / "may" / "b.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nHi.\n")
    (tmp_path / "2024" / "alone.vtt").write_text(VTT)
    (tmp_path / "2024" / "alone.srt").write_text(VTT.removeprefix("WEBVTT"))
    (tmp_path / "2024" / "broken.mp3").write_text("nothing")
    (tmp_path / "2024" / "settings.json").write_text("{}")
    (tmp_path / "2024" / "letter.txt").write_text("Dear all")
    found = gather(str(tmp_path), NET)
    assert [(one.title, one.audio is not None, one.transcript is not None) for one in found.sources] == [
        ("Film", True, False), ("B", True, True), ("A", True, True), ("Alone", False, True)
    ]  # fmt: skip
    broken, *left_out = found.problems
    assert broken.startswith("broken.mp3 is not audio")
    assert [problem.partition(" ")[0] for problem in left_out] == ["settings.json", "letter.txt"]


def test_a_link_out_of_the_folder_is_left_out_and_named(tmp_path: Path) -> None:
    folder, captions = tmp_path / "added", "WEBVTT\n\n00:00.000 --> 00:02.000\nBees dance in the dark hive.\n"
    folder.mkdir()
    (tmp_path / "private.vtt").write_text(captions)
    (folder / "talk.vtt").write_text(captions)
    (folder / "linked.vtt").symlink_to(tmp_path / "private.vtt")
    (folder / "same.vtt").symlink_to(folder / "talk.vtt")
    found = gather(str(folder), Net())
    assert {source.title for source in found.sources} == {"Talk", "Same"}
    assert any("linked.vtt" in line and "outside" in line for line in found.problems)


def test_a_folder_with_nothing_in_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear all")
    with pytest.raises(LibraryError, match="neither audio nor a transcript"):
        gather(str(tmp_path), NET)
    (tmp_path / "broken.mp3").write_text("nothing")
    with pytest.raises(LibraryError, match=r"could be taken in: broken\.mp3 is not audio"):
        gather(str(tmp_path), NET)


def test_a_saved_feed_and_what_is_no_feed(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(Publisher(port=1).feed({"title": "Bees"}, {"guid": "another-one-of-bees"}))
    found = gather(str(tmp_path / "feed.xml"), NET)
    assert [one.title for one in found.sources] == ["Bees", "Talk 1"]
    assert found.feeds[0].document is None
    (tmp_path / "page.html").write_text("<html><p>Hi</html>")
    with pytest.raises(AudioError):
        gather(str(tmp_path / "page.html"), NET)
    with pytest.raises(DownloadError, match="not an address of the web"):
        gather("ftp://example.org/feed.xml", NET)
    with pytest.raises(LibraryError, match="There is no file"):
        gather(str(tmp_path / "none.mp3"), NET)


@pytest.mark.parametrize(("choice", "wanted"), [
    (Selection(), [9, 8, 7]),
    (Selection(latest=5), [9, 8, 7, 6, 5]),
    (Selection(latest=0), [9, 8, 7, 6, 5, 4, 3, 2, 1]),
    (Selection(since="2024-01-07"), [9, 8, 7]),
    (Selection(match="EVEN"), [8, 6, 4, 2]),
    (Selection(latest=2, match="even"), [8, 6]),
    (Selection(latest=9, since="2024-01-04", match="even"), [8, 6, 4]),
])  # fmt: skip
def test_which_episodes_of_a_feed_are_wanted(choice: Selection, wanted: list[int]) -> None:
    kinds = ("even", "odd")
    entries = [Source(f"{day} is {kinds[day % 2]}", published=f"2024-01-0{day}") for day in range(9, 0, -1)]
    assert [int(one.title[0]) for one in choice.of(entries)] == wanted


def test_an_episode_without_a_date_is_as_old_as_the_one_before_it() -> None:
    dates = ["", "2024-01-09", "", "2024-01-05", ""]
    entries = [Source(str(number), published=day) for number, day in enumerate(dates)]
    assert [one.title for one in Selection(since="2024-01-07").of(entries)] == ["0", "1", "2"]
    assert [one.title for one in Selection(since="2024-01-01").of(entries)] == ["0", "1", "2", "3", "4"]


def test_a_date_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="Write it as"):
        gather(str(tmp_path), NET, Selection(since="last week"))


def spoken(end: float, words: int = 200) -> list[Cue]:
    return [Cue(0.0, end, "word " * words)]


@pytest.mark.parametrize(("cues", "length", "says"), [
    (spoken(600, 1500), 600, ""),
    (spoken(600, 1500), 0, ""),
    (spoken(600, 1500), 700, ""),
    (spoken(3600, 9000), 600, "goes on to 60 minutes"),
    (spoken(600, 1500), 3600, "ends after 10 of 60 minutes"),
    (spoken(3600, 300), 3600, "has 300 words for 60 minutes"),
    (spoken(5, 1), 100, ""),
])  # fmt: skip
def test_a_transcript_of_something_else_is_told(cues: list[Cue], length: float, says: str) -> None:
    assert says in misfit(cues, length)
    assert bool(says) == bool(misfit(cues, length))


def test_advertisements_are_said() -> None:
    assert length_remark(spoken(600), 630) == ""
    assert "1.7 minutes shorter" in length_remark(spoken(600), 700)
