# SPDX-License-Identifier: GPL-3.0-or-later
"""gpodder.net's protocol, and Nextcloud's variant of it, for podcast apps such as AntennaPod.

What is followed here is followed there, and where somebody is in an episode is the same in both. The protocol:
https://gpoddernet.readthedocs.io/en/latest/api/ and https://github.com/thrillfall/nextcloud-gpodder. The addresses of
feeds may hold a subscriber's token, so only somebody who signed in by name is served.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from episodes.export import opml
from episodes.ingest.subscriptions import follow, forget, subscriptions
from episodes.model import Episode
from episodes.store.library import Library
from ui.home.gpodder import AppAction, PodcastApps, SyncedDevice
from ui.positions import PlaybackPositions, listener_key
from ui.web.dependencies import AppsDep, CompanionDep, ServedDep, UserDep
from ui.web.sessions import COOKIE
from voice.errors import EarmarkError

router = APIRouter(tags=["podcast apps"])

NEXTCLOUD = "/index.php/apps/gpoddersync"
OWN = "earmark"
"""The device that what was heard here stands under."""

DeviceId = Annotated[str, Path(pattern=r"^[\w.-]{1,64}$")]
Since = Annotated[int, Query(ge=0, le=2**53)]
FeedListFormat = Literal["json", "opml", "txt"]
T = TypeVar("T")

_Address = Annotated[str, Meta(max_length=4_000)]
_Short = Annotated[str, Meta(max_length=500)]
_Seconds = Annotated[int, Meta(ge=-1, le=1_000_000)]


class ActionBody(Struct):
    """An action as apps send it; what Earmark does not know of it is left out."""

    podcast: _Address
    episode: _Address
    action: Annotated[str, Meta(pattern="^(?i:download|play|delete|new|flattr)$")]
    device: _Short | None = None
    timestamp: _Short | None = None
    started: _Seconds | None = None
    position: _Seconds | None = None
    total: _Seconds | None = None
    guid: _Address | None = None

    def of(self) -> AppAction:
        """As it is kept: Nextcloud's apps write -1 for no time, and the action in capitals."""
        action = self.action.lower()
        given = (self.started, self.position, self.total) if action == "play" else (None, None, None)
        started, position, total = (None if time is None or time < 0 else time for time in given)
        when = self.timestamp or _written(datetime.now(UTC))
        return AppAction(self.podcast, self.episode, action, self.device or "", when, started, position, total,
                      self.guid or "")


class ChangesBody(Struct):
    """Feeds to be followed, and to be followed no longer."""

    add: Annotated[list[_Address], Meta(max_length=1_000)] = []
    remove: Annotated[list[_Address], Meta(max_length=1_000)] = []


class DeviceBody(Struct):
    """What an app calls a device."""

    caption: _Short | None = None
    type: _Short | None = None


def _signed_in(user: UserDep) -> str:
    if not user:
        raise HTTPException(403, "Podcast apps sign in by name: set auth, and use that name and password.")
    return user


Person = Annotated[str, Depends(_signed_in)]


def _by_path(person: Person, user: Annotated[str, Path(max_length=200)]) -> str:
    """Who signed in, when the address names the same."""
    if user != person:
        raise HTTPException(403, "That is somebody else's.")
    return person


Owner = Annotated[str, Depends(_by_path)]


async def _body(request: Request, kind: type[T]) -> T:
    """The body, whatever type it says it has. Raises HTTPException."""
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except msgspec.MsgspecError as error:
        raise HTTPException(400, f"That is not what the protocol wants: {str(error)[:200]}.") from error


# -- gpodder.net ---------------------------------------------------------------------------------------------------


@router.post("/api/2/auth/{user}/login.json")
def login(person: Owner) -> dict[str, str]:
    """Sign in: whoever shows a password here is given a cookie, which opens these addresses for a day."""
    return {}


@router.post("/api/2/auth/{user}/logout.json")
def logout(person: Owner) -> Response:
    """Forget the cookie."""
    answer = JSONResponse({})
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/api/2/devices/{user}.json")
def devices(person: Owner, apps: AppsDep, companion: CompanionDep) -> list[dict[str, Any]]:
    """The devices of a person."""
    count = len(subscriptions(companion.library))
    return [{"id": one.id, "caption": one.caption, "type": one.type, "subscriptions": count}
            for one in apps.devices(person)]  # fmt: skip


@router.post("/api/2/devices/{user}/{device}.json")
async def name_device(person: Owner, device: DeviceId, request: Request, apps: AppsDep) -> Response:
    """Tell what a device is called."""
    told = await _body(request, DeviceBody)
    await run_in_threadpool(
        apps.save_device, person, SyncedDevice(device, told.caption or device, told.type or "other")
    )
    return Response()


@router.get("/subscriptions/{user}.{form}")
def list_subscriptions(person: Owner, form: FeedListFormat, companion: CompanionDep) -> Response:
    """The feeds that are followed."""
    followed = subscriptions(companion.library)
    if form == "opml":
        return Response(opml([(one.title, one.address) for one in followed]), media_type="text/x-opml")
    addresses = [one.address for one in followed]
    return JSONResponse(addresses) if form == "json" else PlainTextResponse("\n".join([*addresses, ""]))


@router.get("/subscriptions/{user}/{device}.{form}")
def device_subscriptions(person: Owner, device: DeviceId, form: FeedListFormat, companion: CompanionDep) -> Response:
    """The same for a device: all have all feeds."""
    return list_subscriptions(person, form, companion)


@router.put("/subscriptions/{user}/{device}.{form}")
async def put_subscriptions(
    person: Owner, device: DeviceId, form: FeedListFormat, request: Request, companion: CompanionDep
) -> Response:
    """Follow these feeds, and no others."""
    if form == "json":
        wanted = await _body(request, list[_Address])
    elif form == "txt":
        wanted = (await request.body()).decode("utf-8", "replace").split()
    else:
        raise HTTPException(400, "Send the list as json or txt.")
    await run_in_threadpool(_replace, companion.library, wanted)
    return Response()


@router.get("/api/2/subscriptions/{user}/{device}.json")
def subscription_changes(
    person: Owner, device: DeviceId, apps: AppsDep, companion: CompanionDep, since: Since = 0
) -> dict[str, Any]:
    """Which feeds came and went after a time."""
    return _feeds(apps, companion.library, since)


@router.post("/api/2/subscriptions/{user}/{device}.json")
async def change_subscriptions(
    person: Owner, device: DeviceId, request: Request, apps: AppsDep, companion: CompanionDep
) -> dict[str, Any]:
    """Follow feeds, or follow them no longer."""
    return await _changed(request, apps, companion.library)


@router.get("/api/2/episodes/{user}.json")
def episode_actions(
    person: Owner, apps: AppsDep, served: ServedDep, companion: CompanionDep, since: Since = 0,
    podcast: Annotated[str, Query(max_length=4_000)] = "", device: Annotated[str, Query(max_length=64)] = "",
) -> dict[str, Any]:  # fmt: skip
    """What was done with episodes after a time, here as well."""
    _note_own(person, apps, served.listeners, companion.library)
    found, revision = apps.actions(person, since, podcast, device)
    return {"actions": [_action(one) for one in found], "timestamp": revision}


@router.post("/api/2/episodes/{user}.json")
async def note_actions(
    person: Owner, request: Request, apps: AppsDep, served: ServedDep, companion: CompanionDep
) -> dict[str, Any]:
    """Take what was done with episodes elsewhere."""
    return await _noted(person, request, apps, served.listeners, companion.library)


# -- Nextcloud -----------------------------------------------------------------------------------------------------


@router.get(NEXTCLOUD + "/subscriptions")
def nextcloud_subscriptions(
    person: Person, apps: AppsDep, companion: CompanionDep, since: Since = 0
) -> dict[str, Any]:
    """Which feeds came and went after a time."""
    return _feeds(apps, companion.library, since)


@router.post(NEXTCLOUD + "/subscription_change/create")
async def nextcloud_change(
    person: Person, request: Request, apps: AppsDep, companion: CompanionDep
) -> dict[str, Any]:
    """Follow feeds, or follow them no longer."""
    return await _changed(request, apps, companion.library)


@router.get(NEXTCLOUD + "/episode_action")
def nextcloud_actions(
    person: Person, apps: AppsDep, served: ServedDep, companion: CompanionDep, since: Since = 0
) -> dict[str, Any]:
    """What was done with episodes after a time, here as well."""
    told = episode_actions(person, apps, served, companion, since)
    blank = {"started": -1, "position": -1, "total": -1, "guid": None}
    return told | {"actions": [blank | one | {"action": one["action"].upper()} for one in told["actions"]]}


@router.post(NEXTCLOUD + "/episode_action/create")
async def nextcloud_note(
    person: Person, request: Request, apps: AppsDep, served: ServedDep, companion: CompanionDep
) -> dict[str, Any]:
    """Take what was done with episodes elsewhere."""
    return await _noted(person, request, apps, served.listeners, companion.library)


# -- what both do --------------------------------------------------------------------------------------------------


def _feeds(apps: PodcastApps, library: Library, since: int) -> dict[str, Any]:
    came, went, revision = apps.feeds([one.address for one in subscriptions(library)], since)
    return {"add": came, "remove": went, "timestamp": revision}


async def _changed(request: Request, apps: PodcastApps, library: Library) -> dict[str, Any]:
    changes = await _body(request, ChangesBody)
    mended = await run_in_threadpool(_change, library, changes)
    told = await run_in_threadpool(_feeds, apps, library, 0)
    return {"timestamp": told["timestamp"], "update_urls": mended}


def _change(library: Library, changes: ChangesBody) -> list[list[str]]:
    """Follow and forget; returns the addresses that are used in another form, those that cannot be as empty."""
    mended = []
    for given in changes.add:
        address = given.strip()
        if not address.lower().startswith(("http://", "https://")):
            address = ""
        if address:
            follow(library, address)
        if address != given:
            mended.append([given, address])
    followed = {one.address for one in subscriptions(library)}
    for given in changes.remove:
        if given.strip() in followed:
            forget(library, given.strip())
    return mended


def _replace(library: Library, wanted: list[str]) -> None:
    """Follow these feeds, and no others."""
    now = {one.address for one in subscriptions(library)}
    _change(library, ChangesBody([one for one in wanted if one not in now], [one for one in now if one not in wanted]))


async def _noted(
    person: str, request: Request, apps: PodcastApps, listeners: PlaybackPositions, library: Library
) -> dict[str, Any]:
    actions = [one.of() for one in await _body(request, list[ActionBody])]
    return {"timestamp": await run_in_threadpool(_note, person, actions, apps, listeners, library), "update_urls": []}


def _note(
    person: str, actions: list[AppAction], apps: PodcastApps, listeners: PlaybackPositions, library: Library
) -> int:
    """Keep the actions, and go with the listener to where an episode of the library was played to."""
    for one in actions:
        if one.action != "play" or one.position is None:
            continue
        episode = _episode(library, one)
        if episode is not None:
            start = one.started if one.started is not None and one.started < one.position else None
            heard = [(float(start), float(one.position))] if start is not None else []
            listeners.note(listener_key(person), episode.id, float(one.position), heard)
    return apps.note(person, actions)


def _episode(library: Library, action: AppAction) -> Episode | None:
    """The episode of the library that an action is about."""
    return library.by_guid(action.guid) or library.by_source(action.episode)


def _note_own(person: str, apps: PodcastApps, listeners: PlaybackPositions, library: Library) -> None:
    """Take where the listener is here into the actions, where no app told so."""
    own, played = [], apps.played(person)
    for episode_id, listened in listeners.all(listener_key(person)).items():
        try:
            source = library.source(episode_id)
            seconds = library.exactly(episode_id).seconds
        except EarmarkError:  # it was removed
            continue
        if not source.feed or not source.address:
            continue
        position = int(listened.position)
        if played.get(source.address) == position:
            continue
        when = _written(datetime.fromtimestamp(listened.at, UTC))
        own.append(AppAction(
            source.feed, source.address, "play", OWN, when, 0, position, int(seconds), source.guid
        ))  # fmt: skip
    if own:
        apps.note(person, own)


def _written(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S")


def _action(one: AppAction) -> dict[str, Any]:
    told = {"podcast": one.podcast, "episode": one.episode, "action": one.action, "timestamp": one.timestamp}
    more = {"device": one.device, "guid": one.guid, "started": one.started, "position": one.position,
            "total": one.total}  # fmt: skip
    return told | {key: value for key, value in more.items() if value not in (None, "")}
