# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking, for whichever door a question comes through: the page, the command line, a program or a language model.

An answer is a stream of events, each a JSON object of one key: ``waiting`` (what the engines still do), ``sentence``
(any number), and at the end ``answer`` with all of it; or ``error`` and ``hint``. Where it is read aloud, ``sound``
comes among them and after the answer: the first sentence, in pieces as they are made, then null.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from anyio import CancelScope, to_thread

from retrieval.model import Answer, Sentence
from ui import schemas
from ui.home.conversations import AskedFrom
from ui.schemas import Json
from ui.web import limits
from ui.web.bodies import AskBody, ScopedQuestion
from voice.audio import pcm16
from voice.errors import EarmarkError, EngineError

if TYPE_CHECKING:
    from ui.companion import Companion, Status
    from ui.home.loudspeakers.house import House
    from ui.web.dependencies import Served
    from voice.audio import Audio

log = logging.getLogger("earmark")


async def events(served: "Served", body: AskBody) -> AsyncIterator[Json]:
    """The events of an answer. Raises EarmarkError for what is wrong with the question or on the way.

    When nobody wants more (``aclose``) the answer is not made to its end.
    """
    if served.asked >= limits.MOST_WAITING:
        raise EngineError("Too many questions wait already.", "Ask again in a moment.")
    served.asked += 1
    made: Iterator[Sentence | Answer] | None = None
    try:
        async for waiting in _until_ready(served.companion):
            yield {"waiting": waiting}
        asked = await to_thread.run_sync(body.asked, served.companion)
        house, room = served.house, ""
        if house is not None:
            text, room = house.said(asked.question.text)
            asked = replace(asked, question=replace(asked.question, text=text))
        made = served.companion.telling(asked.question, asked.within)
        while (news := await to_thread.run_sync(next, made, None, limiter=served.askers)) is not None:
            if house is not None and room and isinstance(news, Answer) and news.command is not None:
                news = await to_thread.run_sync(partial(_carried, house, news, room))
            yield schemas.news_json(news)
    finally:
        served.asked -= 1
        if made is not None and hasattr(made, "close"):
            made.close()


def _carried(house: "House", made: Answer, room: str) -> Answer:
    """An answer whose command was carried out in a room: what came of it is told, and nothing is left to do."""
    told = house.carry(made, AskedFrom(), room)
    return made if told is None else replace(made, sentences=(Sentence(told),), command=None)


async def with_sound(events: AsyncIterator[Json], speak: Callable[[str], Iterator["Audio"]]) -> AsyncIterator[Json]:
    """The events, and the first sentence as ``sound`` (16-bit samples in base64, and their ``rate``) from the moment at
    which it is known: a client that asked for it back would wait for the way there once more.

    Where the voice fails no (more) sound comes; who then asks ``POST /api/speak`` is told why.
    """
    coming: asyncio.Task[Json | None] | None = asyncio.create_task(_next(events))
    sounding: asyncio.Task[Audio | None] | None = None
    begun = False
    try:
        while waits := {task for task in (coming, sounding) if task is not None}:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if coming is not None and coming.done():
                event = coming.result()
                coming = None if event is None else asyncio.create_task(_next(events))
                if event is not None and "sentence" in event and not begun:
                    begun = True
                    pieces = _spoken(speak, event["sentence"]["text"])
                    sounding = asyncio.create_task(_piece(pieces))
                if event is not None:
                    yield event
            if sounding is not None and sounding.done():
                audio = sounding.result()
                sounding = None if audio is None else asyncio.create_task(_piece(pieces))
                yield {"sound": audio and _coded(audio)}
    finally:
        with CancelScope(shield=True):  # a thread cannot be broken off, and nothing may be closed that it is in
            if waits := {task for task in (coming, sounding) if task is not None}:
                await asyncio.wait(waits)
            if isinstance(events, AsyncGenerator):
                await events.aclose()


def _spoken(speak: Callable[[str], Iterator["Audio"]], text: str) -> Iterator["Audio"]:
    """Choosing the voice is work for the thread, too."""
    yield from speak(text)


def _coded(audio: "Audio") -> Json:
    samples = base64.b64encode(pcm16(audio.samples).astype("<i2").tobytes()).decode()
    return {"samples": samples, "rate": audio.rate}


async def _next(events: AsyncIterator[Json]) -> Json | None:
    return await anext(events, None)


async def _piece(pieces: Iterator["Audio"]) -> "Audio | None":
    try:
        return await to_thread.run_sync(next, pieces, None)
    except EarmarkError as error:
        log.warning("%s", error)
        return None


async def lines(events: AsyncIterator[Json], first: Json | None = None) -> AsyncIterator[str]:
    """The events as lines of JSON (NDJSON); what fails on the way is the last of them."""
    try:
        if first is not None:
            yield _line(first)
        async for event in events:
            yield _line(event)
    except EarmarkError as error:
        yield _line({"error": error.message, "hint": error.hint})


async def whole(events: AsyncIterator[Json]) -> Json:
    """The answer at the end of its events."""
    last: Json = {}
    async for event in events:
        last = event
    answer: Json = last["answer"]
    return answer


def answer_at_once(companion: "Companion", body: AskBody) -> Answer:
    """The answer at once, for a caller that has a thread of its own."""
    asked: ScopedQuestion = body.asked(companion)
    return companion.ask(asked.question, asked.within)


async def _until_ready(companion: "Companion") -> AsyncIterator[str]:
    """Say what is being waited for until the companion is ready. Raises EngineError if that never comes."""
    deadline = time.monotonic() + limits.ENGINES_TIMEOUT
    said = ""
    while not (status := companion.status()).ready:
        if status.problem:
            raise EngineError(status.problem)
        if time.monotonic() > deadline:
            raise EngineError(f"Still loading: {_stand(status)}.", "The question is kept; ask again in a moment.")
        if (news := _stand(status)) != said:
            yield (said := news)
        await asyncio.sleep(0.25)


def _stand(status: "Status") -> str:
    return f"{status.doing}, {round(100 * status.progress)} %"


def _line(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False) + "\n"
