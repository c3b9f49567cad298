# SPDX-License-Identifier: GPL-3.0-or-later
"""The downloader against a real server on the loopback interface that breaks off, lies and refuses."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voice.errors import DownloadError, EarmarkError
from voice.resumable_download import download

BODY = bytes(range(256)) * 2000  # 512,000 bytes


@dataclass
class Server:
    """What the server offers, how it misbehaves, and what it was asked."""

    url: str = ""
    body: bytes = BODY
    etag: str = '"one"'
    break_after: int | None = None  # bytes of a body after which the connection is cut, once
    announce: bool = True
    refuse: bool = False  # answer 416 whatever is asked
    ranges: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server for one file named /file; everything else is 404."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.ranges.append(self.headers.get("Range", ""))
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", "/file")
                self.end_headers()
                return
            if self.path != "/file":
                self.send_error(404)
                return
            first = 0
            if "Range" in self.headers and self.headers.get("If-Range") == state.etag:
                first = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if state.refuse or first >= len(state.body) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.body)}")
                self.end_headers()
                return
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(state.body) - 1}/{len(state.body)}")
            if state.announce:
                self.send_header("Content-Length", str(len(state.body) - first))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            part, state.break_after = state.body[first:][: state.break_after], None
            self.wfile.write(part)

        def log_message(self, *args: object) -> None:
            """Keep the test's output quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}/file"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


def only(folder: Path, *names: str) -> bool:
    """Does the folder hold exactly these files?"""
    return {file.name for file in folder.iterdir()} == set(names)


def test_a_file_arrives_whole_and_progress_rises_to_one(server: Server, tmp_path: Path) -> None:
    seen: list[float] = []
    target = tmp_path / "new folder" / "model.bin"
    assert download(server.url, target, seen.append, sha256=hashlib.sha256(BODY).hexdigest()) == target
    assert target.read_bytes() == BODY and only(target.parent, "model.bin")
    assert seen == sorted(seen) and seen[-1] == 1.0 and 3 < len(seen) <= 101


def test_redirects_and_unannounced_lengths_are_fine(server: Server, tmp_path: Path) -> None:
    server.announce = False
    assert download(server.url.replace("/file", "/elsewhere"), tmp_path / "f").read_bytes() == BODY


def test_a_broken_download_is_continued_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.break_after = 200_000
    with pytest.raises(DownloadError, match="broke off"):
        download(server.url, tmp_path / "f")
    assert only(tmp_path, "f.part", "f.part.etag")
    kept = (tmp_path / "f.part").stat().st_size
    assert 0 < kept <= 200_000
    assert download(server.url, tmp_path / "f").read_bytes() == BODY
    assert server.ranges[-1] == f"bytes={kept}-" and only(tmp_path, "f")


def test_ctrl_c_leaves_a_part_that_is_continued(server: Server, tmp_path: Path) -> None:
    def interrupt(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(server.url, tmp_path / "f", interrupt)
    assert only(tmp_path, "f.part", "f.part.etag")
    assert download(server.url, tmp_path / "f").read_bytes() == BODY


def test_a_file_that_changed_in_between_is_not_spliced(server: Server, tmp_path: Path) -> None:
    server.break_after = 200_000
    with pytest.raises(DownloadError):
        download(server.url, tmp_path / "f")
    server.etag, server.body = '"two"', BODY[::-1]
    assert download(server.url, tmp_path / "f").read_bytes() == BODY[::-1]


def test_without_a_validator_it_begins_anew(server: Server, tmp_path: Path) -> None:
    server.etag, server.break_after = "", 200_000
    with pytest.raises(DownloadError):
        download(server.url, tmp_path / "f")
    assert download(server.url, tmp_path / "f").read_bytes() == BODY
    assert server.ranges == ["", ""]


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(BODY + b"more")
    (tmp_path / "f.part.etag").write_text(server.etag)
    assert download(server.url, tmp_path / "f").read_bytes() == BODY


def test_a_server_that_refuses_every_range_is_not_asked_forever(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"some")
    (tmp_path / "f.part.etag").write_text(server.etag)
    server.refuse = True
    with pytest.raises(DownloadError, match="416"):
        download(server.url, tmp_path / "f")
    assert len(server.ranges) == 2


@pytest.mark.parametrize("announce", [True, False])
def test_a_file_that_is_too_large_is_refused(server: Server, tmp_path: Path, announce: bool) -> None:
    server.announce = announce
    with pytest.raises(DownloadError, match="larger than"):
        download(server.url, tmp_path / "f", limit_bytes=100_000)
    assert only(tmp_path)


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="checksum"):
        download(server.url, tmp_path / "f", sha256="0" * 64)
    assert only(tmp_path)


def test_a_missing_file_names_the_answer_and_the_way_by_hand(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404") as caught:
        download(server.url + "-not", tmp_path / "f")
    assert str(tmp_path / "f") in caught.value.hint and only(tmp_path)


def test_no_network_names_the_host_and_the_way_by_hand(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"No connection to 127\.0\.0\.1") as caught:
        download(f"http://127.0.0.1:{port}/file", tmp_path / "f", timeout=2)
    assert str(tmp_path / "f") in caught.value.hint


def test_a_target_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(EarmarkError, match="f in"):
        download(server.url, tmp_path / "taken" / "f")


def test_a_model_does_not_come_unencrypted_from_another_machine(tmp_path):
    with pytest.raises(DownloadError, match="unencrypted"):
        download("http://hub.example/model.bin", tmp_path / "model.bin")
