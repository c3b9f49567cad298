# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to what is asked in a conversation: carries out the plans of ``commands.intents`` over what a library holds.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from episodes.store.catalogue import Order
from episodes.text.lexicon import words
from retrieval.answers.compose import answered, declined, plainly, said_sentence
from retrieval.answers.corpus import Corpus
from retrieval.answers.episode_facts import episode_fact
from retrieval.answers.introductions import introduction
from retrieval.answers.library_facts import library_fact
from retrieval.answers.llm import LanguageModel
from retrieval.answers.playable import after_ads, latest, no_such_show
from retrieval.answers.player_facts import just_said, unknown_word, who_speaks
from retrieval.answers.quote import also, choose_quote, quote
from retrieval.answers.unanswerable import in_another_language, unanswerable
from retrieval.commands.intents import Intent, Plan, searched, understand
from retrieval.commands.parser import parse
from retrieval.finding.sections.find_sections import COVERED
from retrieval.finding.sentences.calibration import ANSWERED
from retrieval.model import Answer, Command, Moment, Question, SearchResult, Sentence, SentenceRun
from voice.errors import EngineError
from voice.turns.commands import CommandName
from voice.turns.playback_policy import NO_ADS

log = logging.getLogger("earmark")

_READ = 10  # runs that are read for an answer
_MANY = 60  # runs among which those of one speaker are looked for
_EVERYWHERE = 1_000  # episodes of somebody's from which on it does not help to know which
_SOURCES = 6  # moments that a language model is shown
_AFTER = 20.0  # seconds behind a moment that it is shown too
_ELSEWHERE = 0.5  # confidence of a section of another episode from which on that is read: 61 of 66 are the right one
_LEAST = 0.05  # share of the best run's share below which another says nothing about it

_OF_AN_EPISODE = frozenset((
    Intent.LENGTH, Intent.LEFT, Intent.POSITION, Intent.GUEST, Intent.HOST, Intent.TITLE, Intent.PUBLISHED,
    Intent.TAKEAWAYS, Intent.SAID_AT, Intent.STRETCH,
))  # fmt: skip


def answer(question: Question, corpus: Corpus, within: Collection[str] | None = None) -> Answer:
    """The answer to a question, or the command that it was instead, with where to go for it.

    ``within`` limits it to the episodes with these ids.
    """
    command = parse(question.text)
    if command is None and (strange := in_another_language(question, corpus)) is not None:
        return strange
    there = corpus.episodes.first(Order.ARRIVED, 2, within) if question.episode_id is None else []
    if len(there) == 1:
        question = replace(question, episode_id=there[0].id)
    if command is not None:
        return _carried(command, question, corpus)
    plan = understand(question, lambda name: _speakers(name, question, corpus))
    cannot = unanswerable(plan, question, corpus)
    if cannot is not None:
        return cannot
    found = _by_plan(plan, question, corpus, within)
    return found if found is not None else look(question, Plan(Intent.SEARCH, question.text), corpus, within)


def standalone_question(question: Question, corpus: Corpus) -> Question:
    """The question as it is looked for: a follow-up with what it goes on from."""
    return searched(question, understand(question, lambda name: _speakers(name, question, corpus)))


def look(question: Question, plan: Plan, corpus: Corpus, within: Collection[str] | None = None) -> Answer:
    """The answer out of what is read for a question."""
    asked = searched(question, plan)
    if plan.name and not any(corpus.frequency(word) for word in words(plan.name)):
        where = "in this episode" if question.episode_id is not None else "in your library"
        return plainly(question, f"I know nobody called {plan.name.title()} {where}.", covered=False)
    among = _where_speaks(plan.speaker, corpus, within) if plan.speaker and question.episode_id is None else None
    found = corpus.find_sentences(asked, _MANY if plan.speaker else _READ, among)
    if plan.speaker:
        found = _of(plan.speaker, found)
        if not found.runs or found.answered < ANSWERED / 2:
            return plainly(question, f"I found nothing that {plan.speaker} says about that.", covered=False)
        found = replace(found, answered=max(found.answered, ANSWERED))
    if plan.told:
        found = _fresh(found, plan.told)
    if found.answered < ANSWERED or not found.runs:
        elsewhere = _elsewhere(asked, corpus) if not plan.told else None
        return replace(declined(asked, found, corpus, elsewhere, bool(plan.told)), question=question.text)
    chosen = choose_quote(asked, found.runs, corpus.cues)
    if chosen is None:
        return replace(declined(asked, found, corpus), question=question.text)
    second = also(asked, chosen, found, corpus.cues)
    return replace(answered(asked, chosen, found, corpus, second), question=question.text)


def retold(question: Question, made: Answer, corpus: Corpus, model: LanguageModel) -> Iterator[Sentence | Answer]:
    """A covered answer told by a language model: its sentences as they come, then the answer that they make.

    Who spoke, what was just said and lists are facts, and stay as they are. When the model fails, or says nothing that
    the moments support, it is the answer in the speakers' own words, with a remark.
    """
    plan = understand(question)
    if plan.kind not in (Intent.SEARCH, Intent.CHOOSE):
        yield from made.sentences
        yield made
        return
    spoken: list[Sentence] = []
    remark = ""
    try:
        shown = made.moments[:_SOURCES]
        heard = [_heard(moment, question.heard_until, corpus) for moment in shown]
        for sentence in model.sentences(plan.text or question.text, shown, heard):
            spoken.append(sentence)
            yield sentence
    except EngineError as error:
        log.warning("%s", error)
        remark = f"{error.message} This is {'what came of it' if spoken else 'quoted instead'}."
    if not spoken:
        yield from made.sentences
        yield replace(made, remark=remark or "The language model found no answer there; this is quoted instead.")
        return
    yield replace(made, sentences=tuple(spoken), remark=remark)


def _heard(moment: Moment, until: float | None, corpus: Corpus) -> str:
    """All that is said in a moment, and a little after (never from ``until`` on), with who says it."""
    end = min(moment.end + _AFTER, moment.end + _AFTER if until is None else until)
    cues = [cue for cue in corpus.cues(moment.episode_id) if cue.end > moment.start and cue.start < end]
    turns = [(name, " ".join(cue.text for cue in said)) for name, said in groupby(cues, key=lambda cue: cue.speaker)]
    return "\n".join(f"{name}: {text}" if name else text for name, text in turns)


def _by_plan(plan: Plan, question: Question, corpus: Corpus, within: Collection[str] | None) -> Answer | None:
    """The answer of a plan; None when what it needs is not there, so that the question is searched for."""
    here = question.episode_id or question.playing
    match plan.kind:
        case Intent.SEARCH:
            return look(question, plan, corpus, within)
        case Intent.CHOOSE if plan.moment is not None:
            return _chosen(plan.moment, question, corpus)
        case Intent.PERSON:
            only = question.episode_id
            among = [only] if only is not None else _where_speaks(plan.speaker, corpus, within)
            return introduction(plan.speaker, question, among, corpus)
        case Intent.WHO:
            return who_speaks(plan, question, here, corpus) or (
                episode_fact(Plan(Intent.GUEST), question, here, corpus) if here is not None else None
            )
        case Intent.JUST_SAID if here is not None:
            return just_said(plan, question, here, corpus)
        case Intent.MEANING if here is not None:
            word = unknown_word(question, here, corpus)
            if word is None:
                return None
            made = look(replace(question, text=f"What is {word}?"), Plan(Intent.SEARCH), corpus, within)
            lead = Sentence(f"The word may be {word}.")
            return replace(made, question=question.text, sentences=(lead, *made.sentences))
        case Intent.OVERVIEW | Intent.TOPICS if here is None:
            return library_fact(Plan(Intent.LIBRARY_OVERVIEW), question, corpus, within)
        case Intent.PARTS if here is None:
            return library_fact(Plan(Intent.EPISODES, plan.text), question, corpus, within)
        case kind if here is None and kind in _OF_AN_EPISODE:
            return plainly(question, "Choose an episode first, then ask me that again.", covered=False)
    fact = library_fact(plan, question, corpus, within)
    return episode_fact(plan, question, here, corpus) if fact is None and here is not None else fact


def _chosen(moment: Moment, question: Question, corpus: Corpus) -> Answer:
    """A moment that was found before, quoted."""
    first = said_sentence(moment, corpus, library=question.episode_id is None)
    return Answer(question.text, True, (first,), (moment,))


def _carried(command: Command, question: Question, corpus: Corpus) -> Answer:
    """A command with where it goes: to what was found for "play the part about …", or to a moment told before."""
    told = question.history[-1].moments if question.history else ()
    moments: tuple[Moment, ...] = ()
    match command.name:
        case CommandName.PLAY_ABOUT:
            moments = _about(replace(question, text=command.about), corpus)
            if not moments:
                return plainly(question, "I found no such part.", covered=False)
        case CommandName.PLAY_LATEST:
            newest = latest(corpus.episodes, command.about)
            if newest is None:
                return plainly(question, no_such_show(command.about), covered=False)
            moments = (Moment(newest.id, 0.0, 0.0, newest.title),)
        case CommandName.SKIP_ADS:
            here, at = question.episode_id or question.playing, question.position
            place = after_ads(corpus.segments(here), at) if here is not None and at is not None else None
            if here is None or place is None:
                return plainly(question, NO_ADS, covered=False)
            moments = (Moment(here, place, place, ""),)
        case CommandName.REPEAT | CommandName.OWN_WORDS:
            moments = told[:1]
        case CommandName.CHOOSE if command.amount is not None:
            number = int(command.amount)
            moments = told[-1:] if number < 0 else told[number - 1 : number]
    return Answer(question.text, True, (), moments, command)


def _about(question: Question, corpus: Corpus) -> tuple[Moment, ...]:
    """Where something is talked about: a part on the subject, else where it is answered."""
    sections = corpus.find_sections(question, 3)
    if sections and sections[0].confidence >= COVERED:
        return tuple(sections)
    found = corpus.find_sentences(question, 3, None)
    if found.answered < ANSWERED or not found.runs:
        return ()
    return (quote(question, found.runs[0], corpus.cues).moment(found.answered),)


def _elsewhere(question: Question, corpus: Corpus) -> SearchResult | None:
    """What another episode says, when the one that was asked has no answer.

    Reading a library costs as much again as reading the episode did, mostly for nothing; so sections tell first whether
    another episode is about it and which, and only that one is read.
    """
    if question.episode_id is None or not corpus.several:
        return None
    wide = replace(question, episode_id=None, heard_until=None)
    nearest = next(iter(corpus.find_sections(wide, 1)), None)
    if nearest is None or nearest.episode_id == question.episode_id or nearest.confidence < _ELSEWHERE:
        return None
    return corpus.find_sentences(replace(wide, episode_id=nearest.episode_id), _READ, None)


def _of(speaker: str, found: SearchResult) -> SearchResult:
    """What one person says of what was found."""
    mine = tuple(run for run in found.runs if run.speaker == speaker)
    share = mine[0].share / (found.best or 1.0) if mine else 0.0
    return SearchResult(mine, found.answered * min(1.0, 0.5 + share))


def _where_speaks(speaker: str, corpus: Corpus, within: Collection[str] | None) -> list[str] | None:
    """The episodes in which somebody speaks; None when they are so many that all are as good."""
    found = corpus.episodes.where_speaks(speaker, _EVERYWHERE + 1)
    if len(found) > _EVERYWHERE:
        return None if within is None else list(within)
    return [name for name in found if within is None or name in within]


def _fresh(found: SearchResult, told: tuple[Moment, ...]) -> SearchResult:
    """What was found, without what was told before, as far as it says something about it."""
    least = _LEAST * found.best
    runs = tuple(
        run for run in found.runs
        if run.share >= least and not any(_overlap(run, moment) for moment in told)
    )
    return SearchResult(runs, found.answered if runs else 0.0)


def _overlap(run: SentenceRun, moment: Moment) -> bool:
    return run.episode_id == moment.episode_id and run.start < moment.end and run.end > moment.start


def _speakers(name: str, question: Question, corpus: Corpus) -> Sequence[str]:
    """People among whom one of this name is, of those who speak where it is asked."""
    if question.episode_id is not None:
        return tuple(sorted({cue.speaker for cue in corpus.cues(question.episode_id) if cue.speaker}))
    return corpus.episodes.speakers_like(name)
