# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed English of the tiny Whisper: what a listener says to the companion, and what it answers.

Everything the model is trained on and everything a test may speak to it is drawn from the grammar below and from the
words of the demonstration episode (`episodes/ingest/demo.txt`). Listeners' sentences have no
contractions and no digits, so
that what is spoken has one spelling.
"""

import random
import re
import zlib
from functools import cache
from pathlib import Path

DEMO_TRANSCRIPT = Path(__file__).parents[3] / "episodes" / "ingest" / "demo.txt"

DEMO_QUESTIONS = (
    "What is organic alignment?",
    "How does a machine guess the goal from a description?",
    "Are these machines tools or beings?",
    "What would change your mind about machine minds?",
    "Why is there care beneath our goals?",
    "What does the story of the apprentice teach us?",
    "What are the layers of homeostasis?",
    "What do the simulations of cooperation show?",
    "Why is a chatbot like a mirror?",
    "Can a machine become a peer?",
)

FIXED_COMMANDS = (
    "Play.", "Pause.", "Resume.", "Continue.", "Stop.", "Go back.", "Go forward.", "Next topic.", "Previous topic.",
    "Next chapter.", "Previous chapter.", "Go back to where I was.", "Slower.", "Faster.", "Louder.", "Quieter.",
    "Speed up.", "Slow down.", "Normal speed.", "Volume up.", "Volume down.", "Repeat that.", "Say that again.",
    "In their own words.", "In his own words.", "In her own words.", "What did I miss?", "Where am I?", "Yes.", "No.",
    "Cancel.", "Help.", "Thank you.",
)  # fmt: skip
"""Commands without a free slot; every one is trained on and every one is tested."""

OTHER_FIXED = (
    "Skip.", "Skip this.", "Next.", "Previous.", "Back.", "Forward.", "Rewind.", "Okay.", "Hello.", "Goodbye.",
    "Never mind.", "Start over.", "Go on.", "Keep going.", "Stop talking.", "Be quiet.", "Yes please.",
    "No thank you.", "Thanks.", "Why?", "What?", "Who?", "Who is speaking?", "Who is talking?", "Who said that?",
    "What did he just say?", "What did she just say?", "What is this episode about?", "What is this about?",
    "What can you do?", "Tell me more.", "What does that mean?", "Can you repeat that?", "Can you say that again?",
    "What is next?", "How much is left?", "How long is this episode?", "Where did we stop?", "Who is the guest?",
    "Who is the host?", "Play it again.", "Play that part.", "Play that again.", "Play it in his own words.",
    "What are the topics?", "What are the chapters?", "Go to the beginning.", "Go to the end.", "Double speed.",
    "A little louder please.", "A little slower please.", "Pause the podcast.", "Resume the podcast.",
    "Stop the podcast.", "Pause please.", "Earmark.", "Hey Earmark.", "Summarize this episode.",
    "Summarize this chapter.", "Which episode is this?",
)  # fmt: skip

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

SUBJECTS = (
    "alignment", "organic alignment", "technical alignment", "machines", "machine minds", "minds", "goals",
    "the goal", "a description", "the description", "tools", "a tool", "beings", "a being", "tools and beings",
    "care", "love", "the apprentice", "the story of the apprentice", "the sorcerer", "the broom", "the flood",
    "the story", "homeostasis", "the layers", "the layers of homeostasis", "simulations", "the simulations",
    "a simulation", "cooperation", "chatbots", "a chatbot", "the chatbot", "mirrors", "a mirror", "the mirror",
    "a peer", "peers", "moral patients", "a moral patient", "parents", "a parent", "raising", "raising a creature",
    "a creature", "creatures", "control", "controlling", "humans", "the body", "bodies", "a human body", "the test",
    "the mind", "learning", "teaching", "trust", "children", "bees", "the hive", "cells", "pain", "pleasure", "hope",
    "the thermostat", "forgiveness", "obedience", "relationships", "sacrifice", "sharing", "the garden", "childhood",
    "worry", "the pond", "winter", "neighbours", "households", "strangers", "the hammer", "the workshop", "the cat",
    "understanding", "instructions", "the lesson", "memory", "recording",
)  # fmt: skip

OFF_TOPIC = (
    "weather", "the weather", "coffee", "football", "taxes", "music", "cooking", "money", "trains", "planets",
    "rockets", "elections", "chess", "bread", "dinosaurs", "volcanoes", "medicine", "vaccines", "the moon",
    "space travel", "gold", "ships", "coral reefs", "earthquakes", "mountains", "the ocean", "rivers", "poetry",
    "painting", "guitars", "pizza", "chocolate", "airplanes", "bicycles", "tennis", "whales", "elephants",
    "the president", "law", "history", "politics", "energy", "climate", "sleep", "dreams", "language",
    "quantum computers", "black holes", "housing", "food", "wine", "tea", "the market", "stocks", "horses", "birds",
    "dogs", "films", "television", "school", "the economy",
)  # fmt: skip

GRAMMAR: dict[str, tuple[str, ...]] = {
    "question": (
        "what is {subject}?", "what is {subject}?", "what are {plural}?", "what {does} {who} {say} about {topic}?",
        "what {did} {who} {say} about {topic}?", "what did {who} just say about {topic}?",
        "where do they talk about {topic}?", "where do they {say} something about {topic}?",
        "where {does} {who} {talk} about {topic}?", "when do they talk about {topic}?",
        "when does {who} {talk} about {topic}?", "who {talks} about {topic}?", "who said that {fact}?",
        "why is {subject} {adjective}?", "why are {plural} {adjective}?", "is {subject} {adjective}?",
        "are {plural} {adjective}?", "why is {subject} like {subject}?", "how is {subject} like {subject}?",
        "are {plural} {plural} or {plural}?", "are these {plural} {plural} or {plural}?",
        "can {agent} become {agent}?", "can {agent} {verb} {subject}?", "can {agents} {verb} {subject}?",
        "could {agent} ever {verb} {subject}?", "should we {verb} {subject}?", "how do {agents} {verb} {subject}?",
        "how does {agent} {verb} {subject}?", "how does {agent} {verb} {subject} from {subject}?",
        "why does {agent} {verb} {subject}?", "why do {agents} {verb} {subject}?", "do {agents} {verb} {subject}?",
        "does {agent} {verb} {subject}?", "what does {subject} {teach}?", "what do {plural} {teach}?",
        "what can we learn from {subject}?", "what would change {whose} mind about {topic}?",
        "what would change {whose} mind?", "why is there {subject} beneath {whose} {plural}?",
        "what is beneath {whose} {plural}?", "what are the layers of {subject}?",
        "how many layers does {subject} have?", "what is the difference between {subject} and {subject}?",
        "what does {who} mean by {subject}?", "what does {who} think about {topic}?",
        "does {who} {think} that {fact}?", "why does {who} {think} that {fact}?", "is it true that {fact}?",
        "who is {name}?", "is {name} right about {topic}?", "can you explain {topic}?",
        "can you tell me more about {topic}?", "what is the story of {subject}?", "what is the test for {subject}?",
        "what does the story of {subject} teach us?", "what do the simulations of {subject} show?",
        "what does the test of {subject} show us?", "what happens when {fact}?", "how do we raise {agent}?",
        "how can we {verb} {subject} without {gerund} {subject}?", "{ask} {topic}?", "do they mention {topic}?",
        "does this episode cover {topic}?", "is there anything about {topic}?", "did they talk about {topic}?",
        "what is the weather like today?", "how do I make {subject}?", "who won the football match?",
    ),
    "command": (
        "{go} {way} {amount}.", "{go} {way} {amount}.", "{go} {way} {amount}.", "{way} {amount}.",
        "{go} {way} {amount} please.", "play the part about {topic}.", "play the part about {topic}.",
        "play the part where {who} {talks} about {topic}.", "play the part about {topic} again.",
        "{go} to the part about {topic}.", "find the part about {topic}.", "tell me about {topic}.",
        "tell me more about {topic}.", "explain {topic} in {whose} own words.", "explain {topic}.",
        "play the {which} {part}.", "go to the {which} {part}.", "repeat the {which} {part}.", "{go} to minute {n}.",
        "{go} to {n} minutes {n}.", "{go} to chapter {small}.", "play chapter {small}.",
        "set the volume to {n} percent.", "set the speed to {n} percent.", "summarize the last {amount}.",
        "summarize the part about {topic}.", "repeat the last {amount}.", "what did {who} say in {whose} own words?",
        "say that in {whose} own words.", "what did I miss in the last {amount}?", "hey Earmark, {plain}.",
        "Earmark, {plain}.", "{plain} please.",
    ),
    "answer": (
        "at {time}, {name} {says}, {fact}.", "at {time}, {name} {says} that {fact}.", "{name} {says} that {fact}.",
        "at {time}, {name} talks about {topic}.", "this episode does not cover that.",
        "this episode does not cover {topic}.", "this episode does not cover that. The nearest is at {time}.",
        "the nearest is at {time}.", "this episode does not cover that, the nearest is {topic}, at {time}.",
        "the nearest is {topic}.", "the nearest part is at {time}, where {name} talks about {topic}.",
        "{name} also {says} that {fact}.", "that is at {time}.", "here is the part about {topic}.",
        "you are at {time}.", "this is {name}.", "{name} is speaking.", "this part is about {topic}.",
        "this episode is about {topic} and {topic}.", "I did not hear that.", "I did not understand that.",
        "back to where you were.", "you missed the part about {topic}.", "this is chapter {small}, {topic}.",
        "they talk about {topic} at {time}.", "at {time}.", "at {time}, {fact}.",
        "there is more at {time}.", "there is also {title}, at {time}.", "your library does not cover that.",
        "I found nothing about that.", "I found nothing about {topic}.", "but {title} does, at {time}.",
        "in {title}, at {time}, {name} {says}, {fact}.", "the nearest is in {title} at {time}.",
        "the nearest is at {time}, {fact}.", "at {time}, {name} {says}, {subject} is what {agents} {verb}.",
    ),
    "fact": (
        "{plural} are {plural}", "{plural} are {adjective}", "{subject} is {adjective}",
        "{subject} is like {subject}", "{agents} {verb} {subject}", "{agent} can {verb} {subject}",
        "{agent} can become {agent}", "we should {verb} {subject}", "there is {subject} beneath {whose} {plural}",
        "{subject} comes first", "{agents} can learn to {verb} {subject}", "it is not {subject} but {subject}",
        "{subject} changes {subject}", "we {verb} {plural} and {plural}", "nobody can {verb} {subject}",
        "{agents} need {subject}",
    ),
    "title": ("Raising the Apprentice", "Second Nature", "another episode"),
    "amount": (
        "{n} seconds", "{n} seconds", "{n} minutes", "{round} seconds", "{round} seconds", "{small} minutes",
        "one minute", "half a minute", "an hour", "a minute", "a little",
    ),
    "time": (
        "{n} minutes {n}", "{n} minutes {n}", "{n} minutes", "one minute {n}", "{n} seconds",
        "{small} minutes and {n} seconds", "one hour {n} minutes",
    ),
    "round": ("five", "ten", "fifteen", "twenty", "thirty", "forty", "forty five", "sixty", "ninety"),
    "go": ("go", "go", "skip", "jump", "move"),
    "way": ("back", "back", "forward"),
    "which": ("last", "next", "first", "second", "third", "previous", "same"),
    "part": ("part", "chapter", "topic", "episode", "question", "sentence", "answer", "story"),
    "who": ("Elias", "Elias", "Nora", "he", "she", "the guest", "the host", "{name}", "the speaker"),
    "name": ("Elias", "Nora", "Elias Brandt", "Nora Lindqvist", "Brandt", "Lindqvist"),
    "does": ("does",),
    "did": ("did",),
    "say": ("say", "say", "think", "mean", "teach", "ask", "tell us", "explain"),
    "says": ("says", "says", "said", "thinks", "explains"),
    "talk": ("talk", "speak"),
    "talks": ("talks", "speaks"),
    "think": ("think", "say", "believe", "mean"),
    "teach": ("teach us", "show", "show us", "mean", "need", "do"),
    "ask": ("what about", "and what about", "how about", "why"),
    "whose": ("our", "your", "his", "her", "their", "my"),
    "topic": ("{subject}", "{subject}", "{subject}", "{plural}", "{off}"),
    "subject": SUBJECTS,
    "off": OFF_TOPIC,
    "plural": (
        "machines", "tools", "beings", "goals", "minds", "machine minds", "humans", "mirrors", "chatbots", "peers",
        "parents", "moral patients", "layers", "creatures", "simulations", "descriptions", "children", "cells",
        "bees", "bodies", "stories", "tests", "apprentices", "patients",
    ),
    "agent": (
        "a machine", "the machine", "a human", "a chatbot", "a tool", "a being", "a creature", "a parent", "a peer",
        "the apprentice", "the sorcerer", "a mirror", "a body", "a mind", "a moral patient", "a child", "anyone",
    ),
    "agents": (
        "machines", "humans", "we", "they", "people", "chatbots", "parents", "creatures", "cells", "bees", "you",
    ),
    "verb": (
        "guess", "infer", "become", "learn", "teach", "love", "like", "raise", "control", "change", "test", "show",
        "understand", "trust", "need", "share", "see", "build", "know", "care about", "mean", "want", "feel",
    ),
    "gerund": ("controlling", "raising", "changing", "teaching", "learning", "guessing", "building"),
    "adjective": (
        "moral", "technical", "organic", "human", "dangerous", "possible", "important", "good", "bad", "easy", "hard",
        "real", "patient", "lonely", "kind", "different", "like that", "beneath it",
    ),
    "plain": (
        "play", "pause", "stop", "continue", "go back", "louder", "slower", "repeat that", "say that again",
        "next chapter", "next topic", "previous topic", "what is {subject}", "help", "faster", "volume up",
    ),
    "n": (),
    "small": ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
}  # fmt: skip
"""Slot -> its alternatives, which may hold slots themselves; `n` is any number from one to ninety-nine."""

_HOMOPHONES = frozenset((
    "to", "two", "for", "four", "no", "know", "i", "by", "buying", "here", "hear", "right", "write", "there", "their",
    "be", "bee", "our", "hour", "would", "your", "an", "a",
))  # fmt: skip


def number(value: int) -> str:
    """1-99 in words, without a hyphen: 42 -> "forty two"."""
    if value < 20:
        return (_UNITS + _TEENS)[value - 1]
    tens, unit = _TENS[value // 10 - 2], value % 10
    return f"{tens} {_UNITS[unit - 1]}" if unit else tens


def _fill(template: str, rng: random.Random) -> str:
    def choose(slot: re.Match[str]) -> str:
        if slot[1] == "n":
            return number(rng.randint(1, 99))
        return _fill(rng.choice(GRAMMAR[slot[1]]), rng)

    return re.sub(r"\{(\w+)\}", choose, template)


def _sentence_case(text: str) -> str:
    return text[0].upper() + text[1:]


def question(rng: random.Random) -> str:
    """A question a listener may ask, about what the episode covers or about something else."""
    return _sentence_case(_fill(rng.choice(GRAMMAR["question"]), rng))


def command(rng: random.Random) -> str:
    """A command with free slots: amounts, topics, chapters."""
    return _sentence_case(_fill(rng.choice(GRAMMAR["command"]), rng))


def fixed(rng: random.Random) -> str:
    """A command or request without free slots."""
    return rng.choice(FIXED_COMMANDS) if rng.random() < 0.6 else rng.choice(OTHER_FIXED)


def answer(rng: random.Random) -> str:
    """A sentence the companion says itself: who says what, and when."""
    return _sentence_case(_fill(rng.choice(GRAMMAR["answer"]), rng))


@cache
def episode_sentences() -> tuple[str, ...]:
    """The sentences of the demonstration episode, without speakers; only commas, stops and question marks stay."""
    text = DEMO_TRANSCRIPT.read_text(encoding="utf-8").split("\n\n", 1)[1]
    spoken = " ".join(line.partition(": ")[2] for line in text.splitlines() if line)
    spoken = re.sub(r"[;:]", ",", spoken).replace("’", "'")
    return tuple(re.findall(r"[A-Z][^.?!]*[.?!]", spoken.replace("!", ".")))


def from_episode(rng: random.Random) -> str:
    """A sentence of the episode, whole or (as an answer quotes it) from one of its commas on, at most 20 words."""
    sentence = rng.choice(episode_sentences())
    if rng.random() < 0.3 and "," in sentence:
        sentence = _sentence_case(sentence[sentence.index(",") + 1 :].strip())
    words = sentence.split(" ")
    if len(words) > 20:
        start = rng.randrange(len(words) - 12)
        words = words[start : start + rng.randint(6, 12)]
    text = " ".join(words).rstrip(",.?")
    ending = "?" if sentence.endswith("?") else "."
    if rng.random() < 0.2:
        return _sentence_case(_fill("at {time}, {name} {says}, ", rng)) + text + ending
    return _sentence_case(text) + ending


@cache
def words() -> tuple[str, ...]:
    """Every word the model can write, in lower case but for names and "I", sorted."""
    texts = [alternative for group in GRAMMAR.values() for alternative in group]
    texts += [*DEMO_QUESTIONS, *FIXED_COMMANDS, *OTHER_FIXED, *episode_sentences(), *_UNITS, *_TEENS, *_TENS]
    found: set[str] = set()
    for text in texts:
        found.update(re.findall(r"(?<![{\w])[A-Za-z]+(?:'[a-z]+)?(?!\w*\})", text))
    lower = {word for word in found if word[0].islower()}
    return tuple(sorted(lower | {w if w in _NAMES else w.lower() for w in found if w[0].isupper()}))


_NAMES = frozenset(("Elias", "Brandt", "Nora", "Lindqvist", "Earmark", "Narcissus", "I", "I'm", "I'd", "I'll", "I've"))


def random_words(rng: random.Random) -> str:
    """Words in no order, so that the model hears words and does not learn the grammar by heart."""
    chosen = [rng.choice(words()) for _ in range(rng.randint(1, 8))]
    kept = [word for word in chosen if word.lower() not in _HOMOPHONES and "'" not in word]
    return _sentence_case(" ".join(kept or ["machines"])) + "."


def is_held_out(text: str) -> bool:
    """Whether ``text`` is kept out of training: one free sentence in sixteen; fixed ones are all trained on."""
    fixed_ones = (*DEMO_QUESTIONS, *FIXED_COMMANDS, *OTHER_FIXED)
    return text not in fixed_ones and zlib.crc32(text.lower().encode()) % 16 == 0


def training_text(rng: random.Random) -> str:
    """One text to train on, from all of the above in a fixed proportion."""
    makers = (question, command, fixed, answer, from_episode, random_words)
    while True:
        share = rng.random()
        if share < 0.05:
            return rng.choice(DEMO_QUESTIONS)
        text = rng.choices(makers, (26, 14, 13, 9, 14, 24))[0](rng)
        if not is_held_out(text):
            return text


def in_domain_text(rng: random.Random, held_out: bool = False) -> str:
    """One text to measure with, as tests speak them: questions, commands with slots and fixed ones.

    ``held_out`` draws only sentences that were never trained on (and so no fixed ones).
    """
    while True:
        maker = rng.choices((question, command, fixed), (50, 25, 0 if held_out else 25))[0]
        text = maker(rng)
        if is_held_out(text) == held_out:
            return text
