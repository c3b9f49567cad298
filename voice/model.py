# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said, and when: the words shared by hearing, transcripts and search."""

from collections.abc import Callable
from dataclasses import dataclass

NORMAL_SPEED = 1.0
"""The speed of playing as recorded, at which everybody hears who has not chosen another."""

Wanted = Callable[[], bool]
"""Whether anybody still waits for what is being worked on."""


def always_wanted() -> bool:
    """Somebody waits to the end."""
    return True


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word. ``start`` and ``end`` in seconds; ``probability`` in 0..1 (1 when nobody measured it)."""

    start: float
    end: float
    text: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Cue:
    """One timed line of a transcript (WebVTT's word). ``start`` and ``end`` in seconds; ``speaker`` may be empty."""

    start: float
    end: float
    text: str
    speaker: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a recording whose transcription is finished: ``start`` and ``end`` in seconds, and its cues.

    The pieces of a recording follow each other without a gap; one in which nobody speaks has no cues. A transcription
    that broke off goes on at the ``end`` of the last one, and gives the same as one that did not. ``language`` is the
    code of what the recogniser took it for, "" where it did not look.
    """

    start: float
    end: float
    cues: tuple[Cue, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One spoken question or command as text.

    ``confidence`` in 0..1 is the recogniser's own; an empty ``text`` means that nothing was said (noise, silence).
    ``words`` are there when their times were asked for, and may be missing otherwise. ``others`` are texts that it may
    have been instead, likeliest first, where it was short and they are nearly as likely.
    """

    text: str
    confidence: float
    words: tuple[Word, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bias:
    """What a listener is likely to say: the recogniser leans towards it.

    ``names`` are people, spelt as they are written; ``words`` are rare words of what is in focus, in small letters
    unless they are names (a title in capitals would teach the recogniser Title Case); ``commands`` are short phrases.
    ``language`` is the code of the language that is spoken there, "" where it is not known.
    """

    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    language: str = ""


def clock(seconds: float) -> str:
    """A time as people write it: "12:34", "1:02:03"."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
