# SPDX-License-Identifier: GPL-3.0-or-later
"""Which language a text is in; what cannot be told is not guessed."""

import pytest

from episodes.text.language import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("What does the guest say about the layers of homeostasis?", "en"),
        ("Who is he?", "en"),
        ("Was sagt der Gast über die Schichten der Homöostase?", "de"),
        ("Warum ist das so?", "de"),
        ("¿Qué dice el invitado sobre las capas?", "es"),
        ("¿Por qué es así?", "es"),
        ("Qu'est-ce que l'invité dit sur les couches ?", "fr"),
        ("Pourquoi est-ce comme ça ?", "fr"),
        ("homeostasis", ""),
        ("Elias Brandt", ""),
        ("何ですか", "ja"),
        ("Can a machine become a peer?", "en"),
        ("organic alignment", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_text(text: str, code: str) -> None:
    assert language_of([text]) == code
