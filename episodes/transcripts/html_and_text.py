# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts written for readers: HTML and plain text, with a time here and there or with none at all.

Podcasting 2.0's HTML names speakers with ``<cite>`` and times with ``<time>``; in plain text both stand at the
beginning of a line. Between two times that are known, the others are estimated by the number of characters.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from episodes.text.html import is_block, parse_html, pieces
from episodes.text.sentences import sentences
from episodes.transcripts.captions import plain
from episodes.transcripts.chapters import seconds
from voice.errors import TranscriptError
from voice.model import Cue

USUAL = 15.0
"""Characters a second of ordinary talk."""

_STAMP = r"[\[(<]?((?:\d{1,2}:)?\d{1,3}:\d{2}(?:\.\d{1,3})?)[\])>]?"
_LEADING = re.compile(rf"\s*{_STAMP}(?:\s*[-–—:|]\s*|\s+|$|(?<=\])(?=\S))")
_HEADING = re.compile(rf"\s*([^\W\d][^:\n]{{0,60}}?)[\s,:(]+{_STAMP}\s*:?\s*$")
_SPEAKER = re.compile(r"\s*([^\W\d_][\w.'’&-]{0,30}(?: [\w.'’&-]{1,30}){0,3})\s*:\s+(?=\S)")
_SLOWEST = 6.0  # characters a second of slow talk
_LEAST_NAMED = 2  # lines that a name must begin to be a speaker's


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """What somebody says in one go: ``start`` in seconds where it is given."""

    text: str
    speaker: str = ""
    start: float | None = None


def read_html(markup: str, name: str, length: float = 0.0) -> list[Cue]:
    """The cues of an HTML transcript; see ``read_text``."""
    tree = parse_html(markup)
    return _cues(list(_from_html(tree)) if tree is not None else [], name, length)


def read_text(text: str, name: str, length: float = 0.0) -> list[Cue]:
    """The cues of a plain text transcript, a sentence each; ``name`` is the file's, for errors.

    ``length`` is that of the audio in seconds (0 when there is none): with it, a text without any times is spread over
    the whole. Raises TranscriptError when there is no text, no time and no length, or times that go backwards.
    """
    return _cues(list(_from_text(text)), name, length)


def has_times(text: str) -> bool:
    """True when the text (or markup) says at least once when something was said."""
    if text.lstrip()[:1] == "<":
        tree = parse_html(text)
        return tree is not None and any(one.start is not None for one in _from_html(tree))
    return any(one.start is not None for one in _from_text(text))


def _cues(paragraphs: Sequence[_Paragraph], name: str, length: float) -> list[Cue]:
    spoken = [one for one in paragraphs if one.text]
    if not spoken:
        raise TranscriptError(f"{name} has no text.", "Get the transcript again, or leave it out.")
    starts = [one.start for one in spoken if one.start is not None]
    if not starts and not length:
        raise TranscriptError(f"{name} has no cues: there is no line with times in it.",
                              "Give a VTT, SRT or Podcasting 2.0 JSON file.")
    if any(after < before for before, after in pairwise(starts)):
        raise TranscriptError(f"{name} has times that go backwards.", "Get the transcript again, or leave it out.")
    lines = sentences(list(_timed(spoken, length)))
    return [Cue(round(line.start, 3), round(max(line.start, line.end), 3), line.text, line.speaker) for line in lines]


def _timed(spoken: Sequence[_Paragraph], length: float) -> Iterator[Cue]:
    """Each paragraph with a start and an end: given ones stay, others take their share of the time between."""
    spoken = spoken if spoken[0].start is not None else [replace(spoken[0], start=0.0), *spoken[1:]]
    marks = [number for number, one in enumerate(spoken) if one.start is not None]
    for first, after in pairwise([*marks, len(spoken)]):
        group = spoken[first:after]
        begin = group[0].start or 0.0
        size = sum(len(one.text) for one in group)
        if after < len(spoken):
            end = spoken[after].start or 0.0
        elif length > begin:
            end = length
        else:
            end = begin + size / USUAL
        if len(marks) > 1:  # a long pause is a pause, not slow talk
            end = min(end, begin + max(1.0, size / _SLOWEST))
        done = 0
        for one in group:
            start = begin + (end - begin) * done / size
            done += len(one.text)
            yield Cue(start, begin + (end - begin) * done / size, one.text, one.speaker)


def _from_html(tree: object) -> Iterator[_Paragraph]:
    """Paragraphs of a page; ``<cite>`` and ``<time>`` hold for what follows. Without them it is read as lines."""
    text: list[str] = []
    heard: dict[str, str] = {"cite": "", "time": ""}
    inside = ""
    start: float | None = None
    marked = False
    lines: list[str] = []
    for kind, part in pieces(tree):
        if kind == "begin" and part in heard:
            inside, marked = part, True
            heard[part] = ""
        if kind == "text" and inside:
            heard[inside] += part
        elif kind == "text":
            text.append(part)
        if kind == "text":
            continue
        if kind == "end" and part == inside:
            inside = ""
            start = seconds(heard["time"]) if part == "time" else start
        elif is_block(part) or part in heard:
            said = plain("".join(text)) if marked else " ".join("".join(text).split())
            text.clear()
            if said and marked:
                yield _Paragraph(said, plain(heard["cite"]).rstrip(": "), start)
                start = None
            elif said:
                lines.append(said)
    rest = " ".join("".join(text).split())
    if rest and marked:
        yield _Paragraph(plain(rest), plain(heard["cite"]).rstrip(": "), start)
    elif not marked:
        yield from _from_text("\n".join([*lines, rest]))


def _from_text(text: str) -> Iterator[_Paragraph]:
    """Paragraphs of a plain text: a line each, with what stands before its words as speaker and time."""
    lines = [line for line in text.splitlines() if line.strip()]
    names = _names(lines)
    speaker, start = "", None
    for line in lines:
        heading = _HEADING.fullmatch(line)
        if heading and len(heading.group(1).split()) <= 4:
            speaker, start = plain(heading.group(1)), seconds(heading.group(2))
            continue
        leading = _LEADING.match(line)
        if leading:
            start = seconds(leading.group(1))
            line = line[leading.end() :]
        named = _SPEAKER.match(line)
        if named and named.group(1) in names:
            speaker = named.group(1)
            line = line[named.end() :]
        elif leading and line.rstrip().endswith(":") and len(line.split()) <= 4:
            speaker, line = plain(line).rstrip(": "), ""
        said = plain(line)
        if said:
            yield _Paragraph(said, speaker, start)
            start = None


def _names(lines: Iterable[str]) -> frozenset[str]:
    """Whom lines begin with, told from phrases that merely end in a colon: they come again."""
    found: dict[str, int] = {}
    for line in lines:
        leading = _LEADING.match(line)
        match = _SPEAKER.match(line[leading.end() :] if leading else line)
        if match and match.group(1)[:1].isupper():
            found[match.group(1)] = found.get(match.group(1), 0) + 1
    return frozenset(name for name, times in found.items() if times >= _LEAST_NAMED)
