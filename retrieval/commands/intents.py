# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question means in its conversation: follow-ups, the place on the player, a speaker, an overview, a list.

Each rule is a small pure function from the question (and the speakers' names) to a plan, or None; the first that fits
holds, and what none fits is searched for as it stands.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from retrieval.commands.intent_patterns import (
    ACCORDING,
    ALSO,
    BARE,
    EPISODES,
    JUST_SAID,
    LEAD,
    LEANING,
    MEANING,
    MISSED,
    MORE,
    OPINION,
    ORDER,
    OVERVIEW,
    QUIET,
    TAIL,
    THINGS,
    TOPICS,
    WHICH,
    WHO,
)  # fmt: skip
from retrieval.model import Moment, Question


class Kind(StrEnum):
    """Ways to an answer."""

    SEARCH = "search"  # find ``text`` and quote
    CHOOSE = "choose"  # quote ``moment``, which was found before
    WHO = "who"  # name who speaks in ``moment``, or where the player stands
    JUST_SAID = "just said"  # repeat what was said before ``position``
    MEANING = "meaning"  # explain the rarest word of what was just said
    MISSED = "missed"  # the topics between ``since`` and ``position``
    OVERVIEW = "overview"  # the summary
    TOPICS = "topics"  # the list of segments
    EPISODES = "episodes"  # the episodes that cover ``text``


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is to be answered. ``told`` are moments that an answer should not come from again."""

    kind: Kind
    text: str = ""
    speaker: str = ""
    moment: Moment | None = None
    told: tuple[Moment, ...] = ()


def understand(question: Question, speakers: Sequence[str] = ()) -> Plan:
    """The plan for a question; ``speakers`` are the names of those who speak where it is asked."""
    plain = _plain(question.text)
    for rule in RULES:
        plan = rule(plain, question, speakers)
        if plan is not None:
            return plan
    return Plan(Kind.SEARCH, question.text)


Rule = Callable[[str, Question, Sequence[str]], Plan | None]


def _plain(text: str) -> str:
    """Small letters without punctuation, without what is said before and behind a question out of politeness."""
    plain = " ".join(re.sub(r"[^\w\s']", " ", text.lower().replace("’", "'")).split())
    plain = re.sub(r"\b(what|who|where|how)s\b", r"\1's", plain)
    while found := LEAD.match(plain):
        plain = plain[found.end() :]
    while found := TAIL.search(plain):
        plain = plain[: found.start()]
    return plain


def _last(question: Question) -> Moment | None:
    """The moment that the last answer rested on."""
    return next((turn.moments[0] for turn in reversed(question.history[-1:]) if turn.moments), None)


def who(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"Who said that?": of the last answer, else of what plays."""
    return Plan(Kind.WHO, moment=_last(question)) if WHO.fullmatch(plain) else None


def which(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What about the second one?": another moment of the last answer."""
    found = WHICH.fullmatch(plain)
    if not found or not question.history:
        return None
    moments, number = question.history[-1].moments, ORDER[found[1]]
    if not moments or number >= len(moments):
        return None
    return Plan(Kind.CHOOSE, question.history[-1].text, moment=moments[number])


def more(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"Tell me more": the same question, and another place."""
    if not MORE.fullmatch(plain) or not question.history:
        return None
    asked = question.history[-1]
    told = asked.moments[:1]
    return Plan(Kind.SEARCH, asked.text, told=told)


def follow_up(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"And why?", "how does it work?", "and what about fees?": the question goes on from the one before."""
    if not question.history:
        return None
    before = question.history[-1]
    bare = BARE.fullmatch(plain)
    if bare:
        return Plan(Kind.SEARCH, f"{bare['how']}: {before.text}", told=before.moments[:1])
    telling = _telling(plain)
    leads = ALSO.match(plain)
    names = any(word[:1].isupper() for word in question.text.split()[1:])
    if leads and 1 <= len(plain[leads.end() :].split()) <= 6 and len(telling) <= 2 and not names:
        return Plan(Kind.SEARCH, f"{question.text} ({before.text})")
    # "they" are often just those who speak, and no sign of what was asked before
    leans = 2 if THINGS.search(plain) else 1 if LEANING.search(plain) else -1
    if len(telling) <= leans and len(plain.split()) <= 8 and not names:
        return Plan(Kind.SEARCH, f"{question.text} ({before.text})")
    return None


def _telling(plain: str) -> list[str]:
    """The words that say what a question is about."""
    return [word for word in plain.split() if len(word) > 2 and word not in QUIET and not LEANING.fullmatch(word)]


def just_said(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What did he just say?": the words before the player's position."""
    if question.position is None or not JUST_SAID.fullmatch(plain):
        return None
    if question.history and re.fullmatch(r"what (?:does|did|is) (?:it|that|this) mean", plain):
        return None
    return Plan(Kind.JUST_SAID)


def meaning(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What does that word mean?": the rarest of what was just said."""
    return Plan(Kind.MEANING) if question.position is not None and MEANING.fullmatch(plain) else None


def missed(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What did I miss?": what was said since the last listening."""
    return Plan(Kind.MISSED) if MISSED.fullmatch(plain) else None


def overview(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What is this about?" and "which topics?"."""
    if TOPICS.fullmatch(plain):
        return Plan(Kind.TOPICS)
    return Plan(Kind.OVERVIEW) if OVERVIEW.fullmatch(plain) else None


def episodes(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"Which episodes talk about fees?": a list over the library."""
    found = EPISODES.fullmatch(plain)
    if not found:
        return None
    topic = found["topic"]
    if LEANING.fullmatch(topic) and question.history:
        topic = question.history[-1].text
    return Plan(Kind.EPISODES, topic)


def speaker(plain: str, question: Question, speakers: Sequence[str]) -> Plan | None:
    """"What does SPEAKER think about …": only that person's words count."""
    found = OPINION.fullmatch(plain)
    if found:
        name, topic = found["name"], found["topic"].strip()
        whole = question.text
    else:
        told = ACCORDING.fullmatch(plain)
        if not told:
            return None
        name, topic = (told["name"] or told["name2"]), (told["topic"] or told["topic2"])
        whole = topic
    known = named(name, speakers)
    if known is None:
        return None
    if not topic or LEANING.fullmatch(topic):
        topic = question.history[-1].text if question.history else ""
    return Plan(Kind.SEARCH, topic or whole, speaker=known)


_DIGITS = ("zero", "one", "two", "three", "four")


def named(name: str, speakers: Sequence[str]) -> str | None:
    """The speaker who is meant by a name as it was heard: the whole name or a part of it, nearly in its letters."""
    from rapidfuzz import fuzz

    name = re.sub(r"^(?:mr|mrs|ms|miss|mister|dr|doctor|prof|professor) ", "", name.lower().strip())
    name = re.sub(r"\b(?:zero|one|two|three|four)\b", lambda found: str(_DIGITS.index(found[0])), name)
    if name in ("he", "she", "they", "it", "you", "that", "this", "i", "we", "one", "anyone", "the", "people"):
        return None
    best, found = 0.0, None
    for each in speakers:
        parts = [each.lower(), *(part for part in each.lower().split() if len(part) > 2 and part != "speaker")]
        like = max((fuzz.ratio(name, part) for part in parts), default=0.0)
        if like > best:
            best, found = like, each
    return found if best >= 80 else None


RULES: tuple[Rule, ...] = (
    who, which, more, meaning, missed, just_said, overview, episodes, speaker, follow_up
)  # fmt: skip
"""In the order in which they are tried."""


def searched(question: Question, plan: Plan) -> Question:
    """The question that is put to the search for a plan."""
    return replace(question, text=plan.text or question.text)
