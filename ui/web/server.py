# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: the page, the audio it plays, and a small JSON door for the command line and other programs.

It serves what is in the library and nothing else, to this machine only unless it is told otherwise.
"""

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from episodes.media import artwork
from retrieval.model import Answer, Question, Sentence
from ui import schemas
from ui.companion import Companion
from ui.settings import Settings
from ui.web.auth import SignIn, Walls, people
from voice.audio import HEARING_RATE, from_pcm16, pcm16
from voice.errors import EarmarkError, SettingsError, UnknownEpisode

log = logging.getLogger("earmark")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LONGEST_TEXT = 2_000
"""Characters of a question, or of a text to speak, that are taken from outside."""

LONGEST_QUESTION = 60
"""Seconds of a spoken question."""

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class MomentBody(BaseModel):
    """A moment of an earlier answer, as the answer had it."""

    model_config = ConfigDict(extra="forbid")
    episode: str = Field(max_length=100)
    start: Seconds
    end: Seconds
    quote: str = Field(default="", max_length=LONGEST_TEXT)
    speaker: str = Field(default="", max_length=200)
    confidence: float = Field(default=0.0, ge=0, le=1)


class TurnBody(BaseModel):
    """One turn of the conversation so far: what was asked, and the moments of the answer."""

    model_config = ConfigDict(extra="forbid")
    text: Text
    moments: list[MomentBody] = Field(default=[], max_length=20)


class AskBody(BaseModel):
    """What ``POST /api/ask`` takes; times in seconds. The conversation is the client's: none is kept here."""

    model_config = ConfigDict(extra="forbid")
    text: Text
    episode: str | None = None
    position: Seconds | None = None
    heard_until: Seconds | None = None
    since: Seconds | None = None
    playing: str | None = None
    history: list[TurnBody] = Field(default=[], max_length=20)
    stream: bool = False

    def question(self, companion: Companion) -> Question:
        """The question that is asked. Raises UnknownEpisode."""
        episode_id, playing = (
            companion.library.episode(ref).id if ref else None for ref in (self.episode, self.playing)
        )
        history = schemas.turns_from([turn.model_dump() for turn in self.history])
        return Question(self.text, episode_id, self.position, self.heard_until, history, self.since, playing)


class SpeakBody(BaseModel):
    """What ``POST /api/speak`` takes."""

    model_config = ConfigDict(extra="forbid")
    text: Text


class WorkBody(BaseModel):
    """What ``POST /api/episodes/ID/work`` takes: stop taking in, go on after that or a failure, or go before others."""

    model_config = ConfigDict(extra="forbid")
    do: Literal["cancel", "retry", "first"]


def build(companion: Companion, token: str = "") -> FastAPI:
    """The whole application over one companion; the page is mounted at the root.

    Who shows ``token`` is let in without a name; it is drawn by chance when none is given.
    """
    token = token or secrets.token_urlsafe(32)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    os.environ["GRADIO_TEMP_DIR"] = str(_gradio_folder(companion.settings.data_dir))
    from ui.web import page
    from ui.web.api import adding, listening

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        companion.start()
        try:
            yield
        finally:
            await run_in_threadpool(companion.close)

    app = FastAPI(title="Earmark", lifespan=life, docs_url=None, redoc_url=None)
    app.add_middleware(SignIn, known=people(companion.settings.auth), token=token)
    app.add_middleware(Walls)
    if companion.settings.host in LOOPBACK:  # another site's page must not reach this one under a name of its own
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])

    @app.exception_handler(EarmarkError)
    def explain(request: Request, error: EarmarkError) -> JSONResponse:
        code = 404 if isinstance(error, UnknownEpisode) else 400
        return JSONResponse({"error": error.message, "hint": error.hint}, status_code=code)

    @app.get("/api/status")
    def status() -> dict[str, Any]:
        return schemas.status_json(companion.status(), companion.work())

    @app.get("/api/episodes")
    def episodes(request: Request) -> Response:
        painted = artwork.painted(companion.library.folder)
        rows = [
            schemas.episode_json(episode) | {"artwork": episode.id in painted}
            for episode in companion.library.episodes()
        ]
        body = msgspec.json.encode(rows)  # half the time of FastAPI's own way
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'  # the page looks often, and seldom there is news
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        return Response(body, media_type="application/json", headers=headers)

    @app.get("/api/episodes/{episode_id}")
    def episode(episode_id: str) -> dict[str, Any]:
        found = companion.library.episode(episode_id)
        painted = artwork.path_of(companion.library.folder, found.id).is_file()
        return schemas.episode_page_json(companion.library, found) | {"artwork": painted}

    @app.delete("/api/episodes/{episode_id}")
    def remove(episode_id: str) -> dict[str, str]:
        found = companion.library.episode(episode_id).id
        companion.remove(found)
        return {"removed": found}

    @app.get("/api/episodes/{episode_id}/transcript")
    def transcript(episode_id: str) -> list[dict[str, Any]]:
        cues = companion.library.cues(companion.library.episode(episode_id).id)
        return [schemas.cue_json(cue) for cue in cues]

    @app.post("/api/episodes/{episode_id}/work")
    def work(episode_id: str, body: WorkBody) -> list[dict[str, Any]]:
        {"cancel": companion.cancel, "retry": companion.retry, "first": companion.first}[body.do](episode_id)
        return [schemas.work_json(one) for one in companion.work()]

    @app.get("/api/commands")
    def commands() -> list[dict[str, Any]]:
        return schemas.commands_json()

    @app.post("/api/ask", response_model=None)
    def ask(body: AskBody) -> dict[str, Any] | StreamingResponse:
        question = body.question(companion)
        if not body.stream:
            return schemas.answer_json(companion.ask(question))
        news = companion.telling(question)
        first = next(news)  # what is wrong with the question is said before the answer begins
        return StreamingResponse(_lines(first, news), media_type="application/x-ndjson")

    @app.post("/api/hear")
    async def hear(request: Request, episode: str | None = None) -> dict[str, Any]:
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > LONGEST_QUESTION * HEARING_RATE * 2:
                raise HTTPException(413, f"A question has at most {LONGEST_QUESTION} seconds.")
        heard = await run_in_threadpool(companion.hear, from_pcm16(bytes(data), HEARING_RATE), episode)
        return {"text": heard.text, "confidence": heard.confidence}

    @app.post("/api/speak")
    def speak(body: SpeakBody) -> StreamingResponse:
        rate = companion.engines.speaking.rate

        def pieces() -> Iterator[bytes]:
            for audio in companion.speak(body.text):
                yield pcm16(audio.samples).astype("<i2").tobytes()

        headers = {"X-Sample-Rate": str(rate), "Cache-Control": "no-store"}
        return StreamingResponse(pieces(), media_type="application/octet-stream", headers=headers)

    @app.get("/audio/{episode_id}")
    def audio(episode_id: str) -> FileResponse:
        path = companion.library.audio_path(companion.library.episode(episode_id))
        if path is None or not path.is_file():
            raise HTTPException(404, "This episode has no audio.")
        return FileResponse(path, media_type="audio/mp4")

    @app.get("/artwork/{episode_id}")
    def picture(episode_id: str) -> FileResponse:
        path = artwork.path_of(companion.library.folder, companion.library.episode(episode_id).id)
        if not path.is_file():
            raise HTTPException(404, "This episode has no picture.")
        return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})

    app.include_router(listening.router(companion))
    app.include_router(adding.router(companion))
    return page.mount(app, companion)


def _gradio_folder(data_dir: Path) -> Path:
    """An empty folder of the owner's for what Gradio keeps, instead of one that every user of the machine can read."""
    folder = data_dir / "gradio"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _lines(first: Sentence | Answer, news: Iterator[Sentence | Answer]) -> Iterator[str]:
    """A streamed answer as lines of JSON; what fails on the way is the last of them."""
    try:
        for each in chain((first,), news):
            yield json.dumps(schemas.news_json(each), ensure_ascii=False) + "\n"
    except EarmarkError as error:
        yield json.dumps({"error": error.message, "hint": error.hint}) + "\n"


def serve(settings: Settings, open_page: bool | None = None) -> None:
    """Serve until interrupted. ``open_page`` shows it in the browser (None: when there is a screen and a terminal).

    Raises SettingsError when the port is taken, or when others could reach the page and nobody was told who may.
    """
    import uvicorn

    _refuse_open_doors(settings)
    secure = _tls(settings)

    with _listen(settings.host, settings.port) as listener:
        companion = Companion(settings)
        address = _address(settings.host, settings.port, "https" if secure else "http")
        note, token = settings.data_dir / "server.json", secrets.token_urlsafe(32)
        note.unlink(missing_ok=True)
        note.touch(mode=0o600)  # the token is the owner's
        note.write_text(json.dumps({"url": address, "pid": os.getpid(), "token": token}) + "\n", "utf-8")
        try:
            app = build(companion, token)
            log.info("Earmark is at %s (Ctrl-C stops it).", address)
            if open_page or (open_page is None and _has_screen()):
                webbrowser.open(address)  # it waits: the port listens already
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down in good order, then passes it on
                uvicorn.Server(
                    uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, **secure)
                ).run([listener])
        finally:
            note.unlink(missing_ok=True)


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


def _address(host: str, port: int, scheme: str = "http") -> str:
    """The address to reach it from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"


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
