# SPDX-License-Identifier: GPL-3.0-or-later
"""How sentences hang together: by words they share, by meaning, and by what people say when they change the subject."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from episodes.text.lexicon import content_words
from episodes.text.sentences import Line

Vectors = npt.NDArray[np.float32]
"""Rows of float32, one for each text."""
Embed = Callable[[Sequence[str]], Vectors]
"""Makes unit rows of texts."""

_DIMENSION = 512  # of the space into which words are projected: inner products stay true to ± 1/23
_BEFORE = (3, 9)  # how many sentences before each are seen with it: a little and a lot, since topics differ in length
_NARROW, _WIDE = 120, 360  # words on each side between which the contrast at a boundary is measured

_MOVES_ON = re.compile(
    r"(?:(?:so|okay|ok|all right|alright|right|now|well|and|um|uh|yeah|great|cool|good|then|yes)\b[,. ]*)*"
    r"(?:(?:so|okay|ok|all right|alright|right|now|well|great|cool|good) |let's|let us|next|moving on|another"
    r"|the (?:next|other|last|first|second|third)|first|second|finally|lastly|last|today|we'll|i wanted|i want to"
    r"|i'd like|can you|could you|tell us|tell me|talk about|what about|how about|speaking of|in terms of"
    r"|one (?:thing|other|more)|here)\b",
    re.IGNORECASE,
)


def word_vectors(texts: Sequence[str]) -> Vectors:
    """Float32 (n, 512): the telling words of each text, rare ones counting more (TF-IDF), in a random projection.

    Words that occur in one text only tie nothing together and are left out (a text may be all zeros).
    """
    told = [Counter(map(_stem, content_words(text))) for text in texts]
    spread = Counter(word for words in told for word in words)
    shared = {word: number for number, word in enumerate(word for word, texts_with in spread.items() if texts_with > 1)}
    directions = np.random.default_rng(0).standard_normal((len(shared), _DIMENSION)).astype(np.float32)
    directions /= np.sqrt(_DIMENSION)
    rows = np.zeros((len(texts), _DIMENSION), np.float32)
    for row, words in zip(rows, told, strict=True):
        for word, count in words.items():
            if word in shared:
                row += np.log(len(texts) / spread[word]) * (1 + np.log(count)) * directions[shared[word]]
    return rows


def in_context(vectors: Vectors, weights: Vectors) -> Vectors:
    """Each sentence with those just before it, without what the whole talk has in common: float32 (n, 2 d) unit rows.

    After TreeSeg (Gklezakos et al. 2024), which sees one depth of context.
    """
    sums = _sums(vectors, weights)
    places = np.arange(len(vectors))
    depths = [_unit(sums[places + 1] - sums[np.maximum(0, places - before)]) for before in _BEFORE]
    own = [_unit(_distinct(seen, weights)) for seen in depths]
    return np.asarray(np.hstack(own) / np.sqrt(len(own)), np.float32)


def openings(lines: Sequence[Line], vectors: Vectors, told: Vectors, weights: Vectors) -> Vectors:
    """How much speaks for a new topic with each sentence, from its place alone: float32 (n,), in logits.

    The weights are rounded means of two logistic regressions, on meetings and on podcasts (each predicts the other's
    boundaries as well as its own), halved, since the division itself looks at the same sentences.
    """
    own = _distinct(vectors, weights)
    turns = np.array([line.turn_start for line in lines], np.float32)
    asked = np.array([_asks(lines, place) for place in range(len(lines))], np.float32)
    moves = np.array([bool(_MOVES_ON.match(line.text)) for line in lines], np.float32)
    contrast = 0.25 * _contrast(own, weights, _NARROW) + 0.1 * _contrast(own, weights, _WIDE)
    contrast += 0.1 * _contrast(told, weights, _WIDE)
    return np.asarray(contrast + 0.8 * (turns - turns.mean()) + 0.2 * asked * turns + 0.4 * moves, np.float32)


def _contrast(vectors: Vectors, weights: Vectors, span: int) -> Vectors:
    """How unlike the ``span`` words before each sentence and from it on are, in standard deviations."""
    sums = _sums(vectors, weights)
    words = np.concatenate([[0], np.cumsum(weights)])
    here = np.arange(len(vectors))
    before = sums[here] - sums[np.searchsorted(words, words[:-1] - span)]
    after = sums[np.minimum(len(vectors), np.searchsorted(words, words[:-1] + span))] - sums[here]
    likeness = np.einsum("ij,ij->i", _unit(before), _unit(after))
    return np.asarray((likeness.mean() - likeness) / max(float(likeness.std()), 1e-6), np.float32)


def _asks(lines: Sequence[Line], place: int) -> bool:
    """True when a question is among the first sentences that this speaker says from here on."""
    speaker = lines[place].speaker
    return any(line.text.endswith("?") and line.speaker == speaker for line in lines[place : place + 4])


def _distinct(vectors: Vectors, weights: Vectors) -> Vectors:
    """The rows without what all have in common."""
    return np.asarray(vectors - np.average(vectors, axis=0, weights=weights), np.float32)


def _sums(vectors: Vectors, weights: Vectors) -> Vectors:
    rows = np.cumsum(vectors * weights[:, None], axis=0, dtype=np.float64)
    return np.vstack([np.zeros((1, vectors.shape[1])), rows]).astype(np.float32)


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def _stem(word: str) -> str:
    """A word without the ending that changes with its place in the sentence."""
    word = word.removesuffix("'s")
    ending = next((ending for ending in ("ing", "ed", "es", "s") if word.endswith(ending)), "")
    return word.removesuffix(ending) if len(word) - len(ending) >= 4 else word
