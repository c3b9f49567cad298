# SPDX-License-Identifier: GPL-3.0-or-later
"""Stems: roughly those of the words that carry the meaning of an English text, and by Snowball those of others."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock


def stems(text: str) -> set[str]:
    """Rough stems of the words of a text that carry meaning."""
    return {word[:5] for word in re.findall(r"[^\W_]{3,}", text.lower()) if word not in _EMPTY}


_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "the and for are but not you all any can had her was one our out has him his how its may new now old see two"
        " way who did does what when where which why will with would could should have this that these those they"
        " them there their then than from into about your been being were some such only over also just like more"
        " most other mean means say says said tell happen happens think really know going get",
    )
)


def has_stems(language: str) -> bool:
    """Whether words of a language (a code) are stemmed by ``stem``: Snowball knows it, and it is not English, whose
    words the index stems by itself."""
    return language in _SNOWBALL


_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip


_TURN = Lock()


@lru_cache(20_000)
def stem(word: str, language: str) -> str:
    """The stem of a lower-case word of a ``language`` (a code) that Snowball knows, else the word; without accents,
    which people leave out when they write a question."""
    with _TURN:  # a stemmer keeps the word that it is at
        stemmed = _stemmer(language)(word) if language in _SNOWBALL else word
    plain = unicodedata.normalize("NFKD", stemmed)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)) or word


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    import snowballstemmer

    by_word: Callable[[str], str] = snowballstemmer.stemmer(_SNOWBALL[language]).stemWord
    return by_word
