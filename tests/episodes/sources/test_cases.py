# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds, lists of feeds and files as people have them: what is made of each, in one table, and the kinds in small."""

from pathlib import Path

import pytest

from episodes.sources.addresses import as_web, file_of, with_password, without_password, without_scheme
from episodes.sources.dates import parse_date
from episodes.sources.feed import kind, read_feed, read_opml
from episodes.sources.files import local_source
from episodes.sources.http import Net
from episodes.sources.resolve import gather
from episodes.transcripts.chapters import read_chapters
from voice.errors import AudioError, EarmarkError, FeedError, LibraryError, TranscriptError

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "cases" / "taking-in"
HERE = "http://127.0.0.1:17871"
shared = pytest.mark.skipif(not CASES.is_dir(), reason="the cases in ../shared/data/cases/taking-in are not here")

TITLES: dict[str, list[str]] = {
    "72-enclosure-2.xml": ["Bees, corrected"],
    "73-guid-twice.xml": ["Bees", "Bread"],
    "74-no-enclosure.xml": ["Episode 1"],
    "74b-none.xml": [],
    "75-atom.xml": ["Bees & bread"],
    "77-titles.xml": ["“Your welcome”", "Bread & water", "Bees & bread", "Bees & bread", "Café", "It's here",
                      "1 < 2 and a<b", "Text with and in it", "spaces and lines", "Untitled", "R&D today", "Untitled"],
    "77b-control-then-amp.xml": ["Plain & bare", "Text with in it & more", "Salt & flour <today> R&D"],
    "77c-undefined-prefix.xml": ["Before", "Undeclared", "Salt & flour"],
    "79-live.xml": ["Episode 1"],
    "82-leading.xml": ["Episode 1"],
    "89-lies.xml": ["Café — “Bees”"],
    "89b-utf16.xml": ["Café Bees"],
    "90c-truncated.xml": ["Episode 1"],
    "90d-channelless.xml": ["Episode 1"],
    "91-podcast-old-ns.xml": ["Episode 1"],
    "93-locked.xml": ["Episode 1"],
    "98-order.xml": ["Newest", "Middle", "Oldest"],
}  # fmt: skip


@shared
@pytest.mark.parametrize("name", TITLES)
def test_a_feed_gives_its_titles(name: str) -> None:
    content = (CASES / name).read_bytes()
    assert kind(content) == "feed"
    assert [entry.title for entry in read_feed(content, f"{HERE}/{name}", name).entries] == TITLES[name]


@shared
def test_dates_in_all_their_forms() -> None:
    entries = read_feed((CASES / "76-dates.xml").read_bytes(), f"{HERE}/x", "x").entries
    assert len(entries) == 16
    for entry in entries:
        _, _, want = entry.title.partition("| want ")
        wanted = {"2025-05-05", "2025-05-06"} if " or " in want else {want.replace("none", "")}
        assert entry.published in wanted, entry.title
    days = [entry.published for entry in entries if entry.published]
    assert days == sorted(days, reverse=True)


@shared
def test_lengths_files_and_transcripts_of_feeds() -> None:
    def entries(name: str) -> dict[str, str]:
        feed = read_feed((CASES / name).read_bytes(), f"{HERE}/{name}", name)
        return {entry.title: entry.address for entry in feed.entries}

    lengths = {entry.title: entry.seconds for entry in
               read_feed((CASES / "88-durations.xml").read_bytes(), HERE, "x").entries}  # fmt: skip
    assert lengths == {"1:02:03": 3723, "3723": 3723, "62:03": 3723, "1h 2m 3s": 3723, "00:62:03": 3723,
                       "3723.5": 3723.5, "1:2:3": 3723, "01:02:03.500": 3723.5, "abc": 0, "-5": 0,
                       "12 min": 720}  # fmt: skip
    kinds = entries("87-kinds.xml")
    assert "image only" not in kinds
    assert len(kinds) == 9
    assert kinds["PDF first then audio"] == kinds["relative"] == kinds["protocol relative"] == f"{HERE}/a.mp3"
    assert kinds["blank in address"] == f"{HERE}/a%20b.mp3"
    assert entries("80b-video-main.xml") == {"Episode 1": f"{HERE}/a.mp3"}
    assert entries("75-atom.xml") == {"Bees & bread": f"{HERE}/a.mp3"}
    marks = read_feed((CASES / "85-psc.xml").read_bytes(), HERE, "x").entries[0].chapters
    assert [(mark.start, mark.title) for mark in marks] == [(0, "Intro"), (5, "Bees & bread"), (7.5, "Seconds")]


@shared
def test_what_is_no_feed_that_is_read_says_what_it_is() -> None:
    for name, says in (("90-rdf.xml", "RDF"), ("90b-jsonfeed.json", "JSON Feed")):
        with pytest.raises(FeedError, match=says):
            read_feed((CASES / name).read_bytes(), "", name)


@shared
def test_every_line_of_a_list_of_feeds() -> None:
    found = read_opml((CASES / "78-subscriptions.opml").read_bytes(), "x")
    assert [(one.address.rpartition("/")[2], one.title.rpartition("/")[2]) for one in found] == [
        ("70-no-guid-1.xml?a=1&b=2", "Left, Right & Center"), ("74-no-enclosure.xml", "74-no-enclosure.xml"),
        ("not-there.xml", "Gone"), ("75-atom.xml", "Atom"), ("", "No address"),
    ]  # fmt: skip
    assert all(one.address.startswith(HERE) or not one.address for one in found)


@shared
def test_chapters_that_are_hidden_nameless_or_beyond() -> None:
    found = read_chapters((CASES / "84-chapters.json").read_text("utf-8"), "x")
    assert [(mark.start, mark.title) for mark in found] == [
        (0, "Bees & bread"), (5.5, "The <dance>"), (8, "Clock form"), (10, "Chapter 4"), (99999, "Beyond the end"),
    ]  # fmt: skip


@shared
@pytest.mark.parametrize(("name", "transcript", "title"), [
    ("120-zoom-folder/GMT20250505-100000_Recording.mp3", "GMT20250505-100000_Recording.transcript.vtt",
     "GMT20250505 100000 Recording"),
    ("121-ytdlp-folder/Garden hour [abc123XYZ].mp3", "Garden hour [abc123XYZ].en-orig.vtt", "Garden hour"),
    ("103-m4a-named.mp3", "103-m4a-named.vtt", "103 m4a named"),
    ("107-tags-cp1251.mp3", "107-tags-cp1251.vtt", "Пчёлы"),
])  # fmt: skip
def test_a_recording_with_what_lies_beside_it(name: str, transcript: str, title: str) -> None:
    source = local_source(CASES / name)
    assert source.transcript is not None
    assert (source.transcript.name, source.title) == (transcript, title)


@shared
@pytest.mark.parametrize(("name", "error", "says"), [
    ("103f-text.mp3", AudioError, "is a web page, not audio"), ("101-zero.mp3", AudioError, "is empty"),
    ("100-no-sound.mp4", AudioError, "holds no sound"), ("70-no-guid-1.xml", AudioError, "is a feed, not audio"),
])  # fmt: skip
def test_what_is_no_recording_says_what_it_is(name: str, error: type[EarmarkError], says: str) -> None:
    with pytest.raises(error, match=says):
        local_source(CASES / name)


@pytest.mark.parametrize("damage", ["\x08", "&#8;", "<br>", "<b>bold", "<img src='x'>", "&nbsp;", "& ", "<![CDATA[x"])
def test_damage_in_one_item_costs_nothing_in_the_others(damage: str) -> None:
    items = "".join(
        f"<item><title>Q&amp;A &lt;{number}&gt;</title><guid>number-of-item-{number}</guid>"
        f"<description>{damage if number == 1 else 'Salt &amp; flour'}</description>"
        f"<enclosure url='https://example.org/{number}.mp3?a=1&amp;b=2' type='audio/mpeg'/></item>"
        for number in range(4)
    )  # fmt: skip
    feed = read_feed(f"<rss version='2.0'><channel><title>R&amp;D</title>{items}</channel></rss>".encode(), "", "x")
    sound = {entry.title: entry for entry in feed.entries}
    wanted = {0, 2, 3} if "CDATA" not in damage else {0}
    assert {f"Q&A <{number}>" for number in wanted} <= set(sound)
    assert sound["Q&A <0>"].notes == "Salt & flour"
    assert sound["Q&A <0>"].address == "https://example.org/0.mp3?a=1&b=2"


def test_addresses_of_apps_and_passwords() -> None:
    assert as_web("feed://example.org/x") == as_web("pcast://example.org/x") == "https://example.org/x"
    assert as_web("feed:http://example.org/x") == "http://example.org/x"
    assert without_password("https://ann:secret@example.org:8/x?y") == "https://example.org:8/x?y"
    feed = "https://ann:secret@example.org/feed"
    assert with_password("https://example.org/a.mp3", feed) == "https://ann:secret@example.org/a.mp3"
    for other in ("https://elsewhere.org/a.mp3", "http://example.org/a.mp3", "https://bob:b@example.org/a.mp3"):
        assert with_password(other, feed) == other
    assert file_of("https://example.org/a.mp3?updated=2") == file_of("http://EXAMPLE.org/a.mp3?updated=1")
    assert without_scheme("example.org/feed.xml")
    assert not without_scheme("talk.") and not without_scheme("./talk")


@pytest.mark.parametrize(("text", "day"), [
    ("jeu., 5 juin 2025 10:00:00 +0200", "2025-06-05"), ("5. Oktober 2024", "2024-10-05"),
    ("May 27, 2024", "2024-05-27"),
    ("2024/05/27", "2024-05-27"), ("20250605T100000Z", "2025-06-05"), ("Montag", ""), ("12", ""), ("99 May 2024", ""),
])  # fmt: skip
def test_more_dates(text: str, day: str) -> None:
    found = parse_date(text)
    assert (found.date().isoformat() if found else "") == day


def test_a_broken_date_leaves_an_episode_where_it_stands_in_its_feed() -> None:
    dates = ("soon", "Fri, 05 Jan 2024 10:00:00 GMT", "the day after", "Mon, 01 Jan 2024 10:00:00 GMT", "")
    items = "".join(
        f"<item><title>{number}</title><pubDate>{date}</pubDate><enclosure url='http://e.org/{number}.mp3' "
        "type='audio/mpeg' length='1'/></item>" for number, date in enumerate(dates)
    )  # fmt: skip
    feed = read_feed(f"<rss version='2.0'><channel><title>Talks</title>{items}</channel></rss>".encode(), "", "x")
    assert [(one.title, one.published[:10]) for one in feed.entries] == [
        ("0", ""), ("1", "2024-01-05"), ("2", ""), ("3", "2024-01-01"), ("4", ""),
    ]  # fmt: skip


def test_a_path_is_absolute_from_the_moment_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("server", "user"):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "clash.vtt").write_text(f"WEBVTT\n\n00:00.000 --> 00:04.000\nOf the {folder}.\n")
    for folder, ref in ((tmp_path / "user", "clash.vtt"), (tmp_path / "user" / "deep", "../clash.vtt"),
                        (tmp_path, "user/clash.vtt")):  # fmt: skip
        monkeypatch.chdir(folder)
        (source,) = gather(ref, Net()).sources
        monkeypatch.chdir(tmp_path / "server")
        assert source.transcript is not None
        assert source.transcript.is_absolute()
        assert "Of the user." in source.transcript.read_text()


@pytest.mark.parametrize(("ref", "says"), [
    ("", "the name is empty"), ("   ", "the name is empty"), ("https://", "only the beginning of an address"),
    ("example.org/feed.xml", "begins with https://"), ("not-there.mp3", "There is no file"),
])  # fmt: skip
def test_a_mistaken_name_gets_one_clear_sentence(ref: str, says: str, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:04.000\nHi.\n")
    with pytest.raises(LibraryError, match=says):
        gather(ref, Net())


def test_all_that_is_left_out_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:04.000\nHi.\n")
    (tmp_path / "notes.txt").write_text("Only some notes.\n")
    (tmp_path / "list.opml").write_text("<opml><body/></opml>")
    (tmp_path / "book.docx").write_bytes(b"PK\x03\x04word/document.xml")
    (tmp_path / "broken.srt").write_text("nothing\n")
    found = gather(str(tmp_path), Net())
    assert len(found.sources) == 1
    told = " ".join(found.problems)
    assert all(name in told for name in ("notes.txt", "list.opml", "book.docx", "broken.srt"))
    with pytest.raises(TranscriptError, match="is a document"):
        local_source(tmp_path / "book.docx")
