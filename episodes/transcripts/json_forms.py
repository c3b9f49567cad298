# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts in JSON, by what they hold: which form it is shows in the keys, and each form is one short reader.

Podcasting 2.0, Whisper (openai-whisper, faster-whisper, whisperX, whisper.cpp's -oj and -ojf, transformers' chunks),
AssemblyAI, Deepgram, Amazon Transcribe, Otter, Rev, Google, Azure, YouTube's json3, youtube-transcript-api and
subtitle.js, plain lists of segments, and JSON lines.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from episodes.transcripts.entries import GENERATOR, USUAL, Entry, plain
from episodes.transcripts.times import clock_seconds
from voice.errors import TranscriptError
from voice.model import Cue, Word

NEXT_STEP = "Correct it in a text editor, or get the transcript again."
_GIVE = "Give a VTT, SRT or Podcasting 2.0 JSON file."
_SLOWEST = 0.1  # characters for a unit of time; with fewer the unit is not the second
_TRAILING = re.compile(r",(?=\s{0,200}[\]}])")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TEXTS = ("body", "text", "utf8", "content", "transcript", "sentence", "line", "caption", "words_text")
_LISTS = ("segments", "chunks", "utterances", "transcription", "cues", "captions", "transcripts", "transcript", "items",
          "events", "results", "paragraphs", "sentences", "monologues", "recognizedPhrases", "lines", "subtitles",
          "data", "output", "result", "response", "body")  # fmt: skip
_WORD_LISTS = ("words", "word_segments", "chapters", "speakers", "tokens")
_STARTS = ("startTime", "start", "begin", "from", "start_time", "startTimeMs", "start_ms", "startMs", "tStartMs", "ts",
           "start_offset", "startSeconds", "offset", "time", "begin_time", "startOffset", "timestamp")  # fmt: skip
_ENDS = ("endTime", "end", "to", "end_time", "endTimeMs", "end_ms", "endMs", "end_ts", "end_offset", "endSeconds",
         "stop", "endOffset")  # fmt: skip
_LENGTHS = ("duration", "dur", "dDurationMs", "duration_ms", "durationMs")
_SPEAKERS = ("speaker", "speakerName", "speaker_name", "speaker_label", "speakerLabel", "speaker_id", "speakerId",
             "name", "author", "channel_tag", "speakerTag", "voice")  # fmt: skip
_MS_KEYS = frozenset({"startTimeMs", "start_ms", "startMs", "tStartMs", "endTimeMs", "end_ms", "endMs", "dDurationMs",
                      "duration_ms", "durationMs"})  # fmt: skip


def read_json(text: str, name: str) -> list[Entry] | list[Cue]:
    """The entries of a JSON transcript; ``name`` is the file's, for errors. Cues when Earmark itself wrote it.

    The texts of entries keep the blanks around them. Raises TranscriptError when it is not JSON, or no transcript.
    """
    data = _parsed(text, name)
    for reader in (_deepgram, _amazon, _rev, _google, _azure, _json3, _whisper_cpp):
        found = reader(data)
        if found:
            return found
    rows = _rows(data)
    if rows is None:
        what = "holds chapters" if isinstance(data, dict) and "chapters" in data else "has no list of segments"
        raise TranscriptError(f"{name} is not a Podcasting 2.0 transcript: it {what}.", _GIVE)
    wrong = next((row for row in rows if not isinstance(row, dict)), None)
    if wrong is not None:
        raise TranscriptError(f"{name}: one of its segments is not an object.", NEXT_STEP)
    own = isinstance(data, dict) and str(data.get("generator", "")).startswith(GENERATOR)
    return own_cues(rows) if own else list(_segments(rows))


def own_cues(rows: Sequence[dict[str, Any]]) -> list[Cue]:
    """The cues of a file that ``episodes.transcripts.writer`` wrote: as they are, nothing in them is markup."""
    found = []
    for row in rows:
        start, end = (number(row.get(key)) or 0.0 for key in ("startTime", "endTime"))
        words = tuple(Word(number(one.get("start")) or 0.0, number(one.get("end")) or 0.0, str(one.get("word", "")),
                           _probability(one)) for one in row.get("words") or () if isinstance(one, dict))  # fmt: skip
        found.append(Cue(start, end, str(row.get("body", "")), str(row.get("speaker") or ""), words))
    return [cue for cue in found if cue.text.strip()]


def _parsed(text: str, name: str) -> Any:
    """The data of a JSON text, JSON lines and trailing commas included."""
    try:
        return json.loads(text, strict=False)
    except (RecursionError, MemoryError):
        raise TranscriptError(f"{name} is not JSON that can be read.", NEXT_STEP) from None
    except ValueError as error:
        first = error
    rows = []
    try:
        for line in text.splitlines():
            if line.strip():
                rows.append(json.loads(line.rstrip().rstrip(","), strict=False))
        if rows and all(isinstance(row, dict) for row in rows):
            return rows
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(_without_trailing_commas(text), strict=False)
    except (ValueError, RecursionError):
        pass
    where = f", line {first.lineno}: not valid JSON ({first.msg})" if isinstance(first, json.JSONDecodeError) else (
        " is not JSON that can be read")  # fmt: skip
    raise TranscriptError(f"{name}{where}.", NEXT_STEP)


def _without_trailing_commas(text: str) -> str:
    parts, at = [], 0
    for match in _STRING.finditer(text):
        parts += [_TRAILING.sub("", text[at : match.start()]), match.group()]
        at = match.end()
    return "".join([*parts, _TRAILING.sub("", text[at:])])


def _rows(data: Any, depth: int = 0) -> list[Any] | None:
    """The list of segments somewhere in the data, the likeliest first."""
    if isinstance(data, list):
        if not data or _row_like(data):
            return data
        if inner := _of_paragraphs(data):
            return inner
        if len(data) == 1 or (depth == 0 and isinstance(data[0], dict | list)):
            return _rows(data[0], depth + 1) if depth < 4 else None
        return data if any(isinstance(one, dict) and _text_of(one) for one in data[:20]) else None
    if not isinstance(data, dict) or depth > 4:
        return None
    empty: list[Any] | None = None
    for key in _LISTS:
        value = data.get(key)
        if isinstance(value, list | dict) and value != {}:
            found = _rows(value, depth + 1)
            if found:
                return found
            empty = found if found is not None and empty is None else empty
    for key, value in data.items():
        if key not in _LISTS and key not in _WORD_LISTS and isinstance(value, list | dict) and depth < 3:
            found = _rows(value, depth + 2)
            if found and _row_like(found):
                return found
    words = data.get("words", data.get("word_segments"))
    if isinstance(words, list) and words and _row_like(words):
        return words
    return empty


def _of_paragraphs(rows: list[Any]) -> list[dict[str, Any]]:
    """The sentences, or words, of paragraphs that have a speaker and no text of their own (Descript, Riverside)."""
    paragraphs = [row for row in rows if isinstance(row, dict) and _text_of(row) is None and _speaker(row)]
    if len(paragraphs) < len(rows):
        return []
    for key in ("sentences", "lines", "words"):
        inside = [(row, row[key]) for row in paragraphs if isinstance(row.get(key), list)]
        if inside and all(_row_like(parts) for _, parts in inside if parts):
            return [
                part if _speaker(part) else part | {"speaker": _speaker(row)}
                for row, parts in inside
                for part in parts
                if isinstance(part, dict)
            ]
    return []


def _row_like(rows: list[Any]) -> bool:
    """True for a list whose elements have a text and a time (some of them at least)."""
    sample = rows[:50]
    good = sum(
        isinstance(one, dict) and _text_of(one) is not None and _edge(one, _STARTS) is not None for one in sample
    )
    return good >= max(1, 0.3 * len(sample))


def _text_of(row: dict[str, Any]) -> str | None:
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


def _segments(rows: Sequence[dict[str, Any]]) -> Iterator[Entry]:
    scale = _scale(rows)
    for place, row in enumerate(rows):
        body = _text_of(row)
        if body is None:
            body = " ".join(str(one) for one in row["body"]) if isinstance(row.get("body"), list) else ""
        start, end = (_scale_down(value, scale) for value in _pair(row))
        words = tuple(_words(row.get("words"), start, end, scale))
        if end is None and start is not None:
            after = _scale_down(_pair(rows[place + 1])[0], scale) if place + 1 < len(rows) else None
            end = after if after is not None and after >= start else (
                max([word.end for word in words], default=start + len(body) / USUAL))  # fmt: skip
        speaker = _speaker(row)
        yield from _by_speaker(Entry(start, end, (body,), speaker, words), row, scale)


def _by_speaker(entry: Entry, row: dict[str, Any], scale: float) -> Iterator[Entry]:
    """An entry, or several when its words name other speakers than it does."""
    given = row.get("words")
    named = [_speaker(word) for word in given if isinstance(word, dict)] if isinstance(given, list) else []
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


def _speaker(row: dict[str, Any]) -> str:
    for key in _SPEAKERS:
        value = row.get(key)
        if isinstance(value, dict):
            value = value.get("name", value.get("id"))
        if isinstance(value, int) and not isinstance(value, bool):
            return f"Speaker {value}"
        if isinstance(value, str) and value.strip():
            bare = plain(value)
            return f"Speaker {bare}" if bare.isdecimal() else bare
    return ""


def _scale(rows: Sequence[dict[str, Any]]) -> float:
    """1 for seconds, 1000 when the rows count in whole milliseconds, 16000 when in samples (Otter's offsets)."""
    spans = [(start, end) for start, end in map(_pair, rows)]
    both = zip(spans, rows, strict=True)
    whole = [(end - start, row) for (start, end), row in both if type(start) is type(end) is int]
    if len(whole) < max(1, 0.9 * len(rows)):
        return 1.0
    speed = median(max(1, len(_text_of(row) or "")) / max(1, length) for length, row in whole)
    if speed >= _SLOWEST:
        return 1.0
    return 16_000.0 if "start_offset" in rows[0] and speed < _SLOWEST / 20 else 1000.0


def _scale_down(value: Any, scale: float) -> float | None:
    found = number(value)
    return None if found is None else round(found / scale, 3) if isinstance(value, int) and scale > 1 else found


def _words(given: object, start: float | None, end: float | None, scale: float = 1.0) -> list[Word]:
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
        found.append(Word(round(begin, 3), round(stop, 3), plain(_word(row)), _probability(row)))
    return [word for word in found if word.text]


def _word(row: dict[str, Any]) -> str:
    return next(
        (row[key] for key in ("punctuated_word", "word", "text", "value", "content") if isinstance(row.get(key), str)),
        "",
    )


def _probability(row: dict[str, Any]) -> float:
    value = next((row[key] for key in ("probability", "score", "confidence", "p") if key in row), None)
    if isinstance(value, str):
        value = number(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 else 1.0


def _at(data: Any, *path: str | int) -> Any:
    for key in path:
        if isinstance(data, dict) and isinstance(key, str):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and len(data) > key:
            data = data[key]
        else:
            return None
    return data


def _deepgram(data: Any) -> list[Entry]:
    """Deepgram: results.utterances, else results.channels[].alternatives[0].words, of all channels."""
    channels = _at(data, "results", "channels")
    if not isinstance(channels, list):
        return []
    utterances = _at(data, "results", "utterances")
    if isinstance(utterances, list) and utterances and _row_like(utterances):
        return list(_segments([row for row in utterances if isinstance(row, dict)]))
    found: list[Entry] = []
    for place, channel in enumerate(channels):
        rows = _at(channel, "alternatives", 0, "words")
        several = len(channels) > 1
        for row in rows if isinstance(rows, list) else ():
            word = _words([row], None, None)
            if word:
                who = f"Channel {place + 1}" if several and "speaker" not in row else _speaker(row)
                found.append(Entry(word[0].start, word[0].end, (word[0].text,), who, (word[0],)))
    return sorted(found, key=lambda entry: entry.start or 0.0)


def _amazon(data: Any) -> list[Entry]:
    """Amazon Transcribe: results.items, speakers in the items or in results.speaker_labels."""
    items = _at(data, "results", "items")
    if not isinstance(items, list):
        return []
    named: dict[float, str] = {}
    for segment in _at(data, "results", "speaker_labels", "segments") or ():
        for item in (segment.get("items") or ()) if isinstance(segment, dict) else ():
            start = number(item.get("start_time")) if isinstance(item, dict) else None
            if start is not None:
                named[start] = _speaker(item)
    found: list[Entry] = []
    for item in items:
        said = _at(item, "alternatives", 0, "content")
        if not isinstance(said, str) or not said:
            continue
        start, end = number(item.get("start_time")), number(item.get("end_time"))
        if start is None:  # a punctuation mark belongs to the word before it
            if found:
                last = found[-1]
                word = Word(
                    last.words[0].start, last.words[0].end, last.words[0].text + said, last.words[0].probability
                )
                found[-1] = Entry(last.start, last.end, (word.text,), last.speaker, (word,))
            continue
        stop = end if end is not None and end >= start else start
        word = Word(start, stop, plain(said), _probability(item["alternatives"][0]))
        found.append(Entry(start, stop, (word.text,), named.get(start, "") or _speaker(item), (word,)))
    return found


def _rev(data: Any) -> list[Entry]:
    """Rev: monologues with a speaker and elements, words with times and marks without."""
    monologues = _at(data, "monologues")
    if not isinstance(monologues, list):
        return []
    names = {row.get("id"): row.get("name") for row in _at(data, "speakers") or () if isinstance(row, dict)}
    found = []
    for row in monologues:
        elements = [
            one for one in _at(row, "elements") or () if isinstance(one, dict) and isinstance(one.get("value"), str)
        ]
        body = "".join(one["value"] for one in elements)
        words = _words([one for one in elements if one.get("type") == "text" or "ts" in one], None, None)
        if body.strip():
            who = names.get(_at(row, "speaker")) or _speaker(row)
            start, end = (words[0].start, words[-1].end) if words else (None, None)
            found.append(Entry(start, end, (body,), plain(str(who)), ()))
    return found


def _google(data: Any) -> list[Entry]:
    """Google Speech-to-Text: results[].alternatives[0].words with startTime "1.2s"."""
    results = _at(data, "results") or _at(data, "response", "results")
    if not isinstance(results, list):
        return []
    found = []
    for result in results:
        best = _at(result, "alternatives", 0)
        words = _words(_at(best, "words"), None, None)
        if words:
            found.append(Entry(words[0].start, words[-1].end, (str(best.get("transcript", "")),), "", tuple(words)))
    return found


def _azure(data: Any) -> list[Entry]:
    """Azure's batch transcription: recognizedPhrases with offsetInTicks (100 ns)."""
    phrases = _at(data, "recognizedPhrases")
    if not isinstance(phrases, list):
        return []
    found = []
    for row in phrases:
        said, offset, length = _at(row, "nBest", 0, "display"), _at(row, "offsetInTicks"), _at(row, "durationInTicks")
        start, more = number(offset), number(length)
        if isinstance(said, str) and start is not None:
            found.append(Entry(start / 1e7, (start + (more or 0)) / 1e7, (said,), _speaker(row)))
    return found


def _json3(data: Any) -> list[Entry]:
    """YouTube's json3: events with segs, times in milliseconds, each seg with its offset."""
    events = _at(data, "events")
    if not isinstance(events, list) or not any(isinstance(one, dict) and "tStartMs" in one for one in events):
        return []
    found: list[Entry] = []
    for event in events:
        segs = [one for one in _at(event, "segs") or () if isinstance(one, dict) and isinstance(one.get("utf8"), str)]
        start = number(_at(event, "tStartMs"))
        if not segs or start is None or not "".join(one["utf8"] for one in segs).strip():
            continue
        end = start + (number(_at(event, "dDurationMs")) or 0.0)
        offsets = [start + (number(one.get("tOffsetMs")) or 0.0) for one in segs]
        words: list[Word] = []
        if len(segs) > 1:
            for one, begin, stop in zip(segs, offsets, [*offsets[1:], end], strict=True):
                if one["utf8"].strip():
                    words.append(Word(round(begin / 1000, 3), round(max(begin, stop) / 1000, 3), plain(one["utf8"])))
        if (
            found and found[-1].end is not None and found[-1].end > start / 1000
        ):  # the line stays while the next is shown
            last = found[-1]
            cut = tuple(Word(word.start, min(word.end, start / 1000), word.text) for word in last.words)
            found[-1] = Entry(last.start, max(last.start or 0.0, start / 1000), last.lines, "", cut)
        found.append(Entry(round(start / 1000, 3), round(end / 1000, 3), ("".join(one["utf8"] for one in segs),), "",
                           tuple(words)))  # fmt: skip
    return found


def _whisper_cpp(data: Any) -> list[Entry]:
    """whisper.cpp's -oj and -ojf: transcription with offsets in milliseconds and, in full, tokens."""
    rows = _at(data, "transcription")
    if not isinstance(rows, list) or not any(
        isinstance(row, dict) and ("offsets" in row or "timestamps" in row) for row in rows
    ):
        return []
    found = []
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            continue
        span = [number(_at(row, "offsets", edge)) for edge in ("from", "to")]
        start, end = (None if one is None else one / 1000 for one in span)
        if start is None:
            start, end = (number(_at(row, "timestamps", edge)) for edge in ("from", "to"))
        turn = "" if not isinstance(row.get("speaker"), str | int) else _speaker(row)
        found.append(Entry(start, end, (row["text"],), turn, tuple(_tokens(row.get("tokens")))))
    return found


def _tokens(tokens: object) -> list[Word]:
    """Words out of whisper.cpp's tokens, which are parts of words; a blank in front begins a new one."""
    words: list[Word] = []
    for token in tokens if isinstance(tokens, list) else ():
        said = token.get("text") if isinstance(token, dict) else None
        start, end = number(_at(token, "offsets", "from")), number(_at(token, "offsets", "to"))
        if not isinstance(said, str) or not said.strip() or said.startswith("[_") or start is None or end is None:
            continue
        if "\ufffd" in said:
            return []
        begin, stop = start / 1000, max(start, end) / 1000
        if words and not said[0].isspace():
            words[-1] = Word(words[-1].start, max(words[-1].end, stop), words[-1].text + plain(said))
        else:
            words.append(Word(begin, stop, plain(said)))
    return words
