# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a table reads better in long lines
"""Twenty more ways of each turn of a conversation, as a recogniser writes them down, and questions that are none."""

import pytest

from retrieval.commands.intents import Intent, understand
from retrieval.commands.parser import parse
from retrieval.model import Exchange, Moment, Question

SPEAKERS = ("Elias Brandt", "Nora Lindqvist", "Speaker 0")
FIRST = Moment("e", 60, 70, "a nonce is a number", "Elias Brandt", 0.9)
SECOND = Moment("e", 200, 210, "people forget nonces", "Nora Lindqvist", 0.8)
THIRD = Moment("e", 300, 310, "nonces again", "Nora Lindqvist", 0.7)
BEFORE = (Exchange("What is a nonce?", (FIRST, SECOND, THIRD)),)

MEANT: dict[Intent, tuple[str, ...]] = {
    Intent.WHO: (
        "who said that", "who is that", "who was that", "who's speaking", "who is talking now", "whose voice is that",
        "who is saying this", "who was it that said that", "who just said that", "who's that talking",
        "who did you quote", "and who was saying that", "who says so", "which of them said that", "which speaker was that",
        "who's the speaker", "who made that point", "who am i listening to", "who am i hearing", "whose quote is that",
        "was that the host or the guest", "says who",
    ),
    Intent.CHOOSE: (
        "what about the second one", "and the second", "the other one then", "what's the third one",
        "tell me about the other one", "what does the second one say", "read me the third one", "what was the second result",
        "and the last one", "how about the third", "what about number two", "and number three",
        "what does the last one say", "what was the other one", "what did the second one say", "the third one",
        "and what about the next one", "give me the second quote", "what about the other moment", "the second moment please",
    ),
    Intent.JUST_SAID: (
        "what did he just say", "what did she just say", "what did they just say", "what was that he just said",
        "what was he just saying", "what did you just say there", "wait what did he say", "hang on what did she say",
        "what was just said", "what has he just said", "i missed what he just said", "i didn't hear what she said",
        "say what he just said again", "what did nora just say", "what was the last thing he said",
        "what was the last sentence", "what did that guy just say", "could you repeat what she said",
        "what are they talking about now", "what is he talking about right now", "what was that last bit about",
        "what is she on about", "what did i just hear", "what are they on about",
    ),
    Intent.MEANING: (
        "what does that word mean", "what does this word mean", "what does that mean that word",
        "what does the word he just used mean", "what's that word", "what is that word he used",
        "what does that term mean", "what does this term mean", "what is the meaning of that word",
        "can you explain that word", "could you explain that term", "please define that term", "define this word please",
        "what is this word", "what does that acronym stand for", "what does that abbreviation mean",
        "i don't know that word", "i don't understand that word", "what was that word", "what word was that",
        "what does the last word mean", "explain the term he just used",
    ),
    Intent.MISSED: (
        "what did i miss", "what did i miss so far", "what have i missed so far", "so what did i miss",
        "tell me what i missed", "what did i miss while i was away", "what did i miss since yesterday", "catch me up please",
        "can you catch me up", "bring me up to speed", "could you bring me up to speed", "what happened so far",
        "what has happened so far", "what happened while i was asleep", "recap please", "give me a recap",
        "can you recap what i missed", "where were we", "where did we leave off", "remind me where we were",
        "summarize what i have missed", "what have they talked about so far",
    ),
    Intent.OVERVIEW: (
        "what is this about", "what's it about", "whats this about", "what is this episode about", "what's this podcast about",
        "what is the episode about", "what is this whole thing about", "tell me what this is about",
        "tell me what this episode is about", "can you summarize this", "could you summarize the episode for me",
        "summarise this please", "give me a summary", "give me a quick summary", "give me the gist of it",
        "what's the gist", "what is the main point", "what are they talking about in this episode",
        "sum it up for me", "in a nutshell what is this about", "what is this all about", "give me an overview of this episode",
        "what's this one about", "briefly what is this episode about",
    ),
    Intent.TOPICS: (
        "which topics", "what topics are there", "what are the topics", "what topics do they talk about",
        "what topics does this episode cover", "which topics are covered", "which topics do they discuss",
        "what subjects do they cover", "list the topics please", "can you list the topics", "tell me the topics",
        "show me the chapters", "what are the chapters", "what chapters are there", "what are the main topics",
        "what do they cover", "what does this episode cover", "what all do they talk about", "what things do they talk about",
        "what kind of topics are in here", "give me a list of topics", "read me the chapters",
    ),
    Intent.EPISODES: (
        "which episodes talk about mining", "which episode talks about mining", "what episodes are about mining",
        "which episodes mention mining", "in which episodes do they talk about mining", "are there any episodes about mining",
        "is there an episode about mining", "do i have any episodes about mining", "do i have an episode on mining",
        "find me an episode about mining", "find episodes on mining", "show me episodes that talk about mining",
        "list all episodes about mining", "which podcasts cover mining", "which shows discuss mining",
        "in what episode did they mention mining", "what other episodes talk about mining",
        "which episode was the one about mining", "who else talks about mining", "where else do they talk about mining",
        "which one of my episodes is about mining", "which episodes deal with mining",
    ),
}  # fmt: skip

SPEAKER: dict[str, tuple[str, ...]] = {
    "Nora Lindqvist": (
        "what does nora think about mining", "what did nora say about mining", "what does nora lindqvist say about mining",
        "what is nora's opinion on mining", "what's nora's view of mining", "what is nora's take on mining",
        "how does nora feel about mining", "does nora like mining", "does nora agree with mining", "did nora mention mining",
        "has nora said anything about mining", "what has nora said about mining", "what would nora say about mining",
        "why does nora think mining is bad", "what does miss lindqvist say about mining",
        "tell me what nora thinks about mining", "tell me what nora said about mining", "according to nora what is mining",
        "what is mining according to nora", "where does nora talk about mining", "did nora say anything about mining",
        "what are nora's thoughts on mining", "what did nora have to say about mining", "how does nora explain mining",
        "what does norah think about mining",
    ),
    "Speaker 0": ("what does speaker 0 think about mining", "what does speaker zero say about mining"),
}  # fmt: skip

FOLLOWS = (
    "and why", "why", "why is that", "why though", "but why", "how come", "and why is that", "how so", "why not",
    "in what way", "since when", "and when was that", "how does it work", "how does that work", "and how does that work",
    "what is it good for", "is it safe", "and is that true", "what does that mean", "and the fees", "what about the fees",
    "and what about fees", "how about fees", "does it always work", "who invented it", "who uses it", "for example",
    "can you give an example", "give me an example", "and then what", "so what", "why does it matter",
    "why is that important", "who needs that", "what does it cost",
)  # fmt: skip

MORE = (
    "tell me more", "tell me more about that", "tell me more about it", "more please", "say more", "go deeper",
    "can you tell me more", "could you say more about that", "what else", "what else do they say",
    "what else did they say about it", "anything else", "is there anything else", "and what else", "is there more",
    "more on that", "elaborate", "can you elaborate", "where else", "where else do they say that", "keep telling me about it",
    "do they say anything else about it",
)  # fmt: skip

SEARCHED = (
    "what is a nonce", "who is satoshi nakamoto", "who said that nodes must trust each other", "who invented bitcoin",
    "who was the first to propose digital cash", "who is the speaker of the house", "whose idea was bit gold",
    "which of them invented hashcash", "what does the second layer do", "what is the second law of thermodynamics about",
    "what was the first digital currency", "what about hardware wallets from trezor and ledger",
    "what did the apprentice say to the master", "what did satoshi say about miners", "what are they doing about spam",
    "what are people talking about on the mailing list these days", "what does the word nonce mean",
    "what does eclipse mean", "what is the meaning of life", "define proof of work", "what did miners miss in the upgrade",
    "what happened in the block size war", "what happened to mount gox", "where did the coins go",
    "what happened before bitcoin", "what was it like to work with hal finney", "what is the white paper about",
    "what is the book about", "what is the next upgrade about", "what is the talk by david chaum about",
    "what is the gist of the lightning paper", "what topics are taboo among developers",
    "which chapters of the book deal with chaum", "which episode of the war was decisive", "which show did he go to in vegas",
    "why do miners stop mining", "why is proof of work needed", "how does the lightning network route payments",
    "how do nodes find each other", "is there an alternative to mining", "is there anything else that can stop spam",
    "what else can stop a double spend", "where else can coins be stored", "more fees mean what for miners",
    "can you give an example of a soft fork", "does mining need more energy than banking",
    "what does the network think about a new block", "what do people think about privacy", "how do they feel about taproot",
    "what does bitcoin need", "does anyone like mining",
)  # fmt: skip


def plan(text: str, history: tuple[Exchange, ...] = BEFORE) -> tuple[Intent, str, str]:
    """What is understood in the middle of a conversation and of an episode."""
    found = understand(Question(text, "e", position=100, history=history), lambda name: SPEAKERS)
    return found.kind, found.text, found.speaker


@pytest.mark.parametrize(("text", "kind"), [(text, kind) for kind, texts in MEANT.items() for text in texts])
def test_each_turn_of_a_conversation_is_known(text: str, kind: Intent) -> None:
    assert plan(text)[0] is kind
    assert plan(text.capitalize() + "?")[0] is kind


@pytest.mark.parametrize(("text", "name"), [(text, name) for name, texts in SPEAKER.items() for text in texts])
def test_a_person_is_asked_for(text: str, name: str) -> None:
    kind, asked, speaker = plan(text, ())
    assert (kind, speaker) == (Intent.SEARCH, name)
    assert "mining" in asked


@pytest.mark.parametrize("text", FOLLOWS)
def test_a_question_goes_on_from_the_one_before(text: str) -> None:
    kind, asked, _ = plan(text)
    assert kind is Intent.SEARCH
    assert "What is a nonce?" in asked


@pytest.mark.parametrize("text", MORE)
def test_more_is_another_place_for_the_same_question(text: str) -> None:
    found = understand(Question(text, "e", history=BEFORE), lambda name: SPEAKERS)
    assert (found.kind, found.text, found.told[:1]) == (Intent.SEARCH, "What is a nonce?", (FIRST,))


@pytest.mark.parametrize("text", SEARCHED)
def test_a_question_that_sounds_like_a_turn_is_searched_for(text: str) -> None:
    assert plan(text) == (Intent.SEARCH, text, "")
    assert parse(text) is None
