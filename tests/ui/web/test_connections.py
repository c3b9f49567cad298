# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody can do to the server before signing in."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from ui.web import connections, limits
from ui.web.auth import AsgiScope, Receive, Send
from ui.web.bounds import RequestLimits
from ui.web.connections import BoundedConnection


async def echo(scope: AsgiScope, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.contextmanager
def running() -> Iterator[int]:
    app = RequestLimits(echo)
    config = uvicorn.Config(app, log_level="critical", lifespan="off", http=BoundedConnection, ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


def ask(port: int, path: str = "/", body: bytes = b"", announced: int | None = None) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        size = announced or len(body)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def closed(connection: socket.socket) -> bool:
    connection.settimeout(10)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def test_half_a_request_is_dropped_after_its_time(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with running() as port:
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for number, connection in enumerate(waiting):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " if number % 2 else b"")
        assert b"200 OK" in ask(port), "others are answered meanwhile"
        assert all(map(closed, waiting))
        again = socket.create_connection(("127.0.0.1", port))
        again.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in again.recv(65536)
        again.sendall(b"GET / HT")  # the next one on the same connection has no longer
        assert closed(again)


def test_one_address_has_so_many_connections_and_no_more(monkeypatch):
    monkeypatch.setattr(connections, "MOST_PER_ADDRESS", 30)
    with running() as port:
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        time.sleep(0.3)
        assert sum(map(gone, held)) >= 10
        for connection in held:
            connection.close()
        time.sleep(0.3)
        assert b"200 OK" in ask(port)


def gone(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_a_body_that_stops_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(limits, "SILENT_BODY", 0.3)
    with running() as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        connection.settimeout(5)
        with contextlib.suppress(TimeoutError):
            assert b"200 OK" not in connection.recv(65536)


@pytest.mark.parametrize("path", ["/", "/api/ask", "/gradio_api/queue/join", "/api/hear", "/api/nothing"])
def test_every_address_has_a_bound(path):
    with running() as port:
        assert b"200 OK" in ask(port, path, b"x" * 1000)
        assert b" 413 " in ask(port, path, announced=2_000_000), "before a byte of it came"


def test_a_body_that_grows_past_its_bound_is_refused_whatever_the_application_makes_of_it():
    sent: list[int] = []

    async def careless(scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            await echo(scope, receive, send)
        except Exception:
            await send({"type": "http.response.start", "status": 400, "headers": []})

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        if "status" in message:
            sent.append(int(str(message["status"])))

    for app in (careless, echo):
        asyncio.run(RequestLimits(app)({"type": "http", "path": "/api/ask", "headers": []}, receive, send))
    assert sent == [413, 413]


def test_enough_files_may_be_open():
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
        connections.raise_file_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == min(connections.WANTED_FILES, hard if hard > 0 else connections.WANTED_FILES)
        assert connections.most_connections() <= soft // 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
