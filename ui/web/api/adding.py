# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding to the library from the page: addresses and dropped files."""

import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import anyio
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from episodes.ingest.subscriptions import take
from episodes.sources.http import Net
from episodes.sources.resolve import Selection, gather
from episodes.store.jobs import BY_HAND
from ui import schemas
from ui.settings import net_of
from ui.web import limits
from ui.web.bodies import AddBody
from ui.web.dependencies import CompanionDep
from voice.errors import EarmarkError, LibraryError, from_os_error

T = TypeVar("T")

ADDRESS = re.compile(r"https?://\S{1,4000}", re.IGNORECASE)
BATCH = re.compile(r"[0-9a-f]{32}")
STALE = 7 * 86_400.0
"""Seconds after which dropped files go: by then they were taken in, or nobody wants them."""

_LONGEST_NAME = 200  # bytes of a file's name; file systems take 255
_LONGEST_TOLD = 1000  # characters of what was left out that are told
_LOOK = 0.5  # seconds between two looks whether the client is still there

router = APIRouter(tags=["adding"])


@router.post("/api/add")
async def add(body: AddBody, companion: CompanionDep, request: Request, response: Response) -> list[dict[str, Any]]:
    """Put what an address leads to, or files that were uploaded, into the queue; the episodes that now wait.

    What of it could not be taken in is told in the header ``X-Left-Out``, percent-encoded.
    """
    if body.batch:
        ref = str(_batch(companion.settings.data_dir / "uploads", body.batch))
    elif ADDRESS.fullmatch(body.address.strip()):  # never a path: that would read this machine's files
        ref = body.address.strip()
    else:
        raise LibraryError("That is not an address.", "Begin it with http:// or https://, or drop a file.")

    def work(net: Net) -> tuple[list[dict[str, Any]], str]:
        try:
            gathered = gather(ref, net, Selection(body.latest))
        except EarmarkError as error:
            if not body.batch:
                raise
            here = "what was dropped"  # the folder it lies in says nothing to a person
            hint = "Drop a recording, or a transcript with times (VTT, SRT or JSON)."
            raise LibraryError(error.message.replace(ref, here), hint) from error
        net.check()
        added = take(companion.library, gathered, "", BY_HAND, net.check)
        if not added:
            raise LibraryError("There is nothing in it to listen to.", " ".join(gathered.problems))
        return [schemas.episode_json(episode) for episode in added], " ".join(gathered.problems)

    episodes, left_out = await while_wanted(request, net_of(companion.settings), work)
    if left_out:
        folder = f"{companion.settings.data_dir / 'uploads'}/{body.batch}/"  # where it lies says nothing to a person
        response.headers["X-Left-Out"] = quote(left_out.replace(folder, "")[:_LONGEST_TOLD])
    return episodes


@router.put("/api/upload/{batch}/{name}")
async def upload(batch: str, name: str, companion: CompanionDep, request: Request) -> dict[str, int]:
    """Store a file; it has its name only when all of it has come."""
    uploads = companion.settings.data_dir / "uploads"
    folder, limit = _batch(uploads, batch), companion.settings.fetch_megabytes * 1_000_000
    safe = file_name(name)
    announced = request.headers.get("content-length", "")
    size = 0
    part = folder / f".{safe}.part"
    try:
        await run_in_threadpool(_make_room, uploads, folder, limit)
        with part.open("wb") as file:
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise HTTPException(413, f"A file has at most {limit // 1_000_000} MB.")
                await run_in_threadpool(file.write, piece)
        if announced.isdecimal() and int(announced) != size:
            raise HTTPException(400, "The file broke off on the way. Send it again.")
        await run_in_threadpool(part.replace, folder / safe)
    except ClientDisconnect as error:
        raise HTTPException(400, "The file broke off on the way. Send it again.") from error
    except OSError as error:
        raise from_os_error(error, "store the file") from error
    finally:
        part.unlink(missing_ok=True)
    return {"bytes": size}


def file_name(name: str) -> str:
    """A name that every file system takes, in letters, digits and a few marks, with its ending kept.

    Raises HTTPException when nothing is left of it.
    """
    safe = re.sub(r"[^\w. ()-]", "_", name).strip().lstrip(".")
    stem, dot, suffix = safe.rpartition(".")
    if not dot or len(suffix.encode()) > 20:
        stem, dot, suffix = safe, "", ""
    while len(stem.encode()) > _LONGEST_NAME - len((dot + suffix).encode()):
        stem = stem[:-1]
    if not stem.strip("_ "):
        raise HTTPException(400, "A file needs a name.")
    return f"{stem}{dot}{suffix}"


async def while_wanted(request: Request, net: Net, work: Callable[[Net], T]) -> T:
    """Do work on the network in a thread, and break it off when the client has gone."""
    unwanted = threading.Event()

    async def watch(scope: anyio.CancelScope) -> None:
        while not await request.is_disconnected():
            await anyio.sleep(_LOOK)
        unwanted.set()

    done: list[T] = []
    problem: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        try:
            done.append(await run_in_threadpool(work, net.until(unwanted.is_set)))
        except Exception as error:  # raised below as itself, and not inside a group of errors
            problem = error
        group.cancel_scope.cancel()
    if problem is not None:
        raise problem
    return done[0]


def _batch(uploads: Path, batch: str) -> Path:
    if not BATCH.fullmatch(batch):
        raise LibraryError("That is not a batch of files.", "Send 32 hexadecimal digits, drawn by chance.")
    return uploads / batch


def _make_room(uploads: Path, folder: Path, limit: int) -> None:
    """Drop what nobody took in, and refuse what would be too much: all uploads together have a bound."""
    for old in uploads.glob("*"):
        if time.time() - old.stat().st_mtime > STALE:
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.iterdir()) >= limits.MOST_FILES:
        raise HTTPException(413, f"At most {limits.MOST_FILES} files can be dropped at once.")
    waiting = sum(file.stat().st_size for file in uploads.rglob("*") if file.is_file())
    if waiting > limits.UPLOADS_FACTOR * limit:
        raise HTTPException(413, "Too many uploaded files wait already. Wait until they are taken in.")
