# SPDX-License-Identifier: GPL-3.0-or-later
"""Editors' headings as people would ask for them, and as a recogniser might hear it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import numpy as np

WAYS = (
    "What is {}?", "What do they say about {}?", "Tell me about {}.", "Where do they talk about {}?", "What about {}?",
    "Can you explain {}?", "Why does {} matter?", "How does {} work?", "I want to hear about {}.", "{}",
)  # fmt: skip
_LONG = 5  # letters of a word that may be misheard


def asked(text: str, pick: np.random.Generator) -> str:
    """A heading as a spoken question; what is a question already stays one."""
    plain = text.strip().rstrip(".").replace("`", "")
    if plain.endswith("?"):
        return plain
    first = plain.partition(" ")[0]
    if first[1:].islower() and first.isalpha():
        plain = plain[0].lower() + plain[1:]
    return str(pick.choice(WAYS)).format(plain)


def misheard(text: str, pick: np.random.Generator, vocabulary: Sequence[str]) -> str:
    """The text without its marks and capitals, one of its longer words taken for another or broken in two."""
    words = re.findall(r"[\w']+", text.lower())
    long = [number for number, word in enumerate(words) if len(word) >= _LONG]
    if not long:
        return " ".join(words)
    at = int(pick.choice(long))
    word = words[at]
    similar = [other for other in get_close_matches(word, vocabulary, 6, 0.5) if other[:5] != word[:5]]
    if similar and pick.random() < 0.7:
        words[at] = str(pick.choice(similar))
    else:
        cut = int(pick.integers(2, len(word) - 2))
        parts = (get_close_matches(part, vocabulary, 1, 0.6) for part in (word[:cut], word[cut:]))
        words[at] = " ".join(part[0] for part in parts if part) or "something"
    return " ".join(words)


def common_words(texts: Iterable[str], count: int = 4000) -> list[str]:
    """The words that a recogniser is most likely to take others for."""
    counts = Counter(word for text in texts for word in re.findall(r"[a-z']{2,}", text.lower()))
    return [word for word, _ in counts.most_common(count)]
