# SPDX-License-Identifier: GPL-3.0-or-later
"""Loudspeakers in other rooms: a real Music Player Daemon, and Home Assistant's REST API behind a stand-in."""

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from episodes.model import Segment
from retrieval.model import Answer, Command, Moment, Question
from tests.browser.tones import heard_position
from ui.companion import Companion, Status
from ui.home.conversations import AskedFrom
from ui.home.loudspeakers.house import House
from ui.home.loudspeakers.media_links import MediaLinks
from ui.home.loudspeakers.rooms import home_of, in_room, loudspeakers_of, takes_back
from ui.listener_data import ListenerData
from ui.positions import PlaybackPositions
from ui.settings import Settings
from ui.shows import ShowSettingsStore
from ui.web import answer_stream, server
from ui.web.api import media
from ui.web.bodies import AskBody
from ui.web.dependencies import Served
from ui.web.model_fetching import ModelFetching
from voice.audio import from_pcm16
from voice.devices.home_assistant import HomeAssistant, HomePlayer
from voice.errors import DeviceError, SettingsError
from voice.turns.commands import CommandName

LOGIN = ("ann", "correct horse")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(companion: Companion, port: int, app: FastAPI | None = None) -> Iterator[None]:
    """An application over HTTP; else only what players ask for."""
    if app is None:
        app = FastAPI()
        folder = companion.settings.data_dir
        app.state.served = Served(companion, PlaybackPositions(folder), ModelFetching(companion), ListenerData(folder),
                                  ShowSettingsStore(folder))  # fmt: skip
        app.include_router(media.router)
    config = uvicorn.Config(app, port=port, lifespan="off", log_level="warning", ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started)
    try:
        yield
    finally:
        running.should_exit = True
        thread.join(10)


def until(true: Callable[[], object], patience: float = 20.0) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def mpd(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A Music Player Daemon of its own, which plays into nothing and into a file."""
    program = shutil.which("mpd")
    if program is None:
        pytest.skip("no mpd here: apt-get install --no-install-recommends mpd")
    port, heard = free_port(), tmp_path / "heard.pcm"
    (tmp_path / "mpd.conf").write_text(f"""
        audio_output {{
            type "null"
            name "in its own time"
        }}
        bind_to_address "127.0.0.1"
        port "{port}"
        audio_output {{
            type "pipe"
            name "file"
            command "cat >> {heard}"
            format "24000:16:1"
        }}
    """)
    with (tmp_path / "mpd.log").open("wb") as log:
        process = subprocess.Popen([program, "--no-daemon", "--stderr", str(tmp_path / "mpd.conf")], stderr=log)
    try:
        until(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        yield f"mpd://127.0.0.1:{port}", heard
    finally:
        process.terminate()
        process.wait(10)


def test_mpd_plays_the_second_that_was_asked_for_and_gives_it_back(companion, mpd):
    address, heard = mpd
    settings = companion.settings
    port = free_port()
    speakers = loudspeakers_of(Settings(loudspeakers=f"Kitchen={address}"), None)
    (episode,) = companion.library.episodes()
    companion.library.save_segments(episode.id, [Segment(0, 20), Segment(20, 40), Segment(40, 60)])
    house = House(companion.library, MediaLinks.of(settings.data_dir), speakers, f"http://127.0.0.1:{port}")
    with served(companion, port):
        assert house.now(AskedFrom()) is None
        moment = Moment(episode.id, 30.5, 33.0, "Kettles.")
        told = house.carry(Answer("", True, (), (moment,), Command(CommandName.PLAY_ABOUT)), AskedFrom(), "kitchen")
        assert told == "Playing “Tones” from 0:30 in the kitchen."
        until(lambda: (house.on_air("kitchen") or moment).position > 31.5)  # type: ignore[union-attr]
        assert carried(house, CommandName.PAUSE) == "Paused."
        air = house.on_air("kitchen")
        assert air is not None and (air.episode, air.playing) == (episode.id, False)
        assert air.position == pytest.approx(32.0, abs=2.0)
        assert carried(house, CommandName.BACK, 5.0) == f"At 0:{int(air.position - 5):02}."
        assert carried(house, CommandName.NEXT_TOPIC) == "At 0:40."
        assert carried(house, CommandName.RESUME) == "Going on."
        until(lambda: house.on_air("kitchen").playing)  # type: ignore[union-attr]
        house.speaker("kitchen").pause()
    onset, position = heard_position(from_pcm16(heard.read_bytes(), 24_000))
    assert position - onset == pytest.approx(30.5, abs=0.15)


def carried(house: House, name: CommandName, amount: float | None = None, room: str = "kitchen") -> str | None:
    return house.carry(Answer("", True, (), (), Command(name, amount)), AskedFrom(), room)


class HomeStandIn:
    """As much of Home Assistant as its players need; ``study`` can seek, ``bath`` cannot."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict]] = []
        self.states = {
            f"media_player.{name}": {"state": "idle", "attributes": {"supported_features": features}}
            for name, features in (("study", 2), ("bath", 4))
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] != "Bearer long-lived":
            return httpx.Response(401)
        kind, *rest = request.url.path.removeprefix("/api/").split("/")
        if kind == "states":
            return httpx.Response(200, json=self.states[rest[0]]) if rest[0] in self.states else httpx.Response(404)
        data = json.loads(request.content)
        if kind == "template":
            area = {"name": "Bath", "players": ["media_player.bath"]} if "'d1'" in data["template"] else {}
            return httpx.Response(200, json=area)
        self.calls.append((rest[1], data))
        state = self.states[data["entity_id"]]
        if rest[1] == "play_media":
            state["state"] = "playing"
            state["attributes"] |= {"media_content_id": data["media_content_id"], "media_position": 0}
        elif rest[1] == "media_seek":
            state["attributes"]["media_position"] = data["seek_position"]
        elif rest[1] == "media_pause":
            state["state"] = "paused"
        return httpx.Response(200, json=[])


@pytest.fixture
def stand_in() -> HomeStandIn:
    return HomeStandIn()


@pytest.fixture
def home(stand_in: HomeStandIn) -> HomeAssistant:
    return HomeAssistant("http://ha:8123/", "long-lived", httpx.MockTransport(stand_in))


@pytest.fixture
def house(companion: Companion, home: HomeAssistant) -> House:
    speakers = {"study": HomePlayer(home, "media_player.study", lambda seconds: None)}
    links = MediaLinks.of(companion.settings.data_dir)
    return House(companion.library, links, speakers, "http://here:7860", home, lambda: 1_000.0)


def test_home_assistant_plays_where_it_was_asked_and_seeks_where_its_player_can(companion, house, stand_in):
    (episode,) = companion.library.episodes()
    house.play("study", episode, 30.5)
    assert [name for name, _ in stand_in.calls] == ["play_media", "media_seek"]
    assert stand_in.calls[0][1]["media_content_id"].endswith(f"/{episode.id}.m4a")
    assert house.on_air("study").position == 30.5  # type: ignore[union-attr]
    moment = Moment(episode.id, 12.0, 20.0, "Kettles.")
    about = Answer("", True, (), (moment,), Command(CommandName.PLAY_ABOUT))
    assert house.carry(about, AskedFrom(device="d1")) == "Playing “Tones” from 0:12 in the bath."
    assert stand_in.calls[-1][1]["media_content_id"].endswith(f"/{episode.id}.m4a?from=12")
    air = house.now(AskedFrom(device="d1"))
    assert air is not None and (air.room, air.position) == ("bath", 12.0)
    house.seek(air, 5.0)  # by playing what follows
    assert stand_in.calls[-1][0] == "play_media"
    assert house.on_air("bath").position == 5.0  # type: ignore[union-attr]
    assert carried(house, CommandName.SET_VOLUME, 0.3, "bath") == "Done."
    assert stand_in.calls[-1] == ("volume_set", {"entity_id": "media_player.bath", "volume_level": 0.3})


def test_a_command_for_no_loudspeaker_of_ours_is_left_to_others(house, stand_in):
    stand_in.states["media_player.study"]["attributes"]["media_content_id"] = "http://radio/stream"
    assert carried(house, CommandName.PAUSE, room="") is None
    assert carried(house, CommandName.PAUSE, room="study") == "Nothing of mine plays in the study."
    assert carried(house, CommandName.PLAY, room="study") == "Playing “Tones” in the study."


def test_what_is_wrong_names_the_next_step(companion, house, home, stand_in):
    with pytest.raises(DeviceError, match="study"):
        house.speaker("attic")
    with pytest.raises(DeviceError, match="loudspeakers"):
        home.state("media_player.gone")
    wrong = HomeAssistant("http://ha", "wrong", httpx.MockTransport(stand_in))
    with pytest.raises(DeviceError, match="home_token"):
        wrong.state("media_player.study")
    page = HomeAssistant("http://ha", "t", httpx.MockTransport(lambda request: httpx.Response(200, text="<html>")))
    with pytest.raises(DeviceError, match="no Home Assistant"):
        page.state("media_player.study")
    assert wrong.area_of("d1') }}{{ states('").players == ()
    away = loudspeakers_of(Settings(loudspeakers=f"kitchen=mpd://127.0.0.1:{free_port()}"), None)["kitchen"]
    with pytest.raises(DeviceError, match="does not answer"):
        away.state()


@pytest.mark.parametrize(
    ("text", "rest", "room"),
    [
        ("Play the part about bees in the kitchen.", "Play the part about bees", "kitchen"),
        ("pause in the Living Room, please", "pause", "living room"),
        ("go on on the kitchen speaker", "go on", "kitchen"),
        ("What happens in the kitchen of the palace?", "What happens in the kitchen of the palace?", ""),
        ("in the kitchen", "in the kitchen", ""),
    ],
)
def test_a_room_at_the_end_of_what_was_said_is_where_it_is_meant(text, rest, room):
    assert in_room(text, ["kitchen", "living room", "room"]) == (rest, room)
    assert in_room(text, []) == (text, "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"loudspeakers": "mpd://box"}, "NAME=ADDRESS"),
        ({"loudspeakers": "kitchen=http://box"}, "mpd://HOST"),
        ({"loudspeakers": "kitchen=mpd:box"}, "mpd://"), ({"loudspeakers": "kitchen=mpd://["}, "mpd://"),
        ({"loudspeakers": "kitchen=mpd://box:99999"}, "mpd://"),
        ({"loudspeakers": "kitchen=ha:media_player.x"}, "home_url"),
        ({"home_url": "ha.local:8123"}, "http://homeassistant"),
        ({"home_url": "http://ha.local:8123"}, "home_token"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_to_write(given, says):
    settings = Settings(**given)
    with pytest.raises(SettingsError, match=says):
        loudspeakers_of(settings, home_of(settings))


def test_the_page_sends_playback_to_a_room_and_takes_it_back(companion, house):
    app = server.build(companion)
    app.state.served.house = house
    door = TestClient(app, base_url="http://127.0.0.1")
    door.auth = LOGIN
    (episode,) = companion.library.episodes()
    assert door.get("/api/loudspeakers").json() == [{"room": "study", "problem": "", "episode": None}]
    sent = door.post("/api/loudspeakers/study", json={"do": "play", "episode": episode.id, "position": 21.5}).json()
    assert (sent["episode"], sent["position"], sent["playing"]) == (episode.id, 21.5, True)
    for body in ({"do": "seek", "position": 3.0}, {"do": "volume", "volume": 0.2}, {"do": "pause"}):
        taken = door.post("/api/loudspeakers/study", json=body).json()
    assert (taken["position"], taken["playing"]) == (3.0, False)
    assert door.post("/api/loudspeakers/attic", json={"do": "pause"}).status_code == 400
    assert door.post("/api/loudspeakers/study", json={"do": "play"}).status_code == 400


class Commanding:
    """A companion that takes what is asked for a command to go on."""

    library = None
    asked = ""

    def status(self) -> Status:
        return Status(True, "Ready", 1.0)

    def telling(self, question: Question, within: object) -> Iterator[Answer]:
        self.asked = question.text
        yield Answer(question.text, True, (), (), Command(CommandName.PLAY))


def test_whoever_names_a_room_is_answered_that_it_is_done_there(house):
    companion = Commanding()
    served = Served(companion, None, None, None, None, house)  # type: ignore[arg-type]

    def ask(text: str) -> dict:
        return asyncio.run(answer_stream.whole(answer_stream.events(served, AskBody(text=text))))

    answer = ask("Go on in the study, please.")
    assert companion.asked == "Go on"
    assert (answer["command"], answer["sentences"][0]["text"]) == (None, "Playing “Tones” in the study.")
    assert ask("Go on")["command"]["name"] == "play"


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("Take it back here.", True), ("bring the podcast back to me, please", True), ("Play it here instead.", True),
        ("continue in this room", True), ("Take it back ten seconds.", False), ("Take me back to where I was", False),
        ("What is played here?", False), ("bring it back tomorrow", False),
    ],
)  # fmt: skip
def test_taking_it_back_is_told_from_going_back(text, back):
    assert takes_back(text) is back
