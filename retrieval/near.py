# SPDX-License-Identifier: GPL-3.0-or-later
"""How near the stored pieces of an episode lie to a question: read from the index, nothing is embedded for it."""

from collections.abc import Callable

import numpy as np

from retrieval.embed import Matrix
from retrieval.index import Index

Near = Callable[[str, float, float], list[tuple[float, float, float]]]
"""Of an episode, from and to a time (seconds): start and end (seconds) of each unit there, and its cosine."""


def nearness(index: Index, vector: Matrix) -> Near:
    """The cosines of stored units with a question's ``vector`` (384,). Raises LibraryError as ``Index.view`` does."""

    def near(episode_id: str, start: float, end: float) -> list[tuple[float, float, float]]:
        with index.view() as view:
            layout = view.layout(episode_id)
            if layout is None:
                return []
            rows, _ = view.vectors(layout)
            first, last = np.searchsorted(layout.end, start, side="right"), np.searchsorted(layout.start, end)
            cosines = rows[first:last] @ vector
            return list(zip(layout.start[first:last].tolist(), layout.end[first:last].tolist(), cosines.tolist(),
                            strict=True))

    return near
