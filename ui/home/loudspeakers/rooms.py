# SPDX-License-Identifier: GPL-3.0-or-later
"""The loudspeakers of the house by the names of their rooms: out of the settings, and out of what was said."""

import re
from collections.abc import Collection

from ui.settings import Settings
from voice.devices.home_assistant import HomeAssistant, HomePlayer
from voice.devices.loudspeaker import Loudspeaker
from voice.devices.mpd_player import MpdPlayer
from voice.errors import SettingsError

_NAME = re.compile(r"[^\W_][\w '-]{0,40}")
_ENTITY = re.compile(r"media_player\.\w{1,200}", re.ASCII)


def home_of(settings: Settings) -> HomeAssistant | None:
    """The Home Assistant of the settings; None when they name none. Raises SettingsError."""
    url = settings.home_url.strip()
    if not url:
        return None
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise SettingsError("The setting home_url is no address.", 'Write for instance "http://homeassistant.local:8123".')
    if not settings.home_token:
        raise SettingsError("home_url is set, and home_token is not.",
                            "Make a long-lived access token in your profile of Home Assistant.")
    return HomeAssistant(url, settings.home_token)


def loudspeakers_of(settings: Settings, home: HomeAssistant | None) -> dict[str, Loudspeaker]:
    """The loudspeakers by name, out of "kitchen=mpd://…, study=ha:media_player.study". Raises SettingsError."""
    found: dict[str, Loudspeaker] = {}
    for part in filter(None, (part.strip() for part in settings.loudspeakers.split(","))):
        name, _, target = (piece.strip() for piece in part.partition("="))
        name = name.lower()
        if not _NAME.fullmatch(name):
            raise SettingsError(
                "The setting loudspeakers is not NAME=ADDRESS, several separated by commas.",
                'Write for instance loudspeakers = "kitchen=mpd://192.168.1.20, study=ha:media_player.study".',
            )
        kind, _, entity = target.partition(":")
        if kind == "ha" and _ENTITY.fullmatch(entity):
            if home is None:
                raise SettingsError(f"The loudspeaker {name} is Home Assistant's, and home_url is not set.",
                                    "Set home_url and home_token.")
            found[name] = HomePlayer(home, entity)
        elif kind == "mpd":
            found[name] = MpdPlayer(target)
        else:
            raise SettingsError(f"The loudspeaker {name} has no address.",
                                "Write mpd://HOST:PORT, or ha:media_player.NAME.")
    return found


_BACK = re.compile(
    r"(?:please )?(?:(?:take|bring|get|move|fetch) (?:it|this|that|the (?:podcast|episode|sound))"
    r" (?:back )?(?:here|over here|in here|to me|to this room)"
    r"|(?:play|continue|resume|go on) (?:it |playing )?(?:back )?(?:here|in here|in this room)(?: instead| again)?)"
    r"(?: please)?[ .!?]*", re.IGNORECASE,
)  # fmt: skip


def takes_back(text: str) -> bool:
    """Whether what plays in another room is to be played where this is said: "take it back here"."""
    return _BACK.fullmatch(" ".join(text.replace(",", " ").split())) is not None


def in_room(text: str, names: Collection[str]) -> tuple[str, str]:
    """A text without the room that its end names, and that room: "play the part about bees in the kitchen"."""
    if not names:
        return text, ""
    rooms = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    said = re.fullmatch(
        rf"(?P<rest>.{{1,2000}}?),? (?:in|on|to|at) (?:the |my )?(?P<room>{rooms})"
        r"(?: (?:loud)?speakers?)?(?:,? please)?[ .!?]*",
        " ".join(text.split()), re.IGNORECASE,
    )  # fmt: skip
    return (said["rest"], said["room"].lower()) if said else (text, "")
