# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to the sound of an episode that carry their own permission, for players that cannot sign in.

A link holds when it ends and a keyed digest (HMAC, RFC 2104) of that and the episode, so it opens one episode, for a
while. Where in the episode it begins is not signed: whoever may hear it may hear all of it.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from voice.errors import LibraryError, from_os_error

LINK_LIFETIME = 24 * 3600
"""Seconds that a link opens: long enough for a long episode that is paused overnight."""

PATH_PREFIX = "/media/"
"""Where the links lead."""

_SECRET = 32  # bytes
_PATH = re.compile(rf"{PATH_PREFIX}[^/]{{1,80}}/[^/]{{1,200}}\.m4a")
_KEY = re.compile(r"([0-9a-f]{1,12})-([0-9a-f]{40})")


def is_link(method: str, path: str) -> bool:
    """True for a request of what may be a link: whether it opens anything is looked at where it is answered."""
    return method in ("GET", "HEAD") and _PATH.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """Makes and checks links with a ``secret`` of the data folder."""

    secret: bytes

    @classmethod
    def of(cls, folder: Path) -> "MediaLinks":
        """With the secret of a data folder, which is drawn when there is none yet. Raises LibraryError."""
        path = folder / "media.key"
        try:
            if not path.exists():
                with NamedTemporaryFile(dir=folder, delete=False) as drawn:  # the owner's alone, and there as a whole
                    drawn.write(secrets.token_bytes(_SECRET))
                Path(drawn.name).replace(path)
            secret = path.read_bytes()
        except OSError as error:
            raise from_os_error(error, f"use {path}") from error
        if len(secret) != _SECRET:
            raise LibraryError(f"{path} is damaged.", "Remove it; links that were given away end with it.")
        return cls(secret)

    def path(self, episode_id: str, now: float, start: float = 0.0) -> str:
        """The path of a link that opens until ``now`` (seconds since 1970) + ``LINK_LIFETIME``, from ``start`` on."""
        ends = int(now) + LINK_LIFETIME
        begins = f"?from={start:g}" if start > 0 else ""
        return f"{PATH_PREFIX}{ends:x}-{self._digest(episode_id, ends)}/{quote(episode_id, safe='')}.m4a{begins}"

    def opens(self, key: str, episode_id: str, now: float) -> bool:
        """True when the key of a link is for this episode and has not ended."""
        found = _KEY.fullmatch(key)
        if found is None:
            return False
        ends = int(found[1], 16)
        return hmac.compare_digest(found[2], self._digest(episode_id, ends)) and now < ends

    def _digest(self, episode_id: str, ends: int) -> str:
        return hmac.new(self.secret, f"{ends}\n{episode_id}".encode(), hashlib.sha256).hexdigest()[:40]
