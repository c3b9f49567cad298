# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands: the names of all that a listener can tell a player to do, and what each means when no amount is said.

One table for the companion that listens, for the page (``GET /api/commands``) and for programs.
"""

from dataclasses import dataclass
from enum import StrEnum

from voice.model import NORMAL_SPEED


class CommandName(StrEnum):
    """Every command there is."""

    PLAY = "play"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    BACK = "back"
    FORWARD = "forward"
    GO_TO = "go_to"
    NEXT_TOPIC = "next_topic"
    PREVIOUS_TOPIC = "previous_topic"
    NEXT_EPISODE = "next_episode"
    PREVIOUS_EPISODE = "previous_episode"
    PLAY_ABOUT = "play_about"
    RETURN_TO = "return_to"
    SLOWER = "slower"
    FASTER = "faster"
    SET_SPEED = "set_speed"
    LOUDER = "louder"
    QUIETER = "quieter"
    SET_VOLUME = "set_volume"
    MUTE = "mute"
    UNMUTE = "unmute"
    REPEAT = "repeat"
    OWN_WORDS = "own_words"
    SKIP_ADS = "skip_ads"
    PLAY_LATEST = "play_latest"
    SLEEP = "sleep"
    AWAKE = "awake"
    BOOKMARK = "bookmark"
    BOOKMARKS = "bookmarks"
    CHOOSE = "choose"
    HELP = "help"
    YES = "yes"
    NO = "no"
    THANKS = "thanks"


@dataclass(frozen=True, slots=True)
class CommandRule:
    """What is known of a command: one way to ``say`` it, the ``amount`` meant when none is said (None: it takes none),
    and the amount's ``unit``: "seconds", "factor" (of speed, 1.0 is as recorded), "level" (of volume, 0..1) or ""."""

    say: str
    amount: float | None = None
    unit: str = ""


COMMAND_RULES: dict[CommandName, CommandRule] = {
    CommandName.PLAY: CommandRule("play"),
    CommandName.PAUSE: CommandRule("pause"),
    CommandName.RESUME: CommandRule("go on"),
    CommandName.STOP: CommandRule("stop"),
    CommandName.BACK: CommandRule("back thirty seconds", 15.0, "seconds"),
    CommandName.FORWARD: CommandRule("skip two minutes", 30.0, "seconds"),
    CommandName.GO_TO: CommandRule("go to minute twelve", 0.0, "seconds"),
    CommandName.NEXT_TOPIC: CommandRule("next topic"),
    CommandName.PREVIOUS_TOPIC: CommandRule("previous topic"),
    CommandName.NEXT_EPISODE: CommandRule("next episode"),
    CommandName.PREVIOUS_EPISODE: CommandRule("previous episode"),
    CommandName.PLAY_ABOUT: CommandRule("play the part about bees"),
    CommandName.RETURN_TO: CommandRule("go back to where I was"),
    CommandName.SLOWER: CommandRule("slower", 0.1, "factor"),
    CommandName.FASTER: CommandRule("faster", 0.1, "factor"),
    CommandName.SET_SPEED: CommandRule("one and a half times speed", NORMAL_SPEED, "factor"),
    CommandName.LOUDER: CommandRule("louder", 0.15, "level"),
    CommandName.QUIETER: CommandRule("quieter", 0.15, "level"),
    CommandName.SET_VOLUME: CommandRule("volume fifty percent", 1.0, "level"),
    CommandName.MUTE: CommandRule("mute"),
    CommandName.UNMUTE: CommandRule("unmute"),
    CommandName.REPEAT: CommandRule("say that again"),
    CommandName.OWN_WORDS: CommandRule("in their own words"),
    CommandName.SKIP_ADS: CommandRule("skip to the part after the ads"),
    CommandName.PLAY_LATEST: CommandRule("play the latest episode"),
    CommandName.SLEEP: CommandRule("sleep in twenty minutes", 1800.0, "seconds"),
    CommandName.AWAKE: CommandRule("cancel the sleep timer"),
    CommandName.BOOKMARK: CommandRule("bookmark this"),
    CommandName.BOOKMARKS: CommandRule("list my bookmarks"),
    CommandName.CHOOSE: CommandRule("the second one", 1.0),
    CommandName.HELP: CommandRule("what can I say"),
    CommandName.YES: CommandRule("yes"),
    CommandName.NO: CommandRule("no"),
    CommandName.THANKS: CommandRule("thanks"),
}
"""One rule for each command."""


def default_amount(name: CommandName) -> float:
    """The amount that a command means when none is said; 0 for those that take none."""
    return COMMAND_RULES[name].amount or 0.0
