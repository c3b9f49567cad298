# SPDX-License-Identifier: GPL-3.0-or-later
"""What an index holds of an episode, as a file: for an episode that comes with the program."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.index.embedding import Matrix
from retrieval.index.token_store import TokenStore, projection_version
from voice.model import Cue


@dataclass(frozen=True, slots=True)
class PreparedEpisode:
    """Vectors and token store of an episode; ``fingerprint``, of the function, tells what they were made of."""

    fingerprint: str
    vectors: Matrix
    tokens: TokenStore

    def save(self, path: Path) -> None:
        """Write it to a file."""
        places, texts, ids, codes = self.tokens.to_blobs()
        blobs = {"of": self.fingerprint.encode(), "places": places, "texts": texts.encode(), "ids": ids, "codes": codes}
        np.savez_compressed(
            path, allow_pickle=False, vectors=self.vectors,
            **{name: np.frombuffer(blob, np.uint8) for name, blob in blobs.items()},
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> "PreparedEpisode | None":
        """Read it from a file; None where there is none that can be read, and it has to be made again."""
        try:
            with np.load(path) as found:
                of, places, texts, ids, codes = (
                    found[name].tobytes() for name in ("of", "places", "texts", "ids", "codes")
                )
                return cls(of.decode(), found["vectors"], TokenStore.from_blobs(places, texts.decode(), ids, codes))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None


def fingerprint(texts: Sequence[str], cues: Sequence[Cue], model: str) -> str:
    """A short text that is another one when the passages (``texts``), the cues or the ``model`` are others."""
    said = [(round(cue.start, 3), round(cue.end, 3), cue.text, cue.speaker) for cue in cues]
    told = [model, projection_version(), list(texts), said]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()
