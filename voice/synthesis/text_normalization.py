# SPDX-License-Identifier: GPL-3.0-or-later
"""From written text to what is said: times and dates in words, no markup, in pieces short enough to be heard soon."""

import re
import unicodedata
from calendar import month_name
from collections.abc import Iterator

MOST_CHARACTERS = 280
"""Characters of a piece; a longer sentence is cut at its punctuation, or between words."""

FIRST = 48
"""Characters of a sentence that may stand first; a longer one gives its first clause away, so that sound comes soon."""

_SHORTEST_CLAUSE = 12  # characters: a shorter first clause is not worth a piece of its own

_LINK = re.compile(r"!?\[([^\[\]\n]{0,1000})\]\([^)\s\[\]]{0,2000}(?:\s{1,9}\"[^\"]{0,1000}\")?\)")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)(?:www\.)?([\w.-]+)(?:[/?#:][^\s<>)\]]*)?", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_BLOCK_MARK = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+•][ \t]+|\d{1,2}[.)][ \t]+(?=\D)|(?:[-*_=~`][ \t]*){3,}.*$)", re.MULTILINE
)
_EMPHASIS = re.compile(r"(?<!\w)[*_~`]+|[*_~`]+(?!\w)")
_MARK = re.compile(r"[|^\\{}\[\]<>]")
_TIME = re.compile(r"(?<![\d:.,])(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?![\d:])(?:\.\d+)?(\s*[ap]\.?m\b\.?)?", re.IGNORECASE)
_DATE = re.compile(r"(?<![\d-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\d-])")
_RANGE = re.compile(r"(?<=\d)\s*[-–—]\s*(?=\d{1,3}:\d{2})")
_UNIT = ("hour", "minute", "second")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|(?<=[。！？])")
_SHORT_FORM = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|No|e\.g|i\.e|etc|cf|approx|Jr|Sr)|\b[A-Z])\.$")
_CLAUSE_BEGIN = re.compile(
    r"(?<!\s)\s+(?=(?:and|but|because|which|that|when|where|while|if|so|who|than|until|unless|whether)\b)",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+|(?<!\s)\s+[–—]\s*|(?<!\s)\s+-\s+|—")


def speech_pieces(text: str) -> Iterator[str]:
    """The pieces of a text as they are spoken, in order, each at most ``MOST_CHARACTERS`` long and never empty.

    A piece is a sentence as a rule. Any string is fine, also one with nothing in it that can be spoken.
    """
    first = True
    for sentence in _sentences(speakable(text)):
        parts = list(_bounded(sentence))
        if first and len(parts[0]) > FIRST:
            parts[:1] = _first_clause(parts[0])
        first = False
        yield from parts


def speakable(text: str) -> str:
    """The text as it is read aloud: no markup, addresses, emoji or control characters, and times and dates in words."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8"))
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub(lambda found: found[1].rstrip(".") + "." * found[0].endswith("."), text)
    text = _TAG.sub(" ", text)
    text = _BLOCK_MARK.sub("\n\n", text)
    text = _DATE.sub(lambda found: f"{month_name[int(found[2])]} {int(found[3])}, {found[1]}", text)
    text = _RANGE.sub(" to ", text)
    text = _TIME.sub(_spoken_time, text)
    text = "".join(_speakable(letter) for letter in text)
    text = _MARK.sub(" ", _EMPHASIS.sub("", text))
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text)]
    blocks = [block for block in blocks if block]
    # a heading or an item of a list is a sentence of its own
    closed = [block if block[-1] in ".!?…,;:" else f"{block}." for block in blocks[:-1]]
    return " ".join([*closed, *blocks[-1:]])


def _speakable(letter: str) -> str:
    """The character, or what is said for it: nothing for emoji and controls, a blank for every kind of blank."""
    kind = unicodedata.category(letter)
    if letter == "\n":
        return letter
    if letter.isspace():
        return " "
    if kind[0] == "L":
        return unicodedata.normalize("NFKC", letter)  # the letters that posts borrow from mathematics
    if kind in ("Cc", "Cf", "Co", "Cn", "Cs", "So", "Sk", "Me"):
        return " " if kind == "So" else ""
    return letter


def _spoken_time(found: re.Match[str]) -> str:
    """"12:34" as "12 minutes 34", "1:02:03" as "1 hour 2 minutes 3", "0:45" as "45 seconds", "9:30 am" as "9 30 am"."""
    hours, minutes, seconds, half = found[1], int(found[2]), int(found[3]), found[4]
    if half:
        rest = "" if not seconds else f" oh {seconds}" if seconds < 10 else f" {seconds}"
        return f"{minutes}{rest}{half}"
    parts = [int(hours or 0), minutes, seconds]
    named = [(value, unit) for value, unit in zip(parts, _UNIT, strict=True) if value]
    if not named:
        return "the beginning"
    last = named[-1]
    words = [f"{value} {unit}{'s' * (value != 1)}" for value, unit in named]
    if last[1] == "second" and len(named) > 1 and minutes:
        words[-1] = str(last[0])  # "12 minutes 34"; "1 hour 3 seconds" keeps its unit
    return " ".join(words)


def _sentences(text: str) -> Iterator[str]:
    """Cut after a full stop, an exclamation or a question mark, but not after "Dr." or an initial."""
    begin = 0
    for end in _SENTENCE_END.finditer(text):
        if _SHORT_FORM.search(text[begin : end.start()].rstrip()):
            continue
        yield from _if_spoken(text[begin : end.end()])
        begin = end.end()
    yield from _if_spoken(text[begin:])


def _if_spoken(text: str) -> Iterator[str]:
    """The text without blanks around it, if a letter or digit is in it."""
    if any(letter.isalnum() for letter in text):
        yield text.strip()


def _bounded(sentence: str) -> Iterator[str]:
    """Cut a sentence into pieces of at most ``MOST_CHARACTERS``, best at the end of a clause."""
    while len(sentence) > MOST_CHARACTERS:
        ends = (end.end() for end in _CLAUSE_END.finditer(sentence, 0, MOST_CHARACTERS))
        cuts = [end for end in ends if end > MOST_CHARACTERS // 4]
        at = cuts[-1] if cuts else sentence.rfind(" ", 1, MOST_CHARACTERS)
        at = at if at > 0 else MOST_CHARACTERS
        yield from _if_spoken(sentence[:at])
        sentence = sentence[at:]
    yield from _if_spoken(sentence)


def _first_clause(sentence: str) -> list[str]:
    """A long sentence as its first clause and the rest; as it is when it has no clause in its first part.

    A clause ends at its punctuation, else before the word that begins the next one.
    """
    for bounds, shortest in ((_CLAUSE_END, _SHORTEST_CLAUSE), (_CLAUSE_BEGIN, 2 * _SHORTEST_CLAUSE)):
        for end in bounds.finditer(sentence, 0, FIRST + 2):
            head, rest = sentence[: end.start()], sentence[end.end() :]
            if len(head) >= shortest and any(letter.isalnum() for letter in rest):
                return [head if head[-1] in ",;:" else head + ",", rest]
    return [sentence]
