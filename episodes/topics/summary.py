# SPDX-License-Identifier: GPL-3.0-or-later
"""What an episode is about, in its speakers' own words: titles, summaries, a teaser, questions it answers."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from episodes.model import Cue, Digest, Segment
from episodes.text.lexicon import as_written, content_words, leans, words
from episodes.text.sentences import Line, sentences
from episodes.topics.cohesion import Embed, Vectors
from episodes.topics.titles import titles

Ask = Callable[[Sequence[str]], Sequence[float | None]]
"""Where in the episode each question is answered (seconds), None where the episode does not cover it."""

QUESTIONS = 5
"""How many questions are suggested."""

_TOPIC_SENTENCES = 2
_EPISODE_SENTENCES = 4
_ANNOUNCES = re.compile(
    r"\b(?:today(?: is about|'s (?:episode|topic|show))|in this episode|this episode (?:is|we|i)\b"
    r"|this week(?:'s)? (?:episode|we)|today,? (?:we|i)\b"
    r"|we(?:'re| are| will|'ll) (?:going to )?(?:be )?(?:talk|discuss|look|explor|div))",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:what|why|how|when|where|who|which|whose|is|are|was|were|do|does|did|can|could|should|would|will|has|have)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(r"^(?:what|why|how)\b", re.IGNORECASE)
_TO_HEARER = re.compile(r"\b(?:you|your|yours|you're|you've|right|okay)\b", re.IGNORECASE)
_SPEAKER = re.compile(r"\b(?:we|us|our|i|my|me|we're|i'm|we've|i've)\b", re.IGNORECASE)
_TRIED = 25  # questions asked in the episode that are tried
_ARTICLES = frozenset({"the", "a", "an", "this", "that"})
_EARLY = 10.0  # seconds that a jump may be before its topic
_ROLES = frozenset({
    "speaker", "host", "guest", "project", "manager", "user", "interface", "industrial", "designer", "marketing",
    "professor", "grad", "phd", "unknown", "the", "interviewer", "moderator", "chair", "audience", "narrator", "caller",
})  # fmt: skip
_BACK = re.compile(
    r"\b(?:it|its|it's|them|him|her|he|she)\b|\b(?:is|are|was|into|of|on|to|about|with|like|than|from|by|for) "
    r"(?:that|this|those)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|had|might|must|may)\b|'(?:s|re|ve|d)\b",
    re.IGNORECASE,
)
_TWICE = re.compile(
    r"^(?:is|are|was|were)\b(?!.*(?:,|\b(?:that|which|who|what|how|if|whether|or|because|when|where)\b))"
    r".*\b(?:is|are|was|were)\b",
    re.IGNORECASE,
)
"""A question that is a statement turned around in half: "Is a fresh message is necessary?"."""
_DOING = frozenset(words(
    "i you he she it we they who to will would can could should must not don't doesn't didn't is are was were be been"
    " being get gets got"
))  # fmt: skip
_THINGS = frozenset(words(
    "the a an this that these those of in on for with no some any my your his her their its our each every more"
))  # fmt: skip
"""Words before what somebody does, and before a thing."""
_CUT_OFF = re.compile(r"\b(?:and|but|or|so|the|an?|to|of|for|with|in|on|at|because|if|that|like|is|are|my)\W*$", re.I)
_VOCATIVE = re.compile(r", [A-Z][a-z]+\?$")
_TAG = re.compile(r",? (?:right|correct|yeah|okay|you know)\?$", re.IGNORECASE)


def digest(
    cues: Sequence[Cue], segments: Sequence[Segment], embed: Embed, ask: Ask | None = None
) -> tuple[list[Segment], Digest]:
    """Titles and summaries for the segments, and the episode's digest; all of it said or asked in the episode.

    ``embed`` turns n texts into float32 (n, d) unit rows; ``ask`` tells where questions are answered. Segments that
    have a title keep it.
    """
    lines = sentences(cues)
    if not lines or not segments:
        return list(segments), Digest()
    vectors = embed([line.text for line in lines])
    starts = np.array([part.start for part in segments])
    belongs = np.clip(np.searchsorted(starts, [line.start + 1e-6 for line in lines], side="right") - 1, 0, None)
    members = [np.flatnonzero(belongs == number) for number in range(len(segments))]
    centres = np.stack([_centre(lines, vectors, rows) for rows in members])
    worth = _worth(lines, vectors, centres, belongs)

    full = [number for number, rows in enumerate(members) if len(rows)]
    topics = [[lines[row] for row in members[number]] for number in full]
    made = dict(zip(full, titles(topics, centres[full], embed), strict=True))
    titled = [
        replace(
            part,
            title=part.title or made.get(number, "") or f"Part {number + 1}",
            summary=_told(lines, _chosen(members[number], worth, vectors, _TOPIC_SENTENCES)),
        )
        for number, part in enumerate(segments)
    ]
    ranked = _chosen(np.arange(len(lines)), worth + 0.2 * (vectors @ _unit(centres.mean(0))), vectors, 40)
    best: dict[int, int] = {}
    for row in ranked:
        best.setdefault(int(belongs[row]), row)
    summary = list(best.values())[:_EPISODE_SENTENCES]
    return titled, Digest(
        teaser=_teaser(lines, ranked),
        summary=_told(lines, summary),
        questions=_questions(lines, vectors, centres, belongs, titled, ask),
    )


def _centre(lines: Sequence[Line], vectors: Vectors, rows: npt.NDArray[np.intp]) -> Vectors:
    """What a topic is about: the mean of its sentences, longer ones counting more."""
    if not len(rows):
        return np.zeros(vectors.shape[1], np.float32)
    weights = np.array([len(lines[row].text.split()) ** 0.5 for row in rows], np.float32)
    return _unit((vectors[rows] * weights[:, None]).sum(0))


def _unit(vector: Vectors) -> Vectors:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, np.float32)


def _worth(lines: Sequence[Line], vectors: Vectors, centres: Vectors, belongs: npt.NDArray[np.intp]) -> Vectors:
    """How well each sentence tells its topic to somebody who hears nothing else: float32 (n,)."""
    near = np.einsum("ij,ij->i", vectors, centres[belongs])
    alone = np.array([_alone(line.text) for line in lines], np.float32)
    return np.asarray(near + alone, np.float32)


def _alone(sentence: str) -> float:
    """What a sentence's form adds to its worth: whole, telling, of a length to read, not leaning on the one before."""
    bare = as_written(sentence)
    length = len(bare.split())
    told = len(content_words(bare))
    worth = -0.35 * leans(bare) + 0.04 * min(told, 5)
    worth -= 0.04 * max(0, 9 - length) + 0.012 * max(0, length - 30)
    if bare.endswith("?"):
        worth -= 0.35
    elif not bare.endswith((".", "!", "…", '"', "”")):
        worth -= 0.15
    if not bare.endswith("?") and _CUT_OFF.search(bare):
        worth -= 0.3
    return worth


def _chosen(rows: npt.NDArray[np.intp], worth: Vectors, vectors: Vectors, count: int) -> list[int]:
    """The best sentences, best first, that do not say the same twice (maximal marginal relevance)."""
    left = [int(row) for row in rows]
    chosen: list[int] = []
    while left and len(chosen) < count:
        said = vectors[chosen]
        gains = [worth[row] - (0.5 * float((said @ vectors[row]).max()) if chosen else 0.0) for row in left]
        chosen.append(left.pop(int(np.argmax(gains))))
    return chosen


def _told(lines: Sequence[Line], rows: Sequence[int]) -> str:
    """Sentences in their order, as they would be written."""
    return " ".join(as_written(lines[row].text) for row in sorted(rows))


def _teaser(lines: Sequence[Line], ranked: Sequence[int]) -> str:
    """One sentence: what the host announces at the beginning, else the one that tells most."""
    early = lines[0].start + 0.12 * (lines[-1].end - lines[0].start)
    for line in lines:
        if line.start > early:
            break
        if _ANNOUNCES.search(line.text) and 8 <= len(line.text.split()) <= 60 and len(content_words(line.text)) > 3:
            return as_written(line.text)
    return as_written(lines[ranked[0]].text) if ranked else ""


def _questions(
    lines: Sequence[Line],
    vectors: Vectors,
    centres: Vectors,
    belongs: npt.NDArray[np.intp],
    segments: Sequence[Segment],
    ask: Ask | None,
) -> tuple[str, ...]:
    """Questions that the episode answers, one to a topic: those asked in it that stand alone, else about its topics.

    With ``ask`` only those are kept that the episode answers; first those whose answer is found in the topic that they
    are about, one to a topic, and others only when these are too few.
    """
    scored: list[tuple[float, int, str]] = []
    for row, line in enumerate(lines[:-1]):
        asked = _VOCATIVE.sub("?", _TAG.sub("?", as_written(line.text)))
        if not asked.endswith("?") or not stands_alone(asked):
            continue
        answer = _unit(vectors[row + 1 : row + 7].mean(0))
        score = float(vectors[row] @ answer) + 0.5 * float(vectors[row] @ centres[belongs[row]])
        score += 0.05 * min(len(content_words(asked)), 4) + 0.1 * bool(_OPEN.match(asked))
        scored.append((score - 0.2 * bool(_TO_HEARER.search(asked)), int(belongs[row]), asked))
    candidates = [(topic, asked) for _, topic, asked in sorted(scored, reverse=True)[:_TRIED]]
    named = [(len(content_words(part.title)) < 2, number) for number, part in enumerate(segments)]
    candidates += [
        (number, f"What {_teller(lines, belongs, number)} say about {_within(segments[number].title, lines)}?")
        for _, number in sorted(named)
        if segments[number].title not in {"", "Introduction", "Closing words", f"Part {number + 1}"}
        and _is_thing(segments[number].title, lines)
    ]
    places = _places(candidates, ask)
    found: dict[int, str] = {}
    more: list[tuple[int, str]] = []
    for (topic, asked), place in zip(candidates, places, strict=True):
        if _in_place(segments[topic], place) and topic not in found and len(found) < QUESTIONS:
            found[topic] = asked
        elif place is not None:
            more.append((topic, asked))  # answered all the same: elsewhere, or beside another one of its topic
    chosen = list(found.items())
    for topic, asked in more:
        if len(chosen) < QUESTIONS and not any(_alike(asked, other) for _, other in chosen):
            chosen.append((topic, asked))
    return tuple(asked for _, asked in sorted(chosen, key=lambda pair: pair[0]))


def _alike(one: str, other: str) -> bool:
    """True when two questions are about the same: half of the telling words of the shorter one are the other's."""
    told, others = ({word.removesuffix("s") for word in content_words(asked)} - {"say"} for asked in (one, other))
    return 2 * len(told & others) >= max(1, min(len(told), len(others)))


def found_in_place(
    candidates: Sequence[tuple[int, str]], segments: Sequence[Segment], ask: Ask | None
) -> list[tuple[int, str]]:
    """The questions, each with the number of its topic, whose answer is found there; all when nobody can be asked."""
    places = _places(candidates, ask)
    return [
        (topic, asked)
        for (topic, asked), place in zip(candidates, places, strict=True)
        if _in_place(segments[topic], place)
    ]


def _places(candidates: Sequence[tuple[int, str]], ask: Ask | None) -> Sequence[float | None]:
    """Where each is answered; as far as anybody knows in its place when nobody can be asked."""
    if ask is None or not candidates:
        return [math.nan] * len(candidates)
    return ask([asked for _, asked in candidates])


def _in_place(segment: Segment, place: float | None) -> bool:
    return place is not None and (math.isnan(place) or segment.start - _EARLY <= place < segment.end)


def stands_alone(asked: str) -> bool:
    """True for a question that somebody could ask who has not heard what came before it."""
    told = content_words(asked)
    return (
        bool(_ASKS.match(asked))
        and 4 <= len(asked.split()) <= 14
        and len(set(told)) == len(told) >= 2
        and leans(asked) < (0.25 if len(told) > 2 else 0.01)
        and bool(_VERB.search(asked))
        and not _TWICE.search(asked)
        and not _BACK.search(asked)
        and not _SPEAKER.search(asked)
        and (not _TO_HEARER.search(asked) or (bool(_OPEN.match(asked)) and len(told) > 2))
    )


def _teller(lines: Sequence[Line], belongs: npt.NDArray[np.intp], topic: int) -> str:
    """ "does Ann", for who says most about a topic, or "do they" when that has no name."""
    said: Counter[str] = Counter()
    for row in np.flatnonzero(belongs == topic).tolist():
        said[lines[row].speaker] += len(lines[row].text)
    name = said.most_common(1)[0][0] if said else ""
    parts = name.split()
    known = all(part[:1].isupper() and part[1:].isalpha() and part[1:].islower() for part in parts)
    if not 0 < len(parts) < 4 or not known or _ROLES & {*words(name)}:
        return "do they"
    return f"does {parts[0]}"


def _is_thing(title: str, lines: Sequence[Line]) -> bool:
    """Whether a title can be asked about: not when the speakers use its last word for what somebody does ("Bob
    receives")."""
    last = re.compile(rf"([\w']+) {re.escape(title.split()[-1])}\b", re.IGNORECASE)
    before = Counter(str(found).lower() for line in lines for found in last.findall(line.text))
    return sum(before[word] for word in _DOING) <= sum(before[word] for word in _THINGS)


def _within(title: str, lines: Sequence[Line]) -> str:
    """A title as it stands inside a sentence: its first word small, unless the speakers know it as a name, and with an
    article when they mostly give it one, or it is one of several."""
    first, *others = title.split()
    if others and others[0].istitle():
        return title
    inside = re.compile(rf"(?<=[\w,;:] ){re.escape(first)}\b", re.IGNORECASE)
    spelt = Counter(str(found)[:1].islower() for line in lines for found in inside.findall(line.text))
    if spelt[True] <= spelt[False]:
        return title
    whole = re.compile(rf"(?:(\w+) )?{re.escape(title)}\b", re.IGNORECASE)
    before = [str(found).lower() in _ARTICLES for line in lines for found in whole.findall(line.text)]
    said = f" {' '.join(line.text for line in lines).lower()} "
    one = title.lower()
    several = not one.endswith("s") and any(f" {form} " in said for form in (f"a {one}", f"an {one}", f"{one}s"))
    named = 2 * sum(before) >= len(before) > 1 or several or others[:1] == ["of"]
    article = "the " if named and first.lower() not in _ARTICLES else ""
    return article + title[:1].lower() + title[1:]
