# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the server: how many one address may have, and how long a request's head may take.

Before anybody has signed in, this is all that stands between a neighbour with a loop and the server's files.
"""

import asyncio
import resource
from collections import Counter
from ipaddress import ip_address
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""Seconds in which a request's head has to be complete."""

MOST_PER_ADDRESS = 256
"""Connections of one address (of IPv6: one network of 64 bits)."""

MOST_HTTP_CONNECTIONS = 2_000
"""Connections in all; never more than half of the files that the process may have open."""

WANTED_FILES = 8_192
"""Files that the process asks to be allowed to have open."""

_open: Counter[str] = Counter()


def raise_file_limit() -> None:
    """Let the process have more files open than the 1,024 that most systems begin with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Connections that are taken in all."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_HTTP_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_HTTP_CONNECTIONS, soft // 2)


class BoundedConnection(H11Protocol):
    """uvicorn's connection with a time for the head of each request, and a number of connections per address."""

    _head_timer: asyncio.TimerHandle | None = None
    _counted = ""

    def connection_made(self, transport: Any) -> None:
        """Take a connection, or drop it when there are too many."""
        super().connection_made(transport)
        who = _network(self.client[0] if self.client else "")
        if _open[who] >= MOST_PER_ADDRESS or len(self.connections) > most_connections():
            transport.abort()
            return
        _open[who] += 1
        self._counted = who
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        if self._counted:
            _open[self._counted] -= 1
            if not _open[self._counted]:
                del _open[self._counted]
            self._counted = ""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came; the time runs on while the head of a request is not complete."""
        super().data_received(data)
        self._watch_head()

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _too_late(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _network(address: str) -> str:
    """What counts as one address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if found.version == 4 else str(int(found) >> 64)
