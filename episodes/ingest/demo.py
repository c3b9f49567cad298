# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo episode: a written conversation, spoken by two built-in voices, so that its times are exact.

It is rendered to an audio file with a transcript beside it and then comes in through the ordinary door.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from episodes.text.sentences import sentences
from episodes.transcripts.writer import write_vtt
from voice.audio import Audio, join, silence, write_flac
from voice.model import Cue
from voice.synthesis.piper import Speaking

SENTENCE_GAP = 0.25
TURN_GAP = 0.5
TOPIC_GAP = 1.0
"""Seconds of silence after a sentence, a turn and a topic."""

NAME = "second-nature-raising-the-apprentice"


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of the conversation; ``topic_end`` is True where the subject changes after it."""

    speaker: str
    text: str
    topic_end: bool


@dataclass(frozen=True, slots=True)
class Script:
    """The written conversation with its head."""

    show: str
    title: str
    guests: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names, in the order in which they first speak."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines))


def script() -> Script:
    """Read the conversation that lies beside this file."""
    head, *topics = re.split(r"\n\s*\n", files("episodes.ingest").joinpath("demo.txt").read_text("utf-8").strip())
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    lines = [
        Line(speaker, text, topic_end=number == len(turns) - 1)
        for turns in (topic.splitlines() for topic in topics)
        for number, (speaker, text) in enumerate(turn.split(": ", 1) for turn in turns)
    ]
    return Script(fields["Show"], fields["Title"], tuple(fields["Guests"].split(", ")), tuple(lines))


def render(voices: Mapping[str, Speaking], folder: Path, on_progress: Callable[[float], None] = lambda _: None) -> Path:
    """Speak the conversation into ``folder``: a FLAC file with its tags and a VTT file beside it; returns the audio.

    ``voices`` gives each speaker's voice; all have one rate. ``on_progress`` hears a fraction in 0..1.
    """
    text = script()
    pieces: list[Audio] = []
    cues: list[Cue] = []
    clock = 0.0
    for number, line in enumerate(text.lines):
        voice = voices[line.speaker]
        for sound, sentence in _spoken(voice, line):
            if sentence:
                cues.append(Cue(round(clock, 3), round(clock + sound.seconds, 3), sentence, line.speaker))
            pieces.append(sound)
            clock += sound.seconds
        on_progress((number + 1) / len(text.lines))
    folder.mkdir(parents=True, exist_ok=True)
    audio = folder / f"{NAME}.flac"
    audio.with_suffix(".vtt").write_text(write_vtt(cues), "utf-8")
    write_flac(audio, join(pieces), {"title": text.title, "album": text.show, "artist": ", ".join(text.guests)})
    return audio


def _spoken(voice: Speaking, line: Line) -> Iterator[tuple[Audio, str]]:
    """The sounds of one turn: each sentence with its words, and the pauses (no words) between and after them."""
    texts = [sentence.text for sentence in sentences([Cue(0, 1, line.text, line.speaker)])]
    for number, text in enumerate(texts):
        yield join(list(voice.speak(text))), text
        last = number == len(texts) - 1
        yield silence((TOPIC_GAP if line.topic_end else TURN_GAP) if last else SENTENCE_GAP, voice.rate), ""
