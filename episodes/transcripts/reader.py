# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts that others wrote, whatever their form, as cues: what a file is shows in its content, not in its name.

Each form has a reader of its own that gives entries as they stand in the file. What is done to them is the same for
all: broken times are repaired, what is only shown again goes, speakers' labels leave the text, and long cues are
divided.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from episodes.transcripts.captions import is_sbv, read_captions, read_sbv
from episodes.transcripts.decoding import read_text_file
from episodes.transcripts.entries import GENERATOR, Entry
from episodes.transcripts.html_and_text import has_times, read_html, read_text
from episodes.transcripts.json_forms import read_json
from episodes.transcripts.repair import LATEST_TIME, Repaired, as_cue, repaired, without_overlap
from episodes.transcripts.repeats import said_once, stamped_words
from episodes.transcripts.shape import from_words, shaped
from episodes.transcripts.speaker_labels import attribute_entries, cues_of
from episodes.transcripts.subtitles import form_of, read_subtitles
from episodes.transcripts.tables import is_lrc, read_lrc, read_table
from episodes.transcripts.times import time_line
from episodes.transcripts.ttml import is_ttml, read_ttml
from voice.errors import TranscriptError
from voice.model import Cue

SUFFIXES = (".vtt", ".srt", ".json", ".sbv", ".ttml", ".dfxp", ".ass", ".ssa", ".lrc", ".tsv", ".jsonl", ".json3",
            ".smi")  # fmt: skip
"""File name endings of transcripts, the preferred one first."""

PROSE = (".txt", ".md", ".html", ".htm")
"""File name endings of texts, which are transcripts when there are times in them."""

DOCUMENTS = (".docx", ".pdf", ".odt", ".doc", ".rtf")
"""File name endings of documents, which are no transcripts that can be read, and are named as what they are."""

_GIVE = "Give a VTT, SRT or Podcasting 2.0 JSON file."
_STAMPED = re.compile(r"\[\s{0,3}\d+[:.]\d\d|\[[^\W\d]|\[\d{1,7}\]\s{0,3}\[|\{\d{1,8}\}\{")  # text, not JSON
_FEED = re.compile(r"<(?:rss|feed|opml|rdf:rdf)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The cues of a transcript, in order, and what is to be said of the way it was read (may be empty)."""

    cues: tuple[Cue, ...]
    remark: str = ""


def read_transcript(path: Path, length: float = 0.0) -> list[Cue]:
    """The cues of a transcript file; see ``load_transcript``."""
    return list(load_transcript(path, length).cues)


def load_transcript(path: Path, length: float = 0.0) -> Transcript:
    """Read a transcript file.

    Its cues come in order of their start, with plain text (markup is dropped, entities are resolved) and with speakers
    where the file names them. Transcripts with a time for each word become cues of about a sentence that keep the
    words. HTML and plain text have few times or none: those between are estimated, with the help of the audio's
    ``length`` in seconds, which also tells which times are impossible. Raises TranscriptError with the file's name and
    the reason when it cannot be read.
    """
    text, name = read_text_file(path), path.name
    begin = text.lstrip()[:200]
    if not begin:
        raise TranscriptError(f"{name} is empty.", "Get the transcript again, or leave it out.")
    if begin[0] in "{[" and not _STAMPED.match(begin):
        rows = read_json(text, name)
        own = [row for row in rows if isinstance(row, Cue)]
        if own:
            return Transcript(tuple(sorted(own, key=lambda cue: cue.start)))
        entries = [row for row in rows if isinstance(row, Entry)]
        words = _single_words(entries)
        if words:
            return Transcript(tuple(words))
        return _finished(entries, name, length, lines_apart=True)
    found = _entries(text, begin, path, length)
    return found if isinstance(found, Transcript) else _finished(found, name, length)


def _entries(text: str, begin: str, path: Path, length: float) -> list[Entry] | Transcript:
    name = path.name
    first = begin.splitlines()[0].strip()
    if begin.startswith("WEBVTT"):
        entries = read_captions(text, vtt=True)
        return _as_they_are(entries, name) if first == f"WEBVTT - {GENERATOR}" else entries
    if form := form_of(text):
        return read_subtitles(text, form, name)
    if is_ttml(text):
        return read_ttml(text, name)
    if is_lrc(text):
        return read_lrc(text)
    if begin[0] != "<":
        head = text[:20_000].splitlines()[:400]
        if any(time_line(line) for line in head) or "-->" in text:
            return read_captions(text, vtt=path.suffix.lower() == ".vtt" and not _is_count(first))
        if is_sbv(text[:4000]):
            return read_sbv(text)
        table = read_table(text)
        if table:
            return table
    elif begin[:5].lower() == "<?xml" or _FEED.match(begin):
        kind = "a feed" if _FEED.search(text[:4000]) else "XML"
        raise TranscriptError(f"{name} is {kind}, not a transcript that can be read.", _GIVE)
    if path.suffix.lower() in SUFFIXES and not has_times(text):  # a page that says "not found", mostly
        raise TranscriptError(f"{name} has no cues: there is no line with times in it.", _GIVE)
    read = read_html if begin[0] == "<" else read_text
    cues, broken = read(text, name, length)
    return Transcript(tuple(shaped(cues)), Repaired((), broken).remark(len(cues)))


def _is_count(line: str) -> bool:
    return line.strip().isdecimal()


def _as_they_are(entries: Sequence[Entry], name: str) -> Transcript:
    if any("<v" in line for entry in entries for line in entry.lines):
        cues = [cue for entry, parts in attribute_entries(entries) for cue in cues_of(entry, parts)]
    else:
        cues = [as_cue(entry) for entry in entries]
    cues = [cue for cue in cues if cue.text]
    if not cues:
        raise TranscriptError(f"{name} has no cues with text.", "Get the transcript again, or leave it out.")
    return Transcript(tuple(sorted(cues, key=lambda cue: cue.start)))


def _single_words(entries: Sequence[Entry]) -> list[Cue]:
    """Sentences out of entries of one word (or a blank, or a mark) each; empty when they are longer."""
    spoken = [entry for entry in entries if entry.text]
    timed = all(entry.start is not None and entry.end is not None and 0 <= entry.start <= entry.end < LATEST_TIME
                for entry in entries)  # fmt: skip
    if not spoken or not timed or median(len(entry.text.split()) for entry in spoken) > 1:
        return []
    if any(len(entry.words) > 1 for entry in entries):
        return []
    ordered = sorted(entries, key=lambda entry: entry.start or 0.0)
    return list(from_words([replace(as_cue(entry), text=_spaced(entry)) for entry in ordered]))


def _spaced(entry: Entry) -> str:
    """Plain text that keeps a blank at either end, which tells words from parts of words."""
    body, said = "".join(entry.lines), entry.text
    if not said:
        return " " * bool(body)
    return f"{' ' * body[:1].isspace()}{said}{' ' * body[-1:].isspace()}"


def _finished(entries: Sequence[Entry], name: str, length: float, lines_apart: bool = False) -> Transcript:
    """What is the same for all forms: good times, everything once, speakers, cues of a useful size."""
    fixed = repaired(entries, name, length)
    once = without_overlap(said_once(fixed.entries))
    stamped = [replace(entry, words=entry.words or stamped_words(entry)) for entry in once]
    cues = [cue for entry, parts in attribute_entries(stamped) for cue in cues_of(entry, parts)]
    cues = shaped([cue for cue in cues if cue.text], lines_apart)
    if not cues:
        raise TranscriptError(f"{name} has no cues with text.", "Get the transcript again, or leave it out.")
    if cues[-1].end > LATEST_TIME:
        raise TranscriptError(f"{name} has times beyond {LATEST_TIME / 3600:.0f} hours.", "Get the transcript again.")
    whole = sum(1 for entry in entries if entry.text)
    return Transcript(tuple(sorted(cues, key=lambda cue: cue.start)), fixed.remark(whole))
