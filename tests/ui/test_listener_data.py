# SPDX-License-Identifier: GPL-3.0-or-later
"""What listeners keep: their own, bounded, never overwritten unseen, and as files for other programs."""

import xml.etree.ElementTree as ET

import pytest

from episodes.model import Cue, Episode
from episodes.store.postgres import PostgresDatabase
from ui import listener_data as module
from ui import moments_export
from ui.attribution import Attribution
from ui.listener_data import ListenerData, Note, NoteConflict, SavedMoment, feed_of
from voice.errors import LibraryError, SettingsError

ANN, BEN = "ann-of-the-kitchen", "ben-of-the-garden"
BEES = SavedMoment("", "e1", 65.4, 72.0, "Bees *dance* <b>.", "Ada", "What do bees do?")


@pytest.fixture
def kept(tmp_path, database_url):
    """On each engine."""
    server = PostgresDatabase.open(database_url) if database_url else None
    yield ListenerData(tmp_path, server)
    if server is not None:
        server.close()


def test_notes_are_stored_over_what_one_has_seen_and_never_over_what_one_has_not(kept, tmp_path):
    assert kept.note(ANN, "e1") == Note()
    assert kept.write_note(ANN, "e1", "one", 0) == Note("one", 1)
    with pytest.raises(NoteConflict) as conflict:
        kept.write_note(ANN, "e1", "another tab's", 0)
    assert conflict.value.present == Note("one", 1)
    assert kept.write_note(ANN, "e1", "one", 0).text == "one", "the same again is no conflict"
    there = ListenerData(tmp_path)
    kept.copy_to(there)
    assert there.note(ANN, "e1").text == "one"
    assert kept.note(BEN, "e1") == kept.note(ANN, "e2") == Note()


def test_a_conversation_grows_at_its_end_and_keeps_the_newest_answers(kept, monkeypatch):
    monkeypatch.setattr(module, "MOST_ANSWERS", 3)
    for question in "abcd":
        kept.add_answer(ANN, "library", {"question": question})
    assert [answer["question"] for answer in kept.conversation(ANN, "library")] == ["b", "c", "d"]
    assert kept.conversation(ANN, "episode:e1") == kept.conversation(BEN, "library") == []
    kept.forget_conversation(ANN, "library")
    assert kept.conversation(ANN, "library") == []


def test_a_moment_is_saved_once_with_its_note_and_forgotten(kept):
    first = kept.save_moment(ANN, BEES)
    kept.annotate(ANN, first.id, "worth it")
    again = kept.save_moment(ANN, SavedMoment("", "e1", 65.9, 80.0, "More of it."))
    assert (again.id, again.note, again.quote) == (first.id, "worth it", "More of it.")
    assert kept.moments(ANN) == [again]
    other = kept.save_moment(ANN, SavedMoment("", "e1", 300.0, 301.0))
    assert [one.id for one in kept.moments(ANN)] == [other.id, again.id], "the last first"
    assert kept.moments(BEN) == []
    kept.forget_moment(BEN, again.id)
    kept.forget_moment(ANN, other.id)
    assert kept.moments_of_feed(feed_of(ANN)) == [again]
    with pytest.raises(LibraryError, match="No saved moment"):
        kept.annotate(BEN, again.id, "mine")
    assert ANN not in feed_of(ANN)


def test_a_key_that_is_none_is_refused_and_the_oldest_things_go(kept, monkeypatch):
    with pytest.raises(SettingsError):
        kept.note("a b", "e1")
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for number in range(4):
        kept.write_note(ANN, f"e{number}", "x", 0)
    assert [kept.note(ANN, f"e{number}").text for number in range(4)] == ["", "", "x", "x"]


def test_a_damaged_file_is_said_with_what_to_do(tmp_path):
    (tmp_path / "listeners.db").write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(LibraryError, match="could not be used"):
        ListenerData(tmp_path)


def known(name):
    return {"e1": Episode("e1", "Tom & <i>Jerry</i>", "Show", audio="audio/e1.m4a"),
            "text": Episode("text", "Only words")}.get(name)  # fmt: skip


BASE = "http://127.0.0.1:7860/"
SAVED = [
    SavedMoment("1" * 16, "text", 5.0, 9.0, "Written.", at=1_800_000_000.0),
    SavedMoment("2" * 16, "e1", 65.4, 372.0, "Bees *dance* <b>.", "Ada", "What do bees do?", "my note", 1.7e9),
    SavedMoment("3" * 16, "gone", 1.0, 2.0, "Removed.", at=1_600_000_000.0),
]


def test_markdown_has_every_moment_with_its_link_and_no_markup_of_strangers():
    text = moments_export.markdown(SAVED, known, BASE)
    assert "## Tom & \\<i\\>Jerry\\</i\\>" in text
    assert "> Bees \\*dance\\* \\<b\\>." in text
    assert "[1:05](http://127.0.0.1:7860/?episode=e1&t=65), Ada" in text
    assert "*What do bees do?*" in text
    assert "my note" in text
    assert "## gone" in text


def test_the_feed_has_a_clip_of_every_moment_that_has_sound():
    (item,) = ET.fromstring(moments_export.clips_feed(SAVED, known, BASE)).iter("item")
    assert item.findtext("title") == "What do bees do?"
    assert item.find("enclosure").get("url") == f"{BASE}api/episodes/e1/clip?start=65.40&end=245.40"  # three minutes
    assert item.findtext("description") == "“Bees *dance* <b>.”\n\nAda\n\nmy note"
    assert item.findtext("pubDate") == "Tue, 14 Nov 2023 22:13:20 +0000"


def test_soundbites_name_their_episode_and_length():
    root = ET.fromstring(moments_export.soundbites(SAVED, known))
    bites = list(root.iter("{https://podcastindex.org/namespace/1.0}soundbite"))
    assert [(bite.get("startTime"), bite.get("duration")) for bite in bites] == [
        ("65.400", "306.600"), ("1.000", "1.000"), ("5.000", "4.000"),
    ]  # fmt: skip
    assert next(root.iter("item")).findtext("title").startswith("Tom &")


def test_a_summary_is_told_with_who_said_what():
    cues = [
        Cue(0, 5, "Let's begin with the phrase on your door. It is odd.", "Nora"),
        Cue(5, 9, "Well, um, the cells in your liver", "Elias"), Cue(9, 12, "become a liver, you see.", "Elias"),
        Cue(50, 60, "I keep bees now as well.", ""),
        Cue(100, 110, "Let's begin with the phrase again.", "Elias"),
    ]  # fmt: skip
    speakers = Attribution(cues)
    told = speakers.parts("Let's begin with the phrase on your door. The cells in your liver become a liver. It's new.")
    assert told == [
        ("Nora", "Let's begin with the phrase on your door."),
        ("Elias", "The cells in your liver become a liver."),
        ("", "It's new."),
    ]
    assert speakers.of("Let's begin with the phrase again.", 90, 120) == "Elias"
    nobody = "I keep bees now as well. And more of that."
    assert speakers.parts(nobody) == [("", nobody)]
    assert speakers.parts("") == []
