# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions tried on an episode before anybody is told to ask them."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.embed import Embedder
from retrieval.index import Index
from retrieval.model import Question
from retrieval.passages import passages
from retrieval.search import COVERED, find
from voice.words import Cue

_ID = "trial"


def answered(cues: Sequence[Cue], questions: Sequence[str], embed: Embedder) -> list[float | None]:
    """Where in a talk each question is answered (seconds), None where the talk does not cover it.

    The questions go the way of a listener's, through an index of the talk alone, which is gone afterwards.
    Raises EngineError when nothing can be embedded, LibraryError when the index cannot be written.
    """
    pieces = passages(_ID, cues)
    if not pieces:
        return [None] * len(questions)
    with TemporaryDirectory(prefix="earmark-trial-") as folder:
        index = Index.open(Path(folder))
        index.add(_ID, pieces, embed.encode([piece.text for piece in pieces]))
        best = [find(Question(question, _ID), index, embed, 1) for question in questions]
        return [moments[0].start if moments and moments[0].confidence >= COVERED else None for moments in best]
