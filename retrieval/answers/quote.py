# SPDX-License-Identifier: GPL-3.0-or-later
"""The quote: which of the runs that were read is said, where it begins and ends, and how it is trimmed.

A run is one to three sentences, chosen by the reader. What is said may begin before it and end after it, so that it
neither opens on a dangling clause nor stops short of its point. No word is changed: what is left out inside is marked,
and what is said stands so in the transcript.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile

from episodes.text.disfluencies import GAP, trimmed
from episodes.text.sentences import Line
from retrieval.answers.answer_type import AnswerType, answer_type
from retrieval.answers.corpus import Cues
from retrieval.answers.discourse import announces, idle, poses_question, refers_back
from retrieval.index.token_store import quotable_sentences
from retrieval.model import Moment, Question, SearchResult, SentenceRun

SPOKEN = 42
"""Words of a quote, at most: about fifteen seconds; more is tiring to hear."""

_FULL = 24  # words from which on a quote says enough by itself
_NOD = 3  # words: so short a sentence says nothing, unless it is yes or no
_SAYS = 8  # words: a shorter quote goes on to the next sentence, which mostly holds the point
_NAMED = 34  # words up to which the sentence before is said too, for one that opens on "it" or "he"
_AROUND = 60.0  # seconds of cues around a run that are read, so that no sentence is cut
_RIVALS = 4  # runs that are weighed against each other
_NEAR = 0.4  # share of the best run's share from which on another may be said in its place
_SURE = 0.5  # probability of an answer from which on one quote is enough
_ALSO = 0.2  # share of the best run's share from which on another may be the answer instead
_BOTH = 70  # words of two quotes, at most
_FITS = 0.35  # what it is worth to hold what was asked for: a date, a number, a name
_EMPTY = 10  # words from which on a sentence says something, even if it asks or begins with "I don't know"


@dataclass(frozen=True, slots=True)
class Quote:
    """What is said of an episode: ``lines`` that follow each other, ``text`` as it is quoted, and where to ``jump``
    (seconds): to the first line, or to the question that it replies to close before it."""

    run: SentenceRun
    lines: tuple[Line, ...]
    text: str
    jump: float

    def moment(self, confidence: float) -> Moment:
        """The quote as the moment to jump to."""
        end = self.lines[-1].end if self.lines else self.run.end
        return Moment(self.run.episode_id, self.jump, end, self.text, self.run.speaker, confidence)


def choose_quote(question: Question, runs: Sequence[SentenceRun], cues: Cues) -> Quote | None:
    """The quote that answers, out of the runs that were read, best first; None when there are none.

    The best run is passed over for another that is nearly as likely when only that holds what was asked for.
    """
    if not runs:
        return None
    wanted = answer_type(question.text)
    best = runs[0]
    rivals = [run for run in runs[:_RIVALS] if run.share >= _NEAR * best.share]
    chosen = max(rivals, key=lambda run: run.share + _FITS * best.share * wanted.fits(run.text))
    return quote(question, chosen, cues, wanted)


def also(question: Question, chosen: Quote, found: SearchResult, cues: Cues) -> Quote | None:
    """A second quote for an answer that is not sure: the next of the runs, when it may be the answer as well."""
    if found.answered >= _SURE:
        return None
    for run in found.runs[:_RIVALS]:
        if run is chosen.run or run.share < _ALSO * found.best or idle(run.text):
            continue
        other = quote(question, run, cues)
        words = len(chosen.text.split()) + len(other.text.split())
        if words <= _BOTH and other.text not in chosen.text and chosen.text not in other.text:
            return other
    return None


def quote(question: Question, run: SentenceRun, cues: Cues, wanted: AnswerType | None = None) -> Quote:
    """What is said of one run."""
    wanted = wanted or answer_type(question.text)
    lines = _around(question, run, cues)
    first = next((at for at, line in enumerate(lines) if abs(line.start - run.start) < 0.06), None)
    if first is None:  # cues and index differ by now, and what was found is still true
        return Quote(run, (), quoted([Line(run.start, run.end, run.text, run.speaker)]), run.jump)
    last = next((at for at in range(first, len(lines)) if lines[at].end >= run.end - 0.06), first)
    first, last = _begun(lines, first, last)
    first, last = _stripped(lines, first, last, wanted)
    first, last = _ended(lines, first, last, wanted)
    chosen = tuple(lines[first : last + 1])
    return Quote(run, chosen, quoted(chosen), _jump(run, chosen[0]))


def _around(question: Question, run: SentenceRun, cues: Cues) -> list[Line]:
    """The sentences around a run, as far as the listener has heard."""
    until = question.heard_until
    near = [
        cue for cue in cues(run.episode_id)
        if cue.end > run.start - _AROUND and cue.start < run.end + _AROUND and (until is None or cue.start < until)
    ]
    return [line for line in quotable_sentences(near) if until is None or line.end <= until or line.start <= run.start]


def _words(lines: Sequence[Line], first: int, last: int) -> int:
    return sum(len(trimmed(line.text).split()) for line in lines[first : last + 1])


def _same(lines: Sequence[Line], one: int, other: int) -> bool:
    """True when two sentences are of one turn."""
    return lines[one].speaker == lines[other].speaker and not any(
        line.turn_start for line in lines[min(one, other) + 1 : max(one, other) + 1]
    )


def _begun(lines: Sequence[Line], first: int, last: int) -> tuple[int, int]:
    """From the sentence before, when the first one only goes on from it, or opens on a word for what that names."""
    while first > 0 and _dangles(lines[first - 1], lines[first]) and _goes_before(lines, first, last, SPOKEN):
        first -= 1
    refers = first > 0 and refers_back(trimmed(lines[first].text)) and not idle(lines[first - 1].text)
    return first - (refers and _goes_before(lines, first, last, _NAMED)), last


def _goes_before(lines: Sequence[Line], first: int, last: int, words: int) -> bool:
    """Whether the sentence before the first one may be said too, with at most so many words in all."""
    before = first - 1
    return (
        _same(lines, before, first)
        and not poses_question(lines[before].text)
        and _words(lines, before, last) <= words
    )


_OPEN = re.compile(r"[,;:–—-]$|\b(?:and|but|or|so|because|that|which|if|the|a|an|of|to|with|for|is|are|was)\W*$", re.I)
_DANGLING = re.compile(r"(?:which|who|whose|because|than|whereas|as well as|rather than|or|nor)\b", re.IGNORECASE)


def _dangles(before: Line, line: Line) -> bool:
    """True for what is the second half of a sentence."""
    return _OPEN.search(before.text) is not None or _DANGLING.match(trimmed(line.text)) is not None


def _ended(lines: Sequence[Line], first: int, last: int, wanted: AnswerType) -> tuple[int, int]:
    """Up to the sentence in which it comes to its point."""
    while last + 1 < len(lines) and _same(lines, last, last + 1):
        text = " ".join(line.text for line in lines[first : last + 1])
        following = lines[last + 1]
        words = _words(lines, first, last)
        short = words < _SAYS or _OPEN.search(lines[last].text) is not None or announces(lines[last].text)
        lacks = wanted.strict and not wanted.fits(text) and wanted.fits(following.text)
        if not (short or lacks) or _words(lines, first, last + 1) > SPOKEN:
            break
        if poses_question(following.text) or idle(following.text):
            break
        last += 1
    return first, last


def _stripped(lines: Sequence[Line], first: int, last: int, wanted: AnswerType) -> tuple[int, int]:
    """Without sentences at its ends that ask, nod or pass the time, as long as others say enough."""
    def empty(line: Line) -> bool:
        return len(line.text.split()) < _EMPTY and (poses_question(line.text) or idle(line.text))

    while first < last and (empty(lines[first]) or _nods(lines[first], wanted)):
        first += 1
    while first < last and empty(lines[last]):
        last -= 1
    return first, last


def _nods(line: Line, wanted: AnswerType) -> bool:
    return not wanted.decision and len(trimmed(line.text).split()) <= _NOD


def _jump(run: SentenceRun, first: Line) -> float:
    """Where to jump: to the question that is replied to when it is close before the first sentence, else to that."""
    return replace(run, start=first.start).jump


def quoted(lines: Sequence[Line]) -> str:
    """Sentences that follow each other as one quote, trimmed, and cut where they are too long or unfinished.

    Whatever is left out between two words that stay is ``GAP``, also where it stood between two sentences.
    """
    whole, left, ended = "", SPOKEN, True
    for line in lines:
        text = shortened(trimmed(line.text), left)
        runs = text.split(GAP)
        if whole:
            whole += " " if ended and line.text.startswith(runs[0]) else GAP
        whole += text
        ended = line.text.endswith(runs[-1])
        left -= len(text.split())
        if left <= 0 or text.endswith(" …"):  # nothing more has room
            break
    return whole.rstrip(",;:–—- ") + " …" if whole[-1:] in ",;:–—-" else whole


def moment_of(episode_id: str, lines: Sequence[Line]) -> Moment:
    """Sentences of one speaker that follow each other as a moment that is certain."""
    return Moment(episode_id, lines[0].start, lines[-1].end, quoted(lines), lines[0].speaker, 1.0)


def opening(moment: Moment, cues: Cues) -> Moment:
    """A moment with only the words that it begins with, of one speaker; as it was when the cues have none there."""
    inside = [cue for cue in cues(moment.episode_id) if cue.end > moment.start and cue.start < moment.end]
    heard = quotable_sentences(inside)
    lines = [line for line in heard if line.start >= moment.start - 0.05 and line.end <= moment.end + 0.05]
    if not lines:
        return moment
    mine = list(takewhile(lambda line: line.speaker == lines[0].speaker, lines))
    total = list(accumulate(len(line.text.split()) for line in mine))
    return replace(moment, quote=quoted(mine[: 1 + bisect_left(total, _FULL)]), speaker=mine[0].speaker)


def shortened(quote: str, words: int = SPOKEN) -> str:
    """A sentence that is too long to be heard, cut behind a clause; what was left out ends it as " …"."""
    parts = quote.split(" ")
    if len(parts) <= words:
        return quote
    ends = [number for number in range(min(8, words - 1), words) if parts[number][-1:] in ",;:–—"]
    cut = (ends[-1] if ends else words - 1) + 1
    while not ends and cut > 8 and parts[cut - 1].lower().strip(",.;:") in _HANGING:
        cut -= 1
    return " ".join(parts[:cut]).rstrip(",;:–— …") + " …"


_HANGING = frozenset(
    ("the", "a", "an", "of", "to", "in", "on", "for", "and", "or", "but", "with", "that", "this", "is", "are", "was",
     "by", "from", "as", "if", "it", "so", "because")
)
