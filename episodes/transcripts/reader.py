# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts that a publisher wrote: WebVTT, SubRip, SubViewer, Podcasting 2.0 JSON, HTML and plain text in, cues
out."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from episodes.transcripts.captions import (
    BACKWARDS,
    NEXT_STEP,
    as_said,
    clock,
    escaped,
    is_sbv,
    plain,
    read_sbv,
    read_srt,
    read_vtt,
)
from episodes.transcripts.chapters import seconds
from episodes.transcripts.html_and_text import USUAL, has_times, read_html, read_text
from voice.errors import TranscriptError
from voice.model import Cue, Word

SUFFIXES = (".vtt", ".srt", ".json", ".sbv")
"""File name endings of transcripts, the preferred one first."""

GENERATOR = "Earmark"
"""What a transcript says that was written here: its cues are to be taken as they are."""

_GIVE = "Give a VTT, SRT or Podcasting 2.0 JSON file."
_LARGEST = 64_000_000  # bytes; ten times what a day of talk with a time for each word takes
_LONGEST = 30 * 24 * 3600.0  # seconds
_CUE_WORDS = 40  # words after which a cue of single words ends even without a full stop
_CUE_PAUSE = 1.5  # seconds of silence that end it
_MILLISECONDS = 100  # a list whose cues last so long counts in milliseconds

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*$")
_STAMPED = re.compile(r"\[\s*\d+:\d\d|\[[^\W\d]")  # a text that begins with a time or a remark in brackets, not JSON
_ALONE = frozenset("-–—&+/")  # marks that stand between words
_MARK = re.compile(r"^[^\w\s]+$")


def read_transcript(path: Path, length: float = 0.0) -> list[Cue]:
    """Read a transcript file: what it is shows in its content, whatever its name.

    Returns cues in order of their start, with plain text (markup is dropped, entities are resolved) and with speakers
    where the file names them. Transcripts with a time for each word become cues of about a sentence that keep the
    words. HTML and plain text have few times or none: those between are estimated, with the help of the audio's
    ``length`` in seconds. Raises TranscriptError with the file's name, the line and the reason when it cannot be read.
    """
    text = _text(path)
    begin = text.lstrip()[:200]
    if not begin:
        raise TranscriptError(f"{path.name} is empty.", "Get the transcript again, or leave it out.")
    if text.startswith("WEBVTT"):
        cues = read_vtt(text, path.name)
    elif begin[0] in "{[" and not _STAMPED.match(begin):
        cues = _read_json(text, path.name)
    elif "-->" in text and begin[0] != "<":
        cues = read_srt(text, path.name)
    elif is_sbv(begin):
        cues = read_sbv(text, path.name)
    elif begin[:5].lower() in ("<?xml", "<rss ", "<opml") or begin.startswith("[Script Info]"):
        kind = "XML" if begin[0] == "<" else "SubStation Alpha"
        raise TranscriptError(f"{path.name} is {kind}, not a transcript that can be read.", _GIVE)
    elif path.suffix.lower() in SUFFIXES and not has_times(text):  # a page that says "not found", mostly
        raise TranscriptError(f"{path.name} has no cues: there is no line with times in it.", _GIVE)
    elif begin[0] == "<":
        cues = read_html(text, path.name, length)
    else:
        cues = read_text(text, path.name, length)
    if not cues:
        raise TranscriptError(f"{path.name} has no cues with text.", "Get the transcript again, or leave it out.")
    if cues[-1].end > _LONGEST:
        raise TranscriptError(f"{path.name} has times beyond {_LONGEST / 3600:.0f} hours.", NEXT_STEP)
    return sorted(cues, key=lambda cue: cue.start)


def write_vtt(cues: Iterable[Cue]) -> str:
    """A WebVTT file of these cues, speakers as voice tags; reading it gives the same cues (times to 1 ms, no words)."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        text = as_said(" ".join(cue.text.split()))
        if cue.speaker:
            text = f"<v {_in_tag(' '.join(cue.speaker.split()))}>{text}"
        blocks.append(f"{clock(cue.start)} --> {clock(cue.end)}\n{text}\n")
    return "\n".join(blocks)


def write_srt(cues: Sequence[Cue]) -> str:
    """A SubRip file of these cues; reading it gives the same cues (times to 1 ms, no words).

    Speakers stand as ``Name:`` in front of the text, as Podcasting 2.0 wants it; when the names could not be told from
    the text in that way ("Note: ..."), they stand in WebVTT's voice tags, which SubRip's readers know too.
    """
    named = _srt(cues, tags=False)
    if not any(cue.speaker for cue in cues):
        return named
    try:
        again = [(cue.speaker, cue.text) for cue in read_srt(named, "")]
    except TranscriptError:
        again = []
    wanted = [(plain(cue.speaker), plain(cue.text)) for cue in cues]
    return named if again == wanted else _srt(cues, tags=True)


def _srt(cues: Iterable[Cue], tags: bool) -> str:
    blocks = []
    for number, cue in enumerate(cues, 1):
        text, speaker = " ".join(cue.text.split()), " ".join(cue.speaker.split())
        if plain(text) != text or as_said(text) != escaped(text) or "-->" in text:
            text = as_said(text)  # few players resolve entities in SubRip, so only where it would be misread
        if speaker:
            text = f"<v {_in_tag(speaker)}>{text}" if tags else f"{speaker}: {text}"
        blocks.append(f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def _in_tag(speaker: str) -> str:
    """A name within a voice tag: one that ends in "--" would make an arrow with the tag's own bracket."""
    return escaped(speaker).replace("--", "-&#45;")


def write_json(cues: Iterable[Cue]) -> str:
    """A Podcasting 2.0 JSON transcript; reading it gives the same cues, also their words."""
    segments: list[dict[str, Any]] = []
    for cue in cues:
        body = escaped(cue.text)
        segment: dict[str, Any] = {"speaker": cue.speaker} if cue.speaker else {}
        segment |= {"startTime": round(cue.start, 3), "endTime": round(cue.end, 3), "body": body}
        if cue.words:
            segment["words"] = [
                {"start": round(word.start, 3), "end": round(word.end, 3), "word": escaped(word.text),
                 "probability": round(word.probability, 4)}
                for word in cue.words
            ]  # fmt: skip
        segments.append(segment)
    return json.dumps({"version": "1.0.0", "generator": GENERATOR, "segments": segments}, ensure_ascii=False, indent=1)


def _text(path: Path) -> str:
    """The file as text: UTF-8, UTF-16, else Windows-1252. Raises TranscriptError when it is not text."""
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise TranscriptError(f"{path.name} is too large for a transcript ({size / 1e6:.0f} MB).",
                                  f"Transcripts may have up to {_LARGEST / 1e6:.0f} MB.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise TranscriptError(f"There is no file {path}.", "Check the name.") from None
    except OSError as error:
        raise TranscriptError(f"{path.name} cannot be read: {error.strerror}.", "Check the file.") from error
    try:
        text = raw.decode(_encoding(raw[:1000]))
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    controls = sum(char < " " and char not in "\t\n\r\f\v\x1c\x1d\x1e\x1f" for char in text[:10_000])
    if "\0" in text[:10_000] or controls > 20:
        raise TranscriptError(f"{path.name} is not a text file.", _GIVE)
    return text.removeprefix("\ufeff")


def _encoding(begin: bytes) -> str:
    """UTF-16 by its mark, or by the zero bytes beside Latin letters; else UTF-8."""
    if begin[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    odd, even = begin[1::2].count(0), begin[::2].count(0)
    if 4 * max(odd, even) > len(begin) > 20 * min(odd, even):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8-sig"


def _read_json(text: str, name: str) -> list[Cue]:
    """Cues of a Podcasting 2.0 JSON transcript; Whisper's own JSON (start, end, text) differs only in its keys, and
    subtitle.js writes such a list alone, in milliseconds."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise TranscriptError(f"{name}, line {error.lineno}: not valid JSON ({error.msg}).", NEXT_STEP) from None
    except (RecursionError, ValueError):
        raise TranscriptError(f"{name} is not JSON that can be read.", NEXT_STEP) from None
    if isinstance(data, list) and data and all(isinstance(one, dict) and "text" in one for one in data):
        data = {"segments": _in_seconds(data)}
    segments = data.get("segments") if isinstance(data, dict) else None
    if not isinstance(segments, list):
        what = "holds chapters" if isinstance(data, dict) and "chapters" in data else "has no list of segments"
        raise TranscriptError(f"{name} is not a Podcasting 2.0 transcript: it {what}.", _GIVE)
    cues = list(_segments(segments, name))
    if str(data.get("generator", "")).startswith(GENERATOR):  # its own file: cues stay as they are
        return [replace(cue, text=cue.text.strip()) for cue in cues if cue.text.strip()]
    spoken = [cue for cue in cues if cue.text.strip()]
    if spoken and median(len(cue.text.split()) for cue in spoken) <= 1 and not any(cue.words for cue in cues):
        return list(_from_words(cues))
    return list(_joined(spoken))


def _in_seconds(segments: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Segments with their times in seconds, when they count in whole milliseconds."""
    times = [(segment.get("start"), segment.get("end")) for segment in segments]
    whole = [end - start for start, end in times if type(start) is type(end) is int]
    if len(whole) < len(times) or median(whole) < _MILLISECONDS:
        return list(segments)
    return [{**one, "start": one["start"] / 1000, "end": one["end"] / 1000} for one in segments]


def _segments(segments: Sequence[Any], name: str) -> Iterator[Cue]:
    """One cue for each segment; its text is plain but keeps the blanks around it, which tell words from parts."""
    latest = 0.0
    for number, segment in enumerate(segments, 1):
        where = f"{name}, segment {number}"
        if not isinstance(segment, dict):
            raise TranscriptError(f"{where}: it is not an object.", NEXT_STEP)
        body = segment.get("body", segment.get("text", ""))
        speaker = segment.get("speaker")
        if isinstance(speaker, int):
            speaker = f"Speaker {speaker}"
        if not isinstance(body, str) or not isinstance(speaker or "", str):
            raise TranscriptError(f"{where}: its text or speaker is not text.", NEXT_STEP)
        start = _number(_given(segment, "start"), where, "start")
        stop = _given(segment, "end")
        if stop is None:  # it goes on until the next begins
            following = segments[number] if number < len(segments) else None
            stop = _given(following, "start") if isinstance(following, dict) else start + len(body) / USUAL
            stop = max(start, _number(stop, where, "end"))
        end = _number(stop, where, "end")
        if end < start:
            raise TranscriptError(f"{where}: it ends before it starts ({start:g} to {end:g}).", NEXT_STEP)
        if start < latest - BACKWARDS:
            raise TranscriptError(
                f"{where}: the times go backwards, to {clock(start)} after {clock(latest)}.", NEXT_STEP
            )
        latest = max(latest, start)
        said = plain(body)
        blanks = (" " if body[:1].isspace() else "", " " if body[-1:].isspace() else "")
        words = tuple(_words(segment.get("words"), where))
        text = f"{blanks[0]}{said}{blanks[1]}" if said else " " * bool(body)
        yield Cue(start, end, text, plain(speaker or ""), words)


def _given(segment: dict[str, Any], edge: str) -> object:
    """The "start" or "end" of a segment as it is written, None when it is not."""
    return segment.get(f"{edge}Time", segment.get(edge))


def _words(given: object, where: str) -> Iterator[Word]:
    """The words of a segment in Whisper's JSON; anything else there is passed over."""
    for word in given if isinstance(given, list) else ():
        if isinstance(word, dict) and isinstance(word.get("word"), str) and "start" in word and "end" in word:
            start = _number(word["start"], where, "word's start")
            yield Word(start, max(start, _number(word["end"], where, "word's end")), plain(word["word"]),
                       _probability(word.get("probability")))  # fmt: skip


def _probability(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else 1.0


def _number(value: object, where: str, what: str) -> float:
    """A time in seconds, at least 0 and finite, from a number or from a text such as "4.8" or "00:01:04.800"."""
    try:
        if isinstance(value, str) and ":" in value:
            value = seconds(value.replace(",", "."))
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not 0 <= found < math.inf:
        shown = "missing" if value is None else f"“{str(value)[:30]}”"
        raise TranscriptError(f"{where}: its {what} time is {shown}, not a number of seconds.", NEXT_STEP)
    return round(found, 3)


def _joined(cues: Iterable[Cue]) -> Iterator[Cue]:
    """Cues of which those with one time and one speaker (two lines of one caption) have become one."""
    for (start, end, speaker), group in groupby(cues, key=lambda cue: (cue.start, cue.end, cue.speaker)):
        same = list(group)
        text = " ".join(" ".join(cue.text for cue in same).split())
        yield Cue(start, end, text, speaker, tuple(word for cue in same for word in cue.words))


def _from_words(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Cues of about a sentence out of one segment for each word (or blank, or punctuation mark)."""
    spaced = any(not cue.text.strip() or cue.text[0] == " " for cue in cues)  # the blanks are in the data
    words: list[Word] = []
    speaker, apart = "", True
    for cue in cues:
        said = cue.text.strip()
        if not said:
            apart = True
            continue
        joins = not (apart or cue.text[0] == " ") if spaced else bool(_MARK.match(said)) and said not in _ALONE
        if joins and words and cue.speaker == speaker:
            last = words[-1]
            words[-1] = Word(last.start, max(last.end, cue.end), last.text + said)
        else:
            if words and (cue.speaker != speaker or _over(words, cue.start)):
                yield _cue(words, speaker)
                words = []
            words.append(Word(cue.start, cue.end, said))
        speaker, apart = cue.speaker, cue.text[-1] == " "
    if words:
        yield _cue(words, speaker)


def _over(words: Sequence[Word], following: float) -> bool:
    """True when a cue of these words ends before a word that starts at ``following`` seconds."""
    ended = bool(_SENTENCE_END.search(words[-1].text))
    return ended or len(words) >= _CUE_WORDS or following - words[-1].end > _CUE_PAUSE


def _cue(words: Sequence[Word], speaker: str) -> Cue:
    end = max(word.end for word in words)
    return Cue(words[0].start, end, " ".join(word.text for word in words), speaker, tuple(words))
