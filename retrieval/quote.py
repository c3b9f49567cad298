# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sentences of a moment answer a question, and how they are quoted: short, trimmed, as they were said."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from episodes.sentences import Line, sentences
from retrieval.model import Moment, Question
from retrieval.near import Near
from retrieval.trim import trimmed
from voice.words import Cue

Cues = Callable[[str], Sequence[Cue]]

SPOKEN = 40
"""Words of all quotes in an answer, about sixteen seconds; more is tiring to hear."""

_LONG = 36  # words: a longer sentence is quoted only up to a clause's end
_SHORT = 5  # words: a shorter sentence says too little by itself
_LEAST = 14  # words of a quote below which the next sentence is heard too
_CANDIDATES = 20  # sentences of a moment that may be quoted
_BEYOND = 30.0  # seconds behind a moment in which its answer may still begin, where the question is long
_AROUND = 60.0  # seconds of cues around a moment that are read, so that no sentence is cut


@dataclass(frozen=True, slots=True)
class Choice:
    """Sentences that follow each other and would answer; ``worth`` compares choices for the same question."""

    moment: Moment
    lines: tuple[Line, ...]
    worth: float

    @property
    def quotes(self) -> list[Moment]:
        """Each sentence as it is quoted, as a moment of its own; together about ``SPOKEN`` words at most."""
        left, made = SPOKEN, []
        for line in self.lines:
            said = shortened(trimmed(line.text), min(left, _LONG))
            made.append(Moment(
                self.moment.episode_id, line.start, line.end, said, line.speaker, self.moment.confidence
            ))  # fmt: skip
            left -= len(said.split())
        return made


def choose(question: Question, moment: Moment, cues: Cues, near: Near, most: int, speaker: str = "") -> Choice | None:
    """The sentences of a moment that answer best, at most ``most``; None when the cues have none there.

    With ``speaker`` only what that person says is quoted.
    """
    around = [
        cue
        for cue in cues(moment.episode_id)
        if cue.end > moment.start - _AROUND and cue.start < moment.end + _AROUND
        and (question.heard_until is None or cue.start < question.heard_until)
    ]
    every = sentences(around)
    lines = [line for line in every if line.start >= moment.start - 0.05][:_CANDIDATES]
    lines = [line for line in lines if line.start < moment.end + _BEYOND]
    if not lines:
        return None
    before = [line for line in every if line.start < lines[0].start - 0.01][-1:]
    worth = _judged(question.text, lines, before, near(moment.episode_id, lines[0].start, lines[-1].end), speaker)
    at = max(range(len(lines)), key=lambda number: worth[number])
    if speaker and lines[at].speaker != speaker:
        return None
    chosen = [lines[at]]
    words = min(len(trimmed(chosen[0].text).split()), _LONG)
    for number in range(at + 1, len(lines)):
        line = lines[number]
        length = len(trimmed(line.text).split())
        fits = words + length <= SPOKEN or (words < _LEAST and words + 12 <= SPOKEN)
        if len(chosen) == most or line.speaker != chosen[0].speaker or asks(line) or not fits or _idle(line.text):
            break
        if words >= 2 * _LEAST and worth[number] < worth[at] - 0.25:
            break
        chosen.append(line)
        words += length
    return Choice(moment, tuple(chosen), worth[at])


def _judged(
    question: str, lines: Sequence[Line], before: Sequence[Line], near: Sequence[tuple[float, float, float]],
    speaker: str,
) -> list[float]:
    """How well each sentence would do as the beginning of the answer."""
    asked = stems(question)
    manner = _manner(question)
    answering = speaker or _answering(lines)
    judged = []
    for number, line in enumerate(lines):
        plain = line.text
        length = len(trimmed(plain).split())
        middle = (line.start + line.end) / 2
        cosine = max((value for start, end, value in near if start <= middle < end + 0.01), default=0.0)
        shared = len(asked & stems(plain)) / max(len(asked), 1)
        worth = cosine + 0.45 * shared - 0.015 * number
        worth -= 1.2 * asks(line) + 0.5 * (length < _SHORT) + 0.15 * (length < 8) + 0.008 * max(0, length - _LONG)
        worth -= 0.35 * (line.speaker != answering) + 1.0 * bool(speaker and line.speaker != speaker)
        worth -= 0.6 * _idle(plain) + 0.12 * bool(_LEANS.match(trimmed(plain))) + 0.25 * plain[:1].islower()
        worth += manner(plain)
        previous = lines[number - 1] if number else (before[-1] if before else None)
        following = lines[number + 1] if number + 1 < len(lines) else None
        # what leads up to somebody's question belongs to the question
        worth -= 0.4 * (following is not None and asks(following) and following.speaker == line.speaker)
        # the sentence behind a question is where its answer begins
        if previous is not None and asks(previous) and line.speaker != previous.speaker and length >= _SHORT:
            worth += 0.2 + 0.25 * len(asked & stems(previous.text)) / max(len(asked), 1)
        judged.append(worth)
    return judged


def _manner(question: str) -> Callable[[str], float]:
    """What the kind of a question says for a sentence: definitions for "what is", reasons for "why"."""
    plain = question.lower().strip(" ?!.")
    defined = re.match(r"(?:so |and )?(?:what(?:'s| is| are| does)|who is|define|explain) (?:an? |the )?(.+)", plain)
    if defined and len(defined[1].split()) <= 3:
        thing = "|".join(re.escape(word) for word in stems(re.sub(r"\b(?:mean|do|like)\b", "", defined[1])))
        if thing:
            told = re.compile(
                rf"\b(?:{thing})\w*\b[^.?!]{{0,30}}?\b(?:is|are|means?|stands for|works?|refers|does|was|lets)\b"
                rf"|\b(?:called|so-called|basically|essentially)\b[^.?!]{{0,40}}\b(?:{thing})", re.IGNORECASE,
            )
            return lambda text: 0.3 * bool(told.search(text)) + 0.08 * bool(_EXPLAINS.search(text))
    if plain.startswith(("why", "and why", "what is the reason")):
        return lambda text: 0.15 * bool(_REASON.search(text))
    if "how" in plain.split()[:2]:
        return lambda text: 0.1 * bool(_WAY.search(text))
    return lambda text: 0.0


_EXPLAINS = re.compile(
    r"\b(?:basically|essentially|the idea|in other words|is when|is where|is a|are a)\b", re.IGNORECASE
)
_REASON = re.compile(
    r"\b(?:because|since|the reason|that's why|so that|due to|the problem|wanted to|in order to|otherwise|cause)\b",
    re.IGNORECASE,
)
_WAY = re.compile(
    r"\b(?:by|works?|what (?:it|you|we|they) (?:do|does)|the way|first|then|you can|essentially|uses?|using)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(r"(?:he|she|they|it|that|this|those|these|which|who|because|or|also|then|there)\b", re.IGNORECASE)
_IDLE = re.compile(
    r"\[[^\]]*(?:sponsor|music|laughter|removed|ad)[^\]]*\]|\bsponsor|\bpromo code\b|\bdiscount\b|\bsubscribe\b"
    r"|\bwelcome (?:back|to)\b|\b(?:today'?s|this) episode\b"
    r"|\bthanks? (?:you )?(?:so much )?for (?:having|coming|joining)"
    r"|\bgo(?:ing)? to (?:talk|be talking) (?:about|with|to us)\b"
    r"|\bhave .{1,30} on (?:today|the show)\b|\bcheck (?:it|us) out\b"
    r"|\b(?:good|great|excellent|interesting|fair) question\b"
    r"|^(?:i don'?t know|i'?m not sure|let me think|that'?s a good)"
    r"|\bwrote a book\b|\bhow(?:'s| is) it going\b|\bmy name is\b|\bglad to have\b|\benjoy the (?:episode|show)\b",
    re.IGNORECASE,
)


def _idle(text: str) -> bool:
    """True for what passes between people without saying anything: greetings, thanks, advertisements, hesitation."""
    return _IDLE.search(text) is not None


_PROMPT = re.compile(
    r"(?:(?:so|and|now|then|well|okay|but|please),? )*"
    r"(?:tell|explain|describe|walk|talk|give|remind|take|share|help)\b.{0,12}\b(?:us|me|our|through|to|about)\b",
    re.IGNORECASE,
)


def asks(line: Line) -> bool:
    """True for a question, also one that is put as a request: "Tell us about the bees." """
    return "?" in line.text or _PROMPT.match(line.text) is not None


def _answering(lines: Sequence[Line]) -> str:
    """Who says most in these lines, behind the first question where there is one."""
    said: dict[str, int] = {}
    behind = next((number for number, line in enumerate(lines[:-1]) if asks(line)), -1) + 1
    for line in lines[behind:]:
        said[line.speaker] = said.get(line.speaker, 0) + len(line.text)
    return max(said, key=lambda name: said[name])


def stems(text: str) -> set[str]:
    """Rough stems of the words of a text that carry meaning."""
    return {word[:5] for word in re.findall(r"[^\W_]{3,}", text.lower()) if word not in _EMPTY}


_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "the and for are but not you all any can had her was one our out has him his how its may new now old see two"
        " way who did does what when where which why will with would could should have this that these those they"
        " them there their then than from into about your been being were some such only over also just like more"
        " most other mean means say says said tell happen happens",
    )
)


def shortened(quote: str, words: int = _LONG) -> str:
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
