# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds, lists of feeds, pages and chapters read in a process that can be ended: what all of the program but the
readers' own tests calls."""

from collections.abc import Callable

from episodes import confined
from episodes.model import Chapter
from episodes.sources import feed
from episodes.sources.feed import Feed, Outline
from episodes.transcripts import chapters
from voice.errors import EarmarkError, FeedError

Check = Callable[[], None]


def read_feed(content: bytes, address: str, name: str, check: Check = confined.nobody_asks) -> Feed:
    """``feed.read_feed`` in a process of its own. Raises FeedError also when it takes far too long, and whatever
    ``check``, which is called meanwhile, raises."""
    return confined.call(feed.read_feed, content, address, name, size=len(content), over=_over(name), check=check)


def read_opml(content: bytes, name: str, check: Check = confined.nobody_asks) -> tuple[Outline, ...]:
    """``feed.read_opml`` in a process of its own; raises as ``read_feed`` does."""
    return confined.call(feed.read_opml, content, name, size=len(content), over=_over(name), check=check)


def feed_links(content: bytes, address: str, check: Check = confined.nobody_asks) -> tuple[str, ...]:
    """``feed.feed_links`` in a process of its own; raises as ``read_feed`` does."""
    over = _over(address or "The page")
    return confined.call(feed.feed_links, content, address, size=len(content), over=over, check=check)


def read_chapters(text: str, name: str, check: Check = confined.nobody_asks) -> tuple[Chapter, ...]:
    """``chapters.read_chapters`` in a process of its own; raises as ``read_feed`` does."""
    return confined.call(chapters.read_chapters, text, name, size=len(text), over=_over(name), check=check)


def _over(name: str) -> EarmarkError:
    problem = "it needs far more time or memory than its size allows, or makes no sense"
    return FeedError(f"{name} cannot be read: {problem}.", "Check that it is a podcast's feed.")
