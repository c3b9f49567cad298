# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a listener may have, turned into sources: a file, a folder, a recording's address, a feed, a list of
feeds, or a page that names its feed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from episodes.model import Link, Source
from episodes.sources.addresses import as_web, without_password, without_scheme
from episodes.sources.confined_feeds import feed_links, read_feed, read_opml
from episodes.sources.feed import Feed, is_login, kind
from episodes.sources.fetcher import title_from_address
from episodes.sources.files import is_sound_name, local_source
from episodes.sources.http import Document, Net, is_address
from episodes.transcripts.confined_transcripts import read_transcript
from episodes.transcripts.html_and_text import is_timed
from episodes.transcripts.reader import PROSE, SUFFIXES
from voice.errors import EarmarkError, FeedError, LibraryError, from_os_error

NEWEST = 3
"""So many episodes of a feed are taken in when nobody says which."""

_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"
_COMPANIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".heic", ".nfo", ".cue", ".log", ".db",
                         ".ini", ".url", ".part", ".ytdl", ".tmp", ".temp", ".description"})  # fmt: skip
_HEAD = 24_000  # bytes of a file that tell what it is
_LOOKED_AT = 200_000  # characters of a text in which a time is looked for
_LARGEST = 64_000_000  # bytes of a feed on this machine
_MOST_TRIED = 3  # feeds that a page names and that are tried
_MOST_PAGES = 100  # of a feed that goes on on another page
_MOST_FEEDS = 500  # of a list
_MOST_EPISODES = 5_000  # of a feed, at once


@dataclass(frozen=True, slots=True)
class Selection:
    """Which episodes of a feed are wanted: the ``latest`` so many (None: as many as fit the rest, 0: all), published
    not before ``since`` (an ISO date), with ``match`` in their title, in any case."""

    latest: int | None = None
    since: str = ""
    match: str = ""

    def of(self, entries: Iterable[Source]) -> tuple[Source, ...]:
        """The chosen ones of a feed's episodes, which come newest first; one without a date counts as being as old as
        the one before it."""
        fit, published = [], ""
        for one in entries:
            published = one.published or published
            young = not self.since or not published or published >= self.since
            if young and self.match.casefold() in one.title.casefold():
                fit.append(one)
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


def gather(ref: str, net: Net, choice: Selection = Selection()) -> Gathered:
    """Find out what ``ref`` (a path or an address) is, and what there is to take in.

    Nothing but documents is fetched: recordings wait until they are worked on. Raises DownloadError, FeedError,
    AudioError, TranscriptError or LibraryError when there is nothing to take in at all.
    """
    if choice.since:
        _check_date(choice.since)
    ref = as_web(ref)
    if not ref:
        raise LibraryError("There is nothing to add: the name is empty.", "Give a file, a folder or an address.")
    if ref.lower().rstrip("/") in ("http:", "https:"):
        raise LibraryError(
            f"“{ref}” is only the beginning of an address.", "Give all of it: https://example.org/feed.xml."
        )
    path = Path(ref).expanduser().absolute()  # what works on it later may stand in another folder
    if is_address(ref):
        found = _from_address(ref, net, choice)
    elif path.is_dir():
        found = _from_folder(path, net, choice)
    elif not path.exists() and without_scheme(ref):
        raise LibraryError(f"There is no file {path}, and an address of the web begins with https://.",
                           f"If that is what is meant, give https://{ref}.")  # fmt: skip
    else:
        found = _from_file(path, net, choice)
    if not found.sources and found.problems and not found.feeds:
        raise LibraryError(
            f"Nothing in {without_password(ref)} could be taken in: {found.problems[0]}",
            f"{len(found.problems) - 1} more were not taken." if len(found.problems) > 1 else "",
        )
    return found


def _check_date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise LibraryError(f"“{text[:40]}” is not a date.", "Write it as 2024-05-31.") from None


def _from_file(path: Path, net: Net, choice: Selection) -> Gathered:
    what = ""
    if path.is_file():
        try:
            with path.open("rb") as file:
                what = kind(file.read(_HEAD))
                if what in ("feed", "opml", "json feed"):
                    content = file.read(_LARGEST)
                    content = path.read_bytes() if len(content) < _LARGEST else b""
        except OSError as error:
            raise from_os_error(error, f"read {path}") from error
    if what in ("feed", "json feed"):
        return _of_feed(read_feed(content, "", path.name, net.check), None, net, choice)
    if what == "opml":
        return _from_opml(content, path.name, net, choice)
    return Gathered((local_source(path),))


def _from_folder(folder: Path, net: Net, choice: Selection) -> Gathered:
    """Every recording in a folder and below, each with what lies beside it, the transcripts that lie alone, and what
    the feeds and lists of feeds directly in it stand for."""
    sources: list[Source] = []
    feeds: list[Followed] = []
    problems: list[str] = []
    left_out: list[str] = []
    beside: set[Path] = set()
    recordings: list[Path] = []
    texts: list[Path] = []
    for path in _files(folder):
        if not _inside(path, folder):
            left_out.append(f"{path.name} was left out: it is a link to a file outside {folder}; add that by its name.")
            continue
        (recordings if is_sound_name(path) else texts).append(path)
    for path in recordings:
        net.check()
        try:
            source = local_source(path)
        except EarmarkError as error:
            problems.append(str(error))
            continue
        if source.transcript and not _inside(source.transcript, folder):
            source = replace(source, transcript=None)
        sources.append(source)
        beside |= {source.transcript} if source.transcript else set()
    stems = {(path.parent, path.stem) for path in recordings}
    ranked = [path for suffix in (*SUFFIXES, *PROSE) for path in texts if path.suffix.lower() == suffix]
    for path in ranked:
        if path in beside or _belongs(path, stems):
            continue
        if path.suffix.lower() in PROSE and not _with_times(path):
            left_out.append(f"{path.name} was left out: it is a text without times.")
            continue
        try:
            read_transcript(path, check=net.check)
            sources.append(local_source(path))
            stems.add((path.parent, path.stem))  # the same talk in a second format is not another one
        except EarmarkError as error:
            if path.suffix.lower() == ".json":  # often something else, settings for instance
                left_out.append(f"{path.name} was left out: it is JSON, but no transcript.")
            else:
                problems.append(str(error))
    for path in texts:
        if path.suffix.lower() in (*SUFFIXES, *PROSE):
            continue
        what = _list_or_feed(path)
        if what and path.parent == folder:
            try:
                inside = _from_file(path, net, choice)
            except EarmarkError as error:
                problems.append(str(error))
                continue
            sources += inside.sources
            feeds += inside.feeds
            problems += inside.problems
        elif what:
            left_out.append(f"{path.name} was left out: it is a {what}. Add it by itself.")
        elif path.suffix.lower() not in _COMPANIONS:
            left_out.append(f"{path.name} was left out: it is neither audio nor a transcript.")
    if not sources and not problems:
        raise LibraryError(f"There is neither audio nor a transcript in {folder}.",
                           left_out[0] if left_out else "Give another folder.")  # fmt: skip
    return Gathered(tuple(sources), tuple(feeds), (*problems, *left_out))


def _belongs(path: Path, stems: set[tuple[Path, str]]) -> bool:
    """True for a text that belongs to a recording (or transcript) that was found: another language, form or list."""
    name = path.name
    while "." in name:
        name = name.rpartition(".")[0]
        if (path.parent, name) in stems:
            return True
    return False


def _with_times(path: Path) -> bool:
    try:
        return is_timed(path.read_text("utf-8", "replace")[:_LOOKED_AT])
    except OSError:
        return False


def _list_or_feed(path: Path) -> str:
    """“list of feeds” or “feed” when a file is one, else empty."""
    try:
        with path.open("rb") as file:
            return {"opml": "list of feeds", "feed": "feed"}.get(kind(file.read(_HEAD)), "")
    except OSError:
        return ""


def _inside(path: Path, folder: Path) -> bool:
    """False for a link that leads out of the folder."""
    return path.resolve().is_relative_to(folder.resolve())


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


def _from_address(address: str, net: Net, choice: Selection, lists: bool = True) -> Gathered:
    """What an address sends; ``lists`` allows what names other addresses: once, else two could go round for ever."""
    sent = _document(address, net)
    if sent.media:
        return Gathered((Source(title_from_address(address), address=address, guid=address),))
    shown = without_password(address)
    what = kind(sent.content)
    if what in ("feed", "json feed"):
        feed, sent = moved_to(read_feed(sent.content, sent.base, shown, net.check), sent, net)
        return _of_feed(feed, sent, net, choice)
    if what == "opml" and lists:
        return _from_opml(sent.content, shown, net, choice)
    begin = sent.content.lstrip(b"\xef\xbb\xbf \r\n")[:400]
    if begin.startswith(b"WEBVTT") or b"-->" in begin or (begin[:1] == b"{" and b"segments" in sent.content[:4000]):
        return Gathered((Source(title_from_address(address), guid=address, transcripts=(Link(address, sent.type),)),))
    if what == "page" and lists:
        return _from_page(sent, address, net, choice)
    if sent.content.lstrip()[:7] == b"#EXTM3U" or "mpegurl" in sent.type:
        raise FeedError(
            f"{shown} is a playlist (HLS), which is not supported yet.", "Give the address of an audio file."
        )
    raise FeedError(f"{shown} is neither a recording nor a feed.", "Give the address of a feed or of an audio file.")


def _from_page(sent: Document, address: str, net: Net, choice: Selection) -> Gathered:
    links = feed_links(sent.content, without_password(sent.base), net.check)
    address = without_password(address)
    if not links and is_login(sent.content):
        raise FeedError(f"{address} is a page to log in, not a feed.",
                        "Use the private address that its makers gave you, or log in there and copy it.")  # fmt: skip
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


def _from_opml(content: bytes, name: str, net: Net, choice: Selection) -> Gathered:
    """The feeds of a list, one after another; one that cannot be had is a problem, and the others go on."""
    sources: list[Source] = []
    feeds: list[Followed] = []
    problems: list[str] = []
    outlines = read_opml(content, name, net.check)
    if len(outlines) > _MOST_FEEDS:
        problems.append(f"{name} lists {len(outlines):,} feeds, of which the first {_MOST_FEEDS} were looked at: divide"
                        " it for the others.")  # fmt: skip
    for outline in outlines[:_MOST_FEEDS]:
        net.check()
        if not outline.address:
            problems.append(f"{outline.title or 'An entry without a name'}: it names no address of a feed.")
            continue
        try:
            found = _from_address(outline.address, net, choice, lists=False)
        except EarmarkError as error:
            problems.append(f"{outline.title or without_password(outline.address)}: {error}")
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
        found = read_feed(there.content, there.base, feed.moved, net.check)
    except EarmarkError:
        return feed, sent
    return (found, there) if found.entries else (feed, sent)


def _of_feed(feed: Feed, sent: Document | None, net: Net, choice: Selection) -> Gathered:
    feed, problem = _with_older(feed, net, choice)
    if sent is not None:  # what is followed is the address that was asked for, or where it moved for good
        entries = tuple(replace(entry, feed=sent.address) for entry in feed.entries)
        feed = replace(feed, address=sent.address, entries=entries)
    if not feed.entries:
        if feed.playlists:
            raise FeedError(f"The episodes of “{feed.title}” are playlists (HLS), which are not supported yet.",
                            "Look for a feed with audio files.")  # fmt: skip
        raise FeedError(f"“{feed.title}” has no episodes with sound.", "Check that it is a podcast's feed.")
    chosen = choice.of(feed.entries)
    problems = [problem] if problem else []
    if len(chosen) > _MOST_EPISODES:
        problems.append(f"“{feed.title}” has {len(chosen):,} episodes, of which the newest {_MOST_EPISODES:,} were put"
                        " in the queue: that is as many as one feed may bring at once.")  # fmt: skip
        chosen = chosen[:_MOST_EPISODES]
    if feed.playlists:
        many = "An episode" if feed.playlists == 1 else f"{feed.playlists} episodes"
        problems.append(f"{many} of “{feed.title}” {'is' if feed.playlists == 1 else 'are'} left out: a playlist (HLS)"
                        " is not supported yet.")  # fmt: skip
    return Gathered(chosen, (Followed(feed, chosen, sent),), tuple(problems))


def _with_older(feed: Feed, net: Net, choice: Selection) -> tuple[Feed, str]:
    """A feed with the episodes of its further pages, as far as the choice reaches, and what kept it from them."""
    entries = {entry.guid: entry for entry in feed.entries}
    following, known = feed.following, {feed.address}
    while following not in ("", *known) and len(known) <= _MOST_PAGES and not choice.settled([*entries.values()]):
        known.add(following)
        try:
            sent = _document(following, net)
            page = read_feed(sent.content, sent.base, following, net.check)
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
