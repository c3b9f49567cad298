# SPDX-License-Identifier: GPL-3.0-or-later
"""The feeds that are followed: their episodes go into the queue as they appear, each once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from episodes.confined import nobody_asks
from episodes.ingest.submit import enqueue, outdated, same_episode, update_source
from episodes.model import Episode, Source
from episodes.sources.addresses import without_password
from episodes.sources.confined_feeds import read_feed
from episodes.sources.http import Document, Net
from episodes.sources.resolve import NEWEST, Gathered, Selection, moved_to
from episodes.store.library import Library
from voice.errors import EarmarkError, LibraryError
from voice.plain_text import one_line

MOST_NEW = 100
"""So many new episodes of a feed come in at once: one that renews the names of all its items has no more than that."""

_BATCH = 50  # episodes that are put into the queue in one transaction; other processes wait meanwhile


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that is followed. ``match`` is what a new episode's title has to hold; ``seen`` counts the
    episodes that were in it so far."""

    address: str
    title: str
    etag: str = ""
    modified: str = ""
    match: str = ""
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Synced:
    """How one feed was found: its new ``episodes``, which now wait, those ``again`` in work because the feed corrected
    what had failed, or the ``problem``; all empty when unchanged. ``remark`` is what is worth knowing beside."""

    subscription: Subscription
    episodes: tuple[Episode, ...] = ()
    problem: str = ""
    again: tuple[Episode, ...] = ()
    remark: str = ""


def take(
    library: Library, gathered: Gathered, match: str = "", priority: int = 0, check: Callable[[], None] = nobody_asks
) -> list[Episode]:
    """Put all that was gathered into the queue and follow its feeds; returns the episodes, new and known ones.

    Each source is stored as a whole or not at all. ``check`` is called between them, and may break it off. Raises as
    ``enqueue`` does, and what ``check`` raises.
    """
    found: list[Episode] = []
    for source in gathered.sources:
        if not source.is_away:  # its file is read, which takes too long for a transaction of many
            check()
            found.append(enqueue(library, source, priority))
    found += _put(library, [source for source in gathered.sources if source.is_away], priority, check)
    with library.transaction():
        for followed in gathered.feeds:
            if followed.document is not None:
                _store(library, followed.feed.address, followed.feed.title, followed.document, match)
                _see(library, followed.feed.address, (entry.guid for entry in followed.feed.entries))
    return found


def follow(library: Library, address: str) -> None:
    """Follow a feed that nobody has looked at yet: the next ``sync`` takes its newest episodes, as adding it does."""
    with library.transaction():
        library.database.execute(
            "INSERT INTO feeds VALUES (?, ?, '', '', '') ON CONFLICT DO NOTHING", (address, one_line(address))
        )


def subscriptions(library: Library) -> list[Subscription]:
    """The feeds that are followed, by title."""
    with library.database.errors():
        rows = library.database.execute(
            "SELECT address, title, etag, modified, match, (SELECT count(*) FROM seen WHERE feed = address)"
            " FROM feeds ORDER BY lower(title), address"
        ).fetchall()
    return [Subscription(*row) for row in rows]


def find_subscription(library: Library, ref: str) -> Subscription:
    """The followed feed of an address, of a title (in any case) or of a part of one. Raises LibraryError."""
    known = subscriptions(library)
    found = [one for one in known if ref in (one.address, without_password(one.address))]
    found = found or [one for one in known if one.title.casefold() == ref.casefold()]
    found = found or [one for one in known if ref and ref.casefold() in one.title.casefold()]
    if len(found) != 1:
        what = "Several feeds are" if found else "No feed is"
        raise LibraryError(f"{what} called “{ref[:100]}”.", "'earmark feeds' lists them with their addresses.")
    return found[0]


def forget(library: Library, ref: str) -> Subscription:
    """Follow a feed no longer; its episodes stay. Raises LibraryError as ``find_subscription`` does."""
    found = find_subscription(library, ref)
    with library.transaction():
        library.database.execute("DELETE FROM feeds WHERE address = ?", (found.address,))
    return found


def sync(library: Library, subscription: Subscription, net: Net) -> Synced:
    """Look whether a feed has new episodes, and put those into the queue; nothing is sent when nothing changed.

    What cannot be fetched or read is the result's problem: the other feeds go on.
    """
    try:
        sent = net.document(subscription.address, subscription.etag, subscription.modified)
        if sent is None:
            return Synced(subscription)
        feed, sent = moved_to(read_feed(sent.content, sent.base, subscription.address, net.check), sent, net)
    except EarmarkError as error:
        return Synced(subscription, problem=str(error))
    now = replace(subscription, address=sent.address, title=feed.title)
    with library.transaction():
        moved = now.address != subscription.address
        if moved and any(one.address == now.address for one in subscriptions(library)):
            return Synced(subscription, problem=f"It moved to {now.address}, which is followed already.")
        if moved:
            library.database.execute(
                "UPDATE feeds SET address = ? WHERE address = ?", (now.address, subscription.address)
            )
        rows = library.database.execute("SELECT guid FROM seen WHERE feed = ?", (now.address,))
        seen = {guid for (guid,) in rows}
    entries = [replace(entry, feed=now.address) for entry in feed.entries]
    unseen = [entry for entry in entries if entry.guid not in seen]
    new = [entry for entry in unseen if same_episode(library, entry) is None]
    known = {entry.guid for entry in entries} - {entry.guid for entry in new}
    again: list[Episode] = []
    for entry in outdated(library, [entry for entry in entries if entry.guid in known]):
        net.check()
        again += filter(None, [update_source(library, entry)])
    latest = 0 if seen else NEWEST  # of a feed that nobody has looked at yet not all its past
    wanted = Selection(latest, match=subscription.match).of(new)
    added = _put(library, wanted[:MOST_NEW], 0, net.check, now.address)
    with library.transaction():  # last: what is broken off before is looked at again the next time
        _store(library, now.address, now.title, sent, subscription.match)
        _see(library, now.address, (entry.guid for entry in unseen))
    return Synced(now, tuple(added), "", tuple(again), _left_out(len(wanted) - len(added)))


def _left_out(count: int) -> str:
    if count <= 0:
        return ""
    are = "one more episode is" if count == 1 else f"{count:,} more episodes are"
    return f"{are[0].upper()}{are[1:]} new in it and left out; add its address with '--latest 0' for all."


def _put(
    library: Library, sources: Sequence[Source], priority: int, check: Callable[[], None], feed: str = ""
) -> list[Episode]:
    """Put what is to be fetched into the queue, some in a transaction; what is in is seen in its ``feed``."""
    found: list[Episode] = []
    for start in range(0, len(sources), _BATCH):
        check()
        batch = sources[start : start + _BATCH]
        with library.transaction():
            found += [enqueue(library, source, priority) for source in batch]
            if feed:
                _see(library, feed, (source.guid for source in batch))
    return found


def _store(library: Library, address: str, title: str, sent: Document, match: str) -> None:
    library.database.execute(
        "INSERT INTO feeds VALUES (?, ?, ?, ?, ?) ON CONFLICT (address) DO UPDATE SET title = excluded.title,"
        " etag = excluded.etag, modified = excluded.modified, match = excluded.match",
        (address, title, sent.etag, sent.modified, match),
    )


def _see(library: Library, address: str, guids: Iterable[str]) -> None:
    rows = [(address, guid) for guid in guids]
    library.database.executemany("INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
