# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo episode: a written conversation, spoken once by two voices (``render``), with its exact transcript.

The sound and the transcript lie beside this file and come in as any file of a user does. Its topics, its digest and
the vectors of its index lie there too, as taking it in makes them (``ui.demo_digest`` writes them), so that a first
start need not wait for them.
"""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from episodes.model import Digest, Segment

AUDIO = Path(__file__).parent / "second-nature-raising-the-apprentice.opus"
"""The sound (Ogg Opus); its transcript is the .vtt file of the same name."""

DIGEST = Path(__file__).parent / "digest.json"
"""Its topics and its digest."""

INDEX = Path(__file__).parent / "index.npz"
"""What its index holds; see ``retrieval.index.prepared_episode``."""


@dataclass(frozen=True, slots=True)
class DialogueLine:
    """One turn of the conversation; ``topic_end`` is True where the subject changes after it."""

    speaker: str
    text: str
    topic_end: bool


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The written conversation with its head."""

    show: str
    title: str
    guests: tuple[str, ...]
    lines: tuple[DialogueLine, ...]

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names, in the order in which they first speak."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines))


def dialogue() -> Dialogue:
    """Read the conversation that lies beside this file."""
    head, *topics = re.split(r"\n\s*\n", files("episodes.demo").joinpath("script.txt").read_text("utf-8").strip())
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    lines = [
        DialogueLine(speaker, text, topic_end=number == len(turns) - 1)
        for turns in (topic.splitlines() for topic in topics)
        for number, (speaker, text) in enumerate(turn.split(": ", 1) for turn in turns)
    ]
    return Dialogue(fields["Show"], fields["Title"], tuple(fields["Guests"].split(", ")), tuple(lines))


def digested() -> tuple[tuple[Segment, ...], Digest]:
    """The topics and the digest that taking in this episode makes."""
    known = json.loads(DIGEST.read_text("utf-8"))
    digest = known["digest"]
    return (
        tuple(Segment(**segment) for segment in known["segments"]),
        Digest(**{**digest, "questions": tuple(digest["questions"])}),
    )
