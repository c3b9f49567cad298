# SPDX-License-Identifier: GPL-3.0-or-later
"""Titles in the order in which a person looks for them."""

import pytest

from episodes.store.words import sort_key


@pytest.mark.parametrize(("titles", "language"), [
    (["#9: Bees", "10: Bees", "Episode 2", "episode 10", "Episode 100"], ""),
    (["The Ant", "a Bee", "“Cicadas”", "AN Earwig", "The"], ""),
    (["Die Ameise", "Ärger", "Eine Biene", "Bienen", "Der Öltanker", "Übermut", "Zucker"], "de"),
    (["Apple", "Die Hard", "Éclair", "Las Vegas", "Øre", "Zebra"], "en"),
    (["L'abeille", "Le bourdon", "Une école"], "fr"),
    (["Part 1.9", "Part 1.10", "Part 002.1"], ""),
])  # fmt: skip
def test_titles_stand_where_one_looks_for_them(titles: list[str], language: str) -> None:
    assert sorted(sorted(titles), key=lambda title: sort_key(title, language)) == titles


def test_a_title_of_marks_alone_has_a_place_too() -> None:
    assert sort_key("!!!") == "" and sort_key("9" * 300) > sort_key("9" * 20)
