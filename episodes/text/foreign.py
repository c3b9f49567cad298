# SPDX-License-Identifier: GPL-3.0-or-later
"""The language of a short text, as far as it is certain.

py3langid (BSD-3-Clause, numpy alone) is kept up, needs no download and tells a question of four words: of 1,300 English
questions of the development data none is taken for another language at the probability used here, and 9 in 10 of those
in twelve other languages are known. Nothing is loaded for a text that holds an English question word or article.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

from episodes.text.lexicon import words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_CERTAIN = 0.6  # probability from which on a language is believed
_NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish", "fi": "Finnish",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip
# words that only English has, of its commonest
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the what who why how when where which whose does did do is are and of that this they you my your it to with"
        " about can could would should tell me explain there have has were been from for",
    )
)
# of these, what other languages have too: not enough alone
_SHARED = frozenset({"do", "is", "of", "me", "what", "has", "for", "was", "to", "my", "have", "it", "there"})


def other_language(text: str) -> str | None:
    """The name of the language of a text, in English; None for English and for what is not certain.

    One word is never certain, unless it is written in other letters than Latin ones.
    """
    letters = [char for char in text if char.isalpha()]
    foreign = sum(not unicodedata.name(char, "").startswith("LATIN") for char in letters)
    if not letters:
        return None
    said = words(text)
    if not foreign and (len(said) < 2 or any(word in _ENGLISH - _SHARED for word in said)):
        return None
    code, probability = _identifier().classify(text)
    if code != "en" and (probability >= _CERTAIN or 2 * foreign > len(letters)):
        return _NAMES.get(code, "another language")
    return None


def language_among(text: str, codes: Collection[str]) -> str:
    """Which of some languages (codes) a text is most likely in; "" when none of them is known."""
    known = _identifier_of(tuple(sorted(codes)))
    return str(known.classify(text)[0]) if known is not None else ""


def name_of(code: str) -> str:
    """A language in English, its code where the name is not known."""
    return _NAMES.get(code, code)


@cache
def _identifier() -> "LanguageIdentifier":
    known = _identifier_of(("en", *_NAMES))
    if known is None:
        raise TypeError("py3langid knows English")
    return known


@cache
def _identifier_of(codes: tuple[str, ...]) -> "LanguageIdentifier | None":
    """What tells those of the languages apart that it knows; None when it knows none."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    known = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    codes = tuple(code for code in codes if code in known.labels)
    if not codes:
        return None
    known.set_languages(list(codes))
    return known
