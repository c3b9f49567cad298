# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher's server on this machine, with all the ways in which one can misbehave."""

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

ITEM = """<item><title>{title}</title><guid>{guid}</guid><pubDate>{date}</pubDate>
<enclosure url="{base}/{audio}" type="audio/wav" length="1"/>{more}</item>"""
FEED = """<?xml version="1.0"?><rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Bees Weekly</title>{items}</channel></rss>"""

BOMB = gzip.compress(b"<rss>" + b" " * 20_000_000, 1)


@dataclass(slots=True)
class Publisher:
    """What is served: ``files`` by path; ``asked`` are the requests with their headers, in order; paths that begin
    with a word of ``_ODD`` misbehave."""

    port: int = 0
    host: str = "127.0.0.1"
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    over: Event = field(default_factory=Event)

    @property
    def base(self) -> str:
        """The address of its root."""
        return f"http://{self.host}:{self.port}"

    def feed(self, *items: dict[str, str]) -> bytes:
        """A feed whose items have these fields; sensible ones for the rest."""
        rows = []
        for number, item in enumerate(items):
            usual = {"title": f"Talk {number}", "guid": f"bees-weekly-{number}", "audio": "talk.wav", "more": "",
                     "date": f"Mon, {27 - number:02} May 2024 10:00:00 GMT", "base": self.base}  # fmt: skip
            rows.append(ITEM.format(**(usual | item)))
        return FEED.format(items="".join(rows)).encode()

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.asked]


@contextmanager
def publishing() -> Iterator[Publisher]:
    """Run a publisher's server on a free port."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            publisher.asked.append((self.path, dict(self.headers)))
            with suppress(ConnectionError):
                odd = getattr(self, f"_{self.path.split('/')[1]}", None)
                (odd or self._file)()

        def _head(self, code: int, *headers: tuple[str, str]) -> None:
            self.send_response(code)
            for header in headers:
                self.send_header(*header)
            self.end_headers()

        def _send(self, body: bytes) -> None:
            self.wfile.write(body)
            publisher.sent += len(body)

        def _file(self) -> None:
            body = publisher.files.get(self.path)
            if body is None:
                self._head(404)
                return
            tag = f'"{hash(body)}"'
            if self.headers.get("If-None-Match") == tag:
                self._head(304)
                return
            self._head(200, ("ETag", tag), ("Content-Length", str(len(body))))
            self._send(body)

        def _moved(self) -> None:  # /moved/to/this
            self._head(301, ("Location", self.path.removeprefix("/moved")))

        def _around(self) -> None:
            self._head(302, ("Location", f"/around/{time.monotonic_ns()}"))

        def _home(self) -> None:
            self._head(302, ("Location", f"http://127.0.0.2:{publisher.port}/feed.xml"))

        def _elsewhere(self) -> None:
            self._head(302, ("Location", "file:///etc/passwd"))

        def _drip(self) -> None:
            self._head(200)
            while not publisher.over.wait(0.05):
                self._send(b"x")

        def _silent(self) -> None:
            publisher.over.wait(20)

        def _endless(self) -> None:
            self._head(200, ("Content-Type", "application/rss+xml"))
            while not publisher.over.is_set():
                self._send(b"<x>" * 20_000)

        def _short(self) -> None:
            self._head(200, ("Content-Length", "100000"))
            self._send(b"RIFF" + b"x" * 1000)

        def _long(self) -> None:
            self._head(200, ("Content-Length", "10"))
            self._send(publisher.files["/talk.wav"])

        def _bomb(self) -> None:
            self._head(200, ("Content-Encoding", "gzip"), ("Content-Type", "application/rss+xml"))
            self._send(BOMB)

        def _zipped(self) -> None:  # /zipped/feed.xml
            self._head(200, ("Content-Encoding", "gzip"))
            self._send(gzip.compress(publisher.files[self.path.removeprefix("/zipped")]))

        def _broken(self) -> None:
            self._head(200, ("Content-Encoding", "gzip"))
            self._send(b"no gzip at all")

        def _busy(self) -> None:
            self._head(503)

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)  # 127.0.0.2 is the home network of the tests
    server.daemon_threads = True
    publisher.port = server.server_address[1]
    thread = Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        publisher.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
