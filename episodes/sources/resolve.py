# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a listener may have, turned into sources: a file, a folder, a recording's address, a feed, a list of
feeds, or a page that names its feed."""

import mimetypes
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from episodes.model import Link, Source
from episodes.sources.download import title_of
from episodes.sources.feed import SOUND, Feed, feed_links, kind, read_feed, read_opml
from episodes.sources.files import local_source
from episodes.sources.http import Document, Net, is_address
from episodes.transcripts.reader import SUFFIXES, read_transcript
from voice.errors import EarmarkError, FeedError, LibraryError, from_os_error

NEWEST = 3
"""So many episodes of a feed are taken in when nobody says which."""

_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"
_FEED = re.compile(r"(?:feed|podcast|pcast|itpc):(?://|(?=https?://))", re.IGNORECASE)  # how apps write an address
_LARGEST = 64_000_000  # bytes of a feed on this machine
_MOST_TRIED = 3  # feeds that a page names and that are tried
_MOST_PAGES = 100  # of a feed that goes on on another page


@dataclass(frozen=True, slots=True)
class Choice:
    """Which episodes of a feed are wanted: the ``latest`` so many (None: as many as fit the rest, 0: all), published
    not before ``since`` (an ISO date), with ``match`` in their title, in any case."""

    latest: int | None = None
    since: str = ""
    match: str = ""

    def of(self, entries: Iterable[Source]) -> tuple[Source, ...]:
        """The chosen ones of a feed's episodes, which come newest first."""
        fit = [one for one in entries
               if self.match.casefold() in one.title.casefold() and (not self.since or one.published >= self.since)]
        return tuple(fit[: self._count] if self._count else fit)

    def settled(self, entries: Sequence[Source]) -> bool:
        """True when older episodes than these, which come newest first, would change nothing."""
        enough = bool(self._count) and len(self.of(entries)) >= self._count
        return enough or (bool(self.since) and any(one.published and one.published < self.since for one in entries))

    @property
    def _count(self) -> int:
        return self.latest if self.latest is not None else 0 if self.since or self.match else NEWEST


@dataclass(frozen=True, slots=True)
class Followed:
    """A feed as it was found, with what was ``chosen`` of it and the ``document`` it came in (None for a file)."""

    feed: Feed
    chosen: tuple[Source, ...]
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one reference stands for: ``sources`` to take in (the feeds' among them), the ``feeds`` they came from, and
    ``problems``, a sentence each, with what could not be taken."""

    sources: tuple[Source, ...]
    feeds: tuple[Followed, ...] = ()
    problems: tuple[str, ...] = ()


def gather(ref: str, net: Net, choice: Choice = Choice()) -> Gathered:
    """Find out what ``ref`` (a path or an address) is, and what there is to take in.

    Nothing but documents is fetched: recordings wait until they are worked on. Raises DownloadError, FeedError,
    AudioError, TranscriptError or LibraryError when there is nothing to take in at all.
    """
    if choice.since:
        _check_date(choice.since)
    if app := _FEED.match(ref):
        ref = ("https://" if app.group().endswith("/") else "") + ref[app.end() :]
    if is_address(ref):
        found = _from_address(ref, net, choice)
    elif Path(ref).is_dir():
        found = _from_folder(Path(ref))
    else:
        found = _from_file(Path(ref), net, choice)
    if not found.sources and found.problems and not found.feeds:
        raise LibraryError(f"Nothing in {ref} could be taken in: {found.problems[0]}",
                           f"{len(found.problems) - 1} more were not taken." if len(found.problems) > 1 else "")
    return found


def _check_date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise LibraryError(f"“{text[:40]}” is not a date.", "Write it as 2024-05-31.") from None


def _from_file(path: Path, net: Net, choice: Choice) -> Gathered:
    what = ""
    if path.is_file():
        try:
            with path.open("rb") as file:
                what = kind(file.read(4000))
                if what in ("feed", "opml"):
                    content = file.read(_LARGEST)
                    content = path.read_bytes() if len(content) < _LARGEST else b""
        except OSError as error:
            raise from_os_error(error, f"read {path}") from error
    if what == "feed":
        return _of_feed(read_feed(content, "", path.name), None, net, choice)
    if what == "opml":
        return _from_opml(content, path.name, net, choice)
    return Gathered((local_source(path),))


def _from_folder(folder: Path) -> Gathered:
    """Every recording in a folder and below, each with what lies beside it, and the transcripts that lie alone."""
    sources: list[Source] = []
    problems: list[str] = []
    beside: set[Path] = set()
    recordings: list[Path] = []
    texts: list[Path] = []
    for path in _files(folder):
        (recordings if _is_sound(path) else texts).append(path)
    for path in recordings:
        try:
            source = local_source(path)
        except EarmarkError as error:
            problems.append(str(error))
            continue
        sources.append(source)
        beside |= {source.transcript} if source.transcript else set()
    stems = {(path.parent, path.stem) for path in recordings}
    texts = [path for suffix in SUFFIXES for path in texts if path.suffix.lower() == suffix]
    for path in texts:
        if path in beside or (path.parent, path.name.split(".")[0]) in stems or (path.parent, path.stem) in stems:
            continue
        try:
            read_transcript(path)
            sources.append(local_source(path))
            stems.add((path.parent, path.stem))  # the same talk in a second format is not another one
        except EarmarkError as error:
            if path.suffix.lower() != ".json":  # JSON is often something else, chapters for instance
                problems.append(str(error))
    if not sources and not problems:
        raise LibraryError(f"There is neither audio nor a transcript in {folder}.", "Give another folder.")
    return Gathered(tuple(sources), problems=tuple(problems))


def _files(folder: Path) -> Iterator[Path]:
    """The files in a folder and below, in order, hidden ones left out; links to folders are not followed."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise from_os_error(error, f"read {folder}") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        elif entry.is_file():
            yield entry


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in SOUND or (mimetypes.guess_type(path.name)[0] or "").startswith(("audio/", "video/"))


def _from_address(address: str, net: Net, choice: Choice, lists: bool = True) -> Gathered:
    """What an address sends; ``lists`` allows what names other addresses: once, else two could go round for ever."""
    sent = _document(address, net)
    if sent.media:
        return Gathered((Source(title_of(address), address=address, guid=address),))
    what = kind(sent.content)
    if what == "feed":
        feed, sent = moved_to(read_feed(sent.content, sent.base, address), sent, net)
        return _of_feed(feed, sent, net, choice)
    if what == "opml" and lists:
        return _from_opml(sent.content, address, net, choice)
    begin = sent.content.lstrip(b"\xef\xbb\xbf \r\n")[:400]
    if begin.startswith(b"WEBVTT") or b"-->" in begin or (begin[:1] == b"{" and b"segments" in sent.content[:4000]):
        return Gathered((Source(title_of(address), guid=address, transcripts=(Link(address, sent.type),)),))
    if what == "page" and lists:
        return _from_page(sent, address, net, choice)
    raise FeedError(f"{address} is neither a recording nor a feed.", "Give the address of a feed or of an audio file.")


def _from_page(sent: Document, address: str, net: Net, choice: Choice) -> Gathered:
    links = feed_links(sent.content, sent.base)
    if not links:
        raise FeedError(f"The page {address} names no feed.", "Look for its RSS address and give that.")
    problem: EarmarkError | None = None
    for link in links[:_MOST_TRIED]:
        try:
            found = _from_address(link, net, choice, lists=False)
        except EarmarkError as error:
            problem = problem or error
            continue
        if found.sources or not problem:
            return found
    raise problem or FeedError(f"The page {address} names no feed.", "Look for its RSS address and give that.")


def _from_opml(content: bytes, name: str, net: Net, choice: Choice) -> Gathered:
    """The feeds of a list, one after another; one that cannot be had is a problem, and the others go on."""
    sources: list[Source] = []
    feeds: list[Followed] = []
    problems: list[str] = []
    for outline in read_opml(content, name):
        try:
            found = _from_address(outline.address, net, choice, lists=False)
        except EarmarkError as error:
            problems.append(f"{outline.title or outline.address}: {error}")
            continue
        sources += found.sources
        feeds += found.feeds
        problems += found.problems
    return Gathered(tuple(sources), tuple(feeds), tuple(problems))


def moved_to(feed: Feed, sent: Document, net: Net) -> tuple[Feed, Document]:
    """The feed at the address it says it has now; as it is when there is none there."""
    if feed.moved in ("", sent.address):
        return feed, sent
    try:
        there = _document(feed.moved, net)
        found = read_feed(there.content, there.base, feed.moved)
    except EarmarkError:
        return feed, sent
    return (found, there) if found.entries else (feed, sent)


def _of_feed(feed: Feed, sent: Document | None, net: Net, choice: Choice) -> Gathered:
    feed, problem = _with_older(feed, net, choice)
    if sent is not None:  # what is followed is the address that was asked for, or where it moved for good
        entries = tuple(replace(entry, feed=sent.address) for entry in feed.entries)
        feed = replace(feed, address=sent.address, entries=entries)
    if not feed.entries:
        raise FeedError(f"“{feed.title}” has no episodes with sound.", "Check that it is a podcast's feed.")
    chosen = choice.of(feed.entries)
    return Gathered(chosen, (Followed(feed, chosen, sent),), (problem,) if problem else ())


def _with_older(feed: Feed, net: Net, choice: Choice) -> tuple[Feed, str]:
    """A feed with the episodes of its further pages, as far as the choice reaches, and what kept it from them."""
    entries = {entry.guid: entry for entry in feed.entries}
    following, known = feed.following, {feed.address}
    while following not in ("", *known) and len(known) <= _MOST_PAGES and not choice.settled([*entries.values()]):
        known.add(following)
        try:
            sent = _document(following, net)
            page = read_feed(sent.content, sent.base, following)
        except EarmarkError as error:
            return replace(feed, entries=tuple(entries.values())), f"Older episodes of “{feed.title}”: {error}"
        for entry in page.entries:
            entries.setdefault(entry.guid, entry)
        following = page.following
    return replace(feed, entries=tuple(entries.values())), ""


def _document(address: str, net: Net) -> Document:
    sent = net.document(address, accept=_ACCEPT)
    if sent is None:  # cannot be: nothing was said to be known
        raise FeedError(f"{address} sent nothing.", "Try again later.")
    return sent
