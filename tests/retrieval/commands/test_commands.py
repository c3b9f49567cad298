# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a table reads better in long lines
"""What listeners say to the player, and what they ask, told apart."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.commands.command_patterns import COMMAND_SENTENCES, commands
from retrieval.commands.matching import templates
from retrieval.commands.parser import COMMAND_TEMPLATES, Command, parse
from voice.turns.commands import COMMAND_RULES, CommandName

MEANT: dict[Command, tuple[str, ...]] = {
    Command("play"): (
        "play", "Play.", "start", "please play", "play it", "start playing", "hit play", "press play", "play the episode",
        "Could you start the podcast, please?", "let's hear it", "start the show",
    ),
    Command("pause"): (
        "pause", "Pause it, please.", "hold on", "hang on a second", "wait", "wait a minute", "just a moment",
        "one moment please", "can you pause", "hey, pause", "pause the podcast", "okay pause", "could you please pause it",
        "pause for a moment", "hit pause", "hold it", "give me a second", "just pause it there", "put it on pause",
    ),
    Command("resume"): (
        "resume", "continue", "go on", "carry on", "keep going", "unpause", "continue playing", "please continue",
        "okay go on", "resume playback", "keep playing", "continue with the episode", "you can go on now",
        "pick up where we left off", "back to the podcast", "go back to the episode", "I'm back", "carry on please",
        "alright, continue",
    ),
    Command("stop"): (
        "stop", "Stop!", "stop it", "please stop", "stop playing", "be quiet", "enough", "shut up", "that's enough",
        "stop talking", "quiet", "stop the podcast", "turn it off", "could you stop now", "I'm done listening", "hush",
    ),
    Command("back"): (
        "back", "go back", "rewind", "go back a bit", "rewind a little", "skip back", "jump back", "can you go back a little bit",
        "go backwards", "please rewind", "back up a bit", "go back please", "rewind it",
    ),
    Command("back", 30): (
        "go back thirty seconds", "back 30 seconds", "rewind 30 seconds", "skip back by thirty seconds",
        "go back half a minute", "jump back 30", "thirty seconds back", "Could you go back thirty seconds, please?",
        "rewind by 30 secs", "play the last thirty seconds again", "go 30 seconds back",
    ),
    Command("back", 10): ("back ten seconds", "go back 10 seconds", "ten seconds back please", "rewind ten seconds", "rewind 10s"),
    Command("back", 60): ("go back a minute", "back one minute", "rewind a minute", "skip back 1 minute", "go back another minute"),
    Command("back", 90): (
        "go back a minute and a half", "rewind one and a half minutes", "back ninety seconds", "go back 90 seconds",
        "go back one minute and thirty seconds", "rewind one minute thirty",
    ),
    Command("back", 120): ("go back two minutes", "back a couple of minutes", "rewind a couple minutes", "jump back 2 minutes"),
    Command("back", 25): ("rewind twenty-five seconds", "go back twenty five seconds"),
    Command("forward"): (
        "forward", "skip", "go ahead", "skip this", "go forward", "fast forward", "skip ahead", "skip ahead a bit", "jump ahead",
        "skip the intro", "skip the ads", "can you skip this part", "fast-forward a little", "skip past the ad",
        "move forward a bit", "skip the sponsors please",
    ),
    Command("forward", 30): (
        "skip thirty seconds", "forward 30 seconds", "skip ahead thirty seconds", "fast forward half a minute",
        "skip half a minute", "jump ahead 30 seconds", "thirty seconds forward", "go forward thirty seconds",
        "go ahead thirty seconds", "skip 30",
    ),
    Command("forward", 120): ("skip two minutes", "skip ahead a couple of minutes", "forward two minutes", "jump forward 2 minutes"),
    Command("forward", 300): ("skip five minutes", "go forward five minutes", "skip ahead by 5 minutes please"),
    Command("forward", 15): ("skip fifteen seconds", "forward by fifteen seconds", "skip ahead 15 seconds"),
    Command("forward", 3600): ("skip an hour", "go forward one hour", "skip ahead one hour"),
    Command("go_to", 0): (
        "start over", "go to the beginning", "play from the beginning", "start again from the beginning", "restart",
        "back to the start", "go back to the beginning", "play it from the start", "play from the top",
    ),
    Command("go_to", 150): ("go to 2:30", "jump to two minutes thirty", "go to two minutes and thirty seconds", "skip to 2:30"),
    Command("go_to", 720): ("go to minute twelve", "jump to minute 12", "go to twelve minutes"),
    Command("go_to", None, "end"): ("go to the end", "jump to the end", "skip to the very end of the episode"),
    Command("go_to", None, "middle"): ("jump to the middle", "go to the middle"),
    Command("next_topic"): (
        "next", "next topic", "next chapter", "next part", "skip to the next topic", "go to the next section",
        "play the next segment", "skip this topic", "move on", "please go on to the next topic", "next one", "change the subject",
    ),
    Command("previous_topic"): (
        "previous", "previous topic", "last chapter", "go back to the previous topic", "go to the previous section",
        "play the previous part", "back one chapter", "the topic before that", "go back a chapter",
    ),
    Command("next_episode"): ("next episode", "play the next episode", "skip to the next episode", "skip this episode", "next in the queue", "play the next one in my queue"),
    Command("previous_episode"): ("previous episode", "play the last episode", "go back to the previous episode"),
    Command("play_about", None, "bees"): (
        "play the part about bees", "find the bit about bees", "go to the part about bees", "jump to the section on bees",
        "take me to the moment where they talk about bees", "play where he talks about bees",
        "could you please play the part about bees", "I'd like to hear the part about bees", "play something about bees",
        "skip ahead to the part about bees", "show me the segment about bees", "find bees", "the part about bees",
        "Play me the story about bees, please.", "let me hear the bit about bees",
    ),
    Command("play_about", None, "the wedding"): ("go to the wedding", "play the part with the wedding", "take me to the wedding"),
    Command("play_about", None, "elias about care"): ("play where Elias talks about care", "play what Elias says about care"),
    Command("return_to"): (
        "go back to where I was", "back to where I was", "take me back to where I was", "return to where we were",
        "go back to where we left off", "take me back", "go back to my place", "continue from where I was",
        "please go back to where I was before", "get back to where I was", "undo", "go back to where I stopped",
        "jump back to where we were", "put me back where I was",
    ),
    Command("slower"): (
        "slower", "slow down", "play slower", "a bit slower please", "can you slow down", "slow it down", "too fast",
        "that's too fast", "play it a little slower", "slower, I can't follow", "I can't keep up with her", "I cannot follow",
        "slow down, I can't keep up", "I can't follow, slower please", "decrease the speed", "speak slower", "not so fast", "more slowly please",
    ),
    Command("faster"): (
        "faster", "speed up", "play faster", "a little faster", "speed it up", "increase the speed", "too slow",
        "could you go faster", "play it faster please", "speed it up a bit", "pick up the pace",
    ),
    Command("set_speed", 1): ("normal speed", "play at normal speed", "back to normal speed", "set the speed to normal", "regular speed"),
    Command("set_speed", 2): ("double speed", "play at double speed", "two times speed", "2x speed", "play it at 2x", "set the speed to two"),
    Command("set_speed", 1.5): (
        "one point five times speed", "play at one point five times", "1.5x speed", "speed 1.5", "set the speed to one and a half",
        "play at 1.5 times speed", "one and a half times speed",
    ),
    Command("set_speed", 0.5): ("half speed", "play at half speed", "0.5x speed", "play it at half the speed"),
    Command("set_speed", 1.25): ("one and a quarter speed", "1.25x speed", "play at 1.25"),
    Command("louder"): (
        "louder", "make it louder", "turn it up", "volume up", "turn up the volume", "a bit louder please", "speak up",
        "increase the volume", "I can't hear anything", "too quiet", "can you turn it up a bit", "raise the volume",
    ),
    Command("quieter"): (
        "quieter", "softer", "turn it down", "volume down", "turn down the volume", "make it a bit quieter", "too loud",
        "that's too loud", "lower the volume", "not so loud", "could you turn the volume down",
    ),
    Command("set_volume", 0.5): ("volume fifty percent", "set the volume to 50%", "set volume to half", "half volume"),
    Command("set_volume", 1): ("full volume", "volume to maximum", "set the volume to one hundred percent"),
    Command("mute"): ("mute", "mute it", "turn the sound off", "please mute the podcast"),
    Command("unmute"): ("unmute", "turn the sound back on", "unmute it please"),
    Command("repeat"): (
        "repeat that", "repeat", "say that again", "come again", "once more", "one more time", "play that again",
        "could you repeat that please", "what did you say", "pardon", "repeat the answer", "can you say that again",
        "I didn't catch that", "what was that", "sorry?", "what?", "say it again please", "repeat the last sentence",
    ),
    Command("own_words"): (
        "in their own words", "say it in his own words", "in her own words", "let me hear it in their own words",
        "play the original", "play the clip", "let me hear him say it", "I want to hear it in her own words",
        "let me hear them", "play that part", "play that moment", "hear the clip",
    ),
    Command("bookmark"): (
        "bookmark", "bookmark this", "save this", "mark this", "remember that", "add a bookmark", "set a bookmark here",
        "save this moment", "take a note", "note that", "drop a marker", "earmark this", "please bookmark this part",
        "bookmark this for later", "keep this", "save this for later", "save that", "save that moment please",
    ),
    Command("skip_ads"): (
        "skip to the part after the ads", "go to the part after the ads", "jump to after the sponsor", "play after the ads",
        "skip ahead to the bit after the commercials", "take me to the end of the ads", "skip until the ads are over",
        "please skip to where it goes on after the ad break",
    ),
    Command("play_latest"): ("play the latest episode", "play the newest one", "play the latest", "play my most recent podcast"),
    Command("play_latest", None, "science friday"): (
        "play the latest of Science Friday", "play the latest episode of Science Friday", "start the newest from Science Friday",
        "could you play the most recent episode of Science Friday, please", "play the last episode of science friday",
        "play the latest Science Friday episode",
    ),
    Command("sleep", 1200): (
        "sleep in twenty minutes", "stop in 20 minutes", "please go to sleep in twenty minutes", "turn off after twenty minutes",
        "set a sleep timer for twenty minutes", "set a twenty minute sleep timer", "play for another twenty minutes",
        "pause in about twenty minutes", "keep playing for twenty minutes and then stop", "sleep timer twenty minutes",
    ),
    Command("sleep", 1800): ("sleep in half an hour", "stop playing after half an hour"),
    Command("sleep", 5400): ("sleep in one and a half hours", "sleep in an hour and a half"),
    Command("sleep"): ("set a sleep timer", "start the sleep timer"),
    Command("sleep", None, "topic"): (
        "sleep at the end of this topic", "stop at the end of the chapter", "stop after this topic", "pause when this part is over",
        "turn off once the topic ends", "set the sleep timer to the end of this chapter",
    ),
    Command("sleep", None, "episode"): ("sleep at the end of the episode", "stop after this episode", "go to sleep when the show is over"),
    Command("awake"): ("cancel the sleep timer", "stay awake", "turn the sleep timer off", "don't go to sleep", "turn off my sleep timer"),
    Command("bookmarks"): ("show my bookmarks", "list my bookmarks", "what did I bookmark", "read me my notes", "what are my bookmarks", "what are my saved moments", "which moments did I save"),
    Command("choose", 2): ("the second one", "play the second one", "number two", "the other one", "take the second"),
    Command("choose", 1): ("the first one", "play the first result", "option one", "take the first one"),
    Command("choose", -1): ("the last one", "play the last one"),
    Command("help"): ("help", "what can I say", "what can you do", "help me", "what can I ask"),
    Command("yes"): ("yes", "yes please", "sure", "yeah", "okay", "do it", "that one"),
    Command("no"): ("no", "no thanks", "never mind", "cancel", "forget it", "not now", "nope"),
    Command("thanks"): ("thanks", "thank you very much", "hello", "bye", "good night"),
}  # fmt: skip

MISHEARD: dict[Command, tuple[str, ...]] = {
    Command("pause"): ("paws", "pores", "paused", "please paws"),
    Command("forward", 30): ("for word thirty seconds", "skip a head thirty seconds", "go forward thirty second"),
    Command("back", 10): ("go bag ten seconds", "go back ten second", "re wind ten seconds"),
    Command("next_topic"): ("next to pick", "necks topic", "nets chapter"),
    Command("previous_topic"): ("previous tropic", "pre vious topic", "previews topic"),
    Command("bookmark"): ("book mark this", "bookmarked this", "book marks this"),
    Command("return_to"): ("go back to wear I was", "go back to where eye was", "go back to where I walls"),
    Command("own_words"): ("in there own words", "in their on words", "in his own birds"),
    Command("louder"): ("turn up the volumes", "lauder"),
    Command("slower"): ("slow town", "slow down police"),
    Command("repeat"): ("repeats that", "say that a gain"),
    Command("set_speed", 1): ("normal speeds", "play at normal speech"),
}

QUESTIONS = (
    "Why does he pause there?", "What happens when they go back to school?", "What did she say about playing the piano?",
    "why did the music stop", "how do they play with their food", "what is the next topic about",
    "who wants to go back to the moon", "is it louder in space", "why is light faster than sound",
    "what makes a car go faster", "how does he stop drinking", "when did they start the company",
    "what does forward mean here", "who skipped the meeting", "why did she skip lunch", "what is a bookmark",
    "how can you save a species", "does the heart pause between beats", "what was the first one about",
    "what about the second one", "and the second one?", "what did he repeat three times", "can the volume be measured",
    "is it normal to speed", "what is double speed", "can you play chess against a machine",
    "could you go to prison for that", "can you find water on Mars", "would you play the lottery",
    "what is the part about bees called", "where do they talk about bees", "when do they talk about stopping",
    "how many seconds are in a minute", "how far back does this go", "do they continue to fight",
    "tell me about the pause button", "tell me more", "and why", "who said that", "explain fast forward",
    "what did I miss", "what is this about", "who is speaking", "why stop there", "how quiet is it in the deep sea",
    "what happens next", "what did they say next", "what comes after the pause", "why do people play games",
    "how do bees find their way back", "does he go back to his wife", "is there a way back",
    "who is playing the guitar", "should we slow down science", "what if we stop eating meat", "did she go on to win",
    "can a machine continue learning", "what is the last episode about", "how long is a chapter",
    "does repeating words help memory", "what does it mean to be heard in your own words", "how do you take a note",
    "why is it too loud in restaurants", "what does he mean by go back to the start", "is silence louder than words",
    "who turned it down", "when should you speed up a film", "find out why he left", "what did he note down",
    "how does the volume of a gas change", "Elias Brandt", "organic alignment", "the layers of homeostasis",
    "bees dance to tell where flowers are", "playing the piano", "the stop codon", "forward contracts", "a faster horse",
    "machines that play games", "what is playing", "how much is left", "how do I sleep better", "why should you sleep early",
    "what happens when you sleep for twenty minutes", "what comes after the ads", "what is the latest on mirrors", "can you follow that",
    "who can't follow the argument", "when does the sleep timer stop", "which episodes talk about slowing down",
)  # fmt: skip


@pytest.mark.parametrize(("said", "meant"), [(said, meant) for meant, ways in MEANT.items() for said in ways])
def test_a_command_is_understood_however_it_is_put(said: str, meant: Command) -> None:
    assert parse(said) == meant


@pytest.mark.parametrize(("heard", "meant"), [(said, meant) for meant, ways in MISHEARD.items() for said in ways])
def test_a_misheard_command_is_understood(heard: str, meant: Command) -> None:
    assert parse(heard) == meant


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_question_with_a_command_word_stays_a_question(asked: str) -> None:
    assert parse(asked) is None
    assert parse(asked.rstrip("?") + ".") is None


def test_the_table_is_as_long_as_it_claims() -> None:
    assert sum(map(len, MEANT.values())) >= 200
    assert len(QUESTIONS) >= 60
    assert {meant.name for meant in MEANT} == set(CommandName)


@pytest.mark.parametrize("name", CommandName)
def test_every_command_has_a_rule_whose_example_is_understood(name: CommandName) -> None:
    found = parse(COMMAND_RULES[name].say)
    assert found is not None
    assert found.name is name
    assert (COMMAND_RULES[name].unit == "") or COMMAND_RULES[name].amount is not None


@pytest.mark.parametrize(("said", "meant"), [
    ("hey Jarvis, pause", Command("pause")), ("okay Nabu, go back thirty seconds", Command("back", 30)),
    ("Alexa next topic", Command("next_topic")), ("hey mycroft, louder please", Command("louder")),
    ("Jarvis could you skip two minutes", Command("forward", 120)),
    ("skip forward 1 hour 5 minutes", Command("forward", 3900)), ("go back one hour and ten minutes", Command("back", 4200)),
    ("skip ahead an hour and twenty minutes", Command("forward", 4800)), ("jump to 1:05:00", Command("go_to", 3900)),
    ("go to one hour twelve minutes", Command("go_to", 4320)), ("skip to 1:02:30", Command("go_to", 3750)),
    ("it's too quiet", Command("louder")), ("it is way too quiet", Command("louder")), ("this is too loud", Command("quieter")),
    ("play twice as fast", Command("set_speed", 2)), ("make it twice as fast", Command("set_speed", 2)),
])  # fmt: skip
def test_wake_words_long_jumps_and_complaints(said: str, meant: Command) -> None:
    assert parse(said) == meant


@pytest.mark.parametrize("asked", ["hey Jarvis, why do they pause", "okay nabu what is the next topic about", "Jarvis"])
def test_a_question_behind_a_wake_word_stays_a_question(asked: str) -> None:
    assert parse(asked) is None


def test_how_a_command_is_said_most_is_understood() -> None:
    """Every thirtieth of the sentences, and each command at least once."""
    every = list(commands(("bees", "the layers of homeostasis")))
    firsts = dict(reversed(every))
    for name, said in [*firsts.items(), *every[::30]]:
        found = parse(said)
        assert found is not None and found.name == name, said
    assert set(firsts) == set(COMMAND_SENTENCES) <= set(CommandName)


@pytest.mark.parametrize("said", [
    "what did i miss", "catch me up", "what is this about", "who is speaking", "who is the guest", "who said that",
    "how much is left", "how long is the episode", "what time is it", "list the topics", "what chapters are there",
])  # fmt: skip
def test_what_the_library_answers_is_no_command(said: str) -> None:
    assert parse(said) is None


def test_numbers_may_be_any() -> None:
    for seconds, words in ((45, "forty-five"), (75, "seventy five"), (100, "a hundred"), (20, "20")):
        assert parse(f"skip back {words} seconds") == Command("back", seconds)


def test_nothing_is_no_command() -> None:
    assert parse("") is None
    assert parse(" … ") is None
    assert parse("pause " * 200) is None
    assert parse("\x00{topic} <distance> [(|") is None


def test_importing_it_is_light() -> None:
    code = "import sys, retrieval.commands.parser; print([m for m in ('numpy', 'hassil', 'rapidfuzz', 'torch') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


ONLY_HEARD = {CommandName.NO, CommandName.THANKS}
"""Commands that do nothing but give playback back."""

NOT_IN_A_ROOM = {
    CommandName.NEXT_EPISODE, CommandName.PREVIOUS_EPISODE, CommandName.RETURN_TO, CommandName.SLOWER,
    CommandName.FASTER, CommandName.SET_SPEED, CommandName.REPEAT, CommandName.OWN_WORDS, CommandName.SLEEP,
    CommandName.AWAKE, CommandName.BOOKMARK, CommandName.BOOKMARKS, CommandName.HELP, *ONLY_HEARD,
}  # fmt: skip
"""Commands that a loudspeaker in another room does not carry out."""


def places(name: CommandName) -> dict[str, bool]:
    """Whether a command stands in each place that has to know it."""
    root = Path(__file__).parents[3]
    page, policy, house = (
        (root / path).read_text("utf-8")
        for path in ("ui/web/static/commands.js", "voice/turns/playback_policy.py", "ui/home/loudspeakers/house.py")
    )
    ways = templates(COMMAND_TEMPLATES)["commands"].get(name) or {}
    return {
        "voice/turns/commands.py": name in COMMAND_RULES,
        "retrieval/commands/commands.yaml": any(ways.values()) or name in COMMAND_SENTENCES,
        "ui/web/static/commands.js": re.search(rf"^  {name}[:,]", page, re.MULTILINE) is not None,
        "voice/turns/playback_policy.py": (f'"{name}"' in policy) is not (name in ONLY_HEARD),
        "ui/home/loudspeakers/house.py": (f"CommandName.{name.name}" in house) is not (name in NOT_IN_A_ROOM),
    }


@pytest.mark.parametrize("name", CommandName)
def test_a_command_is_known_in_every_place(name: CommandName) -> None:
    """Where a new command is forgotten, the place is named here; see the table of docs/architecture.md."""
    assert [place for place, known in places(name).items() if not known] == []
