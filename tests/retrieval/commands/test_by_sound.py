# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands by their sound: what recognisers made of them leads back to them, and other words lead nowhere."""

import pytest

from retrieval.commands.by_sound import SURE_DISTANCE, UNSURE, distance, sounds, sounds_like
from voice.synthesis.phonemes import phonemes


@pytest.mark.parametrize(("heard", "name"), [
    ("boss.", "pause"), ("Slooper", "slower"), ("Fast up.", "faster"),
    ("Bookmark miss.", "bookmark"), ("Necks topic", "next_topic"), ("Louter", "louder"), ("Start all bit.", "go_to"),
])  # fmt: skip
def test_what_recognisers_made_of_commands_leads_to_them(heard: str, name: str) -> None:
    found = sounds_like(heard, phonemes)
    assert found is not None and found.command.name == name


@pytest.mark.parametrize("heard", [
    "Turn on the lamp.", "Firefox", "Mountain view", "Ten of clubs", "Half an hour.", "Good morning everybody",
    "The third layer is about the household", "", "Hm",
])  # fmt: skip
def test_other_words_lead_nowhere(heard: str) -> None:
    assert sounds_like(heard, phonemes) is None


def test_nearly_the_same_sounds_are_near_and_others_are_far() -> None:
    def far(one: str, other: str) -> float:
        return distance(sounds(phonemes(one)), sounds(phonemes(other)))

    assert far("pause", "pause") == 0.0
    assert far("pause", "boss") < far("pause", "mouse") < far("pause", "lamp")
    assert far("pause", "boss") == pytest.approx(far("boss", "pause"))
    assert far("pause", "boss") <= UNSURE and SURE_DISTANCE < UNSURE
    assert distance((), ("p",)) == 1.0
