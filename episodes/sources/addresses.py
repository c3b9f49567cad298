# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the web as people, apps and feeds write them, and the passwords some of them carry."""

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

_APP = re.compile(r"(?:feed|podcast|pcast|itpc|rss):(?://|(?=https?://))", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE)
_LONGEST = 4000  # characters


def as_web(text: str) -> str:
    """An address as apps hand it on ("feed://…", "pcast://…", "feed:https://…") as one of the web; others stay."""
    bare = text.strip()
    app = _APP.match(bare)
    if not app:
        return bare
    rest = bare[app.end() :]
    if rest.lower().startswith(("http://", "https://")):
        return rest
    host = rest.partition("/")[0]
    return f"{'http' if ':' in host else 'https'}://{rest}"  # a port of one's own is rarely one with a certificate


def is_web(address: str) -> bool:
    """True for a complete address that begins with http:// or https://."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(address) <= _LONGEST


def without_scheme(text: str) -> bool:
    """True for what looks like an address that lacks its https:// ("example.org/feed.xml")."""
    return bool(_HOST.match(text.strip()[:300]))


def joined(base: str, given: str | None) -> str:
    """A link on ``base`` as an address of the web, without blanks and without ``base``'s password; empty when it is
    none."""
    try:
        found = urljoin(base, given.strip()) if given and given.strip() else ""
    except ValueError:
        return ""
    if not is_web(found):
        return ""
    if not (given or "").strip().lower().startswith(("http:", "https:")):
        found = without_password(found)
    return found.strip().replace(" ", "%20")


def without_password(address: str) -> str:
    """An address as it may be shown: without user name and password."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    if "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_password(address: str, feed: str) -> str:
    """An address with the user name and password of its ``feed``, when both are on the same host; else as it is."""
    try:
        own, theirs = urlsplit(address), urlsplit(feed)
        same = (own.scheme, own.hostname, own.port) == (theirs.scheme, theirs.hostname, theirs.port)
    except ValueError:
        return address
    if not same or "@" not in theirs.netloc or "@" in own.netloc:
        return address
    return urlunsplit(own._replace(netloc=f"{theirs.netloc.rpartition('@')[0]}@{own.netloc}"))


def file_of(address: str) -> str:
    """What an address names, without what changes from day to day (its query) and without how it is asked for."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return f"{(parts.hostname or '').lower()}{parts.path}"
