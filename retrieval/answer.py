# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in the speakers' own words: sentences chosen from the moments, attributed, with their times."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from episodes.sentences import Line, sentences
from retrieval.embed import Matrix
from retrieval.model import Answer, Moment, Question, Sentence
from retrieval.search import COVERED
from retrieval.trim import trimmed
from voice.words import Cue, clock

Cues = Callable[[str], Sequence[Cue]]
Embed = Callable[[Sequence[str]], Matrix]

_SPOKEN = 45  # words of all quotes in an answer; more is tiring to hear
_LONG = 40  # words: a longer sentence is quoted only up to a clause's end
_SHORT = 5  # words: a shorter sentence says too little by itself
_CANDIDATES = 14  # sentences of a moment that may be quoted
_AROUND = 30.0  # seconds of cues around a moment that are read, so that no sentence is cut


def compose(
    question: Question,
    moments: Sequence[Moment],
    titles: Mapping[str, str],
    cues: Cues,
    embed: Embed,
    elsewhere: Sequence[Moment] = (),
) -> Answer:
    """The answer to a question from the moments found for it, best first.

    ``titles`` names the episodes by id, ``cues`` gives an episode's cues, ``embed`` gives unit rows for texts.
    ``elsewhere`` are moments of other episodes, mentioned when the episode that was asked about has no answer.
    Every run of words between quotation marks stands so in the cues, within the times of the moment it comes with.
    """
    library = question.episode_id is None
    if not moments:
        return Answer(question.text, False, (Sentence("I found nothing about that."),))
    covered = moments[0].confidence >= COVERED
    best = _quoted(question, moments[0], cues, embed, 1 if not covered else 2)
    moments = (_jump(moments[0], best), *moments[1:])
    if not covered:
        return Answer(question.text, False, _declined(library, best, titles, elsewhere), tuple(moments))
    first, *further = best
    spoken = [Sentence(f"{_where(first, titles, library)}: {_marks(first.quote)}", (first,))]
    spoken += [Sentence(_marks(quote.quote), (quote,)) for quote in further]
    return Answer(question.text, True, tuple(spoken), tuple(moments))


def _where(moment: Moment, titles: Mapping[str, str], library: bool) -> str:
    place = f"At {clock(moment.start)}"
    if library:
        place = f"In {titles.get(moment.episode_id, 'an episode')}, at {clock(moment.start)}"
    return f"{place}, {moment.speaker} says" if moment.speaker else place


def _declined(
    library: bool, nearest: Sequence[Moment], titles: Mapping[str, str], elsewhere: Sequence[Moment]
) -> tuple[Sentence, ...]:
    said = [Sentence("Your library does not cover that." if library else "This episode does not cover that.")]
    other = next((moment for moment in elsewhere if moment.confidence >= COVERED), None)
    if other is not None and not library:
        title = titles.get(other.episode_id, "another episode")
        return (*said, Sentence(f"But {title} does, at {clock(other.start)}.", (other,)))
    near = nearest[0]
    place = f"in {titles.get(near.episode_id, 'an episode')} at" if library else "at"
    return (*said, Sentence(f"The nearest is {place} {clock(near.start)}: {_marks(near.quote)}", (near,)))


def _marks(quote: str) -> str:
    return f"“{quote}”"


def _jump(moment: Moment, quotes: Sequence[Moment]) -> Moment:
    """The moment with what is quoted from it; the jump still goes to where the matter begins, often a question."""
    quote = " ".join(quote.quote for quote in quotes)
    return replace(moment, end=max(moment.end, quotes[-1].end), quote=quote, speaker=quotes[0].speaker)


@dataclass(frozen=True, slots=True)
class _Choice:
    line: Line
    words: int
    worth: float


def _quoted(question: Question, moment: Moment, cues: Cues, embed: Embed, most: int) -> list[Moment]:
    """The sentences of a moment that answer best, at most ``most`` that follow each other, each as its own moment."""
    near = [
        cue
        for cue in cues(moment.episode_id)
        if cue.end > moment.start - _AROUND and cue.start < moment.end + _AROUND
        and (question.heard_until is None or cue.start < question.heard_until)
    ]
    lines = [line for line in sentences(near) if line.start >= moment.start - 0.05 and line.start < moment.end + 1][
        :_CANDIDATES
    ]
    if not lines:  # cues and index differ by now; what was found is still true
        return [moment]
    choices = _judged(question.text, lines, embed)
    at = max(range(len(choices)), key=lambda number: choices[number].worth)
    chosen = [choices[at].line]
    words = choices[at].words
    for choice in choices[at + 1 :]:
        following = choice.line
        if len(chosen) == most or following.speaker != chosen[0].speaker or words + choice.words > _SPOKEN:
            break
        chosen.append(following)
        words += choice.words
    return [
        Moment(moment.episode_id, line.start, line.end, _shortened(trimmed(line.text)), line.speaker, moment.confidence)
        for line in chosen
    ]


def _judged(question: str, lines: Sequence[Line], embed: Embed) -> list[_Choice]:
    """How well each sentence would do as the beginning of the answer."""
    asked = _stems(question)
    answering = _answering(lines)
    words = [len(line.text.split()) for line in lines]
    # questions and single words answer nothing: only what is left is worth embedding
    telling = [number for number, line in enumerate(lines) if words[number] >= _SHORT and not _asks(line)]
    near = [0.0] * len(lines)
    if telling:
        vectors = embed([lines[number].text for number in telling]) @ embed([question])[0]
        for number, value in zip(telling, vectors.tolist(), strict=True):
            near[number] = value
    choices = []
    for number, line in enumerate(lines):
        shared = len(asked & _stems(line.text)) / max(len(asked), 1)
        worth = near[number] + 0.3 * shared - 0.02 * number
        worth -= 1.0 * _asks(line) + 0.5 * (words[number] < _SHORT) + 0.01 * max(0, words[number] - _LONG)
        worth -= 0.3 * (line.speaker != answering)
        # the sentence behind a question is where its answer begins
        if number and _asks(lines[number - 1]) and line.speaker != lines[number - 1].speaker:
            worth += 0.2 + 0.2 * len(asked & _stems(lines[number - 1].text)) / max(len(asked), 1)
        choices.append(_Choice(line, words[number], worth))
    return choices


_PROMPT = re.compile(
    r"(?:(?:so|and|now|then|well|okay|but|please),? )*"
    r"(?:tell|explain|describe|walk|talk|give|remind|take|share|help)\b.{0,12}\b(?:us|me|our|through|to|about)\b",
    re.IGNORECASE,
)


def _asks(line: Line) -> bool:
    """True for a question, also one that is put as a request: "Tell us about the bees." """
    return line.text.rstrip("\"'”").endswith("?") or _PROMPT.match(line.text) is not None


def _answering(lines: Sequence[Line]) -> str:
    """Who says most in these lines."""
    said: dict[str, int] = {}
    for line in lines:
        said[line.speaker] = said.get(line.speaker, 0) + len(line.text)
    return max(said, key=lambda name: said[name])


def _stems(text: str) -> set[str]:
    """Rough stems of the words of a text that carry meaning."""
    return {word[:5] for word in re.findall(r"[^\W_]{3,}", text.lower()) if word not in _EMPTY}


_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "the and for are but not you all any can had her was one our out has him his how its may new now old see two"
        " way who did does what when where which why will with would could should have this that these those they"
        " them there their then than from into about your been being were some such only over also just like more"
        " most other",
    )
)


def _shortened(quote: str) -> str:
    """A sentence that is too long to be heard, cut behind a clause."""
    words = quote.split(" ")
    if len(words) <= _LONG:
        return quote
    ends = [number for number in range(12, _LONG) if words[number][-1:] in ",;:–—"]
    cut = (ends[-1] if ends else _LONG - 1) + 1
    return " ".join(words[:cut]).rstrip(",;:–— …") + " …"
