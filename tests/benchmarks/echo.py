# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the device answer itself? The demo, played loud into its own microphone, faster than the clock.

    python -m tests.benchmarks.echo [--minutes N] [--model FOLDER] [--json]

The microphone hears the loudspeaker at several levels and delays through a room (a decaying random response of 80 ms)
with a little noise. What the ears take for a turn is decoded (by default by the tests' tiny Whisper) and compared with
the transcript, as ``earmark listen`` does, with the podcast playing on. Then the ten demo questions are spoken over the
podcast, each level and delay; those count as through that end as a turn which is no echo and holds a content word.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.conftest import TINY_WHISPER
from tests.demo import TEN_QUESTIONS, spoken_wav
from ui.app import Companion
from ui.config import Settings
from voice.audio import HEARING_RATE, Audio, Samples, read_audio
from voice.ears import Ears
from voice.echo import is_echo
from voice.turns import FRAME, Change, Event

ROOMS = tuple((level, delay) for level in (0.1, 0.3, 1.0) for delay in (0.02, 0.12, 0.25))
"""How loud the microphone hears the loudspeaker (a factor), and how late (seconds)."""


def echo_of(sound: Samples, level: float, delay: float, seed: int = 0) -> Samples:
    """What the microphone hears of what the loudspeaker plays."""
    draw = np.random.default_rng(seed)
    room = draw.standard_normal(1280) * np.exp(-np.arange(1280) / 200)
    room[0] = 3.0
    room *= level / np.sqrt(np.square(room).sum())
    size = 1 << int(np.ceil(np.log2(len(sound) + 1280)))
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size))[: len(sound)]
    late = np.concatenate([np.zeros(round(delay * HEARING_RATE)), heard])[: len(sound)]
    return (late + 0.001 * draw.standard_normal(len(sound))).astype(np.float32)


def turns(ears: Ears, heard: Samples, played: Samples) -> Iterator[tuple[Event, Samples, float]]:
    """Every turn that is over, its sound, and where it ended in seconds of this stretch."""
    for at in range(0, len(heard) - FRAME, FRAME):
        for event in ears.push(heard[at : at + FRAME], played[at : at + FRAME]):
            if event.change is Change.OVER:
                yield event, ears.said(event), at / HEARING_RATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--model", default=str(TINY_WHISPER))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        companion = Companion(Settings(data_dir=Path(folder) / "earmark", hearing=given.model))
        episode = companion.add_demo()
        assert episode is not None
        sound = read_audio(companion.library.audio_path(episode) or Path())
        cues = companion.library.cues(episode.id)

        def near(seconds: float) -> tuple[str, ...]:
            return (" ".join(cue.text for cue in cues if seconds - 25 < cue.end and cue.start < seconds + 3),)

        rows = []
        share = given.minutes * 60 / len(ROOMS)
        for number, (level, delay) in enumerate(ROOMS):
            begin = (number * 173) % max(1.0, sound.seconds - min(share, sound.seconds) + 1)
            played = sound.samples[round(begin * HEARING_RATE) :][: round(share * HEARING_RATE)]
            ears, found, answered = Ears(), 0, []
            for _, said, at in turns(ears, echo_of(played, level, delay), played):
                found += 1
                text = companion.hear(Audio(said, HEARING_RATE), episode.id).text
                if text and not is_echo(text, near(begin + at)):
                    answered.append(text)
            through = 0
            for ask, question in enumerate(TEN_QUESTIONS):
                spoken = read_audio(spoken_wav(question.text, "en-us", Path(folder) / "q.wav")).samples
                start = round((20 + 40 * ask) * HEARING_RATE)
                stretch = sound.samples[start : start + 10 * HEARING_RATE + len(spoken)]
                heard = echo_of(stretch, level, delay)
                from_ = 6 * HEARING_RATE
                # as in the loop: the podcast stops when a turn begins
                ears_ = Ears()
                stopped = False
                for at in range(0, len(heard) - FRAME, FRAME):
                    block, ref = heard[at : at + FRAME].copy(), stretch[at : at + FRAME]
                    if stopped:
                        block, ref = block * 0, np.zeros(FRAME, np.float32)
                    mine = spoken[max(0, at - from_) : max(0, at - from_ + FRAME)] if at >= from_ else spoken[:0]
                    block[: len(mine)] += mine
                    events = ears_.push(block, ref)
                    stopped = stopped or (any(e.change is Change.BEGAN for e in events) and at >= from_)
                    if any(e.change is Change.OVER for e in events) and at > from_:
                        over = next(e for e in events if e.change is Change.OVER)
                        text = companion.hear(Audio(ears_.said(over), HEARING_RATE), episode.id).text
                        wanted = {w for w in question.text.lower().strip("?").split() if len(w) > 4}
                        through += not is_echo(text, near(start / HEARING_RATE + 6)) and bool(
                            wanted & set(text.lower().strip("?.").split())
                        )
                        break
            rows.append({"level": level, "delay": delay, "minutes": round(len(played) / HEARING_RATE / 60, 1),
                         "turns": found, "answered": answered, "questions_through": through})
        companion.close()
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'level':>6} {'delay':>6} {'min':>5} {'turns':>6} {'answered':>9} {'questions through':>18}")
    for row in rows:
        print(f"{row['level']:6} {row['delay']:6} {row['minutes']:5} {row['turns']:6} {len(row['answered']):9} "
              f"{row['questions_through']:15}/10  {row['answered'][:2]}")
    print(f"answered to itself: {sum(len(row['answered']) for row in rows)} in "
          f"{sum(row['minutes'] for row in rows):.0f} minutes; it took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
