# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts written for readers: HTML and plain text, with a time here and there or with none at all.

Podcasting 2.0's HTML names speakers with ``<cite>`` and times with ``<time>``; in plain text both stand at the
beginning of a line. Between two times that are known, the others are estimated by the number of characters.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from episodes.text.html import html_events, is_block, parse_html
from episodes.text.sentences import sentences
from episodes.transcripts.entries import USUAL, without_markup
from episodes.transcripts.speaker_labels import as_name, label, parts_of, speakers_of
from episodes.transcripts.times import clock_seconds
from voice.errors import TranscriptError
from voice.model import Cue

_STAMP = r"[\[(<]?((?:\d{1,3}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?)s?[\])>]?"
_UNTIL = rf"(?:\s{{0,3}}(?:-->|->|[-–—]|to)\s{{0,3}}{_STAMP.replace('((?:', '(?:(?:')})?"
_LEADING = re.compile(rf"\s{{0,20}}{_STAMP}{_UNTIL}(?:\s{{0,5}}[-–—:|]\s{{0,5}}|\s+|$|(?<=[\])])(?=\S))")
_HEADING = re.compile(rf"\s{{0,20}}([^\W\d][^:\n]{{0,60}}?)[\s,:(|@–—-]{{1,20}}{_STAMP}{_UNTIL}\s{{0,5}}:?\s{{0,20}}$")
_BOLD = re.compile(r"(\*\*|__)(?=\S)([^*_\n]{1,200})\1")
_FOOT = re.compile(r"(?:transcri(?:bed|ption|pt)|captions?|subtitles?)\s(?:provided\s|made\s|generated\s)?"
                   r"(?:by|with)\s.{0,80}"
                   r"(?:https?://|www\.|\.(?:ai|com|io|org|net|fm)\b)", re.IGNORECASE)  # fmt: skip
_LONGEST_HEADING = 160  # characters of a line that names a speaker and a time
_MOST_TIMED = 0.3
_TIMED = 0.05  # of the lines of a transcript that say when
_FASTEST = 30.0  # characters a second of fast talk
_SLOWEST = 6.0  # characters a second of slow talk
_MOST_BROKEN = 0.5  # share of the times; with more, the others are not to be believed either


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """What somebody says in one go: ``start`` in seconds where it is given."""

    text: str
    speaker: str = ""
    start: float | None = None


def read_html(markup: str, name: str, length: float = 0.0) -> tuple[list[Cue], int]:
    """The cues of an HTML transcript; see ``read_text``."""
    tree = parse_html(markup)
    return _cues(list(_from_html(tree)) if tree is not None else [], name, length)


def read_text(text: str, name: str, length: float = 0.0) -> tuple[list[Cue], int]:
    """The cues of a plain text (or Markdown) transcript, a sentence each, and how many of its times were broken and
    are estimated; ``name`` is the file's, for errors.

    ``length`` is that of the audio in seconds (0 when there is none): with it, a text without any times is spread over
    the whole. Raises TranscriptError when there is no text, no time and no length, or when most times go backwards.
    """
    return _cues(list(_from_text(text)), name, length)


def has_times(text: str) -> bool:
    """True when the text (or markup) says at least once when something was said."""
    if text.lstrip()[:1] == "<":
        tree = parse_html(text)
        return tree is not None and any(one.start is not None for one in _from_html(tree))
    return any(one.start is not None for one in _from_text(text))


def is_timed(text: str) -> bool:
    """True for a text that is a transcript by its times: not only a note in which a time of day stands."""
    if text.lstrip()[:1] == "<":
        return has_times(text)
    rows = list(_from_text(text))
    timed = sum(row.start is not None for row in rows)
    few = timed < _MOST_TIMED * len(rows)  # then they have to rise, as they do not where examples are quoted
    return timed > 1 and timed >= _TIMED * len(rows) and not (few and _rising(rows)[1])


def _cues(paragraphs: Sequence[_Paragraph], name: str, length: float) -> tuple[list[Cue], int]:
    spoken = _without_head([one for one in paragraphs if one.text])
    while spoken and _FOOT.match(spoken[-1].text[:300]):
        spoken.pop()
    if not spoken:
        raise TranscriptError(f"{name} has no text.", "Get the transcript again, or leave it out.")
    starts = [one.start for one in spoken if one.start is not None]
    if not starts and not length:
        raise TranscriptError(
            f"{name} has no cues: there is no line with times in it.", "Give a VTT, SRT or Podcasting 2.0 JSON file."
        )
    spoken, broken = _rising(spoken)
    if broken > _MOST_BROKEN * len(starts):
        raise TranscriptError(f"{name} has times that go backwards.", "Get the transcript again, or leave it out.")
    lines = sentences(list(_timed(spoken, length)))
    return [Cue(round(line.start, 3), round(max(line.start, line.end), 3), line.text, line.speaker)
            for line in lines], broken  # fmt: skip


def _without_head(spoken: list[_Paragraph]) -> list[_Paragraph]:
    """Paragraphs without what stands above the first time and cannot have been said before it: a title, a summary."""
    first = next((number for number, one in enumerate(spoken) if one.start is not None), 0)
    size = sum(len(one.text) for one in spoken[:first])
    timed = sum(one.start is not None for one in spoken)
    return spoken[first:] if first and timed > 1 and size > _FASTEST * (spoken[first].start or 0.0) else spoken


def _rising(spoken: Sequence[_Paragraph]) -> tuple[list[_Paragraph], int]:
    """Paragraphs whose times never go backwards, and how many lost theirs: all but the longest rising row of them."""
    ends: list[float] = []  # the smallest end of a rising row of each length
    places: list[int] = []
    before: list[int] = [-1] * len(spoken)
    for number, one in enumerate(spoken):
        if one.start is None:
            continue
        at = bisect_right(ends, one.start)
        before[number] = places[at - 1] if at else -1
        if at == len(ends):
            ends.append(one.start)
            places.append(number)
        else:
            ends[at], places[at] = one.start, number
    kept = set()
    number = places[-1] if places else -1
    while number >= 0:
        kept.add(number)
        number = before[number]
    broken = sum(one.start is not None for one in spoken) - len(kept)
    return [one if number in kept or one.start is None else replace(one, start=None)
            for number, one in enumerate(spoken)], broken  # fmt: skip


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
    for kind, part in html_events(tree):
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
            start = clock_seconds(heard["time"]) if part == "time" else start
        elif is_block(part) or part in heard:
            said = without_markup("".join(text)) if marked else " ".join("".join(text).split())
            text.clear()
            if said and marked:
                yield _Paragraph(said, without_markup(heard["cite"]).rstrip(": "), start)
                start = None
            elif said:
                lines.append(said)
    rest = " ".join("".join(text).split())
    if rest and marked:
        yield _Paragraph(without_markup(rest), without_markup(heard["cite"]).rstrip(": "), start)
    elif not marked:
        yield from _from_text("\n".join([*lines, rest]))


def _from_text(text: str) -> Iterator[_Paragraph]:
    """Paragraphs of a plain text: a line each, with what stands before its words as speaker and time."""
    rows = [_row(line) for line in text.splitlines() if line.strip()]
    timed = sum(row.start is not None for row in rows) > 1
    spoken = [row for row in rows if row.said and not row.heading]
    telling = [row for row in spoken if row.start is not None or not timed] or spoken
    names = speakers_of([[row.said] for row in telling])
    speaker, start = "", None
    for row in rows:
        start = row.start if row.start is not None else start
        if row.heading:
            speaker = row.said or speaker
            continue
        for who, said in parts_of([row.said], names):
            speaker = speaker if who is None else who
            if said:
                yield _Paragraph(said, speaker, start)
                start = None


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: what it says, when; ``heading`` when it only names who speaks from there on."""

    said: str
    start: float | None = None
    heading: bool = False


def _row(line: str) -> _Row:
    bare = without_markup(_BOLD.sub(r"\2", line.strip()).lstrip("#>").strip()) if line.strip() else ""
    if len(bare) <= _LONGEST_HEADING:
        heading = _HEADING.fullmatch(bare)
        name = as_name(heading.group(1)) if heading else ""
        if heading and name:
            return _Row(name, clock_seconds(heading.group(2)), heading=True)
    leading = _LEADING.match(bare[:200])
    if leading:
        start, rest = clock_seconds(leading.group(1)), bare[leading.end() :]
        if rest.endswith(":") and len(rest) < _LONGEST_HEADING and as_name(rest.rstrip(": ")):
            return _Row(as_name(rest.rstrip(": ")), start, heading=True)
        return _Row(rest, start)
    named = label(bare)
    behind = _LEADING.match(bare[named.at : named.at + 200]) if named and named.kind != "x:" else None
    if named and behind:  # "Ann: [00:04] …"
        return _Row(bare[: named.at] + bare[named.at + behind.end() :], clock_seconds(behind.group(1)))
    return _Row(bare)
