# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding to the library from the page: addresses, dropped files, feeds that are followed, and better models."""

import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from episodes.ingest.subscriptions import forget, subscriptions, sync, take
from episodes.sources.addresses import without_password
from episodes.sources.resolve import Choice, gather
from episodes.store.jobs import BY_HAND
from ui import model_catalogue, schemas
from ui.companion import Companion
from ui.engines import ROLES
from ui.settings import net_of
from voice.errors import EarmarkError, LibraryError, SettingsError, from_os_error

ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
BATCH = re.compile(r"[0-9a-f]{32}")
STALE = 7 * 86_400.0
"""Seconds after which dropped files go: by then they were taken in, or nobody wants them."""


class AddBody(BaseModel):
    """What ``POST /api/add`` takes: an http(s) address (of a feed the ``latest`` so many, 0 for all), or the batch of
    files that were uploaded."""

    model_config = ConfigDict(extra="forbid")
    address: str = Field(default="", max_length=4_000)
    batch: str = Field(default="", max_length=32)
    latest: int | None = Field(default=None, ge=0, le=10_000)


class FeedBody(BaseModel):
    """What ``POST /api/feeds/forget`` takes: the address of a feed that is followed."""

    model_config = ConfigDict(extra="forbid")
    address: str = Field(max_length=4_000)


class ModelBody(BaseModel):
    """What ``POST /api/models`` takes: the name of a model in the catalogue."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=100)


def router(companion: Companion) -> APIRouter:
    """The routes over one companion."""
    routes = APIRouter()
    settings, library = companion.settings, companion.library
    uploads = settings.data_dir / "uploads"
    models = Fetching(companion)

    @routes.post("/api/add")
    def add(body: AddBody) -> list[dict[str, Any]]:
        if body.batch:
            ref = str(_batch(uploads, body.batch))
        elif ADDRESS.fullmatch(body.address.strip()):  # never a path: that would read this machine's files
            ref = body.address.strip()
        else:
            raise LibraryError("That is not an address.", "Begin it with http:// or https://, or drop a file.")
        try:
            gathered = gather(ref, net_of(settings), Choice(body.latest))
        except EarmarkError as error:
            if not body.batch:
                raise
            here = "what was dropped"  # the folder it lies in says nothing to a person
            hint = "Drop a recording, or a transcript with times (VTT, SRT or JSON)."
            raise LibraryError(error.message.replace(ref, here), hint) from error
        added = take(library, gathered, "", BY_HAND)
        if not added:
            raise LibraryError("There is nothing in it to listen to.", " ".join(gathered.problems))
        return [schemas.episode_json(episode) for episode in added]

    @routes.put("/api/upload/{batch}/{name}")
    async def upload(batch: str, name: str, request: Request) -> dict[str, int]:
        folder, limit, size = _batch(uploads, batch), settings.fetch_megabytes * 1_000_000, 0
        safe = re.sub(r"[^\w. ()-]", "_", name).lstrip(".")[-120:]
        if not safe:
            raise HTTPException(400, "A file needs a name.")
        try:
            _clear(uploads)
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / safe).open("wb") as file:
                async for piece in request.stream():
                    size += len(piece)
                    if size > limit:
                        raise HTTPException(413, f"A file has at most {limit // 1_000_000} MB.")
                    await run_in_threadpool(file.write, piece)
        except HTTPException:
            (folder / safe).unlink(missing_ok=True)
            raise
        except OSError as error:
            (folder / safe).unlink(missing_ok=True)
            raise from_os_error(error, "store the file") from error
        return {"bytes": size}

    @routes.get("/api/feeds")
    def feeds() -> list[dict[str, Any]]:
        return [
            {"title": one.title, "address": without_password(one.address), "seen": one.seen}
            for one in subscriptions(library)
        ]

    @routes.post("/api/feeds/sync")
    def look() -> list[dict[str, Any]]:
        found = [sync(library, one, net_of(settings)) for one in subscriptions(library)]
        return [
            {"title": one.subscription.title, "new": len(one.episodes), "problem": one.problem} for one in found
        ]

    @routes.post("/api/feeds/forget")
    def unfollow(body: FeedBody) -> list[dict[str, Any]]:
        forget(library, body.address)
        return feeds()

    @routes.get("/api/models")
    def known() -> dict[str, Any]:
        return {"models": model_catalogue.rows(settings), "fetching": models.state()}

    @routes.post("/api/models")
    def fetch(body: ModelBody) -> dict[str, Any]:
        models.begin(body.name)
        return models.state()

    return routes


class Fetching:
    """One model on its way at a time, in the background."""

    def __init__(self, companion: Companion) -> None:
        self._companion = companion
        self._settings = companion.settings
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {"name": "", "progress": 0.0, "done": False, "problem": "", "next": ""}
        self._running = False

    def state(self) -> dict[str, Any]:
        """``name`` of the model, ``progress`` in 0..1, ``done`` with what to do ``next`` ("" when it is in use), or
        ``problem`` with the next step."""
        with self._lock:
            return dict(self._state)

    def begin(self, name: str) -> None:
        """Fetch a model of the catalogue. Raises SettingsError for another, or while one is on its way."""
        if name not in {row["name"] for row in model_catalogue.rows(self._settings)}:
            raise SettingsError(f"There is no model {name[:40]}.", "'earmark models list' shows what there is.")
        with self._lock:
            if self._running:
                raise SettingsError("A model is being fetched already.", "Wait until it is here.")
            self._running = True
            self._state = {"name": name, "progress": 0.0, "done": False, "problem": "", "next": ""}
        threading.Thread(target=self._fetch, args=[name], daemon=True, name="earmark-model").start()

    def _fetch(self, name: str) -> None:
        problem = following = ""
        try:
            self._companion.engines.fetch(name, lambda part: self._say(progress=round(part, 3)))
            following = self._following(name)
        except EarmarkError as error:
            problem = str(error)
        finally:
            with self._lock:
                self._running = False
        self._say(done=not problem, problem=problem, next=following)

    def _following(self, name: str) -> str:
        """What is to be done by hand so that a model is used; "" when it is in use already."""
        kind = next(row["role"] for row in model_catalogue.rows(self._settings) if row["name"] == name)
        if self._companion.engines.uses(name):
            if kind in ROLES:
                self._companion.show_engine(kind)
            return ""
        return f"Set {kind} to {name} in the settings (or EARMARK_{kind.upper()}={name}) and restart Earmark to use it."

    def _say(self, **news: Any) -> None:
        with self._lock:
            self._state |= news


def _batch(uploads: Path, batch: str) -> Path:
    if not BATCH.fullmatch(batch):
        raise LibraryError("That is not a batch of files.", "Send 32 hexadecimal digits, drawn by chance.")
    return uploads / batch


def _clear(uploads: Path) -> None:
    for folder in uploads.glob("*"):
        if time.time() - folder.stat().st_mtime > STALE:
            shutil.rmtree(folder, ignore_errors=True)
