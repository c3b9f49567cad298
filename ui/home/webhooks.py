# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks: another program is told when an episode is ready, or somebody saved a moment.

They are signed as the Standard Webhooks say (https://www.standardwebhooks.com): ``webhook-signature`` is the
HMAC-SHA256 of id, timestamp and body with the key, so that whoever is told knows who told it, and that it is no old
news.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from episodes.model import Episode
from episodes.store.library import Library
from ui import schemas
from ui.listener_data import ListenerData
from ui.settings import Settings
from voice.errors import SettingsError

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("earmark")

TRIES = 3
"""Times that something is told which was not taken, each at the next step; then it is given up."""

SHORTEST_KEY = 16
"""Bytes of a key, which is written in base64, with or without "whsec_" before it."""

_TIMEOUT = 10.0  # seconds
_MOST = 100  # things that wait to be told


def signing_key(text: str) -> bytes:
    """The bytes of a key. Raises SettingsError for one that is none, or too short."""
    try:
        key = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"webhook is set, and webhook_key is no base64 of {SHORTEST_KEY} bytes or more.",
                            "Make one with: openssl rand -base64 24")
    return key


def signature(key: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` of a message."""
    signed = b".".join((id_.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhooks_of(settings: Settings, library: Library, kept: ListenerData) -> "Webhooks | None":
    """The webhooks that the settings ask for; None for none. Raises SettingsError."""
    address = settings.webhook.strip()
    if not address:
        return None
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", address):
        raise SettingsError("The setting webhook is no address.", 'Write for instance "http://127.0.0.1:1880/earmark".')
    return Webhooks(address, signing_key(settings.webhook_key), library, kept)


class Webhooks:
    """Tells one address what became ready or was saved since it was made. Not for several threads."""

    def __init__(
        self, address: str, key: bytes, library: Library, kept: ListenerData,
        transport: "httpx.BaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address, self._key, self._library = address, key, library
        self._kept, self._transport, self._clock = kept, transport, clock
        self._saved_at = clock()
        self._version = library.version()
        self._waiting: list[tuple[str, bytes, int]] = []  # id, body, times that it was tried

    def step(self) -> None:
        """Tell what is new, and again what was not taken."""
        version = self._library.version()
        if version != self._version:
            ready = self._library.listed(self._library.ready_since(self._version))
            self._waiting += [self._message("episode.ready", _episode(episode)) for episode in ready]
            self._version = version
        for moment in self._kept.saved_after(self._saved_at):
            self._saved_at = moment.at
            self._waiting.append(self._message("moment.saved", asdict(moment)))
        waiting, self._waiting = self._waiting[-_MOST:], []
        for id_, body, tries in waiting:
            if not self._tell(id_, body):
                if tries + 1 < TRIES:
                    self._waiting.append((id_, body, tries + 1))
                else:
                    log.warning("The webhook was not told: %s", body.decode()[:200])

    def _message(self, kind: str, data: dict[str, Any]) -> tuple[str, bytes, int]:
        body = json.dumps({"type": kind, "timestamp": int(self._clock()), "data": data}).encode()
        return f"msg_{uuid4().hex}", body, 0

    def _tell(self, id_: str, body: bytes) -> bool:
        import httpx

        now = int(self._clock())
        headers = {
            "content-type": "application/json", "webhook-id": id_, "webhook-timestamp": str(now),
            "webhook-signature": signature(self._key, id_, now, body),
        }  # fmt: skip
        try:
            with httpx.Client(timeout=_TIMEOUT, transport=self._transport) as client:
                return client.post(self._address, content=body, headers=headers).is_success
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("the webhook does not answer: %s", error or type(error).__name__)
            return False


def _episode(episode: Episode) -> dict[str, Any]:
    """What is told of an episode: nothing that leads to where it came from, which may hold a token."""
    told = schemas.episode_json(episode)
    return {key: told[key] for key in ("id", "title", "show", "published", "seconds")}
