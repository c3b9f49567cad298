# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to public addresses only, and not for ever: what ``episodes.sources.http`` sends its requests through.

A name is looked up once, and what it stood for is what is connected to, so that a name whose meaning changes in between
(DNS rebinding) gains nothing; each redirect is a connection of its own and is checked like the first.
"""

import socket
import ssl
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic
from typing import Any

import httpcore
import httpx

from voice.errors import DownloadError

SETTING = "fetch_private"
"""The setting that allows addresses of this machine and of the home network."""

_REDIRECT = (301, 302, 303, 307, 308)


class Guard(httpx.HTTPTransport):
    """httpx's transport, that connects to public addresses only (to all when ``private``) and until ``deadline``.

    ``deadline`` is a time of ``time.monotonic``. Raises DownloadError for an address that is not public. The body of a
    redirect is never read: nobody needs it, and it may have no end.
    """

    def __init__(self, private: bool, deadline: float) -> None:
        super().__init__(trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=_Backend(private, deadline), max_connections=4
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        answer = super().handle_request(request)
        if answer.status_code not in _REDIRECT or "Location" not in answer.headers:
            return answer
        answer.close()
        return httpx.Response(answer.status_code, headers={"Location": answer.headers["Location"]})


def public(address: str) -> bool:
    """True when an IP address (v4 or v6, also one v4 inside v6) belongs to the public internet."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inside = found.ipv4_mapped or found.sixtofour
        if int(found) >> 32 == int(IPv6Address("64:ff9b::")) >> 32:  # RFC 6052: behind a translator
            inside = IPv4Address(int(found) & 0xFFFFFFFF)
        if inside is not None:
            return public(str(inside))
    return found.is_global and not found.is_multicast


class _Backend(httpcore.NetworkBackend):
    """Looks a name up and connects to what it found, when that is allowed."""

    def __init__(self, private: bool, deadline: float) -> None:
        self._private, self._deadline = private, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception | None = None
        for address in _addresses(host, port):
            if not (self._private or public(address)):
                problem = problem or DownloadError(
                    f"{host} is this machine or in the home network ({address}), so nothing is fetched from it.",
                    f"Set {SETTING} = true in the settings to allow such addresses.",
                )
                continue
            left = _left(self._deadline, timeout)
            try:
                found = self._inner.connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(found, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem or httpcore.ConnectError(f"{host} has no address")


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, however slowly the bytes drip."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Seconds that one step may take. Raises ReadTimeout when none are left."""
    left = deadline - monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("it took longer than is allowed here")
    return left if timeout is None else min(left, timeout)


def _addresses(host: str, port: int) -> list[str]:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
