# SPDX-License-Identifier: GPL-3.0-or-later
"""Whisper models: what counts as one, where it is found, and fetching it from a hub on the loopback interface."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voice.errors import DownloadError, SettingsError
from voice.recognition.models import find_whisper, get_whisper, missing_files, present_whisper

FILES = {
    "config.json": b"{}",
    "model.bin": bytes(range(256)) * 3000,
    "tokenizer.json": b"{}" * 5000,
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"not read by the engine",
    "../evil.json": b"never",
}
REPOSITORY = "Systran/faster-whisper-tiny.en"


@dataclass
class Hub:
    """A hub with one model, how it misbehaves, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    break_in: str = ""  # the file whose connection is cut half-way, once
    spoil: str = ""  # the file that is sent with other bytes
    listing: bytes | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if self.path == f"/api/models/{REPOSITORY}/revision/main?blobs=true":
                self._send(state.listing if state.listing is not None else self._listing())
                return
            name = self.path.removeprefix(f"/{REPOSITORY}/resolve/abc123/")
            body = state.files.get(name)
            if body is None:
                self.send_error(404)
                return
            if name == state.spoil:
                body = bytes(len(body))
            first = 0
            if "Range" in self.headers and self.headers.get("If-Range") == '"one"':
                first = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            cut = name == state.break_in
            state.break_in = "" if cut else state.break_in
            self._send(body, first, len(body) // 2 if cut else None)

        def _listing(self) -> bytes:
            siblings = [
                {"rfilename": name, "size": len(body)}
                | ({"lfs": {"sha256": hashlib.sha256(body).hexdigest()}} if name == "model.bin" else {})
                for name, body in state.files.items()
            ]
            return json.dumps({"sha": "abc123", "siblings": siblings}).encode()

        def _send(self, body: bytes, first: int = 0, until: int | None = None) -> None:
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            self.send_header("ETag", '"one"')
            self.send_header("Content-Length", str(len(body) - first))
            self.end_headers()
            self.wfile.write(body[first:until])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No Hugging Face cache of this machine's user plays a part."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    return cache


def complete(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes(b"x")
    return folder


def test_a_model_is_fetched_with_progress(hub: Hub, tmp_path: Path) -> None:
    told: list[float] = []
    folder = get_whisper("tiny.en", tmp_path / "models", told.append, hub=hub.url)
    assert folder == tmp_path / "models" / "tiny.en"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 10
    assert find_whisper("tiny.en", tmp_path / "models") == folder
    assert not any("evil" in path or "README" in path for path in hub.asked)


def test_the_variable_names_the_hub_and_what_is_there_is_not_fetched(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url + "/")
    get_whisper("tiny.en", tmp_path)
    asked = len(hub.asked)
    get_whisper("tiny.en", tmp_path)
    assert len(hub.asked) == asked > 0


def test_a_download_that_breaks_off_is_no_model_and_goes_on_later(hub: Hub, tmp_path: Path) -> None:
    hub.break_in = "model.bin"
    with pytest.raises(DownloadError, match="built-in recogniser"):
        get_whisper("tiny.en", tmp_path, hub=hub.url)
    assert find_whisper("tiny.en", tmp_path) is None and not (tmp_path / "tiny.en").exists()
    assert present_whisper(tmp_path) == {}
    folder = get_whisper("tiny.en", tmp_path, hub=hub.url)
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert sum(path.endswith("config.json") for path in hub.asked) == 1  # what had arrived is not fetched again


def test_other_bytes_than_promised_are_refused(hub: Hub, tmp_path: Path) -> None:
    hub.spoil = "model.bin"
    with pytest.raises(DownloadError, match="checksum"):
        get_whisper("tiny.en", tmp_path, hub=hub.url)
    assert find_whisper("tiny.en", tmp_path) is None


def test_a_repository_without_a_tokenizer_is_refused(hub: Hub, tmp_path: Path) -> None:
    del hub.files["tokenizer.json"]
    with pytest.raises(DownloadError, match=r"lacks tokenizer\.json"):
        get_whisper("tiny.en", tmp_path, hub=hub.url)
    assert find_whisper("tiny.en", tmp_path) is None


@pytest.mark.parametrize("listing", [b"<html>log in to the hotel's network</html>", b"[]", b"{}", b'{"siblings": [1]}'])
def test_something_that_is_no_hub_is_told(hub: Hub, tmp_path: Path, listing: bytes) -> None:
    hub.listing = listing
    with pytest.raises(DownloadError, match="not as a model hub"):
        get_whisper("tiny.en", tmp_path, hub=hub.url)


def test_without_a_hub_it_is_told_soon_where_files_go_by_hand(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        get_whisper("tiny.en", tmp_path, hub="http://127.0.0.1:9")
    assert time.monotonic() - began < 10
    assert str(tmp_path / "tiny.en") in caught.value.hint and "built-in" in caught.value.hint


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"tiny\.en"):
        get_whisper("tinny", tmp_path)


def test_what_a_folder_lacks_is_named(tmp_path: Path) -> None:
    folder = complete(tmp_path / "m")
    assert missing_files(folder) == []
    (folder / "tokenizer.json").write_bytes(b"")
    (folder / "vocabulary.txt").unlink()
    assert missing_files(folder) == ["tokenizer.json", "vocabulary.json"]
    assert missing_files(tmp_path / "none")[0] == "model.bin"


def test_a_model_in_the_hugging_face_cache_is_used(empty_cache: Path, tmp_path: Path) -> None:
    base = empty_cache / "models--Systran--faster-whisper-base.en" / "snapshots"
    (base / "half").mkdir(parents=True)
    (base / "half" / "config.json").write_bytes(b"x")
    assert find_whisper("base.en", tmp_path) is None
    whole = complete(base / "whole")
    assert find_whisper("base.en", tmp_path) == whole
    own = complete(tmp_path / "base.en")
    assert find_whisper("base.en", tmp_path) == own
    assert present_whisper(tmp_path) == {"base.en": own}
