# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the JSON door that the page needs beyond asking: where a listener is, and where an answer lies."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from retrieval.model import Question
from ui.app import Companion
from ui.listeners import Listened, Listeners, Stretch

Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
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
        name = request.scope.get("earmark.user")
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

    @routes.post("/api/heat")
    def heat(body: HeatBody) -> list[tuple[float, float, float]]:
        episode = companion.library.episode(body.episode)
        parts = companion.heat(Question(body.text, episode.id, heard_until=body.heard_until))
        return [(round(part.start, 2), round(part.end, 2), part.value) for part in parts]

    return routes


def _listened(found: Listened) -> dict[str, Any]:
    heard = [(round(start, 1), round(end, 1)) for start, end in found.heard]
    return {"position": round(found.position, 2), "heard": heard, "at": found.at}
