# SPDX-License-Identifier: GPL-3.0-or-later
"""`tokenizer.json` of the tiny Whisper: one piece for each word of the domain, bytes for anything else.

The layout is what faster-whisper and CTranslate2 demand of an English-only model: text pieces, <|endoftext|>,
Whisper's other control tokens, then 1501 timestamps. Without this file faster-whisper would ask a model hub; with
an empty entry among the pieces CTranslate2 would take the model for a multilingual one.
"""

from functools import cache

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from tests.models.whisper import domain

END, START, NO_SPEECH, PREVIOUS, NO_TIMESTAMPS = (
    "<|endoftext|>", "<|startoftranscript|>", "<|nospeech|>", "<|startofprev|>", "<|notimestamps|>",
)  # fmt: skip
CONTROLS = (
    END, START, "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", PREVIOUS, NO_SPEECH, NO_TIMESTAMPS,
)  # fmt: skip
FRAME = 0.02
"""Seconds between two timestamps, and between two positions of the encoder."""

TIMESTAMPS = tuple(f"<|{i * FRAME:.2f}|>" for i in range(1501))
_SUFFIXES = ("'s", "'t", "'m", "'d", "'ll", "'ve", "'re")

# faster-whisper forbids the first piece of " -", " '" and " ♪". Were these not pieces of their own, that would be
# the bare space, and every word that is spelled in bytes would be forbidden.
_SOUND_MARKS = ("Ġ-", "Ġ'", "Ġâ")


@cache
def build() -> Tokenizer:
    """The tokenizer, made from the domain's words; the same words give the same ids."""
    stems = {word.partition("'")[0] for word in domain.words()}
    cased = sorted(stems | {stem[0].upper() + stem[1:] for stem in stems})
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, *_SOUND_MARKS, *_SUFFIXES, *("Ġ" + word for word in cased)]
    scores = [(piece, -12.0 if len(piece) == 1 else -1.0) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    for token in (*CONTROLS, *TIMESTAMPS):
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)])
    return tokenizer


def id_of(token: str) -> int:
    """Id of a piece, a control token or a timestamp; raises KeyError for anything else."""
    index = build().token_to_id(token)
    if index is None:
        raise KeyError(token)
    return index


def piece_of(index: int) -> str:
    """The token whose id is ``index``."""
    return pieces()[index]


def encode(text: str) -> list[int]:
    """Ids of ``text`` as a transcript holds it: with a space before its first word."""
    ids: list[int] = build().encode(" " + text, add_special_tokens=False).ids
    return ids


@cache
def pieces() -> tuple[str, ...]:
    """Every token, in the order of its id."""
    ids: dict[str, int] = build().get_vocab()
    return tuple(sorted(ids, key=ids.__getitem__))


def lower_case_twins() -> dict[int, int]:
    """Id of ' Word' -> id of ' word', for the words that have both."""
    ids: dict[str, int] = build().get_vocab()
    lower = {piece: "Ġ" + piece[1].lower() + piece[2:] for piece in ids if piece[0] == "Ġ" and piece[1:2].isupper()}
    return {ids[piece]: ids[twin] for piece, twin in lower.items() if twin in ids}
