# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of titles and names as the library files and looks them up."""

import re
import unicodedata

_WORD = re.compile(r"\w+")
_ARTICLES = {
    "": ("the", "a", "an"), "en": ("the", "a", "an"), "de": ("der", "die", "das", "ein", "eine"),
    "fr": ("le", "la", "les", "l", "un", "une"), "es": ("el", "la", "los", "las", "un", "una"),
    "it": ("il", "lo", "la", "i", "gli", "le", "l", "un", "uno", "una"), "nl": ("de", "het", "een"),
    "pt": ("o", "a", "os", "as", "um", "uma"), "sv": ("en", "ett"), "da": ("en", "et"),
}  # fmt: skip
"""By language ("" where it is not known) words that do not count in an order of titles when one begins with them."""

_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


def sort_key(title: str, language: str = "") -> str:
    """What a title is put in order by, compared letter by letter: case, accents, marks and a leading article do not
    count, and numbers go by what they count ("9" before "10").

    Umlauts stand with their vowels (DIN 5007-1).
    """
    plain = unicodedata.normalize("NFKD", title.casefold()).translate(_LETTERS)
    words = _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    if len(words) > 1 and words[0] in _ARTICLES.get(language, ()):
        del words[0]
    return " ".join(re.sub(r"\d+", _counted, word) for word in words)


def _counted(digits: re.Match[str]) -> str:
    """A number behind how many digits it has, so that a longer one comes later; more than 99 do not occur."""
    plain = digits[0].lstrip("0") or "0"
    return f"{min(len(plain), 99):02}{plain}"


def search_text(*texts: str) -> str:
    """Texts as they are searched: their words, case folded, each behind a blank, by which its beginning is known."""
    return "".join(f" {word}" for text in texts for word in _WORD.findall(text.casefold()))


def wanted(query: str) -> list[str]:
    """The words that a person typed, case folded: something has to begin with each."""
    return _WORD.findall(query.casefold())


def name_words(name: str) -> list[str]:
    """The parts of a person's name, and the whole of it, case folded."""
    whole = name.casefold()
    return list(dict.fromkeys((whole, *whole.split())))
