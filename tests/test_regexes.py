# SPDX-License-Identifier: GPL-3.0-or-later
"""Every regular expression of the project takes time that grows with the text and no faster, whatever the text.

Python's ``re`` holds the interpreter's lock while it searches: a feed with a quadratic text would stop everybody.

The expressions are read from the source, each with the methods that it is used by: ``match`` begins at one place, where
``search`` begins at every one. Each is given texts that repeat one fragment (those below and those that its own repeats
suggest) at 1 KB and the slow ones at 10 KB, where a quadratic search already takes a hundred times as long; the slowest
of them at 20 and 80 KB, where it takes sixteen times as long and a linear one four times. Ratios of processor time
decide, not seconds; larger texts would show the same ratios, and take ten times as long to show them.
"""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _parser  # type: ignore[attr-defined]
from time import process_time
from types import FunctionType
from typing import Any

import pytest

from retrieval.answers import answer_type, discourse
from retrieval.commands import intents, parser
from retrieval.commands.matching import templates

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("voice", "episodes", "retrieval", "ui")
FRAGMENTS = (
    " ", "\n", "\t", "a", "A", "1", "_", ".", ",", "-", '"', "'", "?", ":", "/", "<", ">", "&", "[", "]", "(", "{", "*",
    "#", "@", "=", "a ", "A ", "1 ", ". ", ", ", "a.", "A.", "a-", "a'", "1:", "1.", ": ", "Ab ", "Ab: ", "\n\n", " \n",
    "\na", "<v ", "</", "<a ", "<!--", "<![CDATA[", "&#", "http://", "www.", "![", "](", "[1,", "um ", "the ",
    "what ", "who said ", "so ", "and ", "the the ", "00:", "…",
)  # fmt: skip
TAILS = ("", "\x00")
STEEPEST = 1.5
"""The power of the text's length with which the time may grow: linear is 1, quadratic 2."""

CLOSER = 6  # texts, the slowest first, that are tried at 10 KB whatever they took at 1 KB
NOISE = 0.002  # seconds of a search that say nothing yet
EXPLODES = 0.1  # seconds for 1 KB or less: worse than quadratic, a longer text would never end
ENDS = ("match", "fullmatch")
METHODS = {*ENDS, "search", "sub", "subn", "split", "finditer", "findall"}
INSIDE = 10  # added to the depth of what a function keeps


@dataclass(frozen=True, slots=True)
class Text:
    """A beginning, a fragment that is repeated, an end."""

    lead: str
    fragment: str
    tail: str

    def of(self, size: int) -> str:
        return self.lead + self.fragment * (size // len(self.fragment)) + self.tail


def parts(node: Any) -> Iterator[str]:
    """The names that a function call or an assignment mentions."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def written() -> dict[str, tuple["re.Pattern[Any]", frozenset[str]]]:
    """Every expression of the project by its place, with the methods that search with it."""
    trees = {
        path: ast.parse(path.read_text("utf-8"))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.stem != "__main__"
    }
    uses: dict[tuple[str, str], set[str]] = defaultdict(set)  # private names belong to their module
    local: dict[tuple[str, str], set[str]] = defaultdict(set)
    rows: list[tuple[str, str, str]] = []
    found: dict[str, tuple[re.Pattern[Any], frozenset[str]]] = {}
    for path, tree in trees.items():
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.For) and isinstance(node.iter, ast.Name):
                rows.extend((place, node.iter.id, target) for target in parts(node.target))
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, method = node.func.value, node.func.attr
            if isinstance(owner, ast.Name) and owner.id == "re" and method != "compile":
                source = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                if isinstance(source, (str, bytes)):
                    flags = re.DOTALL if "DOTALL" in set(parts(node)) else re.NOFLAG
                    found[f"{place}:{node.lineno}"] = re.compile(source, flags), frozenset({method})
            elif isinstance(owner, (ast.Name, ast.Attribute)):
                name = owner.id if isinstance(owner, ast.Name) else owner.attr
                uses[place if name.startswith("_") else "", name].add(method)
                local[place, name].add(method)
    for place, table, name in rows:  # "for pattern, made in _TABLE: pattern.match(...)"
        uses[place if table.startswith("_") else "", table] |= local[place, name]
    for path, tree in trees.items():
        place = path.relative_to(ROOT)
        if not any(isinstance(node, ast.Attribute) and node.attr == "compile" for node in ast.walk(tree)):
            continue
        module = importlib.import_module(".".join(place.with_suffix("").parts).removesuffix(".__init__"))
        for name, value in vars(module).items():
            for number, (pattern, hidden) in enumerate(within(value)):
                used = uses[place.as_posix() if name.startswith("_") else "", name] & METHODS
                found[f"{place}:{name}[{number}]"] = pattern, frozenset(() if hidden else used)
    return found | {place: (pattern, frozenset({"search"})) for place, pattern in made()}


def made() -> Iterator[tuple[str, "re.Pattern[Any]"]]:
    """The expressions that are put together from files of rules when they are first needed."""
    for name in templates(discourse.RULES):
        if name != "so":
            yield f"{discourse.RULES.relative_to(ROOT).as_posix()}:{name}", discourse._rule(name)
    rules = answer_type.ANSWER_TYPES.relative_to(ROOT).as_posix()
    for name in templates(answer_type.ANSWER_TYPES)["types"]:
        for number, pattern in enumerate(answer_type._held(name)):
            yield f"{rules}:{name}[{number}]", pattern
    if defined := answer_type._defined("raising bees"):
        yield f"{rules}:defined", defined
    for module, rules in ((parser, parser.COMMAND_TEMPLATES), (intents, intents.REQUESTS)):
        yield f"{rules.relative_to(ROOT).as_posix()}:behind", module._politeness()._behind


def within(value: object, depth: int = 0) -> Iterator[tuple["re.Pattern[Any]", bool]]:
    """The expressions in a module's value, and whether a function keeps them to itself."""
    if isinstance(value, re.Pattern):
        yield value, depth >= INSIDE
    elif isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            yield from within(cell.cell_contents, INSIDE + depth)
    elif depth % INSIDE < 3 and isinstance(value, (tuple, list, set, frozenset, dict)) and len(value) < 500:
        for each in (*value, *(value.values() if isinstance(value, dict) else ())):
            yield from within(each, depth + 1)


def holds(members: Any, sign: str) -> bool:
    """Whether a parsed set of characters has one."""
    for kind, value in members:
        name = str(kind)
        if (
            (name == "LITERAL" and ord(sign) == value)
            or (name == "RANGE" and value[0] <= ord(sign) <= value[1])
            or (name == "CATEGORY" and re.fullmatch(CATEGORIES[str(value)], sign))
        ):
            return str(members[0][0]) != "NEGATE"
    return str(members[0][0]) == "NEGATE"


CATEGORIES = {
    f"CATEGORY_{negated}{name}": sign.upper() if negated else sign
    for name, sign in (("DIGIT", r"\d"), ("SPACE", r"\s"), ("WORD", r"\w"))
    for negated in ("", "NOT_")
}


def example(tree: Any) -> str:
    """A short text that a piece of a parsed expression matches; what looks around is left out."""
    text = ""
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            text += chr(value)
        elif name in ("NOT_LITERAL", "ANY"):
            text += "a"
        elif name == "IN":
            text += next((sign for sign in "a1 .-AB" if holds(value, sign)), None) or next(
                (chr(code) for code in range(0x3000) if holds(value, chr(code))), "a"
            )
        elif name == "BRANCH":
            text += example(value[1][0])
        elif name == "SUBPATTERN":
            text += example(value[-1])
        elif name == "ATOMIC_GROUP":
            text += example(value)
        elif "REPEAT" in name:
            text += example(value[2]) * max(value[0], 1)
    return text


def repeats(tree: Any, before: str = "") -> Iterator[tuple[str, str, bool]]:
    """What each long repeat of a parsed expression begins behind, what it repeats, and whether without an end."""
    for kind, value in tree:
        name = str(kind)
        if "REPEAT" in name:
            if value[1] > 30:
                yield before, example(value[2]), value[1] == _parser.MAXREPEAT
            yield from repeats(value[2], before)
        elif name == "BRANCH":
            for branch in value[1]:
                yield from repeats(branch, before)
        elif name == "SUBPATTERN":
            yield from repeats(value[-1], before)
        elif name == "ATOMIC_GROUP":
            yield from repeats(value, before)
        before += example([(kind, value)])


def parsed(pattern: "re.Pattern[Any]") -> Any:
    source = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    return _parser.parse(source, pattern.flags & ~re.UNICODE)


def texts(pattern: "re.Pattern[Any]") -> tuple[list[Text], ...]:
    """What an attacker would try: what the expression's own endless repeats suggest, and all else."""
    own: dict[bool, dict[tuple[str, str], None]] = {True: {}, False: {("", fragment): None for fragment in FRAGMENTS}}
    for before, body, endless in repeats(parsed(pattern)):
        if body:
            own[endless] |= dict.fromkeys(((before, body), ("", body), ("", before + body), ("", before + body * 3)))
    return tuple([Text(*found, tail) for found in own[kind] for tail in TAILS] for kind in (True, False))


def seconds(pattern: "re.Pattern[Any]", method: str, text: str) -> float:
    """The processor time that all its places in a text take."""
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    begun = process_time()
    if method in ENDS:
        getattr(pattern, method)(given)
    else:
        for _found in pattern.finditer(given):
            pass
    return process_time() - begun


def grows(pattern: "re.Pattern[Any]", method: str, text: Text, short: int, long: int) -> str:
    """Empty when the time grows with the text; a noisy measurement gets a second chance."""
    for _ in range(2):
        before, after = (seconds(pattern, method, text.of(size)) for size in (short, long))
        if after <= (long / short) ** STEEPEST * before + NOISE:
            return ""
        if after > EXPLODES:
            break
    return f"{method}, {text}: {before:.5f} s for {short} characters, {after:.5f} s for {long}"


def quadratic(pattern: "re.Pattern[Any]", methods: frozenset[str]) -> str:
    """Empty when the time grows with the text; else where it does not."""
    endless, others = texts(pattern)
    for method in sorted(methods & set(ENDS)) + ["search"] * bool(methods - set(ENDS) or not methods):
        taken: dict[Text, float] = {}
        for text in endless + others:
            for size in (24, 1_000):
                taken[text] = took = seconds(pattern, method, text.of(size))
                if took > EXPLODES:
                    return f"{method}, {text}: {took:.2f} s for {size} characters"
        ranked = sorted(taken, key=lambda text: -taken[text])
        for rank, text in enumerate(ranked):
            if (rank < CLOSER or taken[text] > NOISE / 2) and (problem := grows(pattern, method, text, 1_000, 10_000)):
                return problem
        slowest = max(endless or others, key=lambda text: taken[text])
        if problem := grows(pattern, method, slowest, 20_000, 80_000):
            return problem
    return ""


WRITTEN = written()


def test_the_expressions_of_the_project_are_found():
    assert len(WRITTEN) > 200
    assert {place.partition("/")[0] for place in WRITTEN} == set(ROOMS)


def test_a_quadratic_expression_is_noticed():
    assert quadratic(re.compile(r"\s+$"), frozenset({"sub"}))
    assert quadratic(re.compile(r"<v[ \t]+([^>]*)>"), frozenset({"finditer"}))
    assert quadratic(re.compile(r"\bx(?:y+)+z"), frozenset({"match"}))
    assert not quadratic(re.compile(r"[ab]{0,30}c"), frozenset({"search"}))


@pytest.mark.parametrize("room", ROOMS)
def test_no_expression_takes_more_time_than_the_text_is_long(room: str):
    found = {
        place: problem
        for place, (pattern, methods) in WRITTEN.items()
        if place.startswith(f"{room}/") and (problem := quadratic(pattern, methods))
    }
    assert not found, "\n".join(f"{place}: {problem}" for place, problem in found.items())
