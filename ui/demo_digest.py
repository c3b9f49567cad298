# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the topics, the digest and the index of the demo episode into the package: ``python -m ui.demo_digest``.

They are what taking it in makes, like those of any episode; to be run again when that, or the episode, has changed.
"""

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from episodes import demo
from episodes.model import Digest, Segment
from retrieval.index.prepared_episode import PreparedEpisode
from ui.companion import Companion
from ui.settings import Settings


def made(folder: Path) -> tuple[tuple[Segment, ...], Digest, PreparedEpisode]:
    """Take the demo in, in a library of its own in ``folder``, as the file of a user."""
    companion = Companion(Settings(data_dir=folder))
    try:
        episode = companion.add(demo.AUDIO)
        prepared = companion.indexes.prepared(episode.id, companion.library.cues(episode.id))
        return companion.library.segments(episode.id), companion.library.digest(episode.id), prepared
    finally:
        companion.close()


def main() -> None:
    """Write the files."""
    with TemporaryDirectory() as folder:
        segments, digest, prepared = made(Path(folder))
    prepared.save(demo.INDEX)
    known = {"segments": [asdict(segment) for segment in segments], "digest": asdict(digest)}
    demo.DIGEST.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
