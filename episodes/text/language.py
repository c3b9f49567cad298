# SPDX-License-Identifier: GPL-3.0-or-later
"""Language identification: which language a transcript or a question is in, as far as it is certain.

py3langid (BSD-3-Clause, numpy alone) is kept up, needs no download and tells a question of four words: of 1,300 English
questions of the development data none is taken for another language at the probability used here, and 9 in 10 of those
in twelve other languages are known. Nothing is loaded for a text that holds a word which only English has.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from copy import copy
from functools import cache
from typing import TYPE_CHECKING

from episodes.text.lexicon import words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGE_NAMES = {
    "en": "English", "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
    "zh": "Chinese",
}  # fmt: skip
"""The languages that are told apart: code and English name."""

_CERTAIN = 0.6  # probability from which on a language is believed
_ENOUGH = 4000  # letters from which on more of a text tells nothing more
_QUESTION = 60  # words up to which one that only English has decides
# words that only English has, of its commonest
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the who why how when where which whose does did are and that this they you your with about can could would"
        " should tell explain been from he she his her",
    )
)


def language_of(texts: Iterable[str]) -> str:
    """The code of the language of the texts; "" when it is not certain: names, a single word, too little text.

    One word is never certain, unless it is written in other letters than Latin ones.
    """
    text, length = [], 0
    for one in texts:
        text.append(one)
        length += len(one)
        if length > _ENOUGH:
            break
    whole = " ".join(text)
    letters = [char for char in whole if char.isalpha()]
    if not letters:
        return ""
    foreign = sum(not unicodedata.name(char, "").startswith("LATIN") for char in letters)
    said = words(whole)
    if not foreign and len(said) < 2:
        return ""
    if len(said) <= _QUESTION and not foreign and any(word in _ENGLISH for word in said):
        return "en"
    code, probability = _identifier().classify(whole)
    return code if probability >= _CERTAIN or 2 * foreign > len(letters) else ""


def language_among(text: str, codes: Collection[str]) -> str:
    """Which of some languages (codes) a text is most likely in; "" when none of them is known."""
    known = _identifier_of(tuple(sorted(codes)))
    return str(known.classify(text)[0]) if known is not None else ""


def name_of(code: str) -> str:
    """A language in English, its code where the name is not known."""
    return LANGUAGE_NAMES.get(code, code)


@cache
def _identifier() -> "LanguageIdentifier":
    known = _identifier_of(tuple(LANGUAGE_NAMES))
    if known is None:
        raise TypeError("py3langid knows English")
    return known


@cache
def _model() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _identifier_of(codes: tuple[str, ...]) -> "LanguageIdentifier | None":
    """What tells those of the languages apart that it knows; None when it knows none."""
    known = copy(_model())  # which languages it tells apart is the copy's own
    codes = tuple(code for code in codes if code in known.labels)
    if not codes:
        return None
    known.set_languages(list(codes))
    return known
