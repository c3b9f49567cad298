# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer types: what the kind of a question says of its answer. "When" wants a time, "who" a name, "why" a reason.

The types are data: ``answer_types.yaml`` beside this file, its questions matched by hassil as commands are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from episodes.text.stemming import stems
from retrieval.commands.matching import normalized, templates, written_out

if TYPE_CHECKING:
    from hassil import Intents

ANSWER_TYPES = Path(__file__).with_name("answer_types.yaml")

_LONGEST = 40  # words of a question whose kind is looked for


@dataclass(frozen=True, slots=True)
class AnswerType:
    """What an answer is like. ``fits`` tells how well a text fits it, 0..1, whatever it is about; an answer of a
    ``strict`` type does not answer without it. ``decision`` is True where yes or no would do."""

    name: str
    fits: Callable[[str], float]
    strict: bool = False
    decision: bool = False


def answer_type(question: str) -> AnswerType:
    """The type of answer that a question wants; one that every text fits as little (0) when nothing is known of it."""
    from hassil import recognize_all

    sentence = re.sub(r"^(?:(?:and|so|but|well|okay|then) )+", "", written_out(normalized(question)))
    if not sentence or len(sentence.split()) > _LONGEST:
        return _UNKNOWN
    told = templates(ANSWER_TYPES)["types"]
    found = {result.intent.name: result for result in recognize_all(sentence, _intents())}
    name = next((name for name in told if name in found), None)
    if name is None:
        return _UNKNOWN
    rule, asked = told[name], stems(question)
    thing = found[name].entities.get("thing") if rule.get("defines") else None
    held = _held(name)
    defined = _defined(str(thing.value)) if thing is not None else None

    def fits(text: str) -> float:
        if defined is not None and defined.search(text):
            return 1.0
        if not any(_new(match, asked, name) for pattern in held for match in pattern.finditer(text)):
            return 0.0
        return 0.4 if rule.get("defines") else 1.0

    return AnswerType(name, fits, bool(rule.get("strict")), bool(rule.get("decision")))


_UNKNOWN = AnswerType("", lambda text: 0.0)


@cache
def _intents() -> "Intents":
    from hassil import Intents

    told = templates(ANSWER_TYPES)
    return Intents.from_dict({
        "language": "en", "lists": told["lists"], "expansion_rules": told["rules"],
        "intents": {name: {"data": [{"sentences": rule["asked"]}]} for name, rule in told["types"].items()},
    })  # fmt: skip


@cache
def _held(name: str) -> tuple[re.Pattern[str], ...]:
    """What the answers of a type hold, as regular expressions."""
    rule: dict[str, Any] = templates(ANSWER_TYPES)["types"][name]
    made = [_pattern(held, re.IGNORECASE) for held in rule.get("holds", ())]
    return (*made, *(_pattern(held, re.NOFLAG) for held in rule.get("cased", ())))


def _pattern(held: str, flags: re.RegexFlag) -> re.Pattern[str]:
    if held.startswith("/"):
        return re.compile(held.strip("/"), flags)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, held.split()))})\b", flags)


def _new(match: re.Match[str], asked: set[str], name: str) -> bool:
    """True unless it only repeats the question: a name or a number that was asked with is no answer."""
    return name not in ("person", "number", "time", "place") or not stems(match[0]) or not stems(match[0]) <= asked


def _defined(thing: str) -> re.Pattern[str] | None:
    """A sentence that says what a thing is: "X is a …", "X means …"."""
    names = stems(thing)
    if not 1 <= len(thing.split()) <= 4 or not names:
        return None
    name = "|".join(re.escape(word) for word in sorted(names))
    # what is defined opens the clause, and a noun follows: "so a nonce is a number", not "this nonce is too long"
    return re.compile(
        rf"(?:^|[,;:.] |\b(?:so|and|well|now|basically|essentially|that|what|how) )(?:(?:an?|the|your|these|this"
        rf"|called) )?(?:[\w'-]+ ){{0,2}}?(?:{name})[\w-]*(?: [\w-]+)?,? (?:is|are|means?|stands? for|refers? to"
        rf"|allows?|lets?|was|were|works?|describes?|does)\b(?! (?:not|very|also|that|still|already|actually|going|why"
        rf"|just|too|so|kind of hard)\b)",
        re.IGNORECASE,
    )
