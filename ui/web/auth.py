# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may come in: names and passwords for a server that others can reach, and nothing for pages of other sites.

HTTP's own sign-in (RFC 7617) covers the page, the sound, the JSON door and Gradio's API alike, and every browser and
program can do it. A program of the same person on the same machine shows the token that stands in ``server.json``.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from voice.errors import SettingsError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

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
        found[name] = password
    return found


class Walls:
    """ASGI middleware: tells browsers that nothing on the page may come from, or go to, anywhere but this server."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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

    def __init__(self, app: App, known: dict[str, str], token: str) -> None:
        self.app = app
        self._known = known
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changes and _foreign(headers):
            await _refuse(send, 403, [], b"This came from a page of another site.")
        elif not self._known:
            await self.app(scope, receive, send)
        elif (user := self._who(headers.get(b"authorization", ""))) is not None:
            await self.app({**scope, USER: user}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            ask = (b"www-authenticate", b'Basic realm="Earmark", charset="UTF-8"')
            await _refuse(send, 401, [ask], b"Sign in to use this Earmark.")

    def _who(self, given: str) -> str | None:
        """The name of who shows this; "" for the owner's own programs, None for nobody."""
        kind, _, what = given.partition(" ")
        if kind.lower() == "bearer" and _same(what, self._token):
            return ""
        if kind.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(what, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        right = _same(password, self._known.get(name, self._token))  # an unknown name takes as long as a wrong password
        return name if right and name in self._known else None


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


async def _refuse(send: Send, status: int, headers: list[tuple[bytes, bytes]], text: bytes) -> None:
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *headers]})
    await send({"type": "http.response.body", "body": text})
