# SPDX-License-Identifier: GPL-3.0-or-later
"""Every regular expression of the project takes time that grows with the text and no faster, whatever the text.

Python's ``re`` holds the interpreter's lock while it searches: a feed with a quadratic text would stop everybody.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from time import perf_counter, process_time

import pytest

import episodes
import retrieval
import ui
import voice

FRAGMENTS = (
    " ", "\n", "\t", "a", "A", "1", "_", ".", ",", "-", "–", "'", '"', "?", "!", ":", ";", "/", "<", ">", "&", "[", "]",
    "(", ")", "{", "}", "{\\", "*", "`", "#", "|", "@", "=", "a ", "A ", "1 ", ". ", ", ", "a.", "A.", "a-", "a'", "1:",
    "1,", "1.", ": ", "a: ", "Ab ", "Ab: ", "\n\n", " \n", "\na", "<v ", "<v", "</", "<a ", "<!--",
    "<![CDATA[", "<?xml ", "&a", "&#", "http://",
    "www.", "![", "](", "[1", "[1,", "(a", "um ", "the ", "and ",
    "what ", "who said ", "I ", "you know, ", "the the ", "a a ", "-->", "00:", "00:00 ", ".com", "mr ",
    "..", "…", "\u201d",
)  # fmt: skip
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ALLOWED = 30.0
"""Times as long that ten times the text may take: linear is 10, quadratic 100."""

NOISE = 0.004  # seconds
VISIBLE = 0.003  # seconds for 100 KB under which 1 MB need not be tried


def modules() -> Iterator[object]:
    for room in (voice, episodes, retrieval, ui):
        yield room
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not found.name.endswith(("__main__", ".make", ".harvest")):
                try:
                    yield importlib.import_module(found.name)
                except ImportError:  # an engine that is not installed
                    continue


def within(value: object, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, (tuple, list, set, frozenset)) and len(value) < 500:
        for each in value:
            yield from within(each, depth + 1)
    elif depth < 3 and isinstance(value, dict) and len(value) < 500:
        for each in (*value, *value.values()):
            yield from within(each, depth + 1)


def patterns() -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}
    for module in modules():
        for name, value in vars(module).items():
            for number, pattern in enumerate(within(value)):
                if not any(pattern == other for other in found.values()):
                    found[f"{getattr(module, '__name__', '')}.{name}[{number}]"] = pattern
    return found


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """The processor time that all its places in a text take (the best of two)."""
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    best = 1e9
    for _ in range(2):
        begun = process_time()
        for _ in pattern.finditer(given):
            pass
        best = min(best, process_time() - begun)
        if best > 0.5:
            break
    return best


def growth(pattern: re.Pattern[str], fragment: str, lead: str, tail: str) -> str:
    """Empty when the time grows with the text; else where it does not."""
    before = None
    for size in SIZES:
        text = lead + fragment * (size // len(fragment)) + tail
        took = seconds(pattern, text)
        if before is not None and took > ALLOWED * max(before, NOISE / ALLOWED) + NOISE:
            return f"{lead!r} + {fragment!r} x {size // len(fragment)} + {tail!r}: {before:.4f} s, then {took:.4f} s"
        if size == 100_000 and took < VISIBLE:
            return ""
        before = took
    return ""


PATTERNS = patterns()


@pytest.mark.timeout(900)
def test_no_expression_takes_more_time_than_the_text_is_long():
    assert len(PATTERNS) > 60
    begun, found = perf_counter(), []
    for name, pattern in PATTERNS.items():
        for fragment in FRAGMENTS:
            for lead, tail in (("", ""), ("", "\x00")):
                if problem := growth(pattern, fragment, lead, tail):
                    found.append(f"{name}: {problem}")
                    break
            else:
                continue
            break
    assert not found, "\n".join(found) + f"\n({perf_counter() - begun:.0f} s)"
