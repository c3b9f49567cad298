# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds (RSS 2.0 and Atom, with iTunes, Podcasting 2.0 and Podlove elements) and lists of feeds (OPML).

podcastparser reads what every podcast has; it was chosen because it is gPodder's own, kept up, free (ISC), and made for
podcasts. It keeps only one transcript of an item and knows no soundbites, so these newer elements are read beside it
from the same tree. lxml makes that tree and mends what is not well-formed; entities, which bombs are made of, are never
resolved, and nothing outside the file is read.
"""

import logging
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from xml import sax

from episodes.model import Link, Soundbite, Source
from episodes.sources.addresses import as_web, is_web, joined, without_password
from episodes.sources.dates import parse_date
from episodes.sources.xml_mending import parse_xml
from episodes.text.html import parse_html, plain_text
from episodes.transcripts.chapters import in_order, seconds
from episodes.transcripts.entries import without_markup
from voice.errors import FeedError

SOUND = frozenset({
    ".mp3", ".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wma", ".webm",
    ".mkv", ".avi", ".aif", ".aiff", ".mka", ".mpga", ".amr", ".ac3",
})  # fmt: skip
"""File name endings of sound and film."""

_SPACES = {
    "podcastindex.org/namespace/1.0": "podcast",
    "github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
    "podlove.org/simple-chapters": "psc",
    "purl.org/dc/elements/1.1": "dc",
    "www.w3.org/2005/atom": "atom",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
}
_PLAYLISTS = frozenset({".m3u8", ".m3u", ".pls"})
_FILM = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm"})
_BEST = ("text/vtt", "application/x-subrip", "application/json", "text/html", "text/plain")
_SAME = {"application/srt": "application/x-subrip", "text/srt": "application/x-subrip", "text/x-subrip":
         "application/x-subrip", "application/subrip": "application/x-subrip", "text/json": "application/json",
         "application/xhtml+xml": "text/html", "application/vtt": "text/vtt"}  # fmt: skip
_BY_SUFFIX = {".vtt": "text/vtt", ".srt": "application/x-subrip", ".json": "application/json", ".html": "text/html",
              ".htm": "text/html", ".txt": "text/plain"}  # fmt: skip
_UNKNOWN = frozenset({"", "application/octet-stream", "binary/octet-stream"})  # what servers say when they do not know
_UNITS = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s{0,3}(hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b[\s,]{0,3}")
_LONGEST_NOTES = 20_000  # characters
_LONGEST_TITLE = 500
_AGAIN = "Check that it is a podcast's feed."


@dataclass(frozen=True, slots=True)
class Feed:
    """A podcast as its feed tells of it: ``entries`` are its episodes, the newest first; ``posts`` counts the items
    that have no sound, ``playlists`` those of them that have only a playlist (HLS);
    ``moved`` is the address it says it has now, ``following`` that of its next page (RFC 5005), if any."""

    address: str
    title: str
    entries: tuple[Source, ...] = ()
    posts: int = 0
    moved: str = ""
    following: str = ""
    playlists: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """One line of a list of feeds (OPML)."""

    address: str
    title: str = ""


def read_feed(content: bytes, address: str, name: str) -> Feed:
    """Read an RSS or Atom feed; ``address`` is where it came from (empty for a file), ``name`` is for errors.

    Items without sound are counted and left out. Raises FeedError with one sentence when it is not a feed.
    """
    import podcastparser
    from lxml import etree

    logging.getLogger("podcastparser").setLevel(logging.CRITICAL)  # what is wrong with a feed helps nobody here
    if kind(content) == "json feed":
        raise FeedError(f"{name} is a JSON Feed, a form that cannot be read yet.", "Give the address of its RSS feed.")
    root = parse_xml(content, name, _AGAIN)
    handler = _handler(podcastparser, without_password(address))
    try:
        # safe for expat: what lxml writes has no entities left, and no document type
        sax.parseString(etree.tostring(root, encoding="utf-8", with_tail=False), handler)  # noqa: S317
    except (sax.SAXException, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        if "Unsupported feed type" in str(error):
            element = str(root.tag).rpartition("}")[2][:40]
            what = f"{name} is XML, but not a podcast's feed (it is “{without_markup(element)}”)."
            raise FeedError(what, _AGAIN) from None
        raise FeedError(f"{name} cannot be read as a feed.", _AGAIN) from error
    data = handler.data
    title = without_markup(data.get("title") or "")[:_LONGEST_TITLE] or _host(address)
    language = (data.get("language") or "").lower()[:2]
    items = root.findall("channel/item") if root.tag == "rss" else root.findall("{http://www.w3.org/2005/Atom}entry")
    found: list[tuple[float, Source]] = []
    playlists = 0
    for entry in sorted(data["episodes"], key=lambda entry: entry["item"]):
        item = items[entry["item"]]
        marks = list(_elements(item))
        at = _published(dict(reversed(marks)), entry.get("published"))
        source = _source(entry, item, marks, at, title, address, language, data)
        if source is None:
            playlists += _is_playlist(entry)
            continue
        # one without a date stays where it stands in the feed, behind the one before it
        found.append((at.timestamp() if at else found[-1][0] if found else math.inf, source))
    found.sort(key=lambda row: row[0], reverse=True)  # stable: without dates the feed's own order stays
    entries = _each_once([source for *_, source in found])
    moved, following = data.get("new_url") or "", data.get("paged_feed_next") or ""
    return Feed(
        address, title, entries, len(items) - len(found),
        moved if is_web(moved) and moved != address else "", following if is_web(following) else "", playlists,
    )  # fmt: skip


def _each_once(found: list[Source]) -> tuple[Source, ...]:
    """The episodes, each under a name of its own: some feeds give several recordings one GUID, of which the oldest
    keeps it."""
    named: dict[str, Source] = {}
    for source in reversed(found):
        known = named.get(source.guid)
        if known is not None and known.address != source.address and known.title != source.title:
            source = replace(source, guid=f"{source.guid} {source.address}")
        named[source.guid] = source
    return tuple(named.values())[::-1]


def read_opml(content: bytes, name: str) -> tuple[Outline, ...]:
    """The feeds of an OPML list, each once; an entry that names no address of the web has an empty one.

    Raises FeedError when there are none.
    """
    root = parse_xml(content, name, _AGAIN)
    found: list[Outline] = []
    known: set[str] = set()
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag.rpartition("}")[2].lower() != "outline":
            continue
        given = {key.lower(): value.strip() for key, value in element.attrib.items()}
        address = as_web(given.get("xmlurl") or given.get("url") or "")
        title = without_markup(given.get("title") or given.get("text") or "")
        if not address and len(element):
            continue  # a folder
        if address not in known or not address:
            found.append(Outline(_quoted(address) if is_web(address) else "", title or address))
        known.add(address)
    if not any(outline.address for outline in found):
        raise FeedError(f"{name} lists no feeds.", "Export the subscriptions again as OPML.")
    return tuple(found)


def kind(content: bytes) -> str:
    """What a document is by its first element: "feed", "opml", "page" (HTML), or "" for something else."""
    head = content[:24_000].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\0", b"").lower()
    if b"jsonfeed.org/version" in head[:600] and head.startswith(b"{"):
        return "json feed"
    if not head.startswith(b"<") and not any(mark in head[:4000] for mark in (b"<?xml", b"<rss", b"<feed")):
        return ""
    places = {name: head.find(mark) for name, mark in
              (("opml", b"<opml"), ("page", b"<html"), ("page ", b"<!doctype html"), ("feed", b"<rss"),
               ("feed ", b"<feed"), ("feed  ", b"<rdf"))}  # fmt: skip
    first = min((at, name) for name, at in ((name, at if at >= 0 else 1 << 20) for name, at in places.items()))
    if first[0] < 1 << 20:
        return first[1].strip()
    return "feed" if head.startswith(b"<?xml") else ""


def is_login(content: bytes) -> bool:
    """True for a page that asks for a password."""
    head = content[:200_000].lower()
    return b'type="password"' in head or b"type=password" in head or b"type='password'" in head


def feed_links(content: bytes, base: str) -> tuple[str, ...]:
    """The addresses of the feeds that a web page names (``<link rel="alternate">``), in its order."""
    tree = parse_html(content)
    links = tree.iter("link") if tree is not None else ()
    found = []
    for link in links:
        mime = (link.get("type") or "").partition(";")[0].strip().lower()
        if mime in ("application/rss+xml", "application/atom+xml") and "alternate" in (link.get("rel") or "").lower():
            found.append(joined(base, link.get("href")))
    return tuple(dict.fromkeys(address for address in found if address))


def _handler(podcastparser: Any, address: str) -> Any:
    """podcastparser's handler, that remembers which item each episode came from and passes over unusable addresses."""

    class Handler(podcastparser.PodcastHandler):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(address, 0)
            self.numbers = count()

        def add_episode(self) -> None:
            super().add_episode()
            self.episodes[-1]["item"] = next(self.numbers)

        def add_enclosure(self, url: str | None, file_size: int, mime_type: str) -> None:
            whole = joined(address, url)
            if whole:
                super().add_enclosure(whole, file_size, mime_type)

    return Handler()


def _source(
    entry: dict[str, Any], item: Any, marks: Sequence[tuple[str, Any]], published: datetime | None, show: str,
    feed: str, language: str, channel: dict[str, Any],
) -> Source | None:
    """One item of a feed, with its elements by name (``marks``); None when it has no sound."""
    given = sorted([*entry["enclosures"], *_alternates(item, feed)], key=_film)  # stable: the feed's own choice first
    sound = next((one["url"] for one in given if _is_sound(one)), "")
    if not sound:
        return None
    named = dict(reversed(marks))
    art = (entry.get("episode_art_url"), channel.get("cover_url"))
    texts = (plain_text(entry.get(key) or "", links=True) for key in ("description_html", "description", "subtitle"))
    title = entry.get("title") or ""
    if "title" not in named and "itunes:title" in named:  # else podcastparser makes one of the file's name
        title = "".join(named["itunes:title"].itertext())
    return Source(
        title=without_markup(title)[:_LONGEST_TITLE] or "Untitled",
        show=show,
        guests=_guests(element for name, element in marks if name == "podcast:person"),
        published=published.astimezone(UTC).date().isoformat() if published else "",
        address=_quoted(sound),
        guid=_guid(_name(named), sound, feed),
        notes=max(texts, key=len)[:_LONGEST_NOTES],
        feed=feed,
        link=entry["link"] if is_web(entry.get("link") or "") else "",
        artwork=next((one for one in art if one and is_web(one)), ""),
        season=_count(named.get("podcast:season"), entry.get("season")),
        number=_count(named.get("podcast:episode"), entry.get("number")),
        seconds=_duration(named.get("itunes:duration"), entry.get("total_time")),
        chapters=in_order((one.get("start"), one.get("title")) for name, one in marks if name == "psc:chapter"),
        chapters_address=_address(named.get("podcast:chapters"), feed),
        transcripts=_transcripts((one for name, one in marks if name == "podcast:transcript"), feed, language),
        soundbites=tuple(_soundbites(one for name, one in marks if name == "podcast:soundbite")),
    )


def _elements(item: Any) -> Iterator[tuple[str, Any]]:
    """(name, element) of everything in an item, namespaces as their usual prefixes."""
    for element in item.iterdescendants():
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag.startswith("{"):
            space, _, tag = tag[1:].partition("}")
            known = _SPACES.get(space.lower().partition("://")[2].rstrip("/"))
            tag = f"{known}:{tag}" if known else ""
        yield tag, element


def _alternates(item: Any, feed: str) -> Iterator[dict[str, Any]]:
    """The other files of an item (Podcasting 2.0's alternateEnclosure), the default one first."""
    found = [element for name, element in _elements(item) if name == "podcast:alternateEnclosure"]
    for element in sorted(found, key=lambda one: (one.get("default") or "").lower() != "true"):
        for name, source in _elements(element):
            address = joined(feed, source.get("uri") or source.get("url")) if name == "podcast:source" else ""
            if address:
                yield {"url": address, "mime_type": source.get("contentType") or element.get("type") or ""}


def _is_playlist(entry: dict[str, Any]) -> bool:
    """True for an item whose only sound is a playlist of pieces (HLS)."""
    return any(
        _suffix(one["url"]) in _PLAYLISTS or "mpegurl" in str(one["mime_type"]).lower() for one in entry["enclosures"]
    )


def _film(enclosure: dict[str, Any]) -> bool:
    mime = str(enclosure["mime_type"]).lower()
    return mime.startswith("video/") or (not mime.startswith("audio/") and _suffix(enclosure["url"]) in _FILM)


def _is_sound(enclosure: dict[str, Any]) -> bool:
    mime, suffix = str(enclosure["mime_type"]).lower(), _suffix(enclosure["url"])
    if suffix in _PLAYLISTS or "mpegurl" in mime:
        return False
    named = mime.startswith(("audio/", "video/")) or any(name in mime for name in ("ogg", "mp3", "mpeg", "mp4"))
    return named or suffix in SOUND or (mime in _UNKNOWN and not suffix)


def _suffix(address: str) -> str:
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    name = path.rsplit("/", 1)[-1].lower()
    return name[name.rfind(".") :] if "." in name else ""


def _quoted(address: str) -> str:
    """An address without the blanks that people leave in it."""
    return address.strip().replace(" ", "%20")


def _host(address: str) -> str:
    return urlsplit(without_password(address)).netloc or "Podcast"


def _address(element: Any, base: str) -> str:
    """The ``url`` of an element as an address of the web, empty when there is none."""
    return joined(base, element.get("url")) if element is not None else ""


def _name(named: dict[str, Any]) -> str:
    """An item's GUID as it is written: made into an address, as podcastparser does, it changed when the feed moves."""
    element = named.get("guid", named.get("atom:id"))
    return "".join(element.itertext()) if element is not None else ""


def _guid(guid: str, sound: str, feed: str) -> str:
    """What names an episode for good: its GUID, made unique with the feed's address when it is as short as "12"."""
    guid = " ".join(guid.split()) or sound
    return guid if len(guid) >= 12 else f"{feed} {guid}"


def _guests(persons: Iterable[Any]) -> tuple[str, ...]:
    """The names of those who are neither hosts nor makers."""
    guests = [one for one in persons if "guest" in (one.get("role") or "host").lower()]
    names = [without_markup("".join(one.itertext()))[:200] for one in guests]
    return tuple(dict.fromkeys(name for name in names if name))


def _duration(element: Any, other: object) -> float:
    """An episode's length in seconds from "1:02:03", "3723", "1h 2m 3s" or "12 min"; 0 when it has none."""
    text = "".join(element.itertext()).strip().lower()[:40] if element is not None else ""
    units = _UNITS.findall(text)
    if units and _UNITS.sub("", text).strip() == "":
        return sum(float(number) * {"h": 3600, "m": 60, "s": 1}[unit[0]] for number, unit in units)
    return max(0.0, seconds(text) or (float(other) if isinstance(other, int | float) else 0.0))


def _count(element: Any, other: object) -> float:
    """A season's or an episode's number, 0 when it has none."""
    given = seconds("".join(element.itertext()).strip()) if element is not None else None
    return given if given is not None else float(other) if isinstance(other, int) and other > 0 else 0.0


def _published(named: dict[str, Any], stamp: object) -> datetime | None:
    """When an item was published, as it says, else as podcastparser understood it (seconds since 1970)."""
    texts = (
        "".join(named[name].itertext())
        for name in ("pubDate", "atom:published", "dc:date", "atom:updated")
        if name in named
    )
    found = next(filter(None, map(parse_date, texts)), None)
    return found or (parse_date(str(stamp)) if isinstance(stamp, int) and stamp else None)


def _transcripts(elements: Iterable[Any], base: str, language: str) -> tuple[Link, ...]:
    """The transcripts an item names, the best first: in the show's language, then by what their format can say."""
    found = []
    for element in elements:
        address = _address(element, base)
        given = (element.get("type") or "").partition(";")[0].strip().lower()
        mime = _SAME.get(given, given)
        mime = mime if mime in _BEST else _BY_SUFFIX.get(_suffix(address), mime)
        if address:
            found.append(Link(address, mime, (element.get("language") or "").strip().lower()[:35]))
    return tuple(sorted(dict.fromkeys(found), key=lambda link: (
        bool(language and link.language and link.language[:2] != language),
        _BEST.index(link.type) if link.type in _BEST else len(_BEST),
    )))  # fmt: skip


def _soundbites(elements: Iterable[Any]) -> Iterator[Soundbite]:
    for element in elements:
        start, length = seconds(element.get("startTime")), seconds(element.get("duration"))
        if start is not None and length:
            yield Soundbite(start, length, without_markup("".join(element.itertext()))[:_LONGEST_TITLE])
