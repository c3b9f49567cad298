# SPDX-License-Identifier: GPL-3.0-or-later
"""A wake word that a Wyoming service on another machine listens for; one of this machine is heard while it is away."""

import asyncio
import contextlib
import logging
import threading

from voice.audio import HEARING_RATE, Samples, pcm16
from voice.errors import EarmarkError
from voice.turns.wake_word import WakeWord
from voice.wyoming_client import CONNECT, EngineAddress

log = logging.getLogger("earmark.listen")

RETRY = 5.0
"""Seconds between two tries to reach it."""

_WAITING = 64  # pieces of sound that wait to be sent; older ones are dropped, since a late wake word wakes nobody
_FORMAT = {"rate": HEARING_RATE, "width": 2, "channels": 1}


class RemoteWake:
    """See ``voice.turns.wake_word.WakeWord``. ``local`` listens while the service is away, if there is one."""

    sure = 0.5

    def __init__(self, address: EngineAddress, local: WakeWord | None) -> None:
        self.name = address.model or (local.name if local else "the wake word")
        self._address, self._local = address, local
        self._said = threading.Event()
        self.there = threading.Event()
        """Set while the service listens."""
        self._loop = asyncio.new_event_loop()
        self._sound: asyncio.Queue[bytes] = asyncio.Queue()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="wake-word", daemon=True)
        self._thread.start()

    def __call__(self, samples: Samples) -> float:
        """See ``WakeWord``; the service answers a little later, with one of the next calls."""
        if self.there.is_set():
            with contextlib.suppress(RuntimeError):  # closed
                self._loop.call_soon_threadsafe(self._push, pcm16(samples).astype("<i2").tobytes())
            if self._said.is_set():
                self._said.clear()
                return 1.0
            return 0.0
        if self._local is None:
            return 0.0
        return self._local(samples) / max(self._local.sure, 1e-3) * self.sure  # in terms of our own certainty

    def reset(self) -> None:
        """See ``WakeWord``."""
        self._said.clear()
        if self._local is not None:
            self._local.reset()

    def close(self) -> None:
        """Hang up."""

        def end() -> None:
            if self._main is not None:
                self._main.cancel()

        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(end)
        self._thread.join(10)

    def _push(self, data: bytes) -> None:
        if self._sound.qsize() >= _WAITING:
            self._sound.get_nowait()
        self._sound.put_nowait(data)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._stay())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        self._loop.close()

    async def _stay(self) -> None:
        """Be connected; whatever goes wrong, try again after a while."""
        told = False
        while True:
            try:
                await self._listen()
            except Exception as error:  # a socket's, and whatever a reply that is no event raises in wyoming
                if not told:
                    log.warning("The wake word service %s is away (%s).", self._address, error or type(error).__name__)
                told = True
            else:
                told = False
            finally:
                self.there.clear()
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        from wyoming.audio import AudioChunk, AudioStart
        from wyoming.client import AsyncTcpClient
        from wyoming.wake import Detect

        async with AsyncTcpClient(self._address.host, self._address.port, CONNECT) as client:
            await client.write_event(Detect([self._address.model] if self._address.model else None).event())
            await client.write_event(AudioStart(**_FORMAT).event())
            self._sound = asyncio.Queue()
            self.there.set()
            log.info("The wake word service %s listens.", self._address)

            async def send() -> None:
                while True:
                    await client.write_event(AudioChunk(**_FORMAT, audio=await self._sound.get()).event())

            sending = asyncio.create_task(send())
            try:
                while (event := await client.read_event()) is not None:
                    if event.type == "detection":
                        self._said.set()
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await sending


def local_wake() -> WakeWord | None:
    """The word that is heard on this machine meanwhile; None where nothing can hear one."""
    from voice.turns.microwakeword import MicroWake, builtin

    try:
        return MicroWake(builtin("okay_nabu"))
    except EarmarkError:
        return None
