# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences of an answer: the speakers' own words first, then who says them and where; and what is said when there
is no answer.

Words first, so that the voice begins with what was asked for. In one answer the time that is said is the time that is
shown and jumped to.
"""

from collections.abc import Sequence

from episodes.text.disfluencies import trimmed
from episodes.text.lexicon import names_somebody
from retrieval.answers.corpus import Corpus
from retrieval.answers.quote import Quote, shortened
from retrieval.finding.sentences.calibration import ANSWERED
from retrieval.model import Answer, Moment, Question, SearchResult, Sentence, SentenceRun
from voice.model import clock

_SHOWN = 6  # moments of an answer
_DOUBT = 0.15  # so much above the threshold an answer is given with reserve
_CLOSE = 0.75  # share of the threshold from which on what was found is said to be the nearest
_TITLE = 6  # words of a title that is said in a sentence that declines
_LEFT = 30.0  # seconds before the end of an episode at which all of it was heard


def answered(
    question: Question, quote: Quote, found: SearchResult, corpus: Corpus, second: Quote | None = None
) -> Answer:
    """The answer that quotes; ``second`` is what may be the answer instead."""
    library, first = question.episode_id is None, quote.moment(found.answered)
    sentences = [said_sentence(first, corpus, library, doubt=found.answered < ANSWERED + _DOUBT)]
    moments: tuple[Moment, ...] = (first,)
    if second is not None:
        other = second.moment(_confidence(second.run, found))
        sentences.append(Sentence(f"Or {_place(other, corpus, library)}: {marks(other.quote)}", (other,)))
        moments = (first, other)
    rest = others(found, [quote.run] if second is None else [quote.run, second.run])
    return Answer(question.text, True, tuple(sentences), (*moments, *rest))


def others(found: SearchResult, told: Sequence[SentenceRun] = ()) -> tuple[Moment, ...]:
    """The runs that were read, but for those ``told`` already, as moments where their words are, best first."""
    return tuple(
        Moment(run.episode_id, run.start, run.end, shortened(trimmed(run.text)), run.speaker, _confidence(run, found))
        for run in found.runs if run not in told
    )[:_SHOWN]  # fmt: skip


def _confidence(run: SentenceRun, found: SearchResult) -> float:
    return round(found.answered * min(1.0, run.share / (found.best or 1.0)), 4)


def said_sentence(moment: Moment, corpus: Corpus, library: bool, doubt: bool = False) -> Sentence:
    """A quote as it is spoken: the words, then who says them, and where."""
    place = _place(moment, corpus, library)
    who = f"says {moment.speaker}, {place}." if names_somebody(moment.speaker) else f"{place[0].upper()}{place[1:]}."
    return Sentence(f"{'Perhaps: ' if doubt else ''}{marks(moment.quote)} {who}", (moment,))


def _place(moment: Moment, corpus: Corpus, library: bool) -> str:
    """Where it is said: "at 12:30", over a library with the episode's title."""
    place = f"at {clock(moment.start)}"
    return f"in {corpus.title(moment.episode_id)}, {place}" if library else place


def marks(quote: str) -> str:
    """Words as a quotation."""
    return f"“{quote}”"


def declined(
    question: Question, found: SearchResult, corpus: Corpus, elsewhere: SearchResult | None = None, told: bool = False
) -> Answer:
    """That there is no answer, in few words; the nearest that is there comes with it to be shown.

    It is spoken only when it was nearly an answer. ``elsewhere`` is what other episodes say; with ``told`` the same
    was asked before, and more was wanted.
    """
    moments = others(found)
    sentences = [Sentence(_not_here(question, corpus, told))]
    if elsewhere is not None and elsewhere.runs and elsewhere.answered >= ANSWERED:
        there = others(elsewhere)[:1]
        title = corpus.title(there[0].episode_id, "another episode")
        title = title if len(title.split()) <= _TITLE else "another episode"
        sentences.append(Sentence(f"But {title} may, at {clock(there[0].start)}.", there))
    elif moments and not told and found.answered >= _CLOSE * ANSWERED:
        sentences.append(Sentence(f"The nearest is at {clock(moments[0].start)}.", moments[:1]))
    return Answer(question.text, False, tuple(sentences), moments)


def _not_here(question: Question, corpus: Corpus, told: bool) -> str:
    if told:
        return "I found nothing more about that."
    if question.episode_id is None:
        return "I found no answer in your library." if corpus.several else "I found no answer to that."
    episode = corpus.episodes.by_id(question.episode_id)
    if question.heard_until is not None and (episode is None or question.heard_until < episode.seconds - _LEFT):
        return "Not so far."
    return "This episode does not answer that."


def plainly(question: Question, text: str, moments: Sequence[Moment] = (), covered: bool = True) -> Answer:
    """An answer that is one sentence of our own."""
    return Answer(question.text, covered, (Sentence(text, tuple(moments)),), tuple(moments))
