# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about where the player stands: who speaks there, what was just said, a word that was just used."""

import re
from collections.abc import Sequence
from itertools import groupby

from episodes.text.sentences import Line
from retrieval.answers.compose import plainly, said_sentence
from retrieval.answers.corpus import Corpus
from retrieval.answers.quote import SPOKEN, moment_of
from retrieval.commands.intents import Plan
from retrieval.index.token_store import quotable_sentences
from retrieval.model import Answer, Moment, Question
from voice.model import clock

_RECENT = 25.0  # seconds before the player's position that "just" reaches back
_LONG_AGO = 60.0  # and back to the words of somebody who is named
_THROWN_IN = 3  # words of a turn that is only thrown in, at most
_SOMEBODY = re.compile(r"\b(?:s?he|guy|man|woman|person|guest|host|speaker)\b")


def who_speaks(plan: Plan, question: Question, here: str | None, corpus: Corpus) -> Answer | None:
    """Who says what was answered last, else what plays; None when neither is known."""
    moment = plan.moment
    if moment is None:
        lines = _before(question, here, corpus) if here is not None and question.position is not None else []
        if not lines or here is None:
            return None
        moment = Moment(here, lines[-1].start, lines[-1].end, lines[-1].text, lines[-1].speaker, 1.0)
    name = f"{moment.speaker} says that" if moment.speaker else "The transcript does not name who says that"
    where = f"in {corpus.title(moment.episode_id)} at" if question.episode_id is None else "at"
    return plainly(question, f"{name}, {where} {clock(moment.start)}.", (moment,))


def just_said(plan: Plan, question: Question, here: str, corpus: Corpus) -> Answer | None:
    """The words before the player's position: of the speaker who is named, else of who spoke last.

    "He" and "she" are who spoke last as well, since a name does not tell which of them it is; the answer says who it
    was. What somebody throws in ("Right.") is nobody's turn.
    """
    lines = _before(question, here, corpus, _LONG_AGO if plan.speaker else _RECENT)
    if plan.speaker and all(line.speaker != plan.speaker for line in lines):
        return plainly(question, f"{plan.speaker} has said nothing in the last minute.", covered=False)
    wanted = {plan.speaker} if plan.speaker else {line.speaker for line in lines}
    if not plan.speaker and _SOMEBODY.search(question.text.lower()) and len(wanted) > 1:
        wanted -= {""}
    turns = [turn for turn in [*_turns(lines), *_turns(_at_length(lines))] if turn[0].speaker in wanted]
    if not turns:
        return None
    chosen: list[Line] = []
    words = 0
    for line in reversed(turns[-1]):
        words += len(line.text.split())
        if chosen and words > SPOKEN:
            break
        chosen.insert(0, line)
    quote = moment_of(here, chosen)
    return Answer(question.text, True, (said_sentence(quote, corpus, False),), (quote,))


def _turns(lines: Sequence[Line]) -> list[list[Line]]:
    """Sentences by who says them, as they take turns."""
    return [list(turn) for _, turn in groupby(lines, key=lambda line: line.speaker)]


def _at_length(lines: Sequence[Line]) -> list[Line]:
    """Sentences without the turns of a word or two."""
    told = [turn for turn in _turns(lines) if sum(len(line.text.split()) for line in turn) > _THROWN_IN]
    return [line for turn in told for line in turn]


def unknown_word(question: Question, here: str, corpus: Corpus) -> str | None:
    """The rarest word of what was just said."""
    heard = [
        word.strip(".,;:!?\"'“”()").lower() for line in _before(question, here, corpus)[-2:]
        for word in line.text.split()
    ]  # fmt: skip
    known = [(corpus.frequency(word), word) for word in dict.fromkeys(heard) if len(word) > 4 and word.isalpha()]
    return min(known)[1] if known else None


def _before(question: Question, episode_id: str, corpus: Corpus, reach: float = _RECENT) -> list[Line]:
    """The sentences that the player has played in the last ``reach`` seconds, the last at its position."""
    at = question.position or 0.0
    near = [cue for cue in corpus.cues(episode_id) if cue.start < at and cue.end > at - reach - _RECENT]
    return [line for line in quotable_sentences(near) if line.start < at - 0.2 and line.end > at - reach]
