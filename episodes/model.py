# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the library. Depends on nothing but ``voice.model``, so one read teaches the vocabulary."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from voice.model import Cue, Word

__all__ = [
    "Chapter", "Cue", "Digest", "Episode", "Link", "Overview", "Probe", "Segment", "Show", "Soundbite", "Source",
    "State", "Step", "StepState", "Word",
]


class Step(StrEnum):
    """The stations of an episode on its way in, in order."""

    FETCHED = "fetched"
    NORMALISED = "normalised"
    TRANSCRIBED = "transcribed"
    SEGMENTED = "segmented"
    DIGESTED = "digested"
    INDEXED = "indexed"


class State(StrEnum):
    """How far one step is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of one episode: ``progress`` in 0..1.

    ``reason`` says why it failed (with the next step), why it waits to be tried again, or what is worth knowing of a
    step that is done; mostly empty.
    """

    step: Step
    state: State = State.WAITING
    progress: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of the library.

    ``seconds`` is the length of the audio (of the transcript when there is no audio); ``source`` is where it came
    from, as the user named it; ``audio`` is the normalised file relative to the library folder, empty when there is
    only a transcript; ``published`` an ISO date or empty; ``steps`` one state for each ``Step``, in order;
    ``language`` the code of what is spoken ("de"), empty where it is not known.
    """

    id: str
    title: str
    show: str = ""
    guests: tuple[str, ...] = ()
    published: str = ""
    seconds: float = 0.0
    source: str = ""
    audio: str = ""
    steps: tuple[StepState, ...] = ()
    language: str = ""

    @property
    def ready(self) -> bool:
        """True when the episode can be asked: at most its sound is still being converted."""
        left = [step for step in self.steps if step.state is not State.DONE]
        return bool(self.steps) and all(
            step.step is Step.NORMALISED and step.state in (State.WAITING, State.RUNNING) for step in left
        )

    @property
    def finished(self) -> bool:
        """True when every step is done."""
        return bool(self.steps) and all(step.state is State.DONE for step in self.steps)

    @property
    def status(self) -> str:
        """One word or phrase for a person: "ready", "waiting", "transcribing 40 %", "cancelled", "failed: reason"."""
        for step in self.steps:
            if step.state is State.FAILED:
                return f"failed: {step.reason}"
            if step.state is State.CANCELLED:
                return "cancelled"
        if self.ready:
            return "ready"
        for step in self.steps:
            if step.state is State.RUNNING:
                return f"{_DOING[step.step]} {round(100 * step.progress)} %"
        return next((f"waiting: {step.reason}" for step in self.steps if step.state is State.WAITING and step.reason),
                    "waiting")


_DOING = {
    Step.FETCHED: "fetching",
    Step.NORMALISED: "converting audio",
    Step.TRANSCRIBED: "transcribing",
    Step.SEGMENTED: "finding topics",
    Step.DIGESTED: "summarising",
    Step.INDEXED: "indexing",
}


@dataclass(frozen=True, slots=True)
class Overview:
    """How much a library holds: ``episodes``, how many of them can be asked, their length in ``seconds``, and of how
    many ``shows`` they are."""

    episodes: int = 0
    ready: int = 0
    seconds: float = 0.0
    shows: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """A show of a library: how many ``episodes`` it has, how many can be asked, and their length in ``seconds``."""

    name: str
    episodes: int = 0
    ready: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Chapter:
    """The publisher's own mark: ``start`` in seconds."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One topic of an episode, from ``start`` to ``end`` (seconds), with a title and a summary (may be empty)."""

    start: float
    end: float
    title: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """What an episode is about: a teaser (one sentence), a summary, and questions it answers ("Try asking").

    ``writer`` is the language model that wrote it, "extractive" when all of it is the speakers' own words.
    """

    teaser: str = ""
    summary: str = ""
    questions: tuple[str, ...] = ()
    writer: str = "extractive"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a media file says of itself: length in ``seconds`` (0 when unknown), its tags (empty when unknown), the
    publisher's chapters, and whether it has a lyrics tag. ``published`` is an ISO date or a year."""

    seconds: float
    title: str = ""
    artist: str = ""
    show: str = ""
    published: str = ""
    chapters: tuple[Chapter, ...] = ()
    has_lyrics: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A file that a feed names: its address, media type ("text/vtt") and language ("en"), empty when unknown."""

    address: str
    type: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Soundbite:
    """A part that the publisher recommends: ``start`` and ``length`` in seconds."""

    start: float
    length: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What there is of an episode before it is in the library.

    ``audio`` and ``transcript`` are files on this machine; ``probe`` is what the audio file says of itself. A source
    that has neither is fetched first, from ``address``. The rest is what its feed tells: ``guid`` names it for good,
    ``feed`` is the feed's address and ``link`` the episode's page; ``notes`` are its show notes as plain text;
    ``season`` and ``number`` are 0 and ``seconds`` (its length) is 0 when unknown; ``chapters`` stand in the feed or at
    ``chapters_address``; ``transcripts`` are what the publisher wrote, the best first. ``remark`` says what is worth
    knowing of the way it was fetched.
    """

    title: str
    audio: Path | None = None
    transcript: Path | None = None
    show: str = ""
    guests: tuple[str, ...] = ()
    published: str = ""
    probe: Probe | None = None
    address: str = ""
    guid: str = ""
    notes: str = ""
    feed: str = ""
    link: str = ""
    artwork: str = ""
    season: float = 0.0
    number: float = 0.0
    seconds: float = 0.0
    chapters: tuple[Chapter, ...] = ()
    chapters_address: str = ""
    transcripts: tuple[Link, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    remark: str = ""

    @property
    def is_away(self) -> bool:
        """True when it has to be fetched first."""
        return self.audio is None and self.transcript is None
