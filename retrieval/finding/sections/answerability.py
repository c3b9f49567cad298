# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions tried on an episode before anybody is told to ask them."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.finding.sections.find_sections import COVERED, find_sections
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder, Encode, Matrix
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Question
from voice.model import Cue

_ID = "trial"


def cache_latest(encode: Encode) -> Encode:
    """The same function, that remembers the latest texts: an episode is tried, then indexed, and embedded once."""
    latest: tuple[tuple[str, ...], Matrix] | None = None

    def remembering(texts: Sequence[str]) -> Matrix:
        nonlocal latest
        known = latest
        if known is None or known[0] != tuple(texts):
            latest = known = (tuple(texts), encode(texts))
        return known[1]

    return remembering


def where_answered(
    cues: Sequence[Cue], questions: Sequence[str], embed: Embedder, encode: Encode | None = None
) -> list[float | None]:
    """Where in a talk each question is answered (seconds), None where the talk does not cover it.

    The questions go the way of a listener's, through an index of the talk alone, which is gone afterwards. ``encode``
    takes the embedder's place for the passages.
    Raises EngineError when nothing can be embedded, LibraryError when the index cannot be written.
    """
    pieces = passages(_ID, cues)
    if not pieces:
        return [None] * len(questions)
    with TemporaryDirectory(prefix="earmark-trial-") as folder:
        index = SqliteIndex.open(Path(folder))
        index.add(_ID, pieces, (encode or embed.encode)([piece.text for piece in pieces]))
        best = [find_sections(Question(question, _ID), index, embed, 1) for question in questions]
        return [moments[0].start if moments and moments[0].confidence >= COVERED else None for moments in best]
