# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates as feeds write them: RFC 822 as it should be and as it is, ISO 8601, seconds since 1970, and months in the
languages of Europe.

dateutil was tried and guesses where nothing can be told ("Invalid Date 10"); what is not clearly a date is none here.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

_MONTHS = {
    name: number for number, names in enumerate((
        "jan ene gen янв", "feb fev fév fév. febr févr feb. фев", "mar mär mrz maa мар", "apr abr avr апр",
        "may mai mei mag maj мая", "jun giu juin июн", "jul lug juil июл", "aug ago aoû aou авг", "sep set сен",
        "oct okt ott out окт", "nov ноя", "dec dez dic déc дек"), 1) for name in names.split()
}  # fmt: skip
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.)?[ -]{1,3}([^\W\d_]{3,12})\.?,?[ -]{1,3}(\d{4}|\d{2})(?!\d)"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,12})\.?[ ]{1,3}(\d{1,2})(?:st|nd|rd|th)?,?[ ]{1,3}(\d{4})(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?!\d)")
_TIME = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2}))?(?!\d)")
_OFFSET = re.compile(r"(?:GMT|UTC|Z)?\s?([+-])(\d{2}):?(\d{2})(?!\d)")
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2,
          "BST": 1, "AEST": 10, "AEDT": 11}  # fmt: skip
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def parse_date(text: str) -> datetime | None:
    """The moment that a feed's date stands for (UTC where it names no zone), None when it is no date."""
    bare = " ".join(text.split())[:120]
    found = _stamp(bare) or _iso(bare) or _rfc822(bare) or _loose(bare)
    try:
        return found if found is not None and _EARLIEST <= found.astimezone(UTC) <= _LATEST else None
    except (OverflowError, ValueError):
        return None


def _stamp(text: str) -> datetime | None:
    if not re.fullmatch(r"\d{9,10}|\d{12,13}", text):
        return None
    return datetime.fromtimestamp(int(text) / (1 if len(text) < 11 else 1000), UTC)


def _iso(text: str) -> datetime | None:
    if not re.match(r"\d{4}-?\d{2}-?\d{2}", text):
        return None
    for part in (text, text[:19], text[:10]):
        try:
            found = datetime.fromisoformat(part)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _rfc822(text: str) -> datetime | None:
    if not re.search(r"\d{1,2}[ -][A-Za-z]{3}[a-z]*[ -]\d{2,4} \d{1,2}:\d{2}", text):
        return None
    fields = parsedate_tz(text)
    if fields is None:
        return None
    zone = next((_ZONES[name] * 3600 for name in _ZONES if re.search(rf"\b{name}\b", text)), 0)
    try:
        return datetime(*fields[:6], tzinfo=timezone(timedelta(seconds=fields[9] or zone)))
    except (ValueError, TypeError):
        return None


def _loose(text: str) -> datetime | None:
    """A day, a month by its name and a year, wherever they stand; a time only when it is one."""
    day_first, month_first, numbers = _DAY_FIRST.search(text), _MONTH_FIRST.search(text), _NUMBERS.search(text)
    if day_first and (month := _month(day_first.group(2))):
        day, year = int(day_first.group(1)), int(day_first.group(3))
    elif month_first and (month := _month(month_first.group(1))):
        day, year = int(month_first.group(2)), int(month_first.group(3))
    elif numbers:
        year, month, day = (int(one) for one in numbers.groups())
    else:
        return None
    year += 0 if year > 99 else 2000 if year < 70 else 1900
    time, offset = _TIME.search(text), _OFFSET.search(text)
    hour, minute, second = (int(one or 0) for one in time.groups()) if time else (0, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        hour = minute = second = 0
    zone = timedelta()
    if offset:
        zone = timedelta(hours=int(offset.group(2)), minutes=int(offset.group(3))) * (
            -1 if offset.group(1) == "-" else 1
        )
    else:
        zone = timedelta(hours=next((_ZONES[name] for name in _ZONES if re.search(rf"\b{name}\b", text)), 0))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(zone))
    except ValueError:
        return None


def _month(name: str) -> int:
    low = name.lower()
    return next((_MONTHS[low[:length]] for length in (4, 3) if low[:length] in _MONTHS), 0)
