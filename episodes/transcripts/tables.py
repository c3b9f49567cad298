# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts as tables: Whisper's TSV (milliseconds), comma-separated exports, timecodes with frames, LRC lyrics."""

import csv
import io
import re
from collections.abc import Sequence
from statistics import median

from episodes.transcripts.entries import USUAL, Entry
from episodes.transcripts.times import clock_seconds

_START = ("start", "start time", "starttime", "start_time", "begin", "in", "time", "timecode", "timestamp", "from",
          "start (s)", "start_ms", "time in", "timecode in")  # fmt: skip
_END = ("end", "end time", "endtime", "end_time", "out", "to", "stop", "end (s)", "end_ms", "time out", "timecode out")
_TEXT = ("text", "body", "transcript", "content", "sentence", "caption", "words", "subtitle", "dialogue", "utterance")
_SPEAKER = ("speaker", "name", "speaker name", "speaker_name", "who")
_LRC = re.compile(r"((?:\[\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\]\s{0,3}){1,20})(.*)")
_LRC_TAG = re.compile(r"\[(?:ti|ar|al|au|by|re|ve|la|length|offset|#)\s{0,3}:[^\]]{0,200}\]\s*$", re.IGNORECASE)
_LRC_WORD = re.compile(r"<\d{1,3}:\d{2}(?:[.:]\d{1,3})?>\s?")
_FRAMES = re.compile(r"\d{1,2}:\d{2}:\d{2}[:;]\d{2}$")
_WIDE = 100_000  # characters of one field


def read_table(text: str) -> list[Entry]:
    """The entries of a table of lines with times in columns, empty when it is none."""
    delimiter = "\t" if "\t" in text[:4000] else ";" if text[:200].count(";") > text[:200].count(",") else ","
    try:
        csv.field_size_limit(_WIDE)
        lines = io.StringIO(text)
        plain_cells = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        reader = plain_cells if delimiter == "\t" else csv.reader(lines, delimiter=delimiter)
        rows = [row for row in reader if any(row)]
    except csv.Error:
        return []
    if not rows:
        return []
    head = [cell.strip().strip('"').lower() for cell in rows[0]]
    start, said = _column(head, _START), _column(head, _TEXT)
    if start is not None and said is not None:
        return _headed(rows[1:], start, _column(head, _END), said, _column(head, _SPEAKER), "_ms" in head[start])
    return _bare(rows) if delimiter == "\t" else []


def is_lrc(text: str) -> bool:
    """True for lyrics with times: most of their first lines begin with "[00:12.34]" or are tags such as "[ti:…]"."""
    lines = [line.strip() for line in text[:4000].splitlines()[:40] if line.strip()]
    timed = sum(bool(_LRC.match(line)) and ("." in line[:12] or any(map(_LRC_TAG.match, lines))) for line in lines)
    return bool(lines) and timed + sum(bool(_LRC_TAG.match(line)) for line in lines) >= 0.8 * len(lines) and timed > 0


def read_lrc(text: str) -> list[Entry]:
    """The lines of LRC lyrics; each ends where the next begins."""
    timed: list[tuple[float, str]] = []
    shift = 0.0
    for line in text.splitlines():
        bare = line.strip()
        if bare[:8].lower() == "[offset:":
            number = bare[8:].rstrip("]").strip()
            shift = int(number) / 1000 if re.fullmatch(r"[+-]?\d{1,7}", number) else 0.0
        match = _LRC.match(bare)
        if match:
            for stamp in re.findall(r"\[([\d:.]{3,12})\]", match.group(1)):
                fields = stamp.split(":")
                at = clock_seconds(f"{fields[0]}:{fields[1]}.{fields[2]}" if len(fields) == 3 else stamp)
                if at is not None:
                    timed.append((max(0.0, at - shift), _LRC_WORD.sub("", match.group(2))))
    timed.sort(key=lambda row: row[0])
    ends = [start for start, _ in timed[1:]] + [timed[-1][0] + 2 + len(timed[-1][1]) / USUAL] if timed else []
    return [Entry(start, end, (said,)) for (start, said), end in zip(timed, ends, strict=True)]


def _column(head: Sequence[str], names: Sequence[str]) -> int | None:
    return next((head.index(name) for name in names if name in head), None)


def _headed(
    rows: Sequence[Sequence[str]], start: int, end: int | None, said: int, who: int | None, thousandths: bool
) -> list[Entry]:
    columns = (start, end, said, who)
    cells = [[row[one].strip() if one is not None and one < len(row) else "" for one in columns] for row in rows]
    whole = [(int(row[0]), int(row[1])) for row in cells if row[0].isdecimal() and row[1].isdecimal()]
    letters = median([len(row[2]) for row in cells] or [0])
    counted = len(whole) >= 0.9 * len(cells) and bool(whole) and median(b - a for a, b in whole) > max(100, 2 * letters)
    scale = 1000.0 if thousandths or counted else 1.0

    def at(cell: str) -> float | None:
        found = clock_seconds(cell)
        return None if found is None else round(found / scale, 3) if cell.isdecimal() else found

    entries = [Entry(at(row[0]), at(row[1]), (row[2],), row[3]) for row in cells]
    return _ended(entries)


def _bare(rows: Sequence[Sequence[str]]) -> list[Entry]:
    """Tab-separated lines without a head: start, (end,) text; frames are told by their two digits."""
    found: list[Entry] = []
    for row in rows:
        cells = [cell.strip() for cell in row]
        start = clock_seconds(cells[0]) if len(cells) > 1 and len(cells[0]) < 30 else None
        if start is None:
            return [] if len(found) < 2 else _ended(found)
        end = clock_seconds(cells[1]) if len(cells) > 2 and len(cells[1]) < 30 else None
        rest = cells[2:] if end is not None else cells[1:]
        who = rest[0] if len(rest) > 1 and len(rest[0]) < 60 else ""
        found.append(Entry(start, end, (" ".join(rest[1:] if who else rest),), who))
    return _ended(found)


def _ended(entries: Sequence[Entry]) -> list[Entry]:
    """Entries whose missing ends are where the next begins."""
    following = [entry.start for entry in entries[1:]] + [None]
    return [
        entry if entry.end is not None or entry.start is None
        else Entry(entry.start, after if after is not None and after >= entry.start
                   else entry.start + len(entry.text) / USUAL, entry.lines, entry.speaker)
        for entry, after in zip(entries, following, strict=True)
    ]  # fmt: skip
