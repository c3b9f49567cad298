# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of the Wyoming protocol as they come in, within bounds.

``wyoming`` reads them as well, trusting what is announced: a frame from anybody could then take all memory, or end the
reader with an error of any kind.
"""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from wyoming.event import Event

LONGEST_LINE = 65_536
"""Bytes of the line that an event begins with: what asyncio's reader holds."""

LARGEST_DATA = 1_000_000
"""Bytes of the JSON that may follow it."""

LARGEST_PAYLOAD = 4_000_000
"""Bytes of sound that may follow that: usual are some thousand."""

SILENT_FRAME = 30.0
"""Seconds that the rest of an event may take, once it has begun."""


class BadFrame(Exception):
    """Something that is no event; where the next one begins is not known either."""


class _Head(Struct):
    """The line that an event begins with."""

    type: Annotated[str, Meta(max_length=100)]
    data: dict[str, Any] | None = None
    data_length: Annotated[int, Meta(ge=0, le=LARGEST_DATA)] | None = None
    payload_length: Annotated[int, Meta(ge=0, le=LARGEST_PAYLOAD)] | None = None


async def read_event(reader: asyncio.StreamReader, patience: float) -> Event | None:
    """The next event; None when the other side is done, or silent for ``patience`` seconds.

    Raises BadFrame.
    """
    try:
        async with asyncio.timeout(patience):
            line = await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise BadFrame(f"an event begins with a line of more than {LONGEST_LINE} bytes") from error
    try:
        head = msgspec.json.decode(line, type=_Head)
        more = payload = b""
        if head.data_length or head.payload_length:
            async with asyncio.timeout(SILENT_FRAME):
                more = await reader.readexactly(head.data_length or 0)
                payload = await reader.readexactly(head.payload_length or 0)
        further = msgspec.json.decode(more, type=dict[str, Any]) if more else {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame(f"that is no event of the Wyoming protocol ({str(error)[:200]})") from error
    except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
        return None
    return Event(head.type, (head.data or {}) | further, payload or None)
