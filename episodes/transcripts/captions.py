# SPDX-License-Identifier: GPL-3.0-or-later
"""The caption formats made of text lines: WebVTT, SubRip, YouTube's SubViewer (.sbv), and what recognisers print on a
terminal ("[00:00.000 --> 00:04.000]  text").

They are read by their time lines: whatever stands between two of them is text of the first. Libraries for these forms
(webvtt-py, srt, pysubs2) go by blank lines or by one exact form of the times, and lose text without a word where a
file does not keep to it.
"""

import html
import re
from collections.abc import Sequence

from episodes.transcripts.entries import Entry
from episodes.transcripts.speaker_labels import label
from episodes.transcripts.times import TimeLine, clock_seconds, has_arrow, time_line

_SBV_TIMES = re.compile(r"^[ \t]{0,8}(\d{1,4}:\d[\d:.]{0,16})[ \t]{0,8},[ \t]{0,8}(\d{1,4}:\d[\d:.]{0,16})[ \t]{0,8}$")
_COMMENT = re.compile(r"(?:NOTE|STYLE|REGION|Region)(?:$|[ \t])|Style:$|Region:$|region$")
_MAP = re.compile(r"X-TIMESTAMP-MAP\s*=\s*(.{0,200})")
_GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,40}(?:/[\w-]{1,20})?")
_NAME_WORDS = 4  # of what may name a cue
_DIALOGUE = re.compile(r"[-–—•]\s|[-–][\[(A-Z]|>>")


def read_captions(text: str, vtt: bool) -> list[Entry]:
    """The entries of a WebVTT, SubRip or SubViewer file, in the order of the file.

    Entries whose time line cannot be read have no times; text without a time line belongs to the entry above it.
    """
    lines = text.splitlines()
    times = [time_line(line) or _meant(lines, number) for number, line in enumerate(lines)]
    places = [number for number, found in enumerate(times) if found is not None]
    if not places:
        return []
    counted = sum(number > 0 and _is_count(lines[number - 1]) for number in places) >= 0.5 * len(places)
    identified = vtt and sum(_identifier(lines, number) for number in places) >= 0.5 * len(places)
    entries: list[Entry] = []
    shift, base = 0.0, None
    ahead = lines[: places[0]]
    for place, following in zip(places, [*places[1:], len(lines)], strict=True):
        for moved in filter(None, map(_mapped, ahead)):  # HLS: where each segment stands
            base = moved if base is None else base
            shift = moved - base
        last = _last(lines, place, following, counted, identified, vtt)
        found = times[place] or TimeLine(None, None)
        if found.text:  # a terminal's line; what stands below a blank one is the program's own
            last = next((number for number in range(place + 1, last) if not lines[number].strip()), last)
        said = _without_comments(lines[place + 1 : last], counted, vtt)
        first = (found.text,) if found.text else ()
        entries.append(Entry(_plus(found.start, shift), _plus(found.end, shift), (*first, *said)))
        ahead = lines[place + 1 : following]
    return entries


def is_sbv(begin: str) -> bool:
    """True for the beginning of a SubViewer file: a line with two times and a comma between them."""
    return any(_SBV_TIMES.match(line) for line in begin.splitlines()[:40] if len(line) < 100)


def read_sbv(text: str) -> list[Entry]:
    """The entries of a SubViewer file, which is SubRip without numbers and with a comma for the arrow."""
    lines = [_SBV_TIMES.sub(r"\1 --> \2", line) if len(line) < 100 else line for line in text.splitlines()]
    return read_captions("\n".join(lines), vtt=False)


def _plus(at: float | None, shift: float) -> float | None:
    return None if at is None else round(at + shift, 3)


def _mapped(line: str) -> float | None:
    """Seconds by which an HLS segment's times are behind the programme's (X-TIMESTAMP-MAP), None for other lines."""
    match = _MAP.match(line.strip()) if "TIMESTAMP" in line else None
    if match is None:
        return None
    fields = dict(part.split(":", 1) for part in match.group(1).split(",") if ":" in part)
    fields = {key.strip().upper(): value.strip() for key, value in fields.items()}
    local, clock_ = clock_seconds(fields.get("LOCAL", "0")), fields.get("MPEGTS", "")
    return int(clock_[:15]) / 90_000 - (local or 0.0) if clock_[:15].isdecimal() else None


def _is_count(line: str) -> bool:
    bare = line.strip().lstrip("\ufeff")
    return bare.isdecimal() and len(bare) <= 7


def _identifier(lines: Sequence[str], number: int) -> bool:
    """True when the line above a WebVTT time line may be its cue's name: it stands alone under a blank line."""
    return number > 1 and bool(lines[number - 1].strip()) and not lines[number - 2].strip()


def _last(lines: Sequence[str], place: int, following: int, counted: bool, identified: bool, vtt: bool) -> int:
    """The line before which an entry's text ends: what names or counts the next entry is not its text."""
    if following >= len(lines):
        return following
    above = following - 1
    if above <= place:
        return following
    line = lines[above].strip()
    blank = not lines[above - 1].strip() and above - 1 > place
    if _is_count(line) and (counted or blank):
        return above
    names = " " not in line or (line[-1] not in ".!?,…:;" and len(line.split()) <= _NAME_WORDS)
    if vtt and line and (_GUID.fullmatch(line[:70]) or (blank and (names or identified))):
        return above
    return following


def _without_comments(lines: Sequence[str], counted: bool, vtt: bool) -> list[str]:
    """The text of an entry without the blocks (notes, styles, headers) that stand behind it."""
    kept: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare:
            inside = False
            continue
        opens = number > 0 and not lines[number - 1].strip()
        if vtt and opens and (_COMMENT.match(bare) or bare.startswith(("WEBVTT", "X-TIMESTAMP-MAP"))):
            inside = True
        if vtt and bare.startswith("X-TIMESTAMP-MAP"):
            continue
        alone = number + 1 >= len(lines) or not lines[number + 1].strip()
        if inside or (counted and opens and not alone and _is_count(bare)):
            continue  # a number whose time line is missing
        kept.append(bare.replace("-->", "→"))
    return kept


def _meant(lines: Sequence[str], number: int) -> TimeLine | None:
    """An entry without times for a line with an arrow that stands where times belong and begins like one."""
    line = lines[number]
    if not has_arrow(line) or len(line) > 120 or "-->" not in line:
        return None
    before = [line.strip() for line in lines[max(0, number - 2) : number]]
    leads = not before or not before[-1] or before[-1].isdecimal() or len(before) < 2 or not before[0]
    sides = [side.strip() for side in line.split("-->", 1)]
    comment = bool(before) and before[-1].startswith("NOTE")
    begins = any(side[:1].isdecimal() or side[:2] in {"-0", ":0"} for side in sides if side)
    return TimeLine(clock_seconds(sides[0]), clock_seconds(sides[1])) if leads and begins and not comment else None


def timestamp(seconds: float, point: str = ".") -> str:
    """``HH:MM:SS.mmm``, as both formats write a time."""
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02d}:{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}{point}{total % 1000:03d}"


def escaped(text: str) -> str:
    """Text as markup that ``without_markup`` turns into the same text again."""
    return html.escape(text, quote=False).replace("{\\", "{&#92;").replace("](", "]&#40;")


def as_said(text: str) -> str:
    """Plain text as a WebVTT payload that reads back as the same text, not as markup, a dialogue dash or a speaker."""
    looks = _DIALOGUE.match(text) or ">>" in text or label(text) or time_line(text)
    return f"&#{ord(text[0])};{escaped(text[1:])}" if looks else escaped(text)
