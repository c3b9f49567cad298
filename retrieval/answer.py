# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in the speakers' own words: sentences chosen from the moments, attributed, with their times."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from retrieval.model import Answer, Moment, Question, Sentence
from retrieval.near import Near
from retrieval.quote import Choice, Cues, choose
from retrieval.search import COVERED
from voice.words import clock

_SECOND = 0.9  # share of the best moment's confidence from which on another may hold the better sentence
_APART = 60.0  # seconds from the best moment below which another is the same place
_BEHIND = 0.15  # what each rank behind the best costs a moment


def compose(
    question: Question,
    moments: Sequence[Moment],
    titles: Mapping[str, str],
    cues: Cues,
    near: Near,
    elsewhere: Sequence[Moment] = (),
    speaker: str = "",
) -> Answer:
    """The answer to a question from the moments found for it, best first.

    ``titles`` names the episodes by id, ``cues`` gives an episode's cues, ``near`` how near its stored pieces lie.
    ``elsewhere`` are moments of other episodes, mentioned when the episode that was asked about has no answer; with
    ``speaker`` only that person is quoted.
    Every run of words between quotation marks stands so in the cues, within the times of the moment it comes with.
    """
    library = question.episode_id is None
    if not moments:
        return Answer(question.text, False, (Sentence("I found nothing about that."),))
    covered = moments[0].confidence >= COVERED
    moments, quotes = _quoted(question, moments, cues, near, 3 if covered else 1, speaker)
    if not quotes:
        return Answer(question.text, False, (Sentence(f"I found nothing that {speaker} says about that."),))
    moments = (jump(moments[0], quotes), *moments[1:])
    if not covered:
        return Answer(question.text, False, _declined(library, quotes, titles, elsewhere), tuple(moments))
    return Answer(question.text, True, said(quotes, titles, library), tuple(moments))


def said(quotes: Sequence[Moment], titles: Mapping[str, str], library: bool) -> tuple[Sentence, ...]:
    """Quotes of one speaker that follow each other, as they are spoken: the first says when, where and who."""
    first, *further = quotes
    return (
        Sentence(f"{_where(first, titles, library)}: {marks(first.quote)}", (first,)),
        *(Sentence(marks(quote.quote), (quote,)) for quote in further),
    )


def _quoted(
    question: Question, moments: Sequence[Moment], cues: Cues, near: Near, most: int, speaker: str
) -> tuple[Sequence[Moment], list[Moment]]:
    """The moments, that with the best sentences first, and those sentences as quotes."""
    best: Choice | None = None
    at = 0
    for rank, moment in enumerate(moments if speaker else moments[:3]):
        beside = moment.episode_id == moments[0].episode_id and abs(moment.start - moments[0].start) < _APART
        if not speaker and rank and (beside or moment.confidence < _SECOND * moments[0].confidence):
            continue
        choice = choose(question, moment, cues, near, most, speaker)
        if choice is not None and speaker:
            best, at = choice, rank
            break
        if choice is not None and (best is None or choice.worth - _BEHIND * rank > best.worth - _BEHIND * at):
            best, at = choice, rank
    if best is None and speaker:
        return moments, []
    if best is None:  # cues and index differ by now; what was found is still true
        return moments, [moments[0]]
    return (moments[at], *moments[:at], *moments[at + 1 :]), best.quotes


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
    return (*said, Sentence(f"The nearest is {place} {clock(near.start)}: {marks(near.quote)}", (near,)))


def marks(quote: str) -> str:
    """Words as a quotation."""
    return f"“{quote}”"


def jump(moment: Moment, quotes: Sequence[Moment]) -> Moment:
    """The moment with what is quoted from it; the jump still goes to where the matter begins, often a question."""
    quote = " ".join(quote.quote for quote in quotes)
    return replace(moment, end=max(moment.end, quotes[-1].end), quote=quote, speaker=quotes[0].speaker)
