# SPDX-License-Identifier: GPL-3.0-or-later
"""A Wyoming service over an engine that answers, hears and speaks at once, for tests of what is around it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from wyoming.client import AsyncTcpClient
from wyoming.event import Event

from retrieval.commands.parser import parse
from retrieval.model import Answer, Moment, Question, Sentence
from ui.companion import Status
from ui.engines import EngineLine
from ui.home.wyoming.wyoming_service import AccessList, WyomingService
from ui.settings import Settings
from voice.audio import Audio
from voice.errors import EngineError, LibraryError
from voice.model import Heard

MOMENT = Moment("e1", 65.0, 70.0, "They dance because it tells the way.", "Ines", 0.9)


class House:
    """What hears, answers and speaks, where that is not what is tested."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.ready = True
        self.asked: list[Question] = []
        self.heard: list[Audio] = []
        self.left = threading.Event()
        self.pieces = 3

    def status(self) -> Status:
        lines = (EngineLine("speaking", "Piper en_US-joe-medium"), EngineLine("hearing", "faster-whisper tiny.en"))
        return Status(self.ready, "Loading the voice", 0.1, lines if self.ready else ())

    def telling(self, question: Question) -> Iterator[Sentence | Answer]:
        self.asked.append(question)
        if "nothing" in question.text:
            raise LibraryError("The library is empty.", "Run 'earmark add FILE'.")
        if "broken" in question.text:
            raise ZeroDivisionError
        if (command := parse(question.text)) is not None:
            yield Answer(question.text, True, (), (MOMENT,) if command.name == "play_about" else (), command)
            return
        try:
            made = []
            for number in range(self.pieces):
                made.append(Sentence(f"{question.text} {number}.", (MOMENT,)))
                yield made[-1]
            yield Answer(question.text, "weather" not in question.text, tuple(made), (MOMENT,))
        finally:
            self.left.set()

    def hear(self, audio: Audio, episode_id: str | None = None) -> Heard:
        self.heard.append(audio)
        return Heard("why do bees dance", 0.9)

    def speak(self, text: str) -> Iterator[Audio]:
        if "mute" in text:
            raise EngineError("The voice is hoarse.", "Choose another.")
        for sentence in filter(None, (part.strip() for part in text.split("."))):
            yield Audio(np.full(100 * len(sentence), 0.5, np.float32), 22_050)


@contextmanager
def running(engine: House, access: AccessList | None = None, **how) -> Iterator[WyomingService]:
    service = WyomingService(access or AccessList("127.0.0.1", 0))
    service.start(engine, announce=False, **how)
    try:
        yield service
    finally:
        service.close()


def say(service: WyomingService, *events: Event, until: str) -> list[Event]:
    """What comes back on a connection of its own, up to an event of this type."""

    async def talk() -> list[Event]:
        came: list[Event] = []
        async with AsyncTcpClient("127.0.0.1", service.port, read_timeout=20) as client:
            for event in events:
                await client.write_event(event)
            while not came or came[-1].type != until:
                event = await client.read_event()
                assert event is not None, [one.type for one in came]
                came.append(event)
        return came

    return asyncio.run(talk())
