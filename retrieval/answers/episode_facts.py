# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about an episode as a whole, or a stretch of it: what it is, who is in it, its topics, its main points."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from episodes.model import Cue, Episode, Segment
from episodes.text.disfluencies import trimmed
from episodes.text.lexicon import content_words, leans, names_somebody
from episodes.text.sentences import Line
from retrieval.answers.compose import marks, plainly, said_sentence
from retrieval.answers.corpus import Corpus
from retrieval.answers.discourse import announces, idle, poses_question
from retrieval.answers.library_facts import listed, read_out, spoken_duration
from retrieval.answers.quote import SPOKEN, moment_of, opening
from retrieval.commands.intents import Intent, Plan
from retrieval.finding.sections.find_sections import COVERED
from retrieval.index.token_store import quotable_sentences
from retrieval.model import Answer, Moment, Question, Sentence
from voice.model import clock

_LISTED = 4  # topics that are read out; more cannot be remembered
_PLACES = 6  # places that are read out
_QUOTED = 24  # words of a stretch that is read out
_SILENCE = 8.0  # seconds without a word, behind which something else is said
_EDGE = 5.0  # seconds of a topic that must lie in a stretch
_POINT = (8, 28)  # words of a sentence that makes a point
_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth")


def episode_fact(plan: Plan, question: Question, here: str, corpus: Corpus) -> Answer | None:
    """The answer to a question about the episode ``here``; None when the plan is of another kind, or what it needs is
    not known."""
    episode = corpus.episodes.by_id(here) or Episode(here, "This episode")
    match plan.kind:
        case Intent.LENGTH:
            return plainly(question, f"{episode.title} is {spoken_duration(_length(episode, corpus))} long.")
        case Intent.LEFT | Intent.POSITION:
            return _position(plan, question, episode, corpus)
        case Intent.TITLE:
            show = f", of {episode.show}" if episode.show else ""
            return plainly(question, f"This is {episode.title}{show}.")
        case Intent.PUBLISHED:
            told = f"It is of {episode.published[:10]}." if episode.published else "Nobody told me its date."
            return plainly(question, told, covered=bool(episode.published))
        case Intent.GUEST | Intent.HOST:
            return _people(plan, question, episode, corpus)
        case Intent.OVERVIEW:
            return _about(question, here, corpus)
        case Intent.TOPICS:
            return _topics(question, here, corpus)
        case Intent.PARTS:
            return _parts(plan, question, here, corpus)
        case Intent.TAKEAWAYS:
            return _points(plan, question, here, corpus)
        case Intent.SAID_AT:
            return _said_at(plan, question, episode, corpus)
        case Intent.STRETCH:
            return _stretch(question, plan.start, plan.end, episode, corpus)
        case Intent.MISSED:
            return _missed(plan, question, episode, corpus)
    return None


def _length(episode: Episode, corpus: Corpus) -> float:
    """Seconds of the episode: of its sound, else of its transcript."""
    return episode.seconds or max((cue.end for cue in corpus.cues(episode.id)), default=0.0)


def _position(plan: Plan, question: Question, episode: Episode, corpus: Corpus) -> Answer | None:
    if question.position is None:
        return None
    length = _length(episode, corpus)
    if plan.kind is Intent.LEFT:
        left = max(0.0, length - question.position)
        return plainly(question, f"You have {spoken_duration(left)} left of {episode.title}.")
    part = next((one for one in corpus.segments(episode.id) if one.start <= question.position < one.end), None)
    about = f", in {part.title}" if part is not None and part.title else ""
    return plainly(question, f"You are at {clock(question.position)} of {clock(length)}{about}.")


def _named(cues: Iterable[Cue]) -> list[str]:
    """Who speaks, by name, who says most first; empty when the transcript has no names."""
    spoken: Counter[str] = Counter()
    for cue in cues:
        if cue.speaker:
            spoken[cue.speaker] += len(cue.text)
    return [name for name, _ in spoken.most_common() if names_somebody(name)]


def _people(plan: Plan, question: Question, episode: Episode, corpus: Corpus) -> Answer:
    """Who is the guest, or the host: as the feed names them, else as far as the transcript shows it."""
    if plan.kind is Intent.GUEST and episode.guests:
        guests = listed(episode.guests)
        return plainly(question, f"The guest is {guests}." if len(episode.guests) == 1 else f"The guests are {guests}.")
    cues = corpus.cues(episode.id)
    names = _named(cues)
    if not names:
        return plainly(question, "The transcript does not name who speaks.", covered=False)
    if len(names) == 1:
        return plainly(question, f"{names[0]} is the only one who speaks.")
    if plan.kind is Intent.HOST:
        asked = Counter(cue.speaker for cue in cues if "?" in cue.text and cue.speaker in names)
        asker = max(names, key=lambda name: asked[name])
        return plainly(question, f"{asker} asks most of the questions; {listed(names)} speak.")
    return plainly(question, f"{listed(names)} speak; {names[0]} says most.")


def _told_parts(question: Question, episode_id: str, corpus: Corpus) -> list[Segment]:
    """The topics of an episode that have a title, as far as the listener may know of them."""
    parts = [part for part in corpus.segments(episode_id) if part.title]
    return [part for part in parts if question.heard_until is None or part.start < question.heard_until]


def _moments(episode_id: str, parts: Iterable[Segment]) -> tuple[Moment, ...]:
    return tuple(Moment(episode_id, part.start, part.end, part.title, "", 1.0) for part in parts)


def _longest(parts: Iterable[Segment], count: int) -> list[Segment]:
    """The longest topics, at most ``count``, in order."""
    return sorted(sorted(parts, key=lambda part: part.start - part.end)[:count], key=lambda part: part.start)


def _about(question: Question, episode_id: str, corpus: Corpus) -> Answer | None:
    """What an episode is about: as a language model wrote it; else who speaks, and its longest topics in order.

    The teaser that is made without one is a sentence of the episode, and says more to who knows the rest.
    """
    digest = corpus.digest(episode_id)
    parts = _told_parts(question, episode_id, corpus)
    text = digest.teaser or digest.summary
    if text and (digest.writer != "extractive" or not parts):
        return plainly(question, text)
    if not parts:
        return None
    longest = _longest(parts, _LISTED)
    names = _named(corpus.cues(episode_id))
    who = f", with {listed(names)}," if 0 < len(names) <= _LISTED else ""
    more = f"; and {len(parts) - len(longest)} more" if len(parts) > len(longest) else ""
    about = "; ".join(part.title for part in longest)
    return plainly(question, f"{corpus.title(episode_id, 'This')}{who} is about: {about}{more}.",
                   _moments(episode_id, longest))


def _topics(question: Question, episode_id: str, corpus: Corpus) -> Answer | None:
    parts = _told_parts(question, episode_id, corpus)
    if not parts:
        return None
    shown = read_out([f"{part.title}, at {clock(part.start)}" for part in parts])
    return plainly(question, f"{shown}.", _moments(episode_id, parts))


def _parts(plan: Plan, question: Question, episode_id: str, corpus: Corpus) -> Answer:
    """All places of the episode that are about something, in order, each with its time and its topic's title."""
    asked = replace(question, text=plan.text, episode_id=episode_id)
    found = [moment for moment in corpus.find_sections(asked, 20) if moment.confidence >= COVERED / 2]
    if not found or found[0].confidence < COVERED:
        return plainly(question, "No part of this episode is about that.", covered=False)
    titled = [part for part in corpus.segments(episode_id) if part.title]
    places: dict[float, tuple[Moment, str]] = {}
    for moment in sorted(found, key=lambda moment: moment.start):
        part = next((one for one in titled if one.start <= moment.start + _EDGE < one.end), None)
        places.setdefault(part.start if part else moment.start, (moment, part.title if part else ""))
    kept = list(places.values())
    shown = read_out([f"at {clock(one.start)}{f', {title}' if title else ''}" for one, title in kept], _PLACES)
    lead = "One part" if len(kept) == 1 else f"{len(kept)} parts"
    return plainly(question, f"{lead}: {shown}.", [opening(moment, corpus.cues) for moment, _ in kept])


def _lines(
    question: Question, episode_id: str, corpus: Corpus, start: float = 0.0, end: float | None = None
) -> list[Line]:
    """The sentences of a stretch, as far as the listener may know of it."""
    until = min(filter(None, (end, question.heard_until)), default=float("inf"))
    near = [cue for cue in corpus.cues(episode_id) if cue.end > start and cue.start < until]
    return [line for line in quotable_sentences(near) if line.end > start and line.start < until - 0.2]


def telling(lines: Sequence[Line], count: int = 1) -> list[Line]:
    """The sentences that tell most of what is said in a stretch, in order: those that hold its commonest words and
    stand alone (SumBasic, Nenkova and Vanderwende 2005: words that were told count for less)."""
    frequency = Counter(word for line in lines for word in set(content_words(line.text)))
    weight = {word: found / max(len(lines), 1) for word, found in frequency.items()}
    likely = [line for line in lines if _POINT[0] <= len(line.text.split()) <= _POINT[1] and not _says_little(line)]
    chosen: list[Line] = []
    while len(chosen) < count and likely:
        best = max(likely, key=lambda line: _worth(line, weight))
        chosen.append(best)
        likely.remove(best)
        for word in set(content_words(best.text)):
            weight[word] **= 2
    return sorted(chosen, key=lambda line: line.start)


def _says_little(line: Line) -> bool:
    return poses_question(line.text) or idle(line.text) or announces(line.text) or line.text[-1:] in ",;:–—-"


def _worth(line: Line, weight: dict[str, float]) -> float:
    told = set(content_words(line.text))
    mean = sum(weight[word] for word in told) / max(len(told), 3)
    return mean * (1 - 0.5 * leans(trimmed(line.text)))


def _points(plan: Plan, question: Question, episode_id: str, corpus: Corpus) -> Answer | None:
    """The episode in so many points: of each of its longest topics the sentence that tells most, in order."""
    lines = _lines(question, episode_id, corpus)
    parts = [part for part in corpus.segments(episode_id) if part.end - part.start > 20]
    parts = _longest(parts, plan.count)
    stretches = [[line for line in lines if part.start <= line.start < part.end] for part in parts]
    chosen = [line for stretch in stretches for line in telling(stretch)]
    if len(chosen) < plan.count:
        chosen = telling(lines, plan.count)
    if not chosen:
        return None
    moments = [moment_of(episode_id, [line]) for line in chosen]
    sentences = tuple(
        Sentence(f"{ordinal}, at {clock(moment.start)}: {marks(moment.quote)}", (moment,))
        for ordinal, moment in zip(_ORDINALS, moments, strict=False)
    )
    return Answer(question.text, True, sentences, tuple(moments))


def _said_at(plan: Plan, question: Question, episode: Episode, corpus: Corpus) -> Answer:
    """The words at a time."""
    at, length = plan.start or 0.0, _length(episode, corpus)
    if at > length:
        return plainly(question, f"{episode.title} is only {spoken_duration(length)} long.", covered=False)
    if question.heard_until is not None and at > question.heard_until:
        return plainly(question, "You have not heard that far yet.", covered=False)
    lines = [line for line in _lines(question, episode.id, corpus, at - 1, at + 90) if line.end > at]
    if not lines or lines[0].start > at + 30:
        return plainly(question, f"Nothing is said at {clock(at)}.", covered=False)
    chosen: list[Line] = []
    for line in lines:
        words = sum(len(one.text.split()) for one in [*chosen, line])
        if chosen and (
            line.speaker != chosen[0].speaker or words > SPOKEN or words - len(line.text.split()) > _QUOTED
            or line.start > chosen[-1].end + _SILENCE
        ):  # fmt: skip
            break
        chosen.append(line)
    moment = moment_of(episode.id, chosen)
    return Answer(question.text, True, (said_sentence(moment, corpus, False),), (moment,))


def _stretch(
    question: Question, start: float | None, end: float | None, episode: Episode, corpus: Corpus
) -> Answer | None:
    """What goes on from ``start`` to ``end``: the topics there, or, inside one topic, what tells most of it."""
    length = _length(episode, corpus)
    begin = max(0.0, length + start) if start is not None and start < 0 else start or 0.0
    stop = min(length, end) if end is not None else length
    if begin >= length:
        return plainly(question, f"{episode.title} is only {spoken_duration(length)} long.", covered=False)
    if question.heard_until is not None and begin > question.heard_until:
        return plainly(question, "You have not heard that far yet.", covered=False)
    lead = f"From {clock(begin)} to {clock(stop)}"
    parts = [
        part for part in _told_parts(question, episode.id, corpus)
        if part.end > begin + _EDGE and part.start < stop - _EDGE
    ]
    if len(parts) > 1:
        shown = parts[-_LISTED:] if len(parts) > _LISTED else parts
        moments = tuple(
            Moment(episode.id, max(part.start, begin), min(part.end, stop), part.title, "", 1.0) for part in parts
        )
        return plainly(question, f"{lead}: {'; '.join(part.title for part in shown)}.", moments)
    lines = telling(_lines(question, episode.id, corpus, begin, stop), 2)
    points = [moment_of(episode.id, [line]) for line in lines]
    if not points:
        return plainly(question, f"{lead}, little is said.", covered=False)
    about = f", about {parts[0].title}" if parts else ""
    first = Sentence(f"{lead}{about}: {marks(points[0].quote)}", (points[0],))
    return Answer(question.text, True, (first, *(Sentence(marks(one.quote), (one,)) for one in points[1:])),
                  tuple(points))


def _missed(plan: Plan, question: Question, episode: Episode, corpus: Corpus) -> Answer | None:
    """What goes on between where the last listening broke off and the player's position (else from the beginning)."""
    end = question.position or question.heard_until
    start = 0.0 if plan.start is not None else question.since or 0.0
    if end is None or end <= start + 1:
        start, end = 0.0, question.since or question.position or question.heard_until
    if not end:
        return plainly(question, "You are at the beginning; you have missed nothing.")
    return _stretch(replace(question, heard_until=None), start, end, episode, corpus)
