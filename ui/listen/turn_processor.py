# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a turn beside the loop that listens: it is decoded, understood, and its answer is made to sound.

An attempt begins when a turn may be over, before it is: whatever it makes is thrown away when speech goes on.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from retrieval.commands.commands import Command, parse
from retrieval.model import Answer, Moment, Question
from voice.audio import Audio
from voice.devices.echo_cancellation import is_echo
from voice.errors import EarmarkError
from voice.model import Heard

log = logging.getLogger("earmark.listen")

SURE = 0.35
"""Confidence of the recogniser below which it is asked back what was meant, and not answered."""


class Engine(Protocol):
    """What hears, answers and speaks: ``ui.companion.Companion``."""

    def hear(self, audio: Audio, episode_id: str | None = None) -> Heard:
        """See ``Companion.hear``."""
        ...

    def ask(self, question: Question) -> Answer:
        """See ``Companion.ask``."""
        ...

    def speak(self, text: str) -> Iterator[Audio]:
        """See ``Companion.speak``."""
        ...


@dataclass(slots=True)
class Attempt:
    """One try to understand turn ``number``; ``live`` until speech goes on or a newer turn begins.

    ``times`` are clock readings (seconds) by stage. ``sounds`` are what is to be heard, in order, of ``spoken``.
    """

    number: int
    audio: Audio
    played: tuple[str, ...] = ()
    live: bool = True
    over: bool = False
    acted: bool = False
    heard: Heard | None = None
    command: Command | None = None
    answer: Answer | None = None
    echo: bool = False
    finished: bool = False
    problem: str = ""
    spoken: str = ""
    sounds: list[Audio] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)


class Mind:
    """Works on attempts in threads of its own and tells ``changed`` after each stage.

    ``topic`` is what the part around a moment is called ("" when nobody named it).
    """

    def __init__(
        self, engine: Engine, changed: Callable[[Attempt], None], topic: Callable[[Moment], str] = lambda moment: ""
    ) -> None:
        self._engine, self._topic = engine, topic
        self._changed = changed
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mind")

    def understand(self, attempt: Attempt, question: Callable[[str], Question], episode_id: str | None) -> None:
        """Decode the attempt, and answer it when it is a question (``question`` makes one of the text)."""
        self._submit(attempt, lambda: self._understand(attempt, question, episode_id))

    def say(self, attempt: Attempt, text: str) -> None:
        """Say a text as part of an attempt."""
        self._submit(attempt, lambda: self._speak(attempt, text))

    def look_for(self, attempt: Attempt, question: Question) -> None:
        """Find moments without saying anything."""

        def work() -> None:
            attempt.answer = self._engine.ask(question)

        self._submit(attempt, work)

    def close(self) -> None:
        """Wait for what is under way, and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, attempt: Attempt, work: Callable[[], None]) -> None:
        attempt.finished = False
        self._pool.submit(self._run, attempt, work)

    def _run(self, attempt: Attempt, work: Callable[[], None]) -> None:
        try:
            if attempt.live:
                work()
        except EarmarkError as error:
            attempt.problem = str(error)
        except Exception as error:  # a thread of a pool would keep it to itself, and the turn would be lost
            attempt.problem = f"Something went wrong: {error!r}."
            log.exception("turn %d failed", attempt.number)
        attempt.finished = True
        self._changed(attempt)

    def _understand(self, attempt: Attempt, question: Callable[[str], Question], episode_id: str | None) -> None:
        attempt.times["decoding"] = time.monotonic()
        heard = self._engine.hear(attempt.audio, episode_id)
        attempt.times["decoded"] = time.monotonic()
        attempt.command = parse(heard.text) if heard.text else None
        attempt.echo = is_echo(heard, attempt.played, attempt.command is not None)
        attempt.heard = heard
        self._changed(attempt)
        if not heard.text or attempt.echo or attempt.command is not None or not attempt.live:
            return
        answer = self._engine.ask(question(heard.text))
        attempt.times["found"] = time.monotonic()
        attempt.answer = answer
        self._speak(attempt, spoken_answer(answer, heard.confidence, self._topic))

    def _speak(self, attempt: Attempt, text: str) -> None:
        attempt.spoken = text
        for sound in self._engine.speak(text):
            if not attempt.live:
                return
            attempt.times.setdefault("synthesised", time.monotonic())
            attempt.sounds.append(sound)
            self._changed(attempt)


def spoken_answer(answer: Answer, confidence: float, topic: Callable[[Moment], str] = lambda moment: "") -> str:
    """What is said: the answer, or what was meant is asked back when it was badly heard."""
    if confidence >= SURE or not answer.moments:
        return answer.text
    words = answer.moments[0].quote.split()
    about = topic(answer.moments[0]) or f"{' '.join(words[:8])} …"
    return f"I am not sure that I understood. Did you mean the part about: {about}? Say yes to hear it."
