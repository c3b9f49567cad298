# SPDX-License-Identifier: GPL-3.0-or-later
"""Word use: how spoken English uses a word (as a noun, an adjective or a verb) and how often.

A word is known by its neighbours: what stands after "the" and before "is" is a noun, what stands after "very" is an
adjective, what stands after "to" is a verb. The figures in ``word_use.tsv`` were counted in the transcripts of meetings
and conversations by ``tests.benchmarks.train_word_use`` (QMSum, MIT; the Friends dialogues of Emory NLP, Apache-2.0).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Usage:
    """A word in spoken English, in nats.

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


def usage(word: str) -> Usage | None:
    """How spoken English uses a word (in lower case); None for one that it hardly knows: a name, a new word."""
    return _table().get(word)


@cache
def _table() -> dict[str, Usage]:
    text = files("episodes.text").joinpath("word_use.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {word: Usage(*map(float, figures)) for word, *figures in rows}
