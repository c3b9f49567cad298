# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to what is asked in a conversation: carries out the plans of ``dialogue``, over what a library holds."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from episodes.model import Digest, Segment
from episodes.text.disfluencies import trimmed
from episodes.text.sentences import Line, sentences
from retrieval.answers.compose import compose, said
from retrieval.answers.llm import LanguageModel
from retrieval.answers.quote import SPOKEN, Cues, quoted
from retrieval.commands.commands import parse
from retrieval.commands.intents import Kind, Plan, searched, understand
from retrieval.finding.search import COVERED
from retrieval.index.similarity import Near
from retrieval.model import Answer, Command, Moment, Question, Sentence
from voice.errors import EngineError
from voice.model import clock

log = logging.getLogger("earmark")

_RECENT = 25.0  # seconds before the player's position that "just" reaches back
_MANY = 40  # moments among which those of a speaker, or of several episodes, are looked for
_LISTED = 4  # topics or episodes that are read out; more cannot be remembered
_SOURCES = 6  # moments that a language model is shown
_AGAIN = 20.0  # seconds around a moment that was told before in which another is the same


@dataclass(frozen=True, slots=True)
class Shelf:
    """What answering needs of a library: ``titles`` of its episodes by id, newest first, and how to read each.

    ``find`` gives so many moments for a question, best first; ``near`` the nearness of stored pieces to a question;
    ``rare`` in how many places of the library a word stands.
    """

    titles: Mapping[str, str]
    cues: Cues
    segments: Callable[[str], Sequence[Segment]]
    digest: Callable[[str], Digest]
    find: Callable[[Question, int], list[Moment]]
    near: Callable[[str], Near]
    rare: Callable[[str], int]


def answer(question: Question, shelf: Shelf, within: Collection[str] | None = None) -> Answer:
    """The answer to a question, or the command that it was instead, with where to go for it."""
    inside = [name for name in shelf.titles if within is None or name in within]
    if question.episode_id is None and len(inside) == 1:
        question = replace(question, episode_id=inside[0])
    command = parse(question.text)
    if command is not None:
        return _carried(command, question, shelf)
    here = question.episode_id or question.playing
    plan = understand(question, _speakers(question, shelf, within))
    found = _by_plan(plan, question, here, shelf, within)
    return found if found is not None else look(question, Plan(Kind.SEARCH, question.text), shelf)


def look(question: Question, plan: Plan, shelf: Shelf) -> Answer:
    """The answer out of what a search finds; over the whole library when the episode that was asked has none."""
    asked = searched(question, plan)
    moments = shelf.find(asked, _MANY if plan.speaker else 10)
    fresh = [moment for moment in moments if not any(_same(moment, other) for other in plan.told)]
    sure = [moment for moment in fresh if moment.confidence >= COVERED]
    moments = sure or fresh or moments if plan.told else moments
    if plan.speaker:
        moments = [moment for moment in moments if _speaks(plan.speaker, moment, shelf.cues)]
        if not moments:
            return Answer(question.text, False, (Sentence(f"I found nothing that {plan.speaker} says about that."),))
    elsewhere: list[Moment] = []
    if question.episode_id is not None and (not moments or moments[0].confidence < COVERED):
        wide = replace(asked, episode_id=None, heard_until=None)
        elsewhere = [moment for moment in shelf.find(wide, 10) if moment.episode_id != question.episode_id]
    made = compose(asked, moments, shelf.titles, shelf.cues, shelf.near(asked.text), elsewhere, plan.speaker)
    return replace(made, question=question.text)


def told(question: Question, made: Answer, shelf: Shelf, model: LanguageModel) -> Iterator[Sentence | Answer]:
    """A covered answer told by a language model: its sentences as they come, then the answer that they make.

    Who spoke, what was just said and lists are facts, and stay as they are. When the model fails, or says nothing that
    the moments support, it is the answer in the speakers' own words, with a remark.
    """
    plan = understand(question)
    if plan.kind not in (Kind.SEARCH, Kind.CHOOSE):
        yield from made.sentences
        yield made
        return
    spoken: list[Sentence] = []
    remark = ""
    try:
        shown = made.moments[:_SOURCES]
        said = [_heard(moment, question.heard_until, shelf) for moment in shown]
        for sentence in model.sentences(plan.text or question.text, shown, said):
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


def _heard(moment: Moment, until: float | None, shelf: Shelf) -> str:
    """All that is said in a moment, and a little after (never from ``until`` on), with who says it."""
    end = min(moment.end + _AGAIN, moment.end + _AGAIN if until is None else until)
    cues = [cue for cue in shelf.cues(moment.episode_id) if cue.end > moment.start and cue.start < end]
    turns = [(name, " ".join(cue.text for cue in said)) for name, said in groupby(cues, key=lambda cue: cue.speaker)]
    return "\n".join(f"{name}: {text}" if name else text for name, text in turns)


def _by_plan(
    plan: Plan, question: Question, here: str | None, shelf: Shelf, within: Collection[str] | None
) -> Answer | None:
    """The answer of a plan; None when what it needs is not there, so that the question is searched for."""
    match plan.kind:
        case Kind.CHOOSE if plan.moment is not None:
            asked = replace(question, text=plan.text, episode_id=question.episode_id and plan.moment.episode_id)
            sure = replace(plan.moment, confidence=max(plan.moment.confidence, COVERED))
            made = compose(asked, [sure], shelf.titles, shelf.cues, shelf.near(plan.text))
            return replace(made, question=question.text)
        case Kind.WHO:
            return _who(plan, question, here, shelf)
        case Kind.JUST_SAID if here is not None and question.position is not None:
            return _just_said(question, here, shelf)
        case Kind.MEANING if here is not None and question.position is not None:
            return _meaning(question, here, shelf)
        case Kind.MISSED if here is not None:
            return _missed(question, here, shelf)
        case Kind.OVERVIEW:
            return _overview(question, question.episode_id, shelf, within)
        case Kind.TOPICS if here is not None:
            return _topics(question, here, shelf)
        case Kind.EPISODES:
            return _episodes(question, plan, shelf)
        case Kind.SEARCH:
            return look(question, plan, shelf)
    return None


def _carried(command: Command, question: Question, shelf: Shelf) -> Answer:
    """A command with where it goes: to what was found for "play the part about …", or to a moment told before."""
    told = question.history[-1].moments if question.history else ()
    moments: tuple[Moment, ...] = ()
    if command.name == "play_about":
        asked = replace(question, text=command.about)
        moments = tuple(shelf.find(asked, 3))
        if not moments or moments[0].confidence < COVERED:
            return replace(look(asked, Plan(Kind.SEARCH), shelf), question=question.text)
    elif command.name in ("repeat", "own_words"):
        moments = told[:1]
    elif command.name == "choose" and command.amount is not None:
        number = int(command.amount)
        moments = told[-1:] if number < 0 else told[number - 1 : number]
    return Answer(question.text, True, (), moments, command)


def _who(plan: Plan, question: Question, here: str | None, shelf: Shelf) -> Answer | None:
    moment = plan.moment
    if moment is None:
        if here is None or question.position is None:
            return None
        lines = _before(question, here, shelf)
        if not lines:
            return None
        moment = Moment(here, lines[-1].start, lines[-1].end, lines[-1].text, lines[-1].speaker, 1.0)
    name = f"{moment.speaker} says that" if moment.speaker else "The transcript does not name who says that"
    at = clock(_quoted_at(moment, shelf))
    text = f"{name}, at {at}."
    if question.episode_id is None and moment.episode_id in shelf.titles:
        text = f"{name}, in {shelf.titles[moment.episode_id]} at {at}."
    return Answer(question.text, True, (Sentence(text, (moment,)),), (moment,))


def _quoted_at(moment: Moment, shelf: Shelf) -> float:
    """When the quote of a moment begins (seconds): often somewhat later than the moment."""
    cues = [cue for cue in shelf.cues(moment.episode_id) if cue.end > moment.start and cue.start < moment.end]
    lines = [line for line in sentences(cues) if line.start >= moment.start - 0.05]
    return next((line.start for line in lines if moment.quote.startswith(trimmed(line.text)[:40])), moment.start)


def _before(question: Question, episode_id: str, shelf: Shelf) -> list[Line]:
    """The sentences that the player has just played, the last at its position."""
    at = question.position or 0.0
    near = [cue for cue in shelf.cues(episode_id) if cue.start < at and cue.end > at - 2 * _RECENT]
    return [line for line in sentences(near) if line.start < at - 0.2 and line.end > at - _RECENT]


def _just_said(question: Question, episode_id: str, shelf: Shelf) -> Answer | None:
    lines = _before(question, episode_id, shelf)
    chosen: list[Line] = []
    words = 0
    for line in reversed(lines):
        length = len(line.text.split())
        if chosen and (words + length > SPOKEN or line.speaker != chosen[0].speaker):
            break
        chosen.insert(0, line)
        words += length
    if not chosen:
        return None
    quote = Moment(episode_id, chosen[0].start, chosen[-1].end, quoted(chosen), chosen[0].speaker, 1.0)
    return Answer(question.text, True, (said(quote, shelf.titles, False),), (quote,))


def _meaning(question: Question, episode_id: str, shelf: Shelf) -> Answer | None:
    words = [
        word.strip(".,;:!?\"'“”()").lower() for line in _before(question, episode_id, shelf)[-2:]
        for word in line.text.split()
    ]  # fmt: skip
    known = [(shelf.rare(word), word) for word in dict.fromkeys(words) if len(word) > 4 and word.isalpha()]
    if not known:
        return None
    word = min(known)[1]
    made = look(replace(question, text=f"What is {word}?"), Plan(Kind.SEARCH), shelf)
    lead = Sentence(f"The word may be {word}.")
    return replace(made, question=question.text, sentences=(lead, *made.sentences))


def _missed(question: Question, episode_id: str, shelf: Shelf) -> Answer | None:
    """The topics between where the last listening broke off and the player's position (else the episode's start)."""
    start, end = question.since or 0.0, question.position
    if end is None or end <= start + 1:
        start, end = 0.0, question.since if question.since else question.position
    if not end:
        return Answer(question.text, True, (Sentence("You are at the beginning; you have missed nothing."),))
    parts = [part for part in shelf.segments(episode_id) if part.end > start + 5 and part.start < end - 5]
    if not parts:
        return None
    moments = tuple(
        Moment(episode_id, max(part.start, start), min(part.end, end), part.title, "", 1.0) for part in parts
    )
    lead = f"From {clock(start)} to {clock(end)}: "
    shown = [part for part in parts if part.title][-_LISTED:]
    if not shown:
        return None
    sentence = Sentence(lead + "; ".join(part.title for part in shown) + ".", moments)
    return Answer(question.text, True, (sentence,), moments)


def _overview(
    question: Question, episode_id: str | None, shelf: Shelf, within: Collection[str] | None
) -> Answer | None:
    if episode_id is not None:
        return _about(question, episode_id, shelf)
    titles = [title for name, title in shelf.titles.items() if within is None or name in within]
    shown = ", ".join(titles[:_LISTED])
    more = f", and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
    return Answer(question.text, True, (Sentence(f"There are {len(titles)} episodes to ask: {shown}{more}."),))


def _about(question: Question, episode_id: str, shelf: Shelf) -> Answer | None:
    """What an episode is about: as a language model wrote it; else who speaks, and its longest topics in order.

    The teaser that is made without one is a sentence of the episode, and says more to who knows the rest.
    """
    digest = shelf.digest(episode_id)
    parts = _told_parts(question, episode_id, shelf)
    text = digest.teaser or digest.summary
    if text and (digest.writer != "extractive" or not parts):
        return Answer(question.text, True, (Sentence(text),))
    if not parts:
        return None
    longest = sorted(sorted(parts, key=lambda part: part.start - part.end)[:_LISTED], key=lambda part: part.start)
    moments = tuple(Moment(episode_id, part.start, part.end, part.title, "", 1.0) for part in longest)
    names = list(dict.fromkeys(cue.speaker for cue in shelf.cues(episode_id) if cue.speaker))
    names = [] if any(name.lower().startswith("speaker") for name in names) else names
    who = ""
    if 0 < len(names) <= _LISTED:
        who = ", with " + " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) + ","
    more = f"; and {len(parts) - len(longest)} more" if len(parts) > len(longest) else ""
    said = f"{shelf.titles.get(episode_id, 'This')}{who} is about: {'; '.join(part.title for part in longest)}{more}."
    return Answer(question.text, True, (Sentence(said, moments),), moments)


def _told_parts(question: Question, episode_id: str, shelf: Shelf) -> list[Segment]:
    """The topics of an episode that have a title, as far as the listener may know of them."""
    parts = [part for part in shelf.segments(episode_id) if part.title]
    return [part for part in parts if question.heard_until is None or part.start < question.heard_until]


def _topics(question: Question, episode_id: str, shelf: Shelf) -> Answer | None:
    parts = _told_parts(question, episode_id, shelf)
    if not parts:
        return None
    moments = tuple(Moment(episode_id, part.start, part.end, part.title, "", 1.0) for part in parts)
    shown = "; ".join(f"{part.title}, at {clock(part.start)}" for part in parts[:_LISTED])
    more = f"; and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return Answer(question.text, True, (Sentence(f"{shown}{more}.", moments),), moments)


def _episodes(question: Question, plan: Plan, shelf: Shelf) -> Answer:
    wide = replace(question, text=plan.text, episode_id=None, heard_until=None)
    best: dict[str, Moment] = {}
    for moment in shelf.find(wide, _MANY):
        if moment.confidence >= COVERED and moment.episode_id not in best:
            best[moment.episode_id] = moment
    if not best:
        return Answer(question.text, False, (Sentence("No episode of your library talks about that."),))
    moments = sorted(best.values(), key=lambda moment: -moment.confidence)
    listed = [f"{shelf.titles.get(one.episode_id, 'an episode')}, at {clock(one.start)}" for one in moments]
    shown = "; ".join(listed[:_LISTED])
    more = f"; and {len(moments) - _LISTED} more" if len(moments) > _LISTED else ""
    return Answer(question.text, True, (Sentence(f"{shown}{more}.", tuple(moments)),), tuple(moments))


def _speakers(question: Question, shelf: Shelf, within: Collection[str] | None) -> tuple[str, ...]:
    """Who speaks in the episode that is asked; over a library, in the newest few."""
    ids = [question.episode_id] if question.episode_id else [
        name for name in shelf.titles if within is None or name in within
    ][:8]
    return tuple(sorted({cue.speaker for name in ids for cue in shelf.cues(name) if cue.speaker}))


def _speaks(name: str, moment: Moment, cues: Cues) -> bool:
    return any(
        cue.speaker == name for cue in cues(moment.episode_id) if cue.start < moment.end and cue.end > moment.start
    )


def _same(moment: Moment, other: Moment) -> bool:
    return moment.episode_id == other.episode_id and abs(moment.start - other.start) < _AGAIN
