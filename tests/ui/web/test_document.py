# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as others see it before it runs: title, preview, manifest, icons, service worker; nothing of Gradio's."""

import re
from io import BytesIO

import pytest
from PIL import Image
from starlette.testclient import TestClient

from episodes.model import Episode
from ui.companion import Companion
from ui.settings import Settings
from ui.web import server

HOSTILE = 'Tom & "Jerry" <script>alert(1)</script>'


@pytest.fixture(scope="module")
def companion(tmp_path_factory):
    companion = Companion(Settings(data_dir=tmp_path_factory.mktemp("document") / "earmark", demo=False))
    yield companion
    companion.close()


@pytest.fixture(scope="module")
def door(companion):
    return TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads


def test_the_page_is_called_earmark_and_names_no_other_host_in_its_preview(door):
    document = door.get("/").text
    head = document[: document.index("</head>")]
    assert re.findall(r"<title>(.*?)</title>", head) == ["Earmark"]
    assert re.findall(r'property="og:title" content="(.*?)"', head) == ["Earmark"]
    assert re.findall(r'property="og:image" content="(.*?)"', head) == ["http://127.0.0.1/icon-512.png"]
    assert "githubusercontent" not in head
    assert "@Gradio" not in head


def test_a_link_to_an_episode_is_previewed_with_its_title_as_text(door, companion):
    episode = companion.library.create("content", Episode("", HOSTILE, "The Show"))
    document = door.get(f"/?episode={episode.id}&t=12").text
    assert "<title>Tom &amp; &quot;Jerry&quot; &lt;script&gt;" in document
    assert "<script>alert(1)" not in document
    assert 'property="og:description" content="The Show"' in document
    assert "<title>Earmark</title>" in door.get("/?episode=none").text


def test_it_can_be_installed(door):
    manifest = door.get("/manifest.json").json()
    assert (manifest["name"], manifest["display"]) == ("Earmark", "standalone")
    for icon in manifest["icons"]:
        reply = door.get("/" + icon["src"])
        assert reply.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            picture = Image.open(BytesIO(reply.content))
            assert "x".join(map(str, picture.size)) == icon["sizes"]
    assert door.get("/icon-apple-180.png").status_code == 200
    assert door.get("/icon-..%2Fpage.png").status_code == 404
    worker = door.get("/sw.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "addEventListener" in worker.text
