# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as caption files and transcripts write them, good and bad, in seconds.

One tolerant reader for all forms: "1:02.5", "00:01:02,500", "00: 01: 02,500", "00.01.02.500", "00:01:02:500",
"00:01:02:12" (frames), "62.5", "62.5s". Every pattern is bounded, and lines are cut before they are looked at.
"""

import re
from dataclasses import dataclass

FRAMES = 25.0
"""Frames a second of a timecode that does not say (SMPTE's are 24 to 30)."""

_LINE = 300  # characters of a line in which two times are looked for
_TIME = r"-?[ \t]{0,3}\d{1,6}(?:[ \t]{0,2}[:.,;][ \t]{0,2}\d{1,9}){0,4}(?:[ \t]?s(?![a-z]))?"
_ARROW = r"(?:[-–—=−]{1,3}[ \t]?>|[→⇒➔➜⟶])"
_PAIR = re.compile(rf"[ \t]{{0,20}}([\[(]?)({_TIME})[ \t]{{0,20}}{_ARROW}[ \t]{{0,20}}({_TIME})")
_ARROWED = re.compile(_ARROW)
_FIELD = re.compile(r"([:.,;]?)[ \t]{0,2}(\d{1,9})")
_INVISIBLE = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_MARKS: dict[int, str | None] = {**dict.fromkeys(map(ord, _INVISIBLE)), 0xA0: " "}


@dataclass(frozen=True, slots=True)
class TimeLine:
    """A line that says when something is said: ``start`` and ``end`` in seconds, None where it cannot be told;
    ``text`` is what stands behind them on the same line."""

    start: float | None
    end: float | None
    text: str = ""


def time_line(line: str) -> TimeLine | None:
    """The two times of a line with an arrow between them, None for any other line."""
    head = line[:_LINE].translate(_MARKS)
    if not _ARROWED.search(head):
        return None
    match = _PAIR.match(head)
    if match is None:
        return None
    rest = line.translate(_MARKS)[match.end() :]
    closed = bool(match.group(1)) and rest.lstrip()[:1] in ("]", ")")
    if match.group(1) and not closed:
        return None
    if not closed and "-->" not in head and ":" not in match.group(2):
        return None  # "0 => 1" is a text
    if not closed and rest[:1] and not rest[:1].isspace():
        return TimeLine(None, None)  # "00:00:1d.890": meant as a time
    return TimeLine(
        clock_seconds(match.group(2)), clock_seconds(match.group(3)), rest.lstrip()[1:].strip() if closed else ""
    )


def has_arrow(line: str) -> bool:
    """True for a line that holds one of the arrows that stand between two times."""
    return bool(_ARROWED.search(line[:_LINE]))


def clock_seconds(text: str) -> float | None:
    """Seconds of a time in any of the forms above (below zero with a "-" in front), None when it is none."""
    bare = text.translate(_MARKS).strip().rstrip("s").rstrip()
    sign = -1.0 if bare[:1] == "-" else 1.0
    bare = bare.lstrip("- \t")
    if len(bare) > 60:
        return None
    fields = _FIELD.findall(bare)
    if not fields or fields[0][0] or "".join("".join(field) for field in fields) != "".join(bare.split()):
        return None
    numbers, marks = [digits for _, digits in fields], [mark for mark, _ in fields[1:]]
    fraction = _fraction(numbers, marks)
    whole = numbers if fraction is None else numbers[:-1]
    if len(whole) > 3 or any(int(one) > 99 for one in whole[2:]) or (len(whole) == 3 and int(whole[1]) > 99):
        return None
    found = 0.0
    for one in whole:
        found = found * 60 + int(one)
    return round(sign * (found + (fraction or 0.0)), 3)


def _fraction(numbers: list[str], marks: list[str]) -> float | None:
    """What the last number adds when it counts parts of a second, None when it counts seconds."""
    if not marks:
        return None
    last, mark = numbers[-1], marks[-1]
    if len(numbers) == 4 and mark == ":":
        return float(f"0.{last}") if len(last) == 3 else min(int(last) / FRAMES, 0.999)
    if len(numbers) == 3 and set(marks) == {":"}:
        return float(f"0.{last}") if len(last) == 3 else None
    if mark == ":":
        return None
    if len(numbers) == 3 and len(set(marks)) == 1 and len(last) != 3:
        return None  # 00.01.02
    return float(f"0.{last}")
