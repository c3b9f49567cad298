# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines of another machine: they are asked over Wyoming, and the ones of this machine do the work while they are
away."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from wyoming.event import async_read_event, async_write_event
from wyoming.wake import Detection

from tests.speech import say as speech_of
from tests.speech import with_silence
from tests.ui.home.house import House, running
from ui.cli import doctor
from ui.engines import Engines
from ui.home.wyoming.wyoming_service import WyomingService
from ui.settings import Settings
from voice import wyoming_client
from voice.audio import HEARING_RATE, Audio, silence
from voice.errors import EngineError, SettingsError
from voice.model import Bias, Heard, Piece, Wanted
from voice.recognition.remote_recognition import CONFIDENCE, RemoteHearing
from voice.synthesis.remote_synthesis import RemoteSpeaking
from voice.turns import remote_wake
from voice.turns.remote_wake import RemoteWake
from voice.turns.wake_word import load_wake
from voice.wyoming_client import REST, EngineAddress, RemoteEngine, address_of, is_remote


class Here:
    """The engines of this machine."""

    name, rate, sure = "here", 16_000, 0.9

    def hear(self, audio: Audio, bias: Bias = Bias(), timed: bool = False, wanted: Wanted | None = None) -> Heard:  # noqa: B008
        return Heard("heard here", 0.7)

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        yield Piece(since, since + 1)

    def speak(self, text: str) -> Iterator[Audio]:
        yield silence(0.5, self.rate)

    def close(self) -> None:
        self.name = "closed"

    def __call__(self, samples) -> float:
        return 1.0

    def reset(self) -> None:
        pass


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def service(house: House) -> Iterator[WyomingService]:
    with running(house) as service:
        yield service


@pytest.fixture(scope="module")
def speech() -> Audio:
    """What is sent has to be speech: silence stays here."""
    return Audio(with_silence(speech_of("Why do bees dance on the comb?")), HEARING_RATE)


def engine_at(port: int, **how) -> RemoteEngine:
    return RemoteEngine(EngineAddress("127.0.0.1", port, **how))


@contextmanager
def free_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_question_is_heard_elsewhere_and_a_recording_here(house, service, speech):
    hearing = RemoteHearing(engine_at(service.port), Here)
    assert hearing.hear(speech, Bias(names=("Ines",))) == Heard("why do bees dance", CONFIDENCE)
    assert house.heard[0].seconds == pytest.approx(speech.seconds, abs=0.1)
    assert [piece.start for piece in hearing.transcribe(Path("x"), Bias(), 7.0)] == [7.0]
    assert hearing.hear(silence(2.0, HEARING_RATE)) == Heard("", 1.0)
    assert len(house.heard) == 1


def test_a_text_is_spoken_elsewhere_and_what_fails_there_here(service):
    speaking = RemoteSpeaking(engine_at(service.port), Here)
    sounds = list(speaking.speak("One. Two three."))
    assert [sound.rate for sound in sounds] == [22_050] * len(sounds)
    assert sum(sound.seconds for sound in sounds) == pytest.approx(100 * len("OneTwo three") / 22_050, abs=0.02)
    (sound,) = speaking.speak("It is mute.")
    assert (sound.rate, sound.seconds) == (22_050, pytest.approx(0.5, abs=0.01))
    speaking.close()


def test_one_that_is_away_is_left_alone_for_a_while_and_used_again_when_it_is_back(house, speech):
    now = [0.0]
    with free_port() as port:
        engine = RemoteEngine(EngineAddress("127.0.0.1", port), lambda: now[0])
        hearing = RemoteHearing(engine, Here)
        assert hearing.hear(speech).text == "heard here"
    assert "does not answer" in engine.problem
    with running(house) as service:
        engine.address = EngineAddress("127.0.0.1", service.port)
        assert hearing.hear(speech).text == "heard here"
        now[0] = REST + 1
        assert hearing.hear(speech).text == "why do bees dance"
    assert engine.problem == ""


def test_one_that_is_silent_is_not_waited_for(monkeypatch, speech):
    monkeypatch.setattr(wyoming_client, "SILENT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        engine = engine_at(deaf.getsockname()[1])
        assert RemoteHearing(engine, Here).hear(speech).text == "heard here"
        assert "it is silent" in engine.problem


@pytest.mark.parametrize("reply", [b"nothing of the kind\n", b'{"type": 5}\n', b"[]\n", b'{"type":"info"}\n', b""])
def test_one_that_talks_nonsense_is_away(reply, speech):
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            client, _ = odd.accept()
            with client:
                client.sendall(reply)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65_536):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(EngineError, match="does not answer"):
            engine_at(odd.getsockname()[1]).ask([], "transcript")
        thread.join()


@pytest.mark.parametrize("setting", ["tcp://", "tcp://box", "tcp://box:x", "tcp://box:99999"])
def test_an_address_that_is_none_is_refused(setting):
    with pytest.raises(SettingsError, match=r"tcp://box\.local:10300"):
        address_of(setting)


def test_the_settings_lead_there(service, tmp_path, speech):
    assert address_of(" tcp://box:10200/en_GB-alan-medium ") == EngineAddress("box", 10_200, "en_GB-alan-medium")
    assert not is_remote("auto")
    at = f"tcp://127.0.0.1:{service.port}"
    engines = Engines(Settings(data_dir=tmp_path, hearing=at, speaking=at))
    assert engines.hearing.hear(speech).text == "why do bees dance"
    assert list(engines.speaking.speak("One."))
    assert engines.line("hearing").name == f"Wyoming at {at}"
    assert "for questions" in next(doctor._hearing(engines.settings)).state
    assert engines.choice.model == "tiny.en" and not engines.wanted()


class WakeService:
    """A wake word service that hears its word in any loud sound; ``dropping`` hangs up instead."""

    def __init__(self) -> None:
        self.wanted: list[object] = []
        self.dropping = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (event := await async_read_event(reader)) is not None and not self.dropping:
            if event.type == "detect":
                self.wanted.append(event.data["names"])
            if max(np.frombuffer(event.payload or b"\0\0", "<i2"), default=0) > 10_000:
                await async_write_event(Detection("hey").event(), writer)
        writer.close()


@contextmanager
def on_its_own(meet, port: int = 0) -> Iterator[int]:
    """Serve in a thread; yields the port."""
    loop = asyncio.new_event_loop()
    begun: list[int] = []
    ready = threading.Event()

    async def begin() -> None:
        server = await asyncio.start_server(meet, "127.0.0.1", port)
        begun.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        loop.run_until_complete(begin())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield begun[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_a_wake_word_is_heard_elsewhere_and_here_while_it_is_away(monkeypatch):
    monkeypatch.setattr(remote_wake, "RETRY", 0.01)
    loud, quiet = np.full(512, 0.9, np.float32), np.zeros(512, np.float32)
    service = WakeService()
    with on_its_own(service) as port:
        wake = RemoteWake(EngineAddress("127.0.0.1", port, "hey"), Here())
        try:
            assert wake.name == "hey"
            assert wake.there.wait(10)
            assert wake(quiet) == 0.0
            wake(loud)
            assert wake._said.wait(10)
            assert wake(quiet) == 1.0 > wake.sure
            assert wake(quiet) == 0.0
            service.dropping = True
            while wake.there.is_set():  # it notices when it sends
                wake(quiet)
            assert wake(quiet) > wake.sure
            service.dropping = False
            assert wake.there.wait(10)
            assert service.wanted[:1] == [["hey"]]
        finally:
            wake.close()


def test_the_setting_of_the_wake_word_leads_there(monkeypatch):
    monkeypatch.setattr(remote_wake, "local_wake", lambda: None)
    with free_port() as port:
        wake = load_wake(f"tcp://127.0.0.1:{port}")()
        assert isinstance(wake, RemoteWake)
        assert wake(np.zeros(512, np.float32)) == 0.0
        wake.close()


