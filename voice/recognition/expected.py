# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener is likely to say, as a language model: fixed commands, and questions about the words in focus."""

import bisect
import itertools
import random
import re
from collections.abc import Sequence, Set

from voice.model import Bias
from voice.recognition.ngrams import Trigrams
from voice.recognition.utterances import COMMANDS, COMMON, FILLS, PEOPLE, QUESTIONS, expand, spoken

_WEIGHTS = (1.0, 3.0, 0.7)  # what the texts say, questions about it, commands
_QUESTIONS = 60_000  # questions drawn
_VARIANTS = 400  # sentences at most of one command
_BREVITY = 1.5  # how much more often the short form of a command is said: by its words to this power
_TOPICS = 60_000  # stretches of the texts at most that questions are about
_LONGEST_TOPIC = 6  # words
_COMMON = 0.4  # share of questions that have one of the usual shapes
_JOINED = 0.25  # share of topics that are two, joined by one of
_JOINTS = ["in", "of", "for", "about", "to", "from", "with", "and", "or", "on", "by", "as", "like", "than", "the"]
_PLAINER = 0.3  # weight of a stretch of text with a word in its base form
_SEED = 1  # the same words give the same model

_NO_START = frozenset(
    {"and", "or", "but", "of", "to", "that", "with", "from", "for", "in", "on", "at", "is", "are", "was", "were", "be",
     "it", "so", "than", "then", "as", "if", "by", "because", "when", "which", "who"}
)  # fmt: skip
_NO_END = _NO_START | {"the", "a", "an", "this", "these", "my", "your", "our", "their", "his", "her"}
_EVERYDAY = (
    "it", "that", "this", "the episode", "the podcast", "the story", "the book", "people", "life", "work", "the world",
    "the future",
)  # fmt: skip

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

_SENTENCE = re.compile(r"(?<![.!?;:…])[.!?;:…]+(?:\s|$)|\n")
_WORD = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)*")


def spoken_words(text: str) -> list[str]:
    """A text as the words one hears: lower case, numbers in words, no punctuation."""
    words: list[str] = []
    for found in _WORD.findall(text):
        words += number_words(found) if found[0].isdigit() else [found.lower().replace("’", "'")]
    return words


def number_words(digits: str) -> list[str]:
    """A number of at most six figures as it is read ("1984" is read as a year); longer ones figure by figure."""
    whole, _, rest = digits.replace(",", "").partition(".")
    if rest:
        return [*number_words(whole), "point", *(_ONES[int(figure)] for figure in rest)]
    value = int(whole)
    if len(whole) == 4 and "," not in digits and 1100 <= value < 2000:
        tail = value % 100
        return _below_thousand(value // 100) + (
            ["hundred"] if not tail else ["oh"] * (tail < 10) + _below_thousand(tail)
        )
    if len(whole) > 6:
        return [_ONES[int(figure)] for figure in whole]
    thousands, value = divmod(value, 1000)
    if not thousands:
        return _below_thousand(value)
    return [*_below_thousand(thousands), "thousand", *(_below_thousand(value) if value else [])]


def sentences(texts: Sequence[str]) -> list[list[str]]:
    """Every sentence of the texts as words."""
    lines = (spoken_words(line) for text in texts for line in _SENTENCE.split(text))
    return [line for line in lines if line]


def base_forms(word: str) -> set[str]:
    """What may stand in a question for a word of the text ("teaches" for "does it teach"); not all of it is English."""
    forms = set()
    for ending, instead in (
        ("s", ""),
        ("es", ""),
        ("ies", "y"),
        ("ed", ""),
        ("ed", "e"),
        ("ied", "y"),
        ("ing", ""),
        ("ing", "e"),
    ):
        stem = word.removesuffix(ending)
        if word.endswith(ending) and len(stem) >= 3:
            forms |= {stem + instead, stem[:-1]} if instead == "" and stem[-1] == stem[-2] else {stem + instead}
    return forms


def expected(bias: Bias, vocabulary: Set[str] = frozenset()) -> Trigrams:
    """The model of what is asked and commanded where ``bias`` is in focus; the same bias gives the same model.

    ``vocabulary`` is the English that is known: a word's plainer forms are expected too where they are in it.
    """
    draw = random.Random(_SEED)  # noqa: S311 — a fixed choice of examples, no secret
    lines = sentences(bias.texts)
    names = [words for name in bias.names if (words := spoken_words(name))]
    text, commands = Trigrams(), Trigrams()
    for line in [*lines, *names]:
        text.add(line)
        for at, word in enumerate(line):
            for base in base_forms(word) & vocabulary:
                text.add([*line[max(0, at - 2) : at], base, *line[at + 1 : at + 3]], _PLAINER, whole=False)
    topics = _topics(lines) + [(words, 1.0) for words in names] or [(spoken_words(t), 1.0) for t in _EVERYDAY]
    people = [person.split() for person in PEOPLE] + [words for words in names if len(words) < 4] * 2
    fills = FILLS | {
        "topic": tuple(" ".join(draw.choice(topics)[0]) for _ in range(40)),
        "person": tuple(" ".join(person) for person in people),
    }
    for patterns in COMMANDS.values():
        for pattern in patterns:
            every = [line.split() for line in spoken(pattern, fills) if line]
            chosen = draw.sample(every, min(_VARIANTS, len(every)))
            shares = [len(line) ** -_BREVITY for line in chosen]
            for line, share in zip(chosen, shares, strict=True):
                commands.add(line, share / sum(shares))
    model = Trigrams()
    for part, weight in zip((text, _questions(topics, people, draw), commands), _WEIGHTS, strict=True):
        if part.total():
            model.merge(part, weight / part.total())
    return model


def _questions(topics: list[tuple[list[str], float]], people: list[list[str]], draw: random.Random) -> Trigrams:
    """Questions of every shape, each slot filled with a stretch of the texts or a person."""
    common, rare = ([[s.split() for s in expand(pattern)] for pattern in shapes] for shapes in (COMMON, QUESTIONS))
    ladder = list(itertools.accumulate(weight for _, weight in topics))

    def pick() -> list[str]:
        return topics[min(bisect.bisect(ladder, draw.random() * ladder[-1]), len(topics) - 1)][0]

    model = Trigrams()
    for _ in range(_QUESTIONS):
        words: list[str] = []
        for word in draw.choice(draw.choice(common if draw.random() < _COMMON else rare)):
            if word == "{topic}":
                words += pick()
                if draw.random() < _JOINED:
                    words += [draw.choice(_JOINTS), *pick()]
            elif word == "{person}":
                words += draw.choice(people)
            else:
                words.append(word)
        model.add(words)
    return model


def _topics(lines: list[list[str]]) -> list[tuple[list[str], float]]:
    """Stretches of the texts that a question can be about, shorter ones with more weight."""
    found = [
        (line[at : at + length], 1 / length)
        for line in lines
        for at in range(len(line))
        if line[at] not in _NO_START
        for length in range(1, min(_LONGEST_TOPIC, len(line) - at) + 1)
        if line[at + length - 1] not in _NO_END
    ]
    return found[:: len(found) // _TOPICS + 1]


def _below_thousand(value: int) -> list[str]:
    hundreds, rest = divmod(value, 100)
    words = [_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words += [_TENS[rest // 10], *([_ONES[rest % 10]] if rest % 10 else [])]
    elif rest or not hundreds:
        words.append(_ONES[rest])
    return words
