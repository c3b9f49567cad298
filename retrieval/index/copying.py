# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying what is indexed of an episode from one index to another, of whatever engine: nothing is embedded again."""

from collections.abc import Sequence

import numpy as np

from episodes.model import Cue, Episode
from retrieval.index.chunking import passages
from retrieval.index.index import AnyIndex


def copy_indexed(source: AnyIndex, target: AnyIndex, episode: Episode, cues: Sequence[Cue], title: str) -> bool:
    """Copy one episode to an index of the same model; see ``Index.add`` for ``title``. False when ``source`` does not
    hold it, or holds it as it was before its transcript changed."""
    with source.view() as view:
        layout = view.layout(episode.id)
        if layout is None:
            return False
        vectors, script = np.concatenate(view.vectors(layout)), view.script(episode.id)
    found = passages(episode.id, cues)
    if len(found) != len(vectors):
        return False
    target.add(episode.id, found, vectors, title, script, episode.language)
    return True
