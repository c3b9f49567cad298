# SPDX-License-Identifier: GPL-3.0-or-later
"""The episodes of the library: what is known of them, their sound and picture, and files made of them."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from episodes.export import export
from episodes.media.clips import cut
from episodes.model import Episode
from ui import browsing, schemas
from ui.companion import Companion
from ui.web import limits
from ui.web.api.listening import Key, who
from ui.web.bodies import WorkBody
from ui.web.dependencies import CompanionDep, EpisodeDep, ServedDep, UserDep
from voice.model import clock

Time = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)]
ExportFormat = Literal["vtt", "srt", "json", "chapters", "soundbites", "markdown"]
_FILES = {
    "vtt": (".vtt", "text/vtt"), "srt": (".srt", "application/x-subrip"), "json": (".json", "application/json"),
    "chapters": (".chapters.json", "application/json+chapters"), "soundbites": (".xml", "application/xml"),
    "markdown": (".md", "text/markdown"),
}  # fmt: skip

_RANGE = re.compile(r"bytes=(?P<first>\d{0,15})-(?P<last>\d{0,15})", re.ASCII)

CONVERTING = 60.0
"""Seconds that a player waits for sound that is being converted."""

_LOOK = 0.2  # seconds between two looks whether it is there

_STARTED = secrets.token_hex(8)  # in tags of answers: the version of another library may be the same

router = APIRouter(tags=["episodes"])


@router.get("/api/status")
def status(companion: CompanionDep) -> dict[str, Any]:
    """How far the start is, which engines are in use, and what is being taken in."""
    return schemas.status_json(companion.status(), companion.work(), companion.queued())


@router.get("/api/episodes")
def episodes(
    request: Request, served: ServedDep, user: UserDep, key: Key = "",
    limit: Annotated[int | None, Query(ge=1, le=limits.MOST_ON_A_PAGE)] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    query: Annotated[str, Query(max_length=limits.LONGEST_TEXT)] = "",
    show: Annotated[str | None, Query(max_length=limits.LONGEST_TEXT)] = None,
    kind: browsing.EpisodeFilter = browsing.EpisodeFilter.ALL, order: browsing.By = browsing.By.ADDED,
    id_: Annotated[list[limits.EpisodeId] | None, Query(alias="id", max_length=limits.MOST_NAMED)] = None,
) -> Response:
    """Episodes, the newest first or in an ``order``: all, or ``limit`` of them behind the first ``offset``. With
    ``query`` those that have, for each of its words, one that begins so in title, show or guests; with ``show`` those
    of one, with ``kind`` those the listener has begun, finished or neither; or those with these ids.
    ``X-Total-Count`` says how many there are."""
    library = served.companion.library
    wanted = browsing.Wanted(query, show, kind, order)
    known = bool(user or key) and wanted.personal
    listened = served.listeners.all(who(user, key)) if known else {}
    marks = (library.version(), library.progress_mark(), library.files.mark("artwork"))
    asked = (_STARTED, marks, limit, offset, wanted, id_, listened)
    tag = f'"{hashlib.blake2b(repr(asked).encode(), digest_size=12).hexdigest()}"'  # the page looks often
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if id_ is not None:
        ids, count = id_, len(id_)
    else:
        ids, count = browsing.page(library, listened, wanted, limit or library.count(), offset)
    headers["X-Total-Count"] = str(count)
    found = library.listed(ids)
    painted = library.painted([episode.id for episode in found])
    rows = [schemas.episode_json(episode) | {"artwork": episode.id in painted} for episode in found]
    return Response(msgspec.json.encode(rows), media_type="application/json", headers=headers)


@router.get("/api/episodes/{episode_id}/neighbour")
def neighbour(episode: EpisodeDep, companion: CompanionDep, step: Literal["1", "-1"] = "1") -> dict[str, Any] | None:
    """The episode that comes after this one in its show, or before it; null where there is none."""
    found = browsing.neighbouring_episode(companion.library, episode, int(step))
    return None if found is None else schemas.episode_json(found)


@router.get("/api/shows")
def shows(companion: CompanionDep) -> list[dict[str, Any]]:
    """The shows, by name, with how many episodes each has."""
    return [schemas.show_json(show) for show in companion.library.shows()]


@router.get("/api/episodes/{episode_id}")
def episode(episode: EpisodeDep, companion: CompanionDep) -> dict[str, Any]:
    """All that is known of an episode but its transcript."""
    painted = bool(companion.library.painted([episode.id]))
    return schemas.episode_page_json(companion.library, episode) | {"artwork": painted}


@router.delete("/api/episodes/{episode_id}")
def remove(episode: EpisodeDep, companion: CompanionDep) -> dict[str, str]:
    """Remove an episode from the library, with its sound and transcript."""
    companion.remove(episode.id)
    return {"removed": episode.id}


@router.get("/api/episodes/{episode_id}/transcript")
def transcript(episode: EpisodeDep, companion: CompanionDep) -> list[dict[str, Any]]:
    """What is said, line by line."""
    return [schemas.cue_json(cue) for cue in companion.library.cues(episode.id)]


@router.post("/api/episodes/{episode_id}/work")
def work(episode: EpisodeDep, body: WorkBody, companion: CompanionDep) -> list[dict[str, Any]]:
    """Stop taking an episode in, go on with it, or put it first."""
    {"cancel": companion.cancel, "retry": companion.retry, "first": companion.first}[body.do](episode.id)
    return [schemas.work_json(one) for one in companion.work()]


@router.get("/api/episodes/{episode_id}/export/{form}")
def export_episode(episode: EpisodeDep, form: ExportFormat, companion: CompanionDep) -> Response:
    """A file of an episode, to be saved."""
    suffix, kind = _FILES[form]
    made = export(companion.library, episode, form)
    return Response(made, media_type=kind, headers=_saved_as(f"{episode.title}{suffix}"))


@router.get("/api/episodes/{episode_id}/clip")
def clip(episode: EpisodeDep, start: Time, end: Time, companion: CompanionDep, request: Request) -> Response:
    """A piece of its sound, at most three minutes."""
    path = sound_of(episode, companion)
    address = str(request.base_url.replace(path="/").include_query_params(episode=episode.id, t=int(start)))
    sound = cut(path, start, end, f"{episode.title}, {clock(start)}", address)
    return Response(sound, media_type="audio/mp4", headers=_saved_as(f"{episode.title} {clock(start)}.m4a"))


@router.api_route("/audio/{episode_id}", methods=["GET", "HEAD"])
def audio(episode: EpisodeDep, companion: CompanionDep, request: Request) -> Response:
    """Its sound, also in parts (``Range``)."""
    return sound_response(episode, companion, request)


@router.get("/artwork/{episode_id}")
def picture(episode: EpisodeDep, companion: CompanionDep) -> FileResponse:
    """Its picture."""
    path = companion.library.picture_path(episode.id)
    if path is None:
        raise HTTPException(404, "This episode has no picture.")
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


def sound_of(episode: Episode, companion: Companion) -> Path:
    """The file of an episode's sound on this machine; one being converted is waited for. Raises HTTPException when
    there is none."""
    episode, _ = _with_sound(episode, companion)
    path = companion.library.audio_path(episode)
    if path is None or not path.is_file():
        raise HTTPException(404, "This episode has no audio.")
    return path


def sound_response(
    episode: Episode, companion: Companion, request: Request, headers: Mapping[str, str] | None = None
) -> Response:
    """An episode's sound, whole or the part that is asked for (RFC 9110, one range), from wherever it lies. Raises
    HTTPException when there is none."""
    episode, size = _with_sound(episode, companion)
    files, name, told = companion.library.files, episode.audio, dict(headers or {})
    path = files.near(name)
    if path is not None:
        return FileResponse(path, media_type="audio/mp4", headers=told)
    start, end, told["Accept-Ranges"] = 0, size, "bytes"
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked and (asked["first"] or asked["last"]):
        start = int(asked["first"]) if asked["first"] else max(0, size - int(asked["last"]))
        end = min(int(asked["last"]) + 1, size) if asked["first"] and asked["last"] else size
        if not start < end:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        told["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    told["Content-Length"] = str(end - start)
    status = 206 if "Content-Range" in told else 200
    if request.method == "HEAD":
        return Response(status_code=status, media_type="audio/mp4", headers=told)
    return StreamingResponse(files.read(name, start, end), status, told, "audio/mp4")


def _with_sound(episode: Episode, companion: Companion) -> tuple[Episode, int]:
    """The episode as soon as its sound is there, and the bytes of that; one being converted is waited for."""
    until = monotonic() + CONVERTING
    while not episode.audio or (size := companion.library.files.size(episode.audio)) is None:
        if not episode.audio or not episode.ready or episode.finished or monotonic() > until:
            raise HTTPException(404, "This episode has no audio.")
        sleep(_LOOK)
        episode = companion.library.episode(episode.id)
    return episode, size


def _saved_as(name: str) -> dict[str, str]:
    """The headers that make a browser save an answer under a name; nothing of a title is left that could mean more."""
    kept = re.sub(r"[^\w. -]", "", name)[-100:].strip() or "episode"
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(kept)}", "X-Content-Type-Options": "nosniff"}
