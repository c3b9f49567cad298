# SPDX-License-Identifier: GPL-3.0-or-later

"""A third table, as people speak: polite, hesitating, British and American, and as a recogniser writes it down."""

import pytest

from retrieval.commands.parser import parse

ANY = -99.0
"""Any amount will do."""

SAID: dict[tuple[str, float | None], tuple[str, ...]] = {
    ("back", 20): ("uh go back like twenty seconds", "could you um go back twenty seconds"),
    ("back", 30): ("could you jump back half a minute please", "erm back up thirty seconds would you"),
    ("back", 90): ("rewind a minute and a half", "can we go back a minute and a half please"),
    ("back", 150): ("go back two and a half minutes", "rewind two and a half minutes"),
    ("back", 10): ("take it back ten seconds", "go back just ten seconds"),
    ("back", 300): ("scroll back five minutes",),
    ("back", 15): ("back fifteen", "go back about fifteen seconds"),
    ("back", 45): ("can we go back about forty five seconds",),
    ("back", 180): ("skip backwards 3 minutes", "go back for three minutes"),
    ("back", 60): ("let's go back one minute", "go back by like a minute"),
    ("back", 120): ("rewind by a couple of minutes", "go back a hundred and twenty seconds"),
    ("back", ANY): (
        "just go back a few seconds", "wind back a bit", "go back a tiny bit", "back it up a little",
        "um could we rewind a tad",
    ),
    ("forward", 30): ("skip forward half a minute", "zip forward thirty seconds"),
    ("forward", 90): ("jump ahead like a minute and a half", "forward one and a half minutes"),
    ("forward", 120): ("fast forward two minutes please",),
    ("forward", 10): ("uh skip ahead ten secs",),
    ("forward", 20): ("move ahead by 20 seconds",),
    ("forward", 60): ("skip about a minute",),
    ("forward", 300): ("go ahead five minutes",),
    ("forward", 900): ("jump forward a quarter of an hour",),
    ("forward", ANY): (
        "could you skip the adverts please", "skip this ad", "get past the intro", "skip a bit",
        "skip forward a wee bit",
    ),
    ("pause", None): (
        "pause it there for a sec", "hang on a tick", "could you just pause for a moment please", "hold up a second",
        "wait wait wait", "one sec", "stop for a moment please", "pause this will you", "give me a minute", "uh pause",
    ),
    ("resume", None): (
        "okay carry on then", "right let's carry on", "please go on", "keep playing please",
        "resume the podcast please", "you may continue", "alright keep going", "ok I'm ready go on", "unpause it",
    ),
    ("stop", None): (
        "okay stop now please", "that's all for now", "shut it off", "stop the audio", "right that's enough",
        "please be quiet now",
    ),
    ("play", None): (
        "could you play it please", "start playing the episode please", "go ahead and play it", "let's start",
    ),
    ("go_to", 0): ("take me to the very beginning", "start from the beginning again", "play it from the top please"),
    ("go_to", 630): ("go to ten minutes thirty seconds",),
    ("go_to", 2520): ("jump to minute forty two",),
    ("go_to", 3900): ("go to one hour and five minutes",),
    ("go_to", 2400): ("go to the forty minute mark",),
    ("go_to", 735): ("jump to 12 minutes and 15 seconds",),
    ("go_to", None): ("skip to the end please",),
    ("next_topic", None): (
        "onto the next topic please", "can you skip to the next chapter", "let's move on to the next bit",
        "next section please",
    ),
    ("previous_topic", None): (
        "go back one chapter", "can we go to the previous topic", "back to the previous part please",
    ),
    ("next_episode", None): ("can you play the next episode please",),
    ("previous_episode", None): ("go to the previous episode please",),
    ("play_about", None): (
        "can you find the part about lightning fees", "could you play the bit where they talk about mining",
        "jump to where he talks about privacy", "take me to the section about the halving please",
        "play me the bit on eclipse attacks", "go to the discussion of segwit",
        "skip to the part where she explains hashes",
    ),
    ("return_to", None): (
        "take me back to where I was please", "go back to where I was before the question",
        "okay go back to where we were", "return me to my spot",
    ),
    ("slower", None): ("can you speak a bit more slowly", "slow it down a wee bit", "that's way too fast"),
    ("faster", None): ("play it a bit faster please", "speed things up a little", "could you speed up please"),
    ("set_speed", 1.25): ("go to one point two five speed",),
    ("set_speed", 1.5): ("set it to one and a half times speed",),
    ("set_speed", 2): ("put it at double speed please",),
    ("set_speed", 1): ("back to regular speed please",),
    ("louder", None): ("turn it up a little bit please", "could you make it louder", "bit louder please"),
    ("quieter", None): ("can you turn the sound down a bit", "it's a bit too loud", "make it quieter please"),
    ("set_volume", 0.3): ("set the volume to thirty percent",),
    ("set_volume", 0.8): ("volume at eighty percent",),
    ("mute", None): ("mute that please",),
    ("unmute", None): ("can you unmute it",),
    ("repeat", None): (
        "could you say that one more time please", "sorry say that again", "repeat that last bit please",
        "uh what was that again",
    ),
    ("own_words", None): (
        "let me hear it in her own words please", "I'd like to hear that in his own words",
        "play me the original clip please",
    ),
    ("bookmark", None): ("bookmark this bit please", "can you save this spot for me", "make a note of that please"),
    ("bookmarks", None): ("show me my bookmarks",),
    ("choose", 3): ("let's take the third one",),
    ("choose", 2): ("the second one please",),
    ("choose", 1): ("play the first one please",),
}  # fmt: skip

MISHEARD: dict[tuple[str, float | None], tuple[str, ...]] = {
    ("back", 30): ("go back thirty secants", "go back thirty second please"),
    ("forward", 20): ("skip a head twenty seconds",),
    ("back", 120): ("re wind two minutes", "go back too minutes"),
    ("pause", None): ("pause pleas", "pause it their"),
    ("next_topic", None): ("next chap ter",),
    ("louder", None): ("turn it op", "volume app"),
    ("play_about", None): ("play the park about mining fees",),
    ("return_to", None): ("go back to wear i was", "go back to where i wars"),
    ("faster", None): ("speed it opp",),
    ("slower", None): ("slow it town",),
    ("repeat", None): ("repeat bat", "say that a gain please"),
}

LATER: dict[tuple[str, float | None], tuple[str, ...]] = {
    ("back", 20): ("go back twenty seconds or so please",),
    ("back", 30): ("rewind half a minute will you",),
    ("back", 10): ("ten seconds back",),
    ("back", 60): ("could we hear the last minute again",),
    ("back", 120): ("go back two more minutes",),
    ("back", 5): ("back up five seconds",),
    ("back", ANY): ("go back a little further", "hmm go back a bit more",),
    ("back", 45): ("rewind forty five seconds please",),
    ("forward", 30): ("skip the next thirty seconds",),
    ("forward", 60): ("jump a minute ahead",),
    ("forward", 600): ("skip ten minutes ahead",),
    ("forward", ANY): ("skip the boring bit", "skip over the ads please",),
    ("forward", 20): ("forward twenty",),
    ("forward", 150): ("skip ahead two and a half minutes",),
    ("pause", None): (
        "could you hold on a minute", "pause for now", "hey earmark pause please", "just a second please",
        "hold on hold on",
    ),
    ("resume", None): ("okay you can carry on", "play on", "let's keep going", "right go on then",),
    ("stop", None): ("stop please I've had enough", "okay enough", "you can stop now", "turn that off",),
    ("play", None): ("play this episode please", "just play",),
    ("go_to", 0): ("back to the top",),
    ("go_to", 1800): ("go to thirty minutes",),
    ("go_to", 5400): ("go to an hour and a half",),
    ("next_topic", None): (
        "can we move on to the next topic please", "skip ahead to the next chapter", "enough of this topic",
    ),
    ("previous_topic", None): ("go back to the last chapter",),
    ("next_episode", None): ("let's hear the next episode",),
    ("play_about", None): ("I want to hear the part about taproot", "go to where they discuss taproot",),
    ("return_to", None): ("take me back to where we stopped", "back to where I was before please",),
    ("slower", None): ("could you slow down a little", "play it slower please",),
    ("faster", None): ("can you play this faster",),
    ("set_speed", 1.5): ("play at one and a half speed",),
    ("set_speed", 1.0): ("go back to normal speed",),
    ("set_speed", 2.0): ("twice the speed please",),
    ("louder", None): ("could you turn that up", "volume up a bit",),
    ("quieter", None): ("bring the volume down a little",),
    ("set_volume", 0.5): ("set volume to fifty",),
    ("repeat", None): ("say that once more", "can I hear that again", "could you repeat the answer please",),
    ("own_words", None): ("can I hear it in his own words", "let me hear her say it",),
    ("bookmark", None): ("put a bookmark here please", "save that for later please",),
    ("choose", 2): ("I'll take the second one",),
    ("choose", 3): ("number three please",),
    ("help", None): ("what can you do for me",),
    ("yes", None): ("yes that one please",),
    ("no", None): ("no not that one",),
    ("thanks", None): ("okay thank you",),
}  # fmt: skip
"""A fourth table, written when the third was understood."""

ABOUT = {
    "can you find the part about lightning fees": "lightning fees",
    "could you play the bit where they talk about mining": "mining",
    "jump to where he talks about privacy": "privacy",
    "take me to the section about the halving please": "the halving",
    "play me the bit on eclipse attacks": "eclipse attacks",
    "go to the discussion of segwit": "segwit",
}

QUESTIONS = (
    "why did they stop funding it", "what does he say about going back to school",
    "can you play devil's advocate on bigger blocks", "how do you pause a channel",
    "what happens if a miner stops", "why would you skip a block", "is it possible to rewind the chain",
    "what is the next step for the project", "who plays the role of the attacker", "does the price play a role",
    "how far back do you need to go to verify", "what goes back to nineteen ninety two",
    "why is the second one better", "what was the first thing they built", "how loud is a mining farm",
    "what volume does the exchange have", "is the volume going up", "how fast does a block travel",
    "could it be faster", "why is it slower than visa", "what slows down the propagation",
    "how do you speed up the initial download", "what is the speed of light in fibre",
    "can a node repeat a message", "does he repeat himself", "what is a replay attack",
    "why do you need replay protection", "how does the resume look of a developer",
    "when did development resume", "why do they continue to use it", "did she continue working on it",
    "who wants to go on with it", "what is going on in the mempool", "what goes on in a mint",
    "should I save my seed on paper", "how do I save on fees", "where do I save the backup",
    "what should I remember", "does he remember the white paper", "how do you mark a transaction",
    "what is the mark of a good protocol", "is there a bookmark for that", "who mentions the note",
    "what are the notes worth", "how are notes redeemed", "what does forward secrecy mean",
    "how do nodes forward payments", "why forward at all", "can you move forward without consensus",
    "what is fast forwarding in git", "how do you jump to conclusions like that", "why jump in at all",
    "what happens when the price jumps", "who jumped ship", "what does the last chapter say",
    "how long is the next chapter", "what is chapter two about", "what topics do they change",
    "why is the topic so sensitive", "is privacy the topic", "what part does he play",
    "which part is hard", "is there a part about fees", "does the part about mining come later",
    "what do they say in the part about fees", "why is he so quiet about it", "what does quiet mean here",
    "how do you mute spam", "why did they turn down the offer", "who turned up at the meeting",
    "what turned up in the review", "does it help", "how can I help", "what would help privacy",
    "help for developers", "who helped him", "yes but why", "no but how does it work", "okay but who pays",
    "right but what about fees", "so what is the point", "well what does it cost", "and how do they choose peers",
    "how do you choose a mint", "which one should I choose", "what if I choose wrong", "why choose the first one",
    "how do I cancel a payment", "can a payment be cancelled", "what can a wallet do", "what can you do with an iou",
    "what can they say about it", "could you explain how to stop an attack", "tell me how they stop spam",
    "would you go back to gold", "can I play with it on testnet", "would you skip segwit",
    "do you have to wait for a confirmation", "why wait for six blocks", "how long do I have to wait",
    "just how big is the network", "is thirty seconds enough", "what happens after ten minutes",
    "is a minute enough for a block", "two minutes is not much is it", "what is half a block",
    "who said stop", "where does the speed come from", "the difference between fast and slow",
    "start of a new era", "the end of the subsidy", "how do you play it safe",
    "what does start over mean for the chain", "how do you start a mint", "when does it start",
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "meant"), [(said, meant) for table in (SAID, MISHEARD, LATER) for meant, ways in table.items()
     for said in ways]
)
def test_a_command_is_understood_as_it_is_spoken(said: str, meant: tuple[str, float | None]) -> None:
    command = parse(said)
    assert command is not None
    assert command.name == meant[0]
    assert meant[1] == ANY or command.amount == meant[1]


@pytest.mark.parametrize(("said", "about"), ABOUT.items())
def test_what_is_to_be_played_is_understood(said: str, about: str) -> None:
    command = parse(said)
    assert command is not None
    assert command.about == about


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_question_that_sounds_like_a_command_stays_one(asked: str) -> None:
    assert parse(asked) is None
    assert parse(asked.capitalize() + "?") is None


def test_the_tables_are_as_long_as_they_claim() -> None:
    assert sum(len(ways) for table in (SAID, MISHEARD, LATER) for ways in table.values()) >= 200
    assert len(QUESTIONS) >= 100
