# SPDX-License-Identifier: GPL-3.0-or-later
"""Who somebody is that speaks: the words with which an episode introduces them."""

import re
from collections.abc import Sequence

from episodes.text.sentences import Line
from retrieval.answers.compose import plainly, said_sentence
from retrieval.answers.corpus import Corpus
from retrieval.answers.quote import SPOKEN, moment_of
from retrieval.index.token_store import quotable_sentences
from retrieval.model import Answer, Question

_EPISODES = 5  # episodes of somebody's that are looked through
_SHORT = 6  # words of a sentence that only says the name

_BEFORE = (
    r"\b(?:(?:that|this|it|he|she|name|names) ?(?:'s|’s|is|was|are)|i(?:'m|’m| am)|guests?\b[^.?!]{0,30}?(?:is|are)"
    r"|joined\b[^.?!]{0,20}? by|here with|welcome\b|(?:talk|speak|sit|chat|catch)\w*(?: down| up)? (?:to|with)|meet"
    r"|introduce)\b[^.?!]{0,40}?"
)
_BEHIND = (
    r"(?:,? (?:is|was) (?:an?|the|one|our|my|also|known|currently|co)\b|,? (?:an?|the|who|co-?founder|author|professor|"
    r"director|host|ceo|cto|developer|maintainer|creator)\b|,? (?:has|spent|wrote|runs|founded|leads|works|teaches|"
    r"studies|hosts|maintains|created|built)\b)"
)
_GOES_ON = re.compile(r"(?:he|she|they|his|her|their|and (?:he|she|they))\b", re.IGNORECASE)


def introduction(name: str, question: Question, episodes: Sequence[str] | None, corpus: Corpus) -> Answer | None:
    """How ``name`` is introduced in the words of the first of these ``episodes`` (None: all) that does; that they
    speak, and where first, when nobody introduces them; None when they do not speak there."""
    here, first = question.episode_id, None
    if episodes is None:
        episodes = corpus.episodes.where_speaks(name, _EPISODES)
    for episode_id in episodes[:_EPISODES]:
        until = question.heard_until
        cues = [cue for cue in corpus.cues(episode_id) if until is None or cue.end <= until]
        lines = quotable_sentences(cues)
        told = _introducing(name, lines)
        if told:
            moment = moment_of(episode_id, told)
            return Answer(question.text, True, (said_sentence(moment, corpus, here is None),), (moment,))
        mine = next((line for line in lines if line.speaker == name), None)
        if first is None and mine is not None:
            first = moment_of(episode_id, [mine])
    if first is None:
        return None
    where = "here" if here is not None else f"in {corpus.title(first.episode_id)}"
    return plainly(question, f"{name} speaks {where}, and nobody says more about who that is.", (first,))


def _introducing(name: str, lines: Sequence[Line]) -> list[Line]:
    """The sentences in which somebody is introduced: what says most about who it is, then what comes first."""
    parts = "|".join(map(re.escape, sorted({name, name.split()[0], name.split()[-1]}, key=len, reverse=True)))
    called = rf"(?:{parts})"
    before = re.compile(rf"{_BEFORE}\b{called}\b", re.IGNORECASE)
    behind = re.compile(rf"\b{called}{_BEHIND}", re.IGNORECASE)
    best, found = 0, None
    for at, line in enumerate(lines):
        hits = (before.search(line.text) is not None) + 2 * (behind.search(line.text) is not None)
        told = [line]
        while hits and at + len(told) < len(lines):
            following = lines[at + len(told)]
            words = sum(len(one.text.split()) for one in (*told, following))
            if following.speaker != line.speaker or not _GOES_ON.match(following.text) or words > SPOKEN:
                break
            told.append(following)
        worth = hits + 2 * (len(told) > 1) if hits else 0
        if len(told) == 1 and len(line.text.split()) < _SHORT and at and lines[at - 1].speaker == line.speaker:
            told.insert(0, lines[at - 1])  # only the name is said
        if worth > best:
            best, found = worth, told
    return found or []
