# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may come in: names and passwords for a server that others can reach, and nothing for pages of other sites.

HTTP's own sign-in (RFC 7617) covers the page, the sound, the JSON door and Gradio's API alike, and every browser and
program can do it. A program of the same person on the same machine shows the token that stands in ``server.json``.
"""

import base64
import binascii
import hmac
import logging
import socket
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from ui.home.loudspeakers.media_links import is_link
from ui.web.sessions import Sessions
from voice.errors import SettingsError

log = logging.getLogger("earmark")

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

USER = "earmark.user"
"""Key in the ASGI scope under which stands who signed in."""

_SHORTEST = 8  # characters of a password
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WALLS = (
    (b"content-security-policy",
     b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "  # Gradio's templates are functions made of text
     b"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    # a page of another site may not even embed the sound: whether it loads would tell what is in the library
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)  # fmt: skip


def people(text: str) -> dict[str, str]:
    """Passwords by name out of "ann:secret, ben:other one". Raises SettingsError when it is not like that."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, password = part.partition(":")
        if not name.isidentifier() or len(password) < _SHORTEST:
            raise SettingsError(
                f"The setting auth is not NAME:PASSWORD, with {_SHORTEST} characters of password or more.",
                "Write for instance EARMARK_AUTH='ann:a long password' (several: separated by commas).",
            )
        found[unicodedata.normalize("NFC", name)] = password
    return found


def own_names(host: str, others: str = "") -> frozenset[str]:
    """The names under which this server may be asked for: this machine's own, the one it listens on, and ``others``
    (separated by commas)."""
    machine = socket.gethostname().lower().partition(".")[0]
    given = (name.strip().lower().rstrip(".") for name in (host, *others.split(",")))
    return frozenset({"localhost", machine, f"{machine}.local", socket.gethostname().lower(), *filter(None, given)})


class Hosts:
    """ASGI middleware: answers only under its own names, or an address in digits.

    A page of another site that lets its own name stand for this machine (DNS rebinding) is same-origin to a browser; it
    cannot choose what stands in ``Host``, though.
    """

    def __init__(self, app: App, names: Collection[str]) -> None:
        self.app = app
        self._names = names

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application."""
        if scope["type"] in ("http", "websocket"):
            given = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"]
            if len(given) != 1 or not self._knows(given[0]):
                text = b"This server is not known by that name. Add it to the setting hosts, if it is its own."
                await refuse(send, 400, [], text)
                return
        await self.app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ip_address(name.partition("%")[0])
        except ValueError:
            return False
        return True


class SecurityHeaders:
    """ASGI middleware: tells browsers that nothing on the page may come from, or go to, anywhere but this server."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass on, and add the headers to what comes back."""

        async def walled(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message.get("headers", ())}
                extra = [(name, value) for name, value in _WALLS if name not in known]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        await self.app(scope, receive, walled)


class SignIn:
    """ASGI middleware: lets in who is known and says who it is; with nobody known, everybody is let in.

    Requests that change something are refused when a page of another site has made the browser send them.
    """

    def __init__(
        self, app: App, known: dict[str, str], token: str, clock: Callable[[], float] = monotonic,
        sessions: Sessions | None = None,
    ) -> None:
        self.app = app
        self._known = known
        self._token = token
        self._failures = Failures(clock)
        self._sessions = sessions

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http" and is_link(scope["method"], scope.get("path", "")):  # it says itself who may
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if _foreign(headers) if changes else _embedded(headers):
            await refuse(send, 403, [], b"This came from a page of another site.")
            return
        if not self._known:
            await self.app(scope, receive, send)
            return
        given = headers.get(b"authorization", "")
        if self._sessions is not None and not given:
            user = self._sessions.user(scope["path"], headers.get(b"cookie", ""))
            if user in self._known:
                await self.app({**scope, USER: user}, receive, send)
                return
        kind, _, what = given.partition(" ")
        if kind.lower() == "bearer" and _same(what, self._token):
            await self.app({**scope, USER: ""}, receive, send)
            return
        address = (scope.get("client") or ("",))[0]
        wait = self._failures.wait(address) if given else 0.0
        user = self._who(kind, what) if wait <= 0 else None
        if user is not None:
            self._failures.forget(address)
            send = self._giving(scope, user, send)
            await self.app({**scope, USER: user}, receive, send)
        elif wait > 0:  # not even looked at: guessing is no faster for being done at once
            later = (b"retry-after", str(int(wait) + 1).encode())
            await refuse(send, 429, [later], b"Too many wrong passwords came from your address. Wait a little.")
        else:
            if given:
                count = self._failures.add(address)
                log.warning("A sign-in from %s failed (%d in a row).", address or "an unknown address", count)
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            ask = (b"www-authenticate", b'Basic realm="Earmark", charset="UTF-8"')
            await refuse(send, 401, [ask], b"Sign in to use this Earmark.")

    def _giving(self, scope: AsgiScope, user: str, send: Send) -> Send:
        """Give a podcast app the cookie that it shows from then on."""
        secure = scope.get("scheme") == "https"
        header = self._sessions.header(scope.get("path", ""), user, secure) if self._sessions else None
        if header is None:
            return send

        async def giving(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        return giving

    def _who(self, kind: str, what: str) -> str | None:
        """The name of who shows this, None for nobody."""
        if kind.lower() not in ("basic", "bearer"):
            return None
        try:
            if kind.lower() == "bearer":  # programs that know keys only: name:password is one
                name, _, password = what.encode("latin-1").decode("utf-8").partition(":")
            else:
                name, _, password = base64.b64decode(what, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        name = unicodedata.normalize("NFC", name)
        right = _same(password, self._known.get(name, self._token))  # an unknown name takes as long as a wrong password
        return name if right and name in self._known else None


class Failures:
    """Wrong passwords by address: after a few, each one more makes the next wait twice as long."""

    FREE = 5
    """Failures that cost nothing: people mistype."""

    LONGEST = 60.0
    """Seconds that the next try may have to wait at most."""

    FORGOTTEN = 900.0
    """Seconds after the last failure until an address begins anew."""

    _MOST = 10_000  # addresses remembered

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 or less: now."""
        count, at = self._known.get(address, (0, 0.0))
        if count < self.FREE or self._clock() - at > self.FORGOTTEN:
            return 0.0
        return at + min(self.LONGEST, 2.0 ** (count - self.FREE)) - self._clock()

    def add(self, address: str) -> int:
        """Count a failure; returns how many there were in a row."""
        count, at = self._known.pop(address, (0, 0.0))
        count = 1 if self._clock() - at > self.FORGOTTEN else count + 1
        self._known[address] = (count, self._clock())
        while len(self._known) > self._MOST:
            self._known.popitem(last=False)
        return count

    def forget(self, address: str) -> None:
        """Somebody signed in."""
        self._known.pop(address, None)


def _embedded(headers: dict[bytes, str]) -> bool:
    """True when a page of another site makes the browser fetch something for it, and not merely links here."""
    if headers.get(b"sec-fetch-site") not in ("cross-site", "same-site"):
        return False
    return (headers.get(b"sec-fetch-mode"), headers.get(b"sec-fetch-dest")) != ("navigate", "document")


def _foreign(headers: dict[bytes, str]) -> bool:
    """True when a browser says that a page of another site made it ask; programs that are no browsers say nothing.

    Browsers tell the relation where the page is on this machine or comes over https, and else only where they come
    from (``Origin``), which has to be the name under which this server was asked, here or at a proxy before it.
    """
    relation = headers.get(b"sec-fetch-site")
    if relation is not None:
        return relation in ("cross-site", "same-site")
    origin = headers.get(b"origin")
    if origin is None:
        return False
    here = {headers.get(b"host", "").lower(), headers.get(b"x-forwarded-host", "").lower()} - {""}
    return urlsplit(origin).netloc.lower() not in here


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


async def refuse(send: Send, status: int, headers: list[tuple[bytes, bytes]], text: bytes) -> None:
    """Answer a request in a sentence instead of passing it on."""
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *headers]})
    await send({"type": "http.response.body", "body": text})
