# SPDX-License-Identifier: GPL-3.0-or-later
"""How English uses a word: as a noun, an adjective or a verb, and how often.

No lexicon is asked, but the trigram language model that pocketsphinx carries for its recogniser: what stands after
"the …" and before "is" is a noun, what stands after "very" is an adjective, what stands after "to" is a verb.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

RAREST = -16.0
"""The log-probability of a word that is rarer than all the model knows."""

_NATS = math.log(1.0001)  # pocketsphinx counts in this logarithm
_NOUN = ("the", "a", "of", "this")
_ADJECTIVE = ("very", "more", "is", "so")
_VERB = ("to", "they", "i", "can")
_AFTER_NOUN = ("of", "is", "and", "</s>", "in", "that", "to", "was")


@dataclass(frozen=True, slots=True)
class Usage:
    """A word in general English, in nats.

    ``common`` is its log-probability; ``noun``, ``adjective`` and ``verb`` say how much likelier it is after words that
    announce one; ``closes`` how likely a noun phrase ends with it (the log-probability of the best word to follow).
    """

    common: float
    noun: float
    adjective: float
    verb: float
    closes: float

    @property
    def is_noun(self) -> bool:
        """True for what can be the head of a noun phrase."""
        return self.closes > -2.7 and self.noun + 1.5 > self.adjective and self.noun + 0.5 > self.verb


@cache
def usage(word: str) -> Usage | None:
    """How English uses a word (in lower case); None when the model does not know it, as with names and new words."""
    model = _model()
    common = float(model.prob([word]) * _NATS)
    if common < 2 * RAREST:
        return None

    def after(*befores: str) -> float:
        return max(float(model.prob([word, before]) * _NATS) for before in befores) - common

    closes = max(float(model.prob([follows, word, "the"]) * _NATS) for follows in _AFTER_NOUN)
    return Usage(common, after(*_NOUN), after(*_ADJECTIVE), after(*_VERB), closes)


@cache
def _model() -> Any:
    from pocketsphinx import NGramModel, get_model_path

    return NGramModel.readfile(get_model_path("en-us/en-us.lm.bin"))
