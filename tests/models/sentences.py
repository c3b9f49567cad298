# SPDX-License-Identifier: GPL-3.0-or-later
"""A sentence-transformers model of a few kilobytes with random weights: real in form, and it knows nothing."""

from pathlib import Path

WIDTH = 48
"""Length of its vectors."""


def make(folder: Path) -> Path:
    """Write one into ``folder``."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    bare = folder.with_name(f"{folder.name}.bare")
    bare.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", "query", "passage"]
    letters = "abcdefghijklmnopqrstuvwxyzäöüßéè.,?!'"
    (bare / "vocab.txt").write_text("\n".join([*words, *letters, *(f"##{letter}" for letter in letters)]), "utf-8")
    tokenizer = BertTokenizer(str(bare / "vocab.txt"))
    torch.manual_seed(1)
    model = BertModel(BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=256,
    ))  # fmt: skip
    model.save_pretrained(bare)
    tokenizer.save_pretrained(bare)
    parts = [Transformer(str(bare), max_seq_length=128), Pooling(WIDTH), Normalize()]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder))
    return folder
