# SPDX-License-Identifier: GPL-3.0-or-later
"""A model hub on the loopback interface, which offers the tests' own models under published names."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.conftest import TINY_WHISPER

LESSAC = "en_US-lessac-medium"
WHISPER_REPOSITORY = "Systran/faster-whisper-tiny.en"
_VOICES = Path(__file__).parents[1] / "voice" / "synthesis" / "voices"
_VOICE = "rhasspy/piper-voices/resolve/main/en/en_US/lessac/medium"


def offered() -> dict[str, bytes]:
    """What the hub has: the tiny Whisper as tiny.en, and the built-in male voice as lessac."""
    files = {
        f"{WHISPER_REPOSITORY}/resolve/abc123/{file.name}": file.read_bytes()
        for file in TINY_WHISPER.iterdir() if file.is_file()
    }  # fmt: skip
    files[f"{_VOICE}/{LESSAC}.onnx"] = (_VOICES / "male.onnx").read_bytes()
    files[f"{_VOICE}/{LESSAC}.onnx.json"] = (_VOICES / "male.onnx.json").read_bytes()
    return files


@contextmanager
def running_hub() -> Iterator[tuple[str, list[str]]]:
    """Its address (for HF_ENDPOINT), and the paths that it was asked for."""
    files, asked = offered(), []
    listing = {"sha": "abc123", "siblings": [
        {"rfilename": path.rpartition("/")[2], "size": len(body), "lfs": {"sha256": hashlib.sha256(body).hexdigest()}}
        for path, body in files.items() if path.startswith(WHISPER_REPOSITORY)
    ]}  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path[1:]
            asked.append(path)
            is_listing = path == f"api/models/{WHISPER_REPOSITORY}/revision/main?blobs=true"
            body = json.dumps(listing).encode() if is_listing else files.get(path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()
