# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentence templates: what is done to a sentence before hassil, Home Assistant's intent library, matches it whole."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.commands.command_patterns import expand

_PUNCTUATION = re.compile(r"[^\w\s'.:%]|(?<!\d)[.:]|[.:](?!\d)")


@cache
def templates(path: Path) -> dict[str, Any]:
    """A file of templates, read once."""
    import yaml

    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return found


def normalized(text: str) -> str:
    """Small letters without punctuation; times and numbers stay ("2:30", "1.5")."""
    return " ".join(_PUNCTUATION.sub(" ", text.lower().replace("’", "'")).split())


def times_said(sentence: str) -> str:
    """Times on the clock as one says them: "2:30" is "2 minutes 30 seconds", "1:05:00" "1 hour 5 minutes 0 seconds"."""
    sentence = re.sub(
        r"\b(\d+):(\d\d):(\d\d)\b",
        lambda found: f"{int(found[1])} hours {int(found[2])} minutes {int(found[3])} seconds", sentence,
    )  # fmt: skip
    sentence = re.sub(r"\b(\d+):(\d\d)\b", lambda found: f"{int(found[1])} minutes {int(found[2])} seconds", sentence)
    return re.sub(r"(\d)\s*%", r"\1 percent", re.sub(r"\b(\d+)s\b", r"\1 seconds", sentence))


_CONTRACTED = re.compile(
    r"\b(?P<is>who|what|where|when|why|how|that|it|there|here|he|she|this)(?:'s|(?<=what|here|that)s(?= ))"
    r"|\b(?P<who>they|we|you)'re|\b(?P<have>i|they|we|you)'ve|\b(?P<will>i|they|we|you|it|that)'ll"
    r"|\b(?P<would>i|they|we|you)'d|\bi'm\b|\bwhats\b|\bwhos\b|\bhows\b|\bwheres\b"
)
_WRITTEN_OUT = {"i'm": "i am", "whats": "what is", "whos": "who is", "hows": "how is", "wheres": "where is"}
_ENDINGS = {"is": "is", "who": "are", "have": "have", "will": "will", "would": "would"}


def written_out(sentence: str) -> str:
    """A plain sentence with its contractions in full ("who's" is "who is"), so that templates need one form only."""

    def full(found: re.Match[str]) -> str:
        kind = found.lastgroup
        return f"{found[kind]} {_ENDINGS[kind]}" if kind else _WRITTEN_OUT[found[0]]

    return _CONTRACTED.sub(full, sentence)


class Politeness:
    """Takes off what is said around a sentence: phrases ``before`` and ``behind`` it, as small patterns with (a|b) and
    [a]; ``asking`` are more of those before, after which a sentence asks whether one could."""

    def __init__(self, before: Iterable[str], behind: Iterable[str], asking: Iterable[str] = ()) -> None:
        said, modal = _any(before), _any(asking) or r"(?!)"
        self._before = re.compile(rf"(?:(?P<asking>{modal})|(?:{said}))\s+(?=\S)")
        self._behind = re.compile(rf"(?<!\s)\s+(?:{_any(behind)})$")

    def bare(self, sentence: str) -> tuple[str, bool]:
        """The sentence without it, and whether it was put as asking."""
        asked = False
        while match := self._before.match(sentence):
            asked = asked or match["asking"] is not None
            sentence = sentence[match.end() :]
        return self.ended(sentence), asked

    def ended(self, sentence: str) -> str:
        """The sentence without what is said behind it."""
        while match := self._behind.search(sentence):
            sentence = sentence[: match.start()]
        return sentence


def _any(patterns: Iterable[str]) -> str:
    """A regular expression for any sentence of the patterns, the longest first."""
    said = {sentence for pattern in patterns for sentence in expand(pattern) if sentence}
    return "|".join(re.escape(sentence) for sentence in sorted(said, key=len, reverse=True))
