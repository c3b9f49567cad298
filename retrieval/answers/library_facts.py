# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions over the head of every transcript: what is in the library, how much, which episodes mention something."""

from collections.abc import Collection, Sequence

from episodes.model import Episode
from retrieval.answers.compose import plainly
from retrieval.answers.shelf import Shelf
from retrieval.commands.intents import Kind, Plan
from retrieval.finding.search import COVERED
from retrieval.model import Answer, Moment, Question
from voice.model import clock

_LISTED = 4  # episodes that are read out; more cannot be remembered
_MANY = 40  # places among which those of several episodes are looked for

ABOUT_ME = (
    "I am Earmark. Ask me about your podcasts, and I answer in the speakers' own words and take you to the moment."
)


def library_fact(plan: Plan, question: Question, shelf: Shelf, within: Collection[str] | None = None) -> Answer | None:
    """The answer to a question about the library; None when the plan is of another kind."""
    episodes = [one for one in shelf.episodes.values() if within is None or one.id in within]
    match plan.kind:
        case Kind.ABOUT_ME:
            return plainly(question, ABOUT_ME)
        case Kind.LIBRARY_SIZE:
            return plainly(question, _size(episodes))
        case Kind.LIBRARY_OVERVIEW:
            return plainly(question, _overview(episodes))
        case Kind.NEWEST:
            return plainly(question, _extreme(plan.text, episodes))
        case Kind.LIBRARY_COUNT:
            return _count(plan, question, shelf, episodes)
        case Kind.MENTION_COUNT:
            here = question.episode_id or question.playing
            return _count(plan, question, shelf, [one for one in episodes if here in (None, one.id)])
        case Kind.EPISODES:
            return _which(plan, question, shelf, within)
    return None


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """Names as they are read out: "A, B and C", "A, B, C, D and 7 more"."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def read_out(places: Sequence[str], most: int = _LISTED) -> str:
    """Places as they are read out: "A; B", "A; B; C; D; and 7 more"."""
    more = f"; and {len(places) - most} more" if len(places) > most else ""
    return f"{'; '.join(places[:most])}{more}"


def duration(seconds: float) -> str:
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


def _size(episodes: Sequence[Episode]) -> str:
    length = sum(one.seconds for one in episodes)
    shows = {one.show for one in episodes if one.show}
    of = f" of {len(shows)} shows" if len(shows) > 1 else ""
    return f"You have {_counted(len(episodes), 'episode')}{of}, {duration(length)} in all."


def _overview(episodes: Sequence[Episode]) -> str:
    if not episodes:
        return "Your library is empty."
    there = "There is one episode" if len(episodes) == 1 else f"There are {len(episodes)} episodes"
    return f"{there}: {listed([one.title for one in episodes])}."


def _extreme(which: str, episodes: Sequence[Episode]) -> str:
    if not episodes:
        return "Your library is empty."
    match which:
        case "longest" | "shortest":
            one = (max if which == "longest" else min)(episodes, key=lambda episode: episode.seconds)
            return f"Your {which} episode is {one.title}, {duration(one.seconds)}."
        case _:
            dated = [one for one in episodes if one.published]
            latest = which == "newest"
            if dated:
                one = (max if latest else min)(dated, key=lambda episode: episode.published)
                return f"Your {which} episode is {one.title}, of {one.published[:10]}."
            return f"The one added {'last' if latest else 'first'} is {episodes[0 if latest else -1].title}."


def _count(plan: Plan, question: Question, shelf: Shelf, episodes: Sequence[Episode]) -> Answer:
    """In how many episodes something is mentioned, and how often."""
    known = {one.id: one for one in episodes}
    found = {name: mention for name, mention in shelf.mentions(plan.text).items() if name in known}
    if not found:
        none = "This episode never" if len(episodes) == 1 else f"None of your {len(episodes)} episodes"
        return plainly(question, f"{none} mentions {plan.text}.")
    times = sum(mention.count for mention in found.values())
    moments = tuple(
        Moment(name, mention.start, mention.start + 30, known[name].title, "", 1.0) for name, mention in found.items()
    )
    places = "one place" if times == 1 else f"{times} places"
    if len(episodes) == 1:
        return plainly(question, f"{episodes[0].title} mentions {plan.text} in {places}.", moments)
    names = listed([known[name].title for name in found], 3)
    verb = "mentions" if len(found) == 1 else "mention"
    count = "One" if len(found) == 1 else str(len(found))
    text = f"{count} of your {_counted(len(episodes), 'episode')} {verb} {plan.text}, in {places}: {names}."
    return plainly(question, text, moments[:_MANY])


def _which(plan: Plan, question: Question, shelf: Shelf, within: Collection[str] | None) -> Answer:
    """The episodes that cover something, each with where."""
    wide = Question(plan.text)
    best: dict[str, Moment] = {}
    for moment in shelf.find(wide, _MANY):
        inside = within is None or moment.episode_id in within
        if inside and moment.confidence >= COVERED and moment.episode_id not in best:
            best[moment.episode_id] = moment
    if not best:
        return plainly(question, "No episode of your library talks about that.", covered=False)
    moments = sorted(best.values(), key=lambda moment: -moment.confidence)
    places = [f"{shelf.title(one.episode_id)}, at {clock(one.start)}" for one in moments]
    return plainly(question, f"{read_out(places)}.", moments)
