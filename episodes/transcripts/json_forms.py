# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts in JSON, by what they hold: which form it is shows in the keys, and each form is one short reader.

Podcasting 2.0, Whisper (openai-whisper, faster-whisper, whisperX, whisper.cpp's -oj and -ojf, transformers' chunks),
AssemblyAI, Deepgram, Amazon Transcribe, Otter, Rev, Google, Azure, YouTube's json3, youtube-transcript-api and
subtitle.js, plain lists of segments, and JSON lines.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from episodes.transcripts.entries import GENERATOR, Entry
from episodes.transcripts.json_fields import number, row_like, row_text, segments, speaker_of, word_probability
from episodes.transcripts.json_services import READERS
from voice.errors import TranscriptError
from voice.model import Cue, Word

NEXT_STEP = "Correct it in a text editor, or get the transcript again."
_GIVE = "Give a VTT, SRT or Podcasting 2.0 JSON file."
_TRAILING = re.compile(r",(?=\s{0,200}[\]}])")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LISTS = ("segments", "chunks", "utterances", "transcription", "cues", "captions", "transcripts", "transcript", "items",
          "events", "results", "paragraphs", "sentences", "monologues", "recognizedPhrases", "lines", "subtitles",
          "data", "output", "result", "response", "body")  # fmt: skip
_WORD_LISTS = ("words", "word_segments", "chapters", "speakers", "tokens")


def read_json(text: str, name: str) -> list[Entry] | list[Cue]:
    """The entries of a JSON transcript; ``name`` is the file's, for errors. Cues when Earmark itself wrote it.

    The texts of entries keep the blanks around them. Raises TranscriptError when it is not JSON, or no transcript.
    """
    data = _parsed(text, name)
    for reader in READERS:
        found = reader(data)
        if found:
            return found
    rows = _rows(data)
    if rows is None:
        what = "holds chapters" if isinstance(data, dict) and "chapters" in data else "has no list of segments"
        raise TranscriptError(f"{name} is not a Podcasting 2.0 transcript: it {what}.", _GIVE)
    if not all(isinstance(row, dict) for row in rows):
        raise TranscriptError(f"{name}: one of its segments is not an object.", NEXT_STEP)
    own = isinstance(data, dict) and str(data.get("generator", "")).startswith(GENERATOR)
    return own_cues(rows) if own else list(segments(rows))


def own_cues(rows: Sequence[dict[str, Any]]) -> list[Cue]:
    """The cues of a file that ``episodes.transcripts.writer`` wrote: as they are, nothing in them is markup."""
    found = []
    for row in rows:
        start, end = (number(row.get(key)) or 0.0 for key in ("startTime", "endTime"))
        words = tuple(
            Word(number(one.get("start")) or 0.0, number(one.get("end")) or 0.0, str(one.get("word", "")),
                 word_probability(one))
            for one in row.get("words") or () if isinstance(one, dict)
        )  # fmt: skip
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
        if not data or row_like(data):
            return data
        if inner := _of_paragraphs(data):
            return inner
        if len(data) == 1 or (depth == 0 and isinstance(data[0], dict | list)):
            return _rows(data[0], depth + 1) if depth < 4 else None
        return data if any(isinstance(one, dict) and row_text(one) for one in data[:20]) else None
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
            if found and row_like(found):
                return found
    words = data.get("words", data.get("word_segments"))
    if isinstance(words, list) and words and row_like(words):
        return words
    return empty


def _of_paragraphs(rows: list[Any]) -> list[dict[str, Any]]:
    """The sentences, or words, of paragraphs that have a speaker and no text of their own (Descript, Riverside)."""
    paragraphs = [row for row in rows if isinstance(row, dict) and row_text(row) is None and speaker_of(row)]
    if len(paragraphs) < len(rows):
        return []
    for key in ("sentences", "lines", "words"):
        inside = [(row, row[key]) for row in paragraphs if isinstance(row.get(key), list)]
        if inside and all(row_like(parts) for _, parts in inside if parts):
            return [
                part if speaker_of(part) else part | {"speaker": speaker_of(row)}
                for row, parts in inside
                for part in parts
                if isinstance(part, dict)
            ]
    return []
