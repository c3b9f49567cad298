# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound card for tests: a PulseAudio server of our own, its loudspeaker to be heard, its microphone to be fed.

What is played into the loudspeaker is recorded bit for bit (correlation 0.999, 30-50 ms later), so a test can judge
by what is *heard*. The fixture is in ``tests/conftest.py``::

    from tests.soundcard import SoundCard, loudness

    def test_it(sound_card: SoundCard) -> None:
        with sound_card.listen() as ear:
            ...
        assert loudness(ear.heard()) > 0.01
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from voice.audio import Audio, write_wav

NEEDED = ("pulseaudio", "pactl", "parec", "paplay")
PACKAGES = "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"

# norewinds=1: without it the null sinks work in blocks of two seconds
_CONFIG = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink norewinds=1 sink_name=spk rate=48000 channels=2
load-module module-null-sink norewinds=1 sink_name=micfeed rate=48000 channels=1
load-module module-remap-source source_name=mic master=micfeed.monitor
set-default-sink spk
set-default-source mic
"""


class Ear:
    """A running recording of the loudspeaker, mono at ``rate`` hertz; made by ``SoundCard.listen``."""

    def __init__(self, process: "subprocess.Popen[bytes]", rate: int) -> None:
        self.rate = rate
        self._process = process
        self._parts: list[npt.NDArray[np.float32]] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        """Seconds heard so far: a mark to be handed to ``heard``."""
        with self._lock:
            return sum(len(part) for part in self._parts) / self.rate

    def heard(self, start: float = 0.0, end: float | None = None) -> Audio:
        """What was heard from ``start`` to ``end`` (seconds since listening began; None: until now)."""
        with self._lock:
            whole = np.concatenate(self._parts) if self._parts else np.zeros(0, np.float32)
        last = len(whole) if end is None else round(end * self.rate)
        return Audio(whole[round(start * self.rate) : last], self.rate)

    def _collect(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        rest = b""
        while piece := os.read(stream.fileno(), 65536):
            piece = rest + piece
            whole = len(piece) // 2 * 2
            rest = piece[whole:]
            with self._lock:
                self._parts.append(np.frombuffer(piece[:whole], "<i2").astype(np.float32) / 32768)


class SoundCard:
    """A PulseAudio server in ``folder`` with the sink "spk" (default) and the source "mic" (default).

    ``env`` holds what a child process needs to reach it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run = folder / "run"
        run.mkdir(mode=0o700)
        socket = run / "native"
        config = folder / "pa.pa"
        config.write_text(_CONFIG.format(socket=socket))
        # HOME too: otherwise the server reads and writes the user's own settings
        self._own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(run)}
        self.env = {"PULSE_SERVER": f"unix:{socket}"}
        self._log = (folder / "log").open("wb")
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "-F", str(config), "--daemonize=no", "--use-pid-file=no",
             "--exit-idle-time=-1", "--disallow-exit"],
            env=os.environ | self._own, stdout=self._log, stderr=self._log,
        )
        deadline = time.monotonic() + 10
        while subprocess.run(["pactl", "info"], env=self._environment(), capture_output=True).returncode:
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"pulseaudio did not start: {(folder / 'log').read_text()[-400:]}")
            time.sleep(0.05)

    def play(self, sound: Path | Audio, wait: bool = True) -> "subprocess.Popen[bytes]":
        """Speak a WAV file, or sound in memory, into the microphone; returns after it was played when ``wait``."""
        if isinstance(sound, Audio):
            path = self.folder / f"play-{time.monotonic_ns()}.wav"
            write_wav(path, sound)
            sound = path
        process = subprocess.Popen(["paplay", "--device=micfeed", "--latency-msec=30", str(sound)],
                                   env=self._environment())
        if wait and process.wait():
            raise RuntimeError(f"paplay could not play {sound}")
        return process

    @contextmanager
    def listen(self, device: str = "spk.monitor", rate: int = 48_000) -> Iterator[Ear]:
        """Record the loudspeaker (``device="mic"``: what the microphone hears) while the block runs."""
        process = subprocess.Popen(
            ["parec", f"--device={device}", "--format=s16le", f"--rate={rate}", "--channels=1", "--latency-msec=20"],
            env=self._environment(), stdout=subprocess.PIPE,
        )
        ear = Ear(process, rate)
        deadline = time.monotonic() + 5
        while not ear.now:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"parec does not hear {device}")
            time.sleep(0.01)
        try:
            yield ear
        finally:
            time.sleep(0.1)  # what was played last is still on its way
            process.terminate()
            process.wait()
            ear._thread.join()

    def record(self, seconds: float, rate: int = 48_000) -> Audio:
        """What the loudspeaker plays during the next ``seconds``."""
        with self.listen(rate=rate) as ear:
            while ear.now < seconds:
                time.sleep(0.02)
        return ear.heard(0, seconds)

    def close(self) -> None:
        """End the server."""
        self._server.terminate()
        try:
            self._server.wait(5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()

    def _environment(self) -> dict[str, str]:
        return os.environ | self._own | self.env


def loudness(audio: Audio) -> float:
    """Root mean square, 0..1; about 0 for silence and 0.05-0.2 for speech."""
    return float(np.sqrt(np.mean(np.square(audio.samples)))) if len(audio.samples) else 0.0


def pitch(audio: Audio) -> float:
    """The strongest frequency in hertz."""
    window = audio.samples * np.hanning(len(audio.samples))
    return float(np.argmax(np.abs(np.fft.rfft(window)))) * audio.rate / len(window)


def running_card() -> Iterator[SoundCard]:
    """A sound card that is the default of this process and its children until the iterator is exhausted.

    Skips the test when there is no PulseAudio.
    """
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install --no-install-recommends {PACKAGES}")
    # not pytest's folders: a unix socket's path must stay under 108 characters
    with tempfile.TemporaryDirectory(prefix="earmark-card-") as folder:
        card = SoundCard(Path(folder))
        before = os.environ.get("PULSE_SERVER")
        os.environ.update(card.env)
        try:
            yield card
        finally:
            if before is None:
                del os.environ["PULSE_SERVER"]
            else:
                os.environ["PULSE_SERVER"] = before
            card.close()
