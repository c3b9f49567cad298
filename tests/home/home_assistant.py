# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Home Assistant over a running Earmark: added by its config flow, asked in words, and aloud through its own
voice pipeline, whose answer is heard back.

By hand: ``make test-home`` (HASS_PYTHON names the Python for Home Assistant; the newest version that it can run is
installed into build/hass once; HOME_LIBRARY may name a data folder with the demo in it, to be quicker).
It prints what it saw and how long each step took; the exit status is 1 when an answer is wrong.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.conftest import ROOT
from ui.cli.client import Server
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import HEARING_RATE, join, pcm16, read_audio

HASS = ROOT / "build" / "hass"
CLIENT = "http://127.0.0.1/"
USED = ("frontend", "cloud", "camera", "ffmpeg", "conversation", "assist_pipeline", "tts", "wyoming", "zeroconf",
        "http", "hassio", "image_upload", "mobile_app", "go2rtc")  # fmt: skip
"""The integrations whose packages are needed, which Home Assistant would install by itself at its first start."""

_NEEDS = """
import json, pathlib, homeassistant
folder = pathlib.Path(homeassistant.__file__).parent / "components"
for name in {used!r}:
    manifest = folder / name / "manifest.json"
    if manifest.exists():
        print(*json.loads(manifest.read_text()).get("requirements", ()), sep="\\n")
"""

CONFIGURATION = """
homeassistant:
  name: Home
http:
  server_port: {port}
  server_host: 127.0.0.1
api:
websocket_api:
config:
auth:
onboarding:
conversation:
assist_pipeline:
logger:
  default: warning
"""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def installed() -> Path:
    """The program of Home Assistant; it is installed when it is not there."""
    program = HASS / "bin" / "hass"
    if not program.exists():
        python = os.environ.get("HASS_PYTHON", sys.executable)
        subprocess.run([python, "-m", "venv", str(HASS)], check=True)
        pip = [str(HASS / "bin" / "pip"), "install", "-q"]
        subprocess.run([*pip, "homeassistant"], check=True)
        needs = [str(HASS / "bin" / "python"), "-c", _NEEDS.format(used=USED)]
        told = subprocess.run(needs, check=True, capture_output=True, text=True).stdout
        subprocess.run([*pip, *sorted(set(told.split()))], check=True)
    return program


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program until the block is left; what it says goes into a file."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=os.environ | environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def said(what: str, since: float) -> None:
    """Print what was seen, and how long it took."""
    print(f"{time.monotonic() - since:6.2f} s  {what}", flush=True)


class Home:
    """Home Assistant by its own addresses, as its page uses them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._headers: dict[str, str] = {}

    async def ask(self, path: str, data: dict[str, Any] | None = None, form: bool = False) -> Any:
        """A request with its JSON answer."""
        given = {"data": data} if form else {"json": data}
        method = "GET" if data is None else "POST"
        async with self._session.request(
            method, self._url + path, headers=self._headers, **({} if data is None else given)
        ) as answer:
            assert answer.ok, f"{path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def up(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 120
        while True:
            try:
                await self.ask("/api/onboarding")
                return
            except (aiohttp.ClientError, AssertionError):
                assert time.monotonic() < deadline, "Home Assistant does not start"
                await asyncio.sleep(0.5)

    async def sign_in(self) -> str:
        """Be its first user; returns a token."""
        user = {"client_id": CLIENT, "name": "Ann", "username": "ann", "password": "correct horse", "language": "en"}
        code = (await self.ask("/api/onboarding/users", user))["auth_code"]
        wanted = {"grant_type": "authorization_code", "code": code, "client_id": CLIENT}
        token: str = (await self.ask("/auth/token", wanted, form=True))["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        return token

    async def add_wyoming(self, port: int) -> str:
        """Add Earmark by the config flow; returns the title of the entry."""
        flow = await self.ask("/api/config/config_entries/flow", {"handler": "wyoming"})
        path = f"/api/config/config_entries/flow/{flow['flow_id']}"
        made = await self.ask(path, {"host": "127.0.0.1", "port": port})
        assert made["type"] == "create_entry", made
        return str(made["title"])

    async def entities(self, *domains: str) -> dict[str, str]:
        """The entities of Earmark by domain, once they are there."""
        deadline = time.monotonic() + 60
        while True:
            states = [one["entity_id"] for one in await self.ask("/api/states")]
            found = {domain: name for domain in domains for name in states if name.startswith(f"{domain}.earmark")}
            if len(found) == len(domains):
                return found
            assert time.monotonic() < deadline, states
            await asyncio.sleep(0.5)

    async def converse(self, agent: str, text: str, conversation: str | None = None) -> tuple[str, str]:
        """Ask its conversation agent; the answer, and the id of the conversation."""
        asked = {"text": text, "language": "en", "agent_id": agent}
        told = await self.ask("/api/conversation/process", asked | ({"conversation_id": conversation} if conversation
                                                                    else {}))  # fmt: skip
        return told["response"]["speech"]["plain"]["speech"], told["conversation_id"]

    async def aloud(self, token: str, entities: dict[str, str], sound: bytes) -> tuple[str, str]:
        """Speak into a pipeline of its own; what was understood, and what was answered."""
        async with self._session.ws_connect(f"{self._url}/api/websocket") as socket_:
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": token})
            assert (await socket_.receive_json())["type"] == "auth_ok"
            await socket_.send_json({
                "id": 1, "type": "assist_pipeline/pipeline/create", "name": "Earmark", "language": "en",
                "conversation_engine": entities["conversation"], "conversation_language": "en",
                "stt_engine": entities["stt"], "stt_language": "en", "tts_engine": entities["tts"],
                "tts_language": "en_US", "tts_voice": None, "wake_word_entity": None, "wake_word_id": None,
            })  # fmt: skip
            made = await socket_.receive_json()
            assert made["success"], made
            await socket_.send_json({
                "id": 2, "type": "assist_pipeline/run", "start_stage": "stt", "end_stage": "intent",
                "input": {"sample_rate": HEARING_RATE, "no_vad": True}, "pipeline": made["result"]["id"],
            })  # fmt: skip
            text = answer = ""
            while True:
                told = await socket_.receive_json()
                event = told.get("event") or {}
                data = event.get("data") or {}
                assert event.get("type") != "error", data
                match event.get("type"):
                    case "run-start":
                        handler = bytes([data["runner_data"]["stt_binary_handler_id"]])
                        for at in range(0, len(sound), 2_048):
                            await socket_.send_bytes(handler + sound[at : at + 2_048])
                        await socket_.send_bytes(handler)
                    case "stt-end":
                        text = data["stt_output"]["text"]
                    case "intent-end":
                        answer = data["intent_output"]["response"]["speech"]["plain"]["speech"]
                    case "run-end":
                        break
        return text, answer

    async def spoken(self, entity: str, text: str) -> bytes:
        """A text as its text-to-speech makes it of Earmark's; as WAV, so that it needs no FFmpeg."""
        wanted = {"engine_id": entity, "message": text, "language": "en_US", "options": {"preferred_format": "wav"}}
        told = await self.ask("/api/tts_get_url", wanted)
        async with self._session.get(self._url + told["path"]) as heard:
            assert heard.ok, heard.status
            return await heard.read()


async def check(home_port: int, wyoming_port: int, companion: Companion) -> None:
    """All of it, in the order in which a person does it."""
    async with aiohttp.ClientSession() as session:
        home = Home(session, f"http://127.0.0.1:{home_port}")
        begin = time.monotonic()
        await home.up()
        token = await home.sign_in()
        said("Home Assistant is up, and Ann is signed in", begin)
        begin = time.monotonic()
        title = await home.add_wyoming(wyoming_port)
        entities = await home.entities("conversation", "stt", "tts")
        said(f"added “{title}”: {', '.join(entities.values())}", begin)
        begin = time.monotonic()
        answer, conversation = await home.converse(entities["conversation"], "Why is a chatbot like a mirror?")
        said(f"asked in words: {answer}", begin)
        assert "mirror" in answer.lower(), answer
        begin = time.monotonic()
        more, _ = await home.converse(entities["conversation"], "Tell me more about that.", conversation)
        said(f"asked further: {more}", begin)
        assert more and more != answer, more
        question = join([piece.at_rate(HEARING_RATE) for piece in companion.speak("Why is a chatbot like a mirror?")])
        begin = time.monotonic()
        sound = pcm16(question.samples).astype("<i2").tobytes()
        text, answer = await home.aloud(token, entities, sound)
        said(f"asked aloud: understood “{text}”, answered “{answer}”", begin)
        assert "mirror" in answer.lower(), answer
        begin = time.monotonic()
        heard = await home.spoken(entities["tts"], answer)
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(heard)
            back = companion.hear(read_audio(Path(file.name)))
        said(f"heard back: {back.text}", begin)
        assert "mirror" in back.text.lower(), back.text


def main() -> None:
    """Set it up in a temporary folder, and check."""
    program = installed()
    folder = Path(tempfile.mkdtemp(prefix="earmark-home-"))
    home_port, port, wyoming_port = free_port(), free_port(), free_port()
    (folder / "hass").mkdir()
    (folder / "hass" / "configuration.yaml").write_text(CONFIGURATION.format(port=home_port))
    data = folder / "earmark"
    if given := os.environ.get("HOME_LIBRARY"):
        shutil.copytree(given, data)
    serve = [sys.executable, "-m", "ui.cli", "--data-dir", str(data), "serve", "--port", str(port), "--no-open"]
    hass = [str(program), "--config", str(folder / "hass"), "--skip-pip"]
    with (
        running(serve, folder / "earmark.log", EARMARK_WYOMING=f"tcp://127.0.0.1:{wyoming_port}"),
        running(hass, folder / "hass.log"),
    ):
        deadline = time.monotonic() + 300
        while not Server(f"http://127.0.0.1:{port}").answers():
            assert time.monotonic() < deadline, (folder / "earmark.log").read_text()
            time.sleep(0.5)
        companion = Companion(Settings(data_dir=folder / "other", demo=False))
        try:
            asyncio.run(check(home_port, wyoming_port, companion))
        except BaseException:
            print((folder / "hass.log").read_text()[-4_000:], (folder / "earmark.log").read_text()[-4_000:], sep="\n")
            raise
        finally:
            companion.close()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
