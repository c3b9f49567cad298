# SPDX-License-Identifier: GPL-3.0-or-later
"""Podcast apps: gpodder.net's own client against the server, and the requests of Nextcloud's apps."""

import pytest
from mygpoclient.api import EpisodeAction, MygPodderClient
from mygpoclient.http import Unauthorized
from starlette.testclient import TestClient

from episodes.ingest.subscriptions import follow, subscriptions
from episodes.sources.feed import read_opml
from episodes.store.postgres import PostgresDatabase
from tests.ui.home.conftest import add_episode
from tests.ui.home.test_house import LOGIN, free_port, served
from ui.companion import Companion
from ui.home import gpodder
from ui.home.gpodder import AppAction, PodcastApps, SyncedDevice
from ui.positions import PlaybackPositions, listener_key
from ui.settings import Settings
from ui.web import server
from ui.web.sessions import SESSION_LIFETIME, Sessions
from voice.errors import LibraryError

FEED, SOUND = "https://example.org/feed.xml", "https://example.org/one.mp3"


@pytest.fixture
def episode(companion, tone_file):
    follow(companion.library, FEED)
    return add_episode(companion.library, tone_file, "One", address=SOUND, feed=FEED)


@pytest.fixture
def door(companion):
    door = TestClient(server.build(companion), base_url="http://127.0.0.1")
    door.auth = LOGIN
    return door


def test_gpodders_own_client_synchronises(companion, episode):
    port = free_port()
    listeners = PlaybackPositions(companion.settings.data_dir)
    with served(companion, port, server.build(companion)):
        client = MygPodderClient(*LOGIN, f"http://127.0.0.1:{port}")
        assert client.update_device_settings("phone", caption="Ann's phone", type="mobile")
        (device,) = client.get_devices()
        assert (device.device_id, device.caption, device.type, device.subscriptions) == (
            "phone", "Ann's phone", "mobile", 1
        )  # fmt: skip

        first = client.pull_subscriptions("phone", 0)
        assert (first.add, first.remove) == ([FEED], [])
        result = client.update_subscriptions("phone", ["https://b.example/feed ", "file:///etc/passwd"], [FEED])
        assert result.update_urls == [("https://b.example/feed ", "https://b.example/feed"), ("file:///etc/passwd", "")]
        then = client.pull_subscriptions("phone", first.since)
        assert (then.add, then.remove) == (["https://b.example/feed"], [FEED])
        assert client.pull_subscriptions("phone", then.since).add == []
        assert client.put_subscriptions("phone", [FEED])
        assert client.get_subscriptions("phone") == [FEED]

        played = EpisodeAction(FEED, SOUND, "play", "phone", "2026-11-30T08:00:00", 10, 42, 60)
        since = client.upload_episode_actions([EpisodeAction(FEED, SOUND, "download"), played])
        at = listeners.get(listener_key("ann"), episode.id)
        assert (at.position, at.heard) == (42.0, ((10.0, 42.0),))
        assert client.download_episode_actions(since).actions == []
        listeners.note(listener_key("ann"), episode.id, 50.0)
        (own,) = client.download_episode_actions(since).actions
        assert (own.episode, own.podcast, own.position, own.total, own.device) == (SOUND, FEED, 50, 60, "earmark")
        assert len(client.download_episode_actions().actions) == 2
        with pytest.raises(Unauthorized):
            MygPodderClient("ann", "wrong horse", f"http://127.0.0.1:{port}").get_devices()


def test_an_app_that_signs_in_once_is_known_by_its_cookie_for_a_day(door, companion):
    assert door.post("/api/2/auth/ann/login.json").status_code == 200
    cookie = dict(door.cookies)
    assert door.post("/api/2/auth/ben/login.json").status_code == 403
    app = TestClient(door.app, base_url="http://127.0.0.1", cookies=cookie)
    assert app.get("/api/2/devices/ann.json").json() == []
    assert app.get("/api/2/devices/ben.json").status_code == 403
    assert app.get("/api/episodes").status_code == 401
    assert app.get("/subscriptions/ann.json").json() == []
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    made = f"a=b; sessionid={sessions.cookie('Ånn')}"
    assert sessions.user("/api/2/x", made) == "Ånn"
    assert sessions.user("/api/episodes", made) is None
    assert sessions.user("/api/2/x", made[:-1] + ("0" if made[-1] != "0" else "1")) is None
    assert Sessions(lambda: 0.0).user("/api/2/x", made) is None
    now[0] = SESSION_LIFETIME
    assert sessions.user("/api/2/x", made) is None


def test_apps_of_nextcloud_are_served_too(door, companion, episode):
    base = "/index.php/apps/gpoddersync"
    assert door.get(f"{base}/subscriptions").json()["add"] == [FEED]
    sent = [{"podcast": FEED, "episode": "https://moved.example/1.mp3", "guid": "One", "action": "PLAY",
             "timestamp": "2026-11-30T08:00:00", "started": 0, "position": 20, "total": 60},
            {"podcast": FEED, "episode": SOUND, "action": "DOWNLOAD", "started": -1, "position": -1}]  # fmt: skip
    assert door.post(f"{base}/episode_action/create", json=sent).status_code == 200
    assert PlaybackPositions(companion.settings.data_dir).get(listener_key("ann"), episode.id).position == 20.0
    found = door.get(f"{base}/episode_action?since=0").json()["actions"]
    told = {(one["action"], one["episode"]): one["position"] for one in found}
    assert told["DOWNLOAD", SOUND] == -1 and told["PLAY", "https://moved.example/1.mp3"] == 20
    changed = door.post(f"{base}/subscription_change/create", json={"add": [], "remove": [FEED]}).json()
    assert changed["update_urls"] == []
    assert subscriptions(companion.library) == []


def test_what_is_not_the_protocol_is_refused_and_subscriptions_leave_as_opml(door, companion, episode):
    for body in ("{", "[1]", '[{"podcast": 5}]', '{"add": [1]}'):
        assert door.post("/api/2/episodes/ann.json", content=body).status_code == 400
    assert door.put("/subscriptions/ann/phone.opml", content="x").status_code == 400
    assert door.put("/subscriptions/ann/phone.txt", content=f"{FEED}\nhttps://b.example/f?a=1&b=2\n").status_code == 200
    listed = read_opml(door.get("/subscriptions/ann.opml").content, "list")
    assert sorted(one.address for one in listed) == ["https://b.example/f?a=1&b=2", FEED]
    assert door.get("/subscriptions/ann.json").json() == [one.address for one in listed]
    assert len(door.get("/subscriptions/ann/phone.txt").text.split()) == 2


def test_without_names_nobody_is_told_the_addresses_of_feeds(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False))
    try:
        open_to_all = TestClient(server.build(companion), base_url="http://127.0.0.1")
        assert open_to_all.get("/subscriptions/ann.json").status_code == 403
    finally:
        companion.close()


@pytest.fixture
def apps(tmp_path, database_url):
    """On each engine."""
    database = PostgresDatabase.open(database_url) if database_url else None
    yield PodcastApps(tmp_path, lambda: 100.0, database)
    if database is not None:
        database.close()


def test_what_is_kept_of_a_person_has_a_bound_and_revisions_only_grow(apps, monkeypatch):
    monkeypatch.setattr(gpodder, "MOST_ACTIONS", 3)
    monkeypatch.setattr(gpodder, "MOST_DEVICES", 2)
    revisions = [apps.note("ann", [AppAction("f", str(number), "play")]) for number in range(5)]
    assert revisions == [100, 101, 102, 103, 104]
    assert [one.episode for one in apps.actions("ann", 0)[0]] == ["2", "3", "4"]
    assert apps.actions("ben", 0) == ([], 104)
    for name in ("a", "b"):
        apps.save_device("ann", SyncedDevice(name))
    with pytest.raises(LibraryError, match="2 devices"):
        apps.save_device("ann", SyncedDevice("c"))
    assert [one.id for one in apps.devices("ann")] == ["a", "b"]


def test_feeds_that_came_and_went_are_told_and_an_action_replaces_the_one_before(apps, tmp_path):
    assert apps.feeds(["a", "b"], 0) == (["a", "b"], [], 100)
    assert apps.feeds(["b", "c"], 100) == (["c"], ["a"], 101)
    assert apps.feeds(["b", "c"], 101) == ([], [], 101)
    for position in (5, 9):
        apps.note("ann", [AppAction("f", "e", "play", "phone", "2026-11-30", 0, position, 60)])
    apps.save_device("ann", SyncedDevice("phone"))
    apps.save_device("ann", SyncedDevice("phone", "Ann's", "mobile"))
    (tmp_path / "there").mkdir()
    there = PodcastApps(tmp_path / "there")
    apps.copy_to(there)
    for each in (apps, there):
        assert each.played("ann") == {"e": 9} and each.devices("ann") == [SyncedDevice("phone", "Ann's", "mobile")]
        assert each.actions("ann", 101) == ([AppAction("f", "e", "play", "phone", "2026-11-30", 0, 9, 60)], 103)
        assert each.feeds(["b", "c"], 101) == ([], [], 103)
