# SPDX-License-Identifier: GPL-3.0-or-later
"""Every real feed, caption file, page and recording there is: taken in rightly, or refused in one clear sentence; and
nothing made up does more than that."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from episodes.ingest.subscriptions import subscriptions, sync, take
from episodes.model import Source
from episodes.sources.feed import read_feed
from episodes.sources.http import Document, Net
from episodes.sources.resolve import Selection, gather
from episodes.store.jobs import Queue
from episodes.store.library import Library
from episodes.transcripts.chapters import read_chapters
from tests.material import FOLDER, material
from voice.errors import EarmarkError, FeedError

FEEDS = FOLDER / "feeds"
NOWHERE = Net()
WANTED = {  # name: episodes, with transcripts, with chapters; counted in the files
    "partytime/pc20rss.xml": (56, 47, 48),
    "partytime/themnshow.xml": (54, 54, 54),
    "partytime/no-agenda.xml": (29, 29, 29),
    "podcast-namespace/example.xml": (3, 3, 3),
}
PROSE = {".md", ".txt", ""}  # licences and notes


def every() -> list[str]:
    return sorted(str(path.relative_to(FEEDS)) for path in FEEDS.rglob("*") if path.is_file()) if FEEDS.exists() else []


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    found = Library.open(tmp_path / "library")
    yield found
    found.close()


def whole(library: Library) -> None:
    """Every episode has its job and its source, every job its episode."""
    episodes = {episode.id for episode in library.episodes()}
    assert {job.episode_id for job in Queue(library.database).jobs()} == episodes
    for episode in episodes:
        assert library.source(episode).title
        assert len(library.episode(episode).steps) == 6


def refused_clearly(error: EarmarkError) -> None:
    text = str(error)
    assert "\n" not in text
    assert error.message.endswith(".")
    assert len(text) < 600


def test_every_fixture_is_taken_in_or_refused_in_one_sentence(library: Library) -> None:
    material("feeds")
    taken, refused = {}, {}
    for name in every():
        path = FEEDS / name
        try:
            gathered = gather(str(path), NOWHERE, Selection(0))
            take(library, gathered)
            taken[name] = gathered
        except EarmarkError as error:
            refused_clearly(error)
            assert path.name in error.message or "“" in error.message
            refused[name] = str(error)
    whole(library)
    named = [name for name in refused if Path(name).suffix in {".xml", ".rss", ".mp3", ".m4a", ".ogg", ".opus"}]
    for name in named:  # feeds that are refused have nothing to hear in them
        assert "no episodes with sound" in refused[name] or "not a podcast's feed" in refused[name] \
            or "XML" in refused[name], (name, refused[name])  # fmt: skip
    assert len(taken) > 90
    for name in taken:
        assert Path(name).suffix not in PROSE, name


def test_feeds_are_read_as_their_publishers_meant_them() -> None:
    for name, (episodes, transcripts, chapters) in WANTED.items():
        feed = read_feed(material("feeds", *name.split("/")).read_bytes(), "https://example.org/feed.xml", name)
        found = feed.entries
        counted = (len(found), sum(bool(one.transcripts) for one in found),
                   sum(bool(one.chapters_address or one.chapters) for one in found))  # fmt: skip
        assert counted == (episodes, transcripts, chapters), name


@pytest.mark.parametrize("name", [name.removesuffix(".rss") for name in every() if name.endswith(".rss")])
def test_small_feeds_say_what_their_parsers_authors_expect(name: str) -> None:
    raw = material("feeds", f"{name}.rss")
    wanted = json.loads(raw.with_suffix(".json").read_text("utf-8"))
    try:
        feed = read_feed(raw.read_bytes(), "https://example.org/feed.xml", raw.name)
    except FeedError as error:
        refused_clearly(error)
        return
    if name.endswith("max_episodes"):  # what is expected there is the work of an option that is not used here
        return
    titles = {" ".join((episode.get("title") or "").split()) for episode in wanted["episodes"]}
    assert {one.title for one in feed.entries} <= titles


def test_recordings_with_chapters_keep_them() -> None:
    for name in ("auphonic.m4a", "auphonic.mp3", "auphonic.opus", "hindenburg-journalist-pro.m4a", "mp3chaps-py.mp3"):
        (source,) = gather(str(material("feeds", "antennapod", name)), NOWHERE).sources
        assert source.probe is not None
        assert len(source.probe.chapters) > 1, name


HEAD = """<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:psc="http://podlove.org/simple-chapters" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
<channel><title>Bees</title><item>"""
SOUND = "<guid>an-episode-of-bees</guid><enclosure url='https://example.org/a.mp3' type='audio/mpeg' length='1'/>"


def test_podlove_chapters_and_several_transcripts_best_first() -> None:
    more = ("<psc:chapters><psc:chapter start='00:01:30.500' title='Wax &amp; more'/>"
            "<psc:chapter start='0' title='Hi'/><psc:chapter start='soon' title='x'/></psc:chapters>")  # fmt: skip
    given = (
        ("a.txt", "text/plain", "en"), ("a.html", "text/html", "en"), ("a.json", "application/json", "en"),
        ("de.vtt", "text/vtt", "de"), ("a.srt", "application/srt; charset=utf-8", "en"), ("a.vtt", "text/vtt", "en"),
    )  # fmt: skip
    for name, mime, language in given:
        more += f"<podcast:transcript url='{name}' type='{mime}' language='{language}'/>"
    content = f"{HEAD}{SOUND}{more}</item><language>en-GB</language></channel></rss>"
    (source,) = read_feed(content.encode(), "https://example.org/feeds/bees.xml", "bees.xml").entries
    assert [(chapter.start, chapter.title) for chapter in source.chapters] == [(0.0, "Hi"), (90.5, "Wax & more")]
    names = [link.address.removeprefix("https://example.org/feeds/") for link in source.transcripts]
    assert names == ["a.vtt", "a.srt", "a.json", "a.html", "a.txt", "de.vtt"]


def read(items: str, encoding: str = "utf-8") -> list[Source]:
    content = f"{HEAD.removesuffix('<item>')}{items}</channel></rss>"
    return list(read_feed(content.encode(encoding), "https://example.org/feeds/bees.xml", "bees.xml").entries)


@pytest.mark.parametrize(("written", "meant"), [
    ("Q&A: wax", "Q&A: wax"), ("Tom &amp;amp; Eve &ldquo;hi&rdquo; &eacute;", "Tom & Eve “hi” é"),
    ("<![CDATA[<b>Q&A</b> &#39;x&#39;]]>", "Q&A 'x'"), ("Café – “wax”", "Café – “wax”"),
])  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_titles_come_through_what_publishers_do_to_them(written: str, meant: str, encoding: str) -> None:
    (source,) = read(f"<item><title>{written}</title>{SOUND}</item>", encoding)
    assert source.title == meant


@pytest.mark.parametrize("said", ["utf-16", "utf-8", "idna", "no-such-thing", "US-ASCII", "windows-1252"])
def test_an_encoding_that_is_none_or_another_one(said: str) -> None:
    content = f"<?xml version='1.0' encoding='{said}'?>{HEAD}<title>Bees</title>{SOUND}</item></channel></rss>"
    (source,) = read_feed(content.encode(), "https://example.org/f", "f").entries
    assert source.title == "Bees"


@pytest.mark.parametrize("written", [
    "Mon, 27 May 2024 10:00:00 GMT", "2024-05-27", "2024-05-27 10:00:00", "27 May 2024", "May 27, 2024",
    "Mon, 27 May 2024 10:00:00 PST",
])  # fmt: skip
def test_dates_are_read_as_people_write_them(written: str) -> None:
    (source,) = read(f"<item><title>x</title>{SOUND}<pubDate>{written}</pubDate></item>")
    assert source.published == "2024-05-27"


@pytest.mark.parametrize("enclosure", [
    "url='a%20b.mp3'", "url=' a b.mp3 ' type='text/html' length='x'", "url='download/12' type=''",
    "url='download/12' type='application/x-mp3' length='0'", "url='download/12' type='application/octet-stream'",
])  # fmt: skip
def test_recordings_are_known_whatever_type_is_given(enclosure: str) -> None:
    (source,) = read(f"<item><title>x</title><enclosure {enclosure}/></item>")
    assert source.address in ("https://example.org/feeds/a%20b.mp3", "https://example.org/feeds/download/12")
    assert not read("<item><title>x</title><enclosure url='x.pdf' type=''/></item>")


def test_several_episodes_with_one_guid_are_several() -> None:
    same = "<item><title>{0}</title><guid>https://bees.org/</guid><enclosure url='{0}.mp3' type='audio/mpeg'/></item>"
    new, old = read(same.format("new") + same.format("old"))
    assert (old.guid, new.guid) == ("https://bees.org/", "https://bees.org/ https://example.org/feeds/new.mp3")
    assert len(read(same.format("old") * 2)) == 1


def test_entities_of_a_feed_are_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("swordfish")
    layers = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    bomb = f"<!DOCTYPE rss [<!ENTITY a0 'ha'>{layers}<!ENTITY file SYSTEM 'file://{secret}'>]>"
    content = f"<?xml version='1.0'?>{bomb}{HEAD}<title>x &file; &a11;</title>{SOUND}</item></channel></rss>"
    for entry in read_feed(content.encode(), "https://example.org/f", "f").entries:
        assert "swordfish" not in str(entry)
        assert "haha" not in str(entry)


XML = st.sampled_from([
    "<rss version='2.0'>", "</rss>", "<channel>", "</channel>", "<item>", "</item>", "<title>", "</title>", "x & y",
    "<enclosure url='https://example.org/a.mp3' type='audio/mpeg' length='1'/>", "<enclosure url='a.mp3'/>",
    "<![CDATA[",
    "<enclosure url='http://[::1' type='audio/mpeg'/>", "<guid>1</guid>", "<pubDate>Mon, 99 Foo 2024</pubDate>",
    "<pubDate>Mon, 27 May 99999 10:00:00 GMT</pubDate>", "<podcast:transcript url='x.vtt'/>", "]]>", "&lol;", "&#0;",
    "<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY lol SYSTEM 'file:///etc/passwd'>]>", "\x00", "</feed>",
    "<feed xmlns='http://www.w3.org/2005/Atom'>",
    "<entry><link rel='enclosure' href='https://example.org/b.ogg' type='audio/ogg'/></entry>",
    "<itunes:duration>1:99:00</itunes:duration>", "<itunes:duration>99999999999999999999</itunes:duration>",
    "<podcast:soundbite startTime='-1' duration='NaN'/>", "<podcast:season>٣</podcast:season>",
    "<psc:chapter start='x'/>",
    "<podcast:chapters url='../../../etc/passwd'/>",
    "<opml><body><outline xmlUrl='https://example.org/f'/></body></opml>",
    "<html><link rel='alternate' type='application/rss+xml' href='/f'></html>", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi",
    "<itunes:season>1e999</itunes:season>", "<podcast:person>${x}</podcast:person>", "<link>javascript:alert(1)</link>",
])  # fmt: skip
CONTENT = st.one_of(
    st.lists(XML, max_size=12).map(lambda parts: "".join(parts).encode()),
    st.lists(XML, max_size=12).map(lambda parts: (HEAD + "".join(parts) + "</item></channel></rss>").encode()),
    st.binary(max_size=100),
)


@cache
def real_feeds() -> tuple[bytes, ...]:
    return tuple(path.read_bytes()[:60_000] for path in sorted(FEEDS.rglob("*.rss")))


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A real feed with a piece cut out, doubled or overwritten."""
    if not real_feeds():
        return draw(CONTENT)
    raw = draw(st.sampled_from(real_feeds()))
    at, to = sorted((draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))))
    return raw[:at] + draw(st.one_of(st.just(b""), st.just(raw[at:to] * 2), st.binary(max_size=20))) + raw[to:]


class Told(Net):
    """A network that sends what it is told to."""

    content: bytes = b""

    def document(self, address: str, etag: str = "", modified: str = "", accept: str = "*/*") -> Document | None:
        return Document(address, address, self.content)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    found = Library.open(tmp_path_factory.mktemp("fuzzed") / "library")
    yield found
    found.close()


@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(CONTENT, mangled()))
def test_no_feed_does_more_than_refuse_and_none_is_half_stored(shared: Library, content: bytes) -> None:
    class Sent(Told):
        pass

    Sent.content = content
    before = {episode.id for episode in shared.episodes()}
    try:
        take(shared, gather("https://example.org/feed.xml", Sent(), Selection(0)))
    except EarmarkError as error:
        refused_clearly(error)
        assert {episode.id for episode in shared.episodes()} == before
    whole(shared)
    for subscription in subscriptions(shared):
        sync(shared, subscription, Sent())
    whole(shared)
    for episode in shared.episodes():
        source = shared.source(episode.id)
        assert not source.address or source.address.startswith(("http://", "https://"))
        assert not source.link or source.link.startswith(("http://", "https://"))
        assert all(link.address.startswith(("http://", "https://")) for link in source.transcripts)
        assert source.title.isprintable()
        shared.remove(episode.id)
    shared.database.execute("DELETE FROM feeds")


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(max_size=60), st.recursive(
    st.none() | st.floats() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["chapters", "startTime", "title", "toc"]), inner, max_size=4), max_leaves=12,
).map(json.dumps)))  # fmt: skip
def test_no_list_of_chapters_does_more_than_refuse(text: str) -> None:
    try:
        found = read_chapters(text, "talk.json")
    except FeedError as error:
        refused_clearly(error)
    else:
        assert [chapter.start for chapter in found] == sorted({chapter.start for chapter in found})
        assert all(chapter.title for chapter in found)
