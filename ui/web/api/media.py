# SPDX-License-Identifier: GPL-3.0-or-later
"""The sound of an episode for players in the house, by links that carry their own permission."""

import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from episodes.media.clips import stream_from
from ui.home.loudspeakers.media_links import MediaLinks
from ui.web.api.episodes import sound_of, sound_response
from ui.web.dependencies import CompanionDep

router = APIRouter(tags=["media"])

_HEADERS = {"Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "private, no-store"}
"""The page of a player (Home Assistant's) may play it: whoever has the link may hear it."""


@router.api_route("/media/{key}/{episode_id}.m4a", methods=["GET", "HEAD"], response_model=None)
def media(
    key: Annotated[str, Path(max_length=80)], episode_id: Annotated[str, Path(max_length=200)],
    companion: CompanionDep, request: Request, start: Annotated[float, Query(alias="from", ge=0, le=1e6)] = 0.0,
) -> Response:
    """The sound of an episode, also in parts (``Range``); ``from`` a second, it is what follows, without parts."""
    if not MediaLinks.of(companion.settings.data_dir).opens(key, episode_id, time.time()):
        raise HTTPException(403, "This link has ended, or was never one. Ask for the episode again.")
    episode = companion.library.exactly(episode_id)
    if start <= 0:
        return sound_response(episode, companion, request, _HEADERS)
    path = sound_of(episode, companion)
    headers = _HEADERS | {"Accept-Ranges": "none"}
    if request.method == "HEAD":
        return Response(media_type="audio/mp4", headers=headers)
    pieces = stream_from(path, start)
    first = next(pieces)  # what is wrong with it is said before it begins

    def whole() -> Iterator[bytes]:
        yield first
        yield from pieces

    return StreamingResponse(whole(), media_type="audio/mp4", headers=headers)
