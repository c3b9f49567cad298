# SPDX-License-Identifier: GPL-3.0-or-later
"""A model hub on the loopback interface, which offers the packaged models under other published names."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from voice.recognition.whisper_models import WHISPER
from voice.weights import JOE, TINY_EN

FASTER = "base.en"
"""The name under which the packaged Whisper is offered."""

LESSAC = "en_US-lessac-medium"
"""The name under which the packaged voice is offered."""

WHISPER_REPOSITORY, WHISPER_REVISION = WHISPER[FASTER].repository, WHISPER[FASTER].revision
VOICES = "rhasspy/piper-voices"
_VOICES_REVISION = "b" * 40
_LARGE = 1_000_000  # bytes from which a hub names a file by its SHA-256


@cache
def offered() -> dict[str, dict[str, bytes]]:
    """What the hub has: by repository, the content of each file by its path."""
    assert TINY_EN.path is not None and JOE.path is not None
    voice = f"en/en_US/lessac/medium/{LESSAC}.onnx"
    joe = next(JOE.path.glob("*.onnx"))
    return {
        WHISPER_REPOSITORY: {file.name: file.read_bytes() for file in TINY_EN.path.iterdir()},
        VOICES: {voice: joe.read_bytes(), f"{voice}.json": joe.with_name(f"{joe.name}.json").read_bytes()},
    }


class Hub:
    """What the hub was asked for, and how it misbehaves."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.files = {repository: dict(files) for repository, files in offered().items()}
        self.breaks_in = ""
        """A file whose transfer breaks off in the middle, once."""
        self.page = b""
        """Answered to everything, as a hotel's network does."""

    def revision(self, repository: str) -> str:
        """The commit that everything is at."""
        return WHISPER_REVISION if repository == WHISPER_REPOSITORY else _VOICES_REVISION


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = self.path.partition("?")[0].lstrip("/")
            hub.asked.append(path)
            if hub.page:
                self._send(hub.page, {"Content-Type": "text/html"}, body)
                return
            for repository, files in hub.files.items():
                listed = f"api/models/{repository}/"
                if path.startswith(f"{listed}revision/"):
                    told = {"id": repository, "modelId": repository, "sha": hub.revision(repository), "siblings": [
                        {"rfilename": name} for name in files]}  # fmt: skip
                    self._send(json.dumps(told).encode(), {"Content-Type": "application/json"}, body)
                    return
                if path.startswith(f"{listed}tree/"):
                    rows = [_row(name, content) for name, content in files.items()]
                    self._send(json.dumps(rows).encode(), {"Content-Type": "application/json"}, body)
                    return
                name = path.removeprefix(f"{repository}/resolve/").partition("/")[2]
                if path.startswith(f"{repository}/resolve/") and name in files:
                    self._send_file(repository, name, files[name], body)
                    return
            self._send(b"{}", {"X-Error-Code": "EntryNotFound"}, body, 404)

        def _send_file(self, repository: str, name: str, content: bytes, body: bool) -> None:
            row = _row(name, content)
            etag = row.get("lfs", {}).get("oid") or row["oid"]
            head = {"X-Repo-Commit": hub.revision(repository), "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
            first, status = 0, 200
            if wanted := self.headers.get("Range"):
                first, status = int(wanted.removeprefix("bytes=").partition("-")[0]), 206
                head["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self._send(content[first:], head, body, status, breaks=name == hub.breaks_in and body)

        def _send(
            self, content: bytes, head: dict[str, str], body: bool, status: int = 200, breaks: bool = False
        ) -> None:
            self.send_response(status)
            for key, value in (head | {"Content-Length": str(len(content))}).items():
                self.send_header(key, value)
            self.end_headers()
            if breaks:
                hub.breaks_in = ""
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.close_connection = True
            elif body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    return Handler


@cache
def _digests(content: bytes) -> tuple[str, str]:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content)
    return hashlib.sha256(content).hexdigest(), blob.hexdigest()


def _row(name: str, content: bytes) -> dict[str, object]:
    """A file as the hub lists it."""
    sha256, blob = _digests(content)
    row: dict[str, object] = {"type": "file", "path": name, "size": len(content), "oid": blob}
    if len(content) >= _LARGE:
        row["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return row


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub at an address of its own, which everything in this process asks meanwhile."""
    import pytest
    from huggingface_hub import constants

    hub = Hub()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub)) as server, pytest.MonkeyPatch.context() as patch:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        patch.setattr(constants, "ENDPOINT", hub.url)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template.replace("https://huggingface.co", hub.url))
        patch.setenv("HF_ENDPOINT", hub.url)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
