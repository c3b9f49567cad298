# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on files of the machine through Gradio's queue and its MCP tools."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import RunningServer

SECRET = "not for listeners"


def posted(url: str, number: int, data: list[Any]) -> str:
    """Everything that comes back for an event put into Gradio's queue."""
    with httpx.Client(base_url=f"{url}/gradio_api", timeout=30) as client:
        joined = client.post("/queue/join", json={"data": data, "fn_index": number, "session_hash": "attack"})
        text = joined.text
        if joined.is_success:
            with client.stream("GET", "/queue/data", params={"session_hash": "attack"}) as stream:
                for line in stream.iter_lines():
                    text += line
                    if "process_completed" in line or "close_stream" in line:
                        break
    return text


def file_data(**of: str) -> dict[str, Any]:
    return {**of, "meta": {"_type": "gradio.FileData"}}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


def asking_events(url: str) -> list[dict[str, Any]]:
    return httpx.get(f"{url}/config", timeout=30).json()["dependencies"]


def forms(secret: Path) -> list[Any]:
    path, address = file_data(path=str(secret)), file_data(path="x", url=secret.as_uri())
    return [path, address, {"deep": [{"deeper": path}]}, [path], {"turn": 1, "episode": path}]


def test_no_event_of_the_page_takes_a_file_of_the_machine(server: RunningServer, secret: Path):
    for event in asking_events(server.url):
        count = len(event["inputs"])
        for form in forms(secret):
            for place in range(count):
                data: list[Any] = ["Why?"] * count
                data[place] = form
                said = posted(server.url, event["id"], data)
                assert SECRET not in said
                cached = [path for path in (server.data_dir / "gradio").rglob("*") if path.is_file()]
                assert not [path for path in cached if SECRET in path.read_text(errors="ignore")], (event["id"], form)


def test_no_tool_takes_a_file_of_the_machine(server: RunningServer, secret: Path):
    for name in ("list_episodes", "find_moments", "ask_episode", "get_transcript"):
        for form in forms(secret):
            begun = httpx.post(f"{server.url}/gradio_api/call/{name}", json={"data": [form] * 3}, timeout=30)
            assert SECRET not in begun.text
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": {"name": name, "arguments": {"question": form, "episode": form, "search": form}}}
            told = httpx.post(f"{server.url}/gradio_api/mcp/", json=body, timeout=30,
                              headers={"accept": "application/json, text/event-stream"})
            assert SECRET not in told.text
    cached = [path for path in (server.data_dir / "gradio").rglob("*") if path.is_file()]
    assert not [path for path in cached if SECRET in path.read_text(errors="ignore")], json.dumps([*map(str, cached)])


def test_a_file_is_not_served_by_its_path(server: RunningServer, secret: Path):
    for path in (secret, server.data_dir / "server.json", Path("/proc/self/environ")):
        assert httpx.get(f"{server.url}/gradio_api/file={path}", timeout=30).status_code in (403, 404)


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "upload"), ("GET", "file=x"), ("GET", "file/x"), ("GET", "proxy=http://127.0.0.1:1/"),
    ("POST", "component_server"), ("POST", "stream/x"), ("POST", "process_recording"), ("POST", "vibe-edit"),
    ("POST", "run/ask_episode"), ("POST", "api/ask_episode"), ("GET", "deep_link"), ("GET", "dev/reload"),
    ("GET", "custom_component/a/client/component/x"),
])  # fmt: skip
def test_what_gradio_offers_beside_the_tools_is_not_there(server: RunningServer, method: str, path: str):
    assert httpx.request(method, f"{server.url}/gradio_api/{path}", timeout=30).status_code == 404


def test_no_door_takes_more_than_its_bound(server: RunningServer):
    def flood(pieces: int):
        for _ in range(pieces):
            yield b"x" * 100_000

    for path in ("/api/ask", "/api/speak", "/gradio_api/queue/join", "/gradio_api/call/ask_episode", "/gradio_api/mcp/",
                 "/api/hear", "/api/add"):  # fmt: skip
        for content in (b"x" * 3_000_000, flood(40)):  # announced, and not
            try:
                reply = httpx.post(f"{server.url}{path}", content=content, timeout=30)
            except httpx.TransportError:  # closed while it was still sending
                continue
            assert reply.status_code == 413, (path, reply.text[:200])
    long = {"data": ["why? " * 1000, ""]}
    begun = httpx.post(f"{server.url}/gradio_api/call/ask_episode", json=long, timeout=30).json()["event_id"]
    assert "error" in httpx.get(f"{server.url}/gradio_api/call/ask_episode/{begun}", timeout=30).text


def test_a_page_of_another_site_learns_nothing_of_the_library(server: RunningServer):
    (episode,) = httpx.get(f"{server.url}/api/episodes", timeout=30).json()
    whole = f"{server.url}/audio/{episode['id']}"
    assert httpx.get(whole, timeout=30).headers["cross-origin-resource-policy"] == "same-origin"
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "audio"}
    assert httpx.get(whole, headers=embedded, timeout=30).status_code == 403
    for path in ("/audio/", "/artwork/", "/api/episodes/", "/api/listening/"):
        for part in (episode["id"][:5], episode["title"]):
            assert httpx.get(f"{server.url}{path}{part}", timeout=30).status_code == 404


def test_what_gradio_keeps_is_the_owners(server: RunningServer):
    folder = server.data_dir / "gradio"
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0
