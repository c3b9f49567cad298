# SPDX-License-Identifier: GPL-3.0-or-later
"""How near what was said lies to a question: stored pieces of an episode, and a few sentences taken out of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.index.embedding import Embedder
from retrieval.index.index import Index


@dataclass(frozen=True, slots=True)
class Near:
    """``stored``: of an episode, from and to a time (seconds), start and end (seconds) of each unit there and its
    cosine; nothing is embedded for it. ``texts``: the cosine of each text."""

    stored: Callable[[str, float, float], list[tuple[float, float, float]]]
    texts: Callable[[Sequence[str]], Sequence[float]]


def nearness(index: Index, embed: Embedder, question: str) -> Near:
    """The cosines with a question. What it gives raises LibraryError as ``Index.view`` does, and EngineError."""
    vector = embed.encode_question(question)

    def stored(episode_id: str, start: float, end: float) -> list[tuple[float, float, float]]:
        with index.view() as view:
            layout = view.layout(episode_id)
            if layout is None:
                return []
            rows, _ = view.vectors(layout)
            first, last = (int(layout.end.searchsorted(start, "right")), int(layout.start.searchsorted(end)))
            cosines = rows[first:last] @ vector
            return list(zip(layout.start[first:last].tolist(), layout.end[first:last].tolist(), cosines.tolist(),
                            strict=True))

    def texts(said: Sequence[str]) -> Sequence[float]:
        found: list[float] = (embed.encode(said) @ vector).tolist() if said else []
        return found

    return Near(stored, texts)
