# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of where an answer lies."""

from dataclasses import replace

from retrieval.finding.sections.find_sections import find_sections
from retrieval.finding.sections.relevance_curve import relevance_curve
from retrieval.model import Question

QUESTION = Question("What do the simulations of cooperation show?", "demo")


def test_the_warmest_part_is_near_the_best_moment_and_parts_are_in_order(embedder, demo_index):
    parts = relevance_curve(QUESTION, demo_index, embedder)
    warmest = max(parts, key=lambda part: part.value)
    assert warmest.value == 1
    assert abs(warmest.start - find_sections(QUESTION, demo_index, embedder)[0].start) <= 30
    assert [part.start for part in parts] == sorted(part.start for part in parts)
    assert sum(part.value > 0.5 for part in parts) < len(parts) / 3, "a picture in which all is warm says nothing"


def test_nothing_is_told_of_what_was_not_heard_or_not_asked_about(embedder, demo_index):
    parts = relevance_curve(replace(QUESTION, heard_until=120.0), demo_index, embedder)
    assert 0 < max(part.end for part in parts) <= 120
    assert relevance_curve(replace(QUESTION, episode_id=None), demo_index, embedder) == []
    assert relevance_curve(replace(QUESTION, episode_id="lost"), demo_index, embedder) == []
