# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read for an answer, and where a jump to it goes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval.finding.sentences.answer_reader import ChunkBatch, EncodedQuestion, shipped_reader
from retrieval.finding.sentences.calibration import ANSWERED
from retrieval.finding.sentences.find_sentences import (
    choose_runs,
    encode_question,
    find_sentences,
    gather_candidates,
    non_overlapping,
)
from retrieval.finding.sentences.sentence_features import FEATURE_NAMES
from retrieval.finding.sentences.sentence_ranker import score_runs
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.token_store import MAX_WORDS, WIDTH, TokenStore, build_token_store, quantize_rows
from retrieval.model import JUMP_BACK, Question, SentenceRun
from voice.model import Cue

TALK = (
    ("Ida", "Welcome to the garden hour. Today we look at what happens in late summer, when the days get shorter."),
    ("Ben", "When do you take the honey?"),
    ("Ida", "We take it in August. The hive is weighed first, because a light hive starves in the winter."),
    ("Ben", "And what goes on the compost?"),
    ("Ida", "Kitchen scraps, leaves and a little soil, turned once a month with a fork."),
    ("Ida", "My neighbour Walter built the shed in 1987, and it has stood ever since, whatever the storms did to it."),
)
CUES = tuple(Cue(10.0 * number, 10.0 * number + 9, text, name) for number, (name, text) in enumerate(TALK))


@pytest.fixture(scope="module")
def library(embedder: Embedder, with_demo: Callable[[], SqliteIndex]) -> SqliteIndex:
    """The demo and a garden episode, with their token stores."""
    index, found = with_demo(), passages("garden", CUES)
    rows = embedder.encode([passage.text for passage in found])
    index.add("garden", found, rows, "", build_token_store(CUES, embedder))
    return index


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("When is the honey taken?", "August"),
        ("Which year was the shed built?", "1987"),
        ("What belongs on the compost?", "Kitchen scraps"),
    ],
)
def test_the_sentence_that_answers_is_found_in_an_episode_and_a_library(
    library: SqliteIndex, embedder: Embedder, asked: str, said: str
) -> None:
    for episode in ("garden", None):
        found = find_sentences(Question(asked, episode), library, embedder)
        assert said in found.runs[0].text
        assert found.runs[0].episode_id == "garden"
        assert found.answered >= ANSWERED


def test_a_jump_goes_to_the_question_only_when_that_is_close(library: SqliteIndex, embedder: Embedder) -> None:
    best = find_sentences(Question("When is the honey taken?", "garden"), library, embedder).runs[0]
    assert best.asked == "When do you take the honey?"
    assert best.jump == best.asked_at == 10.0
    assert best.start >= 20.0
    assert SentenceRun("x", 30.0, 40.0, "", asked="Why?", asked_at=30.0 - JUMP_BACK - 0.1).jump == 30.0


def test_runs_are_apart_of_one_speaker_and_short(library: SqliteIndex, embedder: Embedder) -> None:
    runs = find_sentences(Question("What happens in the garden?"), library, embedder, 8).runs
    assert 1 < len(runs) <= 8
    assert [run.share for run in runs] == sorted((run.share for run in runs), reverse=True) or len(runs) > 1
    for number, run in enumerate(runs):
        assert run.start < run.end
        assert len(run.text.split()) <= MAX_WORDS
        for other in runs[number + 1 :]:
            assert run.episode_id != other.episode_id or run.end <= other.start or other.end <= run.start


@pytest.mark.parametrize("heard", [0.0, 18.9, 29.1, 500.0])
def test_nothing_beyond_what_was_heard_is_read(library: SqliteIndex, embedder: Embedder, heard: float) -> None:
    for episode in ("garden", None):
        found = find_sentences(Question("When is the honey taken?", episode, heard_until=heard), library, embedder)
        assert all(run.end <= heard for run in found.runs)
        assert bool(found.runs) or heard < 30 or episode is None


def test_what_cannot_be_read_gives_nothing(library: SqliteIndex, embedder: Embedder, tmp_path: Path) -> None:
    assert find_sentences(Question("  "), library, embedder).runs == ()
    assert find_sentences(Question("honey", "no such episode"), library, embedder).runs == ()
    assert find_sentences(Question("honey", "garden"), library, embedder, within=["demo"]).runs == ()
    index = SqliteIndex.open(tmp_path)
    assert find_sentences(Question("honey"), index, embedder).runs == ()
    found = passages("garden", CUES)
    index.add("garden", found, embedder.encode([passage.text for passage in found]))
    assert find_sentences(Question("honey", "garden"), index, embedder).runs == ()  # no token store was given


def test_a_script_keeps_times_words_and_pieces_together(embedder: Embedder) -> None:
    long = Cue(0.0, 100.0, "and so it goes on, " * 30 + "until it ends.", "Ida")
    later = [Cue(cue.start + 100, cue.end + 100, cue.text, cue.speaker) for cue in CUES]
    said = build_token_store([long, *later], embedder)
    assert all(len(text.split()) <= MAX_WORDS for text in said.texts)
    places = said.sentences
    assert (np.diff(places["start"]) >= 0).all()
    assert (places["first"][1:] >= places["last"][:-1]).all()
    assert int(places["last"][-1]) == len(said.ids) == len(said.codes)
    again = TokenStore.from_blobs(*said.to_blobs())
    assert again.texts == said.texts
    assert (again.codes == said.codes).all()
    half = said.until(105.0)
    assert max(half.sentences["end"]) <= 105.0
    assert len(half.ids) == int(half.sentences["last"][-1])
    empty = build_token_store([], embedder)
    assert empty.texts == ()
    assert empty.codes.shape == (0, WIDTH)


def test_codes_keep_directions() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, WIDTH)).astype(np.float32)
    made = quantize_rows(vectors).astype(np.float32)
    cosines = (vectors * made).sum(axis=1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(made, axis=1)
    assert cosines.min() > 0.999


def test_padding_changes_nothing() -> None:
    pick = np.random.default_rng(1)
    reader, asked = shipped_reader(), EncodedQuestion(
        pick.normal(size=(6, WIDTH)).astype(np.float32), np.ones(6, bool), np.array([2000], np.uint16)
    )
    vectors = pick.normal(size=(2, 40, WIDTH)).astype(np.float32)
    ids = pick.integers(1000, 9000, (2, 40)).astype(np.uint16)
    there, no = np.ones((2, 40), bool), np.zeros((2, 40), bool)
    there[1, 25:] = False
    both = reader(ChunkBatch(vectors, there, ids, no, no), asked)
    alone = reader(
        ChunkBatch(vectors[1:, :25], there[1:, :25], ids[1:, :25], no[1:, :25], no[1:, :25]), asked
    )
    assert both.logits[1, :25] == pytest.approx(alone.logits[0], abs=1e-3)
    assert (both.logits[1, 25:] < -1e3).all()


def test_words_of_the_question_that_are_said_next_to_a_chunk_count_for_it(embedder: Embedder) -> None:
    filler = "We walked for a while along the river and looked at the boats that came by in the evening light. "
    cues = [
        Cue(10.0 * number, 10.0 * number + 9, text, "Ida") for number, text in enumerate((
            filler * 4, "The shed was built by my neighbour Walter after the great storm. " + filler * 3,
            "It took him from March until the end of June. " + filler * 3, filler * 4, filler * 4,
        ))
    ]  # fmt: skip
    said, reader = build_token_store(cues, embedder), shipped_reader()
    asked = encode_question("How long did Walter build the shed?", embedder, reader)
    candidates = gather_candidates("How long did Walter build the shed?", [("e", said)], asked, reader)
    matches = candidates.features[:, FEATURE_NAMES.index("chunk")]
    match = dict(zip([run.first for run in candidates.runs], matches, strict=True))
    told = next(at for at, text in enumerate(said.texts) if text.startswith("It took him"))
    far = max(match)
    assert said.sentences["chunk"][told] != said.sentences["chunk"][told - 4], "another chunk than the question's words"
    assert match[told] > match[far]


@pytest.mark.parametrize(
    ("turn", "asks"),
    [
        ("That brings us to the shed. Tell us when it was built.", True),
        ("You know the shed well. When was it built?", True),
        ("When was it built? It was built in the summer of that year.", False),
        ("It was built in the summer. We painted it in the autumn.", False),
    ],
)
def test_what_leads_to_a_question_is_the_askers(embedder: Embedder, turn: str, asks: bool) -> None:
    cues = [Cue(0, 9, turn, "Ida"), Cue(10, 19, "My neighbour Walter knows all about that shed.", "Ben")]
    said, reader = build_token_store(cues, embedder), shipped_reader()
    text = "When was the shed built?"
    candidates = gather_candidates(text, [("e", said)], encode_question(text, embedder, reader), reader)
    column = FEATURE_NAMES.index("asking")
    mine = [row[column] for place, row in zip(candidates.runs, candidates.features, strict=True) if place.last <= 2]
    assert mine
    assert all(value == asks for value in mine)


@pytest.mark.parametrize(
    ("text", "speakers", "unheard"),
    [
        ("What does Walter think of the storms?", ("Ida", "Ben"), False),
        ("What does Walter think of the storms?", ("Walter Green", "Ben"), False),
        ("What did Adam Back say about the storms?", ("Ida", "Ben"), True),
        ("What is Adam Back's opinion on the storms?", ("Ida", "Ben"), True),
        ("What do they think of the storms?", ("Ida", "Ben"), False),
        ("What does Adam Back think of the storms?", ("", ""), False),
        ("What does Adam Back think of the storms?", ("Host", "Guest"), False),
    ],
)
def test_whose_view_is_asked_for_must_speak_or_be_named(
    embedder: Embedder, text: str, speakers: tuple[str, str], unheard: bool
) -> None:
    said = "My neighbour built the shed." if "Green" in speakers[0] else "My neighbour Walter built the shed."
    cues = [
        Cue(0, 9, f"{said} The storms of the last years did nothing to it.", speakers[0]),
        Cue(10, 19, "That is good to hear after such a winter.", speakers[1]),
    ]
    told, reader = build_token_store(cues, embedder), shipped_reader()
    candidates = gather_candidates(text, [("e", told)], encode_question(text, embedder, reader), reader)
    column = FEATURE_NAMES.index("unheard")
    mine = [row[column] for run, row in zip(candidates.runs, candidates.features, strict=True) if run.last <= 2]
    assert mine
    assert all(value == unheard for value in mine)


def test_the_less_there_is_of_a_word_that_was_asked_for_the_less_it_is_an_answer(
    library: SqliteIndex, embedder: Embedder
) -> None:
    there = find_sentences(Question("Which year was the shed built?", "garden"), library, embedder)
    gone = find_sentences(Question("Which year was the lighthouse built?", "garden"), library, embedder)
    assert gone.answered < there.answered


def test_of_a_run_the_shortest_part_is_taken_that_is_as_likely_to_answer(
    library: SqliteIndex, embedder: Embedder
) -> None:
    text = "Which year was the shed built?"
    with library.snapshot() as snapshot:
        said = snapshot.token_store("garden")
    assert said is not None
    reader = shipped_reader()
    candidates = gather_candidates(text, [("garden", said)], encode_question(text, embedder, reader), reader)
    best = choose_runs(candidates, 3).runs[0]
    picked, _ = non_overlapping(candidates, score_runs(candidates.features), 3)
    whole = candidates.runs[picked[0]]
    assert "1987" in best.text
    assert len(best.text.split()) <= whole.words
    assert best.text in " ".join(said.texts[whole.first : whole.last])
