# SPDX-License-Identifier: GPL-3.0-or-later
"""Titles for topics, taken from what is said in them: the noun phrase that tells one topic from the others."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np

from episodes.text.lexicon import PREPOSITIONS, WEAK_WORDS, Phrase, announces_noun, content_words, grammar, phrases
from episodes.text.sentences import Line
from episodes.text.word_use import usage
from episodes.topics.cohesion import Embed, Vectors

_TRIED = 24  # phrases of a topic whose meaning is compared with the topic's
_MEANING = 2.0  # how much a phrase's likeness to its topic counts beside its form
_LENGTHS = {1: -0.25, 2: 0.03, 3: 0.05, 4: 0.02, 5: -0.04}  # what a title's number of words adds to its score
_COMPARING = frozenset({
    "better", "best", "worse", "worst", "latest", "newer", "newest", "older", "oldest", "bigger", "biggest", "smaller",
    "smallest", "larger", "largest", "higher", "highest", "lower", "lowest", "greater", "greatest", "easier", "harder",
    "faster", "slower", "legitimate", "so-called",
})  # fmt: skip
_NEAR = 0.3  # by which a phrase may be worse than the single word whose place it takes
_AGAIN = 0.05  # how much being said twice as often counts, singular and plural together
_NOUN_HERE = 0.7  # how noun-like a word has to be used in a talk to be one, whatever it is elsewhere
_JUDGING = 2.4  # nats by which such an adjective is likelier after "very" and "is" than elsewhere
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


def titles(topics: Sequence[Sequence[Line]], centres: Vectors, embed: Embed) -> list[str]:
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
        free = [(score, words) for score, words in ranked[:8] if not taken & set(words)]
        parts = _parts(best, free)
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
    candidate.announced += announces_noun(phrase)
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
    times = Counter({_stems(words): 0 for words in found})
    for words, candidate in found.items():
        times[_stems(words)] += candidate.count
    scored = []
    for words, candidate in found.items():
        telling = [word for word in words if word not in WEAK_WORDS | PREPOSITIONS]
        if _is_no_title(words) or _repeats(telling) or any(_PIECE.match(word) for word in telling):
            continue  # "hash and hashes", "000 Satoshis", "else's coins"
        rare = [math.log((1 + topics) / (0.5 + spread[word])) for word in telling]
        weight = np.mean([math.log1p(often[_stem(word)]) * rarity for word, rarity in zip(telling, rare, strict=True)])
        score = 0.06 * float(weight) + _LENGTHS[len(words)] + _AGAIN * math.log2(times[_stems(words)])
        score -= 0.25 * sum(not _closes(head, nounlike) for head in _heads(words))
        score -= 0.12 * sum(map(_judges, telling))
        score += 0.06 * (1 - candidate.first) + 0.10 * candidate.asked
        score += 0.10 * candidate.announced / candidate.count + 0.20 * candidate.closed / candidate.count
        score -= sum(_unlike_a_noun(word, nounlike, last=word is telling[-1]) for word in telling)
        if (words[0].endswith(("ed", "ing")) or _acts(words[0])) and not candidate.announced:
            score -= 0.40  # more likely a verb with its object than a noun with what it is like
        score -= 0.25 * sum(_plural(word) and after not in WEAK_WORDS for word, after in pairwise(words))
        if any(part in found and found[part].count > candidate.count for part in (words[1:], words[:-1])):
            score -= 0.08  # a part of it is said more often: the rest belongs to the sentence, not to the phrase
        scored.append((words, score))
    return sorted(scored, key=lambda entry: -entry[1])[:_TRIED]


def _is_no_title(words: tuple[str, ...]) -> bool:
    """True for what compares ("smaller blocks"), or is cut out of a sentence: at a preposition, after a participle
    ("evolved with Bitcoin"), or with nobody known ("somebody's goals"), or runs two together ("machines tools")."""
    return (
        bool({words[0], words[-1]} & PREPOSITIONS)
        or words[0] in _COMPARING
        or (len(words) > 1 and words[0].endswith("ed") and words[1] in PREPOSITIONS - {"and"})
        or any(word.endswith("'s") and word[:-2] in WEAK_WORDS for word in words)
        or any(_plural(word) and _plural(after) for word, after in pairwise(words))
    )


def _heads(words: tuple[str, ...]) -> list[str]:
    """The words of a phrase that have to be nouns: its last one and those before a preposition."""
    return [word for word, after in pairwise((*words, "of")) if after in PREPOSITIONS]


def _closes(word: str, nounlike: dict[str, float]) -> bool:
    """True for what English or this talk uses as a noun, or English does not know."""
    known = usage(word)
    return known is None or known.is_noun or nounlike.get(word, 0.0) > _NOUN_HERE


def _acts(word: str) -> bool:
    """True for what English uses as a verb rather than as a noun."""
    known = usage(word)
    return known is not None and known.verb > max(0.5, known.noun - 0.3)


def _judges(word: str) -> bool:
    """True for adjectives that say what somebody thinks of a thing ("valid", "useful") rather than what it is."""
    known = usage(word)
    return known is not None and known.adjective > _JUDGING and known.adjective > known.noun


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


def _parts(best: tuple[str, ...], others: Sequence[tuple[float, tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """The phrases of a title: a single word says little, so a phrase with it stands for it ("Goals of a machine"), or
    the next best word beside it ("Goals and care")."""
    if len(best) > 1:
        return [best]
    near = max(score for score, _ in others) - _NEAR if others else 0.0
    longer = [(score, words) for score, words in others if len(words) > 1]
    within = next((words for score, words in longer if score > near and _stem(best[0]) in _stems(words)), None)
    beside = next((words for _, words in others if len(words) == 1 and not _repeats((best[0], *words))), None)
    if within is None and beside is not None:
        return [best, beside]
    return [within or (longer[0][1] if longer else best)]


def _joined(parts: Sequence[tuple[str, ...]], found: dict[tuple[str, ...], _Candidate]) -> str:
    title = " and ".join(_spelt(part, found[part]) for part in parts)
    return title[:1].upper() + title[1:]


def _stems(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_stem, words))


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
