# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about where the player stands: who speaks there, what was just said, a word that was just used."""

from episodes.text.sentences import Line
from retrieval.answers.compose import plainly, said
from retrieval.answers.quote import SPOKEN, moment_of
from retrieval.answers.shelf import Shelf
from retrieval.commands.intents import Plan
from retrieval.index.script import said as said_lines
from retrieval.model import Answer, Moment, Question
from voice.model import clock

_RECENT = 25.0  # seconds before the player's position that "just" reaches back


def who_speaks(plan: Plan, question: Question, here: str | None, shelf: Shelf) -> Answer | None:
    """Who says what was answered last, else what plays; None when neither is known."""
    moment = plan.moment
    if moment is None:
        lines = _before(question, here, shelf) if here is not None and question.position is not None else []
        if not lines or here is None:
            return None
        moment = Moment(here, lines[-1].start, lines[-1].end, lines[-1].text, lines[-1].speaker, 1.0)
    name = f"{moment.speaker} says that" if moment.speaker else "The transcript does not name who says that"
    where = f"in {shelf.title(moment.episode_id)} at" if question.episode_id is None else "at"
    return plainly(question, f"{name}, {where} {clock(moment.start)}.", (moment,))


def just_said(question: Question, here: str, shelf: Shelf) -> Answer | None:
    """The words before the player's position."""
    chosen: list[Line] = []
    words = 0
    for line in reversed(_before(question, here, shelf)):
        length = len(line.text.split())
        if chosen and (words + length > SPOKEN or line.speaker != chosen[0].speaker):
            break
        chosen.insert(0, line)
        words += length
    if not chosen:
        return None
    quote = moment_of(here, chosen)
    return Answer(question.text, True, (said(quote, shelf, False),), (quote,))


def unknown_word(question: Question, here: str, shelf: Shelf) -> str | None:
    """The rarest word of what was just said."""
    heard = [
        word.strip(".,;:!?\"'“”()").lower() for line in _before(question, here, shelf)[-2:]
        for word in line.text.split()
    ]  # fmt: skip
    known = [(shelf.rare(word), word) for word in dict.fromkeys(heard) if len(word) > 4 and word.isalpha()]
    return min(known)[1] if known else None


def _before(question: Question, episode_id: str, shelf: Shelf) -> list[Line]:
    """The sentences that the player has just played, the last at its position."""
    at = question.position or 0.0
    near = [cue for cue in shelf.cues(episode_id) if cue.start < at and cue.end > at - 2 * _RECENT]
    return [line for line in said_lines(near) if line.start < at - 0.2 and line.end > at - _RECENT]
