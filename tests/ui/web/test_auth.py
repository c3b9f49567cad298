# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let in: those with a name and a password, the owner's own programs, and no other site's page."""

import asyncio
import base64

import pytest
from starlette.testclient import TestClient

from episodes.model import Episode
from ui.companion import Companion
from ui.settings import Settings
from ui.web import server
from ui.web.auth import USER, SignIn, people
from voice.errors import SettingsError


def ask(
    headers: dict[str, str], known: dict[str, str], method: str = "GET", kind: str = "http"
) -> tuple[int, str | None]:
    """The status that is answered, and who the application was told it is."""
    seen: list[str | None] = []
    sent: list[int] = []

    async def app(scope, receive, send):
        seen.append(scope.get(USER))
        sent.append(200)

    async def send(message):
        if message["type"] != "http.response.body":
            sent.append(message.get("status", 403))

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": method, "headers": raw}
    asyncio.run(SignIn(app, known, "the owner's token")(scope, None, send))
    return sent[0], seen[0] if seen else None


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


KNOWN = people("ann:correct horse, ben:grüße:an:alle")


def test_the_right_password_opens_and_says_who_it_is():
    assert ask(basic("ann", "correct horse"), KNOWN) == (200, "ann")
    assert ask(basic("ben", "grüße:an:alle"), KNOWN) == (200, "ben")
    assert ask({"Authorization": "Bearer the owner's token"}, KNOWN) == (200, "")


@pytest.mark.parametrize("headers", [
    {}, basic("ann", "wrong horse"), basic("ann", ""), basic("eve", "correct horse"), basic("eve", "the owner's token"),
    {"Authorization": "Basic !!!"}, {"Authorization": "Basic"}, {"Authorization": "Bearer guess"},
    {"Authorization": ""},
])  # fmt: skip
def test_nobody_else_comes_in_by_any_door(headers):
    assert ask(headers, KNOWN)[0] == 401
    assert ask(headers, KNOWN, kind="websocket")[0] == 403


def test_a_page_of_another_site_changes_nothing_even_where_everybody_may_come_in():
    assert ask({"Sec-Fetch-Site": "cross-site"}, {}, "POST")[0] == 403
    assert ask({"Sec-Fetch-Site": "cross-site"} | basic("ann", "correct horse"), KNOWN, "PUT")[0] == 403
    assert ask({"Sec-Fetch-Site": "same-origin"}, {}, "POST")[0] == ask({}, {}, "POST")[0] == 200
    assert ask({"Sec-Fetch-Site": "cross-site"}, {}, "GET")[0] == 200, "a link from elsewhere leads here"


@pytest.mark.parametrize(("headers", "status"), [
    ({"Origin": "http://evil.example", "Host": "192.168.1.7:7860"}, 403),
    ({"Origin": "null", "Host": "192.168.1.7:7860"}, 403),
    ({"Origin": "http://192.168.1.7:7860", "Host": "192.168.1.7:7860"}, 200),
    ({"Origin": "http://192.168.1.7:8000", "Host": "192.168.1.7:7860"}, 403),
    ({"Origin": "http://ears.lan", "Host": "127.0.0.1:7860", "X-Forwarded-Host": "ears.lan"}, 200),
    ({"Origin": "http://evil.example", "Host": "127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"}, 200),
])  # fmt: skip
def test_without_https_the_origin_of_a_page_decides(headers, status):
    assert ask(headers, {}, "POST")[0] == status
    assert ask(headers, {}, "DELETE")[0] == status
    assert ask(headers, {}, "GET")[0] == 200
    assert ask(headers, {}, kind="websocket")[0] == status


@pytest.mark.parametrize("text", ["ann", "ann:short", ":long enough", "a b:long enough", "ann:long enough,ben"])
def test_a_setting_that_lets_nobody_in_is_refused(text):
    with pytest.raises(SettingsError, match="NAME:PASSWORD"):
        people(text)


def test_an_open_door_is_refused_before_anything_starts(tmp_path):
    for settings in (
        Settings(data_dir=tmp_path / "none", host="0.0.0.0"),
        Settings(data_dir=tmp_path / "none", host="192.168.1.7"),
    ):
        with pytest.raises(SettingsError, match="no password is set"):
            server.serve(settings)
    with pytest.raises(SettingsError, match="openssl req"):
        server.serve(Settings(data_dir=tmp_path / "none", tls_cert=str(tmp_path / "cert.pem")))
    assert not (tmp_path / "none").exists()


def test_every_door_of_the_real_server_asks_who_is_there_and_listeners_are_told_apart(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path, demo=False, auth="ann:correct horse,ben:grüße an alle"))
    try:
        companion.library.create("abc", Episode("", "Raising the Apprentice"))
        (episode,) = companion.library.episodes()
        client = TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads
        for path in ("/", "/api/status", f"/audio/{episode.id}", "/gradio_api/info", "/gradio_api/mcp/schema"):
            assert client.get(path).status_code == 401, path
            assert client.get(path, headers=basic("ann", "wrong horse")).status_code == 401, path
        page = client.get("/", headers=basic("ann", "correct horse"))
        assert page.status_code == 200
        assert page.headers["content-security-policy"].startswith("default-src 'self' ")
        assert page.headers["x-content-type-options"] == "nosniff"
        passwords = people(companion.settings.auth)
        door = f"/api/listening/{episode.id}"
        ann, ben = (basic(name, passwords[name]) | {"X-Listener": "the-same-browser"} for name in ("ann", "ben"))
        client.put(door, json={"position": 65.5}, headers=ann)
        assert client.get(door, headers=ann | {"X-Listener": "another-device"}).json()["position"] == 65.5
        assert client.get(door, headers=ben).json()["position"] == 0
    finally:
        companion.close()
