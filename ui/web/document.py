# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as a document: its title and preview instead of Gradio's, its manifest, icons and service worker."""

import html
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from ui.companion import Companion
from ui.web.auth import App, AsgiScope, Receive, Send
from voice.errors import EarmarkError

STATIC = Path(__file__).parent / "static"

_NAME, _SAYS = "Earmark", "Ask your podcasts out loud; hear the answer; land on the moment."
_FOREIGN = re.compile(
    r'<meta\s{1,9}(?:property="og:|name="twitter:)[^>]{0,999}>\s{0,99}|<title>[^<]{0,999}</title>\s{0,99}'
)
_ICONS = [
    {"src": "icon-192.png", "sizes": "192x192", "type": "image/png", "purpose": "any"},
    {"src": "icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any"},
    {"src": "icon-maskable-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    {"src": "page/page.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
]

router = APIRouter(tags=["page"])


@router.get("/manifest.json")
def manifest() -> Response:
    """What a browser needs to install the page."""
    return JSONResponse({
        "name": _NAME, "short_name": _NAME, "description": _SAYS, "id": "./", "start_url": "./", "scope": "./",
        "display": "standalone", "background_color": "#f6f4ef", "theme_color": "#0b665c", "icons": _ICONS,
    }, media_type="application/manifest+json")  # fmt: skip


@router.get("/sw.js")
def service_worker() -> Response:
    """The service worker; at the root, since it serves all of the page."""
    return FileResponse(STATIC / "sw.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@router.get("/icon-{name}.png")
def icon(name: str) -> Response:
    """An icon of the manifest."""
    if name not in ("192", "512", "maskable-512", "apple-180"):
        return Response(status_code=404)
    return FileResponse(STATIC / f"icon-{name}.png", headers={"Cache-Control": "max-age=86400"})


class LinkPreview:
    """ASGI middleware: gives the page a title of its own, and the preview of the episode that its link names."""

    def __init__(self, app: App, companion: Companion) -> None:
        self.app = app
        self.companion = companion

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer; what Gradio gives for the root is written anew."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: MutableMapping[str, Any] = {}
        body = bytearray()

        async def rewrite(message: MutableMapping[str, Any]) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
            made = bytes(body)
            if dict(headers).get(b"content-type", b"").startswith(b"text/html"):
                made = (await run_in_threadpool(self.written, made.decode(), scope)).encode()
            await send({**start, "headers": [*headers, (b"content-length", str(len(made)).encode())]})
            await send({"type": "http.response.body", "body": made})

        await self.app(scope, receive, rewrite)

    def written(self, document: str, scope: AsgiScope) -> str:
        """The document with a head of its own."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        title, says, picture = self._about((asked.get("episode") or [""])[0])
        base = f"{scope['scheme']}://{dict(scope['headers']).get(b'host', b'').decode('latin-1')}/"
        head = "".join(
            [f"<title>{html.escape(title)}</title>", f'<meta name="description" content="{html.escape(says)}">']
            + [f'<meta property="og:{key}" content="{html.escape(value)}">'
               for key, value in (("type", "website"), ("site_name", _NAME), ("title", title), ("description", says),
                                  ("image", base + picture))]
            + ['<link rel="apple-touch-icon" href="icon-apple-180.png"><meta name="theme-color" content="#0b665c">']
        )  # fmt: skip
        return _FOREIGN.sub("", document).replace("<head>", f"<head>{head}", 1)

    def _about(self, episode_id: str) -> tuple[str, str, str]:
        """Title, a sentence, and the path of a picture: those of an episode, or else the page's own."""
        nothing = (_NAME, _SAYS, "icon-512.png")
        if not episode_id:
            return nothing
        try:
            episode = self.companion.library.exactly(episode_id)
            says = self.companion.library.digest(episode.id).teaser or episode.show or _SAYS
        except EarmarkError:
            return nothing
        painted = self.companion.library.painted([episode.id])
        picture = f"artwork/{episode.id}" if painted else "icon-512.png"
        return f"{episode.title} – {_NAME}", says[:300], picture
