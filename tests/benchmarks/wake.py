# SPDX-License-Identifier: GPL-3.0-or-later
"""The wake word: who wakes it, and what should not.

    python -m tests.benchmarks.wake

"Alexa", read by microWakeWord's model, since there are clips of people who say it (``../shared/data/speech``): alone,
and over the podcast in the rooms of ``tests.benchmarks.echo``, where the podcast says the word in other voices, too.
Then everything else that is there, people and noises. The tests' own openWakeWord model, which knows voices of
espeak-ng only, is shown for its cost.
"""

import time
from pathlib import Path

import numpy as np

from tests.benchmarks.echo import ROOMS, Room, in_room
from tests.benchmarks.hearing import CLIPS
from tests.benchmarks.noise import sounds
from tests.models.wake.train import MODEL, VOICES
from tests.speech import say
from voice.audio import FRAME, HEARING_RATE, Samples, read_audio
from voice.devices.resampling import DriftResampler
from voice.errors import AudioError
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change
from voice.turns.wake_word import WakeWordListener, load_wake


def woken(front_end: FrontEnd, heard: Samples, played: Samples | None = None) -> int:
    """How often ears that are not open are woken."""
    line = DriftResampler()
    line.add(np.zeros_like(heard) if played is None else played)
    return sum(
        event.change is Change.WOKEN
        for at in range(0, len(heard) - FRAME, FRAME)
        for event in front_end.push(heard[at : at + FRAME], line.take(FRAME, front_end.drift), is_open=False)
    )


def front_end(model: str = "alexa") -> FrontEnd:
    return FrontEnd(watch=WakeWordListener(load_wake(model)))


def story(word: str) -> Samples:
    """Half a minute of a podcast that says ``word`` again and again."""
    text = f"We talked of care and goals. Then she said {word}, and the machine answered her in the kitchen."
    parts = [np.pad(say(text, voice), (0, HEARING_RATE // 2)) for voice in VOICES[:6]]
    return np.concatenate(parts).astype(np.float32) * 0.7


def over(clip: Samples, room: Room, podcast: Samples) -> bool:
    """Whether a clip of somebody wakes it over the podcast in a room."""
    heard = in_room(podcast, room)
    at = 15 * HEARING_RATE
    heard[at : at + len(clip)] += clip[: len(heard) - at] / max(0.01, float(np.abs(clip).max())) * 0.7 * room.person
    return woken(front_end(), heard, podcast) > 0


def main() -> None:
    words = {word: sorted((CLIPS / "wakewords" / word).glob("*.flac")) for word in ("alexa", "computer", "jarvis")}
    clips = {word: [read_audio(path).samples for path in paths] for word, paths in words.items()}
    alone = sum(woken(front_end(), np.pad(clip, (HEARING_RATE, HEARING_RATE))) > 0 for clip in clips["alexa"])
    print(f"people, alone: {alone} of {len(clips['alexa'])} woke it")
    podcast, says = story("something"), story("Alexa")
    for room in ROOMS:
        through = sum(over(clip, room, podcast) for clip in clips["alexa"])
        itself = woken(front_end(), in_room(says, room), says)
        where = f"level {room.level} delay {room.delay} distorts {room.distorts} drift {room.drift}"
        print(f"{where} person {room.person}: {through} of {len(clips['alexa'])} over the podcast; "
              f"woken {itself} times by its own six", flush=True)  # fmt: skip
    seconds, alarms = 0.0, 0
    listening = front_end()
    others = [*clips["computer"], *clips["jarvis"], *(samples for _, samples in sounds())]
    for path in sorted(CLIPS.rglob("*")):
        if "wakewords" not in path.parts and path.suffix in (".wav", ".flac", ".mp3"):
            try:
                others.append(read_audio(path).samples)
            except AudioError:
                continue
    began = time.process_time()
    for samples in others:
        alarms += woken(listening, samples)
        seconds += len(samples) / HEARING_RATE
    cpu = time.process_time() - began
    print(f"everything else: {alarms} false alarms in {seconds / 60:.0f} minutes; "
          f"{100 * cpu / seconds:.2f} % of a core")  # fmt: skip
    other, began = FrontEnd(watch=WakeWordListener(load_wake(str(MODEL)))), time.process_time()
    woken(other, np.random.default_rng(0).normal(0, 0.01, 60 * HEARING_RATE).astype(np.float32))
    print(f"openWakeWord: {100 * (time.process_time() - began) / 60:.2f} % of a core ({Path(MODEL).name})")


if __name__ == "__main__":
    main()
