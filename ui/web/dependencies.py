# SPDX-License-Identifier: GPL-3.0-or-later
"""What routes are given: the companion that is served, and the episode that an address names in full."""

from dataclasses import dataclass, field
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Path, Request

from episodes.model import Episode
from ui.companion import Companion
from ui.home.gpodder import PodcastApps
from ui.home.loudspeakers.house import House
from ui.listener_data import ListenerData
from ui.positions import PlaybackPositions
from ui.shows import ShowSettingsStore
from ui.web.auth import USER
from ui.web.limits import ASKERS
from ui.web.live_hearing import LiveQuestions
from ui.web.model_fetching import ModelFetching


@dataclass(slots=True)
class Served:
    """One companion with what the server keeps for it."""

    companion: Companion
    listeners: PlaybackPositions
    models: ModelFetching
    kept: ListenerData
    shows: ShowSettingsStore
    house: House | None = None
    """The loudspeakers of the house, if any are set."""
    live: LiveQuestions = field(default_factory=LiveQuestions)
    askers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(ASKERS))
    asked: int = 0
    """Questions under way or waiting."""


def served_of(request: Request) -> Served:
    """What this application serves."""
    served: Served = request.app.state.served
    return served


ServedDep = Annotated[Served, Depends(served_of)]


def served_companion(served: ServedDep) -> Companion:
    """The companion that this application serves."""
    return served.companion


CompanionDep = Annotated[Companion, Depends(served_companion)]


def apps_of(request: Request) -> PodcastApps:
    """The memory of what podcast apps told."""
    apps: PodcastApps = request.app.state.apps
    return apps


AppsDep = Annotated[PodcastApps, Depends(apps_of)]


def episode_of(episode_id: Annotated[str, Path(max_length=200)], companion: CompanionDep) -> Episode:
    """The episode that an address names by its whole id. A part of one, or a title, would let a page of another site
    find out what is there. Raises UnknownEpisode."""
    return companion.library.exactly(episode_id)


EpisodeDep = Annotated[Episode, Depends(episode_of)]


def user_of(request: Request) -> str | None:
    """The name that was signed in with, if any."""
    name: str | None = request.scope.get(USER)
    return name


UserDep = Annotated[str | None, Depends(user_of)]
