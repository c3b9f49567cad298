# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a listener is in each episode."""

from typing import Annotated, Any

from fastapi import APIRouter, Header

from ui.positions import HeardSpan, Listened, listener_key
from ui.shows import playback, set_speed
from ui.web.bodies import ListenedBody, SpeedBody
from ui.web.dependencies import EpisodeDep, ServedDep, UserDep

Key = Annotated[str, Header(alias="X-Listener", max_length=80)]

router = APIRouter(tags=["listening"])


def who(user: str | None, key: str) -> str:
    """Who listens: the name that was signed in with, or else the browser's own key."""
    return listener_key(user) if user else key


@router.get("/api/listening")
def all_listening(served: ServedDep, user: UserDep, key: Key = "") -> dict[str, Any]:
    """Where the listener is in every episode, and how many seconds of it were heard."""
    return {
        episode: {"position": round(found.position, 2), "at": found.at,
                  "heard": round(sum(end - start for start, end in found.heard), 1)}
        for episode, found in served.listeners.all(who(user, key)).items()
    }  # fmt: skip


@router.get("/api/listening/{episode_id}")
def listening(episode: EpisodeDep, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, Any]:
    """Where the listener is, and what was heard; and how it is played: its ``speed`` (null where nobody has said), and
    where it ``begins`` for who has heard nothing of it yet."""
    listener = who(user, key)
    how = playback(served.shows, served.listeners, listener, episode)
    found = _listened(served.listeners.get(listener, episode.id))
    return found | {"speed": how.speed or None, "begins": how.begins}


@router.put("/api/listening/{episode_id}")
def listened(
    episode: EpisodeDep, served: ServedDep, user: UserDep, body: ListenedBody, key: Key = ""
) -> dict[str, Any]:
    """Note where the listener is, and what was heard since the last note."""
    heard: list[HeardSpan] = list(body.heard)
    return _listened(served.listeners.note(who(user, key), episode.id, body.position, heard))


@router.put("/api/listening/{episode_id}/speed")
def speed(episode: EpisodeDep, served: ServedDep, user: UserDep, body: SpeedBody, key: Key = "") -> dict[str, float]:
    """The listener has chosen a speed while this episode played: it holds for its show, if that has one of its own,
    else for all that the listener hears."""
    set_speed(served.shows, served.listeners, who(user, key), episode.show, body.speed)
    return {"speed": body.speed}


def _listened(found: Listened) -> dict[str, Any]:
    heard = [(round(start, 1), round(end, 1)) for start, end in found.heard]
    return {"position": round(found.position, 2), "heard": heard, "at": found.at}
