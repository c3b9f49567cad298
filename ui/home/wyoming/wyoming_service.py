# SPDX-License-Identifier: GPL-3.0-or-later
"""A Wyoming service: Home Assistant and its like ask the library here, and hear and speak with its engines.

The protocol has no password, so it is off by default, on this machine only when it is on, and open to others only when
it is told to whom.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from retrieval.model import Answer, Question, Sentence
from ui.home.conversations import AskedFrom, Conversations
from ui.settings import Settings
from voice.audio import Audio
from voice.errors import SettingsError
from voice.model import Heard

if TYPE_CHECKING:
    from ui.companion import Status
    from ui.home.loudspeakers.house import OnAir
    from ui.home.wyoming.announcing import Announcement

log = logging.getLogger("earmark.home")

MOST_WYOMING_CONNECTIONS = 64
"""Connections at the same time; one more is told so and closed."""

_WORKERS = 4  # questions, texts and recordings worked on at the same time
_CLOSING = 10.0  # seconds that connections have to end

Networks = tuple[IPv4Network | IPv6Network, ...]


class WyomingEngine(Protocol):
    """What answers, hears and speaks: ``ui.companion.Companion``."""

    settings: Settings

    def status(self) -> "Status":
        """See ``Companion.status``."""
        ...

    def telling(self, question: Question) -> Iterator[Sentence | Answer]:
        """See ``Companion.telling``."""
        ...

    def hear(self, audio: Audio, episode_id: str | None = None) -> Heard:
        """See ``Companion.hear``."""
        ...

    def speak(self, text: str) -> Iterator[Audio]:
        """See ``Companion.speak``."""
        ...


class Household(Protocol):
    """The loudspeakers of a house: ``ui.home.loudspeakers.house.House``."""

    def said(self, text: str) -> tuple[str, str]:
        """See ``House.said``."""
        ...

    def now(self, place: AskedFrom) -> "OnAir | None":
        """See ``House.now``."""
        ...

    def carry(self, made: Answer, place: AskedFrom, room: str = "") -> str | None:
        """See ``House.carry``."""
        ...


@dataclass(frozen=True, slots=True)
class AccessList:
    """Where to listen, and whom to let in beside this machine; ``everybody`` regardless of ``networks``."""

    host: str
    port: int
    networks: Networks = ()
    everybody: bool = False

    def admits(self, address: str) -> bool:
        """True for an address that may come in."""
        if self.everybody:
            return True
        try:
            given = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        given = getattr(given, "ipv4_mapped", None) or given
        return given.is_loopback or any(given in network for network in self.networks)

    @property
    def local(self) -> bool:
        """True when only this machine can reach it."""
        return is_local(self.host)


def is_local(host: str) -> bool:
    """True for a name or address of this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def access_of(settings: Settings) -> AccessList | None:
    """The access that the settings give; None for none. Raises SettingsError."""
    if not settings.wyoming.strip():
        return None
    example = "Write for instance wyoming = \"tcp://127.0.0.1:10700\"."
    try:
        given = urlsplit(settings.wyoming.strip())
        host, port = given.hostname, given.port
    except ValueError:
        host = port = None
    if host is None or not port or given.scheme != "tcp" or given.path.strip("/"):
        raise SettingsError(f"The setting wyoming is {settings.wyoming!r}.", example)
    allowed = [part.strip() for part in settings.wyoming_allow.split(",") if part.strip()]
    try:
        networks = tuple(ip_network(part, strict=False) for part in allowed if part != "anyone")
    except ValueError as error:
        raise SettingsError(f"The setting wyoming_allow is {settings.wyoming_allow!r}: {error}.",
                            "Write addresses or networks, separated by commas: 192.168.1.5, 192.168.2.0/24.") from error
    if not is_local(host) and not allowed:
        raise SettingsError(
            f"On {host} everybody in your network could ask, since Wyoming has no password.",
            "Set wyoming_allow to the address of your Home Assistant (or to anyone), or listen on 127.0.0.1.",
        )
    return AccessList(host, port, networks, "anyone" in allowed)


class WyomingService:
    """The service of one engine, in a thread of its own. It listens from the beginning and answers from ``start``.

    What ``house`` does not carry out of commands is left to Home Assistant.
    Raises SettingsError when the port is taken, or when the extra
    ``home`` is not installed.
    """

    def __init__(self, access: AccessList) -> None:
        try:
            import wyoming
            import zeroconf
        except ImportError as error:
            raise SettingsError("The setting wyoming needs the packages of the extra home.",
                                "Run: pip install 'earmark[home]'") from error
        log.debug("wyoming %s, zeroconf %s", wyoming.__version__, zeroconf.__version__)
        self.access = access
        self._listener = _bound(access)
        self.conversations = Conversations()
        self.pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="wyoming")
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._begun = threading.Event()
        self._server: asyncio.Server | None = None
        self._announcement: Announcement | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        number: int = self._listener.getsockname()[1]
        return number

    def start(self, engine: WyomingEngine, house: Household | None = None, announce: bool = True) -> None:
        """Begin to answer; ``announce`` also tells the network (or this machine alone) by zeroconf."""
        self._thread = threading.Thread(
            target=self._run, args=(engine, house, announce), name="earmark-wyoming", daemon=True
        )
        self._thread.start()
        self._begun.wait(_CLOSING)

    def close(self) -> None:
        """Take no more questions, and let those under way end at their next step."""
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            self._thread.join(_CLOSING)
        else:
            self._loop.close()
        self._listener.close()
        self.pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, engine: WyomingEngine, house: Household | None, announce: bool) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._open(engine, house, announce))
            log.info("Wyoming listens on %s port %d.", self.access.host, self.port)
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _open(self, engine: WyomingEngine, house: Household | None, announce: bool) -> None:
        from ui.home.wyoming.announcing import announced
        from ui.home.wyoming.frames import LONGEST_LINE
        from ui.home.wyoming.wyoming_connection import WyomingConnection, turn_away

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            peer = (writer.get_extra_info("peername") or ("",))[0]
            if task is None or not self.access.admits(peer):
                log.warning("Wyoming turned %s away; wyoming_allow does not name it.", peer or "somebody")
                writer.close()
            elif len(self._connections) >= MOST_WYOMING_CONNECTIONS:
                await turn_away(writer)
            else:
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)
                await WyomingConnection(engine, self.conversations, self.pool, house, reader, writer).serve()

        self._server = await asyncio.start_server(met, sock=self._listener, limit=LONGEST_LINE)
        self._begun.set()
        if announce:
            self._announcement = await announced(self.access.host, self.port)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_CLOSING / 2)
        if self._announcement is not None:
            await self._announcement.close()
        self._loop.stop()


def _bound(access: AccessList) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in access.host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((access.host, access.port))
        listener.listen(MOST_WYOMING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise SettingsError(f"Wyoming cannot listen on {access.host} port {access.port}: {error.strerror}.",
                            "Stop what is using it, or choose another port in the setting wyoming.") from error
    return listener
