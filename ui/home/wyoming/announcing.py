# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling the network by zeroconf (mDNS) that a Wyoming service is here, so that Home Assistant offers to add it."""

import logging
import socket

from zeroconf import Error, InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from ui.home.network import ANYWHERE, own_address

log = logging.getLogger("earmark.home")

TYPE = "_wyoming._tcp.local."
"""The kind of service that Home Assistant looks for."""


class Announcement:
    """What is announced, until it is closed."""

    def __init__(self, network: AsyncZeroconf) -> None:
        self._network = network

    async def close(self) -> None:
        """Take it back."""
        await self._network.async_unregister_all_services()
        await self._network.async_close()


async def announced(host: str, port: int) -> Announcement | None:
    """Announce what listens on ``host`` and ``port``, on this machine alone when it is a loopback address.

    None, and a line in the log, where the network does not take it: it works without, by address.
    """
    address = own_address() if host in ANYWHERE else socket.gethostbyname(host) if ":" not in host else host
    machine = socket.gethostname().partition(".")[0]
    network: AsyncZeroconf | None = None
    try:
        network = AsyncZeroconf(
            interfaces=[address] if address.startswith("127.") else InterfaceChoice.Default,
            ip_version=IPVersion.All if ":" in address else IPVersion.V4Only,
        )
        info = AsyncServiceInfo(
            TYPE, f"Earmark on {machine}.{TYPE}", port, parsed_addresses=[address], server=f"earmark-{machine}.local."
        )
        await network.async_register_service(info, allow_name_change=True)
    except (OSError, Error) as error:
        log.warning("Wyoming is not announced (%s); add it by its address instead.", error or type(error).__name__)
        if network is not None:
            await network.async_close()
        return None
    return Announcement(network)
