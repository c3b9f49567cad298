# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rows of a JSON transcript hold, under whatever keys: text, times in seconds, speaker, words."""

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from episodes.transcripts.entries import USUAL, Entry, without_markup
from episodes.transcripts.times import clock_seconds
from voice.model import Word

_SLOWEST = 0.1  # characters for a unit of time; with fewer the unit is not the second
_TEXTS = ("body", "text", "utf8", "content", "transcript", "sentence", "line", "caption", "words_text")
_STARTS = ("startTime", "start", "begin", "from", "start_time", "startTimeMs", "start_ms", "startMs", "tStartMs", "ts",
           "start_offset", "startSeconds", "offset", "time", "begin_time", "startOffset", "timestamp")  # fmt: skip
_ENDS = ("endTime", "end", "to", "end_time", "endTimeMs", "end_ms", "endMs", "end_ts", "end_offset", "endSeconds",
         "stop", "endOffset")  # fmt: skip
_LENGTHS = ("duration", "dur", "dDurationMs", "duration_ms", "durationMs")
_SPEAKERS = ("speaker", "speakerName", "speaker_name", "speaker_label", "speakerLabel", "speaker_id", "speakerId",
             "name", "author", "channel_tag", "speakerTag", "voice")  # fmt: skip
_MS_KEYS = frozenset({"startTimeMs", "start_ms", "startMs", "tStartMs", "endTimeMs", "end_ms", "endMs", "dDurationMs",
                      "duration_ms", "durationMs"})  # fmt: skip


def row_like(rows: list[Any]) -> bool:
    """True for a list whose elements have a text and a time (some of them at least)."""
    sample = rows[:50]
    good = sum(
        isinstance(one, dict) and row_text(one) is not None and _edge(one, _STARTS) is not None for one in sample
    )
    return good >= max(1, 0.3 * len(sample))


def row_text(row: dict[str, Any]) -> str | None:
    """What is said in a row, None where it has no text."""
    for key in (*_TEXTS, "punctuated_word", "word"):
        if isinstance(row.get(key), str):
            return str(row[key])
    return None


def _edge(row: dict[str, Any], keys: Sequence[str]) -> Any:
    """The first of these keys' values, a pair's part where the form writes both in one."""
    for key in keys:
        value = row.get(key)
        if value is not None and not isinstance(value, bool):
            return value
    return None


def _pair(row: dict[str, Any]) -> tuple[Any, Any]:
    """Start and end as they are written, with the keys that count in milliseconds turned into seconds."""
    both = row.get("timestamp", row.get("timestamps", row.get("offsets")))
    if isinstance(both, list) and len(both) == 2:
        return both[0], both[1]
    if isinstance(both, dict):
        return both.get("from"), both.get("to")
    start, end, length = (_scaled(row, keys) for keys in (_STARTS, _ENDS, _LENGTHS))
    if end is None and length is not None:
        first, more = number(start), number(length)
        end = first + more if first is not None and more is not None else None
    return start, end


def _scaled(row: dict[str, Any], keys: Sequence[str]) -> Any:
    for key in keys:
        value = row.get(key)
        if value is not None and not isinstance(value, bool):
            found = number(value) if key in _MS_KEYS else None
            return found / 1000 if found is not None else value
    return None


def number(value: object) -> float | None:
    """A time in seconds from a number or a text ("4.8", "4.8s", "00:01:04.800"), None when it is none."""
    if isinstance(value, dict):  # protobuf's durations: {"seconds": "4", "nanos": 800000000}
        whole, nanos = number(value.get("seconds", 0)), number(value.get("nanos", 0))
        return None if whole is None or nanos is None else whole + nanos / 1e9
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = clock_seconds(value) if isinstance(value, str) and ":" in value else float(str(value)[:40].rstrip("s "))
    except (ValueError, OverflowError):
        return None
    return round(found, 3) if found is not None and math.isfinite(found) else None


def segments(rows: Sequence[dict[str, Any]]) -> Iterator[Entry]:
    """The entries of rows that are segments; a missing end is the next one's start, or what its words take."""
    scale = _scale(rows)
    for place, row in enumerate(rows):
        body = row_text(row)
        if body is None:
            body = " ".join(str(one) for one in row["body"]) if isinstance(row.get("body"), list) else ""
        start, end = (_scale_down(value, scale) for value in _pair(row))
        words = tuple(words_of(row.get("words"), start, end, scale))
        if end is None and start is not None:
            after = _scale_down(_pair(rows[place + 1])[0], scale) if place + 1 < len(rows) else None
            end = after if after is not None and after >= start else (
                max([word.end for word in words], default=start + len(body) / USUAL))  # fmt: skip
        speaker = speaker_of(row)
        yield from _by_speaker(Entry(start, end, (body,), speaker, words), row, scale)


def _by_speaker(entry: Entry, row: dict[str, Any], scale: float) -> Iterator[Entry]:
    """An entry, or several when its words name other speakers than it does."""
    given = row.get("words")
    named = [speaker_of(word) for word in given if isinstance(word, dict)] if isinstance(given, list) else []
    if len(set(filter(None, named))) < 2 or len(named) != len(entry.words):
        alone = next(iter(set(filter(None, named))), "") if not entry.speaker else ""
        yield Entry(entry.start, entry.end, entry.lines, entry.speaker or alone, entry.words)
        return
    speaker, group = "", list[Word]()
    for who, word in zip(named, entry.words, strict=True):
        if group and who and speaker and who != speaker:
            yield Entry(group[0].start, group[-1].end, (" ".join(one.text for one in group),), speaker, tuple(group))
            group = []
        speaker = who or speaker
        group.append(word)
    yield Entry(group[0].start, group[-1].end, (" ".join(one.text for one in group),), speaker, tuple(group))


def speaker_of(row: dict[str, Any]) -> str:
    """Who speaks in a row, "" where it does not say."""
    for key in _SPEAKERS:
        value = row.get(key)
        if isinstance(value, dict):
            value = value.get("name", value.get("id"))
        if isinstance(value, int) and not isinstance(value, bool):
            return f"Speaker {value}"
        if isinstance(value, str) and value.strip():
            bare = without_markup(value)
            return f"Speaker {bare}" if bare.isdecimal() else bare
    return ""


def _scale(rows: Sequence[dict[str, Any]]) -> float:
    """1 for seconds, 1000 when the rows count in whole milliseconds, 16000 when in samples (Otter's offsets)."""
    spans = [(start, end) for start, end in map(_pair, rows)]
    both = zip(spans, rows, strict=True)
    whole = [(end - start, row) for (start, end), row in both if type(start) is type(end) is int]
    if len(whole) < max(1, 0.9 * len(rows)):
        return 1.0
    speed = median(max(1, len(row_text(row) or "")) / max(1, length) for length, row in whole)
    if speed >= _SLOWEST:
        return 1.0
    return 16_000.0 if "start_offset" in rows[0] and speed < _SLOWEST / 20 else 1000.0


def _scale_down(value: Any, scale: float) -> float | None:
    found = number(value)
    return None if found is None else round(found / scale, 3) if isinstance(value, int) and scale > 1 else found


def words_of(given: object, start: float | None, end: float | None, scale: float = 1.0) -> list[Word]:
    """The words of a segment; those without times (whisperX's digits) take their place between the others."""
    rows = [row for row in given if isinstance(row, dict) and _word(row)] if isinstance(given, list) else []
    times = [tuple(_scale_down(value, scale) for value in _pair(row)) for row in rows]
    found: list[Word] = []
    for place, (row, (begin, stop)) in enumerate(zip(rows, times, strict=True)):
        before = found[-1].end if found else (start or 0.0)
        if begin is None:
            count, after = 1, None
            for later in times[place + 1 :]:
                after = later[0]
                if after is not None:
                    break
                count += 1
            after = after if after is not None else max(before, end if end is not None else before)
            begin, stop = before, before + max(0.0, after - before) / count
        stop = max(begin, stop) if stop is not None else begin
        found.append(Word(round(begin, 3), round(stop, 3), without_markup(_word(row)), word_probability(row)))
    return [word for word in found if word.text]


def _word(row: dict[str, Any]) -> str:
    return next(
        (row[key] for key in ("punctuated_word", "word", "text", "value", "content") if isinstance(row.get(key), str)),
        "",
    )


def word_probability(row: dict[str, Any]) -> float:
    """How sure a recogniser is of a word, 0..1; 1 where the row does not say."""
    value = next((row[key] for key in ("probability", "score", "confidence", "p") if key in row), None)
    if isinstance(value, str):
        value = number(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 else 1.0


def at(data: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places; None where there is nothing."""
    for key in path:
        if isinstance(data, dict) and isinstance(key, str):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and len(data) > key:
            data = data[key]
        else:
            return None
    return data
