# SPDX-License-Identifier: GPL-3.0-or-later
"""Models of the true sizes of Whisper's with random weights: they work as hard as the real ones, and say nonsense.

They are for timing only. What they say is as long, as sure of itself and as little repetitive as what a real model
says, so that whatever looks at such things (a fall-back to a higher temperature, a gate against invented text) does
what it does with a real one: a token depends on little but its place, the end never comes by itself (so the number of
tokens is whatever the caller allows), and only the first timestamp is written.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SHAPES = {"tiny.en": (384, 4, 6), "base.en": (512, 6, 8), "small.en": (768, 12, 12)}
"""Width, layers (of encoder and decoder each) and heads."""

_TEXTS, _TIMES = 50_256, 1501  # pieces of text before <|endoftext|>, timestamps
_CONTROLS = ("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")


def tokenizer() -> Tokenizer:
    """51,864 tokens in the order of an English-only Whisper, each text piece a word of its own."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġ-", "Ġ'", "Ġâ"]
    words = _words()
    pieces += ["Ġ" + next(words) for _ in range(_TEXTS - len(pieces))]
    made = Tokenizer(models.Unigram([(piece, -12.0 if len(piece) == 1 else -1.0) for piece in pieces], unk_id=0,
                                    byte_fallback=False))  # fmt: skip
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES[:99]), *_CONTROLS]
    special += [f"<|{number * 0.02:.2f}|>" for number in range(_TIMES)]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return made


def _words() -> Iterator[str]:
    """Different words without a meaning, of three to nine letters."""
    chance, seen = Random(0), set[str]()
    while True:
        word = "".join(chance.choice("bcdfghklmnprstvw") + chance.choice("aeiou") for _ in range(chance.randint(2, 4)))
        if word not in seen:
            seen.add(word)
            yield word


def make(folder: Path, name: str) -> Path:
    """Write a model of the shape ``name`` for faster-whisper (int8) into ``folder``; returns the folder."""
    import torch
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    width, layers, heads = SHAPES[name]
    torch.manual_seed(0)
    vocabulary = tokenizer()
    size = vocabulary.get_vocab_size()
    network = WhisperForConditionalGeneration(WhisperConfig(
        vocab_size=size, num_mel_bins=80, d_model=width, encoder_layers=layers, decoder_layers=layers,
        encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width, max_source_positions=1500, max_target_positions=448, pad_token_id=0,
        bos_token_id=0, eos_token_id=0, decoder_start_token_id=0,
    )).eval()  # fmt: skip
    with torch.no_grad():
        decoder = network.model.decoder
        decoder.embed_positions.weight.normal_(0, 2.0)  # the place decides which token comes, …
        decoder.embed_tokens.weight.normal_(0, 0.02)
        decoder.layer_norm.weight.fill_(60.0)  # … and comes for sure
        decoder.embed_tokens.weight[_TEXTS:] = 0.0
    spec = WhisperLoader().get_model_spec(network)
    ids = vocabulary.get_vocab()
    spec.register_vocabulary(sorted(ids, key=ids.__getitem__))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [_TEXTS]
    spec.config.lang_ids = [ids["<|en|>"]]
    spec.config.alignment_heads = [[layers - 1, 0]]
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    vocabulary.save(str(folder / "tokenizer.json"))
    return folder
