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
from ui.web.auth import USER, Failures, Hosts, SignIn, own_names, people
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
    assert ask({"Authorization": "Bearer ann:correct horse"}, KNOWN) == (200, "ann")


@pytest.mark.parametrize("headers", [
    {}, basic("ann", "wrong horse"), basic("ann", ""), basic("eve", "correct horse"), basic("eve", "the owner's token"),
    {"Authorization": "Basic !!!"}, {"Authorization": "Basic"}, {"Authorization": "Bearer guess"},
    {"Authorization": "Bearer ann:wrong horse"},
    {"Authorization": ""},
])  # fmt: skip
def test_nobody_else_comes_in_by_any_door(headers):
    assert ask(headers, KNOWN)[0] == 401
    assert ask(headers, KNOWN, kind="websocket")[0] == 403


def test_a_page_of_another_site_changes_nothing_even_where_everybody_may_come_in():
    assert ask({"Sec-Fetch-Site": "cross-site"}, {}, "POST")[0] == 403
    assert ask({"Sec-Fetch-Site": "cross-site"} | basic("ann", "correct horse"), KNOWN, "PUT")[0] == 403
    assert ask({"Sec-Fetch-Site": "same-origin"}, {}, "POST")[0] == ask({}, {}, "POST")[0] == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(link, {}, "GET")[0] == 200, "a link from elsewhere leads here"


@pytest.mark.parametrize(("mode", "dest"), [
    ("no-cors", "audio"), ("no-cors", "image"), ("no-cors", "script"), ("cors", "empty"), ("navigate", "iframe"),
    ("navigate", "object"), ("no-cors", "empty"),
])  # fmt: skip
def test_a_page_of_another_site_cannot_have_the_browser_fetch_anything_for_it(mode, dest):
    for relation in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": relation, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
        assert ask(headers, {}, "GET")[0] == 403
        assert ask(headers | basic("ann", "correct horse"), KNOWN, "GET")[0] == 403
        assert ask(headers | {"Sec-Fetch-Site": "same-origin"}, {}, "GET")[0] == 200


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_guessing_passwords_is_slowed_down_and_logged(caplog):
    clock = Clock()
    sent: list[int] = []

    async def app(scope, receive, send):
        sent.append(200)

    async def send(message):
        if "status" in message:
            sent.append(message["status"])

    door = SignIn(app, KNOWN, "the owner's token", clock)

    def knock(headers: dict[str, str], address: str = "10.0.0.9") -> int:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "headers": raw, "client": (address, 1)}
        asyncio.run(door(scope, None, send))
        return sent.pop()

    tried = 0
    for _ in range(719):  # in eight seconds
        clock.now += 8 / 719
        tried += knock(basic("ann", f"guess {_}")) == 401
    assert tried < 15
    assert "10.0.0.9 failed" in caplog.text
    assert knock(basic("ann", "correct horse")) == 429, "also the right one waits, or guessing at once would pay"
    assert knock({"Authorization": "Bearer the owner's token"}) == 200
    assert knock(basic("ann", "correct horse"), "10.0.0.7") == 200, "others are not locked out"
    assert knock({}) == 401, "asking for the sign-in costs nothing"
    clock.now += 120
    assert knock(basic("ann", "correct horse")) == 200
    assert knock(basic("ann", "wrong")) == 401, "and begins anew"


def test_no_address_makes_the_memory_of_failures_grow():
    failures = Failures(Clock())
    for number in range(20_000):
        failures.add(f"10.0.{number >> 8}.{number & 255}")
    assert len(failures._known) <= 10_000


@pytest.mark.parametrize(("host", "status"), [
    ("127.0.0.1:7860", 200), ("192.168.1.7", 200), ("[::1]:7860", 200), ("[fe80::1%25eth0]", 200), ("localhost", 200),
    ("LOCALHOST.", 200), ("ears.example.org:80", 200), ("evil.example", 400), ("127.0.0.1.evil.example", 400),
    ("localhost.evil.example", 400), ("", 400), ("evil.example:[", 400), ("2130706433", 400), ("a@127.0.0.1.b", 400),
])  # fmt: skip
def test_it_answers_under_its_own_names_only_wherever_it_listens(host, status):
    sent: list[int] = []

    async def app(scope, receive, send):
        sent.append(200)

    async def send(message):
        sent.append(message.get("status", 0))

    door = Hosts(app, own_names("0.0.0.0", "ears.example.org, other.lan"))
    asyncio.run(door({"type": "http", "headers": [(b"host", host.encode())]}, None, send))
    assert sent[0] == status


def test_short_names_and_names_of_other_letters_keep_their_place(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path, demo=False, auth="al:correct horse,Zoë:correct horse"))
    try:
        episode = companion.library.create("abc", Episode("", "Raising the Apprentice"))
        client = TestClient(server.build(companion), base_url="http://127.0.0.1")
        for number, name in enumerate(("al", "Zoë"), 1):
            signed = basic(name, "correct horse")
            put = client.put(f"/api/listening/{episode.id}", json={"position": 10.0 * number}, headers=signed)
            assert put.status_code == 200, put.text
        assert client.get(f"/api/listening/{episode.id}", headers=basic("al", "correct horse")).json()["position"] == 10
        assert client.get(f"/api/listening/{episode.id}", headers=basic("Zoe\u0308", "correct horse")).json()[
            "position"] == 20, "however the browser writes the two dots"
    finally:
        companion.close()


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
        assert client.get("/api/status", headers=basic("ann", "wrong horse")).status_code == 401
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
