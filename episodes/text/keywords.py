# SPDX-License-Identifier: GPL-3.0-or-later
"""The rare words that an episode is likely to hold, for the recogniser to lean towards."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from episodes.text.lexicon import content_words
from episodes.text.word_use import usage

MOST_KEYWORDS = 40
"""How many are handed over: a recogniser's prompt is short."""

_RARE = -11.0  # log-probability of a word under which it is rare
_ADDRESS = re.compile(
    r"(?<!\S)(?:\S{0,500}?(?:://|www\.|@)|\S{1,500}\.(?:com|org|net|io|fm|co)\b)\S*", re.IGNORECASE
)
_NAME = re.compile(r"\b[A-Z][\w'’-]*[\w](?:[ \t]+(?:of|de|van|von|der|the)?[ \t]?[A-Z][\w'’-]*[\w])*")
_SENTENCE = re.compile(r"(?:^|[.!?:;•*\-–|]\s{1,12}|\n\s{0,12}|\d\s{1,12})$")
_COMMON = frozenset({
    "about", "all", "also", "an", "and", "apple", "april", "are", "as", "at", "august", "by", "check", "click",
    "december", "email", "episode", "episodes", "facebook", "february", "find", "follow", "for", "friday",
    "from", "get", "guest", "guests", "have", "here", "host", "hosts", "how", "i", "if", "in", "instagram",
    "is", "it", "january", "join", "july", "june", "learn", "links", "listen", "march", "may", "monday", "more",
    "music", "new", "notes", "november", "now", "october", "of", "on", "our", "patreon", "photo", "please",
    "podcast", "produced", "produces", "read", "review", "saturday", "see", "september", "share", "show",
    "sign", "sponsor", "sponsors", "spotify", "subscribe", "sunday", "support", "thank", "thanks", "that",
    "the", "this", "thursday", "to", "today", "topics", "transcript", "tuesday", "twitter", "us", "visit",
    "watch", "we", "wednesday", "what", "when", "where", "who", "why", "with", "you", "your", "youtube",
})  # fmt: skip


def keywords(title: str, show: str, guests: Sequence[str], notes: str) -> tuple[str, ...]:
    """The title, the show, the guests and the names in the show notes (plain text), at most ``MOST_KEYWORDS``, the
    surest first.

    A name is a run of capitalised words that does not only stand at the beginning of sentences, or that has several
    words, or capitals inside (GPT, PyTorch); the addresses and everyday words of show notes are none.
    """
    text = _ADDRESS.sub(" ", notes)
    counts: Counter[str] = Counter()
    inside: set[str] = set()
    for match in _NAME.finditer(text):
        words = match.group().split()
        while words and words[0].lower() in _COMMON:
            words = words[1:]
        while words and words[-1].lower() in _COMMON:
            words = words[:-1]
        name = " ".join(words)
        if not name or len(words) > 4:
            continue
        counts[name] += 1
        begins = match.group() == name and bool(_SENTENCE.search(text[max(0, match.start() - 12) : match.start()]))
        if len(words) > 1 or not begins or re.search(r"[A-Z]", name[1:]):
            inside.add(name)
    found = [name for name, _ in counts.most_common() if name in inside]
    given = [" ".join(part.split()) for part in (title, show, *guests)]
    every = dict.fromkeys(part for part in (*given, *found) if part)
    return tuple(every)[:MOST_KEYWORDS]


def rare_words(texts: Iterable[str], most: int = 24) -> list[str]:
    """The words of a transcript that say what it is about and that spoken English seldom uses, the most said first.

    They are in small letters; a word has to be said twice. At most ``most`` of them.
    """
    counts = Counter(word for text in texts for word in content_words(text))
    rare = [(word, count) for word, count in counts.items() if count > 1 and _is_rare(word)]
    return [word for word, _ in sorted(rare, key=lambda entry: -entry[1])[:most]]


def _is_rare(word: str) -> bool:
    known = usage(word)
    return len(word) > 3 and word.isalpha() and (known is None or known.common < _RARE)
