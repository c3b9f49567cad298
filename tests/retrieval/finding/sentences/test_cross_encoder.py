# SPDX-License-Identifier: GPL-3.0-or-later
"""A cross-encoder from a folder reads again what was found."""

from pathlib import Path

import pytest

from retrieval.finding.sentences.cross_encoder import CrossEncoder
from retrieval.model import SearchResult, SentenceRun
from voice.errors import EngineError


def made(folder: Path, labels: int) -> Path:
    """A cross-encoder of two thousand weights that has learned nothing, with a vocabulary of its own."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "when", "honey", "august", "shed", "?", "."]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        num_labels=labels,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.mark.long
def test_runs_come_in_the_order_of_its_scores(tmp_path: Path) -> None:
    reader = CrossEncoder.load(str(made(tmp_path / "one", 1)))
    texts = ("honey", "shed", "august")
    runs = tuple(SentenceRun("a", float(at), at + 1.0, text, share=0.1) for at, text in enumerate(texts))
    found = reader.read("when honey?", SearchResult(runs, 0.4))
    assert sorted(run.text for run in found.runs) == ["august", "honey", "shed"]
    shares = [run.share for run in found.runs]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=0.001)
    assert 0 < found.answered < 1
    assert reader.read("when honey?", SearchResult(runs, 0.4)) == found
    assert reader.read("when honey?", SearchResult()) == SearchResult()


@pytest.mark.long
def test_what_is_no_cross_encoder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not one") as caught:
        CrossEncoder.load(str(made(tmp_path / "two", 3)))
    assert "builtin" in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="could not be loaded"):
        CrossEncoder.load(str(tmp_path / "empty"))
