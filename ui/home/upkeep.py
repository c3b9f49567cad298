# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens by itself: feeds are looked at for what is new, and episodes that were heard go after a while."""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from episodes.ingest.subscriptions import Subscription, subscriptions, sync
from ui.positions import Listened, PlaybackPositions
from ui.settings import Settings, net_of
from ui.shows import ShowSettingsStore
from voice.errors import EarmarkError, SettingsError

if TYPE_CHECKING:
    from episodes.model import Episode
    from episodes.sources.http import Net
    from episodes.store.library import Library
    from ui.home.webhooks import Webhooks

log = logging.getLogger("earmark")

JITTER = 0.1
"""Part of an interval by which it varies, so that not everybody asks at once."""

SOON = 300.0
"""Seconds after a start within which feeds are looked at for the first time."""

RETENTION_EVERY = 3600.0
"""Seconds between two looks for what may go."""

_STEP = 30.0  # seconds between two looks at the clock
_HEARD = 0.9  # of an episode: so much of it is all of it
_REST = 60.0  # seconds before its end that nobody plays
_UNITS = {"min": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86_400.0, "day": 86_400.0, "w": 604_800.0, "week": 604_800.0}
_SPAN = re.compile(r"(?P<number>\d{1,4}(?:\.\d{1,3})?) ?(?P<unit>min|h|hour|d|day|w|week)(?:s|utes?)?")
_HOURS = re.compile(r"(\d{1,2})(?::00)? ?- ?(\d{1,2})(?::00)?")


def seconds_of(key: str, text: str) -> float | None:
    """The seconds of a setting such as "6h", "45 min" or "30 days"; None for an empty one. Raises SettingsError."""
    if not text.strip():
        return None
    found = _SPAN.fullmatch(text.strip().lower())
    seconds = float(found["number"]) * _UNITS[found["unit"]] if found else 0.0
    if seconds < 60.0:
        raise SettingsError(f"The setting {key} is {text!r}.", "Write for instance 45 min, 6h or 30 days.")
    return seconds


def hours_of(text: str) -> tuple[int, int] | None:
    """The hours of "23-7": from the first on and before the second; None for an empty text. Raises SettingsError."""
    if not text.strip():
        return None
    found = _HOURS.fullmatch(text.strip())
    if found is None or max(int(found[1]), int(found[2])) > 24:
        raise SettingsError(f"The setting quiet_hours is {text!r}.", "Write for instance 23-7.")
    return int(found[1]), int(found[2])


def is_quiet(hours: tuple[int, int] | None, hour: int) -> bool:
    """True in the quiet hours, also where they go over midnight."""
    if hours is None:
        return False
    begin, end = hours
    return begin <= hour < end if begin <= end else hour >= begin or hour < end


def is_heard(seconds: float, listened: Listened) -> bool:
    """True when a listener is done with an episode of so many seconds."""
    heard = sum(end - start for start, end in listened.heard)
    return seconds > 0 and (heard >= _HEARD * seconds or listened.position >= max(_HEARD * seconds, seconds - _REST))


def expired(
    episodes: Iterable["Episode"], listened: Mapping[str, Sequence[Listened]], saved: Collection[str],
    fed: Callable[[str], bool], keep: float, now: float,
) -> list[str]:
    """The ids of episodes that may go: of a feed (``fed``), not ``saved``, heard by all who began them (``listened``,
    by the episode's id), the last of them ``keep`` seconds ago."""
    found = []
    for episode in episodes:
        if not episode.ready or episode.id in saved:
            continue
        told = listened.get(episode.id)
        done = told and all(is_heard(episode.seconds, one) for one in told) and now - max(one.at for one in told) > keep
        if done and fed(episode.id):
            found.append(episode.id)
    return found


class KeptLibrary(Protocol):
    """What is kept up: ``ui.companion.Companion``."""

    settings: Settings
    library: "Library"

    def remove(self, episode_id: str) -> None:
        """See ``Companion.remove``."""
        ...


class Upkeep:
    """Looks after the feeds and episodes of one library, in a thread of its own, from ``start`` to ``close``.

    ``saved`` are the ids of episodes that somebody marked something in; ``webhooks`` are told what became ready.
    Raises SettingsError for spans that are none.
    """

    def __init__(
        self, shelf: KeptLibrary, listeners: PlaybackPositions, saved: Callable[[], Collection[str]] = tuple,
        webhooks: "Webhooks | None" = None, clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        settings = shelf.settings
        self._interval = seconds_of("sync", settings.sync)
        self._keep = seconds_of("keep", settings.keep)
        self._quiet = hours_of(settings.quiet_hours)
        self._shelf, self._listeners, self._saved = shelf, listeners, saved
        self._clock, self._chance, self._webhooks = clock, chance, webhooks
        self._shows = ShowSettingsStore.of(shelf.library)
        self._due: dict[str, float] = {}  # when a feed is looked at next, in seconds since 1970
        self._retention_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="earmark-upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, also in the middle of a look at a feed."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(20)

    def step(self) -> None:
        """Do what is due."""
        now = self._clock()
        if not is_quiet(self._quiet, time.localtime(now).tm_hour):
            net = net_of(self._shelf.settings).until(self._stopping.is_set)
            for one in subscriptions(self._shelf.library):
                if self._stopping.is_set():
                    return
                if self._is_due(one, now) and self._shows.get(one.title).add:
                    self._look(one, net)
        if self._keep is not None and now >= self._retention_at:
            self._retention_at = now + RETENTION_EVERY
            self._retain(self._keep, now)
        if self._webhooks is not None:
            self._webhooks.step()

    def _is_due(self, one: Subscription, now: float) -> bool:
        """Whether to look at a feed, and when the next time is: at once where nobody has looked at it yet."""
        due = self._due.get(one.address)
        if due is None:
            fresh = not one.seen and not one.etag and not one.modified
            wait = 0.0 if fresh else min(SOON, self._interval or 0.0) * self._chance()
            due = float("inf") if self._interval is None and not fresh else now + wait
            self._due[one.address] = due
        if now < due:
            return False
        varied = 1.0 + JITTER * (2 * self._chance() - 1)
        self._due[one.address] = float("inf") if self._interval is None else now + self._interval * varied
        return True

    def _look(self, one: Subscription, net: "Net") -> None:
        found = sync(self._shelf.library, one, net)
        if found.problem:
            log.warning("%s: %s", one.title, found.problem)
        elif found.episodes:
            self._shows.tell_languages(self._shelf.library, found.episodes)
            log.info("%s: %d new", found.subscription.title, len(found.episodes))

    def _retain(self, keep: float, now: float) -> None:
        library = self._shelf.library

        def fed(episode_id: str) -> bool:
            return bool(library.source(episode_id).feed)

        for gone in expired(library.walk(), self._listeners.everybody(), self._saved(), fed, keep, now):
            log.info("%s was heard and goes, as keep says.", gone)
            self._shelf.remove(gone)

    def _run(self) -> None:
        while not self._stopping.wait(_STEP):
            try:
                self.step()
            except EarmarkError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("the upkeep failed, and goes on")
