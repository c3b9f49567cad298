# SPDX-License-Identifier: GPL-3.0-or-later
"""Discourse: what a sentence of a talk does. It asks, it passes the time, or it says what will be said.

The rules are data: ``discourse.yaml`` beside this file.
"""

import re
from functools import cache
from pathlib import Path

from retrieval.commands.matching import templates

RULES = Path(__file__).with_name("discourse.yaml")


def poses_question(text: str) -> bool:
    """True for a question, also one that is put as a request ("Tell us about the bees."); not for "…, right?"."""
    if "?" in text:
        tail = _rule("tags").search(text)
        if tail is None:
            return True
        before = text[: tail.start()]
        return "?" in before or _rule("begins_as_question").match(before) is not None
    return _rule("asks").search(text) is not None


def idle(text: str) -> bool:
    """True for what passes between people without saying anything: greetings, thanks, advertisements, hesitation."""
    return _rule("idle").search(text) is not None


def announces(text: str) -> bool:
    """True for a sentence that says what will be said: "Let's talk about the custody side."."""
    return _rule("announces").search(text) is not None


def refers_back(text: str) -> bool:
    """True for a sentence that opens on what only the one before names: "He built it", "And that's why"."""
    return _rule("refers").search(text) is not None


@cache
def _rule(name: str) -> re.Pattern[str]:
    told = templates(RULES)
    return re.compile("|".join(told[name]).replace("<so>", told["so"]), re.IGNORECASE)
