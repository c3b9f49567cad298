# SPDX-License-Identifier: GPL-3.0-or-later
"""What limits a search, and what a moment holds."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from retrieval.finding.sections import find_sections as module
from retrieval.finding.sections.find_sections import COVERED, find_sections
from retrieval.finding.sections.section_ranker import placed, shipped_ranker
from retrieval.finding.sections.unit_evidence import UnitBatch
from retrieval.index.chunking import passages
from retrieval.index.embedding import DIMENSION, Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.unit_statistics import focus, topic_shifts
from retrieval.model import Question
from voice.model import Cue

BEES = (
    "Welcome to the garden hour. Today we look at what happens in late summer, when the days get shorter. "
    "I planted beans along the fence in May and they are taller than I am.",
    "Let's talk about bees. A beekeeper takes the honey in August and leaves enough of it for the winter. "
    "The hive is weighed first, because a light hive starves. Sugar water helps, but it is no honey.",
    "And then there is compost. Kitchen scraps, leaves and a little soil, turned once a month with a fork. "
    "It should smell like a forest. If it smells bad it is too wet, so add straw.",
)


@pytest.fixture(scope="module")
def library(embedder: Embedder, with_demo: Callable[[], SqliteIndex]) -> SqliteIndex:
    """The demo and a garden episode."""
    garden = tuple(Cue(30.0 * number, 30.0 * number + 29, text, "Ida") for number, text in enumerate(BEES))
    index, found = with_demo(), passages("garden", garden)
    index.add("garden", found, embedder.encode([passage.text for passage in found]))
    return index


def test_the_whole_library_is_searched_and_one_episode_alone(library: SqliteIndex, embedder: Embedder) -> None:
    best = find_sections(Question("When does a beekeeper take the honey?"), library, embedder)[0]
    assert (best.episode_id, best.start) == ("garden", 30.0)
    assert best.quote.startswith("Let's talk about bees.")
    assert best.speaker == "Ida"
    inside = find_sections(Question("When does a beekeeper take the honey?", "demo"), library, embedder)
    assert {moment.episode_id for moment in inside} == {"demo"}
    assert inside[0].confidence < best.confidence
    assert find_sections(Question("organic alignment"), library, embedder)[0].episode_id == "demo"


@pytest.mark.parametrize("episode", ["demo", None])
@pytest.mark.parametrize("heard", [8.0, 31.0, 200.0, 333.3])
def test_nothing_beyond_what_was_heard_is_found(
    library: SqliteIndex, embedder: Embedder, episode: str | None, heard: float
) -> None:
    for text in ("Can a machine become a peer?", "What about compost?"):
        found = find_sections(Question(text, episode, heard_until=heard), library, embedder)
        assert found or heard < 10
        assert all(moment.start < moment.end <= heard for moment in found)
        assert "peer" not in " ".join(moment.quote for moment in found if moment.episode_id == "demo")
    assert find_sections(Question("anything", episode, heard_until=0.0), library, embedder) == []


def test_what_was_not_heard_makes_nothing_surer(library: SqliteIndex, embedder: Embedder) -> None:
    question = Question("Can a machine become a peer?", "demo")
    heard = find_sections(replace(question, heard_until=200.0), library, embedder)[0]
    assert heard.confidence < COVERED <= find_sections(question, library, embedder)[0].confidence


def test_a_search_keeps_within_the_episodes_it_is_given(library: SqliteIndex, embedder: Embedder) -> None:
    question = Question("When does a beekeeper take the honey?")
    assert {moment.episode_id for moment in find_sections(question, library, embedder, within=["demo"])} == {"demo"}
    assert find_sections(question, library, embedder, within={"demo", "garden", "gone"})[0].episode_id == "garden"
    assert find_sections(question, library, embedder, within=()) == []
    assert find_sections(replace(question, episode_id="garden"), library, embedder, within=["demo"]) == []


def test_a_search_within_many_episodes_passes_over_all_others(
    library: SqliteIndex, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EPISODES", 1)
    question = Question("When does a beekeeper take the honey?")
    for within, best in ((["demo", "garden"], "garden"), (["demo", "x"], "demo"), (["x", "garden"], "garden")):
        assert {moment.episode_id for moment in find_sections(question, library, embedder, within=within)} == {best}


def test_moments_are_apart_and_best_first(library: SqliteIndex, embedder: Embedder) -> None:
    found = find_sections(Question("care", "demo"), library, embedder, 5)
    assert len(found) == 5
    starts = sorted(moment.start for moment in found)
    assert min(b - a for a, b in pairwise(starts)) >= 30
    assert max(moment.confidence for moment in found) == found[0].confidence
    assert all(0 <= moment.confidence <= 1 and moment.start < moment.end for moment in found)


def test_a_title_speaks_for_its_episode(embedder: Embedder, tmp_path: Path) -> None:
    index = SqliteIndex.open(tmp_path)
    for name, title in (("a", "In the garden"), ("b", "The Beekeepers' Year"), ("c", "")):
        found = passages(name, [Cue(30.0 * number, 30.0 * number + 29, text) for number, text in enumerate(BEES)])
        index.add(name, found, embedder.encode([passage.text for passage in found]), title)
    assert find_sections(Question("When does a beekeeper take the honey?"), index, embedder)[0].episode_id == "b"
    with index.snapshot() as snapshot:
        episode = snapshot.episode_passages("b")
        assert episode is not None
        assert [snapshot.in_title(word, episode) for word in ("beekeeper", "years", "honey")] == [True, True, False]


def test_what_cannot_be_searched_gives_nothing(library: SqliteIndex, embedder: Embedder, tmp_path: Path) -> None:
    assert find_sections(Question("  "), library, embedder) == []
    assert find_sections(Question("bees", "no such episode"), library, embedder) == []
    assert find_sections(Question("bees"), SqliteIndex.open(tmp_path), embedder) == []
    assert find_sections(Question("?!"), library, embedder)
    assert find_sections(Question('bees " OR * NEAR( -'), library, embedder)


def test_words_the_library_writes_otherwise_are_found(library: SqliteIndex) -> None:
    with library.snapshot() as snapshot:
        assert snapshot.words("homeo stasis") == ["homeostasis"]
        assert snapshot.words("bee keeper") == ["beekeeper"]
        assert snapshot.words("the chat bots") == ["the", "chatbots"]
        assert snapshot.words("aprentise") == ["apprentic"]
        assert snapshot.words("zyzzyva") == ["zyzzyva"]


def test_the_ranker_reads_only_features_that_are_made(library: SqliteIndex, embedder: Embedder) -> None:
    assert find_sections(Question("compost"), library, embedder, ranker=shipped_ranker())[0].episode_id == "garden"


def test_shares_add_up_and_worth_gathers_what_is_close(library: SqliteIndex) -> None:
    with library.snapshot() as snapshot:
        batch = UnitBatch([episode for name in snapshot.episodes if (episode := snapshot.episode_passages(name))])
    share, _, worth = placed(batch, np.linspace(-5, 5, len(batch.here)), np.zeros(len(batch.here)))
    assert np.add.reduceat(np.exp(share), batch.edges[:-1]).tolist() == pytest.approx([1.0, 1.0])
    assert np.exp(worth).max() <= 2.4
    scores = np.full(len(batch.here), -9.0)
    scores[[5, 20, 21, 22]] = [0.2, 0.0, 0.0, 0.0]
    share, _, worth = placed(batch, scores, np.zeros(len(scores)))
    demo = slice(batch.edges[0], batch.edges[1])
    assert int(np.argmax(share[demo])) == 5
    assert int(np.argmax(worth[demo])) in (20, 21, 22)


def test_seams_are_where_the_subject_changes() -> None:
    one, two = np.eye(DIMENSION, dtype=np.float32)[:2]
    found = topic_shifts(np.stack([one] * 5 + [two] * 5), [30] * 10)
    assert found[:, 1].argmax() in (0, 5)
    assert found[5, 1] == pytest.approx(1.0)
    assert found[3, 0] == pytest.approx(0.0, abs=1e-6)


def test_focus_prefers_what_only_one_unit_says() -> None:
    noise = np.random.default_rng(0).normal(0, 0.03, (12, DIMENSION)).astype(np.float32)
    show, topic = np.eye(DIMENSION, dtype=np.float32)[:2]
    vectors = noise + show
    vectors[:6] += 0.5 * show  # the show's subject, here more, there less
    vectors[8] += 0.4 * topic
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows, offset = focus(vectors)
    question = (show + topic) / np.sqrt(2)
    assert int(np.argmax(rows @ question - offset)) == 8
    assert focus(vectors[:0])[0].shape == (0, DIMENSION)
