# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying what is indexed of an episode from one index to another, of whatever engine: nothing is embedded again."""

from collections.abc import Sequence

import numpy as np

from episodes.model import Cue, Episode
from retrieval.index.chunking import passages
from retrieval.index.index import Index


def copy_indexed(source: Index, target: Index, episode: Episode, cues: Sequence[Cue], title: str) -> bool:
    """Copy one episode to an index of the same model; see ``Index.add`` for ``title``. False when ``source`` does not
    hold it, or holds it as it was before its transcript changed."""
    with source.snapshot() as snapshot:
        indexed = snapshot.episode_passages(episode.id)
        if indexed is None:
            return False
        vectors, tokens = np.concatenate(snapshot.vectors(indexed)), snapshot.token_store(episode.id)
    found = passages(episode.id, cues)
    if len(found) != len(vectors):
        return False
    target.add(episode.id, found, vectors, title, tokens, episode.language)
    return True
