# SPDX-License-Identifier: GPL-3.0-or-later
"""A second table of phrasings, written after the templates and without a look at them: do they hold for more?"""

import pytest

from retrieval.commands.parser import parse

SAID = {
    ("play", None): (
        "hit the play button",
        "start it up",
        "go on and play",
        "let it play",
    ),
    ("pause", None): (
        "pause that for me",
        "can you hold on for a sec",
        "pause please earmark",
        "hold that thought",
        "stop for a second",
        "wait a sec",
    ),
    ("resume", None): (
        "let's continue",
        "okay keep playing",
        "go ahead and continue",
        "un pause",
        "you can continue now",
    ),
    ("stop", None): (
        "stop right now",
        "that'll do",
        "stop the playback please",
        "okay that's enough for now",
    ),
    ("back", 15.0): (
        "go back fifteen seconds",
        "fifteen seconds back please",
        "could you rewind fifteen seconds",
        "jump back like fifteen seconds",
        "rewind 15",
    ),
    ("back", 120.0): (
        "go back two minutes",
        "two minutes back",
        "rewind it two minutes please",
        "take me back two minutes",
    ),
    ("forward", 60.0): (
        "skip ahead one minute",
        "go forward a minute please",
        "fast forward by a minute",
        "jump forward sixty seconds",
        "a minute ahead",
    ),
    ("forward", 90.0): (
        "skip forward ninety seconds",
        "go forward a minute and a half",
        "skip one and a half minutes",
    ),
    ("next_topic", None): (
        "next chapter please",
        "skip to the next section",
        "go to the next topic now",
        "can we go to the next topic",
        "skip this topic",
    ),
    ("previous_topic", None): (
        "previous chapter",
        "go back one topic",
        "go to the previous section please",
        "back to the last topic",
    ),
    ("play_about", None): (
        "play the part about mining fees",
        "go to the bit where they discuss privacy",
        "find the section on hardware wallets",
        "take me to the part about the apprentice",
        "play the bit about care again",
    ),
    ("return_to", None): (
        "go back to where i was",
        "take me back to where i left off",
        "return to where i was before",
        "back to where we were",
    ),
    ("slower", None): (
        "a bit slower please",
        "slow it down a little",
        "can you speak slower",
        "play slower",
    ),
    ("faster", None): (
        "speed it up a bit",
        "play a little faster",
        "could you go faster",
        "a bit faster",
    ),
    ("louder", None): (
        "turn the volume up",
        "make it a bit louder",
        "louder please",
        "turn it up a notch",
    ),
    ("quieter", None): (
        "turn the volume down please",
        "a little quieter",
        "make it softer",
        "turn it down a notch",
    ),
    ("repeat", None): (
        "say that again please",
        "can you repeat that",
        "repeat the answer",
        "one more time please",
        "come again",
    ),
    ("own_words", None): (
        "let me hear it in their own words",
        "play it in their own words",
        "in his own words please",
        "let me hear them say it",
    ),
}
QUESTIONS = (
    "why did they go back on the promise",
    "what makes a node stop relaying",
    "how do you play with fees",
    "is louder music better for bees",
    "what is the next topic in bitcoin research about",
    "when do miners pause mining",
    "does he repeat that claim anywhere",
)


@pytest.mark.parametrize(("said", "meant"), [(said, meant) for meant, ways in SAID.items() for said in ways])
def test_other_ways_of_saying_it_are_understood(said: str, meant: tuple[str, float | None]) -> None:
    command = parse(said)
    assert command is not None
    assert command.name == meant[0]
    assert meant[1] is None or command.amount == meant[1]


@pytest.mark.parametrize("asked", QUESTIONS)
def test_other_questions_stay_questions(asked: str) -> None:
    assert parse(asked) is None
