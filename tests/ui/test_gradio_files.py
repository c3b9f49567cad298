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


def test_what_gradio_keeps_is_the_owners(server: RunningServer):
    folder = server.data_dir / "gradio"
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0
