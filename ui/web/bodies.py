# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests bring, checked before anything is done with it: unknown fields and other types are refused."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from retrieval.model import Exchange, Moment, Question
from ui.companion import Companion
from ui.web.limits import LONGEST_TEXT, EpisodeId, QuestionText, Seconds

SearchScope = Literal["episode", "show", "library"]
"""Where an answer is looked for."""


class Body(BaseModel):
    """A JSON object of exactly these fields and types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MomentBody(Body):
    """A moment of an earlier answer, as the answer had it."""

    episode: EpisodeId
    start: Seconds
    end: Seconds
    quote: str = Field(default="", max_length=LONGEST_TEXT)
    speaker: str = Field(default="", max_length=200)
    confidence: float = Field(default=0.0, ge=0, le=1)

    def moment(self) -> Moment:
        """The moment itself."""
        return Moment(self.episode, self.start, self.end, self.quote, self.speaker, self.confidence)


class TurnBody(Body):
    """One turn of the conversation so far: what was asked, and the moments of the answer."""

    text: QuestionText
    moments: list[MomentBody] = Field(default=[], max_length=20)


def _turns(history: list[TurnBody]) -> tuple[Exchange, ...]:
    return tuple(Exchange(turn.text, tuple(one.moment() for one in turn.moments)) for turn in history)


@dataclass(frozen=True, slots=True)
class ScopedQuestion:
    """A question, and the ids of the episodes that it is limited to (None: all, or the one it names)."""

    question: Question
    within: list[str] | None = None


class AskBody(Body):
    """A question or command, from whichever door it comes; times in seconds.

    ``scope`` says where to look: in the ``episode``, in all of its show, or in the library; left out, it is the
    episode when one is named, and else the library. The conversation (``history``) is the client's: none is kept here.
    """

    text: QuestionText
    scope: SearchScope | None = None
    episode: EpisodeId | None = None
    position: Seconds | None = None
    heard_until: Seconds | None = None
    since: Seconds | None = None
    playing: EpisodeId | None = None
    history: list[TurnBody] = Field(default=[], max_length=20)
    stream: bool = False
    aloud: bool = False
    """With ``stream``: the sound of the first sentence comes with it."""

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("the question is empty")
        return text.strip()

    def asked(self, companion: Companion) -> ScopedQuestion:
        """What is asked of whom. Raises UnknownEpisode for an id that no episode has."""
        library = companion.library
        episode = library.exactly(self.episode) if self.episode else None
        playing = library.exactly(self.playing).id if self.playing else None
        history = _turns(self.history)
        if episode is None or self.scope in (None, "episode"):
            chosen = episode.id if episode else None
            return ScopedQuestion(Question(
                self.text, chosen, self.position, self.heard_until, history, self.since, playing
            ))  # fmt: skip
        # "so far" counts in the episode on the player, and there only
        wide = Question(self.text, None, self.position, None, history, self.since, playing or episode.id)
        if self.scope == "library" or not episode.show:
            return ScopedQuestion(wide)
        return ScopedQuestion(wide, library.of_show(episode.show))


class SpeakBody(Body):
    """What ``POST /api/speak`` takes."""

    text: QuestionText


class LiveBody(Body):
    """What ``POST /api/hear/live`` may take: the texts that the page reads aloud meanwhile."""

    played: list[Annotated[str, Field(max_length=LONGEST_TEXT * 4)]] = Field(default=[], max_length=50)


class HeatBody(Body):
    """What ``POST /api/heat`` takes; ``heard_until`` in seconds. The ``history`` is what was asked before it."""

    text: QuestionText
    episode: EpisodeId
    heard_until: Seconds | None = None
    history: list[TurnBody] = Field(default=[], max_length=20)

    def asked(self, companion: Companion) -> Question:
        """The question. Raises UnknownEpisode for an id that no episode has."""
        episode = companion.library.exactly(self.episode)
        return Question(self.text, episode.id, heard_until=self.heard_until, history=_turns(self.history))


class WorkBody(Body):
    """What ``POST /api/episodes/ID/work`` takes: stop taking in, go on after that or a failure, or go before others."""

    do: Literal["cancel", "retry", "first"]


class ListenedBody(BaseModel):
    """What ``PUT /api/listening/ID`` takes: seconds, and the stretches heard since the last note."""

    model_config = ConfigDict(extra="forbid")  # not strict: JSON has lists where Python has pairs
    position: Seconds
    heard: list[tuple[Seconds, Seconds]] = Field(default=[], max_length=500)


class SpeedBody(BaseModel):
    """What ``PUT /api/listening/ID/speed`` takes: times the recorded speed."""

    model_config = ConfigDict(extra="forbid")
    speed: float = Field(ge=0.5, le=3.0)


class NoteBody(Body):
    """What ``PUT /api/notes/ID`` takes: the notes, and the version that they were written over."""

    text: str = Field(max_length=200_000)
    version: int = Field(ge=0)


class SentenceBody(Body):
    """A sentence of an answer that is kept."""

    text: str = Field(max_length=LONGEST_TEXT * 4)
    moments: list[MomentBody] = Field(default=[], max_length=50)


class AnswerBody(Body):
    """An answer that is kept, as it was given."""

    question: QuestionText
    covered: bool
    remark: str = Field(default="", max_length=LONGEST_TEXT)
    sentences: list[SentenceBody] = Field(max_length=50)
    moments: list[MomentBody] = Field(default=[], max_length=50)


class ConversationBody(Body):
    """What ``POST /api/conversations`` takes: an answer, and the scope in which it was asked for."""

    scope: str = Field(min_length=1, max_length=300)
    answer: AnswerBody


class KeepBody(Body):
    """What ``POST /api/moments`` takes: a moment to save."""

    episode: EpisodeId
    start: Seconds
    end: Seconds
    quote: str = Field(default="", max_length=LONGEST_TEXT)
    speaker: str = Field(default="", max_length=200)
    question: str = Field(default="", max_length=LONGEST_TEXT)


class RemarkBody(Body):
    """What ``PUT /api/moments/ID`` takes: a note on a saved moment."""

    note: str = Field(max_length=LONGEST_TEXT)


class AddBody(Body):
    """What ``POST /api/add`` takes: an http(s) address (of a feed the ``latest`` so many, 0 for all), or the batch of
    files that were uploaded."""

    address: str = Field(default="", max_length=4_000)
    batch: str = Field(default="", max_length=32)
    latest: int | None = Field(default=None, ge=0, le=10_000)


class FeedBody(Body):
    """What ``POST /api/feeds/forget`` takes: the ``id`` of a feed that is followed, as ``GET /api/feeds`` gives it."""

    id: str = Field(max_length=64)


class LoudspeakerBody(Body):
    """What ``POST /api/loudspeakers/ROOM`` takes: to ``play`` an ``episode`` from a ``position`` (seconds), to ``seek``
    one, to ``pause``, ``resume``, or to have a ``volume`` in 0..1."""

    do: Literal["play", "pause", "resume", "seek", "volume"]
    episode: EpisodeId | None = None
    position: Seconds = 0.0
    volume: float = Field(default=0.5, ge=0, le=1)


class ModelBody(Body):
    """What ``POST /api/models`` takes: the name of a model in the catalogue."""

    name: str = Field(max_length=100)
