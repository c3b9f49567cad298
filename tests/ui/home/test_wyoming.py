# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wyoming service, asked as Home Assistant asks: with its client, its events, a connection for each question."""

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import Iterator

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.intent import Intent
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from retrieval.model import Answer, Question
from tests.conftest import library_copy
from tests.ui.home.house import MOMENT, House, running, say
from ui.companion import Companion
from ui.home.conversations import CONVERSATION_TIMEOUT, MOST_CONVERSATIONS, REMEMBERED, AskedFrom, Conversations, Said
from ui.home.loudspeakers.house import OnAir
from ui.home.loudspeakers.rooms import in_room
from ui.home.wyoming import wyoming_connection
from ui.home.wyoming.wyoming_service import AccessList, WyomingService, access_of
from ui.settings import Settings
from voice.audio import HEARING_RATE
from voice.errors import SettingsError


class Rooms:
    """A house with an attic, in which an episode plays."""

    def __init__(self) -> None:
        self.carried: list[tuple[AskedFrom, str]] = []

    def said(self, text: str) -> tuple[str, str]:
        return in_room(text, ["attic"])

    def now(self, place: AskedFrom) -> OnAir | None:
        return OnAir("attic", "e7", 12.0, True)

    def carry(self, made: Answer, place: AskedFrom, room: str = "") -> str | None:
        self.carried.append((place, room))
        return f"Playing from {made.moments[0].start:.0f}."


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def service(house: House) -> Iterator[WyomingService]:
    with running(house) as service:
        yield service


def asked(service: WyomingService, text: str, until: str = "handled", conversation: str = "01JC") -> Event:
    """As Home Assistant's conversation agent asks."""
    context = {"conversation_id": conversation, "device_id": "d1", "satellite_id": "assist_satellite.kitchen"}
    return say(service, Transcript(text, context=context, language="en").event(), until=until)[-1]


def test_it_describes_itself_also_while_the_engines_load(house, service):
    house.ready = False
    info = Info.from_event(say(service, Describe().event(), until="info")[-1])
    handle = info.handle[0]
    assert handle.installed and handle.models[0].languages == ["en"] and handle.supports_handled_streaming
    assert info.tts[0].supports_synthesize_streaming and info.asr[0].models[0].languages == ["en"]
    house.ready = True
    info = Info.from_event(say(service, Describe().event(), until="info")[-1])
    assert (info.asr[0].models[0].name, info.tts[0].voices[0].languages) == ("faster-whisper tiny.en", ["en_US"])
    assert Pong.from_event(say(service, Ping("here?").event(), until="pong")[-1]).text == "here?"


def test_a_question_is_answered_in_pieces_and_as_a_whole_and_remembered_for_its_conversation(house, service):
    question = Transcript("Why do bees dance?", context={"conversation_id": "c"})
    came = say(service, question.event(), until="handled-stop")
    assert [event.type for event in came] == ["handled-start", *["handled-chunk"] * 3, "handled", "handled-stop"]
    handled = Handled.from_event(came[-2])
    assert handled.text == "Why do bees dance? 0. Why do bees dance? 1. Why do bees dance? 2."
    assert "".join(event.data["text"] for event in came[1:4]).strip() == handled.text
    assert handled.context == {"conversation_id": "c"}
    asked(service, "And how fast?", conversation="c")
    asked(service, "And how fast?", conversation="other")
    assert [[turn.text for turn in question.history] for question in house.asked] == [[], ["Why do bees dance?"], []]
    assert house.asked[1].history[0].moments == (MOMENT,)


@pytest.mark.parametrize(
    ("text", "part"),
    [("What is the weather?", "weather"), ("nothing there", "library is empty"), ("broken", "went wrong")],
)
def test_what_has_no_answer_is_told_in_words(service, text, part):
    assert part in asked(service, text, until="not-handled").data["text"]


def test_a_question_while_the_engines_load_is_told_so(house, service, monkeypatch):
    monkeypatch.setattr(wyoming_connection, "STARTING", 0.0)
    house.ready = False
    assert "Loading the voice" in asked(service, "Why?", until="not-handled").data["text"]


@pytest.mark.parametrize(
    ("text", "name", "slots"),
    [
        ("pause", "HassMediaPause", {}),
        ("go on", "HassMediaUnpause", {}),
        ("volume fifty percent", "HassSetVolume", {"volume_level": 50}),
        ("quieter", "HassSetVolumeRelative", {"volume_step": "down"}),
        ("next episode", "HassMediaNext", {}),
    ],
)
def test_commands_of_a_player_are_home_assistants_intents(service, text, name, slots):
    intent = Intent.from_event(asked(service, text, until="intent"))
    assert (intent.name, {entity.name: entity.value for entity in intent.entities}) == (name, slots)
    assert intent.text


def test_a_command_is_carried_out_where_a_player_here_is_meant_and_declined_where_there_is_none(house, service):
    assert "loudspeaker" in asked(service, "back thirty seconds", until="not-handled").data["text"]
    told = asked(service, "play the part about bees", until="not-handled").data["text"]
    assert told == "That is at 1:05. I have no loudspeaker to do that on."
    rooms = Rooms()
    with running(house, house=rooms) as other:
        assert Handled.from_event(asked(other, "play the part about bees in the attic")).text == "Playing from 65."
    assert rooms.carried == [(AskedFrom("01JC", "d1", "assist_satellite.kitchen"), "attic")]
    assert (house.asked[-1].text, house.asked[-1].playing) == ("play the part about bees", "e7")
    assert house.asked[-1].position == 12.0


def test_the_last_answer_is_said_again(service):
    asked(service, "Why?")
    assert Handled.from_event(asked(service, "say that again")).text == "Why? 0. Why? 1. Why? 2."


def test_sound_of_any_format_becomes_text(house, service):
    second = (np.sin(np.arange(48_000) / 48_000 * 440 * 2 * np.pi) * 16_000).astype("<i2")
    stereo = np.repeat(second, 2).tobytes()
    chunks = [AudioChunk(48_000, 2, 2, stereo[at : at + 4_096]).event() for at in range(0, len(stereo), 4_096)]
    came = say(service, Transcribe(language="en").event(), AudioStart(48_000, 2, 2).event(), *chunks,
               AudioStop().event(), until="transcript")  # fmt: skip
    assert came[-1].data["text"] == "why do bees dance"
    (heard,) = house.heard
    assert heard.rate == HEARING_RATE and heard.seconds == pytest.approx(1.0, abs=0.01)
    assert np.abs(heard.samples).max() == pytest.approx(16_000 / 32_768, abs=0.02)


def test_a_text_is_spoken_whole_or_as_it_comes(service):
    came = say(service, Synthesize("One. Two.").event(), until="audio-stop")
    assert AudioStart.from_event(came[0]).rate == 22_050
    assert sum(len(event.payload or b"") for event in came) == 2 * 600
    came = say(
        service, SynthesizeStart().event(), SynthesizeChunk("One. Tw").event(), SynthesizeChunk("o.").event(),
        Synthesize("One. Two.").event(), SynthesizeStop().event(), until="synthesize-stopped",
    )  # fmt: skip
    assert [event.type for event in came] == [
        "audio-start", "audio-chunk", "audio-chunk", "audio-stop", "synthesize-stopped",
    ]  # fmt: skip
    error = say(service, Synthesize("mute").event(), until="audio-stop")[0]
    assert error.data["text"].startswith("The voice is hoarse")


def test_hanging_up_ends_the_making_of_an_answer(house, service):
    house.pieces = 1_000_000

    async def hang_up() -> None:
        async with AsyncTcpClient("127.0.0.1", service.port) as client:
            await client.write_event(Transcript("Why?").event())
            assert (await client.read_event()) is not None

    asyncio.run(hang_up())
    assert house.left.wait(20)
    house.pieces = 1
    assert Handled.from_event(asked(service, "And now?")).text == "And now? 0."


def frames(count: int) -> Iterator[bytes]:
    """Events that are none, or hold what they should not; after some of them the connection cannot go on."""
    chance = random.Random(7)
    types = ["transcript", "audio-start", "audio-chunk", "audio-stop", "synthesize", "?"]
    values = [None, 5, -1, 1e300, " ", "x" * 3_000, [], {}, [[]], True, {"conversation_id": ["c"]}]
    for number in range(count):
        event = {"type": chance.choice(types), "data": {
            key: chance.choice(values) for key in chance.sample(["text", "context", "rate", "width", "channels"], 3)
        }}  # fmt: skip
        if number % 50 == 0:
            event |= {chance.choice(["data_length", "payload_length"]): chance.choice([-1, 10**30, "3", 9_000_000])}
        line = json.dumps(event).encode()
        if number % 50 == 25:
            line = chance.choice([line[: len(line) // 2], b"\xff\x00" + line, b"[" * 5_000, b"null", b'{"type":null}'])
        yield line + b"\n"


def test_ten_thousand_malformed_frames_do_no_harm(house, service):
    every = list(frames(10_000))
    for at in range(0, len(every), 25):  # the first one of them is where a connection ends, with a word why
        client = socket.create_connection(("127.0.0.1", service.port), 20)
        with client, contextlib.suppress(ConnectionError):
            client.sendall(b"".join([*every[at + 1 : at + 25], every[at]]))
            client.shutdown(socket.SHUT_WR)
            assert b'"error"' in client.makefile("rb").read()
    assert (Handled.from_event(asked(service, "And now?")).text or "").startswith("And now?")


def test_a_stranger_is_turned_away():
    access = access_of(Settings(wyoming="tcp://0.0.0.0:10700", wyoming_allow="192.168.1.5, 10.0.0.0/8"))
    assert access is not None and not access.local
    admitted = ["127.0.0.1", "::1", "192.168.1.5", "::ffff:10.2.3.4"]
    strangers = ["192.168.1.6", "fe80::1%eth0", "", "x"]
    assert [address for address in [*admitted, *strangers] if access.admits(address)] == admitted
    everybody = access_of(Settings(wyoming="tcp://0.0.0.0:10700", wyoming_allow="anyone"))
    assert everybody is not None and everybody.admits("192.168.1.6")


@pytest.mark.parametrize(
    ("address", "allow", "says"),
    [
        ("127.0.0.1:10700", "", "tcp://127.0.0.1:10700"),
        ("tcp://127.0.0.1", "", "tcp://127.0.0.1:10700"),
        ("tcp://127.0.0.1:99999", "", "tcp://127.0.0.1:10700"),
        ("tcp://0.0.0.0:10700", "", "no password"),
        ("tcp://127.0.0.1:10700", "kitchen", "192.168.2.0/24"),
    ],
)
def test_a_door_that_cannot_be_is_refused_with_what_to_write(address, allow, says):
    with pytest.raises(SettingsError, match=says):
        access_of(Settings(wyoming=address, wyoming_allow=allow))


def test_it_is_off_by_default_and_a_port_is_taken_once(service):
    assert access_of(Settings()) is None
    with pytest.raises(SettingsError, match="another port"):
        WyomingService(AccessList("127.0.0.1", service.port))


def test_a_conversation_keeps_six_turns_and_ends_after_five_idle_minutes():
    now = [0.0]
    known = Conversations(lambda: now[0])
    for number in range(REMEMBERED + 2):
        known.add("c", Said(Question(str(number)), ""))  # type: ignore[arg-type]
    assert [said.turn.text for said in known.of("c")] == [str(number) for number in range(2, REMEMBERED + 2)]
    now[0] = CONVERSATION_TIMEOUT + 1
    assert known.of("c") == ()
    for number in range(MOST_CONVERSATIONS + 1):
        known.add(str(number), Said(Question("x"), ""))  # type: ignore[arg-type]
    assert known.of("0") == () and known.of("1")
    known.add("", Said(Question("x"), ""))  # type: ignore[arg-type]
    assert known.of("") == ()


def test_it_is_announced_on_this_machine_alone():
    from zeroconf import Zeroconf

    from ui.home.wyoming.announcing import TYPE, announced

    async def look() -> tuple[list[str], int | None]:
        announcement = await announced("127.0.0.1", 10_700)
        assert announcement is not None
        try:
            name = f"Earmark on {socket.gethostname().partition('.')[0]}.{TYPE}"
            with Zeroconf(interfaces=["127.0.0.1"]) as network:
                found = await asyncio.to_thread(network.get_service_info, TYPE, name)
                return (found.parsed_addresses(), found.port) if found else ([], None)
        finally:
            await announcement.close()

    assert asyncio.run(look()) == (["127.0.0.1"], 10_700)


def test_a_spoken_question_goes_round_with_the_real_engines(demo_dir, tmp_path):
    folder = tmp_path / "earmark"
    library_copy(demo_dir, folder)
    companion = Companion(Settings(data_dir=folder))
    service = WyomingService(AccessList("127.0.0.1", 0))
    try:
        companion.start()
        companion.wait()
        service.start(companion, announce=False)
        spoken = say(service, Synthesize("Why is a chatbot like a mirror?").event(), until="audio-stop")
        text = say(service, *spoken, until="transcript")[-1].data["text"]
        assert "mirror" in text.lower()
        handled = Handled.from_event(asked(service, text))
        assert "mirror" in (handled.text or "").lower()
    finally:
        service.close()
        companion.close()
