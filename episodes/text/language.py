# SPDX-License-Identifier: GPL-3.0-or-later
"""Language identification: which language a text is written in, by its most frequent words."""

import re
from collections import Counter
from collections.abc import Iterable

NAMES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}
"""The languages that are told apart, by code."""

_ENOUGH = 2  # of its words that a text has to hold
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_FREQUENT = {
    "en": "the and of to is are was were what why how who when where does did do you they it that this these those with"
          " for from about have has had not can would will there which it's he she we my your their be been say said",
    "de": "der die das und ist sind war waren was warum wie wer wann wo nicht ein eine einen einem einer ich du er sie"
          " wir ihr mit von zu auf für auch dass es den dem des im sich hat haben wird werden oder aber über nach sagt",
    "es": "el los las y es son era qué por cómo quién cuándo dónde que una un del con para como pero más está están"
          " ha han ser fue lo le se su sus muy también hay porque sobre dice nosotros ellos yo esto este esta",
    "fr": "le les et est sont était quoi pourquoi comment qui quand où que une un des du avec pour pas dans ce cette"
          " ces il elle nous vous ils elles je tu ne sur mais plus aussi être avoir a ont c'est qu'est parce dit au",
}  # fmt: skip
_OF = {code: frozenset(words.split()) for code, words in _FREQUENT.items()}


def language_of(texts: Iterable[str]) -> str:
    """The code of the language of the texts, "" when it cannot be told: too little text, or another language."""
    hits: Counter[str] = Counter()
    for text in texts:
        for word in _WORD.findall(text.lower().replace("’", "'")):
            hits.update(code for code, words in _OF.items() if word in words)
    ranked = hits.most_common(2)
    if not ranked or ranked[0][1] < _ENOUGH or (len(ranked) > 1 and ranked[0][1] < 1.5 * ranked[1][1]):
        return ""
    return ranked[0][0]
