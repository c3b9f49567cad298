# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question looks for, and whom it names."""

from pathlib import Path

import pytest

from retrieval.finding.sections.query import build_query, matter, named_speakers
from retrieval.finding.sections.unit_evidence import gather_evidence
from retrieval.finding.sections.unit_features import section_features
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from voice.model import Cue

MEETING = ("Grad A", "Grad D", "PhD C", "Hon. Bill Blair", "Hon. Bill Morneau (Minister of Finance)", "Speaker 4", "")


@pytest.mark.parametrize(
    ("asked", "looked_for"),
    [
        ("What did Grad D think about pruning the tree?", "pruning the tree"),
        ("Summarize the discussion about X-rays.", "X-rays"),
        ("Where do they talk about high fees?", "high fees"),
        ("What’s Taproot", "Taproot"),
        ("What's Taproot?", "Taproot"),
        ("Why did Bill Morneau agree to the budget?", "budget"),
        ("The cost of running a node", "cost of running a node"),
        ("What is this about?", "What is this about?"),
        ("Who is Grad A?", "Who is Grad A?"),
        ("", ""),
        ("?!", "?!"),
    ],
)
def test_what_only_asks_is_left_out(asked: str, looked_for: str) -> None:
    assert matter(asked, MEETING) == looked_for


@pytest.mark.parametrize(
    ("asked", "speaker"),
    [
        ("What did Grad D think of it?", 1), ("Why did C disagree?", 2), ("what does morneau say about taxes", 4),
        ("What about Bill Blair?", 3),
    ],
)  # fmt: skip
def test_who_is_named_most_clearly(asked: str, speaker: int) -> None:
    assert int(named_speakers(asked, MEETING).argmax()) == speaker


@pytest.mark.parametrize("asked", ["What is a speaker?", "A plan, I think", "what a grade d is", "", "is 4 enough"])
def test_nobody_is_named_by_chance(asked: str) -> None:
    assert not named_speakers(asked, MEETING).any()
    assert named_speakers(asked, ()).shape == (0,)


def test_what_is_named_is_looked_for_where_they_speak(embedder: Embedder, tmp_path: Path) -> None:
    text = "Compost should smell like a forest, so I turn it with a fork once a month and add some straw to it."
    cues = [Cue(30.0 * at, 30.0 * at + 29, text, ("Ida", "Ben")[at % 2]) for at in range(8)]
    found = passages("garden", cues)
    index = SqliteIndex.open(tmp_path)
    index.add("garden", found, embedder.encode([passage.text for passage in found]))
    with index.snapshot() as snapshot:
        episode = snapshot.episode_passages("garden")
        assert episode is not None
        what = build_query(snapshot, embedder, "What does Ben say about compost?", episode)
        assert what.words == ("compost",)
        assert what.vector.tolist() == embedder.encode_question("compost").tolist()
        evidence = gather_evidence(snapshot, [episode, episode.until(90.0)], what)
    speaks = [float(episode.speakers[number] == "Ben") for number in episode.speaker]
    assert evidence.named.tolist() == [*speaks, *speaks[: len(evidence.named) - len(speaks)]]
    computed = section_features(evidence)
    begins = [float(one and not before) for one, before in zip(speaks, [0.0, *speaks], strict=False)]
    assert computed["named_begins"][: len(speaks)].tolist() == begins


def test_a_run_is_as_long_as_what_it_is_about(embedder: Embedder, tmp_path: Path) -> None:
    bees = "The bees leave the hive in the morning and bring home what they have found in the flowers all day long."
    rest = "The council met about the road again, and the road will be mended when there is money for it, they say."
    index = SqliteIndex.open(tmp_path)
    cues = [Cue(10.0 * at, 10.0 * at + 9, bees if 6 <= at < 14 else rest, "Ida") for at in range(30)]
    found = passages("talk", cues)
    index.add("talk", found, embedder.encode([passage.text for passage in found]))
    with index.snapshot() as snapshot:
        episode = snapshot.episode_passages("talk")
        assert episode is not None
        found = gather_evidence(snapshot, [episode], build_query(snapshot, embedder, "bees and their hive", episode))
        computed = section_features(found)
    start = int(episode.start.searchsorted(60.0))
    for name in ("near", "word"):
        ahead, behind = computed[f"run_{name}_0.4"], computed[f"run_-{name}_0.4"]
        assert int(ahead.argmax()) == start
        assert behind[start] == 0.0 and behind[start + 1] > 0.0
