# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines on another machine that speak Wyoming: a connection for each request, time-outs, and a rest after a failure.

They get questions and answers only; what is taken into the library is heard on this machine.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voice.errors import EngineError, SettingsError

if TYPE_CHECKING:
    from wyoming.event import Event

log = logging.getLogger("earmark")

CONNECT = 2.0
"""Seconds that a connection may take."""

SILENT = 15.0
"""Seconds that the next event of a reply may take."""

REST = 30.0
"""Seconds after a failure in which a remote engine is not asked again."""

_MOST = 20_000  # events of one reply

INSTALL_WYOMING = "Run: pip install 'earmark[home]'"
"""What brings the package that speaks Wyoming."""


def is_remote(setting: str) -> bool:
    """True for a setting that names an engine on another machine."""
    return setting.strip().lower().startswith("tcp:")


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where an engine is, and which of its models is wanted ("": its own choice)."""

    host: str
    port: int
    model: str = ""

    def __str__(self) -> str:
        return f"tcp://{self.host}:{self.port}" + (f"/{self.model}" if self.model else "")


def address_of(setting: str) -> EngineAddress:
    """Read ``tcp://host:port`` or ``tcp://host:port/model``. Raises SettingsError, also without the package."""
    try:
        import wyoming
    except ImportError as error:
        raise SettingsError(f"{setting} needs the packages of the extra home.", INSTALL_WYOMING) from error
    log.debug("wyoming %s", wyoming.__version__)
    try:
        given = urlsplit(setting.strip())
        host, port = given.hostname, given.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise SettingsError(f"{setting!r} is no address of an engine.", "Write for instance tcp://box.local:10300.")
    return EngineAddress(host, port, given.path.strip("/"))


class RemoteEngine:
    """One engine. Safe to use from several threads, though not from a running event loop."""

    def __init__(self, address: EngineAddress, clock: Callable[[], float] = monotonic) -> None:
        self.address = address
        self._clock = clock
        self._failed = -REST
        self.problem = ""
        """Why it was not used last; empty while it works."""

    def ask(self, events: Sequence["Event"], last: str) -> "list[Event]":
        """Send events and return what comes, up to the event of the type ``last``.

        Raises EngineError when it does not answer, and at once for a while after that.
        """
        if self._clock() - self._failed < REST:
            raise EngineError(self.problem, "It is tried again in a moment.")
        try:
            came = asyncio.run(self._talk(events, last))
        except EngineError as error:
            self._failed, self.problem = self._clock(), error.message
            log.warning("%s Until it is back, the engine of this machine is used.", error)
            raise
        if self.problem:
            log.info("%s is back.", self.address)
        self.problem = ""
        return came

    async def _talk(self, events: Sequence["Event"], last: str) -> "list[Event]":
        from wyoming.client import AsyncTcpClient

        came: list[Event] = []
        try:
            async with AsyncTcpClient(self.address.host, self.address.port, CONNECT, SILENT) as client:
                async with asyncio.timeout(SILENT):
                    for event in events:
                        await client.write_event(event)
                while len(came) < _MOST and (event := await client.read_event()) is not None:
                    if event.type == "error":
                        raise EngineError(f"{self.address} says: {str(event.data.get('text'))[:200]}.")
                    came.append(event)
                    if event.type == last:
                        return came
        except EngineError:
            raise
        except Exception as error:  # a socket's, and whatever a reply that is no event raises in wyoming
            reason = str(error) or ("it is silent" if isinstance(error, TimeoutError) else type(error).__name__)
            raise EngineError(f"{self.address} does not answer ({reason}).", "Check that it runs.") from error
        raise EngineError(f"{self.address} does not answer (it hung up).", "Check that it runs.")
