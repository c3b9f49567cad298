# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks of finding run on any set of their format, and say what they are asked to say."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.token_store import build_token_store
from tests.benchmarks import answers, moments, search_scale, train_sentence_ranker, vectors
from voice.model import Cue

HIT = ("hit@1", "hit@3", "hit@10", "near@1")
LIBRARY = ("hit@1", "hit@10", "near@1", "episode@1")

EPISODES = (
    {"id": "bees", "title": "Bees", "cues": [
        {"start": 0, "end": 12, "speaker": "Ida", "text": "Welcome to the garden hour, where we talk of summer."},
        {"start": 40, "end": 52, "text": "A beekeeper takes the honey in August and leaves some for the winter."},
        {"start": 50, "end": 70, "speaker": None, "text": "Compost should smell like a forest, so turn it monthly."},
    ]},
    {"id": "one", "cues": [{"start": 5, "end": 9, "speaker": "", "text": "Sourdough needs a day to rise."}]},
    {"id": "nothing", "title": None, "cues": []},
    {"id": "silent", "title": "", "cues": [{"start": 0, "end": 1, "text": " "}]},
)  # fmt: skip
QUERIES = (
    {"qid": "1", "query": "When is the honey taken?", "episode": "bees", "spans": [[40, 52]]},
    {"qid": "2", "query": 'dough "rises" AND OR', "episode": "one", "spans": [[5, 9], [7, 9]]},
    {"qid": "3", "query": "anything?", "episode": "nothing", "spans": [[0, 1]]},
    {"qid": "4", "query": "…", "episode": "silent", "spans": [[0, 1]]},
    {"qid": "5", "query": "", "episode": "bees", "spans": [[0, 12]]},
    {"qid": "6", "query": "gone", "episode": "gone", "spans": [[0, 12]]},
)


@pytest.fixture(autouse=True)
def quick(embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks with the model that is loaded, and no vectors of other runs."""
    own = tmp_path / "vectors"
    monkeypatch.setattr(Embedder, "load", classmethod(lambda cls: embedder))
    for module in (moments, search_scale):
        monkeypatch.setattr(module, "Remembering", lambda: vectors.Remembering(own, lambda: embedder))


def written(folder: Path, queries: tuple[dict[str, object], ...] = QUERIES) -> str:
    (folder / "episodes.jsonl").write_text("\n".join(map(json.dumps, EPISODES)) + "\n\n", encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    return str(folder)


def test_all_recipes_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("llama_index.core", reason="the extra benchmarks is not installed")
    pytest.importorskip("txtai", reason="the extra benchmarks is not installed")
    moments.main([written(tmp_path), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["bm25", "minilm", "rrf", "zsum", "llamaindex", "txtai", "earmark"]
    for name, scopes in report.items():
        assert list(scopes) == ["in_episode", "library"]
        for scope, metrics in (("in_episode", HIT), ("library", LIBRARY)):
            assert set(scopes[scope]) == {*metrics, "interval"}
            assert all(0 <= scopes[scope][metric] <= 1 for metric in metrics)
        assert scopes["library"]["episode@1"] > 0, name
    assert report["earmark"]["in_episode"]["hit@3"] == 0.4  # of the five, two have an answer that can be found
    moments.main([str(tmp_path)])
    assert capsys.readouterr().out.count("txtai") == 2


def test_what_is_not_installed_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("llama_index.core", "txtai"):
        monkeypatch.setitem(sys.modules, name, None)
    moments.main([written(tmp_path), "--json"])
    said = capsys.readouterr()
    assert list(json.loads(said.out)) == ["bm25", "minilm", "rrf", "zsum", "earmark"]
    assert said.err.count("pip install -c constraints.txt") == 2


def test_a_set_without_questions_and_no_set_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moments.main([written(tmp_path, ()), "--json", "--only", "earmark"])
    assert json.loads(capsys.readouterr().out)["earmark"]["library"]["hit@1"] == 0
    for arguments, told in (
        ([str(tmp_path / "missing")], "cannot be read"),
        ([str(tmp_path), "--only", "google"], "there are bm25, minilm"),
    ):
        with pytest.raises(SystemExit):
            moments.main(arguments)
        assert told in capsys.readouterr().err
    (tmp_path / "queries.jsonl").write_text('{"query": "no spans", "episode": "bees"}', encoding="utf-8")
    with pytest.raises(SystemExit):
        moments.main([str(tmp_path)])
    assert "line 1, is not an object with query, episode, spans" in capsys.readouterr().err


@pytest.mark.long
def test_the_scale_is_measured_on_a_library_that_stays_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_scale, "_POOL", 20)
    monkeypatch.setattr(search_scale, "_ADDED", 2)
    monkeypatch.setattr(search_scale, "_READ", 1 << 24)
    monkeypatch.setattr(search_scale, "PODCASTS", tmp_path)
    folder = tmp_path / "library"
    search_scale.main(["--passages", "1000", "--questions", "3", "--json", "--folder", str(folder)])
    report = json.loads(capsys.readouterr().out)
    assert report["recall@10"] == 1.0
    assert 0 < report["p50_ms"] <= report["p95_ms"]
    assert report["bandwidth_ratio"] > 0
    assert {"add_ms", "add_alone_ms", "embedding_ms", "scan_ms"} < set(report)
    with SqliteIndex.open(folder).snapshot() as snapshot:
        assert snapshot.passage_count == report["passages"] >= 1000
        assert len(snapshot.episodes) == report["episodes"]


def test_answers_are_measured_by_what_is_said_and_where_it_jumps() -> None:
    asked = [
        answers.Asked("When?", "a", ((30.0, 40.0),), (("in august",), ("eighth", "month")), "when", True),
        answers.Asked("Who?", "a", ((90.0, 95.0),), (("ida",),), "who", True),
        answers.Asked("Why?", "a", (), (), "why", False),
        answers.Asked("How?", "a", (), (), "how", False),
    ]
    told = [
        answers.Told("At 0:25: “In August.”", True, 25.0, 0.9, 10.0),
        answers.Told("Ida is not covered.", False, 60.0, 0.4, 20.0),
        answers.Told("Not covered.", False, None, 0.3, 30.0),
        answers.Told("At 0:10: “Because.”", True, 10.0, 0.6, 40.0),
    ]
    found = answers.report(asked, told)
    assert (found["said"][0], found["landed"][0], found["near"][0]) == (0.5, 0.5, 1.0)
    assert (found["answered"][0], found["declined"][0]) == (0.5, 0.5)
    assert found["declined@0.95"] == 0.5
    assert found["kinds"]["when"] == {"said": 1.0, "landed": 1.0, "questions": 1}
    assert "| earmark | 0.500" in answers.table({"earmark": found})
    shown = answers.page(answers.Set(tuple(asked), {"a": ()}, {"a": "Bees"}), told)
    assert shown.count("✓ ") == 3  # two of the questions, and the legend
    assert "## Bees" in shown


def test_recipes_answer_with_their_best_run(tmp_path: Path, embedder: Embedder) -> None:
    written(tmp_path, (dict(QUERIES[0], must=[["august"]], kind="when"),))
    (tmp_path / "episodes.jsonl").write_text("".join(json.dumps(episode) + "\n" for episode in EPISODES))
    found = answers.read(tmp_path)
    assert [text for _, text in answers.runs(found.cues["bees"])][1].startswith("A beekeeper")
    for name in ("cosine", "bm25", "sum"):
        told = answers.recipe(name, found, vectors.Remembering(tmp_path / "made", lambda: embedder))
        assert answers.says(found.asked[0], told[0])
        assert answers.near(found.asked[0], told[0])
    with pytest.raises(ValueError, match="holds no set"):
        answers.read(tmp_path / "nowhere")


def test_an_answer_can_be_cut_out_of_a_script(embedder: Embedder) -> None:
    cues = [Cue(20.0 * at, 20.0 * at + 19, f"Sentence {at} has some twenty words about the garden. " * 4, "Ida")
            for at in range(6)]  # fmt: skip
    said = build_token_store(cues, embedder)
    left = train_sentence_ranker.without(said, [(45.0, 50.0)])
    assert not any(place["start"] < 50 and place["end"] > 45 for place in left.sentences)
    assert 0 < len(left.texts) < len(said.texts)
    for place, text in zip(left.sentences, left.texts, strict=True):
        before = said.sentences[said.sentences["start"] == place["start"]][0]
        assert said.texts[int(np.flatnonzero(said.sentences["start"] == place["start"])[0])] == text
        kept, was = (one.ids[spot["first"] : spot["last"]] for one, spot in ((left, place), (said, before)))
        assert kept.tolist() == was.tolist()
    assert int(left.chunks[-1]) == len(left.ids)
