# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions over the head of every transcript: what is in the library, how much, which episodes mention something."""

from collections.abc import Collection, Sequence

from episodes.model import Overview
from episodes.store.catalogue import Order
from retrieval.answers.compose import plainly
from retrieval.answers.corpus import Corpus, Episodes
from retrieval.answers.quote import opening
from retrieval.commands.intents import Intent, Plan
from retrieval.finding.sections.find_sections import COVERED
from retrieval.model import Answer, Moment, Question
from voice.model import clock

_LISTED = 4  # episodes that are read out; more cannot be remembered
_MANY = 40  # places among which those of several episodes are looked for

ABOUT_ME = (
    "I am Earmark. Ask me about your podcasts, and I answer in the speakers' own words and take you to the moment."
)


def library_fact(
    plan: Plan, question: Question, corpus: Corpus, within: Collection[str] | None = None
) -> Answer | None:
    """The answer to a question about the library; None when the plan is of another kind."""
    episodes = corpus.episodes
    match plan.kind:
        case Intent.ABOUT_ME:
            return plainly(question, ABOUT_ME)
        case Intent.LIBRARY_SIZE:
            return plainly(question, _size(episodes.overview(within)))
        case Intent.LIBRARY_OVERVIEW:
            return plainly(question, _overview(episodes, within))
        case Intent.NEWEST:
            return plainly(question, _extreme(plan.text, episodes, within))
        case Intent.LIBRARY_COUNT:
            return _count(plan, question, corpus, within)
        case Intent.MENTION_COUNT:
            here = question.episode_id or question.playing
            inside = within is None or here in within
            return _count(plan, question, corpus, within if here is None else [here] if inside else [])
        case Intent.EPISODES:
            return _which(plan, question, corpus, within)
    return None


def listed(names: Sequence[str], most: int = _LISTED, count: int | None = None) -> str:
    """Names as they are read out: "A, B and C", "A, B, C, D and 7 more". ``count`` is how many there are of which only
    these first ones are known."""
    shown, count = list(names[:most]), len(names) if count is None else count
    if count > most:
        return f"{', '.join(shown)} and {count - most} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def read_out(places: Sequence[str], most: int = _LISTED) -> str:
    """Places as they are read out: "A; B", "A; B; C; D; and 7 more"."""
    more = f"; and {len(places) - most} more" if len(places) > most else ""
    return f"{'; '.join(places[:most])}{more}"


def spoken_duration(seconds: float) -> str:
    """A length as one says it: "42 minutes", "1 hour 5 minutes", "40 seconds"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _counted(round(seconds), "second")
    hours, minutes = divmod(minutes, 60)
    said = [_counted(hours, "hour")] if hours else []
    said += [_counted(minutes, "minute")] if minutes or not hours else []
    return " ".join(said)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _size(held: Overview) -> str:
    of = f" of {held.shows} shows" if held.shows > 1 else ""
    return f"You have {_counted(held.episodes, 'episode')}{of}, {spoken_duration(held.seconds)} in all."


def _overview(episodes: Episodes, within: Collection[str] | None) -> str:
    count = episodes.overview(within).episodes
    if not count:
        return "Your library is empty."
    there = "There is one episode" if count == 1 else f"There are {count} episodes"
    titles = [one.title for one in episodes.first(Order.ARRIVED, _LISTED, within)]
    return f"{there}: {listed(titles, count=count)}."


_EXTREMES = {"longest": Order.LONGEST, "shortest": Order.SHORTEST, "newest": Order.NEWEST, "oldest": Order.OLDEST}


def _extreme(which: str, episodes: Episodes, within: Collection[str] | None) -> str:
    latest = which == "newest"
    for one in episodes.first(_EXTREMES.get(which, Order.OLDEST), 1, within):
        if which in ("longest", "shortest"):
            return f"Your {which} episode is {one.title}, {spoken_duration(one.seconds)}."
        return f"Your {which} episode is {one.title}, of {one.published[:10]}."
    for one in episodes.first(Order.ARRIVED if latest else Order.FIRST, 1, within):  # nobody told a date
        return f"The one added {'last' if latest else 'first'} is {one.title}."
    return "Your library is empty."


def _count(plan: Plan, question: Question, corpus: Corpus, within: Collection[str] | None) -> Answer:
    """In how many episodes something is mentioned, and how often."""
    there = corpus.episodes.overview(within).episodes
    found = {name: mention for name, mention in corpus.mentions(plan.text).items() if within is None or name in within}
    known = corpus.episodes.some(list(found)[:_MANY])
    if not found:
        none = "This episode never" if there == 1 else f"None of your {there} episodes"
        return plainly(question, f"{none} mentions {plan.text}.")
    times = sum(mention.count for mention in found.values())
    moments = tuple(
        Moment(name, found[name].start, found[name].start + 30, one.title, "", 1.0) for name, one in known.items()
    )
    places = "one place" if times == 1 else f"{times} places"
    titles = [one.title for one in known.values()]
    if there == 1:
        return plainly(question, f"{titles[0]} mentions {plan.text} in {places}.", moments)
    names = listed(titles, 3, len(found))
    verb = "mentions" if len(found) == 1 else "mention"
    count = "One" if len(found) == 1 else str(len(found))
    text = f"{count} of your {_counted(there, 'episode')} {verb} {plan.text}, in {places}: {names}."
    return plainly(question, text, moments)


def _which(plan: Plan, question: Question, corpus: Corpus, within: Collection[str] | None) -> Answer:
    """The episodes that cover something, each with where."""
    wide = Question(plan.text)
    best: dict[str, Moment] = {}
    for moment in corpus.find_sections(wide, _MANY):
        inside = within is None or moment.episode_id in within
        if inside and moment.confidence >= COVERED and moment.episode_id not in best:
            best[moment.episode_id] = moment
    if not best:
        return plainly(question, "No episode of your library talks about that.", covered=False)
    moments = [opening(one, corpus.cues) for one in sorted(best.values(), key=lambda moment: -moment.confidence)]
    places = [f"{corpus.title(one.episode_id)}, at {clock(one.start)}" for one in moments]
    return plainly(question, f"{read_out(places)}.", moments)
