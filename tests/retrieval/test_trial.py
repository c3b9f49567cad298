# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggested questions are tried before they are shown."""

from episodes.digest import QUESTIONS, digest
from episodes.segments import segment
from retrieval.embed import Embedder
from retrieval.trial import answered
from tests.retrieval.conftest import demo_cues


def test_what_the_demo_suggests_is_answered_in_its_topic(embedder: Embedder) -> None:
    cues, _ = demo_cues()
    topics = segment(cues, embedder.encode)
    titled, found = digest(cues, topics, embedder.encode, lambda asked: answered(cues, asked, embedder))
    assert len(found.questions) == QUESTIONS
    assert {"What is organic alignment?", "Could a machine ever become a peer?"} <= {*found.questions}
    assert {"Organic alignment", "Machine minds", "Layers of homeostasis"} <= {part.title for part in titled}


def test_what_is_not_covered_is_nowhere(embedder: Embedder) -> None:
    cues, topics = demo_cues()
    bees, football = answered(cues, ["What is organic alignment?", "Who won the football match?"], embedder)
    assert bees is not None
    assert topics[1] - 10 <= bees < topics[2]
    assert football is None
    assert answered([], ["What is organic alignment?"], embedder) == [None]
