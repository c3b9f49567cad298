# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of listening, faster than the clock: no turn lost, no state stuck, no memory leaking.

    python -m tests.benchmarks.soak [--minutes N] [--turns N]

The real loop, player, ears and engines, with the sound card replaced by a clock of its own: each round the loudspeaker
takes 32 ms from the player and the microphone hears 32 ms of what is said, of a cough now and then, or of silence.
"""

import argparse
import random
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.demo import TEN_QUESTIONS, spoken_wav
from ui.companion import Companion
from ui.listen.session import ListeningSession
from ui.settings import Settings
from voice.audio import FRAME, Samples, read_audio

SAID = ("Pause.", "Play.", "Go back thirty seconds.", "Next topic.", "Go back to where I was.", "Stop.", "Faster.",
        "Slower.", *(question.text for question in TEN_QUESTIONS))  # fmt: skip


def resident() -> float:
    """Megabytes in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


class Clockwork:
    """A sound card whose time is counted in frames."""

    def __init__(self, session: ListeningSession, said: dict[str, Samples], minutes: float, turns: int) -> None:
        self.session, self.said, self.turns = session, said, turns
        self.open, self.frames, self.spoken = True, 0, 0
        self.last = round(minutes * 60 / 0.032)
        self.memory: list[tuple[float, float]] = []
        self._voice = np.zeros(0, np.float32)
        self._draw = random.Random(5)
        self._given = np.zeros(FRAME, np.float32)

    def attend(self) -> None:
        session = self.session
        until = time.monotonic() + 20
        while time.monotonic() < until:  # the clock waits for thoughts and for the decoder, as it would not outside
            thinking = session.working and not session.player.speaking
            starved = session.player.playing and not session.player._over and len(session.player._ready) < 2
            if not (thinking or starved) or session._inbox.qsize():
                break
            time.sleep(0.002)
        if session._inbox.qsize():
            return
        out = np.zeros(FRAME * 3, np.float32)
        session.player.fill(out)
        session.player.played.clear()
        if not len(self._voice) and self.frames >= self.spoken * self.last / self.turns:
            text = self._draw.choice(SAID)
            self._voice, self.spoken = self.said[text], self.spoken + 1
        block, self._voice = self._voice[:FRAME], self._voice[FRAME:]
        self.frames += 1
        if self.frames % 4000 == 0:
            self.memory.append((self.frames * 0.032 / 3600, resident()))
        session._post("sound", np.pad(block, (0, FRAME - len(block))))
        if self.frames >= self.last:
            session.stop()

    def played(self, drift: float) -> Samples:
        return self._given

    def close(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--turns", type=int, default=200)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        companion = Companion(Settings(data_dir=Path(folder) / "earmark", hearing="tiny.en"))
        companion.add_demo()
        said = {text: read_audio(spoken_wav(text, "en-us", Path(folder) / "said.wav")).samples for text in SAID}
        understood: set[int] = set()
        session = ListeningSession(companion, on_turn=lambda turn: understood.add(turn.number))
        session.open()
        companion.warm(session.episode_id)
        clock = Clockwork(session, said, given.minutes, given.turns)
        session._devices = clock  # type: ignore[assignment]
        session.run()
        stuck = session.policy.interrupted and not session.reply.speaking
        companion.close()
    late = clock.memory[len(clock.memory) // 3 :]
    slope = float(np.polyfit(*zip(*late, strict=True), 1)[0]) if len(late) > 2 else float("nan")
    print(f"{given.minutes:.0f} minutes in {time.monotonic() - began:.0f} s: {clock.spoken} said, "
          f"{len(understood)} turns decided, "
          f"{session.turns} understood; stuck: {stuck}; dropped blocks: {session.dropped_blocks}; "
          f"memory {resident():.0f} MB, slope {slope:+.1f} MB an hour over the last two thirds")


if __name__ == "__main__":
    main()
