# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in the speakers' own words: sentences chosen from the moments, attributed, with their times."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from retrieval.answers.quote import Cues, choose, opening
from retrieval.finding.search import COVERED
from retrieval.index.similarity import Near
from retrieval.model import Answer, Moment, Question, Sentence
from voice.model import clock

_SECOND = 0.5  # share of the best moment's confidence from which on another may hold the better sentence
_TRIED = 4  # moments that are searched for the better sentence
_SHOWN = 4  # moments that people see; the words of the others are for programs
_ELSEWHERE = 0.5  # confidence from which on another episode is said to cover what this one does not
_UNSURE = 0.6  # confidence below which what is little like the question is given with reserve
_UNLIKE = 0.3  # how like that is (cosine)
_SURE = 0.8  # confidence from which on there is no doubt about it
_APART = 60.0  # seconds from the best moment below which another is the same place


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
    moments, quote, like = _quoted(question, moments, cues, near, 3 if covered else 1, speaker)
    if quote is None:
        return Answer(question.text, False, (Sentence(f"I found nothing that {speaker} says about that."),))
    shown = [opening(moment, cues) for moment in moments[1:_SHOWN]]
    moments = (jump(moments[0], quote), *shown, *moments[_SHOWN:])
    if covered:
        sentence = said(quote, titles, library)
        if quote.confidence < _UNSURE and like < _UNLIKE:
            sentence = replace(sentence, text=f"Perhaps this: {sentence.text[0].lower()}{sentence.text[1:]}")
        return Answer(question.text, True, (sentence,), tuple(moments))
    other = None if library or not elsewhere or elsewhere[0].confidence < _ELSEWHERE else elsewhere[0]
    if other is not None:
        choice = choose(replace(question, heard_until=None), [other], cues, near, 1)
        other = choice.quote if choice is not None else None
    return Answer(question.text, False, _declined(library, quote, titles, other), tuple(moments))


def said(quote: Moment, titles: Mapping[str, str], library: bool) -> Sentence:
    """A quote as it is spoken: when, where and who first."""
    return Sentence(f"{_where(quote, titles, library)}: {marks(quote.quote)}", (quote,))


def _quoted(
    question: Question, moments: Sequence[Moment], cues: Cues, near: Near, most: int, speaker: str
) -> tuple[Sequence[Moment], Moment | None, float]:
    """The moments, that with the best sentences first; those sentences as a quote, None when there are none; and how
    like the question they are (cosine)."""
    if speaker:
        best = next((one for moment in moments if (one := choose(question, [moment], cues, near, most, speaker))), None)
    else:
        first = moments[0]
        tried = [first, *(
            moment for moment in moments[1:]
            if moment.confidence >= _SECOND * first.confidence
            and not (moment.episode_id == first.episode_id and abs(moment.start - first.start) < _APART)
        )][:_TRIED]  # fmt: skip
        best = choose(question, tried, cues, near, most)
    if best is None:  # nothing by that speaker; or cues and index differ by now, and what was found is still true
        return moments, None if speaker else moments[0], 0.0
    others = [moment for moment in moments if moment is not best.moment]
    return [best.moment, *others], best.quote, best.like


def _where(moment: Moment, titles: Mapping[str, str], library: bool) -> str:
    place = f"At {clock(moment.start)}"
    if library:
        place = f"In {titles.get(moment.episode_id, 'an episode')}, at {clock(moment.start)}"
    return f"{place}, {moment.speaker} says" if moment.speaker else place


def _declined(
    library: bool, nearest: Moment, titles: Mapping[str, str], other: Moment | None
) -> tuple[Sentence, ...]:
    said = Sentence("Your library does not cover that." if library else "This episode does not cover that.")
    if other is not None:
        title = titles.get(other.episode_id, "another episode")
        does = "does" if other.confidence >= _SURE else "may"
        return said, Sentence(f"But {title} {does}, at {clock(other.start)}: {marks(other.quote)}", (other,))
    place = f"in {titles.get(nearest.episode_id, 'an episode')} at" if library else "at"
    return said, Sentence(f"The nearest is {place} {clock(nearest.start)}: {marks(nearest.quote)}", (nearest,))


def marks(quote: str) -> str:
    """Words as a quotation."""
    return f"“{quote}”"


def jump(moment: Moment, quote: Moment) -> Moment:
    """The moment with what is quoted from it; the jump still goes to where the matter begins, often a question."""
    return replace(moment, end=max(moment.end, quote.end), quote=quote.quote, speaker=quote.speaker)
