# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten questions about the demo episode, and where in it each is answered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.speech import joe, say
from voice.audio import HEARING_RATE, Audio, join, silence, write_wav
from voice.model import Cue

WITHIN = 15.0
"""Seconds by which a jump may miss the passage that answers and still count as right."""


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question, and the first words of the first and of the last sentence of the passage that answers it."""

    text: str
    first: str
    last: str

    def passage(self, cues: Sequence[Cue]) -> tuple[float, float]:
        """Where the passage begins and ends, in seconds."""
        (start,) = [cue.start for cue in cues if cue.text.startswith(self.first)]
        (end,) = [cue.end for cue in cues if cue.text.startswith(self.last)]
        return start, end

    def answered_at(self, cues: Sequence[Cue], seconds: float) -> bool:
        """True when a jump to ``seconds`` lands within 15 s of the passage."""
        start, end = self.passage(cues)
        return start - WITHIN <= seconds <= end + WITHIN


TEN_QUESTIONS = (
    DemoQuestion("What is organic alignment?", "Organic alignment is what", "It learns, again and again"),
    DemoQuestion("How does a machine guess the goal from a description?", "You write down what you want", "Inferring"),
    DemoQuestion("Are these machines tools or beings?", "A hammer is a tool", "My worry is that"),
    DemoQuestion("What would change your mind about machine minds?", "I try to keep a list", "Second, I would want it"),
    DemoQuestion("Why is there care beneath our goals?", "Care sits beneath our goals", "Pull the goal out"),
    DemoQuestion("What does the story of the apprentice teach us?", "Everybody remembers", "It was somebody who cared"),
    DemoQuestion("What are the layers of homeostasis?", "The test is about layers", "The third layer looks after"),
    DemoQuestion("What do the simulations of cooperation show?", "We drop small learning", "The simulations show that"),
    DemoQuestion("Why is a chatbot like a mirror?", "A chatbot is like a mirror", "If you arrive lonely"),
    DemoQuestion("Can a machine become a peer?", "A peer is somebody", "So the door is closed"),
)


def spoken_wav(text: str, voice: str, path: Path) -> Path:
    """Write ``text`` as a WAV file (16 kHz), spoken by "joe" or an espeak-ng voice, with a little silence around it."""
    samples = joe(text) if voice == "joe" else say(text, voice=voice)
    quiet = silence(0.3, HEARING_RATE)
    write_wav(path, join([quiet, Audio(samples, HEARING_RATE), quiet]))
    return path


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Words that were changed, lost or added (edit distance), and how many were said."""
    a, b = (re.findall(r"[a-z']+", text.lower()) for text in (said, heard))
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1], len(a)
