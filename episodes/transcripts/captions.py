# SPDX-License-Identifier: GPL-3.0-or-later
"""The caption formats made of text lines: WebVTT, SubRip, and YouTube's SubViewer (.sbv).

Block structure is left to webvtt-py and srt; both are silent about times they cannot read, so the time lines are
checked here first, and handed to them in the one form both understand.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voice.errors import TranscriptError
from voice.model import Cue

NEXT_STEP = "Correct it in a text editor, or get the transcript again."
BACKWARDS = 5.0
"""Seconds by which a cue may begin before the one above it: people talk across each other. More is a broken file."""

_TIME = r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,6})(?:[.,](\d{1,9}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s|$)")
_SBV_TIMES = re.compile(r"^[ \t]*(\d{1,4}:\d[^\s,]*)[ \t]*,[ \t]*(\d{1,4}:\d[^\s,]*)[ \t]*$", re.MULTILINE)
_COUNTER = re.compile(r"\n[ \t]*\n\d{1,6}[ \t]*\n")  # the number of a cue whose time line is missing
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?(?:[ \t]+([^>]*))?>|(</v>)", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>|<[\d:.]+>|\{\\[^{}]{0,100}\}")
_NAME = r"[^\W\d_][\w.'’&-]{0,30}(?: (?:[^\W\d_]|\d)[\w.'’&-]{0,30}){0,3}"
_NAMED = re.compile(rf"(?:({_NAME})|\[({_NAME})\]):\s+(?=\S)")  # "Ann: …", and "[SPEAKER_00]: …" as WhisperX writes
_DIALOGUE = re.compile(r"\s*(?:[-–—]\s+|(?:>|&gt;){2,}\s*)")  # how captions mark that another person speaks
_PARTICLES = frozenset({"de", "van", "von", "der"})
_NO_NAMES = frozenset({
    "Note", "Question", "Answer", "Warning", "Remember", "Today", "Example", "Quote", "First", "Second", "Third",
    "Finally", "Again", "Also", "So", "And", "But", "Well", "Yes", "No", "OK", "Okay", "Like", "Subtitles",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caption:
    """One block of a caption file: ``start`` and ``end`` in seconds, its lines still with their markup."""

    start: float
    end: float
    lines: tuple[str, ...]


def read_vtt(text: str, name: str) -> list[Cue]:
    """The cues of a WebVTT file; ``name`` is the file's, for errors. Raises TranscriptError for broken times."""
    import webvtt

    checked = _checked(text, name, ".")
    try:
        blocks = webvtt.from_string(checked).captions
    except (webvtt.errors.MalformedFileError, webvtt.errors.MalformedCaptionError) as error:
        raise TranscriptError(f"{name} is not valid WebVTT ({error}).", NEXT_STEP) from error
    return _cues([
        Caption(block.start_time.in_milliseconds() / 1000, block.end_time.in_milliseconds() / 1000, tuple(block.lines))
        for block in blocks
    ])


def read_srt(text: str, name: str) -> list[Cue]:
    """The cues of a SubRip file; ``name`` is the file's, for errors. Raises TranscriptError for broken times."""
    import srt

    checked = _checked(text, name, ",")
    try:
        blocks = list(srt.parse(_from_first_time(checked)))
    except (srt.SRTParseError, ValueError) as error:
        raise TranscriptError(f"{name} is not a valid SRT file ({error}).", NEXT_STEP) from error
    return _cues([
        Caption(
            block.start.total_seconds(), block.end.total_seconds(), tuple(_COUNTER.sub("\n", block.content).split("\n"))
        )
        for block in blocks
    ])


def is_sbv(begin: str) -> bool:
    """True for the beginning of a SubViewer file: a line with two times and a comma between them."""
    return bool(_SBV_TIMES.match(begin))


def read_sbv(text: str, name: str) -> list[Cue]:
    """The cues of a SubViewer file, which is SubRip without numbers and with a comma for the arrow."""
    return read_srt(_SBV_TIMES.sub(r"\1 --> \2", "\n".join(text.splitlines())), name)


def _from_first_time(checked: str) -> str:
    """An SRT file without what stands above its first cue, which the srt library takes for damage."""
    lines = checked.split("\n")
    first = next((number for number, line in enumerate(lines) if "-->" in line), len(lines))
    return "\n".join(lines[first:])


def plain(text: str) -> str:
    """Text without markup: tags gone, entities resolved, white space single, control characters dropped."""
    bare = html.unescape(_TAG.sub("", text))
    return " ".join("".join(char if char.isprintable() or char.isspace() else "" for char in bare).split())


def clock(seconds: float, point: str = ".") -> str:
    """``HH:MM:SS.mmm``, as both formats write a time."""
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02d}:{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}{point}{total % 1000:03d}"


def escaped(text: str) -> str:
    """Text as markup that ``plain`` turns into the same text again."""
    return html.escape(text, quote=False).replace("{\\", "{&#92;")


def as_said(text: str) -> str:
    """Plain text as a WebVTT payload that reads back as the same text, not as markup, a dialogue dash or a speaker."""
    safe = escaped(text)
    if _DIALOGUE.match(safe):
        safe = f"&#{ord(text[0])};{escaped(text[1:])}"
    return safe.replace(":", "&#58;", 1) if _NAMED.match(safe) else safe


def _checked(text: str, name: str, point: str) -> str:
    """The file with every time line in its full form; other lines that carry an arrow lose it."""
    lines = text.splitlines()
    latest, since = 0.0, 0
    for number, line in enumerate(lines):
        if "-->" not in line:
            continue
        match = _TIMES.match(line)
        if match is None and not _meant_as_times(lines, number):
            lines[number] = line.replace("-->", "→")
            continue
        times = match and (_seconds(match.groups()[:4]), _seconds(match.groups()[4:]))
        if not times or times[0] is None or times[1] is None:
            raise _broken(name, number, f"“{line.strip()[:60]}” is not a pair of times")
        start, end = times[0], times[1]
        if end < start:
            raise _broken(name, number, f"the cue ends before it starts ({clock(start)} to {clock(end)})")
        if start < latest - BACKWARDS:
            raise _broken(
                name, number, f"the times go backwards, to {clock(start)} after {clock(latest)} in line {since}"
            )
        if start > latest:
            latest, since = start, number + 1
        lines[number] = f"{clock(start, point)} --> {clock(end, point)}"
    return "\n".join(lines) + "\n"


def _broken(name: str, number: int, what: str) -> TranscriptError:
    return TranscriptError(f"{name}, line {number + 1}: {what}.", NEXT_STEP)


def _meant_as_times(lines: Sequence[str], number: int) -> bool:
    """True when a line with an arrow stands where times belong and one side begins like a time."""
    before = [line.strip() for line in lines[max(0, number - 2) : number]]
    leads = not before or not before[-1] or before[-1].isdecimal() or len(before) < 2 or not before[0]
    sides = [side.strip() for side in lines[number].split("-->", 1)]
    comment = bool(before) and before[-1].startswith("NOTE")
    return leads and not comment and any(side[:1].isdecimal() or side[:1] in {"-", ":"} for side in sides if side)


def _seconds(fields: Sequence[str | None]) -> float | None:
    """Seconds from (hours, minutes, seconds, fraction); None when minutes or seconds run over."""
    hours, minutes, seconds, fraction = (int(field or 0) for field in (*fields[:3], "0"))
    if (fields[1] and seconds > 59) or (fields[0] and minutes > 59):
        return None
    return hours * 3600 + minutes * 60 + seconds + (round(float(f"0.{fields[3]}"), 3) if fields[3] else fraction)


def _cues(captions: Iterable[Caption]) -> list[Cue]:
    """Cues with plain text and speakers; a caption with two voices becomes two cues that share its time."""
    captions = [
        Caption(caption.start, caption.end, tuple(_undashed(line).strip() for line in caption.lines))
        for caption in _unrolled(list(captions))
    ]
    tagged = any(_VOICE.search(line) for caption in captions for line in caption.lines)
    names = frozenset() if tagged else _names(captions)
    cues: list[Cue] = []
    speaker = ""
    for caption in captions:
        if tagged:
            parts = [(who, plain(said)) for who, said in _voices("\n".join(caption.lines))]
        else:
            parts = [(who or "", plain(said)) for who, said in _turns(caption.lines, names, speaker)]
            speaker = parts[-1][0] if parts else speaker
        cues += _shared(caption, [(who, said) for who, said in parts if said])
    return cues


def _undashed(line: str) -> str:
    match = _DIALOGUE.match(line)
    return line[match.end() :] if match else line


def _shared(caption: Caption, parts: Sequence[tuple[str, str]]) -> Iterator[Cue]:
    """The parts of a caption, each with its share of the time by its number of characters."""
    whole = sum(len(said) for _, said in parts)
    start, length, done = caption.start, caption.end - caption.start, 0
    for who, said in parts:
        done += len(said)
        end = caption.end if done == whole else round(caption.start + length * done / whole, 3)
        yield Cue(start, end, said, who)
        start = end


def _voices(text: str) -> Iterator[tuple[str, str]]:
    """(speaker, text) pieces of a caption with ``<v Name>`` tags."""
    speaker, at = "", 0
    for match in _VOICE.finditer(text):
        yield speaker, text[at : match.start()]
        speaker, at = "" if match.group(2) else plain(match.group(1) or ""), match.end()
    yield speaker, text[at:]


def _turns(lines: Iterable[str], names: frozenset[str], speaker: str) -> Iterator[tuple[str, str]]:
    """(speaker, text) pieces of a caption whose lines may begin with ``Name:``; a name holds until the next."""
    said: list[str] = []
    for line in lines:
        match = _NAMED.match(line)
        if match and _name(match) in names:
            if said:
                yield speaker, " ".join(said)
            speaker, said = _name(match), [line[match.end() :]]
        else:
            said.append(line)
    yield speaker, " ".join(said)


def _names(captions: Sequence[Caption]) -> frozenset[str]:
    """The speakers named as ``Name:`` at the beginning of lines, told from phrases that merely end in a colon."""
    found: Counter[str] = Counter()
    opening = ""
    for number, caption in enumerate(captions):
        for line in caption.lines:
            match = _NAMED.match(line)
            if match and _name(match) not in _NO_NAMES and _like_a_name(_name(match)):
                found[_name(match)] += 1
                opening = _name(match) if number == 0 else opening
    if max(found.values(), default=0) < 3 and not (opening and found.total() > 1):
        return frozenset()
    return frozenset(name for name, times in found.items() if times > 1 or name == opening or " " in name)


def _name(match: re.Match[str]) -> str:
    """The name that a match of ``_NAMED`` found."""
    return match.group(1) or match.group(2)


def _like_a_name(text: str) -> bool:
    return all(word[:1].isupper() or word[:1].isdecimal() or word in _PARTICLES for word in text.split())


def _unrolled(captions: Sequence[Caption]) -> list[Caption]:
    """Captions without the lines that live captions show again while they scroll up."""
    lines = [[line for line in map(str.strip, caption.lines) if plain(line)] for caption in captions]
    bare = [[plain(line) for line in block] for block in lines]
    again = sum(len(now) > 1 and bool(before) and now[0] == before[-1] for before, now in pairwise(bare))
    if again < max(2, 0.2 * len(captions)):
        return list(captions)
    kept: list[Caption] = []
    before: list[str] = []
    for caption, block, now in zip(captions, lines, bare, strict=True):
        shown = next((n for n in range(min(len(before), len(now)), 0, -1) if before[-n:] == now[:n]), 0)
        if block[shown:]:
            kept.append(Caption(caption.start, caption.end, tuple(block[shown:])))
        before = now or before
    return kept
