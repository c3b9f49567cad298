# SPDX-License-Identifier: GPL-3.0-or-later
"""The publisher's chapters where they stand outside the audio: Podcasting 2.0 JSON, and times as feeds write them."""

import json
import re
from collections.abc import Iterable
from typing import Any

from episodes.model import Chapter
from episodes.transcripts.entries import without_markup
from voice.errors import FeedError

_MOST = 10_000  # chapters
_NPT = re.compile(r"\s*(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,7})(\.\d{1,9})?\s*")
_LONGEST = 30 * 24 * 3600.0  # seconds


def seconds(text: object) -> float | None:
    """Seconds of "754", "12:34" or "0:12:34.5" (RFC 2326's normal play time), or of a number; None for others."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    match = _NPT.fullmatch(str(text))
    if not match:
        return None
    hours, minutes, rest, fraction = match.groups()
    found = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(rest) + float(fraction or 0)
    return round(found, 3) if found < _LONGEST else None


def read_chapters(text: str, name: str) -> tuple[Chapter, ...]:
    """The chapters of a Podcasting 2.0 JSON file (those it hides are left out); ``name`` is the file's, for errors.

    https://github.com/Podcastindex-org/podcast-namespace/blob/main/chapters/jsonChapters.md. Raises FeedError.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise FeedError(f"{name} is not a list of chapters: it is not JSON.", "It is left out.") from None
    rows = data.get("chapters") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise FeedError(f"{name} is not a list of chapters: there is no “chapters” in it.", "It is left out.")
    return in_order((row.get("startTime"), row.get("title")) for row in map(_shown, rows[:_MOST]) if row)


def _shown(row: Any) -> dict[str, Any]:
    return row if isinstance(row, dict) and row.get("toc") is not False else {}


def in_order(rows: Iterable[tuple[object, object]]) -> tuple[Chapter, ...]:
    """Chapters from (start, title) as they were given, in order; those without a time are left out, those without a
    title are numbered, and of several with one time the first stays."""
    found: dict[float, str] = {}
    for start, title in rows:
        at = seconds(start)
        if at is not None:
            found.setdefault(at, without_markup(title) if isinstance(title, str) else "")
    return tuple(Chapter(at, found[at] or f"Chapter {number}") for number, at in enumerate(sorted(found), 1))
