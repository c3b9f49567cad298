# SPDX-License-Identifier: GPL-3.0-or-later
"""Intents: what a question asks for in its conversation, where it is more than a matter to search for.

hassil matches the whole sentence with templates (``requests.yaml`` beside this file). Each kind of request has a small
pure function from what was matched, the question and the speakers' names to a plan, or None where the conversation
lacks what it needs; what none fits is a follow-up of the question before, or is searched for as it stands.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from episodes.text.lexicon import FUNCTION_WORDS
from retrieval.commands.matching import Politeness, normalized, templates, times_said, written_out
from retrieval.model import Moment, Question

if TYPE_CHECKING:
    from hassil import Intents

REQUESTS = Path(__file__).with_name("requests.yaml")

_LONGEST = 40  # words: no request that a template knows is longer


class Intent(StrEnum):
    """Ways to an answer. Those of ``requests.yaml`` have the names that they have there."""

    SEARCH = "search"  # find ``text`` and quote
    CHOOSE = "choose"  # quote ``moment``, which was found before
    PERSON = "person"  # who ``speaker`` is
    WHO = "who_spoke"  # name who speaks in ``moment``, or where the player stands
    JUST_SAID = "just_said"  # repeat what was said before ``position``, by ``speaker`` if it is told
    MEANING = "meaning"  # explain the rarest word of what was just said
    MISSED = "missed"  # the topics between ``since`` and ``position``
    SAID_AT = "said_at"  # quote what is said at ``start``
    STRETCH = "stretch"  # what goes on from ``start`` to ``end``
    TAKEAWAYS = "takeaways"  # the episode in ``count`` points
    OVERVIEW = "overview"  # the summary
    TOPICS = "topics"  # the list of segments
    PARTS = "parts"  # all places of the episode that are about ``text``
    EPISODES = "episodes"  # the episodes that cover ``text``
    LIBRARY_COUNT = "library_count"  # in how many episodes ``text`` is mentioned
    MENTION_COUNT = "mention_count"  # how often it is, in the episode or else in the library
    LIBRARY_SIZE = "library_size"  # how many episodes there are
    LIBRARY_OVERVIEW = "library_overview"  # which
    NEWEST = "newest"  # the newest, oldest, longest or shortest (``text``)
    ABOUT_ME = "about_me"  # who answers
    LENGTH = "length"  # of the episode
    LEFT = "left"  # of it, to be heard
    POSITION = "position"  # where the player stands
    GUEST = "guest"  # who is in it
    HOST = "host"
    TITLE = "title"
    PUBLISHED = "published"
    UNKNOWN_COMMAND = "unknown_command"  # something to do that nobody here can do
    NOTHING = "nothing"  # no words
    FRAGMENT = "fragment"  # words that ask for nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is to be answered.

    ``told`` are moments that an answer should not come from again. ``start`` and ``end`` are seconds from the
    episode's beginning; below zero they count from its end, and None is the beginning, or the end.
    ``name`` is somebody asked for who does not speak where it is asked.
    """

    kind: Intent
    text: str = ""
    speaker: str = ""
    moment: Moment | None = None
    told: tuple[Moment, ...] = ()
    start: float | None = None
    end: float | None = None
    count: int = 0
    name: str = ""


Slots = Mapping[str, Any]
"""What the lists of a template matched, by slot."""

People = Callable[[str], Sequence[str]]
"""The names among which one that was said may be."""


def understand(question: Question, speakers: People = lambda name: ()) -> Plan:
    """The plan for a question; ``speakers`` gives the names of those among whom one that was said may be, of those who
    speak where it is asked."""
    said = normalized(question.text)
    if not re.search(r"[^\W_]", said):
        return Plan(Intent.NOTHING)
    bare = _politeness().bare(written_out(said))[0]
    for request, slots in _matches(re.sub(r"^(?:(?:and|so|but) )+(?=\S)", "", bare)):
        plan = _PLANS[request](slots, question, speakers)
        if plan is not None:
            return plan
    followed = _follow_up(bare, question)
    if followed is not None:
        return followed
    if all(word in FUNCTION_WORDS or len(word) == 1 or word.isdigit() for word in re.findall(r"[\w']+", bare)):
        return Plan(Intent.FRAGMENT, question.text)
    return Plan(Intent.SEARCH, question.text)


def searched(question: Question, plan: Plan) -> Question:
    """The question that is put to the search for a plan."""
    return replace(question, text=plan.text or question.text)


@cache
def _politeness() -> Politeness:
    told = templates(REQUESTS)
    return Politeness(told["polite_before"], told["polite_behind"])


@cache
def _intents() -> "Intents":
    from hassil import Intents

    told = templates(REQUESTS)
    return Intents.from_dict({
        "language": "en", "lists": told["lists"], "expansion_rules": told["rules"],
        "intents": {name: {"data": [{"sentences": ways}]} for name, ways in told["requests"].items()},
    })  # fmt: skip


def _matches(sentence: str) -> list[tuple[str, Slots]]:
    """The requests that a sentence fits, in the order of the file, each with what its lists matched."""
    from hassil import recognize_all

    if len(sentence.split()) > _LONGEST:
        return []
    order = list(templates(REQUESTS)["requests"])
    found = [
        (result.intent.name, {slot: entity.value for slot, entity in result.entities.items()})
        for result in recognize_all(times_said(sentence), _intents())
    ]
    return sorted(found, key=lambda match: order.index(match[0]))


def _last(question: Question) -> Moment | None:
    """The moment that the last answer rested on."""
    return next((turn.moments[0] for turn in reversed(question.history[-1:]) if turn.moments), None)


def _seconds(slots: Slots, before: str = "") -> float | None:
    """The time that was said, None when there was none."""
    units = ((f"{before}hours", 3600), (f"{before}minutes", 60), (f"{before}seconds", 1))
    if not any(slot in slots for slot, _ in units):
        return None
    return float(sum(slots.get(slot, 0) * unit for slot, unit in units))


def _who(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"Who said that?": of the last answer, else of what plays."""
    return Plan(Intent.WHO, moment=_last(question))


def _choose(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"What about the second one?": another moment of the last answer."""
    if not question.history:
        return None
    moments, number = question.history[-1].moments, int(slots["which"])
    if not moments or number >= len(moments):
        return None
    return Plan(Intent.CHOOSE, question.history[-1].text, moment=moments[number])


def _more(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"Tell me more": the same question, and other places than were told for it so far."""
    if not question.history:
        return None
    asked = question.history[-1]
    told = [moment for turn in question.history if turn.text == asked.text for moment in turn.moments[:1]]
    return Plan(Intent.SEARCH, asked.text, told=tuple(told))


def _just_said(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"What did he just say?": the words before the player's position, of ``speaker`` where one is named; "what does it
    mean?" may be the answer's."""
    if question.position is None:
        return None
    asked = normalized(question.text)
    if question.history and re.fullmatch(r"what (?:does|did|is) (?:it|that|this) mean", asked):
        return None
    name = str(slots["name"]) if "name" in slots else ""
    return Plan(Intent.JUST_SAID, speaker=(speaker_named(name, speakers(name)) or "") if name else "")


def _meaning(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"What does that word mean?": the rarest of what was just said."""
    return Plan(Intent.MEANING) if question.position is not None else None


def _bare(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"And why?": asked of what was asked before."""
    if not question.history:
        return None
    before = question.history[-1]
    how = _politeness().bare(normalized(question.text))[0]
    return Plan(Intent.SEARCH, f"{how}: {before.text}", told=before.moments[:1])


def _last_stretch(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"The last five minutes": before the player's position; "of the episode", "how does it end?": of the whole."""
    seconds = float(slots.get("number", 1) * slots["unit"]) if "unit" in slots else 120.0
    match slots.get("edge"):
        case "end" | "start" if question.history and re.search(r"\bit (?:end|start|begin)", normalized(question.text)):
            return None
        case "end":
            return Plan(Intent.STRETCH, start=-seconds)
        case "start":
            return Plan(Intent.STRETCH, start=0.0, end=seconds)
    if "unit" in slots and re.search(r"\b(?:first|opening)\b", normalized(question.text)):
        return Plan(Intent.STRETCH, start=0.0, end=seconds)
    if question.position is None:
        return Plan(Intent.STRETCH, start=-seconds)
    return Plan(Intent.STRETCH, start=max(0.0, question.position - seconds), end=question.position)


def _stretch(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"Between minute 20 and 25"."""
    start, end = _seconds(slots, "from_"), _seconds(slots, "to_")
    if start is not None and end is not None and end < start:
        start, end = end, start
    return Plan(Intent.STRETCH, start=start or 0.0, end=end)


def _said_at(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"What is said at 12:30?"."""
    return Plan(Intent.SAID_AT, start=_seconds(slots) or 0.0)


def _missed(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"What did I miss?" since the last listening; "what happened so far?" from the beginning."""
    so_far = re.search(r"\b(?:so far|until now|up to)\b", normalized(question.text))
    return Plan(Intent.MISSED, start=0.0 if so_far and "miss" not in question.text.lower() else None)


def _takeaways(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"Summarise this in three points"."""
    return Plan(Intent.TAKEAWAYS, count=int(slots.get("count", 3)))


def _about(kind: Intent) -> Callable[[Slots, Question, People], Plan | None]:
    """A request with a matter: "which episodes talk about fees?"; "it" is what was asked before."""

    def plan(slots: Slots, question: Question, speakers: People) -> Plan | None:
        topic = str(slots["topic"]).strip()
        if _LEANING.fullmatch(topic):
            if not question.history:
                return None
            topic = question.history[-1].text
        return Plan(kind, topic)

    return plan


def _newest(slots: Slots, question: Question, speakers: People) -> Plan | None:
    return Plan(Intent.NEWEST, str(slots.get("extreme", "newest")))


def _speaker(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"What does SPEAKER think about …": only that person's words count."""
    name = re.sub(r"'s$", "", str(slots["name"]).strip())
    topic = str(slots.get("topic", "")).strip()
    known = speaker_named(name, speakers(name))
    if known is None and (topic and not _LEANING.fullmatch(topic)) and _looks_like_a_name(name):
        return Plan(Intent.SEARCH, question.text, name=name)
    if known is None:
        return None
    if not topic or _LEANING.fullmatch(topic):
        topic = question.history[-1].text if question.history else ""
    return Plan(Intent.SEARCH, topic or question.text, speaker=known)


def _person(slots: Slots, question: Question, speakers: People) -> Plan | None:
    """"Who is SPEAKER?", of those who speak there; who does not is searched for."""
    known = speaker_named(str(slots["name"]), speakers(str(slots["name"])))
    return Plan(Intent.PERSON, speaker=known) if known is not None else None


def _looks_like_a_name(name: str) -> bool:
    words = name.split()
    return 1 <= len(words) <= 3 and not any(word in FUNCTION_WORDS for word in words)


def _of_the_episode(kind: Intent) -> Callable[[Slots, Question, People], Plan | None]:
    """A request about the episode: "how long is it?", unless "it" is rather what was asked before."""

    def plan(slots: Slots, question: Question, speakers: People) -> Plan | None:
        said = normalized(question.text)
        bare = re.search(r"\b(?:it|that)\b", said) and not re.search(r"\b(?:this|episode|podcast|show)\b", said)
        return None if bare and question.history else Plan(kind)

    return plan


def _simply(kind: Intent) -> Callable[[Slots, Question, People], Plan | None]:
    """A request that needs nothing but its name."""
    return lambda slots, question, speakers: Plan(kind)


_PLANS: dict[str, Callable[[Slots, Question, People], Plan | None]] = {
    **{str(kind): _simply(kind) for kind in Intent},
    "who_spoke": _who, "choose": _choose, "more": _more, "meaning": _meaning, "just_said": _just_said, "bare": _bare,
    "last_stretch": _last_stretch, "stretch": _stretch, "said_at": _said_at, "takeaways": _takeaways,
    "parts": _about(Intent.PARTS), "episodes": _about(Intent.EPISODES), "library_count": _about(Intent.LIBRARY_COUNT),
    "mention_count": _about(Intent.MENTION_COUNT),
    **{str(kind): _of_the_episode(kind) for kind in (Intent.LENGTH, Intent.TITLE, Intent.PUBLISHED)},
    "missed": _missed, "newest": _newest, "speaker": _speaker, "person": _person,
}  # fmt: skip


_THINGS = re.compile(r"\b(?:it|that|this|those|these|its)\b")
_LEANING = re.compile(r"\b(?:it|that|this|they|them|those|these|he|she|him|her|his|their|its)\b")
_ALSO = re.compile(r"(?:and|but|so)(?: what about| how about)?|what about|how about")
_QUIET = frozenset(
    re.findall(
        r"\w+",
        "and but what why how who when where which does did are was were the can could would should will has have had"
        " you say said says think mean means about really for with from any some more much many also not all your our",
    )
)


def _follow_up(bare: str, question: Question) -> Plan | None:
    """"How does it work?", "and what about fees?": the question goes on from the one before."""
    if not question.history:
        return None
    before = question.history[-1]
    telling = [word for word in bare.split() if len(word) > 2 and word not in _QUIET and not _LEANING.fullmatch(word)]
    leads = _ALSO.match(bare)
    names = _names_something(question.text)
    if leads and 1 <= len(bare[leads.end() :].split()) <= 6 and len(telling) <= 2 and not names:
        return Plan(Intent.SEARCH, f"{question.text} ({before.text})")
    # "they" are often just those who speak, and no sign of what was asked before
    leans = 2 if _THINGS.search(bare) else 1 if _LEANING.search(bare) else -1
    if len(telling) <= leans and len(bare.split()) <= 8 and not names:
        return Plan(Intent.SEARCH, f"{question.text} ({before.text})")
    return None


def _names_something(text: str) -> bool:
    """True when a word inside the text is written like a name; in Title Case every word is, and none says anything."""
    inside = text.split()[1:]
    capital = [word[:1].isupper() for word in inside]
    return any(capital) and not (len(inside) >= 2 and all(capital))


_DIGITS = ("zero", "one", "two", "three", "four")


def speaker_named(name: str, speakers: Sequence[str]) -> str | None:
    """The speaker who is meant by a name as it was heard: the whole name or a part of it, nearly in its letters."""
    from rapidfuzz import fuzz

    name = re.sub(r"^(?:mr|mrs|ms|miss|mister|dr|doctor|prof|professor) ", "", name.lower().strip())
    name = re.sub(r"\b(?:zero|one|two|three|four)\b", lambda found: str(_DIGITS.index(found[0])), name)
    if name in FUNCTION_WORDS or name in ("people", "anyone", "everyone", "somebody"):
        return None
    best, found = 0.0, None
    for each in speakers:
        parts = [each.lower(), *(part for part in each.lower().split() if len(part) > 2 and part != "speaker")]
        like = max((fuzz.ratio(name, part) for part in parts), default=0.0)
        if like > best:
            best, found = like, each
    return found if best >= 80 else None
