# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggested questions are tried before they are shown."""

from collections.abc import Sequence

import pytest

from episodes.demo import digested
from episodes.topics.segmentation import segment
from episodes.topics.summary import QUESTIONS, digest
from retrieval.finding.sections.answerability import cache_latest, where_answered
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder, Matrix
from tests.retrieval.conftest import demo_cues

SUGGESTED = {"What is organic alignment?", "Could a machine ever become a peer?"}
TITLES = {"Organic alignment", "Machine minds", "Layers of homeostasis"}


def test_what_comes_with_the_demo_suggests_what_it_answers() -> None:
    """It is what taking it in makes, see tests/ui/test_companion.py."""
    topics, found = digested()
    assert len(found.questions) == QUESTIONS
    assert {*found.questions} >= SUGGESTED
    assert {part.title for part in topics} >= TITLES


@pytest.mark.long
def test_what_the_demo_suggests_is_answered_in_its_topic(embedder: Embedder) -> None:
    cues, _ = demo_cues()
    topics = segment(cues, embedder.encode)
    titled, found = digest(cues, topics, embedder.encode, lambda asked: where_answered(cues, asked, embedder))
    assert len(found.questions) == QUESTIONS
    assert {*found.questions} >= SUGGESTED
    assert {part.title for part in titled} >= TITLES


def test_an_episode_that_is_tried_and_indexed_is_embedded_once(embedder: Embedder) -> None:
    cues = demo_cues()[0][:5]
    seen: list[int] = []

    def encode(texts: Sequence[str]) -> Matrix:
        seen.append(len(texts))
        return embedder.encode(texts)

    remembering = cache_latest(encode)
    assert where_answered(cues, ["What is organic alignment?"], embedder, remembering) != [None]
    again = [passage.text for passage in passages("demo", cues)]
    assert (remembering(again) == embedder.encode(again)).all()
    assert seen == [len(again)]
    remembering(again[:3])
    assert seen == [len(again), 3]


def test_what_is_not_covered_is_nowhere(embedder: Embedder) -> None:
    cues, topics = demo_cues()
    cues = tuple(cue for cue in cues if cue.start < topics[3])
    bees, football = where_answered(cues, ["What is organic alignment?", "Who won the football match?"], embedder)
    assert bees is not None
    assert topics[1] - 10 <= bees < topics[2]
    assert football is None
    assert where_answered([], ["What is organic alignment?"], embedder) == [None]
