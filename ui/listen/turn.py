# SPDX-License-Identifier: GPL-3.0-or-later
"""A turn: one thing that the listener said, and what has become of it so far.

A turn is a value. The session owns it and is the only one that replaces it, when the detector or the processor tells of
something new; whoever works on a turn gets the value of that moment and its ``id``, and answers with an update.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from retrieval.model import Answer, Command
from voice.audio import Audio
from voice.model import Heard


class TurnState(Enum):
    """Where a turn is, for the session: its speaker may go on; is done, and it will be acted on once it is understood;
    it is being answered aloud; a moment is looked for that will be played; nothing is left to do."""

    PENDING = "pending"
    OVER = "over"
    ANSWERING = "answering"
    FINDING = "finding"
    DONE = "done"


class Meaning(Enum):
    """What was said, once it is decoded: nothing; what the loudspeaker itself said; something to somebody else; a
    command; perhaps a command, which is asked back; a question. A NOTICE is no turn of the listener's: the device says
    something by itself."""

    NOTHING = "nothing"
    ECHO = "echo"
    ASIDE = "aside"
    COMMAND = "command"
    UNSURE = "unsure"
    QUESTION = "question"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Turn:
    """Turn ``number`` of the detector (0: none of it) as it stands. ``id`` is that of the try to understand it: a turn
    whose speaker goes on is tried anew. ``joined`` is the id of the turn that it goes on from after a long pause.

    ``meaning`` is None until it is decoded. ``sounds`` are what is still to be heard of ``spoken``; ``made`` is true
    when no more of them will come. ``times`` are clock readings (seconds) by stage.
    """

    id: int
    number: int = 0
    state: TurnState = TurnState.PENDING
    meaning: Meaning | None = None
    heard: Heard | None = None
    command: Command | None = None
    answer: Answer | None = None
    spoken: str = ""
    sounds: tuple[Audio, ...] = ()
    made: bool = False
    problem: str = ""
    joined: int = 0
    times: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def text(self) -> str:
        """What was heard; "" when nothing was, or it is not known yet."""
        return self.heard.text if self.heard is not None else ""

    def at(self, stage: str, now: float) -> "Turn":
        """The turn with the clock reading of a stage; the first one of a stage stays."""
        return self if stage in self.times else replace(self, times=MappingProxyType({**self.times, stage: now}))


@dataclass(frozen=True, slots=True)
class Update:
    """News of turn ``id``, read ``now`` on the clock (seconds)."""

    id: int
    now: float


@dataclass(frozen=True, slots=True)
class Decoded(Update):
    """What was said is known, and what it means."""

    heard: Heard
    meaning: Meaning
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Answered(Update):
    """What was asked, or looked for, was found."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Sounding(Update):
    """The next piece of what is said, which is ``text`` as a whole."""

    text: str
    sound: Audio


@dataclass(frozen=True, slots=True)
class Finished(Update):
    """Nothing more will come; ``problem`` is why, where it was one."""

    problem: str = ""


def updated(turn: Turn, update: Update) -> Turn:
    """The turn with what an update tells; the same turn for one of another id."""
    if update.id != turn.id:
        return turn
    match update:
        case Decoded():
            found = replace(turn, heard=update.heard, meaning=update.meaning, command=update.command)
            return found.at("decoded", update.now)
        case Answered():
            return replace(turn, answer=update.answer).at("found", update.now)
        case Sounding():
            found = replace(turn, spoken=update.text, sounds=(*turn.sounds, update.sound))
            return found.at("synthesised", update.now)
        case Finished():
            return replace(turn, made=True, problem=update.problem)
    return turn
