# SPDX-License-Identifier: GPL-3.0-or-later
"""Titles for topics, taken from what is said in them: the noun phrase that tells one topic from the others."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from episodes.sentences import Line
from episodes.wording import WEAK_WORDS, Phrase, announced, content_words, grammar, phrases

Matrix = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Matrix]

_TRIED = 24  # phrases of a topic whose meaning is compared with the topic's
_MEANING = 1.5  # how much a phrase's likeness to its topic counts beside its form
_LENGTHS = {1: -0.25, 2: 0.03, 3: 0.05, 4: 0.02, 5: -0.04}  # what a title's number of words adds to its score
_PIECE = re.compile(r"0\d*$|else\b")  # what is left of "10,000" or "someone else's": no name of anything
_WELCOME = re.compile(
    r"\b(?:welcome (?:back )?to|welcome everybody|i'm your host|this is your host|my name is)\b", re.IGNORECASE
)
_GOODBYE = re.compile(
    r"\b(?:thanks? (?:you )?(?:so much |very much )?for (?:listening|coming|joining|being)|see you next|until next time"
    r"|goodbye|bye bye)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Candidate:
    """A phrase of one topic, over all its places there."""

    count: int = 0
    first: float = 1.0  # share of the topic before its first place
    announced: int = 0
    asked: bool = False  # stands in a question near the beginning
    closed: int = 0  # times after which no further telling word comes
    before: Counter[str] = field(default_factory=Counter)
    spelt: Counter[str] = field(default_factory=Counter)
    opening: str = ""


def titles(topics: Sequence[Sequence[Line]], centres: Matrix, embed: Embed) -> list[str]:
    """One title for each topic, in sentence case, all different; empty when nothing in it could be one.

    ``topics`` are the sentences of each; ``centres`` float32 (topics, d) unit rows, what each is about.
    """
    nounlike = grammar(line.text for topic in topics for line in topic)
    tried: list[list[tuple[tuple[str, ...], float]]] = []
    seen: list[dict[tuple[str, ...], _Candidate]] = []
    spread = Counter(word for topic in topics for word in {w for line in topic for w in content_words(line.text)})
    for topic in topics:
        found = _candidates(topic)
        seen.append(found)
        tried.append(_best_by_words(found, topic, spread, len(topics), nounlike))
    texts = sorted({" ".join(words) for chosen in tried for words, _ in chosen})
    meaning = dict(zip(texts, embed(texts), strict=True)) if texts else {}
    common = centres.mean(0)
    given: list[str] = []
    taken: set[str] = set()
    for number, chosen in enumerate(tried):
        kind = _kind(topics, number)
        ranked = sorted(
            (
                (score + _MEANING * float(meaning[" ".join(words)] @ (centres[number] - 0.5 * common)), words)
                for words, score in chosen
            ),
            reverse=True,
        )
        order = [words for _, words in ranked]
        best = next((words for words in order if not taken & set(words)), order[0] if order else None)
        if kind or best is None:
            given.append(kind)
            continue
        parts = _parts(best, [words for words in order[:8] if not taken & set(words)])
        taken |= {word for part in parts for word in part} - WEAK_WORDS
        given.append(_joined(parts, seen[number]))
    return given


def _kind(topics: Sequence[Sequence[Line]], number: int) -> str:
    """ "Introduction" or "Closing words", for a beginning or an end that is little more than that."""
    said = [" ".join(line.text for line in topic) for topic in topics]
    usual = sum(map(len, said)) / len(said)
    if len(topics) > 2 and number == 0 and len(said[0]) < 1.5 * usual and _WELCOME.search(said[0][:1500]):
        return "Introduction"
    if len(topics) > 2 and number == len(topics) - 1 and len(said[-1]) < 0.6 * usual and _GOODBYE.search(said[-1]):
        return "Closing words"
    return ""


def _candidates(topic: Sequence[Line]) -> dict[tuple[str, ...], _Candidate]:
    found: dict[tuple[str, ...], _Candidate] = {}
    whole = max(1e-9, topic[-1].end - topic[0].start)
    for line in topic:
        at = (line.start - topic[0].start) / whole
        for phrase in phrases(line.text):
            _note(found.setdefault(phrase.words, _Candidate()), phrase, at, line.text.endswith("?"))
    return found


def _note(candidate: _Candidate, phrase: Phrase, at: float, question: bool) -> None:
    candidate.count += 1
    candidate.first = min(candidate.first, at)
    candidate.announced += announced(phrase)
    candidate.asked |= question and at < 0.4
    candidate.closed += phrase.after in WEAK_WORDS or not phrase.after[0].isalnum()
    candidate.before[phrase.before] += 1
    if phrase.place:
        candidate.spelt[phrase.spelt] += 1
    else:
        candidate.opening = phrase.spelt


def _best_by_words(
    found: dict[tuple[str, ...], _Candidate],
    topic: Sequence[Line],
    spread: Counter[str],
    topics: int,
    nounlike: dict[str, float],
) -> list[tuple[tuple[str, ...], float]]:
    """The most promising phrases with what their words, places and neighbours say for them."""
    often = Counter(_stem(word) for line in topic for word in content_words(line.text))
    scored = []
    for words, candidate in found.items():
        telling = [word for word in words if word not in WEAK_WORDS]
        if _repeats(telling) or any(_PIECE.match(word) for word in telling):
            continue  # "hash and hashes", "000 Satoshis", "else's coins"
        rare = [math.log((1 + topics) / (0.5 + spread[word])) for word in telling]
        weight = np.mean([math.log1p(often[_stem(word)]) * rarity for word, rarity in zip(telling, rare, strict=True)])
        score = 0.06 * float(weight) + _LENGTHS[len(words)] + 0.05 * math.log2(candidate.count)
        score += 0.06 * (1 - candidate.first) + 0.10 * candidate.asked
        score += 0.10 * candidate.announced / candidate.count + 0.20 * candidate.closed / candidate.count
        score -= sum(_unlike_a_noun(word, nounlike, last=word is telling[-1]) for word in telling)
        if words[0].endswith(("ed", "ing")) and not candidate.announced:
            score -= 0.40  # more likely a verb with its object than a noun with what it is like
        score -= 0.25 * sum(_plural(word) and after not in WEAK_WORDS for word, after in pairwise(words))
        if any(part in found and found[part].count > candidate.count for part in (words[1:], words[:-1])):
            score -= 0.08  # a part of it is said more often: the rest belongs to the sentence, not to the phrase
        scored.append((words, score))
    return sorted(scored, key=lambda entry: -entry[1])[:_TRIED]


def _repeats(words: Sequence[str]) -> bool:
    return any(one[: max(4, len(one) - 2)] == other[: max(4, len(one) - 2)] for one, other in combinations(words, 2))


def _unlike_a_noun(word: str, nounlike: dict[str, float], last: bool) -> float:
    """A penalty for words that are used as verbs or adverbs, higher at the end of a phrase, where its noun stands."""
    doubt = max(0.0, 0.5 - nounlike.get(word, 0.5)) * 0.5
    if word.endswith("ly") and len(word) > 4:
        doubt += 0.15
    if last and word.endswith(("ed", "ing", "n't")):
        doubt += 0.12
    if last and word.endswith("'s"):
        doubt += 0.5
    if word[0].isdecimal():
        doubt += 0.10
    return doubt


def _plural(word: str) -> bool:
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "'s", "ics"))


def _parts(best: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The phrases of a title: a single word says little, so the next best stands beside it ("Goals and care"),
    or for it when that is longer."""
    beside = next((words for words in others if "and" not in words and not _repeats((best[0], *words))), None)
    if len(best) > 1 or beside is None:
        return [best]
    return [best, beside] if len(beside) == 1 else [beside]


def _joined(parts: Sequence[tuple[str, ...]], found: dict[tuple[str, ...], _Candidate]) -> str:
    title = " and ".join(_spelt(part, found[part]) for part in parts)
    return title[:1].upper() + title[1:]


def _stem(word: str) -> str:
    return word.removesuffix("'s").rstrip("s")


def _spelt(words: tuple[str, ...], candidate: _Candidate) -> str:
    """The phrase as a title: as people spell it inside a sentence, "The" before it when they nearly always say so."""
    text = candidate.spelt.most_common(1)[0][0] if candidate.spelt else candidate.opening
    if not candidate.spelt and text[1:].islower():
        text = text[:1].lower() + text[1:]  # its capital came from the beginning of a sentence
    if candidate.before["the"] >= 0.6 * candidate.count and not any(word[:1].isupper() for word in text.split()):
        text = f"the {text}"
    return text
