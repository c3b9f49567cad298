# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on the loopback that speaks the protocol of language models, and says what a test wants said."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def event(content: str, finish: str | None = None) -> bytes:
    """One piece of a reply as server-sent event."""
    piece = {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}
    return f"data: {json.dumps(piece)}\n\n".encode()


class FakeModel:
    """Streams ``reply`` in pieces of a few letters; ``raw`` (bytes, may be endless) takes its place.

    ``asked`` is the body of the latest request, with its path and authorization.
    """

    def __init__(self) -> None:
        self.reply, self.status, self.done, self.kind, self.pause = "", 200, True, "text/event-stream", 0.0
        self.raw: Iterable[bytes] | None = None
        self.asked: dict[str, Any] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked["authorization"] = self.headers.get("Authorization")
                outer.asked["path"] = self.path
                self.send_response(outer.status)
                self.send_header("Content-Type", outer.kind)
                self.end_headers()
                try:
                    for piece in outer.pieces():
                        self.wfile.write(piece)
                        time.sleep(outer.pause)
                except OSError:
                    pass  # whoever asked has heard enough

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def pieces(self) -> Iterator[bytes]:
        """What is sent."""
        if self.raw is not None:
            yield from self.raw
            return
        yield b": a comment, as some servers send them to keep the line open\n\n"
        for at in range(0, len(self.reply), 7):
            yield event(self.reply[at : at + 7])
        if self.done:
            yield b"data: [DONE]\n\n"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def fake_model() -> Iterator[FakeModel]:
    """A fake, listening."""
    made = FakeModel()
    try:
        yield made
    finally:
        made.close()
