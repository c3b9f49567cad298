# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to public addresses only, and not for ever: what ``episodes.sources.http`` sends its requests through.

A name is looked up once, and what it stood for is what is connected to, so that a name whose meaning changes in between
(DNS rebinding) gains nothing; each redirect is a connection of its own and is checked like the first.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, Queue
from time import monotonic
from typing import Any

import httpcore
import httpx

from voice.errors import DownloadError

SETTING = "fetch_private"
"""The setting that allows addresses of this machine and of the home network."""

_REDIRECT = (301, 302, 303, 307, 308)
_SLICE = 0.5  # seconds between two looks whether a request is still wanted
_NOT_PUBLIC = tuple(map(ip_network, (
    "::/96",  # IPv4 addresses in IPv6, as they were written long ago (RFC 4291)
    "64:ff9b:1::/48",  # translators of a network's own (RFC 8215)
    "fec0::/10",  # site-local (RFC 3879)
    "192.88.99.0/24",  # 6to4 relays (RFC 7526)
    "2001::/32",  # Teredo: an IPv4 address is inside
)))  # fmt: skip
"""Networks that Python's ``is_global`` lets pass, or only some of its versions refuse."""


class SsrfTransport(httpx.HTTPTransport):
    """httpx's transport, that connects to public addresses only (to all when ``private``) and until ``deadline``.

    ``deadline`` is a time of ``time.monotonic``. Raises DownloadError for an address that is not public. The body of a
    redirect is never read: nobody needs it, and it may have no end.
    """

    def __init__(self, private: bool, deadline: float, unwanted: Callable[[], bool] = lambda: False) -> None:
        super().__init__(trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=_Backend(private, _Clock(deadline, unwanted)),
            max_connections=4,
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
    if any(found.version == network.version and found in network for network in _NOT_PUBLIC):
        return False
    if isinstance(found, IPv6Address):
        inside = found.ipv4_mapped or found.sixtofour
        if int(found) >> 32 == int(IPv6Address("64:ff9b::")) >> 32:  # RFC 6052: behind a translator
            inside = IPv4Address(int(found) & 0xFFFFFFFF)
        if inside is not None:
            return public(str(inside))
    return found.is_global and not found.is_multicast


class _Clock:
    """Until when something may take, and whether it is still wanted."""

    def __init__(self, deadline: float, unwanted: Callable[[], bool]) -> None:
        self._deadline, self._unwanted = deadline, unwanted

    def left(self, timeout: float | None) -> float:
        """Seconds that one step may take. Raises ReadTimeout when none are left, DownloadError when it is unwanted."""
        if self._unwanted():
            raise DownloadError("It was stopped.")
        left = self._deadline - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took longer than is allowed here")
        return left if timeout is None else min(left, timeout)

    def slices(self, timeout: float | None) -> Iterator[tuple[float, bool]]:
        """The time of one step in slices, each with whether it is the last: between two of them it can be stopped."""
        end = monotonic() + self.left(timeout)
        while (rest := min(end - monotonic(), self.left(None))) > _SLICE:
            yield _SLICE, False
        yield max(0.001, rest), True


class _Backend(httpcore.NetworkBackend):
    """Looks a name up and connects to what it found, when that is allowed."""

    def __init__(self, private: bool, clock: _Clock) -> None:
        self._private, self._clock = private, clock
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
            try:
                return _Stream(self._connect(address, port, timeout, local_address, socket_options), self._clock)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem or httpcore.ConnectError(f"{host} has no address")

    def _connect(
        self, address: str, port: int, timeout: float | None, local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.NetworkStream:
        """Connect in a thread that may be left behind: the system offers no way to look up from waiting."""
        left = self._clock.left(timeout)
        caught: Queue[httpcore.NetworkStream | Exception] = Queue()

        def work() -> None:
            try:
                caught.put(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except Exception as error:
                caught.put(error)

        threading.Thread(target=work, name="earmark-connect", daemon=True).start()
        for slice_, last in self._clock.slices(timeout):
            try:
                found = caught.get(timeout=slice_ + (1.0 if last else 0.0))
            except Empty:
                continue
            if isinstance(found, Exception):
                raise found
            return found
        raise httpcore.ConnectTimeout(f"{address} did not answer")


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, or when it is unwanted, however slowly the bytes drip."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        for slice_, last in self._clock.slices(timeout):
            try:
                return self._inner.read(max_bytes, slice_)
            except httpcore.ReadTimeout:
                if last:
                    raise
        raise httpcore.ReadTimeout("nothing came")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            inner = self._inner.start_tls(ssl_context, server_hostname, self._clock.left(timeout))
        except (ValueError, UnicodeError) as error:  # a name that no certificate can be for
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, OverflowError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
