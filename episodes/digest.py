# SPDX-License-Identifier: GPL-3.0-or-later
"""What an episode is about, in its speakers' own words: titles, summaries, a teaser, questions it answers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from episodes.model import Cue, Digest, Segment
from episodes.sentences import Line, sentences
from episodes.titles import titles
from episodes.wording import content_words, leans, trimmed

Matrix = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Matrix]

QUESTIONS = 5
"""How many questions are suggested."""

_TOPIC_SENTENCES = 2
_EPISODE_SENTENCES = 4
_ANNOUNCES = re.compile(
    r"\b(?:today(?: is about|'s (?:episode|topic|show))|in this episode|this episode|this week(?:'s)? (?:episode|we)"
    r"|today,? (?:we|i)\b|we(?:'re| are| will|'ll) (?:going to )?(?:be )?(?:talk|discuss|look|explor|div))",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:what|why|how|when|where|who|which|whose|is|are|was|were|do|does|did|can|could|should|would|will|has|have)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(r"^(?:what|why|how)\b", re.IGNORECASE)
_TO_HEARER = re.compile(r"\b(?:you|your|yours|you're|you've|we|us|our|i|my|me|right|okay)\b", re.IGNORECASE)


def digest(cues: Sequence[Cue], segments: Sequence[Segment], embed: Embed) -> tuple[list[Segment], Digest]:
    """Titles and summaries for the segments, and the episode's digest; all of it said or asked in the episode.

    ``embed`` turns n texts into float32 (n, d) unit rows. Segments that have a title keep it.
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
        questions=_questions(lines, vectors, centres, belongs, titled),
    )


def _centre(lines: Sequence[Line], vectors: Matrix, rows: npt.NDArray[np.intp]) -> Matrix:
    """What a topic is about: the mean of its sentences, longer ones counting more."""
    if not len(rows):
        return np.zeros(vectors.shape[1], np.float32)
    weights = np.array([len(lines[row].text.split()) ** 0.5 for row in rows], np.float32)
    return _unit((vectors[rows] * weights[:, None]).sum(0))


def _unit(vector: Matrix) -> Matrix:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, np.float32)


def _worth(lines: Sequence[Line], vectors: Matrix, centres: Matrix, belongs: npt.NDArray[np.intp]) -> Matrix:
    """How well each sentence tells its topic to somebody who hears nothing else: float32 (n,)."""
    near = np.einsum("ij,ij->i", vectors, centres[belongs])
    alone = np.array([_alone(line.text) for line in lines], np.float32)
    return np.asarray(near + alone, np.float32)


def _alone(sentence: str) -> float:
    """What a sentence's form adds to its worth: whole, telling, of a length to read, not leaning on the one before."""
    bare = trimmed(sentence)
    length = len(bare.split())
    told = len(content_words(bare))
    worth = -0.35 * leans(bare) + 0.04 * min(told, 5)
    worth -= 0.04 * max(0, 9 - length) + 0.012 * max(0, length - 30)
    if bare.endswith("?"):
        worth -= 0.35
    elif not bare.endswith((".", "!", "…", '"', "”")):
        worth -= 0.15
    return worth


def _chosen(rows: npt.NDArray[np.intp], worth: Matrix, vectors: Matrix, count: int) -> list[int]:
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
    return " ".join(trimmed(lines[row].text) for row in sorted(rows))


def _teaser(lines: Sequence[Line], ranked: Sequence[int]) -> str:
    """One sentence: what the host announces at the beginning, else the one that tells most."""
    early = lines[0].start + 0.12 * (lines[-1].end - lines[0].start)
    for line in lines:
        if line.start > early:
            break
        if _ANNOUNCES.search(line.text) and 8 <= len(line.text.split()) <= 60 and len(content_words(line.text)) > 3:
            return trimmed(line.text)
    return trimmed(lines[ranked[0]].text) if ranked else ""


def _questions(
    lines: Sequence[Line], vectors: Matrix, centres: Matrix, belongs: npt.NDArray[np.intp], segments: Sequence[Segment]
) -> tuple[str, ...]:
    """Questions that the episode answers: those asked in it that stand alone, one per topic; else about its topics."""
    scored: list[tuple[float, int, str]] = []
    for row, line in enumerate(lines[:-1]):
        asked = trimmed(line.text)
        if not (line.text.endswith("?") and _ASKS.match(asked) and 4 <= len(asked.split()) <= 16):
            continue
        told = content_words(asked)
        personal = bool(_TO_HEARER.search(asked))
        alone = leans(asked) == 0 if len(told) < 3 else leans(asked) < 0.25
        if len(told) < 2 or not alone or (personal and not _OPEN.match(asked)):
            continue
        answer = _unit(vectors[row + 1 : row + 7].mean(0))
        score = float(vectors[row] @ answer) + 0.5 * float(vectors[row] @ centres[belongs[row]])
        score += 0.05 * min(len(told), 4) - 0.2 * personal + 0.1 * bool(_OPEN.match(asked))
        scored.append((score, row, asked))
    chosen: dict[int, tuple[float, str]] = {}
    for score, row, asked in sorted(scored, reverse=True):
        chosen.setdefault(int(belongs[row]), (score, asked))
    best = sorted(chosen.items(), key=lambda entry: -entry[1][0])[:QUESTIONS]
    found = {topic: asked for topic, (_, asked) in best}
    for number, part in enumerate(segments):
        if len(found) >= QUESTIONS:
            break
        if number not in found and part.title not in {"", "Introduction", "Closing words", f"Part {number + 1}"}:
            found[number] = f"What is said about {_within(part.title, lines)}?"
    return tuple(found[topic] for topic in sorted(found))


def _within(title: str, lines: Sequence[Line]) -> str:
    """A title as it stands inside a sentence: its first word small, unless the speakers only know it as a name."""
    first = title.split()[0].lower()
    small = any(re.search(rf"\b{re.escape(first)}\b", line.text) for line in lines)
    return title[:1].lower() + title[1:] if small else title
