# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page may bring into the library: uploads and addresses, within bounds, and never a file of this machine."""

import asyncio
import time
import uuid
from urllib.parse import unquote

import pytest
from huggingface_hub import constants
from starlette.testclient import TestClient

from episodes.media import artwork
from episodes.model import Episode
from episodes.sources.http import Net
from tests.episodes.feedserver import publishing
from tests.hub import FASTER, running_hub
from ui import model_catalogue
from ui.companion import Companion
from ui.settings import Settings
from ui.web import server
from ui.web.api import adding
from voice.errors import DownloadError

BATCH = "0123456789abcdef" * 2
VTT = b"WEBVTT\n\n00:00.000 --> 00:05.000\n<v Ada>The copper kettles of the village were mended on Mondays.\n"


@pytest.fixture
def companion(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False, fetch_megabytes=1, fetch_private=True))
    yield companion
    companion.close()


@pytest.fixture
def door(companion):
    return TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads


@pytest.fixture(scope="module")
def same_door(tmp_path_factory):
    """One for several tests, in which nothing comes in."""
    companion = Companion(Settings(data_dir=tmp_path_factory.mktemp("same") / "earmark", demo=False))
    yield TestClient(server.build(companion), base_url="http://127.0.0.1")
    assert companion.library.episodes() == []
    companion.close()


def test_a_dropped_transcript_waits_to_be_taken_in(door):
    assert door.put(f"/api/upload/{BATCH}/talk.vtt", content=VTT).json() == {"bytes": len(VTT)}
    (episode,) = door.post("/api/add", json={"batch": BATCH}).json()
    assert (episode["title"], episode["ready"]) == ("Talk", False)
    assert [work["episode"] for work in door.get("/api/status").json()["work"]] == [episode["id"]]


@pytest.mark.parametrize("name", ["..%2F..%2Fescape.vtt", "%2e%2e%5Cescape.vtt", "....vtt", "a%00b.vtt"])
def test_a_name_stays_in_its_folder(door, tmp_path, name):
    door.put(f"/api/upload/{BATCH}/{name}", content=VTT)
    inside = tmp_path / "earmark" / "uploads" / BATCH
    assert all(path.is_relative_to(inside) for path in tmp_path.rglob("*.vtt"))


def test_what_is_too_big_is_refused_and_not_kept(door, tmp_path):
    assert door.put(f"/api/upload/{BATCH}/big.mp3", content=b"x" * 1_000_001).status_code == 413
    assert not list(tmp_path.rglob("big.mp3"))


def test_what_was_dropped_and_is_no_recording_is_said_without_paths_of_this_machine(door, tmp_path):
    for name in ("notes.txt", "broken.mp3"):
        batch = uuid.uuid4().hex
        door.put(f"/api/upload/{batch}/{name}", content=b"nothing of the kind" * 50)
        reply = door.post("/api/add", json={"batch": batch})
        assert reply.status_code == 400
        assert "what was dropped" in reply.json()["error"]
        assert "Drop a recording" in reply.json()["hint"]
        assert str(tmp_path) not in reply.text


@pytest.mark.parametrize("body", [
    {"address": "/etc/passwd"}, {"address": "file:///etc/passwd"}, {"address": "ftp://example.org/a"}, {"address": ""},
    {"batch": "../../../../etc"}, {"batch": "zz" * 16},
])  # fmt: skip
def test_files_of_this_machine_cannot_be_named(same_door, body):
    reply = same_door.post("/api/add", json=body)
    assert reply.status_code == 400
    assert reply.json()["hint"]


def test_the_own_network_cannot_be_reached_through_the_page(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path, demo=False))
    door = TestClient(server.build(companion), base_url="http://127.0.0.1")
    reply = door.post("/api/add", json={"address": "http://127.0.0.1:9/feed.xml"})
    assert reply.status_code == 400
    assert door.get("/api/episodes").json() == []
    companion.close()


def test_a_model_is_fetched_once_and_a_failure_is_said(tmp_path, monkeypatch, door):
    assert door.post("/api/models", json={"name": "../evil"}).status_code == 400

    def fail(settings, name, on_progress):
        on_progress(0.5)
        raise DownloadError("No network.", "Connect, then try again.")

    monkeypatch.setattr(model_catalogue, "get", fail)
    door.post("/api/models", json={"name": "tiny.en"})
    while not (state := door.get("/api/models").json()["fetching"])["problem"]:
        pass
    assert (state["name"], state["progress"], state["done"]) == ("tiny.en", 0.5, False)
    assert "Connect" in state["problem"]


def test_a_model_that_was_fetched_hears_at_once(door, companion, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert companion.engines.hearing.name == "faster-whisper tiny.en"
    with running_hub():
        door.post("/api/models", json={"name": FASTER})
        while not (state := door.get("/api/models").json()["fetching"])["done"]:
            assert not state["problem"]
            time.sleep(0.02)
    assert (state["progress"], state["next"]) == (1.0, "")
    assert companion.engines.hearing.name == f"faster-whisper {FASTER}"


def test_with_no_hub_one_sentence_says_what_to_do_and_the_old_model_goes_on(door, companion, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    door.post("/api/models", json={"name": "small.en"})
    while not (state := door.get("/api/models").json()["fetching"])["problem"]:
        time.sleep(0.02)
    assert "http://127.0.0.1:9 does not answer" in state["problem"]
    assert "Try again later" in state["problem"]
    assert companion.engines.hearing.name == "faster-whisper tiny.en"


def test_a_feed_is_followed_as_far_as_one_wants_and_no_longer(door):
    with publishing() as publisher:
        publisher.files["/feed.xml"] = publisher.feed({}, {}, {}, {}, {})
        address = f"{publisher.base}/feed.xml"
        assert len(door.post("/api/add", json={"address": address, "latest": 2}).json()) == 2
        assert len(door.post("/api/add", json={"address": address, "latest": 0}).json()) == 5
        (feed,) = door.get("/api/feeds").json()
        assert (feed["title"], feed["address"]) == ("Bees Weekly", address)
        assert door.post("/api/feeds/forget", json={"id": "nobody"}).status_code == 400
        assert door.post("/api/feeds/forget", json={"id": feed["id"]}).json() == []
        assert len(door.get("/api/episodes").json()) == 5, "its episodes stay"


def test_an_episode_is_removed_and_the_list_is_sent_only_when_it_has_changed(companion, door):
    episode = companion.library.create("abc", Episode("", "Raising the Apprentice"))
    first = door.get("/api/episodes")
    assert door.get("/api/episodes", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert door.get(f"/artwork/{episode.id}").status_code == 404
    picture = artwork.path_of(companion.library.folder, episode.id)
    picture.parent.mkdir()
    picture.write_bytes(b"a picture")
    now = door.get("/api/episodes", headers={"If-None-Match": first.headers["etag"]})
    assert now.json()[0]["artwork"]
    assert door.get(f"/artwork/{episode.id}").content == b"a picture"
    assert door.delete(f"/api/episodes/{episode.id}").json() == {"removed": episode.id}
    assert door.get("/api/episodes").json() == []
    assert not picture.exists()
    assert door.delete(f"/api/episodes/{episode.id}").status_code == 404


def test_the_shelf_comes_in_pages_and_by_what_is_typed(companion, door):
    for number, title in enumerate(("Apples", "Pears", "Plums")):
        companion.library.create(f"{number:064x}", Episode("", title, "Orchard" if number else "", ("Ann Lee",)))

    def titles(query: str) -> tuple[list[str], str]:
        reply = door.get(f"/api/episodes?{query}")
        return [row["title"] for row in reply.json()], reply.headers["x-total-count"]

    assert titles("") == (["Plums", "Pears", "Apples"], "3")
    assert titles("limit=1&offset=1") == (["Pears"], "3")
    assert titles("limit=9&query=ann%20p") == (["Plums", "Pears"], "2")
    assert titles("show=Orchard") == (["Plums", "Pears"], "2")
    assert titles("show=Orchard&query=pea") == (["Pears"], "1")
    assert titles("order=title&limit=2") == (["Apples", "Pears"], "3")
    apples, pears, plums = (row["id"] for row in door.get("/api/episodes?order=title").json())
    assert titles(f"id={plums}&id={apples}&id=nobody")[0] == ["Plums", "Apples"]
    me = {"X-Listener": "somebody-in-the-orchard"}
    door.put(f"/api/listening/{pears}", headers=me, json={"position": 7, "heard": [[0, 7]]})
    assert [row["title"] for row in door.get("/api/episodes?kind=going", headers=me).json()] == ["Pears"]
    assert titles("kind=going") == ([], "0"), "of nobody"
    assert titles("kind=new")[1] == "3"
    assert door.get(f"/api/episodes/{pears}/neighbour").json() is None
    assert door.get("/api/episodes?limit=0").status_code == 422
    assert [(row["show"], row["episodes"]) for row in door.get("/api/shows").json()] == [("", 1), ("Orchard", 2)]
    assert door.get("/api/status").json()["queued"] == {}


def test_names_of_any_letters_fit_the_disk_and_keep_their_ending(door, tmp_path):
    name = "蜂" * 100 + ".vtt"
    assert door.put(f"/api/upload/{BATCH}/{name}", content=VTT).status_code == 200
    (kept,) = (tmp_path / "earmark" / "uploads" / BATCH).iterdir()
    assert kept.suffix == ".vtt"
    assert kept.read_bytes() == VTT


def test_an_upload_that_broke_off_is_not_taken_for_the_whole(door, tmp_path):
    reply = door.put(f"/api/upload/{BATCH}/talk.vtt", content=iter([VTT[:20]]), headers={"content-length": "98"})
    assert reply.status_code == 400
    assert "broke off" in reply.text
    assert not [path for path in tmp_path.rglob("*talk*") if path.is_file()]


def test_uploads_have_a_bound_together(door):
    for _ in range(3):
        door.put(f"/api/upload/{uuid.uuid4().hex}/a.mp3", content=b"x" * 900_000)
    assert door.put(f"/api/upload/{BATCH}/talk.vtt", content=VTT).status_code == 413


def test_what_lets_a_subscriber_in_is_not_told(door, companion):
    secrets = ("hunter2hunter2", "s3cr3ttok3n", "abcdef0123456789abcdef0123456789")
    with publishing() as publisher:
        publisher.files["/feed.xml"] = publisher.feed({})
        base = publisher.base.removeprefix("http://")
        address = f"http://ann:{secrets[0]}@{base}/feed.xml?auth={secrets[1]}"
        reply = door.post("/api/add", json={"address": address})
        assert reply.status_code in (200, 400)
        companion.library.create("abc", Episode("", "One", source=f"http://{base}/{secrets[2]}/one.mp3?t={secrets[1]}"))
        for path in ("/api/feeds", "/api/episodes", "/api/status"):
            said = door.get(path).text
            assert not [secret for secret in secrets if secret in said], path


def test_what_of_a_drop_is_left_out_is_told(door):
    batch = "fedcba9876543210" * 2
    door.put(f"/api/upload/{batch}/talk.vtt", content=VTT + b"\n00:06.000 --> 00:09.000\n<v Ada>More of it.\n")
    door.put(f"/api/upload/{batch}/feeds.opml", content=(
        b'<?xml version="1.0"?><opml version="2.0"><body>'
        b'<outline type="rss" text="Harbour Talk" xmlUrl="http://127.0.0.1:9/feed.xml"/></body></opml>'))  # fmt: skip
    reply = door.post("/api/add", json={"batch": batch})
    assert [episode["title"] for episode in reply.json()] == ["Talk"]
    assert "Harbour Talk" in unquote(reply.headers["x-left-out"])


def test_what_nobody_waits_for_any_more_is_broken_off():
    """A list of feeds may take minutes: it ends soon after its client has gone."""
    looked = []

    class Gone:
        async def is_disconnected(self) -> bool:
            return len(looked) > 2

    def work(net: Net) -> None:
        for number in range(400):
            looked.append(number)
            time.sleep(0.02)
            net.check()

    with pytest.raises(DownloadError):
        asyncio.run(adding.while_wanted(Gone(), Net(), work))
    assert len(looked) < 400
