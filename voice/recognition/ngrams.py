# SPDX-License-Identifier: GPL-3.0-or-later
"""A small trigram language model from weighted sentences, written in the ARPA format that recognisers read."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

START, END = "<s>", "</s>"
_ROUND = 5  # decimals of the log10 probabilities
_RARE = -9.0  # log10 of the probability of what never occurs

Context = tuple[str, ...]


class Trigrams:
    """Weighted counts of one, two and three words in a row."""

    def __init__(self) -> None:
        self._counts: tuple[dict[Context, dict[str, float]], ...] = tuple(
            defaultdict(lambda: defaultdict(float)) for _ in range(3)
        )

    def add(self, words: Sequence[str], weight: float = 1.0, whole: bool = True) -> None:
        """Count a sentence; one that is not ``whole`` says nothing about how sentences begin and end."""
        line = [START, *words, END] if whole else list(words)
        for at in range(1 if whole else 0, len(line)):
            word = line[at]
            self._counts[0][()][word] += weight
            if at >= 1:
                self._counts[1][line[at - 1],][word] += weight
            if at >= 2:
                self._counts[2][line[at - 2], line[at - 1]][word] += weight

    def total(self) -> float:
        """The weight of all words counted."""
        return sum(self._counts[0][()].values())

    def merge(self, other: "Trigrams", weight: float) -> None:
        """Add another's counts times ``weight``."""
        for mine, theirs in zip(self._counts, other._counts, strict=True):
            for context, followers in theirs.items():
                row = mine[context]
                for word, count in followers.items():
                    row[word] += count * weight

    def words(self) -> set[str]:
        """Every word counted, without the marks of beginning and end."""
        return set(self._counts[0][()]) - {END}

    def arpa(self, mass: Sequence[float] = (0.02, 0.2, 0.2)) -> str:
        """The model as text: at every order the share ``mass`` is kept for what the shorter context says
        (Jelinek and Mercer's interpolation); at the first it is spread over all words evenly.
        """
        unigrams = self._counts[0][()]
        total, kinds = self.total(), len(unigrams)
        one = {word: (1 - mass[0]) * count / total + mass[0] / kinds for word, count in unigrams.items()}
        two = self._interpolated(1, mass[1], lambda context, word: one[word])
        three = self._interpolated(2, mass[2], lambda context, word: two.get((context[1], word), mass[1] * one[word]))
        lines = ["\\data\\", f"ngram 1={len(one) + 1}", f"ngram 2={len(two)}", f"ngram 3={len(three)}", ""]
        lines += ["\\1-grams:", f"{_RARE} {START} {_log(mass[1])}"]
        lines += [
            f"{_log(p)} {word} {_log(mass[1] if (word,) in self._counts[1] else 1.0)}"
            for word, p in sorted(one.items())
        ]
        lines += ["", "\\2-grams:"]
        lines += [
            f"{_log(p)} {' '.join(gram)} {_log(mass[2] if gram in self._counts[2] else 1.0)}"
            for gram, p in sorted(two.items())
        ]
        lines += [
            "",
            "\\3-grams:",
            *(f"{_log(p)} {' '.join(gram)}" for gram, p in sorted(three.items())),
            "",
            "\\end\\",
            "",
        ]
        return "\n".join(lines)

    def _interpolated(self, order: int, mass: float, lower: Callable[[Context, str], float]) -> dict[Context, float]:
        """Probability of every counted sequence; ``lower`` gives the shorter context's."""
        result: dict[Context, float] = {}
        for context, followers in self._counts[order].items():
            total = sum(followers.values())
            for word, count in followers.items():
                result[(*context, word)] = (1 - mass) * count / total + mass * lower(context, word)
        return result


def _log(probability: float) -> float:
    return round(math.log10(probability), _ROUND) if probability > 0 else _RARE
