# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks in an episode, and who said the sentences that a summary is made of, so that nobody takes a speaker's "I"
for the page's."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from episodes.model import Cue
from episodes.text.lexicon import names_somebody

_SENTENCE = re.compile(r"(?<=[.!?…])[\"”’)]*\s+(?=[\"“‘(]*[^\W\d_a-z])")
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_RUN = 3  # words by which a sentence is recognised
_NAMED = 4  # people who are named as those who speak
_ROLE = re.compile(r"\b(?:audience|host|moderator|interviewer|introducer|announcer|anchor|narrator|caller)\b", re.I)

AttributedPart = tuple[str, str]
"""A speaker ("" when unknown), and what was said."""


class Attribution:
    """The transcript of an episode, to be asked who said a sentence."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = cues
        self._of: list[int] = []  # the cue of each word
        spoken: list[str] = []
        for i, cue in enumerate(cues):
            for word in _words(cue.text):
                spoken.append(word)
                self._of.append(i)
        self._places: dict[tuple[str, ...], list[int]] = {}
        for at in range(len(spoken) - _RUN + 1):
            self._places.setdefault(tuple(spoken[at : at + _RUN]), []).append(at)

    def named(self) -> list[str]:
        """Those who speak most, by name, in the order of the alphabet; none whose label is a number or a part."""
        told: Counter[str] = Counter()
        for cue in self._cues:
            if names_somebody(cue.speaker) and not _ROLE.search(cue.speaker):
                told[cue.speaker] += len(cue.text)
        return sorted(name for name, _ in told.most_common(_NAMED))

    def of(self, sentence: str, start: float = 0.0, end: float = float("inf")) -> str:
        """Who says a sentence between two times in seconds; "" when it is not found, or nobody is named there."""
        said = _words(sentence)
        for first in range(max(0, min(len(said) - _RUN + 1, 8))):  # what was left out may have stood at its beginning
            for at in self._places.get(tuple(said[first : first + _RUN]), ()):
                cue = self._cues[self._of[at]]
                if cue.end > start and cue.start < end:
                    return cue.speaker
        return ""

    def parts(self, text: str, start: float = 0.0, end: float = float("inf")) -> list[AttributedPart]:
        """A summary as what each speaker says of it, in its order."""
        told = [(self.of(sentence, start, end), sentence) for sentence in _SENTENCE.split(text) if sentence.strip()]
        return [(speaker, " ".join(sentence for _, sentence in some))
                for speaker, some in groupby(told, lambda part: part[0])]  # fmt: skip


def _words(text: str) -> list[str]:
    return [word.replace("’", "'").lower() for word in _WORD.findall(text)]
