# SPDX-License-Identifier: GPL-3.0-or-later
"""From the end of a spoken question to the first audible sample of the answer, on a real sound server, by stage.

    python -m tests.benchmarks.latency [--model NAME|FOLDER] [--library FOLDER] [--json]

Ten questions and six commands are spoken, over the podcast, into the microphone of a PulseAudio server of our own;
microphone and loudspeaker are recorded, and the latency is read from the recordings. Each answer is spoken over, too.
The podcast's sound is made of tones, so that it is audible all the time. The plain
sequence (wait 0.5 s, decode, search, synthesise all, play) is run on the same sounds in the same process.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.model import Question
from tests.demo import TEN_QUESTIONS, spoken_wav
from tests.episodes.tones import write_tones
from tests.soundcard import SoundCard, running_card
from ui.listen.turn import Turn
from voice.audio import Audio, read_audio
from voice.turns.turn_detector import Endpointing

COMMANDS = ("Go back thirty seconds.", "Faster.", "Louder.", "Next topic.", "Slower.", "Go to the beginning.")


def plain(companion: Any, episode: str, said: Audio) -> float:
    """Seconds of the plain sequence to the beginning of the sound, without the devices and the detector."""
    began = time.monotonic()
    text = companion.hear(said, episode).text
    answer = companion.ask(Question(text, episode))
    list(companion.speak(answer.text))
    return Endpointing().over + time.monotonic() - began


class Bench:
    """A companion that plays on a sound server, and one who speaks to it and hears it."""

    def __init__(self, card: SoundCard, companion: Any, folder: Path) -> None:
        from ui.listen.session import ListeningSession

        self.card, self.companion, self.folder = card, companion, folder
        self.turns: dict[int, Turn] = {}
        self.began = 0.0
        self.session = ListeningSession(companion, on_turn=lambda turn: self.turns.update({turn.id: turn}))
        noticed = self.session.policy.began

        def began(now: Any) -> Any:
            self.began = time.monotonic()
            return noticed(now)

        self.session.policy.began = began  # type: ignore[method-assign]
        self.session.open(play=False)
        companion.warm(self.session.episode_id)
        self.thread = threading.Thread(target=self.session.run)
        self.thread.start()
        time.sleep(1.5)

    def wait(self, reached: Callable[[], bool], seconds: float = 6.0) -> bool:
        until = time.monotonic() + seconds
        while not reached() and time.monotonic() < until:
            time.sleep(0.005)
        return reached()

    def prepare(self, text: str) -> Path:
        """The file in which it is said."""
        return spoken_wav(text, "joe", self.folder / "said.wav")

    def ask(self, text: str) -> tuple[Turn, float, float, float] | None:
        """Say it over the podcast: the attempt, when its sound began and the podcast's ended (seconds after the end of
        speech, and after the turn began), and the end of speech on the clock. None when it was not understood.
        """
        player, before = self.session.player, len(self.turns)
        player.seek(60.0)
        player.play()
        time.sleep(1.0)
        path = self.prepare(text)
        with self.card.listen("mic") as heard, self.card.listen() as ear:
            skew = ear.now - heard.now
            self.card.play(path)
            self.wait(lambda: len(self.turns) > before and (player.speaking or player.playing))
            time.sleep(1.0)
            clock, now = time.monotonic(), ear.now
            end = float(np.flatnonzero(np.abs(heard.heard().samples) > 0.02)[-1]) / heard.rate + skew
            sound = ear.heard()
        if len(self.turns) == before:
            return None
        start = clock - (now - end)
        loud = np.flatnonzero(np.abs(sound.samples) > 0.005) / ear.rate
        first = loud[loud > end]
        last = loud[loud < end]
        if not len(first) or not len(last):
            return None
        return list(self.turns.values())[-1], float(first[0] - end), float(last[-1]) - (self.began - start + end), start

    def interrupt(self) -> float | None:
        """Speak over an answer: seconds from the beginning of the turn to silence."""
        player, before = self.session.player, len(self.turns)
        if not self.wait(lambda: player.speaking):
            return None
        self.began = 0.0
        path = self.prepare("Pause.")
        with self.card.listen() as ear:
            self.card.play(path)
            self.wait(lambda: len(self.turns) > before)
            clock, now, sound = time.monotonic(), ear.now, ear.heard()
        loud = np.flatnonzero(np.abs(sound.samples) > 0.005) / ear.rate
        return float(loud[-1]) - (self.began - clock + now) if self.began and len(loud) else None

    def quiet(self) -> None:
        self.session.press("s")
        time.sleep(0.3)
        self.session.player.pause()
        self.session.player.hush()
        time.sleep(0.2)

    def close(self) -> None:
        self.session.stop()
        self.thread.join()


def measure(card: SoundCard, model: str, library: Path | None = None) -> dict[str, Any]:
    from ui.companion import Companion
    from ui.settings import Settings

    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "earmark"
        if library is not None:
            shutil.copytree(library, data)
        companion = Companion(Settings(data_dir=data, hearing=model))
        companion.add_demo()
        for audio in (data / "audio").glob("*.m4a"):
            write_tones(audio, "aac", 520.0, rate=16_000)
        bench = Bench(card, companion, Path(name))
        rows: list[dict[str, float]] = []
        commands: list[dict[str, float]] = []
        stops, plainly = [], []
        for question in TEN_QUESTIONS:
            said = read_audio(bench.prepare(question.text))
            plainly.append(plain(companion, bench.session.episode_id, said))
            done = bench.ask(question.text)
            if done is not None and "sounding" in done[0].times:
                attempt, latency, stopped, start = done
                rows.append({"latency": latency, **{stage: at - start for stage, at in attempt.times.items()}})
                stops.append(stopped)
                if (stopped_ := bench.interrupt()) is not None:
                    stops.append(stopped_)
            bench.quiet()
        for text in COMMANDS:
            done = bench.ask(text)
            if done is not None and done[0].command is not None:
                times = {stage: at - done[3] for stage, at in done[0].times.items()}
                commands.append({"latency": done[1], **times})
            bench.quiet()
        bench.close()
        companion.close()
    stages = ("may be over", "decoded", "found", "synthesised", "over", "sounding", "acted", "latency")

    def medians(rows: list[dict[str, float]]) -> dict[str, float]:
        return {stage: statistics.median(row[stage] for row in rows if stage in row)
                for stage in stages if any(stage in row for row in rows)}  # fmt: skip

    return {
        "model": model, "answered": len(rows),
        "stages": medians(rows),
        "p95": float(np.percentile([row["latency"] for row in rows], 95)),
        "commands": medians(commands), "commands heard": len(commands),
        "stops after": statistics.median(stops), "stops after at most": max(stops),
        "plain": statistics.median(plainly), "load": os.getloadavg()[0],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny.en", help="a Whisper model by name, or its folder")
    parser.add_argument("--library", type=Path, help="data folder with the demo in it, which is made anew without")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for card in running_card():
        found = measure(card, given.model, given.library)
        if given.json:
            print(json.dumps(found, indent=1))
            return
        print(f"{given.model}, seconds after the end of speech (medians): {found['answered']} of 10 questions, "
              f"{found['commands heard']} of {len(COMMANDS)} commands")
        for stage in dict.fromkeys([*found["stages"], *found["commands"]]):
            question, command = (f"{kind[stage]:8.2f}" if stage in kind else 8 * " "
                                 for kind in (found["stages"], found["commands"]))  # fmt: skip
            print(f"  {stage:12} {question} {command}")
        print(f"  latency p95  {found['p95']:8.2f}   plain sequence {found['plain']:.2f} (before the device)")
        print(f"  silence      {found['stops after']:8.2f}   after somebody was noticed (at most "
              f"{found['stops after at most']:.2f}); other load {found['load']:.1f}")


if __name__ == "__main__":
    main()
