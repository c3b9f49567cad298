# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of finding and answering: passage, moment, question, answer."""

from dataclasses import dataclass


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
class Question:
    """What is asked. ``episode_id`` limits the search to one episode (None: the whole library).

    ``position`` is where playback stands and ``heard_until`` how far the listener has got, both in seconds.
    """

    text: str
    episode_id: str | None = None
    position: float | None = None
    heard_until: float | None = None
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, to be shown and spoken, with the moments it rests on."""

    text: str
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to ``question``. ``covered`` is False when the library does not cover it;
    ``moments`` then hold the nearest things that are there. Best moment first."""

    question: str
    covered: bool
    sentences: tuple[Sentence, ...] = ()
    moments: tuple[Moment, ...] = ()

    @property
    def text(self) -> str:
        """The whole answer as one string."""
        return " ".join(sentence.text for sentence in self.sentences)
