# SPDX-License-Identifier: GPL-3.0-or-later
"""Playing and recording through a real sound server; and what is told where there is none."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.soundcard import SoundCard
from voice.audio import Audio

ROOT = Path(__file__).parents[3]


def tone(seconds: float, hertz: float, rate: int = 22_050) -> Audio:
    return Audio((0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32), rate)


def strongest(audio: Audio) -> float:
    """The frequency in hertz with the most energy."""
    spectrum = np.abs(np.fft.rfft(audio.samples * np.hanning(len(audio.samples))))
    return float(np.argmax(spectrum) * audio.rate / len(audio.samples))


def child(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a process of its own: PortAudio looks for its sound server once, on import."""
    import os

    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env=os.environ | variables, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_what_is_played_is_heard_whole(sound_card: SoundCard) -> None:
    from voice.devices.sound_devices import play

    with sound_card.listen() as ear:
        began = ear.now
        play(iter([tone(0.5, 440), tone(0.5, 880, 16_000)]))
    heard = ear.heard(began)
    loud = np.flatnonzero(np.abs(heard.samples) > 0.02)
    inside = Audio(heard.samples[loud[0] : loud[-1]], heard.rate)
    assert inside.seconds == pytest.approx(1.0, abs=0.1)
    half = len(inside.samples) // 2
    assert strongest(Audio(inside.samples[:half], heard.rate)) == pytest.approx(440, abs=10)
    assert strongest(Audio(inside.samples[half:], heard.rate)) == pytest.approx(880, abs=10)


def test_playing_nothing_returns_at_once(sound_card: SoundCard) -> None:
    from voice.devices.sound_devices import play

    play(iter([]))


def test_an_interruption_stops_the_sound_at_once(sound_card: SoundCard) -> None:
    from voice.devices.sound_devices import play

    def interrupted():  # type: ignore[no-untyped-def]
        yield tone(0.3, 440)
        raise KeyboardInterrupt

    with sound_card.listen() as ear, pytest.raises(KeyboardInterrupt):
        play(interrupted())
    assert np.abs(ear.heard(ear.now - 0.05).samples).max() < 0.02


def test_what_is_said_is_recorded(sound_card: SoundCard) -> None:
    from voice.devices.sound_devices import record

    player = sound_card.play(tone(1.5, 500, 48_000), wait=False)
    audio = record(1.0)
    player.wait()
    assert audio.rate == 16_000 and audio.seconds == 1.0
    assert strongest(audio) == pytest.approx(500, abs=15)


def test_a_recording_ends_when_told(sound_card: SoundCard) -> None:
    from voice.devices.sound_devices import record

    blocks: list[int] = []

    def enough(block: np.ndarray) -> bool:
        blocks.append(len(block))
        return len(blocks) == 5

    assert len(record(until=enough).samples) == sum(blocks)


def test_devices_are_listed_and_chosen_by_name_or_number(sound_card: SoundCard) -> None:
    from voice.devices.sound_devices import devices, play, record
    from voice.errors import DeviceError

    found = devices()
    assert any(device.inputs for device in found) and any(device.outputs for device in found)
    microphone = next(device for device in found if device.inputs)
    assert record(0.1, microphone.index).seconds == pytest.approx(0.1)
    assert record(0.1, microphone.name.upper()[:4]).seconds == pytest.approx(0.1)
    with pytest.raises(DeviceError) as caught:
        record(0.1, "gramophone")
    assert microphone.name in caught.value.hint
    with pytest.raises(DeviceError, match="loudspeaker"):
        play(iter([tone(0.1, 440)]), "gramophone")


def test_without_a_sound_server_there_is_no_device(tmp_path: Path) -> None:
    done = child(
        """
        from voice.devices.sound_devices import devices, record
        from voice.errors import DeviceError
        assert devices() == [], devices()
        try:
            record(1)
        except DeviceError as error:
            print(error)
        """,
        PULSE_SERVER=f"unix:{tmp_path}/none", PIPEWIRE_RUNTIME_DIR=str(tmp_path),
    )  # fmt: skip
    assert "There is no microphone" in done.stdout, done.stderr


def test_without_portaudio_it_is_told_what_to_install() -> None:
    done = child(
        """
        import ctypes.util
        ctypes.util.find_library = lambda name: None
        from voice.devices.sound_devices import devices
        from voice.errors import DeviceError
        try:
            devices()
        except DeviceError as error:
            print(error)
        """
    )
    assert "sudo apt install libportaudio2" in done.stdout, done.stderr


def test_a_sound_server_that_ends_and_comes_back_is_waited_for(sound_card: SoundCard) -> None:
    done = child(
        """
        import logging, tempfile, time
        from pathlib import Path
        from tests.soundcard import SoundCard
        import os
        from voice.devices import duplex
        from voice.devices.player import Player
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        duplex._SILENT, duplex._PATIENCE = 1.0, (0.2, 0.4)
        with tempfile.TemporaryDirectory(prefix="earmark-card-") as folder:
            card = SoundCard(Path(folder))
            os.environ.update(card.env)
            blocks, player = [], Player()
            both = duplex.DuplexDevice(player, blocks.append, "", "")
            def until(reached):
                end = time.monotonic() + 20
                while not reached():
                    assert time.monotonic() < end
                    both.attend()
                    time.sleep(0.05)
            until(lambda: len(blocks) > 5)
            card._server.terminate()
            card._server.wait()
            until(lambda: not both.open)
            (card.folder / "run" / "native").unlink(missing_ok=True)
            (card.folder / "run").rename(card.folder / "old")
            again = SoundCard(Path(folder))
            before = len(blocks)
            until(lambda: both.open and len(blocks) > before + 5)
            both.close()
            player.close()
            again.close()
        print("heard again")
        """
    )
    assert "heard again" in done.stdout, done.stderr
    assert "The loudspeaker is back." in done.stderr
    assert done.stderr.count("is no loudspeaker") <= 1
