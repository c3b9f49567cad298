# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer quotes only what was said, where it was said."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodes.text.disfluencies import GAP, trimmed
from retrieval.answers.compose import compose
from retrieval.index.similarity import Near
from retrieval.model import Moment, Question
from voice.model import Cue, clock

NOWHERE = Near(lambda episode_id, start, end: [], lambda texts: [0.0] * len(texts))
"""Nothing is near: words in common are enough to choose sentences by."""


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
])  # fmt: skip
def test_fillers_and_false_starts_go(said: str, kept: str) -> None:
    result = trimmed(said)
    assert result.replace(GAP, " ") == kept.replace(GAP, " ")


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
@given(TURNS, st.integers(0, 7), st.floats(0, 1), st.booleans(), st.integers(5, 90))
def test_every_quoted_run_stands_in_the_cues_at_its_time(
    turns: list[tuple[str, list[tuple[list[str], str]]]], at: int, sure: float, library: bool, length: int
) -> None:
    cues, clock_time = [], 0.0
    for speaker, parts in turns:
        text = " ".join(" ".join(words) + end for words, end in parts)
        cues.append(Cue(clock_time, clock_time + len(text) / 15, text, speaker))
        clock_time = cues[-1].end + 0.3
    start = cues[at % len(cues)].start
    moments = [Moment("e", start, start + length, cues[at % len(cues)].text, cues[at % len(cues)].speaker, sure)]
    question = Question("when do nodes ask peers?", None if library else "e")
    answer = compose(question, moments, {"e": "Blocks"}, lambda _: cues, NOWHERE)
    assert answer.sentences
    for sentence in answer.sentences:
        for quote in re.findall("“(.*?)”", sentence.text, re.DOTALL):
            (moment,) = sentence.moments
            said = " ".join(cue.text for cue in cues if cue.start < moment.end and cue.end > moment.start)
            place = 0
            for run in quote.removesuffix(" …").split(GAP):
                place = said.index(run, place) + len(run)
            assert moment.speaker in {cue.speaker for cue in cues if cue.start < moment.end and cue.end > moment.start}
    if answer.covered:
        assert clock(answer.sentences[0].moments[0].start) in answer.text


def test_an_answer_names_time_speaker_and_over_the_library_the_episode() -> None:
    cues = [
        Cue(60, 63, "What is a nonce?", "Ann"),
        Cue(63, 70, "Um, a nonce is a number that is used once. People forget that.", "Bob"),
    ]
    moment = Moment("e", 60, 70, "", "Ann", 0.9)
    inside = compose(Question("what is a nonce", "e"), [moment], {"e": "Numbers"}, lambda _: cues, NOWHERE)
    assert inside.text == "At 1:03, Bob says: “a nonce is a number that is used once. People forget that.”"
    assert inside.covered
    assert inside.moments[0].start == 60  # the jump takes in the question
    over = compose(Question("what is a nonce"), [moment], {"e": "Numbers"}, lambda _: cues, NOWHERE)
    assert over.text.startswith("In Numbers, at 1:03, Bob says: “a nonce")


def test_declining_names_the_nearest_and_where_it_is_covered() -> None:
    cues = [Cue(0, 6, "We talked about the weather for an hour.", "")]
    poor = Moment("e", 0, 6, "", "", 0.1)
    answer = compose(Question("what is a nonce", "e"), [poor], {"e": "Rain"}, lambda _: cues, NOWHERE)
    assert not answer.covered
    assert answer.text == (
        "This episode does not cover that. The nearest is at 0:00: “We talked about the weather for an hour.”"
    )
    other = Moment("f", 90, 99, "", "", 0.9)
    there = [Cue(90, 93, "What is a nonce?", "Ann"), Cue(93, 99, "A nonce is a number that is used once.", "Bob")]
    titles = {"e": "Rain", "f": "Numbers"}
    answer = compose(
        Question("what is a nonce", "e"), [poor], titles, {"e": cues, "f": there}.__getitem__, NOWHERE, [other]
    )
    assert answer.text == (
        "This episode does not cover that. But Numbers does, at 1:33: “A nonce is a number that is used once.”"
    )
    assert answer.sentences[1].moments[0].episode_id == "f"
    assert compose(Question("x"), [], {}, lambda _: cues, NOWHERE).text == "I found nothing about that."


def test_nothing_is_quoted_from_beyond_what_was_heard() -> None:
    cues = [Cue(0, 5, "Who did it?", "Ann"), Cue(5, 10, "Wait.", "Bob"), Cue(10, 15, "The butler did it.", "Bob")]
    moment = Moment("e", 0, 15, "", "Ann", 0.9)
    question = Question("who did it, the butler?", "e", heard_until=9.0)
    answer = compose(question, [moment], {}, lambda _: cues, NOWHERE)
    assert "butler did" not in answer.text


def test_times_are_said_as_people_write_them() -> None:
    assert [clock(0), clock(59.9), clock(754), clock(3723)] == ["0:00", "0:59", "12:34", "1:02:03"]


def test_what_may_be_beside_the_point_is_said_with_reserve() -> None:
    cues = [Cue(0, 6, "We talked about the weather for an hour and nothing else.", "Ann")]
    unsure = Moment("e", 0, 6, "", "Ann", 0.45)
    text = "Perhaps this: at 0:00, Ann says: “We talked about the weather for an hour and nothing else.”"
    assert compose(Question("what is a nonce", "e"), [unsure], {}, lambda _: cues, NOWHERE).text == text
    like = Near(NOWHERE.stored, lambda texts: [0.6] * len(texts))
    assert compose(Question("what is it like", "e"), [unsure], {}, lambda _: cues, like).text.startswith("At 0:00, Ann")
