# SPDX-License-Identifier: GPL-3.0-or-later
"""Players of Home Assistant as loudspeakers, by its REST API (https://developers.home-assistant.io/docs/api/rest/)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING, Any

from voice.devices.loudspeaker import Playing, SoundAddress
from voice.errors import DeviceError

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 10.0  # seconds: a player may have to wake up first
_CAN_SEEK = 2  # bit of supported_features
_BEGINS = 20  # times that it is asked whether it plays
_STEP = 0.25  # seconds between two of them
_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)

_AREA = """{%- set area = area_id('DEVICE') -%}
{{ {'name': area_name(area), 'players': area_entities(area) | select('match', 'media_player[.]') | list}
   | tojson if area else '{}' }}"""
"""Home Assistant's own template: the area of a device, and the players that stand in it."""


@dataclass(frozen=True, slots=True)
class Area:
    """A room: its name in small letters, and the ids of the players in it."""

    name: str = ""
    players: tuple[str, ...] = ()


class HomeAssistant:
    """The REST API of one Home Assistant, at ``url`` with a long-lived ``token``. Safe to use from several threads."""

    def __init__(self, url: str, token: str, transport: "httpx.BaseTransport | None" = None) -> None:
        self._url, self._token, self._transport = url.rstrip("/"), token, transport

    def state(self, entity: str) -> dict[str, Any]:
        """The state of an entity, with its attributes. Raises DeviceError."""
        found = self._asked("GET", f"/api/states/{entity}")
        return found if isinstance(found, dict) else {}

    def call(self, service: str, **data: Any) -> None:
        """Call a service of media players. Raises DeviceError."""
        self._asked("POST", f"/api/services/media_player/{service}", data)

    def area_of(self, device: str) -> Area:
        """The room in which a device stands; empty when it stands in none. Raises DeviceError."""
        if not _ID.fullmatch(device):  # it would become a part of the template
            return Area()
        found = self._asked("POST", "/api/template", {"template": _AREA.replace("DEVICE", device)})
        if not isinstance(found, dict):
            return Area()
        return Area(str(found.get("name", "")).lower(), tuple(map(str, found.get("players", ()))))

    def _asked(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        import httpx

        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            with httpx.Client(timeout=_TIMEOUT, headers=headers, transport=self._transport) as client:
                answer = client.request(method, self._url + path, json=data)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeviceError(f"Home Assistant at {self._url} does not answer ({error or type(error).__name__}).",
                              "Check the setting home_url.") from error
        if answer.status_code == 401:
            raise DeviceError("Home Assistant does not take the token.",
                              "Make a long-lived one in your profile there, and set home_token.")
        if answer.is_error:
            raise DeviceError(f"Home Assistant refuses {path} ({answer.status_code}).",
                              "Check the name of the player in the setting loudspeakers.")
        try:
            return json.loads(answer.text)
        except ValueError as error:
            raise DeviceError(f"What answers at {self._url} is no Home Assistant.", "Check home_url.") from error


class HomePlayer:
    """One of its players, such as ``media_player.study``: see ``voice.devices.loudspeaker.Loudspeaker``."""

    def __init__(self, home: HomeAssistant, entity: str, wait: Callable[[float], None] = sleep) -> None:
        self._home, self._entity, self._wait = home, entity, wait

    def play(self, address: SoundAddress, start: float) -> None:
        """See ``Loudspeaker``; one that cannot seek gets a sound that begins there."""
        told = self._home.state(self._entity).get("attributes", {})
        seeks = bool(int(told.get("supported_features", 0)) & _CAN_SEEK)
        sound = address(0.0 if seeks else start)
        self._call("play_media", media_content_id=sound, media_content_type="music")
        if not seeks or start <= 0:
            return
        for _ in range(_BEGINS):  # a place in what is not there yet cannot be sought
            if self._home.state(self._entity).get("state") == "playing":
                break
            self._wait(_STEP)
        self.seek(start)

    def seek(self, position: float) -> None:
        """See ``Loudspeaker``."""
        self._call("media_seek", seek_position=round(max(0.0, position), 3))

    def pause(self) -> None:
        """See ``Loudspeaker``."""
        self._call("media_pause")

    def resume(self) -> None:
        """See ``Loudspeaker``."""
        self._call("media_play")

    def set_volume(self, volume: float) -> None:
        """See ``Loudspeaker``."""
        self._call("volume_set", volume_level=round(min(1.0, max(0.0, volume)), 3))

    def state(self) -> Playing:
        """See ``Loudspeaker``; the position is the one last told, moved on by the time since."""
        found = self._home.state(self._entity)
        told, playing = found.get("attributes", {}), found.get("state") == "playing"
        position = float(told.get("media_position") or 0.0)
        if playing and (noted := told.get("media_position_updated_at")):
            position += max(0.0, (datetime.now(UTC) - datetime.fromisoformat(str(noted))).total_seconds())
        level = told.get("volume_level")
        return Playing(
            str(told.get("media_content_id") or ""), position, playing, None if level is None else float(level)
        )

    def _call(self, service: str, **data: Any) -> None:
        self._home.call(service, entity_id=self._entity, **data)
