# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds from a real server on this machine, well-behaved and not, into a library."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
import numpy.typing as npt
import pytest

from episodes.ingest import subscriptions as subscriptions_module
from episodes.ingest.pipeline import Tools
from episodes.ingest.subscriptions import forget, subscriptions, sync, take
from episodes.ingest.worker import bring_in
from episodes.model import Chapter, Episode, State
from episodes.sources import resolve, ssrf_guard
from episodes.sources.fetcher import Fetcher
from episodes.sources.http import Net
from episodes.sources.resolve import Selection, gather
from episodes.store.jobs import Queue
from episodes.store.library import Library
from episodes.topics.cohesion import Embed
from episodes.transcripts.writer import write_json, write_srt, write_vtt
from tests.episodes.feedserver import Publisher, publishing
from tests.episodes.tones import write_tones
from tests.postgres import AT_HOME
from ui.settings import Settings
from ui.storage import open_library
from voice.errors import DownloadError, EarmarkError, FeedError, LibraryError
from voice.model import Cue

NET = Net(private=True, largest=1_000_000, largest_file=1_000_000)
HASTY = replace(NET, silence=1.0, longest=1.5, longest_file=1.5)
CUES = [Cue(float(number), number + 1.0, f"Sentence {word} about bees and hives.", "Ann")
        for number, word in enumerate(["one", "two", "three", "four", "five", "six"])]  # fmt: skip


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    with publishing() as found:
        found.files["/talk.wav"] = write_tones(tmp_path / "talk.wav", "pcm_s16le", 6, 8_000).read_bytes()
        found.files["/talk.vtt"] = write_vtt(CUES).encode()
        found.files["/talk.srt"] = write_srt(CUES).encode()
        yield found


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Iterator[Library]:
    """Of each engine."""
    library = open_library(Settings(data_dir=tmp_path / "library", database=database_url))
    yield library
    library.close()


@pytest.fixture
def tools(embed: Embed) -> Tools:
    def hearing() -> None:
        raise AssertionError("the publisher's transcript was there")

    return Tools(hearing=hearing, embed=embed, index=lambda episode, cues: None, fetch=Fetcher(NET))  # type: ignore[arg-type]


def transcript(publisher: Publisher, *names: str) -> str:
    kinds = {"vtt": "text/vtt", "srt": "application/srt", "json": "application/json", "html": "text/html"}
    return "".join(f'<podcast:transcript url="{publisher.base}/{name}" type="{kinds[name.rsplit(".")[-1]]}"/>'
                   for name in names)  # fmt: skip


def taken(library: Library, publisher: Publisher, tools: Tools, more: str = "", **fields: str) -> Episode:
    """The one episode of a feed, taken in."""
    publisher.files["/feed.xml"] = publisher.feed({"more": more} | fields)
    (episode,) = take(library, gather(f"{publisher.base}/feed.xml", NET))
    return bring_in(library, episode, tools)


@pytest.mark.parametrize(("choice", "titles", "asked"), [
    (Selection(), ["Talk 0", "Talk 1", "Old 0"], 2),
    (Selection(latest=2), ["Talk 0", "Talk 1"], 1),
    (Selection(latest=0), ["Talk 0", "Talk 1", "Old 0", "Old 1"], 3),
    (Selection(since="2024-05-27"), ["Talk 0"], 1),
    (Selection(match="old"), ["Old 0", "Old 1"], 3),
])  # fmt: skip
def test_a_feed_of_several_pages_is_read_as_far_as_it_is_wanted(
    publisher: Publisher, choice: Selection, titles: list[str], asked: int
) -> None:
    def page(name: str, following: str, *items: dict[str, str]) -> None:
        link = f'<link xmlns="http://www.w3.org/2005/Atom" rel="next" href="{following}"/><item>'
        publisher.files[name] = publisher.feed(*items).replace(b"<item>", link.encode(), 1)

    page("/feed.xml", "feed-2.xml", {}, {})
    page("/feed-2.xml", "feed-3.xml", {"title": "Old 0", "guid": "bees-weekly-old-0"}, {})
    page("/feed-3.xml", "feed.xml", {"title": "Old 1", "guid": "bees-weekly-old-1"})
    dates = dict.fromkeys(("/feed-2.xml", "/feed-3.xml"), b"Mon, 06 May 2024")
    for name, date in dates.items():
        publisher.files[name] = publisher.files[name].replace(b"Mon, 27 May 2024", date)
    found = gather(f"{publisher.base}/feed.xml", NET, choice)
    assert [one.title for one in found.sources] == titles
    assert len(publisher.asked) == asked
    del publisher.files["/feed-3.xml"]
    cut_off = gather(f"{publisher.base}/feed.xml", NET, choice)
    assert [one.title for one in cut_off.sources] == [title for title in titles if asked < 3 or title != "Old 1"]
    assert len(cut_off.problems) == (asked == 3)


def test_an_address_as_podcast_apps_write_it(publisher: Publisher) -> None:
    publisher.files["/feed.xml"] = publisher.feed({})
    assert len(gather(f"feed:{publisher.base}/feed.xml", NET).sources) == 1
    with pytest.raises(DownloadError, match=r"^No connection to 127\.0\.0\.1"):  # nobody listens there
        gather(f"podcast://{publisher.host}:1/feed.xml", NET)


def test_a_feed_that_says_it_moved_is_followed_where_it_is(library: Library, publisher: Publisher) -> None:
    moved = f"<itunes:new-feed-url>{publisher.base}/new.xml</itunes:new-feed-url><item>".encode()
    publisher.files["/feed.xml"] = publisher.feed({})
    take(library, gather(f"{publisher.base}/feed.xml", NET))
    publisher.files["/feed.xml"] = publisher.feed({}).replace(b"<item>", moved, 1)
    (known,) = subscriptions(library)
    assert sync(library, known, NET).subscription.address.endswith("/feed.xml")  # there is nothing yet
    publisher.files["/new.xml"] = publisher.feed({"title": "New", "guid": "bees-weekly-new"}, {"guid": "bees-weekly-0"})
    publisher.files["/feed.xml"] += b" "
    found = sync(library, known, NET)
    assert [episode.title for episode in found.episodes] == ["New"]
    assert [one.address for one in subscriptions(library)] == [f"{publisher.base}/new.xml"]


def test_an_episode_comes_with_all_that_its_feed_tells(library: Library, publisher: Publisher, tools: Tools) -> None:
    publisher.files["/chapters.json"] = json.dumps({"version": "1.2.0", "chapters": [
        {"startTime": 0, "title": "Hives"}, {"startTime": 3, "title": "Secret", "toc": False},
        {"startTime": 4, "title": "Honey"}]}).encode()  # fmt: skip
    episode = taken(library, publisher, tools, transcript(publisher, "talk.srt", "talk.vtt") + (
        f'<podcast:chapters url="{publisher.base}/chapters.json" type="application/json+chapters"/>'
        '<podcast:person role="guest">Eva Bee</podcast:person><podcast:person>Ann Host</podcast:person>'
        '<podcast:soundbite startTime="1" duration="3">Honey!</podcast:soundbite>'
        "<podcast:season>2</podcast:season><podcast:episode>7</podcast:episode>"
        "<description>All &lt;b&gt;about&lt;/b&gt; bees</description>"))  # fmt: skip
    assert (episode.title, episode.show, episode.guests) == ("Talk 0", "Bees Weekly", ("Eva Bee",))
    assert episode.published == "2024-05-27"
    assert list(library.cues(episode.id)) == CUES
    assert library.chapters(episode.id) == (Chapter(0.0, "Hives"), Chapter(4.0, "Honey"))
    source = library.source(episode.id)
    assert (source.season, source.number, source.notes) == (2.0, 7.0, "All about bees")
    assert [(bite.start, bite.length, bite.title) for bite in source.soundbites] == [(1.0, 3.0, "Honey!")]
    assert "/talk.srt" not in publisher.paths()  # the better one was enough
    assert not library.fetched_folder(episode.id).exists()


@AT_HOME
def test_the_next_transcript_is_taken_when_the_best_is_no_good(
    library: Library, publisher: Publisher, tools: Tools
) -> None:
    publisher.files["/bad.vtt"] = b"WEBVTT\n\n00:09.000 --> 00:01.000\nx\n"
    publisher.files["/other.json"] = write_json([Cue(3000.0, 3600.0, "Another talk.")]).encode()
    publisher.files["/talk.html"] = b"<p><cite>Ann:</cite> <time>0:00</time> Good day. <time>0:03</time> Bees.</p>"
    names = ("none.vtt", "bad.vtt", "other.json", "talk.html")
    episode = taken(library, publisher, tools, transcript(publisher, *names))
    assert [cue.text for cue in library.cues(episode.id)] == ["Good day.", "Bees."]
    remark = episode.steps[0].reason
    assert "404" in remark
    assert "no usable times" in remark
    assert "goes on to 60 minutes" in remark


def test_the_same_again_changes_nothing(library: Library, publisher: Publisher, tools: Tools) -> None:
    episode = taken(library, publisher, tools, transcript(publisher, "talk.vtt"))
    version = library.version()
    for _ in range(2):
        (again,) = take(library, gather(f"{publisher.base}/feed.xml", NET))
        assert bring_in(library, again, tools) == episode
    assert library.version() == version
    assert publisher.paths().count("/talk.wav") == 1
    assert len(subscriptions(library)) == 1


def test_sync_brings_what_is_new_once(library: Library, publisher: Publisher) -> None:
    old = [{"guid": f"bees-weekly-{number}", "title": f"Talk {number}"} for number in range(5)]
    publisher.files["/feed.xml"] = publisher.feed(*old)
    address = f"{publisher.base}/feed.xml"
    assert len(take(library, gather(address, NET, Selection(2)))) == 2
    (known,) = subscriptions(library)
    assert (known.title, known.seen) == ("Bees Weekly", 5)
    assert not sync(library, known, NET).episodes  # nothing was sent: 304
    assert "If-None-Match" in publisher.asked[-1][1]
    publisher.files["/feed.xml"] = publisher.feed({"guid": "bees-weekly-new", "title": "Honey"}, *old)
    added = sync(library, known, NET)
    assert [episode.title for episode in added.episodes] == ["Honey"]
    library.remove(added.episodes[0].id)
    publisher.files["/feed.xml"] += b" "
    (known,) = subscriptions(library)
    assert not sync(library, known, NET).episodes  # removed is not new
    assert forget(library, "bees weekly").address == address
    assert subscriptions(library) == []
    with pytest.raises(LibraryError, match="No feed is called"):
        forget(library, "bees weekly")


def test_sync_keeps_to_what_was_wanted_and_follows_a_feed_that_moved(library: Library, publisher: Publisher) -> None:
    publisher.files["/feed.xml"] = publisher.feed({"title": "Honey 1"})
    take(library, gather(f"{publisher.base}/moved/feed.xml", NET), match="honey")
    (known,) = subscriptions(library)
    assert (known.address, known.match) == (f"{publisher.base}/feed.xml", "honey")
    publisher.files["/new.xml"] = publisher.feed({"title": "More HONEY", "guid": "guid-of-honey-2"},
                                                 {"title": "Wax", "guid": "guid-of-wax"})  # fmt: skip
    library.database.execute("UPDATE feeds SET address = ?", (f"{publisher.base}/moved/new.xml",))
    (known,) = subscriptions(library)
    found = sync(library, known, NET)
    assert [episode.title for episode in found.episodes] == ["More HONEY"]
    assert [one.address for one in subscriptions(library)] == [f"{publisher.base}/new.xml"]


@pytest.mark.parametrize("change", [
    {"audio": "talk.wav?updated=2"}, {"guid": "another-guid-for-it", "audio": "talk.wav?u"},
])  # fmt: skip
def test_the_same_talk_under_another_name_is_not_new(
    library: Library, publisher: Publisher, change: dict[str, str]
) -> None:
    publisher.files["/feed.xml"] = publisher.feed({"audio": "talk.wav?updated=1"})
    (first,) = take(library, gather(f"{publisher.base}/feed.xml", NET))
    publisher.files["/feed.xml"] = publisher.feed(change)
    (known,) = subscriptions(library)
    assert sync(library, known, NET).episodes == ()
    assert [one.id for one in take(library, gather(f"{publisher.base}/feed.xml", NET))] == [first.id]
    assert len(library.episodes()) == 1


def test_what_the_feed_corrects_is_taken_over_and_tried_again(
    library: Library, publisher: Publisher, tools: Tools
) -> None:
    publisher.files["/feed.xml"] = publisher.feed({"audio": "gone.wav"})
    (waiting,) = take(library, gather(f"{publisher.base}/feed.xml", NET))
    with pytest.raises(DownloadError, match="404"):
        bring_in(library, waiting, tools)
    more = transcript(publisher, "talk.vtt")
    publisher.files["/feed.xml"] = publisher.feed({"title": "Talk 0, corrected", "more": more})
    (known,) = subscriptions(library)
    found = sync(library, known, NET)
    assert (found.episodes, [one.title for one in found.again]) == ((), ["Talk 0, corrected"])
    ready = bring_in(library, found.again[0], tools)
    assert (ready.ready, ready.id, ready.title) == (True, waiting.id, "Talk 0, corrected")
    publisher.files["/feed.xml"] = publisher.feed({"title": "Talk 0, at last", "more": more})
    (known,) = subscriptions(library)
    assert sync(library, known, NET).again == ()
    assert library.episode(waiting.id).title == "Talk 0, at last"


@AT_HOME
def test_a_password_goes_along_to_the_files_and_is_shown_nowhere(
    library: Library, publisher: Publisher, tools: Tools
) -> None:
    publisher.files["/feed.xml"] = publisher.feed({"more": transcript(publisher, "talk.vtt")})
    address = f"http://ann:secret@{publisher.host}:{publisher.port}/feed.xml"
    (waiting,) = take(library, gather(address, NET))
    episode = bring_in(library, waiting, tools)
    assert {path for path, headers in publisher.asked if "Authorization" in headers} == {
        "/feed.xml", "/talk.wav", "/talk.vtt"}  # fmt: skip
    assert "secret" not in repr((episode, *(step.reason for step in episode.steps)))
    assert forget(library, f"{publisher.base}/feed.xml").title == "Bees Weekly"


@AT_HOME
def test_what_was_fetched_is_used_after_a_failure_and_fetched_again_when_lost(
    library: Library, publisher: Publisher, tools: Tools
) -> None:
    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        raise LibraryError("Not now.")

    with pytest.raises(LibraryError, match="Not now"):
        taken(library, publisher, replace(tools, embed=embed), transcript(publisher, "talk.vtt"))
    episode = taken(library, publisher, tools, transcript(publisher, "talk.vtt"))  # the same command again
    assert len(library.cues(episode.id)) == len(CUES)
    assert publisher.paths().count("/talk.wav") == 1
    audio = library.audio_path(episode)
    assert audio is not None
    audio.unlink()
    assert taken(library, publisher, tools, transcript(publisher, "talk.vtt")) == episode
    assert audio.exists()
    assert publisher.paths().count("/talk.wav") == 2


def test_a_list_goes_on_after_what_is_missing(library: Library, publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/a.xml"] = publisher.feed({"guid": "guid-of-the-first"})
    publisher.files["/b.xml"] = publisher.feed({"guid": "guid-of-the-second"})
    lines = "".join(f'<outline text="{name}" xmlUrl="{publisher.base}/{name}.xml"/>' for name in ("a", "gone", "b"))
    (tmp_path / "list.opml").write_text(f'<opml version="2.0"><body>{lines}</body></opml>')
    found = gather(str(tmp_path / "list.opml"), NET)
    assert [source.guid for source in found.sources] == ["guid-of-the-first", "guid-of-the-second"]
    (problem,) = found.problems
    assert problem.startswith("gone: ")
    assert "404" in problem
    take(library, found)
    assert len(subscriptions(library)) == 2


@AT_HOME
def test_one_episode_that_is_missing_leaves_the_others(library: Library, publisher: Publisher, tools: Tools) -> None:
    more = transcript(publisher, "talk.vtt")
    publisher.files["/feed.xml"] = publisher.feed({"more": more}, {"audio": "gone.wav", "more": more}, {"more": more})
    first, gone, last = take(library, gather(f"{publisher.base}/feed.xml", NET))
    assert bring_in(library, first, tools).ready
    with pytest.raises(DownloadError, match="404"):
        bring_in(library, gone, tools)
    assert bring_in(library, last, tools).ready
    assert library.episode(gone.id).steps[0].state is State.FAILED
    assert "404" in library.episode(gone.id).status


@AT_HOME
def test_a_recording_a_page_and_a_transcript_by_address(library: Library, publisher: Publisher, tools: Tools) -> None:
    (source,) = gather(f"{publisher.base}/talk.wav", NET).sources
    assert (source.title, source.address) == ("Talk", f"{publisher.base}/talk.wav")
    publisher.files["/feed.xml"] = publisher.feed({})
    publisher.files["/page"] = (b'<!doctype html><link rel="alternate" type="application/rss+xml" href="/gone.xml">'
                                b'<link rel="alternate" type="application/rss+xml" href="/feed.xml"><p>Hi')  # fmt: skip
    assert [one.title for one in gather(f"{publisher.base}/page", NET).sources] == ["Talk 0"]
    (text,) = take(library, gather(f"{publisher.base}/talk.vtt", NET))
    assert len(library.cues(bring_in(library, text, tools).id)) == len(CUES)
    publisher.files["/dull"] = b"<html><p>Hi</html>"
    with pytest.raises(FeedError, match="names no feed"):
        gather(f"{publisher.base}/dull", NET)
    publisher.files["/letter"] = b"Dear all"
    with pytest.raises(FeedError, match="neither a recording nor a feed"):
        gather(f"{publisher.base}/letter", NET)


@pytest.mark.parametrize(("path", "says"), [
    ("drip/feed", "took too long"),
    ("silent/feed", "took too long"),
    ("endless/feed", "fetch_document_megabytes"),
    ("bomb/feed", "fetch_document_megabytes"),
    ("broken/feed", "damaged"),
    ("around/feed", "without an end"),
    ("elsewhere/feed", "file"),
    ("busy/feed", "503"),
    ("gone.xml", "404"),
])  # fmt: skip
def test_a_server_that_misbehaves_ends_within_its_bounds(publisher: Publisher, path: str, says: str) -> None:
    began = monotonic()
    with pytest.raises(DownloadError) as caught:
        gather(f"{publisher.base}/{path}", HASTY if path[0] in "ds" else NET)
    assert says in str(caught.value)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert monotonic() - began < 20  # a bound for what would else never end, not a measure
    assert publisher.sent < 60_000_000


def test_what_is_packed_and_what_moved_is_read(publisher: Publisher) -> None:
    publisher.files["/feed.xml"] = publisher.feed({})
    for path in ("zipped/feed.xml", "moved/moved/feed.xml"):
        assert len(gather(f"{publisher.base}/{path}", NET).sources) == 1


@pytest.mark.parametrize(("audio", "says"), [
    ("short/talk.wav", "broke off"),
    ("long/talk.wav", "not audio"),
    ("drip/talk.wav", "broke off"),
    ("silent/talk.wav", "broke off"),
    ("endless/talk.wav", "fetch_megabytes"),
    ("home/talk.wav", "fetch_private"),
])  # fmt: skip
@AT_HOME
def test_a_recording_that_misbehaves_leaves_nothing_half(
    library: Library, publisher: Publisher, tools: Tools, monkeypatch: pytest.MonkeyPatch, audio: str, says: str
) -> None:
    monkeypatch.setattr(ssrf_guard, "public", lambda address: address == "127.0.0.1")
    tools = replace(tools, fetch=Fetcher(replace(HASTY if says == "broke off" else NET, private=False)))
    with pytest.raises(EarmarkError) as caught:
        taken(library, publisher, tools, audio=audio)
    assert says in str(caught.value)
    (episode,) = library.episodes()
    assert not episode.ready
    assert library.cues(episode.id) == ()
    assert list((library.folder / "audio").iterdir()) == []
    library.remove(episode.id)
    assert Queue(library.database).jobs() == []
    assert not library.fetched_folder(episode.id).exists()


def test_an_address_of_the_home_network_names_the_setting(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = replace(NET, private=False)
    with pytest.raises(DownloadError, match="fetch_private"):
        gather(f"{publisher.base}/feed.xml", careful)
    assert publisher.asked == []
    monkeypatch.setattr(ssrf_guard, "public", lambda address: address == "127.0.0.1")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.2.*fetch_private"):
        gather(f"{publisher.base}/home/feed.xml", careful)
    assert publisher.paths() == ["/home/feed.xml"]


@pytest.mark.parametrize("address", [
    "10.0.0.1", "172.16.5.5", "192.168.1.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "fc00::1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "100.64.0.1", "224.0.0.1", "nonsense",
])  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not ssrf_guard.public(address)


def test_addresses_that_are_public() -> None:
    assert ssrf_guard.public("93.184.215.14")
    assert ssrf_guard.public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_a_feed_that_renews_the_names_of_all_its_items_brings_some_and_says_so(
    library: Library, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions_module, "MOST_NEW", 3)
    publisher.files["/feed.xml"] = publisher.feed({})
    take(library, gather(f"{publisher.base}/feed.xml", NET))
    renewed = [{"guid": f"renewed-{number}", "title": f"Renewed {number}"} for number in range(8)]
    publisher.files["/feed.xml"] = publisher.feed(*renewed)
    (known,) = subscriptions(library)
    found = sync(library, known, NET)
    assert [one.title for one in found.episodes] == ["Renewed 0", "Renewed 1", "Renewed 2"]
    assert found.remark == "5 more episodes are new in it and left out; add its address with '--latest 0' for all."
    publisher.files["/feed.xml"] += b" "
    (known,) = subscriptions(library)
    assert sync(library, known, NET).episodes == ()
    assert len(take(library, gather(f"{publisher.base}/feed.xml", NET, Selection(0)))) == 8


def test_what_is_broken_off_between_two_batches_goes_on_the_next_time(
    library: Library, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions_module, "_BATCH", 2)
    publisher.files["/feed.xml"] = publisher.feed({})
    take(library, gather(f"{publisher.base}/feed.xml", NET))
    publisher.files["/feed.xml"] = publisher.feed(*[{"guid": f"g{n}", "title": f"New {n}"} for n in range(6)])
    (known,) = subscriptions(library)
    stopped = NET.until(lambda: len(library.episodes()) >= 5)
    with pytest.raises(DownloadError, match="stopped"):
        sync(library, known, stopped)
    assert len(library.episodes()) == 5
    assert len(sync(library, known, NET).episodes) == 2
    gathered = gather(f"{publisher.base}/feed.xml", NET, Selection(0))
    with pytest.raises(DownloadError, match="stopped"):
        take(library, gathered, check=stopped.check)


def test_so_many_episodes_of_a_feed_and_feeds_of_a_list_and_no_more(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resolve, "_MOST_EPISODES", 2)
    monkeypatch.setattr(resolve, "_MOST_FEEDS", 1)
    publisher.files["/feed.xml"] = publisher.feed({}, {}, {})
    found = gather(f"{publisher.base}/feed.xml", NET, Selection(0))
    assert len(found.sources) == 2
    assert "“Bees Weekly” has 3 episodes, of which the newest 2" in found.problems[0]
    line = f'<outline xmlUrl="{publisher.base}/feed.xml?%d"/>'
    (tmp_path / "list.opml").write_text("<opml><body>" + "".join(line % n for n in range(3)) + "</body></opml>")
    publisher.files |= {f"/feed.xml?{n}": publisher.files["/feed.xml"] for n in range(3)}
    found = gather(str(tmp_path / "list.opml"), NET)
    assert len(found.feeds) == 1
    assert "list.opml lists 3 feeds, of which the first 1 were looked at" in found.problems[0]


def test_a_list_of_feeds_is_left_when_nobody_waits_any_more(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files |= {f"/{number}.xml": publisher.feed({"guid": str(number)}) for number in range(9)}
    lines = "".join(f'<outline xmlUrl="{publisher.base}/{number}.xml"/>' for number in range(9))
    (tmp_path / "list.opml").write_text(f"<opml><body>{lines}</body></opml>")
    gone = NET.until(lambda: len(publisher.asked) >= 2)
    with pytest.raises(DownloadError, match="stopped"):
        gather(str(tmp_path / "list.opml"), gone)
    assert len(publisher.asked) == 2


def test_episodes_are_found_by_what_a_feed_says_without_looking_at_all(tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    plan = library.database.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM episodes WHERE title = ? AND show = ? AND published = ?", ("a", "b", "c")
    ).fetchall()
    assert "USING COVERING INDEX" in plan[0][-1] or "USING INDEX" in plan[0][-1]
