# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page may bring into the library: uploads and addresses, within bounds, and never a file of this machine."""

import pytest
from starlette.testclient import TestClient

from ui import arrivals, server
from ui.app import Companion
from ui.config import Settings
from voice.errors import DownloadError

BATCH = "0123456789abcdef" * 2
VTT = b"WEBVTT\n\n00:00.000 --> 00:05.000\n<v Ada>The copper kettles of the village were mended on Mondays.\n"


@pytest.fixture
def door(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False, fetch_megabytes=1))
    yield TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads
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


@pytest.mark.parametrize("body", [
    {"address": "/etc/passwd"}, {"address": "file:///etc/passwd"}, {"address": "ftp://example.org/a"}, {"address": ""},
    {"batch": "../../../../etc"}, {"batch": "zz" * 16},
])  # fmt: skip
def test_files_of_this_machine_cannot_be_named(door, body):
    reply = door.post("/api/add", json=body)
    assert reply.status_code == 400
    assert reply.json()["hint"]


def test_the_own_network_cannot_be_reached_through_the_page(door):
    reply = door.post("/api/add", json={"address": "http://127.0.0.1:9/feed.xml"})
    assert reply.status_code == 400
    assert door.get("/api/episodes").json() == []


def test_a_model_is_fetched_once_and_a_failure_is_said(tmp_path, monkeypatch, door):
    assert door.post("/api/models", json={"name": "../evil"}).status_code == 400

    def fail(settings, name, on_progress):
        on_progress(0.5)
        raise DownloadError("No network.", "Connect, then try again.")

    monkeypatch.setattr(arrivals.catalogue, "get", fail)
    door.post("/api/models", json={"name": "tiny.en"})
    while not (state := door.get("/api/models").json()["fetching"])["problem"]:
        pass
    assert (state["name"], state["progress"], state["done"]) == ("tiny.en", 0.5, False)
    assert "Connect" in state["problem"]
