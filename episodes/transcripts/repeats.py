# SPDX-License-Identifier: GPL-3.0-or-later
"""Captions that are shown again are not said again: rolling, roll-up and growing captions, highlighted words, words
that overlap from cue to cue, and cues that stand on both sides of a segment's edge.

What is done depends on how the whole file behaves; a line that somebody says twice stays.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from episodes.transcripts.entries import Entry, without_markup
from episodes.transcripts.times import clock_seconds
from voice.model import Word

_SHARE = 0.2  # of the captions that show the last line of the one before
_HABIT = 0.5  # of the captions that are the one before once more
_GROWING = 0.4  # of the captions that begin with the last words of the one before
_LONGEST_OVERLAP = 60  # words
_TOUCHING = 0.1  # seconds between two showings of one caption
_LONG = 4  # words of a caption that is not said twice within a moment
_MARKED = re.compile(r"<u>([^<>]{1,80})</u>", re.IGNORECASE)
_STAMP = re.compile(r"<((?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3})>")


def said_once(entries: Sequence[Entry]) -> list[Entry]:
    """Entries, in order and with good times, without what they only show again."""
    found = _merged(entries)
    found = _without_lines(found)
    return _without_words(found)


def _merged(entries: Sequence[Entry]) -> list[Entry]:
    """One entry for each caption that is shown several times in a row, from its first showing to its last."""
    texts = [entry.text for entry in entries]
    pairs = list(zip(entries, texts, strict=True))
    same = sum(a[1] == b[1] and _touch(a[0], b[0]) for a, b in pairwise(pairs))
    habit = same >= max(3, _HABIT * len(entries))  # the file shows everything again
    found: list[tuple[Entry, str]] = []
    for entry, text in pairs:
        last, shown = found[-1] if found else (None, "")
        if last is not None and text == shown and entry.speaker == last.speaker and _touch(last, entry):
            exact = (entry.start, entry.end) == (last.start, last.end)
            if (exact and " " in text) or habit or len(text.split()) >= _LONG:
                found[-1] = (_joined(last, entry), text)
                continue
        found.append((_with_mark(entry), text))
    return [_whole(entry, text) for entry, text in found]


def _touch(first: Entry, second: Entry) -> bool:
    return (second.start or 0.0) - (first.end or 0.0) <= _TOUCHING


def _joined(first: Entry, again: Entry) -> Entry:
    marked = _with_mark(again)
    fresh = () if again.words == first.words else marked.words
    words = first.words
    if fresh and words and fresh[0].start >= words[-1].start:
        words = (*words[:-1], replace(words[-1], end=fresh[0].end)) if fresh[0].text == words[-1].text and (
            fresh[0].start <= words[-1].end) else (*words, *fresh)  # fmt: skip
    end = max(first.end or 0.0, again.end or 0.0)
    return replace(first, end=end, words=words or fresh)


def _with_mark(entry: Entry) -> Entry:
    """An entry with the word that it underlines, as whisperX does while that is said."""
    if entry.words:
        return entry
    marked = _MARKED.findall(" ".join(entry.lines)) if any("<u>" in line for line in entry.lines) else []
    if len(marked) != 1:
        return entry
    return replace(entry, words=(Word(entry.start or 0.0, entry.end or 0.0, without_markup(marked[0])),))


def _whole(entry: Entry, text: str) -> Entry:
    """An entry that keeps the words that were underlined only when they are all of it."""
    if not entry.words or not any("<u>" in line.lower() for line in entry.lines):
        return entry
    said = sum(len(word.text) for word in entry.words)
    return entry if said >= 0.9 * len(text.replace(" ", "")) - 20 and len(entry.words) > 1 else replace(entry, words=())


def _without_lines(entries: Sequence[Entry]) -> list[Entry]:
    """Entries without the lines that live captions show again while they scroll up."""
    lines = [[line for line in map(str.strip, entry.lines) if without_markup(line)] for entry in entries]
    bare = [[without_markup(line) for line in block] for block in lines]
    again = sum(len(now) > 1 and bool(before) and now[0] == before[-1] for before, now in pairwise(bare))
    if again < max(2, _SHARE * len(entries)):
        return list(entries)
    kept: list[Entry] = []
    before: list[str] = []
    for entry, block, now in zip(entries, lines, bare, strict=True):
        shown = next((n for n in range(min(len(before), len(now)), 0, -1) if before[-n:] == now[:n]), 0)
        if block[shown:]:
            kept.append(replace(entry, lines=tuple(block[shown:])))
        before = now or before
    return kept


def _without_words(entries: Sequence[Entry]) -> list[Entry]:
    """Entries without the words with which the one before ended, where captions overlap or grow by habit."""
    texts = [entry.text.split() for entry in entries]
    overlaps = [0] + [_overlap(a, b) for a, b in pairwise(texts)]
    if sum(count > 1 or (count == 1 and count == len(before) and len(now) > 1)
           for count, before, now in zip(overlaps[1:], texts, texts[1:], strict=False)) \
            < max(2, _GROWING * (len(entries) - 1)):  # fmt: skip
        return list(entries)
    kept: list[Entry] = []
    for number, (entry, count) in enumerate(zip(entries, overlaps, strict=True)):
        grown = number > 0 and count == len(texts[number - 1])
        last = kept[-1] if kept else None
        if last is None or not (count > 1 or grown) or (entry.start or 0.0) > (last.end or 0.0) + 2.0:
            kept.append(entry)
            continue
        fresh = texts[number][count:]
        end = max(last.end or 0.0, entry.end or 0.0)
        if not fresh:
            kept[-1] = replace(last, end=end)
            continue
        if grown and entry.speaker == last.speaker:  # a caption that grows word by word is one
            begun = last.words or tuple(_spread(last))
            added = _spread(replace(entry, start=max(entry.start or 0.0, begun[-1].end)), fresh) if begun else []
            kept[-1] = replace(last, end=end, lines=entry.lines, words=(*begun, *added))
            continue
        start = min(max(entry.start or 0.0, min(last.end or 0.0, entry.end or 0.0)), entry.end or 0.0)
        kept.append(replace(entry, start=start, lines=(" ".join(fresh),), words=entry.words[count:]))
    return kept


def _spread(entry: Entry, said: Sequence[str] | None = None) -> list[Word]:
    """The words of an entry (or those that are ``said`` in its time), each with its share of the time."""
    texts = entry.text.split() if said is None else said
    start, end = entry.start or 0.0, max(entry.start or 0.0, entry.end or 0.0)
    size, done, words = sum(map(len, texts)) or 1, 0, []
    for text in texts:
        begin = start + (end - start) * done / size
        done += len(text)
        words.append(Word(round(begin, 3), round(start + (end - start) * done / size, 3), text))
    return words


def _overlap(before: Sequence[str], now: Sequence[str]) -> int:
    """How many words at the end of one text are the first ones of the next."""
    most = min(len(before), len(now), _LONGEST_OVERLAP)
    low = [word.lower().strip(".,!?") for word in before[-most:]] if most else []
    high = [word.lower().strip(".,!?") for word in now[:most]]
    return next((count for count in range(most, 0, -1) if low[-count:] == high[:count]), 0)


def stamped_words(entry: Entry) -> tuple[Word, ...]:
    """The words of a caption with a time in front of some ("<00:00:01.500>"), as YouTube and WebVTT write them."""
    line = " ".join(entry.lines)
    if "<" not in line or not _STAMP.search(line):
        return ()
    parts = _STAMP.split(line)
    times = [entry.start or 0.0, *(clock_seconds(stamp) or 0.0 for stamp in parts[1::2]), entry.end or 0.0]
    if any(after < before for before, after in pairwise(times)):
        return ()
    words: list[Word] = []
    for text, start, end in zip(parts[::2], times, times[1:], strict=False):
        words += _spread(Entry(start, end, (text,)))
    return tuple(words)
