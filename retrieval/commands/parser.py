# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands: what a listener tells the player to do, told from what a listener asks.

hassil, the intent library of Home Assistant, matches the whole sentence with templates (``commands.yaml`` and the
phrases of ``command_patterns``), so that a question that merely holds a command word stays a question. What a
recogniser misheard is mended by rapidfuzz, for short sentences that do not ask.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.commands.command_patterns import COMMAND_SENTENCES as PHRASES
from retrieval.commands.command_patterns import FILLS, NUMBERS, PEOPLE, spoken_ways
from retrieval.commands.matching import Politeness, normalized, templates, times_said
from retrieval.model import Command as Command
from voice.turns.commands import CommandName

if TYPE_CHECKING:
    from hassil import Intents
    from hassil.recognize import RecognizeResult

COMMAND_TEMPLATES = Path(__file__).with_name("commands.yaml")

_LONGEST = 20  # words: nobody commands at greater length
_MENDED = 9  # words: a longer sentence that is no command as it was heard is none
_ALIKE = 85.0  # percent of letters in their place (Indel) from which on a misheard sentence is the command
_SHORT = 6  # letters below which a sentence is only mended word by word, by the list of what is misheard


def parse(text: str, exactly: bool = False) -> Command | None:
    """The command in a sentence that was heard or typed; None when it is a question or anything else.

    ``exactly``: nothing is mended in it, and no free text stands in it without a sign ("play mirrors").
    """
    said = " ".join(text.split())
    heard = normalized(said)
    if not heard or len(heard.split()) > _LONGEST:
        return None
    bare, begged = _politeness().bare(heard)
    asks = said.endswith("?") or begged
    short = _politeness().ended(heard.replace(" please", ""))
    for sentence in dict.fromkeys((heard, bare, short)):
        found = _match(sentence, loose=False)
        if found is not None:
            return found
    if exactly or is_asking(heard) or is_asking(bare):
        return None
    if len(bare.split()) <= _MENDED:
        for mended in _mended(bare):
            found = _match(mended, loose=False)
            if found is not None:
                return found
    return None if asks else _match(bare, loose=True)


_QUESTION = re.compile(
    r"(?:who|whom|whose|what|what's|which|when|where|why|how|is|are|was|were|do|does|did|has|have|had|am|should|might"
    r"|isn't|aren't|doesn't|don't they|didn't|who's|where's|how's|tell me|explain|describe|list|show|summarize"
    r"|summarise|recap)\b"
)


@cache
def _politeness() -> Politeness:
    told = templates(COMMAND_TEMPLATES)
    return Politeness(told["polite_before"], told["polite_behind"], told["polite_asking"])


def is_asking(heard: str) -> bool:
    """Whether plain words begin as a question does."""
    return _QUESTION.match(heard) is not None


@cache
def _intents(loose: bool) -> "Intents":
    """The templates as hassil knows them; with the loose ones, or without."""
    from hassil import Intents

    known = templates(COMMAND_TEMPLATES)
    intents = {}
    for name, told in known["commands"].items():
        expected = [_with_rules(pattern) for pattern in PHRASES.get(name, ())]
        if name == "play_about" and not loose:
            expected = [pattern for pattern in expected if not _LOOSE.search(pattern)]
        ways = [*expected, *told.get("ways", ()), *told.get("tight", ()), *(told.get("loose", ()) if loose else ())]
        intents[name] = {"data": [{"sentences": ways}]}
    return Intents.from_dict(
        {"language": "en", "intents": intents, "lists": known["lists"], "expansion_rules": known["rules"]}
    )


_LOOSE = re.compile(r"^\([^)]*\) \{topic\}$")


def _with_rules(pattern: str) -> str:
    """A pattern of ``command_patterns`` as hassil reads it: any amount for a number."""
    return pattern.replace("{number}", "<amount>").replace("{part}", "{part:number}")


def _match(sentence: str, loose: bool) -> Command | None:
    from hassil import recognize_best

    found = recognize_best(times_said(sentence), _intents(loose))
    if found is None or _FINDS_OUT.match(str(found.entities["topic"].value) if "topic" in found.entities else ""):
        return None
    return _meaning(found)


_FINDS_OUT = re.compile(r"(?:out|whether|if|why|how|who|all|every\w*)\b")


_TALKS = re.compile(
    r"^(?P<who>[\w' ]{1,40}?) (?:is |are |was |were )?"
    r"(?:talk|speak|spoke|tell|told us|say|said|discuss|chat)(?:s|es|ed|ing)? (?:about|of|on) "
)


def _meaning(found: "RecognizeResult") -> Command:
    """What a match of hassil says to do."""
    name = found.intent.name
    held = {slot: entity.value for slot, entity in found.entities.items()}
    amount: float | None = None
    about = ""
    if name in ("back", "forward", "go_to", "sleep"):
        if "number" in held or "unit" in held:
            unit = held.get("unit", 60 if "minute" in found.original_text else 1)
            whole, minutes = held.get("number", 1) + held.get("half", 0), held.get("more_minutes", 0)
            amount = float(whole * unit + 60 * minutes + held.get("more", 0))
        if name == "go_to" and amount is None:
            about = held.get("place", "start")
            amount, about = (0.0, "") if about == "start" else (None, about)
        about = held.get("ending", about)
    elif name == "play_latest":
        about = _politeness().ended(str(held.get("show", ""))).strip()
    elif name == "set_speed":
        amount = float(held.get("factor", held.get("number", 1.5)))
    elif name == "set_volume":
        amount = min(1.0, held["percent"] / 100) if "percent" in held else float(held["level"])
    elif name == "choose":
        amount = float(held["which"])
    elif name == "play_about":
        about = _politeness().ended(str(held["topic"]))
        talks = _TALKS.match(about)
        person = str(held.get("person", talks["who"] if talks else "")).strip()
        about = about[talks.end() :] if talks else about
        about = f"{person} about {about}" if person and person not in PEOPLE else about
    return Command(CommandName(name), amount, about)


def _mended(bare: str) -> Iterator[str]:
    """What may have been said where this was heard, likeliest first."""
    from rapidfuzz import fuzz, process

    heard: dict[str, str] = templates(COMMAND_TEMPLATES)["heard"]
    mended = _misheard().sub(lambda found: heard[found[0]], bare)
    if mended != bare:
        yield mended
    numbers = _NUMBER.findall(mended)
    shape = _NUMBER.sub("#", mended).replace(" ", "")
    if len(shape) < _SHORT:
        return
    for _, _, place in process.extract(shape, _shapes()[0], scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=3):
        sentence = _shapes()[1][place]
        if sentence.count("#") == len(numbers):
            for number in numbers:
                sentence = sentence.replace("#", number, 1)
            yield sentence


_NUMBER = re.compile(rf"\b(?:\d+|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})\b")


@cache
def _misheard() -> re.Pattern[str]:
    """All that recognisers make of command words, the longest first."""
    heard = sorted(templates(COMMAND_TEMPLATES)["heard"], key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, heard))})\b")


@cache
def _shapes() -> tuple[list[str], list[str]]:
    """Every fixed command of ``command_patterns``, its numbers as "#": without blanks, and as it is said."""
    fills = {slot: values for slot, values in FILLS.items() if slot != "person"} | {"number": ("#",)}
    patterns = [pattern for name in templates(COMMAND_TEMPLATES)["commands"] for pattern in PHRASES.get(name, ())]
    free = [pattern for pattern in patterns if "{topic}" not in pattern and "{person}" not in pattern]
    said = sorted({sentence for pattern in free for sentence in spoken_ways(pattern, fills) if sentence})
    return [sentence.replace(" ", "") for sentence in said], said


def without_politeness(heard: str) -> tuple[str, bool]:
    """Plain words without what makes them polite, and whether they asked if one could."""
    return _politeness().bare(heard)
