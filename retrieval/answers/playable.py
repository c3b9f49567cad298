# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command means in a library: the latest episode of a show, and where advertising ends."""

import re
from collections.abc import Collection, Sequence
from typing import Protocol

from episodes.model import Episode, Segment, Show
from retrieval.commands.matching import normalized

_ALIKE = 80.0  # percent of letters in their place from which on a name that was heard is the show's
_ADVERTISES = re.compile(
    r"\b(?:ads?|adverts?|advertisements?|advertising|commercials?|sponsors?|sponsored|sponsorship|promo|werbung)\b",
    re.IGNORECASE,
)
_LONGEST_AD = 300.0  # seconds; a longer part of that name is about advertising
_SOON = 120.0  # seconds within which advertising is what somebody wants to skip


class Shows(Protocol):
    """The shows of a library, and what is new in them."""

    def shows(self) -> list[Show]:
        """The shows, by name; "" are the episodes of none."""

    def newest(self, shows: Collection[str] | None = None) -> Episode | None:
        """The newest episode with sound that can be asked, of these shows or of all."""


def latest(library: Shows, show: str = "") -> Episode | None:
    """The newest episode with sound of a show, by its name as it was heard ("": of all); None when there is none."""
    if not show:
        return library.newest()
    names = [one.name for one in library.shows() if _is_called(show, one.name)]
    return library.newest(names) if names else None


def no_such_show(show: str) -> str:
    """What is said when there is none."""
    return f"I found no episode of {show}." if show else "There is no episode with sound to play."


def _is_called(heard: str, show: str) -> bool:
    from rapidfuzz import fuzz

    name, said = _bare(show), _bare(heard)
    return bool(name) and bool(said) and (f" {said} " in f" {name} " or fuzz.ratio(said, name) >= _ALIKE)


def _bare(name: str) -> str:
    return re.sub(r"^(?:the|my) | (?:podcast|show)$", "", normalized(name)).strip()


def after_ads(parts: Sequence[Segment], position: float) -> float | None:
    """Where the advertising ends that plays at ``position``, or begins soon (seconds), as the titles of the parts tell;
    None where they tell of none."""
    end: float | None = None
    for part in parts:
        is_ad = _ADVERTISES.search(part.title) is not None and part.end - part.start <= _LONGEST_AD
        if part.end <= position or (end is None and not is_ad):
            continue
        if not is_ad or (end is None and part.start > position + _SOON):
            break
        end = part.end
    return end
