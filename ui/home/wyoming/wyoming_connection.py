# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection of the Wyoming service: an event comes in, and what it asks for goes out.

Whoever asks is always answered, since Home Assistant waits without a time-out.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.ping import Pong
from wyoming.tts import SynthesizeStopped

from retrieval.model import Answer, Exchange, Question, Sentence
from ui.home.conversations import AskedFrom, Conversations, Said
from ui.home.wyoming.frames import BadFrame, read_event
from ui.home.wyoming.hass_intents import intent_of
from ui.home.wyoming.service_info import info_of
from ui.home.wyoming.wyoming_service import Household, WyomingEngine
from ui.schemas import LONGEST_TEXT
from voice.audio import HEARING_RATE, Audio, pcm16
from voice.errors import EarmarkError
from voice.model import clock
from voice.turns.commands import CommandName
from voice.turns.playback_policy import HELP

log = logging.getLogger("earmark.home")

CONNECTION_TIMEOUT = 300.0
"""Seconds without an event until a connection is closed."""

STARTING = 10.0
"""Seconds that a question waits for engines that still load, until it is told so."""


LONGEST_SOUND = 60.0
"""Seconds of a spoken question; what is said after them is not heard."""

_KINDS = {1: "u1", 2: "<i2", 4: "<i4"}
_RATES, _CHANNELS = range(4_000, 192_001), range(1, 9)
_AHEAD = 8  # sentences or sounds that are made before they are sent
_USUAL_RATE = 22_050  # hertz, of a text in which there is nothing to say

T = TypeVar("T")


class BadEvent(Exception):
    """An event that does not hold what it should."""


@dataclass(slots=True)
class _Hearing:
    """Sound that comes in: samples of ``width`` bytes (little-endian; one byte: unsigned), channel beside channel."""

    rate: int
    width: int
    channels: int
    data: bytearray = field(default_factory=bytearray)

    def sound(self) -> Audio:
        """All of it so far, mono."""
        whole = self.width * self.channels
        samples = np.frombuffer(bytes(self.data[: len(self.data) // whole * whole]), _KINDS[self.width])
        middle, peak = (128.0, 128.0) if self.width == 1 else (0.0, 2.0 ** (8 * self.width - 1))
        mono = ((samples.astype(np.float64) - middle) / peak).reshape(-1, self.channels).mean(axis=1)
        return Audio(mono.astype(np.float32), self.rate)


class WyomingConnection:
    """What one client asks, in order, until it hangs up."""

    def __init__(
        self, engine: WyomingEngine, conversations: Conversations, pool: ThreadPoolExecutor,
        house: Household | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:
        self._engine, self._conversations, self._pool, self._house = engine, conversations, pool, house
        self._reader, self._writer = reader, writer
        self._hearing: _Hearing | None = None
        self._spoken: str | None = None  # a text that comes in pieces, as far as it is not spoken yet
        self._sounding = False  # audio-start was sent

    async def serve(self) -> None:
        """Answer until the client is done, silent for long, or makes no sense."""
        try:
            while (event := await read_event(self._reader, CONNECTION_TIMEOUT)) is not None:
                try:
                    await self._handle(event)
                except BadEvent as error:
                    await self._send(Error(str(error), "bad-event"))
        except BadFrame as error:
            with contextlib.suppress(ConnectionError):
                await self._send(Error(str(error), "bad-frame"))
        except ConnectionError:
            log.debug("somebody hung up")
        finally:
            self._writer.close()

    async def _handle(self, event: Event) -> None:
        match event.type:
            case "describe":
                await self._send(info_of(self._engine))
            case "ping":
                text = event.data.get("text")
                await self._send(Pong(text[:LONGEST_TEXT] if isinstance(text, str) else None))
            case "transcript":
                await self._answer(_text(event), AskedFrom.of(event.data.get("context")))
            case "audio-start":
                self._hearing = _hearing(event)
            case "audio-chunk":
                self._listen(event)
            case "audio-stop":
                await self._hear()
            case "synthesize" if self._spoken is None:
                await self._say(_text(event))
                await self._stop_sounding()
            case "synthesize-start":
                self._spoken = ""
            case "synthesize-chunk" if self._spoken is not None:
                await self._say_on(_text(event))
            case "synthesize-stop" if self._spoken is not None:
                rest, self._spoken = self._spoken, None
                await self._say(rest)
                await self._stop_sounding()
                await self._send(SynthesizeStopped())
            case _:  # of a kind that is nobody's business here
                log.debug("ignored an event %.40s", event.type)

    async def _send(self, what: Eventable) -> None:
        await async_write_event(what.event(), self._writer)

    # -- questions ---------------------------------------------------------------------------------------------

    async def _answer(self, text: str, place: AskedFrom) -> None:
        """``handled`` or ``not-handled`` with a text, or an ``intent`` that Home Assistant carries out.

        The sentences go ahead as ``handled-chunk``, for those who read them; the end says how it was.
        """
        context = {"conversation_id": place.conversation} if place.conversation else None
        begun = False
        try:
            await self._ready()
            said = self._conversations.of(place.key)
            room, air, house = "", None, self._house
            if house is not None:
                text, room = house.said(text)
                air = await self._in_thread(lambda: house.now(place))
            question = Question(
                text, None, air.position if air else None, history=tuple(one.turn for one in said),
                playing=air.episode if air else None,
            )  # fmt: skip
            made: Answer | None = None
            async with contextlib.aclosing(self._streamed(lambda: self._engine.telling(question))) as news:
                async for one in news:
                    if isinstance(one, Sentence):
                        if not begun:
                            await self._send(HandledStart(context))
                        begun = True
                        await self._send(HandledChunk(one.text if one.text.endswith(" ") else f"{one.text} "))
                    else:
                        made = one
            if made is None:
                raise EarmarkError("Nothing came of that question.", "Ask it again.")
            last = await self._outcome(made, said, place, room, context)
        except EarmarkError as error:
            last = NotHandled(str(error), context)
        except ConnectionError:
            raise
        except Exception as error:  # whoever asks waits for ever when nothing comes
            log.exception("a question failed")
            last = NotHandled(f"Something went wrong: {type(error).__name__}.", context)
        await self._send(last)
        if begun:
            await self._send(HandledStop())

    async def _outcome(
        self, made: Answer, said: tuple[Said, ...], place: AskedFrom, room: str,
        context: dict[str, Any] | None,
    ) -> Eventable:
        """What ends the answer; a command is carried out here, by Home Assistant, or declined."""
        command = made.command
        if command is None:
            self._conversations.add(place.key, Said(Exchange(made.question, made.moments), made.text))
            return Handled(made.text, context) if made.covered else NotHandled(made.text or "I do not know.", context)
        if command.name is CommandName.YES and said:
            made = replace(made, moments=said[-1].turn.moments[:1])
        house, told = self._house, None
        if house is not None:
            told = await self._in_thread(lambda: house.carry(made, place, room))
        if told is None:
            told = spoken(made, said)
        if told is not None:
            self._conversations.add(place.key, Said(Exchange(made.question, made.moments), told))
            return Handled(told, context)
        intent = intent_of(command)
        if intent is None:
            where = f"That is at {clock(made.moments[0].start)}. " if made.moments else ""
            return NotHandled(f"{where}I have no loudspeaker to do that on.", context)
        intent.context = context
        return intent

    async def _ready(self) -> None:
        """Wait a little for engines that load. Raises EarmarkError while they are not there."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STARTING
        while not (status := self._engine.status()).ready:
            if status.problem:
                raise EarmarkError(status.problem)
            if loop.time() > deadline:
                raise EarmarkError(f"I am still starting: {status.doing}.", "Ask again in a moment.")
            await asyncio.sleep(0.1)

    # -- sound -------------------------------------------------------------------------------------------------

    def _listen(self, event: Event) -> None:
        hearing = self._hearing
        if hearing is None:  # some leave the start out: every chunk says what it is
            self._hearing = hearing = _hearing(event)
        most = int(LONGEST_SOUND * hearing.rate) * hearing.width * hearing.channels
        hearing.data += (event.payload or b"")[: max(0, most - len(hearing.data))]

    async def _hear(self) -> None:
        hearing, self._hearing = self._hearing, None
        if hearing is None:
            raise BadEvent("no sound came before audio-stop")

        def heard() -> str:
            return self._engine.hear(hearing.sound().at_rate(HEARING_RATE)).text

        try:
            text = await self._in_thread(heard) if hearing.data else ""
        except EarmarkError as error:
            await self._send(Error(str(error), "hearing"))
        except Exception as error:  # foreign: the recogniser's
            log.exception("hearing failed")
            await self._send(Error(f"That could not be heard ({type(error).__name__}).", "hearing"))
        else:
            await self._send(Transcript(text, language=self._engine.settings.language))

    async def _say_on(self, more: str) -> None:
        """Speak what of a text is whole sentences; the rest waits for what follows."""
        self._spoken = text = (self._spoken or "") + more
        end = max(text.rfind(mark) for mark in (". ", "! ", "? ", "\n")) + 1
        if end or len(text) > LONGEST_TEXT:
            end = end or len(text)
            self._spoken = text[end:]
            await self._say(text[:end])

    async def _say(self, text: str) -> None:
        try:
            async with contextlib.aclosing(self._streamed(lambda: self._engine.speak(text))) as sounds:
                async for sound in sounds:
                    await self._sound(sound)
        except EarmarkError as error:
            await self._send(Error(str(error), "speaking"))

    async def _sound(self, sound: Audio) -> None:
        if not self._sounding:
            self._sounding = True
            await self._send(AudioStart(sound.rate, 2, 1, timestamp=0))
        data = pcm16(sound.samples).astype("<i2").tobytes()
        size = sound.rate // 5 * 2  # a fifth of a second
        for at in range(0, len(data), size):
            await self._send(AudioChunk(sound.rate, 2, 1, data[at : at + size]))

    async def _stop_sounding(self) -> None:
        if not self._sounding:
            await self._send(AudioStart(_USUAL_RATE, 2, 1, timestamp=0))
        self._sounding = False
        await self._send(AudioStop())

    # -- threads -----------------------------------------------------------------------------------------------

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _streamed(self, make: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
        """What is made in a thread, as it is made; the making ends at its next step when nobody wants more."""
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[T | Exception | None] = asyncio.Queue()
        gone, room = threading.Event(), threading.Semaphore(_AHEAD)

        def give(what: T | Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the service has ended
                loop.call_soon_threadsafe(made.put_nowait, what)

        def work() -> None:
            try:
                for one in make():
                    room.acquire()
                    if gone.is_set():
                        return
                    give(one)
                give(None)
            except Exception as error:
                give(error)

        self._pool.submit(work)
        try:
            while (one := await made.get()) is not None:
                if isinstance(one, Exception):
                    raise one
                yield one
                room.release()
        finally:
            gone.set()
            room.release()


def _hearing(event: Event) -> _Hearing:
    """Sound of the format that an event tells."""
    return _Hearing(
        _number(event, "rate", _RATES), _number(event, "width", tuple(_KINDS)), _number(event, "channels", _CHANNELS)
    )


def spoken(made: Answer, said: tuple[Said, ...]) -> str | None:
    """What is said to a command that needs no player; None for one that does."""
    name = made.command.name if made.command else None
    match name:
        case CommandName.HELP:
            return HELP
        case CommandName.THANKS:
            return "You are welcome."
        case CommandName.NO:
            return "All right."
        case CommandName.REPEAT:
            return said[-1].answer if said else "I have not answered anything yet."
        case CommandName.OWN_WORDS | CommandName.CHOOSE | CommandName.YES:
            quotes = [moment.quote for moment in made.moments[:1] if moment.quote]
            return quotes[0] if quotes else "Ask me something first."
    return None


async def turn_away(writer: asyncio.StreamWriter) -> None:
    """Say that there are too many, and hang up."""
    with contextlib.suppress(ConnectionError):
        await async_write_event(Error("Too many are connected already.", "busy").event(), writer)
    writer.close()


def _text(event: Event) -> str:
    text = event.data.get("text")
    if not isinstance(text, str) or (not text.strip() and event.type != "synthesize-chunk"):
        raise BadEvent(f"{event.type} has no text")
    if len(text) > LONGEST_TEXT:
        raise BadEvent(f"{event.type} has more than {LONGEST_TEXT} characters")
    return text if event.type == "synthesize-chunk" else text.strip()


def _number(event: Event, key: str, allowed: Sequence[int]) -> int:
    value = event.data.get(key)
    if not isinstance(value, int) or value not in allowed:
        raise BadEvent(f"{event.type} has no {key} between {allowed[0]} and {allowed[-1]}")
    return value
