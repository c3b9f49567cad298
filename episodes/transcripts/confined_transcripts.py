# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts read in a process that can be ended: what all of the program but the readers' own tests calls."""

from collections.abc import Callable
from pathlib import Path

from episodes import confined
from episodes.transcripts import reader
from episodes.transcripts.reader import Transcript
from voice.errors import TranscriptError
from voice.model import Cue


def read_transcript(path: Path, length: float = 0.0, check: Callable[[], None] = confined.nobody_asks) -> list[Cue]:
    """The cues of a transcript file; see ``load_transcript``."""
    return list(load_transcript(path, length, check).cues)


def load_transcript(
    path: Path, length: float = 0.0, check: Callable[[], None] = confined.nobody_asks
) -> Transcript:
    """``reader.load_transcript`` in a process of its own. Raises TranscriptError also when it takes far too long, and
    whatever ``check``, which is called meanwhile, raises."""
    over = TranscriptError(
        f"{path.name} cannot be read: it needs far more time or memory than its size allows, or makes no sense.",
        "Get the transcript again, or leave it out.",
    )
    size = path.stat().st_size if path.is_file() else 0
    return confined.call(reader.load_transcript, path.absolute(), length, size=size, over=over, check=check)
