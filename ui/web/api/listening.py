# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the JSON door that the page needs beyond asking: where a listener is, and where an answer lies."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from episodes.export import export
from episodes.media.clips import cut
from retrieval.model import Question
from ui import schemas
from ui.companion import Companion
from ui.positions import Listened, Listeners, Stretch
from ui.web.auth import USER
from voice.model import clock

Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Moment = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)]
Form = Literal["vtt", "srt", "json", "chapters", "soundbites", "markdown"]
_FILES = {
    "vtt": (".vtt", "text/vtt"), "srt": (".srt", "application/x-subrip"), "json": (".json", "application/json"),
    "chapters": (".chapters.json", "application/json+chapters"), "soundbites": (".xml", "application/xml"),
    "markdown": (".md", "text/markdown"),
}  # fmt: skip
MOST_FOUND = 12
"""Moments that a search gives."""

Key = Annotated[str, Header(alias="X-Listener", max_length=80)]


class ListenedBody(BaseModel):
    """What ``PUT /api/listening/ID`` takes: seconds, and the stretches heard since the last note."""

    model_config = ConfigDict(extra="forbid")
    position: Seconds
    heard: list[tuple[Seconds, Seconds]] = Field(default=[], max_length=500)


class HeatBody(BaseModel):
    """What ``POST /api/heat`` takes; ``heard_until`` in seconds."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=2_000)
    episode: str
    heard_until: Seconds | None = None


def router(companion: Companion) -> APIRouter:
    """The routes over one companion."""
    routes = APIRouter()
    listeners = Listeners(companion.settings.data_dir)

    def who(request: Request, key: str) -> str:
        """Who listens: the name that was signed in with, or else the browser's own key."""
        name = request.scope.get(USER)
        return f"user-{name}" if name else key

    @routes.get("/api/listening/{episode_id}")
    def listening(episode_id: str, request: Request, key: Key) -> dict[str, Any]:
        episode = companion.library.episode(episode_id)
        return _listened(listeners.get(who(request, key), episode.id))

    @routes.put("/api/listening/{episode_id}")
    def listened(episode_id: str, request: Request, key: Key, body: ListenedBody) -> dict[str, Any]:
        episode = companion.library.episode(episode_id)
        heard: list[Stretch] = list(body.heard)
        return _listened(listeners.note(who(request, key), episode.id, body.position, heard))

    @routes.get("/api/episodes/{episode_id}/export/{form}")
    def exported(episode_id: str, form: Form) -> Response:
        episode = companion.library.episode(episode_id)
        suffix, kind = _FILES[form]
        return Response(
            export(companion.library, episode, form), media_type=kind, headers=_named(f"{episode.title}{suffix}")
        )

    @routes.get("/api/episodes/{episode_id}/clip")
    def clip(episode_id: str, start: Moment, end: Moment, request: Request) -> Response:
        episode = companion.library.episode(episode_id)
        path = companion.library.audio_path(episode)
        if path is None or not path.is_file():
            raise HTTPException(404, "This episode has no audio.")
        address = str(request.base_url.replace(path="/").include_query_params(episode=episode.id, t=int(start)))
        sound = cut(path, start, end, f"{episode.title}, {clock(start)}", address)
        return Response(sound, media_type="audio/mp4", headers=_named(f"{episode.title} {clock(start)}.m4a"))

    @routes.get("/api/search")
    def search(text: Annotated[str, Query(min_length=1, max_length=2_000)]) -> list[dict[str, Any]]:
        words = set(re.findall(r"\w{2,}", text.lower()))
        found = companion.search(text, MOST_FOUND)
        said = [moment for moment in found if words & set(re.findall(r"\w{2,}", moment.quote.lower()))]
        return [schemas.moment_json(moment) for moment in said]

    @routes.post("/api/heat")
    def heat(body: HeatBody) -> list[tuple[float, float, float]]:
        episode = companion.library.episode(body.episode)
        parts = companion.heat(Question(body.text, episode.id, heard_until=body.heard_until))
        return [(round(part.start, 2), round(part.end, 2), part.value) for part in parts]

    return routes


def _named(name: str) -> dict[str, str]:
    """The headers that make a browser save an answer under a name; nothing of a title is left that could mean more."""
    kept = re.sub(r"[^\w. -]", "", name)[-100:].strip() or "episode"
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(kept)}", "X-Content-Type-Options": "nosniff"}


def _listened(found: Listened) -> dict[str, Any]:
    heard = [(round(start, 1), round(end, 1)) for start, end in found.heard]
    return {"position": round(found.position, 2), "heard": heard, "at": found.at}
