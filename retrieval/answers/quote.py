# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sentences of a moment answer a question, and how they are quoted: short, trimmed, as they were said."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile

from episodes.text.disfluencies import GAP, trimmed
from episodes.text.sentences import Line, sentences
from episodes.text.stemming import stems
from retrieval.answers.answer_type import decision, manner
from retrieval.answers.discourse import Talk, announces, hosts, idle, leans, talk
from retrieval.index.similarity import Near
from retrieval.model import Moment, Question
from voice.model import Cue

Cues = Callable[[str], Sequence[Cue]]

SPOKEN = 45
"""Words of an answer's quote, about eighteen seconds; more is tiring to hear."""

_NOD = 3  # words: so short a sentence begins the answer to a yes-or-no question only
_SHORT = 5  # words: a shorter sentence says too little by itself
_FULL = 22  # words of a quote from which on it needs no further sentence
_SENTENCES = 3  # sentences of a quote, at most
_CANDIDATES = 28  # sentences of a moment that may be quoted
_BEYOND = 45.0  # seconds behind a moment in which its answer may still begin
_AROUND = 60.0  # seconds of cues around a moment that are read, so that no sentence is cut
_BEHIND = 0.1  # what it costs a moment not to be the best
_DOUBT = 0.3  # what it costs to have no confidence at all, where the best has all
_LIKELY = 6  # quotes that are compared with the question by their meaning
_READ = 3  # of these, that have to be embedded for it: each takes some eight milliseconds
_SAME = 0.85  # share of time that a quote and a stored unit have in common, from which on they mean the same


@dataclass(frozen=True, slots=True)
class Choice:
    """Sentences of a moment that follow each other and answer; ``like`` is the cosine of what they say with what was
    asked."""

    moment: Moment
    lines: tuple[Line, ...]
    like: float

    @property
    def quote(self) -> Moment:
        """The sentences as they are quoted, as a moment of their own; about ``SPOKEN`` words at most."""
        first, last = self.lines[0], self.lines[-1]
        return Moment(
            self.moment.episode_id, first.start, last.end, quoted(self.lines), first.speaker, self.moment.confidence
        )


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
    return whole.rstrip(",;:–—- ") + " …" if whole[-1:] in ",;:–—-" else whole


def opening(moment: Moment, cues: Cues) -> Moment:
    """A moment with only the words that it begins with, of one speaker; as it was when the cues have none there."""
    said = sentences([cue for cue in cues(moment.episode_id) if cue.end > moment.start and cue.start < moment.end])
    lines = [line for line in said if line.start >= moment.start - 0.05 and line.end <= moment.end + 0.05]
    if not lines:
        return moment
    mine = list(takewhile(lambda line: line.speaker == lines[0].speaker, lines))
    total = list(accumulate(len(line.text.split()) for line in mine))
    return replace(moment, quote=quoted(mine[: 1 + bisect_left(total, _FULL)]), speaker=mine[0].speaker)


@dataclass(frozen=True, slots=True)
class _Run:
    """A quote that may be chosen, and how well it would answer by what is known without reading it.

    ``says`` is False for one that asks, nods, passes the time or was told before. ``cosine`` is known where a stored
    unit is as good as the same.
    """

    moment: Moment
    lines: tuple[Line, ...]
    guess: float
    says: bool
    cosine: float | None


def choose(
    question: Question, moments: Sequence[Moment], cues: Cues, near: Near, most: int, speaker: str = ""
) -> Choice | None:
    """The sentences of one of the moments that answer best, at most ``most``; None when the cues have none there.

    A moment counts for less than those before it. With ``speaker`` only what that person says is quoted.
    """
    runs = []
    for rank, moment in enumerate(moments):
        doubt = 1 - moment.confidence / max(moments[0].confidence, 1e-9)
        cost = _BEHIND * (rank > 0) + _DOUBT * doubt
        runs += [replace(run, guess=run.guess - cost) for run in _runs(question, moment, cues, near, most, speaker)]
    if speaker or any(run.says for run in runs):
        runs = [run for run in runs if run.says]
    places = {(run.moment.episode_id, run.lines[0].start): run for run in sorted(runs, key=lambda run: run.guess)}
    likely = sorted(places.values(), key=lambda run: -run.guess)[:_LIKELY]
    read = [run for run in likely if run.cosine is None][:_READ]
    found = dict(zip(map(id, read), near.texts([quoted(run.lines) for run in read]), strict=True))
    like = [(run, found.get(id(run), run.cosine)) for run in likely]
    known = [(run, cosine) for run, cosine in like if cosine is not None]
    if not known:
        return None
    best, cosine = max(known, key=lambda pair: pair[0].guess + pair[1])
    return Choice(_nearest(best, moments), best.lines, cosine)


def _nearest(run: _Run, moments: Sequence[Moment]) -> Moment:
    """The last of the moments that begin before the quote, so that a jump comes to it soon."""
    first = run.lines[0].start
    before = [
        moment for moment in moments
        if moment.episode_id == run.moment.episode_id and run.moment.start < moment.start <= first
    ]
    return max(before, key=lambda moment: moment.start, default=run.moment)


def _runs(question: Question, moment: Moment, cues: Cues, near: Near, most: int, speaker: str) -> Iterator[_Run]:
    """What may be quoted of a moment."""
    around = [
        cue
        for cue in cues(moment.episode_id)
        if cue.end > moment.start - _AROUND and cue.start < moment.end + _AROUND
        and (question.heard_until is None or cue.start < question.heard_until)
    ]
    said = talk(sentences(around))
    begin = next((at for at, line in enumerate(said.lines) if line.start >= moment.start - 0.05), len(said.lines))
    places = [
        at for at in range(begin, min(begin + _CANDIDATES, len(said.lines)))
        if said.lines[at].start < moment.end + _BEYOND and (not speaker or said.lines[at].speaker == speaker)
    ]
    if not places:
        return
    units = near.stored(moment.episode_id, said.lines[begin].start, said.lines[places[-1]].end)
    asking, asked = hosts(said), stems(question.text)
    told = [moment.quote for turn in question.history[-2:] for moment in turn.moments[:1] if moment.quote]
    fits, decides = manner(question.text), decision(question.text)

    def cosine(start: float, end: float) -> float:
        return max((value for first, last, value in units if first < end and start < last), default=0.0)

    for at in places:
        lines = _run(said, at, most, asked)
        first, text = lines[0], quoted(lines)
        length, telling = len(text.split()), stems(text)
        # what it is about, and what it says
        worth = 0.5 * cosine(first.start, lines[-1].end) + 0.25 * len(asked & telling) / max(len(asked), 1)
        worth += 0.15 * fits(text) + 0.01 * min(len(telling), 18)
        # where it stands
        worth += _replying(said, at, asked, cosine) - 0.04 * math.log1p(max(0.0, first.start - moment.start) / 10)
        worth -= 0.2 * said.lead[at] + 0.25 * (not speaker and first.speaker in asking)
        # how it sounds by itself
        worth -= 0.3 * said.piece[at] + 0.35 * announces(first.text) + 0.06 * leans(text) + 0.03 * text[:1].islower()
        worth -= 0.3 * (length < _SHORT) + 0.25 * (length < 2 * _SHORT) + 0.1 * text.endswith("…")
        worth -= 0.04 * ("?" in text) + 0.1 * (len(lines) > 1 and len(first.text.split()) <= _SHORT)
        again = any(trimmed(first.text) in quote for quote in told)
        nods = not decides and len(trimmed(first.text).split()) <= _NOD
        says = not said.question[at] and not idle(first.text) and not nods and not again
        yield _Run(moment, lines, worth, says, _known(first.start, lines[-1].end, units))


def _known(start: float, end: float, units: Sequence[tuple[float, float, float]]) -> float | None:
    """The cosine of the unit that is nearly the stretch from ``start`` to ``end``; None when there is none."""
    for first, last, cosine in units:
        both = min(end, last) - max(start, first)
        if both > 0 and both >= _SAME * (max(end, last) - min(start, first)):
            return cosine
    return None


def _run(said: Talk, first: int, most: int, asked: set[str]) -> tuple[Line, ...]:
    """The sentences of a quote that begins at ``first``: until it says enough, or of all that was ``asked``."""
    lines = [said.lines[first]]
    words = len(trimmed(lines[0].text).split())
    for at in range(first + 1, min(first + most, len(said.lines))):
        line = said.lines[at]
        length = len(trimmed(line.text).split())
        told = stems(" ".join(line.text for line in lines))
        enough = words >= _FULL and not stems(line.text) & asked - told
        if enough or words + length > SPOKEN or line.speaker != lines[0].speaker:
            break
        if said.question[at] or idle(line.text):
            break
        lines.append(line)
        words += length
    return tuple(lines)


def _replying(said: Talk, at: int, asked: set[str], cosine: Callable[[float, float], float]) -> float:
    """What it is worth that a reply begins here, or shortly before: the more, the more its question is like ours."""
    for back in range(4):
        place = at - back
        if place < 0 or (back and said.lines[place].speaker != said.lines[at].speaker):
            return 0.0
        told = said.replies[place]
        if told is not None:
            lines = said.lines[told[0] : told[1]]
            like = cosine(lines[0].start, lines[-1].end)
            shared = len(asked & stems(" ".join(line.text for line in lines))) / max(len(asked), 1)
            return (0.1 + 0.2 * like + 0.15 * shared) * (1.0, 0.95, 0.9, 0.6)[back]
    return 0.0


def shortened(quote: str, words: int = SPOKEN) -> str:
    """A sentence that is too long to be heard, cut behind a clause; what was left out ends it as " …"."""
    said = quote.split(" ")
    if len(said) <= words:
        return quote
    ends = [number for number in range(min(8, words - 1), words) if said[number][-1:] in ",;:–—"]
    cut = (ends[-1] if ends else words - 1) + 1
    while not ends and cut > 8 and said[cut - 1].lower().strip(",.;:") in _HANGING:
        cut -= 1
    return " ".join(said[:cut]).rstrip(",;:–— …") + " …"


_HANGING = frozenset(
    ("the", "a", "an", "of", "to", "in", "on", "for", "and", "or", "but", "with", "that", "this", "is", "are", "was",
     "by", "from", "as", "if", "it", "so", "because")
)
