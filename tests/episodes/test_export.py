# SPDX-License-Identifier: GPL-3.0-or-later
"""What is exported reads back as the same; nothing that a feed says becomes markup."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodes.export import EXPORT_FORMATS, export, write_chapters, write_soundbites
from episodes.ingest.pipeline import Tools
from episodes.ingest.submit import enqueue
from episodes.ingest.worker import bring_in
from episodes.model import Chapter, Episode, Soundbite
from episodes.sources.feed import read_feed
from episodes.sources.files import local_source
from episodes.store.library import Library
from episodes.topics.cohesion import Embed
from episodes.transcripts.chapters import read_chapters
from episodes.transcripts.reader import read_transcript
from episodes.transcripts.writer import write_json
from tests.material import material
from voice.errors import LibraryError
from voice.model import Cue, Word

SAID = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]), max_size=30)
TITLES = st.one_of(SAID, st.sampled_from(["<b>x</b>", "a & b", "&amp;", "]]>", "{\\an8}Hi", "${x}", "Chapter 7"]))
TIMES = st.lists(st.integers(0, 10_000_000), max_size=12, unique=True).map(sorted)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    found = Library.open(tmp_path / "library")
    yield found
    found.close()


def taken_in(library: Library, path: Path, embed: Embed) -> Episode:
    tools = Tools(hearing=lambda: pytest.fail("nothing is to be heard"), embed=embed, index=lambda episode, cues: None)
    return bring_in(library, enqueue(library, local_source(path)), tools)


@pytest.fixture
def talk(library: Library, tmp_path: Path, embed: Embed) -> Episode:
    """A made-up talk with all that is awkward in it."""
    said = [("Ann", "1. Bees &lt;script&gt;alert(1)&lt;/script&gt; dance."), ("Bob", "# No *bees*."),
            ("Bob", "Honey [here](javascript:x)."), ("Note", "Ships sail the wind.")]  # fmt: skip
    blocks = "".join(f"\n00:0{minute}:00.000 --> 00:0{minute}:50.000\n<v {who}>{text}\n"
                     for minute, (who, text) in enumerate(said))  # fmt: skip
    (tmp_path / "talk.vtt").write_text("WEBVTT\n" + blocks)
    return taken_in(library, tmp_path / "talk.vtt", embed)


@pytest.mark.parametrize("form", ["vtt", "srt", "json"])
def test_captions_come_back_as_the_same_cues(library: Library, talk: Episode, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"again.{form}"
    path.write_text(export(library, talk, form), "utf-8")
    assert tuple(read_transcript(path)) == library.cues(talk.id)


@pytest.mark.parametrize("form", ["vtt", "srt", "json"])
@pytest.mark.parametrize("name", ["buzzcast.srt", "podnews_weekly_review_2024-01-19.vtt", "one_word_segments.json"])
def test_real_captions_come_back_too(library: Library, tmp_path: Path, embed: Embed, form: str, name: str) -> None:
    episode = taken_in(library, material("feeds", "transcriptator", name), embed)
    path = tmp_path / f"again.{form}"
    path.write_text(export(library, episode, form), "utf-8")
    again = read_transcript(path)
    wanted = library.cues(episode.id)
    assert [(cue.start, cue.end, cue.text, cue.speaker) for cue in again] == [
        (cue.start, cue.end, cue.text, cue.speaker) for cue in wanted
    ]
    if form == "json":
        assert tuple(again) == wanted


@settings(deadline=None, max_examples=100)
@given(TIMES, st.lists(TITLES, min_size=12, max_size=12))
def test_chapters_come_back(times: list[int], titles: list[str]) -> None:
    chapters = tuple(Chapter(at / 1000, " ".join(title.split()) or f"Chapter {number}")
                     for number, (at, title) in enumerate(zip(times, titles, strict=False), 1))  # fmt: skip
    chapters = tuple(chapter for chapter in chapters if chapter.title.isprintable())
    again = read_chapters(write_chapters(chapters, "A talk"), "talk.json")
    assert [chapter.start for chapter in again] == [chapter.start for chapter in chapters]
    for chapter, found in zip(chapters, again, strict=True):
        assert found.title == chapter.title


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 9_000_000), st.integers(1, 120_000), TITLES), max_size=6))
def test_soundbites_come_back(rows: list[tuple[int, int, str]]) -> None:
    bites = tuple(Soundbite(at / 1000, length / 1000, " ".join(title.split())) for at, length, title in rows)
    content = write_soundbites(bites, "A <talk>", "https://example.org/a.m4a?x=1&y=2", "an-episode-of-bees")
    (source,) = read_feed(content.encode(), "", "talk.xml").entries
    assert source.soundbites == bites
    assert (source.address, source.guid) == ("https://example.org/a.m4a?x=1&y=2", "an-episode-of-bees")
    assert 'type="audio/ogg"' in write_soundbites(bites, "A talk", "https://example.org/a.ogg")


def test_topics_are_the_chapters_where_the_publisher_gave_none(library: Library, talk: Episode) -> None:
    chapters = read_chapters(export(library, talk, "chapters"), "talk.json")
    assert [chapter.title for chapter in chapters] == [segment.title for segment in library.segments(talk.id)]
    (source,) = read_feed(export(library, talk, "soundbites").encode(), "", "talk.xml").entries
    assert source.soundbites
    assert all(15 <= bite.length <= 60 for bite in source.soundbites)


def test_markdown_holds_everything_and_no_markup_of_others(library: Library, talk: Episode) -> None:
    text = export(library, talk, "markdown")
    assert text.startswith("# Talk\n")
    assert "`0:00` **Ann:** 1\\. Bees \\<script\\>alert(1)\\</script\\> dance." in text
    assert "**Bob:** \\# No \\*bees\\*." in text
    assert "\\[here\\](javascript:x)" in text
    assert "## Topics" in text


def test_json_holds_no_sign_of_markup_and_loses_none() -> None:
    hostile = Cue(0.0, 2.0, "a <b>&lt;</b>", "</script><img src=x> & Bob", (Word(0.0, 1.0, "<b>", 1.0),))
    written = write_json([hostile])
    assert not set("<>&") & set(written + write_chapters([Chapter(0.0, "<script>&")]))
    (segment,) = json.loads(written)["segments"]
    assert (segment["body"], segment["speaker"], segment["words"][0]["word"]) == (hostile.text, hostile.speaker, "<b>")


def test_an_episode_with_nothing_in_it_is_said(library: Library) -> None:
    episode = library.create("0" * 64, Episode("", "Empty"))
    for form in EXPORT_FORMATS:
        with pytest.raises(LibraryError, match=f"no {form} to export"):
            export(library, episode, form)
