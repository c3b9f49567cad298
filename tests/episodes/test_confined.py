# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading in a process of its own: whatever happens there is one sentence here, and the next text is read."""

import ast
import os
from pathlib import Path

import pytest

from episodes import confined
from episodes.sources.confined_feeds import read_feed
from episodes.transcripts.confined_transcripts import read_transcript
from tests.episodes import bad_readers
from voice.errors import FeedError, TranscriptError

OVER = TranscriptError("It was given up.")
ROOT = Path(__file__).resolve().parents[2]
INSIDE = {"reader": "load_transcript read_transcript", "feed": "read_feed read_opml feed_links",
          "chapters": "read_chapters"}  # fmt: skip


@pytest.mark.parametrize(
    "work", [bad_readers.never_ends, bad_readers.takes_all_memory, bad_readers.crashes, bad_readers.stumbles]
)
def test_what_does_not_end_well_is_one_sentence_and_the_next_is_read(work):
    with pytest.raises(TranscriptError, match="given up"):
        confined.call(work, "text", size=4, over=OVER, seconds=0.1)
    assert confined.call(bad_readers.prints, "as before", size=4, over=OVER) == "as before"


def test_a_process_is_used_again_and_what_it_prints_is_no_answer():
    confined.call(bad_readers.prints, "first", size=4, over=OVER)
    before = list(confined._idle)
    assert confined.call(bad_readers.prints, "second", size=4, over=OVER) == "second"
    assert list(confined._idle) == before


def test_our_own_errors_come_as_they_are():
    with pytest.raises(FeedError, match=r"This is no feed\.") as refused:
        confined.call(bad_readers.refuses, "This", size=4, over=OVER)
    assert refused.value.hint == "Give another."


def test_an_answer_of_another_kind_than_was_promised_is_refused():
    with pytest.raises(TranscriptError, match="given up"):
        confined.call(bad_readers.says_the_wrong_thing, "text", size=4, over=OVER)


def test_a_reader_writes_no_file(tmp_path):
    with pytest.raises(TranscriptError, match="given up"):
        confined.call(bad_readers.writes, str(tmp_path / "a"), size=4, over=OVER)
    assert not (tmp_path / "a").exists() or not (tmp_path / "a").read_bytes()


def test_who_no_longer_waits_ends_it():
    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        confined.call(bad_readers.never_ends, "text", size=4, over=OVER, check=enough)
    assert confined.call(bad_readers.prints, "as before", size=4, over=OVER) == "as before"


def test_names_that_are_not_utf_8_come_back_as_they_were():
    path = Path(os.fsdecode(b"/tmp/caf\xe9.vtt"))
    assert confined.call(bad_readers.name_of, path, size=4, over=OVER) == path


def test_more_time_is_given_to_what_is_larger():
    assert confined.granted(10_000_000) > 10 * confined.granted(0)


def test_transcripts_and_feeds_are_read_there(tmp_path, monkeypatch):
    (tmp_path / "a.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:05.000\n<v Ada>Hello there.\n")
    (cue,) = read_transcript(tmp_path / "a.vtt")
    assert (cue.text, cue.speaker, cue.end) == ("Hello there.", "Ada", 5.0)
    with pytest.raises(FeedError, match="The list is XML, but not a podcast's feed"):
        read_feed(b"<?xml version='1.0'?><rss><nothing/></rss>".replace(b"rss", b"list"), "", "The list")
    (tmp_path / "b.vtt").write_text("")
    with pytest.raises(TranscriptError, match=r"b\.vtt is empty"):
        read_transcript(tmp_path / "b.vtt")


def test_the_program_reads_what_strangers_wrote_nowhere_else():
    found = []
    for path in (path for room in ("episodes", "retrieval", "ui") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                inside = INSIDE.get(node.module.rpartition(".")[2], "").split()
                if path.name != "demo_episode.py":  # a text of our own
                    found += [(path.name, one.name) for one in node.names if one.name in inside]
    assert found == []
