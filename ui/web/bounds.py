# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds on requests, before anything reads them: how large a body may be, how long it may take, and which of Gradio's
addresses there are at all."""

import asyncio
import re
from collections.abc import MutableMapping
from typing import Any

from ui.web import limits
from ui.web.auth import App, AsgiScope, Receive, Send, refuse

_OWN_BOUND = re.compile(r"/api/upload/[^/]{1,40}/[^/]{1,2000}")
_GRADIO = re.compile(
    r"/gradio_api/(info|openapi\.json|mcp|app_id|startup-events|theme\.css|queue/(join|data|status)|heartbeat|reset|cancel"
    r"|call/\w{1,40}|call/\w{1,40}/\w{1,80}|mcp/[\w/.-]{0,200}|heartbeat/\w{1,80})/?"
)
"""What Gradio does here: the four tools, their description, and the queue they wait in. It also has addresses that take
and serve files, pass requests on and run components; nothing here needs those, so they are not there."""
_NOT_GRADIO = re.compile(r"/(login|logout|monitoring|svelte|pwa_icon)(/.*)?")


class TooLarge(Exception):
    """A body grew past its bound."""


class RequestLimits:
    """ASGI middleware: refuses bodies that are too large or come too slowly, and addresses that nobody needs."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer, or pass on what stays within the bounds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if (path.startswith("/gradio_api") and not _GRADIO.fullmatch(path)) or _NOT_GRADIO.fullmatch(path):
            await refuse(send, 404, [], b"There is no such address.")
            return
        largest = _largest(path)
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if largest is not None and announced.isdigit() and int(announced[:20]) > largest:
            await refuse(send, 413, [(b"connection", b"close")], _said(largest))
            return
        size, over, begun, refused = 0, False, False, False

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal size, over, refused
            if over:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), limits.SILENT_BODY)
            except TimeoutError:
                return {"type": "http.disconnect"}
            size += len(message.get("body", b""))
            over = not message.get("more_body", False)
            if largest is not None and size > largest:
                refused = True
                raise TooLarge
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if refused:  # whatever the application makes of it, the answer is ours
                if not begun:
                    begun = True
                    await refuse(send, 413, [(b"connection", b"close")], _said(largest or 0))
                return
            begun = True
            await send(message)

        try:
            await self.app(scope, bounded, sending)
        except TooLarge:
            if not begun:
                await refuse(send, 413, [(b"connection", b"close")], _said(largest or 0))


def _largest(path: str) -> int | None:
    """Bytes that the body of a request to this address may have; None where the address counts itself."""
    if _OWN_BOUND.fullmatch(path):
        return None
    if path == "/v1/audio/transcriptions":
        return limits.LARGEST_RECORDING
    return limits.LARGEST_SOUND if path == "/api/hear" else limits.LARGEST_BODY


def _said(largest: int) -> bytes:
    return f"A request to this address has at most {largest / 1e6:g} MB.".encode()
