# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds (RSS 2.0 and Atom, with iTunes, Podcasting 2.0 and Podlove elements) and lists of feeds (OPML).

podcastparser reads what every podcast has; it was chosen because it is gPodder's own, kept up, free (ISC), and made for
podcasts. It keeps only one transcript of an item and knows no soundbites, so these newer elements are read beside it
from the same tree. lxml makes that tree and mends what is not well-formed; entities, which bombs are made of, are never
resolved, and nothing outside the file is read.
"""

import html
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.utils import parsedate
from html.entities import html5
from itertools import count
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml import sax

from episodes.model import Link, Soundbite, Source
from episodes.text.html import parse_html, plain_text
from episodes.transcripts.captions import plain
from episodes.transcripts.chapters import in_order, seconds
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
    "www.w3.org/2005/atom": "atom",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
}
_BEST = ("text/vtt", "application/x-subrip", "application/json", "text/html", "text/plain")
_SAME = {"application/srt": "application/x-subrip", "text/srt": "application/x-subrip", "text/x-subrip":
         "application/x-subrip", "application/subrip": "application/x-subrip", "text/json": "application/json",
         "application/xhtml+xml": "text/html", "application/vtt": "text/vtt"}  # fmt: skip
_BY_SUFFIX = {".vtt": "text/vtt", ".srt": "application/x-subrip", ".json": "application/json", ".html": "text/html",
              ".htm": "text/html", ".txt": "text/plain"}  # fmt: skip
_UNKNOWN = frozenset({"", "application/octet-stream", "binary/octet-stream"})  # what servers say when they do not know
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']")
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?\]\]>|&(?:(#\d+|#[xX][0-9a-fA-F]+|amp|lt|gt|quot|apos);|([A-Za-z]\w*);)?", re.DOTALL
)
_LONGEST_NOTES = 20_000  # characters
_LONGEST_TITLE = 500
_AGAIN = "Check that it is a podcast's feed."


@dataclass(frozen=True, slots=True)
class Feed:
    """A podcast as its feed tells of it: ``entries`` are its episodes, the newest first; ``posts`` counts the items
    that have no sound; ``moved`` is the address it says it has now, ``following`` that of its next page (RFC 5005),
    if any."""

    address: str
    title: str
    entries: tuple[Source, ...] = ()
    posts: int = 0
    moved: str = ""
    following: str = ""


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
    root = _tree(content, name)
    handler = _handler(podcastparser, address)
    try:
        # safe for expat: what lxml writes has no entities left, and no document type
        sax.parseString(etree.tostring(root, encoding="utf-8", with_tail=False), handler)  # noqa: S317
    except (sax.SAXException, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        if "Unsupported feed type" in str(error):
            kind = str(root.tag).rpartition("}")[2][:40]
            raise FeedError(f"{name} is XML, but not a podcast's feed (it is “{plain(kind)}”).", _AGAIN) from None
        raise FeedError(f"{name} cannot be read as a feed.", _AGAIN) from error
    data = handler.data
    title = plain(data.get("title") or "")[:_LONGEST_TITLE] or _host(address)
    language = (data.get("language") or "").lower()[:2]
    items = root.findall("channel/item") if root.tag == "rss" else root.findall("{http://www.w3.org/2005/Atom}entry")
    found = []
    for entry in data["episodes"]:
        source = _source(entry, items[entry["item"]], title, address, language, data)
        if source is not None:
            found.append((source.published, entry["published"] or 0, source))
    found.sort(key=lambda row: row[:2], reverse=True)  # stable: without dates the feed's own order stays
    entries = _each_once([source for *_, source in found])
    moved, following = data.get("new_url") or "", data.get("paged_feed_next") or ""
    return Feed(
        address, title, entries, len(items) - len(found),
        moved if _web(moved) and moved != address else "", following if _web(following) else "",
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
    """The feeds of an OPML list, each once. Raises FeedError when there are none."""
    root = _tree(content, name)
    found: dict[str, Outline] = {}
    for element in root.iter("outline"):
        address = (element.get("xmlUrl") or element.get("xmlurl") or element.get("url") or "").strip()
        if _web(address):
            found.setdefault(address, Outline(address, plain(element.get("title") or element.get("text") or "")))
    if not found:
        raise FeedError(f"{name} lists no feeds.", "Export the subscriptions again as OPML.")
    return tuple(found.values())


def kind(content: bytes) -> str:
    """What a document is by its first element: "feed", "opml", "page" (HTML), or "" for something else."""
    head = content[:4000].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\0", b"").lower()
    if not head.startswith(b"<"):
        return ""
    places = {name: head.find(mark) for name, mark in
              (("opml", b"<opml"), ("page", b"<html"), ("page ", b"<!doctype html"), ("feed", b"<rss"),
               ("feed ", b"<feed"), ("feed  ", b"<rdf"))}  # fmt: skip
    first = min((at, name) for name, at in ((name, at if at >= 0 else 1 << 20) for name, at in places.items()))
    if first[0] < 1 << 20:
        return first[1].strip()
    return "feed" if head.startswith(b"<?xml") else ""


def feed_links(content: bytes, base: str) -> tuple[str, ...]:
    """The addresses of the feeds that a web page names (``<link rel="alternate">``), in its order."""
    tree = parse_html(content)
    links = tree.iter("link") if tree is not None else ()
    found = []
    for link in links:
        mime = (link.get("type") or "").partition(";")[0].strip().lower()
        if mime in ("application/rss+xml", "application/atom+xml") and "alternate" in (link.get("rel") or "").lower():
            found.append(_joined(base, link.get("href")))
    return tuple(dict.fromkeys(address for address in found if address))


def _tree(content: bytes, name: str) -> Any:
    """The root element of an XML file, mended where it is not well-formed, without entities."""
    from lxml import etree

    content = _mended(content.strip())
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise FeedError(f"{name} is not XML that can be read.", _AGAIN)
    etree.strip_elements(root, etree.Entity, with_tail=False)
    return root


def _mended(content: bytes) -> bytes:
    """XML with what people write by hand put right: another encoding than it says, a bare "&", HTML's names of
    characters, which XML does not know."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:100]:
        return content  # UTF-16, which nobody writes by hand
    said = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    encoding = said.group(1).decode().lower() if said else "utf-8"
    try:
        text = content.decode("utf-8" if encoding.startswith(("utf-16", "utf-32", "ucs")) else encoding)
    except (ValueError, LookupError):
        text = content.decode("cp1252", "replace")
    text = text.removeprefix("\ufeff")
    if said:
        text = text.replace(said.group(1).decode(), "utf-8", 1)
    return _AMPERSAND.sub(_ampersand, text).encode("utf-8", "replace")


def _ampersand(match: re.Match[str]) -> str:
    """What stands for "&" and a name behind it: what XML knows and what a file defines for itself stay as they are."""
    if match.group(2):
        char = html5.get(f"{match.group(2)};", match.group())
        return html.escape(char) if char != match.group() else char
    return "&amp;" if match.group() == "&" else match.group()


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
            if url and _web(url):
                super().add_enclosure(url, file_size, mime_type)

    return Handler()


def _source(
    entry: dict[str, Any], item: Any, show: str, feed: str, language: str, channel: dict[str, Any]
) -> Source | None:
    """One item of a feed; None when it has no sound."""
    sound = next((one["url"] for one in sorted(entry["enclosures"], key=_film) if _is_sound(one)), "")
    if not sound:
        return None
    marks = list(_elements(item))
    named = dict(reversed(marks))
    art = (entry.get("episode_art_url"), channel.get("cover_url"))
    texts = (plain_text(entry.get(key) or "") for key in ("description_html", "description", "subtitle"))
    title = entry.get("title") or ""
    if "title" not in named and "itunes:title" in named:  # else podcastparser makes one of the file's name
        title = "".join(named["itunes:title"].itertext())
    return Source(
        title=plain(title)[:_LONGEST_TITLE] or "Untitled",
        show=show,
        guests=_guests(element for name, element in marks if name == "podcast:person"),
        published=_date(entry.get("published") or 0) or _written_date(named),
        address=_quoted(sound),
        guid=_guid(_name(named), sound, feed),
        notes=max(texts, key=len)[:_LONGEST_NOTES],
        feed=feed,
        link=entry["link"] if _web(entry.get("link") or "") else "",
        artwork=next((one for one in art if one and _web(one)), ""),
        season=_count(named.get("podcast:season"), entry.get("season")),
        number=_count(named.get("podcast:episode"), entry.get("number")),
        seconds=float(entry.get("total_time") or 0),
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


def _film(enclosure: dict[str, Any]) -> bool:
    return not str(enclosure["mime_type"]).startswith("audio/")


def _is_sound(enclosure: dict[str, Any]) -> bool:
    mime, suffix = str(enclosure["mime_type"]).lower(), _suffix(enclosure["url"])
    named = mime.startswith(("audio/", "video/")) or any(name in mime for name in ("ogg", "mp3", "mpeg", "mp4"))
    return named or suffix in SOUND or (mime in _UNKNOWN and not suffix)


def _suffix(address: str) -> str:
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    name = path.rsplit("/", 1)[-1].lower()
    return name[name.rfind(".") :] if "." in name else ""


def _web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and len(address) <= 4000


def _quoted(address: str) -> str:
    """An address without the blanks that people leave in it."""
    return address.strip().replace(" ", "%20")


def _host(address: str) -> str:
    return urlsplit(address).netloc or "Podcast"


def _address(element: Any, base: str) -> str:
    """The ``url`` of an element as an address of the web, empty when there is none."""
    return _joined(base, element.get("url")) if element is not None else ""


def _joined(base: str, given: str | None) -> str:
    """A link as an address of the web, empty when it is not one."""
    try:
        found = urljoin(base, given.strip()) if given and given.strip() else ""
    except ValueError:
        return ""
    return _quoted(found) if _web(found) else ""


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
    names = [
        plain("".join(one.itertext()))[:200] for one in persons if "guest" in (one.get("role") or "host").lower()
    ]
    return tuple(dict.fromkeys(name for name in names if name))


def _count(element: Any, other: object) -> float:
    """A season's or an episode's number, 0 when it has none."""
    given = seconds("".join(element.itertext()).strip()) if element is not None else None
    return given if given is not None else float(other) if isinstance(other, int) and other > 0 else 0.0


def _date(stamp: float) -> str:
    try:
        return datetime.fromtimestamp(stamp, UTC).date().isoformat() if stamp else ""
    except (OverflowError, OSError, ValueError):
        return ""


def _written_date(named: dict[str, Any]) -> str:
    """A date that is not written as feeds have to: "2024-05-27", "27 May 2024", "May 27, 2024"."""
    element = next((named[name] for name in ("pubDate", "atom:published", "atom:updated") if name in named), None)
    text = " ".join("".join(element.itertext()).split()) if element is not None else ""
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        pass
    swapped = re.sub(r"^([A-Za-z]+) (\d{1,2}),? (\d{4})", r"\2 \1 \3", text)
    found = parsedate(swapped) or parsedate(f"{swapped} 00:00")
    try:
        return date(*found[:3]).isoformat() if found else ""
    except ValueError:
        return ""


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
            yield Soundbite(start, length, plain("".join(element.itertext()))[:_LONGEST_TITLE])
