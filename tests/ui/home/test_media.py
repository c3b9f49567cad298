# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to the sound of an episode that carry their own permission."""

import time

import pytest
from starlette.testclient import TestClient

from tests.browser.tones import heard_position
from ui.home.loudspeakers.media_links import LINK_LIFETIME, MediaLinks, is_link
from ui.web import server
from voice.audio import read_audio
from voice.errors import LibraryError


@pytest.fixture
def door(companion):
    return TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads


@pytest.fixture
def episode(companion):
    (episode,) = companion.library.episodes()
    return episode


@pytest.fixture
def links(companion):
    return MediaLinks.of(companion.settings.data_dir)


def test_a_link_opens_one_episode_for_a_day_without_a_password(companion, door, episode, links):
    path = links.path(episode.id, time.time())
    whole = door.get(path)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/mp4")
    part = door.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    head = door.head(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(whole.content)), b"")
    assert head.headers["cross-origin-resource-policy"] == "cross-origin"
    key = path.split("/")[2]
    assert door.get(f"/media/{key}/another.m4a").status_code == 403
    assert door.get(path.replace(key, key[:-1] + ("0" if key[-1] != "0" else "1"))).status_code == 403
    assert door.post(path).status_code == 401
    assert door.get(f"/media/{key}/../../api/episodes").status_code == 401
    assert door.get(f"/audio/{episode.id}").status_code == 401
    head = door.head(f"/audio/{episode.id}", auth=("ann", "correct horse"))
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))


def test_what_follows_a_second_is_copied_for_players_that_cannot_seek(door, episode, links, tmp_path):
    path = links.path(episode.id, time.time(), 40.5)
    head, got = door.head(path), door.get(path)
    assert (head.status_code, head.headers["accept-ranges"], head.content) == (200, "none", b"")
    (tmp_path / "rest.m4a").write_bytes(got.content)
    heard = read_audio(tmp_path / "rest.m4a")
    onset, position = heard_position(heard)
    assert position - onset == pytest.approx(40.5, abs=0.1)
    assert heard.seconds == pytest.approx(19.5, abs=0.1)
    assert door.get(links.path(episode.id, time.time(), 99.0)).status_code == 400


def test_a_link_ends_and_its_secret_is_the_owners(companion, links):
    key = links.path("e", 1_000.0).split("/")[2]
    assert links.opens(key, "e", 1_000.0 + LINK_LIFETIME - 1)
    assert not links.opens(key, "e", 1_000.0 + LINK_LIFETIME)
    assert not links.opens(key, "other", 1_000.0)
    later = f"{int(key.split('-')[0], 16) + 9:x}-{key.split('-')[1]}"
    assert not any(links.opens(wrong, "e", 1_000.0) for wrong in (later, "", "x", "-", f"{key}\n"))
    secret = companion.settings.data_dir / "media.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert MediaLinks.of(companion.settings.data_dir) == links
    secret.write_bytes(b"")
    with pytest.raises(LibraryError, match="Remove it"):
        MediaLinks.of(companion.settings.data_dir)
    assert is_link("GET", "/media/k/e.m4a") and not is_link("GET", "/media/k/x/e.m4a")
    assert not is_link("POST", "/media/k/e.m4a")
