# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookies of podcast apps: some sign in once, and show what they were given then.

They open the addresses of podcast apps only. A page of another site could make a browser send one, but no browser is
given any: who signs in by a login of gpodder.net is an app.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from time import time

SESSION_LIFETIME = 24 * 3600
"""Seconds that a cookie is good for."""

COOKIE = "sessionid"

_OPENS = re.compile(r"/(api/2/|subscriptions/|index\.php/apps/gpoddersync/).{0,4000}")
_COOKIE = re.compile(rf"(?:^|;)\s*{COOKIE}=([\w=-]{{1,400}})\.([0-9a-f]{{1,12}})\.([0-9a-f]{{64}})\s*(?:;|$)")


class Sessions:
    """Makes cookies and knows its own again; a restart ends them all."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._secret, self._clock = secrets.token_bytes(32), clock

    def header(self, path: str, name: str, secure: bool) -> tuple[bytes, bytes] | None:
        """The header that gives a cookie to an app that signed in by ``name``; None where it would open nothing."""
        if not _OPENS.fullmatch(path):
            return None
        how = f"Path=/; Max-Age={SESSION_LIFETIME}; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"
        return b"set-cookie", f"{COOKIE}={self.cookie(name)}; {how}".encode()

    def cookie(self, name: str) -> str:
        """What shows that somebody signed in by ``name``."""
        ends = int(self._clock()) + SESSION_LIFETIME
        who = urlsafe_b64encode(name.encode()).decode()
        return f"{who}.{ends:x}.{self._digest(who, ends)}"

    def user(self, path: str, cookies: str) -> str | None:
        """Who shows these cookies, where they open anything; None for nobody."""
        found = _COOKIE.search(cookies)
        if found is None or not _OPENS.fullmatch(path):
            return None
        ends = int(found[2], 16)
        if not hmac.compare_digest(found[3], self._digest(found[1], ends)) or self._clock() >= ends:
            return None
        return urlsafe_b64decode(found[1]).decode()

    def _digest(self, who: str, ends: int) -> str:
        return hmac.new(self._secret, f"{ends}\n{who}".encode(), hashlib.sha256).hexdigest()
