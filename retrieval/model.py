# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of finding and answering: passage, moment, question, answer."""

from dataclasses import dataclass

from voice.turns.commands import CommandName


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is searched: a few sentences of one episode, ``start`` to ``end`` in seconds.

    ``grain`` is the length it was cut to, in words, so that a search can use more than one granularity.
    ``break_`` says what begins with it: 0 nothing, 1 a paragraph of the transcript, 2 a turn of a speaker.
    """

    episode_id: str
    start: float
    end: float
    text: str
    speaker: str = ""
    grain: int = 0
    break_: int = 0


JUMP_BACK = 12.0
"""Seconds before its first word within which a jump to an answer goes to the question that it replies to."""


@dataclass(frozen=True, slots=True)
class SentenceRun:
    """What is read and quoted: one to three sentences of one speaker that follow each other, about 45 words at most.

    ``start`` and ``end`` in seconds are those of its own words. ``share`` in 0..1 is the probability that the answer
    is said in it, given that it is said at all. ``asked`` is the question that it replies to, as it was said, and
    ``asked_at`` where that begins (seconds); empty and None where nobody asked.
    """

    episode_id: str
    start: float
    end: float
    text: str
    speaker: str = ""
    share: float = 0.0
    asked: str = ""
    asked_at: float | None = None

    @property
    def jump(self) -> float:
        """Where to jump, in seconds: to the question that it replies to when that is close before it, else to it."""
        close = self.asked_at is not None and 0 <= self.start - self.asked_at <= JUMP_BACK
        return self.asked_at if close and self.asked_at is not None else self.start


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What reading found: runs that do not overlap, best first, and the probability that the first one answers."""

    runs: tuple[SentenceRun, ...] = ()
    answered: float = 0.0

    @property
    def best(self) -> float:
        """The highest share of any run; 0 when there is none."""
        return max((run.share for run in self.runs), default=0.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """Where to jump: ``start`` and ``end`` in seconds, the words said there, who says them.

    ``confidence`` in 0..1 is the probability that this answers the question.
    """

    episode_id: str
    start: float
    end: float
    quote: str
    speaker: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked before, and the moments that answered it, best first."""

    text: str
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``episode_id`` limits the search to one episode (None: the whole library).

    ``position`` is where playback stands, ``heard_until`` how far the listener has got, and ``since`` where the last
    listening broke off, all in seconds, of ``episode_id`` or of ``playing``: the episode on the player when more than
    it is asked. ``history`` is the conversation so far, oldest first. All of it is the listener's own: nothing of a
    conversation is kept anywhere else.
    """

    text: str
    episode_id: str | None = None
    position: float | None = None
    heard_until: float | None = None
    history: tuple[Exchange, ...] = ()
    since: float | None = None
    playing: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do. ``amount`` is None when none was said (``voice.turns.commands`` knows what is meant then).

    Else it is for back and forward seconds (> 0), for sleep seconds from now, for go_to seconds from the beginning,
    for set_speed the factor (1.0 is as recorded), for set_volume the level in 0..1, for choose the number from 1 (-1 is
    the last). ``about`` is what is to be played for play_about, the show for play_latest ("" is any), "end" or "middle"
    for a go_to that has no amount, and "topic" or "episode" for a sleep at the end of it.
    """

    name: CommandName
    amount: float | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, to be shown and spoken, with the moments it rests on."""

    text: str
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to ``question``. ``covered`` is False when the library does not cover it;
    ``moments`` then hold the nearest things that are there. Best moment first.

    ``command`` is set when it was none to answer but one to carry out; the first of ``moments`` is then where to go,
    for those that go to a moment. ``remark`` is what a person should know about how the answer was made.
    """

    question: str
    covered: bool
    sentences: tuple[Sentence, ...] = ()
    moments: tuple[Moment, ...] = ()
    command: Command | None = None
    remark: str = ""

    @property
    def text(self) -> str:
        """The whole answer as one string."""
        return " ".join(sentence.text for sentence in self.sentences)
