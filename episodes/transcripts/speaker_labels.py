# SPDX-License-Identifier: GPL-3.0-or-later
"""Who says it, where that stands in the text: "Ann: …", "[SPEAKER_01] …", ">> ANN: …", "<v Ann>…", a name on a line
of its own, and a name in the middle of a caption.

What is a name shows in the whole file: how it is written, how often it comes, and how many lines begin so. A label
that is none of the file's names ends the turn of whoever spoke before, so that nobody is quoted with another's words.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from episodes.transcripts.entries import Entry, without_markup
from voice.model import Cue, Word

LabelledPart = tuple[str | None, str]
"""(speaker, text): None while nobody new is named, "" for somebody whose name is not known."""

_LONGEST = 70  # characters of a label
_MOST_WORDS = 8
_LEAST_SHARE = 0.004  # of the captions that begin with a label, where labels are names: a turn in half an hour
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,100})?(?:[ \t]{1,5}([^>]{0,200}))?>|(</v>)", re.IGNORECASE)
_OPENING = re.compile(r"(?:[-–—•]\s+|[-–](?=[\[(A-Z])|(?:>|&gt;){2,3}\s*)")
_CHANGE = re.compile(r"(?:(?<=\s)|^)>{2,3}(?=\s|\w|$)\s*")
_ASIDE = re.compile(
    r"(?<!\s)\s*(?:\([^()]{1,40}\)|\[[^\[\]]{1,40}\]|\|.{1,40}|\s[-–@]\s.{1,40}|,\s?[A-Z][\w.]{1,12})\s*$"
)
_ESCAPED = re.compile(r"\s{0,20}&#\d{1,7};")
_ROLE = re.compile(
    r"(?:speaker|spk|user|participant|guest|host|caller|voice|person|interviewer|interviewee|narrator|moderator|"
    r"announcer|unknown|unknown speaker|unidentified speaker|male|female|man|woman|iphone|ipad|phone|operator|audience)"
    r"(?:[ _#-]{0,2}[\w.-]{1,12})?", re.IGNORECASE
)  # fmt: skip
_PARTICLES = frozenset({"de", "da", "di", "do", "du", "del", "den", "der", "el", "la", "le", "ten", "ter", "van", "von",
                        "zu", "zum", "bin", "ibn", "al", "y", "e", "and", "&", "of", "the", "from", "on"})  # fmt: skip
_NO_NAMES = frozenset({
    "note", "question", "answer", "warning", "remember", "today", "example", "quote", "first", "second", "third",
    "finally", "again", "also", "so", "and", "but", "well", "yes", "no", "ok", "okay", "like", "subtitles", "http",
    "https", "now", "next", "then", "plus", "meaning", "update", "spoiler", "disclaimer", "source", "title", "summary",
    "chapter", "part", "step", "ps", "p.s", "re", "fact", "tip", "see", "listen", "look", "wait", "right", "one", "two",
    "three", "because", "translation", "transcript", "transcribed by", "captions by", "subtitles by",
})  # fmt: skip
_FUNCTION = frozenset({
    "a", "an", "the", "and", "but", "or", "so", "if", "it", "it's", "is", "are", "was", "were", "be", "been", "this",
    "that", "that's", "these", "those", "there", "there's", "here", "here's", "what", "what's", "which", "who", "when",
    "where", "why", "how", "my", "your", "our", "his", "her", "their", "its", "i", "i'm", "i'll", "you", "we", "he",
    "she", "they", "of", "to", "in", "at", "for", "with", "as", "by", "from", "not", "do", "does", "did", "have", "has",
    "had", "will", "would", "can", "could", "should", "like", "just", "about", "than", "then", "said", "say", "says",
    "because", "let", "let's", "think", "know", "one", "into", "out", "up", "on",
})  # fmt: skip
_SAYING = frozenset({
    "is", "are", "was", "were", "be", "it", "it's", "that's", "this", "i", "i'm", "you", "we", "they", "he", "she",
    "there", "there's", "here", "here's", "what", "what's", "do", "does", "did", "have", "has", "had", "will", "would",
    "can", "could", "should", "think", "know", "said", "say", "says", "not", "if", "because", "but", "so",
})  # fmt: skip
_SOUNDS = frozenset({
    "music", "laughter", "laughs", "laugh", "laughing", "applause", "inaudible", "crosstalk", "silence", "pause",
    "chuckles", "chuckle", "sighs", "sigh", "cheering", "clears throat", "coughs", "cough", "noise", "background noise",
    "foreign", "unintelligible", "indistinct", "music playing", "theme music", "ad break", "advertisement", "beep",
    "blank_audio", "end", "start", "intro", "outro", "sic",
})  # fmt: skip
_SENTENCE_END = (".", "!", "?", "…", "-", "—", "–", '"', "”", ",")


class _Literal(str):
    """A line whose beginning was written with escapes ("&#65;nn: …"): text, whatever it looks like."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Label:
    """What may be a speaker's name at the beginning of a line: ``at`` is where the text behind it begins; ``kind`` is
    ":" with a blank behind it, "x:" without, "[]" for brackets."""

    name: str
    at: int
    kind: str


def attribute_entries(entries: Sequence[Entry]) -> list[tuple[Entry, list[LabelledPart]]]:
    """Each entry with its parts (plain text), the speaker of each part filled in."""
    if any(_VOICE.search(line) for entry in entries for line in entry.lines if "<" in line):
        voiced = [list(_voices(" ".join(entry.lines))) for entry in entries]
        tagged = frozenset(who for parts in voiced for who, _ in parts if who)
        return [(entry, _told_apart(parts, tagged)) for entry, parts in zip(entries, voiced, strict=True)]
    given = any(entry.speaker for entry in entries)
    blocks = [_lines(entry) for entry in entries]
    names = _names(blocks) if not given else _known(entries, blocks)
    heads = frozenset() if given else _headings(blocks)
    found: list[tuple[Entry, list[LabelledPart]]] = []
    speaker = ""
    for entry, lines in zip(entries, blocks, strict=True):
        if entry.speaker:
            speaker = entry.speaker
        elif given:
            speaker = ""
        parts: list[LabelledPart] = []
        for who, said in _parts(lines, names, heads):
            speaker = speaker if who is None else who
            if not said:
                continue
            if parts and parts[-1][0] == speaker:
                parts[-1] = (speaker, f"{parts[-1][1]} {said}")
            else:
                parts.append((speaker, said))
        found.append((entry, parts))
    return found


def speakers_of(blocks: Sequence[Sequence[str]]) -> frozenset[str]:
    """The names that stand as labels in front of lines (plain text), one block of lines for each entry."""
    return frozenset(_names(blocks))


def parts_of(lines: Sequence[str], names: frozenset[str]) -> Iterator[LabelledPart]:
    """The parts of one entry's lines (plain text), with ``names`` as ``speakers_of`` found them."""
    return _parts(lines, names, frozenset())


def as_name(text: str) -> str:
    """A text as a speaker's name when it is written like one, else empty."""
    bare = without_markup(text).strip(" :,|-–—(*")
    fits = bool(bare) and _plausible(bare) and (_strong(bare) or (_weak(bare) and len(bare.split()) <= 3))
    return bare if fits else ""


def cues_of(entry: Entry, parts: Sequence[LabelledPart]) -> Iterator[Cue]:
    """The parts of an entry as cues, each with its share of the time by its words' times or number of characters."""
    start, end = entry.start or 0.0, entry.end or 0.0
    words = entry.words
    if len(parts) == 1:
        yield Cue(round(start, 3), round(end, 3), parts[0][1], parts[0][0] or "", words)
        return
    whole, done = sum(len(said) for _, said in parts), 0
    place = 0
    begin = start
    for number, (who, said) in enumerate(parts):
        done += len(said)
        mine = _words_of(said, words, place)
        place += len(mine)
        stop = end if number == len(parts) - 1 else start + (end - start) * done / whole
        if mine and number < len(parts) - 1:
            stop = max(begin, mine[-1].end)
        yield Cue(round(begin, 3), round(max(begin, stop), 3), said, who or "", mine)
        begin = stop


def _words_of(said: str, words: Sequence[Word], place: int) -> tuple[Word, ...]:
    """The words, from ``place`` on, that make up a text; none when they do not."""
    mine: list[Word] = []
    at = 0
    for word in words[place:]:
        found = said.find(word.text.strip(), at)
        if found < 0 or found > at + 2:
            break
        at = found + len(word.text.strip())
        mine.append(word)
    return tuple(mine)


def _voices(text: str) -> Iterator[tuple[str, str]]:
    """(speaker, text) pieces of a caption with ``<v Name>`` tags."""
    speaker, at = "", 0
    for match in _VOICE.finditer(text):
        yield speaker, without_markup(text[at : match.start()])
        speaker, at = "" if match.group(2) else without_markup(match.group(1) or ""), match.end()
    yield speaker, without_markup(text[at:])


def _told_apart(parts: Sequence[tuple[str, str]], names: frozenset[str]) -> list[LabelledPart]:
    """The parts of a tagged caption; the text of one may name others of the tagged speakers."""
    found: list[LabelledPart] = []
    for tagged, text in parts:
        who = tagged
        for named, said in _split_inside(None, text, names):
            who = who if named is None else named
            if said:
                found.append((who, said))
    return found


def _lines(entry: Entry) -> list[str]:
    """The lines of an entry as plain text, with what tells that another person speaks left in."""
    found = ((without_markup(line), bool(_ESCAPED.match(line))) for line in entry.lines)
    return [_Literal(line) if literal else line for line, literal in found if line]


def label(line: str) -> Label | None:
    """What a line (plain text) begins with when that may be somebody's name."""
    if isinstance(line, _Literal):
        return None
    opening = _OPENING.match(line)
    begin = opening.end() if opening else 0
    rest = line[begin : begin + _LONGEST + 2]
    if rest[:1] in "[(" and rest:
        close = rest.find("]" if rest[0] == "[" else ")")
        inside = rest[1:close].strip() if close > 1 else ""
        if inside and _plausible(inside):
            behind = begin + close + 1
            if line[behind : behind + 1] in (":", "："):
                return Label(inside, _skip(line, behind + 1), ":")
            if line[behind:].strip():
                return Label(inside, _skip(line, behind), "[]")
        return None
    at = min((place for place in (rest.find(":"), rest.find("：")) if place > 0), default=-1)
    if at < 0:
        return None
    name = rest[:at].strip()
    if not _plausible(name):
        return None
    after = line[begin + at + 1 : begin + at + 2]
    if after and not after.isspace() and rest[at] != "：":
        return Label(name, begin + at + 1, "x:") if after.isalpha() or after in "\"“'‘¿¡" else None
    return Label(name, _skip(line, begin + at + 1), ":")


def _skip(line: str, at: int) -> int:
    return len(line) - len(line[at:].lstrip())


def _plausible(name: str) -> bool:
    """True for what can be a name at all: few words, a letter, no sentence."""
    bare = _ASIDE.sub("", name).strip() or name
    words = bare.split()
    if not words or len(words) > _MOST_WORDS or name.lower() in _NO_NAMES or name.lower() in _SOUNDS:
        return False
    if not any(char.isalpha() for char in bare) or any(char in bare for char in '!?;“”"<>{}=…/\\'):
        return False
    if any(word.endswith((".", ",")) and len(word) > 5 for word in words[:-1]) or bare[-1] in ",":
        return False
    return not (words[0][:1].isdigit() and not _ROLE.fullmatch(bare) and not words[0][-1:].isalpha())


def _strong(name: str) -> bool:
    """True for what is written as names are: capitals, a script without them, or "speaker 1"."""
    bare = _ASIDE.sub("", name).strip() or name
    if _ROLE.fullmatch(bare):
        return True
    words = bare.split()
    if words[0].lower().rstrip(".") in _NO_NAMES:
        return False
    first = words[0].lower()
    if first in _FUNCTION and not (bare.isupper() and len(words) == 1) and first not in ("el", "la", "do"):
        return False
    return all(_as_in_names(word) for word in words)


def _as_in_names(word: str) -> bool:
    bare = word.strip("'\"“”‘’()[].,&-")
    if not bare:
        return True
    return bare.lower() in _PARTICLES or not bare[0].islower() or any(char.isupper() for char in bare[:3])


def _weak(name: str) -> bool:
    """True for a name in small letters: no word of a sentence in it."""
    words = [word.lower().strip(".,()[]") for word in name.split()]
    return len(words) <= 4 and not any(word in _FUNCTION or word in _NO_NAMES for word in words)


def _stranger(name: str) -> bool:
    """True for a label that describes somebody ("The woman at the door"): it begins large and says nothing."""
    words = {word.lower().strip(".,()[]") for word in name.split()}
    return name[:1].isupper() and not words & _SAYING and not words & _NO_NAMES


def _names(blocks: Sequence[Sequence[str]]) -> frozenset[str]:
    """The speakers of a file that names them in its text."""
    found: dict[str, Counter[str]] = {":": Counter(), "x:": Counter(), "[]": Counter()}
    labelled, spoken, opening = 0, 0, ""
    for number, lines in enumerate(blocks):
        marks = [label(line) for line in lines]
        spoken += bool(lines)
        labelled += bool(marks and marks[0])
        for mark in marks:
            if mark:
                found[mark.kind][mark.name] += 1
        if number == 0 and marks and marks[0] and marks[0].kind == ":":
            opening = marks[0].name
    share = labelled / max(1, spoken)
    known = _accepted(found[":"], share, opening)
    known |= {name for name, times in found["x:"].items() if name in known or (
        times > 1 and share >= 0.5 and _strong(name) and len(name.split()) <= 3)}  # fmt: skip
    bracketed = {name: times for name, times in found["[]"].items() if _strong(name)}
    most = sum(bracketed.values())
    if most >= max(2, 0.4 * spoken) or known:
        known |= {name for name, times in bracketed.items() if name in known or (
            most >= max(2, 0.4 * spoken) and (times > 1 or share > 0.8))}  # fmt: skip
    for first, second in (("q", "a"), ("question", "answer")):
        pair = {name for name in (*found[":"], *found["x:"]) if name.lower() in (first, second)}
        known |= pair if len(pair) == 2 else set()
    return frozenset(known)


def _accepted(found: Counter[str], share: float, opening: str) -> set[str]:
    strong = {name: times for name, times in found.items() if _strong(name)}
    most, whole = max(strong.values(), default=0), sum(strong.values())
    several = sum(times > 1 for times in strong.values()) > 1 or opening in strong or share >= 0.3
    often = most >= 3 and several and share >= _LEAST_SHARE
    named = often or (opening in strong and whole > 1) or (share >= 0.5 and most >= 2) or (share >= 0.8 and whole > 1)
    if not named:
        return set()
    known = {name for name, times in strong.items()
             if times > 1 or name == opening or share >= 0.95 or " " in name or _ROLE.fullmatch(name)}  # fmt: skip
    least = 2 if share >= 0.5 else 3
    return known | {name for name, times in found.items() if times >= least and _weak(name)} | {
        name for name in found if share >= 0.9 and _weak(name)}  # fmt: skip


def _known(entries: Sequence[Entry], blocks: Sequence[Sequence[str]]) -> frozenset[str]:
    """The speakers whom the form names; the text may name them once more, or others that nobody gave a field."""
    given = {entry.speaker for entry in entries if entry.speaker}
    return frozenset(given | _inside(blocks, given))


def _inside(blocks: Sequence[Sequence[str]], given: set[str]) -> set[str]:
    """Full names that stand several times as labels, though no field names them."""
    found = Counter(mark.name for lines in blocks for mark in map(label, lines) if mark and mark.kind == ":")
    return {name for name, times in found.items()
            if times > 1 and name not in given and _strong(name) and 2 <= len(name.split()) <= 4
            and not _ROLE.fullmatch(name)}  # fmt: skip


def _headings(blocks: Sequence[Sequence[str]]) -> frozenset[str]:
    """Names that stand on a line of their own above what is said, as Teams writes them."""
    first = Counter(lines[0] for lines in blocks if len(lines) > 1 and len(lines[0]) <= _LONGEST)
    several = sum(len(lines) > 1 for lines in blocks)
    heads = {line for line, times in first.items()
             if times > 1 and _plausible(line) and _strong(line) and line[-1] not in ".,!?:;"}  # fmt: skip
    covered = sum(first[line] for line in heads)
    if covered < max(2, 0.6 * several) or several < 0.6 * len(blocks):
        return frozenset()
    return frozenset(heads | {line for line in first if _plausible(line) and _strong(line) and line[-1] not in ".,!?:;"
                              and 1 <= len(line.split()) <= 4})  # fmt: skip


def _parts(lines: Sequence[str], names: frozenset[str], heads: frozenset[str]) -> Iterator[LabelledPart]:
    """(speaker, text) of the lines of one entry; see ``LabelledPart``."""
    dashed = len(lines) > 1 and sum(line.startswith(("- ", "– ", "— ")) for line in lines) > 1
    for number, line in enumerate(lines):
        if number == 0 and len(lines) > 1 and line in heads:
            yield line, ""
            continue
        if isinstance(line, _Literal):
            yield None, str(line)
            continue
        pieces = _CHANGE.split(line) if ">>" in line else [line]
        for place, piece in enumerate(pieces):
            if not piece.strip():
                continue
            changed = place > 0 or (dashed and number > 0 and line.startswith(("- ", "– ", "— ")))
            yield from _labelled(piece.strip(), names, changed, number == 0 or changed)


def _labelled(line: str, names: frozenset[str], changed: bool, opens: bool) -> Iterator[LabelledPart]:
    mark = label(line)
    who: str | None = "" if changed else None
    if mark and mark.name in names:
        who, line = mark.name, line[mark.at :]
    else:
        opening = _OPENING.match(line)
        line = line[opening.end() :] if opening else line
        if mark and opens and names and mark.kind == ":" and (_strong(mark.name) or _stranger(mark.name)):
            who = ""
    yield from _split_inside(who, line, names)


def _split_inside(who: str | None, line: str, names: frozenset[str]) -> Iterator[LabelledPart]:
    """A line in which others begin to speak: "… the block. Sjors Provoost: So an eclipse attack …"."""
    at = 0
    search = 0
    while (colon := line.find(":", search)) > 0:
        search = colon + 1
        if line[colon + 1 : colon + 2].strip():
            continue
        before = line[max(at, colon - _LONGEST) : colon]
        name = next((one for one in _endings(before) if one in names), "")
        begin = colon - len(name)
        ahead = line[at:begin].rstrip()
        if not name or not ahead or (" " not in name and not ahead.endswith(_SENTENCE_END[:4])):
            continue
        yield who, ahead
        who, at = name, _skip(line, colon + 1)
        search = max(search, at)
    yield who, line[at:].strip()


def _endings(text: str) -> Iterator[str]:
    """The last words of a text that may be a name, the longest first."""
    words = text.split(" ")
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        yield " ".join(words[-count:])
