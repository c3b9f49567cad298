# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer quotes only what was said, where it was said, and neither stops short nor hangs in the air."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodes.text.disfluencies import GAP, trimmed
from retrieval.answers.compose import answered, said_sentence
from retrieval.answers.quote import SPOKEN, also, choose_quote, quote
from retrieval.index.token_store import quotable_sentences
from retrieval.model import Moment, Question, SearchResult, SentenceRun
from tests.retrieval.corpora import corpus
from voice.model import Cue, clock


@pytest.mark.parametrize(("said", "kept"), [
    ("So, um, you know, the node asks its peers.", "the node asks its peers."),
    ("Yeah, I mean, it was, it was a uh long road.", "it was a … long road."),
    ("The the protocol repre- represents a lock.", "the protocol … represents a lock."),
    ("And so we never did that again.", "And so we never did that again."),
    ("And so, we never did that again.", "we never did that again."),
    ("So um the node asks its peers.", "the node asks its peers."),
    ("Yeah, so the node asks its peers.", "the node asks its peers."),
    ("It was very, very cold, no, no joke.", "It was very, very cold, no, no joke."),
    ("Um.", "Um."),
    ("Well, yes.", "Well, yes."),
    ("What happened then, huh?", "What happened then, huh?"),
    ("So-called privacy is like that.", "So-called privacy is like that."),
    ("No, it was not, um, turned off by default.", "No, it was not, … turned off by default."),
])  # fmt: skip
def test_fillers_and_false_starts_go(said: str, kept: str) -> None:
    assert trimmed(said).replace(GAP, " ") == kept.replace(GAP, " ")


STUMBLES = ["so", "um,", "I", "I", "was", "the", "the", "you", "know,", "Yeah,", "cat-", "cat.", "-", "“", "huh?"]


@given(st.lists(st.sampled_from(STUMBLES), min_size=1, max_size=14))
def test_trimming_keeps_words_whole_and_in_order(words: list[str]) -> None:
    said = " ".join(words)
    at = 0
    for run in trimmed(said).split(GAP):
        at = said.index(run, at) + len(run)


WORDS = st.lists(
    st.sampled_from(re.findall(r"\w+", "the node um asks so you know a a peer for it because I mean now")),
    min_size=1, max_size=40,
)  # fmt: skip
TURNS = st.lists(
    st.tuples(st.sampled_from(["Ann", "Bob", ""]), st.lists(st.tuples(WORDS, st.sampled_from(".?!,")), min_size=1,
                                                          max_size=4)),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(TURNS, st.integers(0, 30), st.integers(1, 3), st.floats(0, 1), st.booleans())
def test_every_quoted_run_stands_in_the_cues_at_its_time(
    turns: list[tuple[str, list[tuple[list[str], str]]]], at: int, length: int, sure: float, library: bool
) -> None:
    cues, clock_time = [], 0.0
    for speaker, parts in turns:
        text = " ".join(" ".join(words) + end for words, end in parts)
        cues.append(Cue(clock_time, clock_time + len(text) / 15, text, speaker))
        clock_time = cues[-1].end + 0.3
    lines = quotable_sentences(cues)
    first = at % len(lines)
    chosen = [lines[first]]
    for line in lines[first + 1 : first + length]:
        if line.turn_start or sum(len(one.text.split()) for one in [*chosen, line]) > SPOKEN:
            break
        chosen.append(line)
    text = " ".join(one.text for one in chosen)
    run = SentenceRun("e", chosen[0].start, chosen[-1].end, text, chosen[0].speaker, 0.8)
    question = Question("when do nodes ask peers?", None if library else "e")
    found = SearchResult((run,), sure)
    quoted = choose_quote(question, found.runs, lambda _: cues)
    assert quoted is not None
    assert len(quoted.text.split()) <= SPOKEN + 10
    answer = answered(question, quoted, found, corpus({"e": cues}))
    (sentence,) = answer.sentences
    (moment,) = sentence.moments
    assert moment == answer.moments[0]
    heard = " ".join(cue.text for cue in cues if cue.start < moment.end and cue.end > moment.start)
    place = 0
    (words,) = re.findall("“(.*?)”", sentence.text, re.DOTALL)
    for part in words.removesuffix(" …").split(GAP):
        place = heard.index(part, place) + len(part)
    assert clock(moment.start) in answer.text


def told(*said: str, speaker: str = "Bob") -> list[Cue]:
    """One cue a sentence, four seconds each; one that begins with "Ann:" is Ann's."""
    return [
        Cue(4.0 * at, 4.0 * at + 4, text.removeprefix("Ann: "), "Ann" if text.startswith("Ann: ") else speaker)
        for at, text in enumerate(said)
    ]


def quoted_of(cues: list[Cue], first: int, last: int, question: str, **more: object) -> str:
    """What is quoted of a run of cues."""
    text = " ".join(cue.text for cue in cues[first : last + 1])
    run = SentenceRun("e", cues[first].start, cues[last].end, text, cues[first].speaker, 0.9)
    return quote(Question(question, "e", **more), run, lambda _: cues).text  # type: ignore[arg-type]


def test_what_is_asked_for_is_said_even_in_the_next_sentence() -> None:
    cues = told("Ann: How many nodes were there?", "We counted the nodes of the network for a month.",
                "There were twelve thousand.", "Then we stopped.")
    assert quoted_of(cues, 1, 1, "how many nodes were there?") == (
        "We counted the nodes of the network for a month. There were twelve thousand."
    )


def test_a_sentence_that_announces_is_followed_by_what_it_announces() -> None:
    cues = told("Let me explain the attack on the node.", "The attacker takes all of its connections.", "It is alone.")
    assert "takes all of its connections" in quoted_of(cues, 0, 0, "how does the attack work?")


def test_a_quote_does_not_open_on_a_dangling_clause() -> None:
    cues = told("The node keeps two tables of the addresses that it has heard of so far.", "Which is why it is safe.")
    assert quoted_of(cues, 1, 1, "why is it safe?").startswith("The node keeps two tables")


@pytest.mark.parametrize(("before", "said", "whole"), [
    ("The node keeps two tables of addresses.", "It throws old ones out when they are full.", True),
    ("Suhas wrote the first patch of it.", "And he threw it away after a month of work.", True),
    ("The tables had grown too large for memory.", "So that's why they are cut every night by a job.", True),
    ("The node keeps two tables of addresses.", "Old addresses are thrown out when they are full.", False),
    ("Why does it keep two tables of addresses?", "It throws old ones out when they are full.", False),
    ("Thanks for having me on the show today.", "It throws old ones out when they are full.", False),
    ("The node keeps two tables of addresses, " + "one for each kind of peer that it knows, " * 3 + "and so on.",
     "It throws old ones out when they are full.", False),
])  # fmt: skip
def test_a_quote_that_opens_on_it_or_he_begins_with_what_is_meant(before: str, said: str, whole: bool) -> None:
    cues = told(before, said)
    assert quoted_of(cues, 1, 1, "how are addresses kept?") == (f"{before} {said}" if whole else said)


def test_few_words_are_followed_by_the_sentence_after_them() -> None:
    cues = told("It is plumbing.", "The test is about layers.", "A layer holds a quantity steady.", "Ann: I see.")
    assert quoted_of(cues, 0, 1, "what are layers?") == "The test is about layers. A layer holds a quantity steady."
    assert quoted_of(cues, 2, 2, "what are layers?") == "A layer holds a quantity steady."


def test_a_long_sentence_is_not_idle_because_it_begins_with_doubt() -> None:
    cues = told("I don't know the exact number right now, but I think there are something like 70,000 channels.",
                "Those are the ones that are announced to everybody.")  # fmt: skip
    assert "70,000" in quoted_of(cues, 0, 1, "how many channels are there?")


def test_the_asker_is_not_quoted() -> None:
    cues = told("Why do nodes have two tables?", "They keep the tried addresses from being thrown out by new ones.")
    assert quoted_of(cues, 0, 1, "why are there two tables?").startswith("They keep the tried addresses")


def test_nothing_is_quoted_from_beyond_what_was_heard() -> None:
    cues = told("Let me tell you who did it in the end.", "The butler did it with the candle.")
    assert "butler" not in quoted_of(cues, 0, 0, "who did it?", heard_until=4.5)


def test_one_that_holds_what_was_asked_for_goes_before_one_that_is_hardly_likelier() -> None:
    cues = told("The tracing effort began with great hopes.", "Ann: Good.", "It was in 2021 that tracing was merged.")
    runs = (
        SentenceRun("e", 0, 4, cues[0].text, "Bob", 0.5),
        SentenceRun("e", 8, 12, cues[2].text, "Bob", 0.45),
    )
    found = choose_quote(Question("when did tracing begin?", "e"), runs, lambda _: cues)
    assert found is not None
    assert "2021" in found.text
    found = choose_quote(Question("how did tracing begin?", "e"), runs, lambda _: cues)
    assert found is not None
    assert "hopes" in found.text


def test_the_jump_goes_to_the_question_only_when_it_is_close() -> None:
    cues = told("Ann: What is a nonce?", "A nonce is a number that is used once.")
    run = SentenceRun("e", 4, 8, cues[1].text, "Bob", 0.9, cues[0].text, 0.0)
    assert quote(Question("what is a nonce", "e"), run, lambda _: cues).jump == 0.0
    late = SentenceRun("e", 24, 28, cues[1].text, "Bob", 0.9, cues[0].text, 0.0)
    far = [Cue(0, 4, cues[0].text, "Ann"), Cue(24, 28, cues[1].text, "Bob")]
    assert quote(Question("what is a nonce", "e"), late, lambda _: far).jump == 24


def test_words_come_first_then_who_and_where() -> None:
    library = corpus({"e": told("A nonce is a number.")})
    moment = Moment("e", 63, 70, "A nonce is a number.", "Bob", 0.9)
    assert said_sentence(moment, library, False).text == "“A nonce is a number.” says Bob, at 1:03."
    assert said_sentence(moment, library, True).text == "“A nonce is a number.” says Bob, in E, at 1:03."
    unnamed = Moment("e", 63, 70, "A nonce is a number.", "", 0.9)
    assert said_sentence(unnamed, library, False).text == "“A nonce is a number.” At 1:03."
    assert said_sentence(moment, library, False, doubt=True).text.startswith("Perhaps: “A nonce")


def test_times_are_said_as_people_write_them() -> None:
    assert [clock(0), clock(59.9), clock(754), clock(3723)] == ["0:00", "0:59", "12:34", "1:02:03"]


def test_an_answer_that_is_not_sure_offers_a_second_place_in_its_own_words_and_time() -> None:
    cues = told("We began the tracing work in a summer camp.", "Ann: Good.", "It was merged in the winter after that.",
                speaker="Speaker 2")  # fmt: skip
    runs = tuple(SentenceRun("e", cue.start, cue.end, cue.text, cue.speaker, share)
                 for cue, share in ((cues[0], 0.5), (cues[2], 0.3)))  # fmt: skip
    question = Question("how did tracing begin?", "e")
    chosen = choose_quote(question, runs, lambda _: cues)
    assert chosen is not None
    assert also(question, chosen, SearchResult(runs, 0.9), lambda _: cues) is None, "one is enough where it is sure"
    found = SearchResult(runs, 0.49)
    second = also(question, chosen, found, lambda _: cues)
    made = answered(question, chosen, found, corpus({"e": cues}), second)
    assert made.text == (
        "“We began the tracing work in a summer camp.” At 0:00. "
        "Or at 0:08: “It was merged in the winter after that.”"
    )
    assert [moment.start for moment in made.moments] == [0.0, 8.0]
    assert [sentence.moments[0].start for sentence in made.sentences] == [0.0, 8.0]
