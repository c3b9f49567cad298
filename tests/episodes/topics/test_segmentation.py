# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics found in text, and the benchmark's own arithmetic."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodes.model import Chapter, Cue
from episodes.text.sentences import sentences
from episodes.topics.cohesion import Embed
from episodes.topics.segmentation import _costs, bounds, divide, segment
from tests.benchmarks import topics as benchmark
from tests.episodes.conftest import hashed

SUBJECTS = {
    "bees": "hive queen brood honey wax pollen nectar swarm drone comb".split(),  # noqa: SIM905
    "ships": "keel sail mast anchor harbour rudder deck captain crew rope".split(),  # noqa: SIM905
    "bread": "flour dough oven yeast crust loaf baker knead salt crumb".split(),  # noqa: SIM905
}


def talk(parts: Sequence[tuple[str, int]]) -> list[Cue]:
    """Sentences of 8 seconds about one subject after another, with the subject's own words."""
    rng = np.random.default_rng(5)
    cues: list[Cue] = []
    for subject, length in parts:
        for _ in range(length):
            words = rng.choice(SUBJECTS[subject], 4, replace=False)
            text = "The {} and the {} of a {} by the {}.".format(*words)
            cues.append(Cue(8.0 * len(cues), 8.0 * len(cues) + 7.5, text, "Ann" if len(cues) % 2 else "Bob"))
    return cues


def test_a_boundary_is_where_the_subject_changes(embed: Embed) -> None:
    cues = talk([("bees", 14), ("ships", 9), ("bread", 20)])
    segments = segment(cues, embed, count=3)
    assert [part.start for part in segments] == pytest.approx([0.0, 14 * 8.0, 23 * 8.0], abs=16)  # two sentences
    assert [part.end for part in segments] == [segments[1].start, segments[2].start, cues[-1].end]
    assert segment(cues, embed, count=3) == segments


def test_chapters_win_and_begin_with_a_sentence(embed: Embed) -> None:
    cues = talk([("bees", 14), ("ships", 9)])
    segments = segment(cues, embed, [Chapter(0, "Hello"), Chapter(50.5, "Middle"), Chapter(5000, "After the end")])
    assert [(part.start, part.title) for part in segments] == [(0.0, "Hello"), (48.0, "Middle")]
    late = segment(cues, embed, [Chapter(40, "Late"), Chapter(80, "Later")])
    assert [(part.start, part.title) for part in late] == [(0.0, ""), (40.0, "Late"), (80.0, "Later")]
    alone = segment(cues, embed, [Chapter(0, "The whole talk")])
    assert alone == segment(cues, embed)


def test_a_question_belongs_to_its_answer(embed: Embed) -> None:
    bees, ships = talk([("bees", 12)]), talk([("bees", 12), ("ships", 12)])[12:]
    asked = Cue(96.0, 98.0, "So what then?", "Bob")
    cues = [*(Cue(cue.start, cue.end, cue.text, "Ann") for cue in bees), asked,
            *(Cue(cue.start + 8, cue.end + 8, cue.text, "Ann") for cue in ships)]  # fmt: skip
    assert [part.start for part in segment(cues, embed, count=2)] == [0.0, 96.0]


def test_what_is_too_short_or_empty_is_one_topic_or_none(embed: Embed) -> None:
    assert segment([], embed) == []
    assert segment([Cue(0, 1, "  ")], embed) == []
    (only,) = segment([Cue(3.0, 9.0, "Hello. There.")], embed)
    assert (only.start, only.end) == (3.0, 9.0)
    assert len(segment(talk([("bees", 3)]), embed, count=50)) <= 3


def test_topics_are_of_a_length_that_people_follow() -> None:
    assert [bounds(minutes * 60) for minutes in (0.2, 1, 10, 60, 180)] == [(1, 1), (1, 2), (1, 12), (8, 20), (22, 60)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*SUBJECTS]), st.integers(1, 9)), min_size=1, max_size=8), st.integers(1, 9))
def test_topics_cover_the_talk_in_order_and_begin_with_sentences(parts: list[tuple[str, int]], count: int) -> None:
    cues = talk(parts)
    segments = segment(cues, hashed, count=count)
    assert 1 <= len(segments) <= count
    assert segments[0].start == cues[0].start
    assert segments[-1].end == cues[-1].end
    assert all(before.end == after.start for before, after in pairwise(segments))
    starts = {line.start for line in sentences(cues)}
    assert all(part.start in starts and part.start < part.end for part in segments)


def test_a_whole_day_of_talk_is_divided(embed: Embed) -> None:
    lines = sentences(talk([("bees", 1500), ("ships", 1200), ("bread", 1800)]))
    starts = divide(embed([line.text for line in lines]), lines, 3)
    assert starts == pytest.approx([0, 1500, 2700], abs=9)  # nine are seen together


def test_the_benchmark_counts_as_the_papers_do(tmp_path: Path) -> None:
    gold = np.zeros(20, bool)
    gold[10] = True
    assert benchmark.pk(gold, gold) == benchmark.window_diff(gold, gold) == 0.0
    none = np.zeros(20, bool)
    assert benchmark.pk(gold, none) == pytest.approx(5 / 15)  # 5 of 15 windows of 5 cues hold the boundary
    near = np.zeros(20, bool)
    near[11] = True
    assert benchmark.window_diff(gold, near) == pytest.approx(2 / 15)
    cues = talk([("bees", 14), ("ships", 9), ("bread", 20)])
    item = {
        "id": "x", "cues": [{"start": c.start, "end": c.end, "text": c.text, "speaker": c.speaker} for c in cues],
        "levels": {"coarse": [{"start": 0, "end": 112, "title": "a"}, {"start": 112, "end": 184, "title": "b"},
                              {"start": 184, "end": 344, "title": "c"}]},
    }  # fmt: skip
    (tmp_path / "topics.jsonl").write_text(json.dumps(item) + "\n")
    rows = benchmark.run(tmp_path, hashed)["coarse"]
    assert rows["earmark"]["given_pk"] < rows["equidistant"]["given_pk"]
    assert rows["earmark"]["given_topics"] == 3
    assert rows["equidistant"]["given_pk"] > 0.1
    assert set(rows) == {"earmark", "equidistant", "random", "texttiling", "divisive"}


def test_a_further_topic_costs_more_where_there_are_many_already() -> None:
    """A short talk is divided wherever its subject changes; a long one rather into as many as people follow."""
    short, long = (np.diff(_costs(12, 100, minutes * 60.0)) for minutes in (9, 24))
    assert np.allclose(short, short[0])
    assert long[0] < short[0] and long[-1] > short[-1]  # three topics are usual for 24 minutes
    assert np.argmin(_costs(12, 100, 24 * 60.0) - np.arange(12) * short[0]) == 2
