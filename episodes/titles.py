# SPDX-License-Identifier: GPL-3.0-or-later
"""Titles for topics, taken from what is said in them: the noun phrase that tells one topic from the others."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from episodes.sentences import Line
from episodes.wording import WEAK_WORDS, Phrase, announced, content_words, grammar, phrases

Matrix = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Matrix]

_TRIED = 24  # phrases of a topic whose meaning is compared with the topic's
_LENGTHS = {1: -0.10, 2: 0.03, 3: 0.04, 4: 0.02, 5: -0.02}  # what a title's number of words adds to its score
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
        kind = _kind(topics[number], number, len(topics))
        ranked = sorted(
            (
                (score + float(meaning[" ".join(words)] @ (centres[number] - 0.5 * common)), words)
                for words, score in chosen
            ),
            reverse=True,
        )
        best = next((words for _, words in ranked if not taken & set(words)), ranked[0][1] if ranked else None)
        if best is not None:
            taken |= set(best) - WEAK_WORDS
        given.append(kind or (_spelt(best, seen[number][best]) if best is not None else ""))
    return given


def _kind(topic: Sequence[Line], number: int, count: int) -> str:
    """ "Introduction" or "Closing words", for a beginning or an end that is only that."""
    said = " ".join(line.text for line in topic)
    if count > 2 and number == 0 and _WELCOME.search(said[:1500]):
        return "Introduction"
    if count > 2 and number == count - 1 and len(said.split()) < 250 and _GOODBYE.search(said):
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
    often = Counter(word for line in topic for word in content_words(line.text))
    scored = []
    for words, candidate in found.items():
        telling = [word for word in words if word not in WEAK_WORDS]
        weight = np.mean([math.log1p(often[word]) * math.log((1 + topics) / (0.5 + spread[word])) for word in telling])
        score = 0.06 * float(weight) + _LENGTHS[len(words)] + 0.05 * math.log2(candidate.count)
        score += 0.06 * (1 - candidate.first) + 0.08 * candidate.asked
        score += 0.10 * candidate.announced / candidate.count + 0.08 * candidate.closed / candidate.count
        score -= sum(_unlike_a_noun(word, nounlike, last=word is telling[-1]) for word in telling)
        scored.append((words, score))
    return sorted(scored, key=lambda entry: -entry[1])[:_TRIED]


def _unlike_a_noun(word: str, nounlike: dict[str, float], last: bool) -> float:
    """A penalty for words that are used as verbs or adverbs, higher at the end of a phrase, where its noun stands."""
    doubt = max(0.0, 0.5 - nounlike.get(word, 0.5)) * 0.5
    if word.endswith("ly") and len(word) > 4:
        doubt += 0.15
    if last and word.endswith(("ed", "ing", "n't")):
        doubt += 0.12
    if word[0].isdecimal():
        doubt += 0.10
    return doubt


def _spelt(words: tuple[str, ...], candidate: _Candidate) -> str:
    """The phrase as a title: as people spell it inside a sentence, "The" before it when they nearly always say so."""
    text = candidate.spelt.most_common(1)[0][0] if candidate.spelt else candidate.opening
    if candidate.before["the"] >= 0.6 * candidate.count and not any(word[:1].isupper() for word in text.split()):
        text = f"the {text}"
    return text[:1].upper() + text[1:]
