# SPDX-License-Identifier: GPL-3.0-or-later
"""The loudspeakers of the house: what they play, and sending playback there and taking it back."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from ui.home.loudspeakers.house import House, OnAir
from ui.web.bodies import LoudspeakerBody
from ui.web.dependencies import CompanionDep, ServedDep
from voice.errors import DeviceError, SettingsError

router = APIRouter(tags=["loudspeakers"])

Room = Annotated[str, Path(max_length=60)]


@router.get("/api/loudspeakers")
def loudspeakers(served: ServedDep) -> list[dict[str, Any]]:
    """Every room with a loudspeaker, and the episode and second that it plays; one that is away says why."""
    if served.house is None:
        return []
    return [_told(served.house, room) for room in served.house.names]


@router.post("/api/loudspeakers/{room}")
def steer(room: Room, body: LoudspeakerBody, served: ServedDep, companion: CompanionDep) -> dict[str, Any]:
    """Play, seek, pause, go on, or be so loud, in a room; what it plays then."""
    house = served.house
    if house is None:
        raise SettingsError("There is no loudspeaker.", "Set loudspeakers; docs/home-assistant.md shows how.")
    match body.do:
        case "play":
            if body.episode is None:
                raise SettingsError("To play, an episode is needed.", "Send the id of one as episode.")
            house.play(room, companion.library.exactly(body.episode), body.position)
        case "pause":
            house.speaker(room).pause()
        case "resume":
            house.speaker(room).resume()
        case "seek":
            air = house.on_air(room)
            if air is None:
                raise DeviceError(f"Nothing of Earmark's plays in {room}.", "Send play with an episode.")
            house.seek(air, body.position)
        case "volume":
            house.speaker(room).set_volume(body.volume)
    return _told(house, room)


def _told(house: House, room: str) -> dict[str, Any]:
    try:
        air = house.on_air(room)
    except DeviceError as error:
        return {"room": room, "problem": str(error)}
    return {"room": room, "problem": ""} | (_air(air) if air is not None else {"episode": None})


def _air(air: OnAir) -> dict[str, Any]:
    return {
        "episode": air.episode, "position": round(air.position, 2), "playing": air.playing, "volume": air.volume,
    }  # fmt: skip
