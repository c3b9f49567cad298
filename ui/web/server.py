# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: the page, the audio it plays, and a small JSON door for the command line and other programs.

It serves what is in the library and nothing else, to this machine only unless it is told otherwise.
"""

import contextlib
import gc
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from ui.companion import Companion
from ui.home.conversations import Conversations
from ui.home.gpodder import PodcastApps
from ui.home.loudspeakers.house import house_of
from ui.home.network import url_of
from ui.home.upkeep import Upkeep
from ui.home.webhooks import webhooks_of
from ui.home.wyoming.wyoming_service import WyomingService, access_of
from ui.json_logs import log_as_json
from ui.listener_data import ListenerData
from ui.metrics import Metrics
from ui.positions import PlaybackPositions
from ui.server_note import ServerNote
from ui.settings import Settings
from ui.shows import ShowSettingsStore
from ui.web.auth import Hosts, SecurityHeaders, SignIn, own_names, people
from ui.web.bounds import RequestLimits
from ui.web.dependencies import Served
from ui.web.model_fetching import ModelFetching
from ui.web.sessions import Sessions
from voice.errors import EarmarkError, SettingsError, UnknownEpisode

log = logging.getLogger("earmark")

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def build(
    companion: Companion, token: str = "", wyoming: WyomingService | None = None,
    saved: Callable[[], Collection[str]] = tuple,
) -> FastAPI:
    """The whole application over one companion; the page is mounted at the root.

    Who shows ``token`` is let in without a name; it is drawn by chance when none is given. ``wyoming`` answers for as
    long as the application lives. ``saved`` are the ids of episodes that go by no setting.
    """
    token = token or secrets.token_urlsafe(32)
    settings = companion.settings
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    os.environ["GRADIO_TEMP_DIR"] = str(_gradio_folder(settings.own_dir))
    from ui.web import document, page
    from ui.web.api import (
        adding,
        asking,
        episodes,
        feeds,
        keeping,
        listening,
        loudspeakers,
        media,
        metrics,
        models,
        openai,
        podcast_apps,
    )

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        companion.start()
        if wyoming is not None:
            wyoming.start(companion, app.state.served.house)
        upkeep.start()
        try:
            yield
        finally:
            await run_in_threadpool(upkeep.close)
            if wyoming is not None:
                await run_in_threadpool(wyoming.close)
            await run_in_threadpool(companion.close)

    app = FastAPI(title="Earmark", lifespan=life, docs_url=None, redoc_url=None)
    app.state.chats = Conversations()
    app.state.apps = PodcastApps(settings.data_dir, server=companion.storage.server)
    listeners = PlaybackPositions(settings.data_dir, companion.storage.server)
    kept = ListenerData(settings.data_dir, companion.storage.server)
    upkeep = Upkeep(
        companion, listeners, lambda: {*saved(), *kept.episodes()}, webhooks_of(settings, companion.library, kept)
    )
    shows = ShowSettingsStore.of(companion.library)
    app.state.served = Served(companion, listeners, ModelFetching(companion), kept, shows, house_of(companion))
    # the last that is added sees a request first
    app.add_middleware(document.LinkPreview, companion=companion)
    app.add_middleware(RequestLimits)
    app.add_middleware(SignIn, known=people(settings.auth), token=token, sessions=Sessions())
    app.add_middleware(Hosts, names=own_names(settings.host, settings.hosts))
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(EarmarkError, _explain)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.include_router(document.router)
    for each in (
        episodes, asking, listening, keeping, adding, feeds, models, media, loudspeakers, podcast_apps, openai,
    ):  # fmt: skip
        app.include_router(each.router)
    if settings.metrics:
        app.state.metrics = Metrics(companion.library, companion.stages)
        app.include_router(metrics.router)
    return page.mount(app, companion)


def _explain(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as its sentence and the next step."""
    if not isinstance(error, EarmarkError):
        raise error
    code = 404 if isinstance(error, UnknownEpisode) else 400
    return JSONResponse({"error": error.message, "hint": error.hint}, status_code=code)


def _refuse(request: Request, error: Exception) -> JSONResponse:
    """What a request brings and may not, in a sentence; what it brought is not sent back."""
    if not isinstance(error, RequestValidationError):
        raise error
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header"))
    said = f"{where[:100] or 'The request'}: {problem['msg'].lower()}."
    return JSONResponse({"error": said, "hint": "docs/api.md says what is taken."}, status_code=422)


def _gradio_folder(data_dir: Path) -> Path:
    """An empty folder of the owner's for what Gradio keeps, instead of one that every user of the machine can read."""
    folder = data_dir / "gradio"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def serve(
    settings: Settings, open_page: bool | None = None, saved: Callable[[], Collection[str]] = tuple
) -> None:
    """Serve until interrupted. ``open_page`` shows it in the browser (None: when there is a screen and a terminal);
    ``saved`` are the ids of episodes that the setting ``keep`` lets nobody remove.

    Raises SettingsError when the port is taken, or when others could reach the page and nobody was told who may.
    """
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from ui.web.connections import BoundedConnection, raise_file_limit

    gc.set_threshold(50_000)  # importing makes millions of objects that stay: looking through them takes a tenth of it
    _refuse_open_doors(settings)
    secure = _tls(settings)
    if settings.log == "json":
        log_as_json()
    raise_file_limit()

    with _until_told(), ServerNote.held(settings.own_dir) as note, _listen(settings.host, settings.port) as listener:
        access = access_of(settings)
        wyoming = WyomingService(access) if access else None
        companion = Companion(settings)
        companion.start()  # while Gradio is imported, which is all in one thread
        address = url_of(settings.host, settings.port, "https" if secure else "http")
        token = secrets.token_urlsafe(32)
        try:
            app = build(companion, token, wyoming, saved)
        except BaseException:
            companion.close()
            raise
        with note.written(address, token):
            log.info("Earmark is at %s (Ctrl-C stops it).", address)
            if open_page or (open_page is None and _has_screen()):
                webbrowser.open(address)  # it waits: the port listens already
            uvicorn.Server(uvicorn.Config(
                app, log_level="warning", timeout_graceful_shutdown=2, http=BoundedConnection, ws="none",
                server_header=False, log_config=None if settings.log == "json" else LOGGING_CONFIG, **secure,
            )).run([listener])  # fmt: skip


@contextmanager
def _until_told() -> Iterator[None]:
    """Leave in good order on Ctrl-C and on SIGTERM alike: uvicorn shuts down, then passes the signal on to us."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_open_doors(settings: Settings) -> None:
    """Others may reach the page only when it is known who may use it, or that anyone may."""
    known = people(settings.auth)
    if settings.host in LOOPBACK or known or settings.anyone:
        return
    raise SettingsError(
        f"On {settings.host} everybody in your network could use the page, and no password is set.",
        "Set EARMARK_AUTH='name:password' (or auth in the settings file), or add --anyone to let everybody in.",
    )


def _tls(settings: Settings) -> dict[str, Any]:
    """What uvicorn needs for https; empty for http."""
    if not settings.tls_cert and not settings.tls_key:
        return {}
    for name in ("tls_cert", "tls_key"):
        given = getattr(settings, name)
        if not given or not Path(given).expanduser().is_file():
            raise SettingsError(f"There is no file for {name} ({given or 'not set'}).",
                                "Make both with: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=earmark "
                                "-keyout key.pem -out cert.pem")
    return {"ssl_certfile": str(Path(settings.tls_cert).expanduser()),
            "ssl_keyfile": str(Path(settings.tls_key).expanduser())}


def _has_screen() -> bool:
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(f"Cannot listen on {host} port {port}: {error.strerror}.",
                            f"Stop what is using it, or choose another with --port {port + 1}.") from error
    listener.listen(128)
    return listener
