# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page keeps for a listener over HTTP."""

import pytest
from starlette.testclient import TestClient

from episodes.model import Episode
from ui.companion import Companion
from ui.settings import Settings
from ui.web import server

ANN = {"X-Listener": "ann-of-the-kitchen"}
BEN = {"X-Listener": "ben-of-the-garden"}
MOMENT = {"start": 65.4, "end": 72.0, "quote": "Bees dance.", "speaker": "Ada", "question": "What do bees do?"}
ANSWER = {
    "question": "Why?", "covered": True, "remark": "", "sentences": [{"text": "So.", "moments": []}], "moments": [],
}  # fmt: skip


@pytest.fixture
def companion(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False))
    yield companion
    companion.close()


@pytest.fixture
def door(companion):
    return TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads


@pytest.fixture
def episode(companion):
    return companion.library.create("content", Episode("", "The Bees", "Show")).id


def test_notes_go_to_the_server_and_a_stale_tab_is_told_what_is_there(door, episode):
    address = f"/api/notes/{episode}"
    assert door.get(address, headers=ANN).json() == {"text": "", "version": 0}
    assert door.put(address, headers=ANN, json={"text": "one", "version": 0}).json() == {"text": "one", "version": 1}
    stale = door.put(address, headers=ANN, json={"text": "two", "version": 0})
    assert (stale.status_code, stale.json()) == (409, {"text": "one", "version": 1})
    assert door.get(address, headers=BEN).json()["text"] == ""
    assert door.put("/api/notes/none", headers=ANN, json={"text": "x", "version": 0}).status_code == 404
    assert door.get(address).status_code == 400, "whose notes?"


def test_conversations_have_their_place(door):
    kept = door.post("/api/conversations", headers=ANN, json={"scope": "library", "answer": ANSWER})
    assert kept.json() == {"kept": 1}
    (answer,) = door.get("/api/conversations?scope=library", headers=ANN).json()
    assert answer["question"] == "Why?"
    assert answer["at"] > 0
    assert door.get("/api/conversations?scope=episode:e1", headers=ANN).json() == []
    unknown = ANSWER | {"html": "<b>"}
    assert door.post("/api/conversations", headers=ANN, json={"scope": "library", "answer": unknown}).status_code == 422
    door.delete("/api/conversations?scope=library", headers=ANN)
    assert door.get("/api/conversations?scope=library", headers=ANN).json() == []


def test_moments_are_saved_listed_noted_taken_away_and_heard_by_who_has_the_feed(door, episode):
    saved = door.post("/api/moments", headers=ANN, json=MOMENT | {"episode": episode}).json()
    noted = door.put(f"/api/moments/{saved['id']}", headers=ANN, json={"note": "for Ben"}).json()
    assert noted == saved | {"note": "for Ben"}
    listed = door.get("/api/moments", headers=ANN).json()
    assert listed["moments"] == [noted]
    markdown = door.get("/api/moments/export/markdown", headers=ANN).text
    assert "for Ben" in markdown
    assert f"http://127.0.0.1/?episode={episode}&t=65" in markdown
    assert "soundbite" in door.get("/api/moments/export/soundbites", headers=ANN).text
    feed = door.get(f"/{listed['feed']}")
    assert feed.headers["content-type"].startswith("application/rss+xml")
    assert ANN["X-Listener"] not in feed.text + listed["feed"]
    assert door.get("/api/moments", headers=BEN).json()["moments"] == []
    assert door.post("/api/moments", headers=ANN, json=MOMENT | {"episode": episode, "end": 3.0}).status_code == 422
    door.delete(f"/api/moments/{saved['id']}", headers=ANN)
    assert door.get("/api/moments", headers=ANN).json()["moments"] == []


def test_where_one_is_in_everything_is_told_at_once(door, episode):
    door.put(f"/api/listening/{episode}", headers=ANN, json={"position": 30.0, "heard": [[0, 10], [20, 30]]})
    (found,) = door.get("/api/listening", headers=ANN).json().items()
    assert (found[0], found[1]["position"], found[1]["heard"]) == (episode, 30.0, 20.0)
    assert door.get("/api/listening", headers=BEN).json() == {}
