# SPDX-License-Identifier: GPL-3.0-or-later
"""What Earmark adds to faster-whisper's own time for a recording, and how much memory hours of sound take.

    python -m tests.benchmarks.transcribing [--model tiny.en] [--minutes 10] [--rounds 3] [--memory 10,180] [--json]

Spoken is the demonstration's text by espeak-ng, with pauses. The same loaded model hears the same file in turn

    direct      with faster-whisper's BatchedInferencePipeline, the same beam, words with times, its VAD
    one by one  with faster-whisper's WhisperModel.transcribe, the same, ``condition_on_previous_text=False``
    recogniser  through ``voice.recognition.whisper.Whisper.transcribe``: streamed, in pieces that can be gone on from
    step        as the step "transcribed" of taking in an episode: from the stored audio to stored cues

and ``--memory`` takes recordings of so many minutes in, each in a process of its own, up to the stored transcript.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from episodes.demo import dialogue
from episodes.ingest.pipeline import Tools
from episodes.ingest.submit import enqueue
from episodes.ingest.worker import bring_in
from episodes.model import Episode, State, Step, StepState
from episodes.sources.files import local_source
from episodes.store.library import Library
from tests.episodes.conftest import hashed
from tests.speech import RATE, say
from voice.audio import pcm16
from voice.model import Bias
from voice.recognition.whisper import Whisper
from voice.recognition.whisper_models import WHISPER, get_whisper

WINDOWS = 4
PAUSES = (0.15, 0.25, 0.4, 0.6, 1.0, 1.6)  # seconds


class _Enough(BaseException):
    """The transcript is stored: what comes after it is not looked at here."""


def write_talk(path: Path, minutes: float) -> Path:
    """Write a FLAC file of so many minutes of talk, without holding it in memory."""
    import av

    chance = np.random.default_rng(1)
    lines = cycle([say(line.text, voice) for line, voice in
                   zip(dialogue().lines, cycle(("en-us+f3", "en-us+m4")), strict=False)])  # fmt: skip
    with av.open(str(path), "w", format="flac") as out:
        stream = out.add_stream("flac", rate=RATE, layout="mono")
        stream.format = "s16"
        written = 0
        while written < minutes * 60 * RATE:
            part = np.concatenate([next(lines), np.zeros(round(chance.choice(PAUSES) * RATE), np.float32)])
            frame = av.AudioFrame.from_ndarray(pcm16(part).reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = RATE
            out.mux(stream.encode(frame))
            written += len(part)
        out.mux(stream.encode(None))
    return path


def load(folder: Path, threads: int) -> Whisper:
    """The recogniser."""
    return Whisper(folder, threads=threads, windows=WINDOWS)


def direct(whisper: Whisper, path: Path, batched: bool) -> int:
    """How many words faster-whisper itself hears."""
    from faster_whisper import BatchedInferencePipeline

    model = whisper._model
    same: dict[str, Any] = {"language": "en", "beam_size": 5, "temperature": 0.0, "word_timestamps": True,
                            "condition_on_previous_text": False, "vad_filter": True}  # fmt: skip
    if batched:
        found, _ = BatchedInferencePipeline(model).transcribe(str(path), batch_size=WINDOWS, without_timestamps=False,
                                                              **same)  # fmt: skip
    else:
        found, _ = model.transcribe(str(path), **same)
    return sum(len(segment.words or ()) for segment in found)


def recognised(whisper: Whisper, path: Path) -> int:
    """How many words the recogniser hears."""
    return sum(len(cue.words) for piece in whisper.transcribe(path, Bias()) for cue in piece.cues)


def step(whisper: Whisper, path: Path) -> tuple[float, float, int]:
    """Take the recording in up to its transcript: what ``timed`` says of the step that transcribes."""
    began: list[tuple[float, float]] = []

    def on_step(episode: Episode, state: StepState) -> None:
        if state.step is Step.TRANSCRIBED and state.state is State.RUNNING and not began:
            began.append((time.monotonic(), time.process_time()))
        if state.step is Step.TRANSCRIBED and state.state is State.DONE:
            raise _Enough

    with tempfile.TemporaryDirectory() as name:
        library = Library.open(Path(name))
        with suppress(_Enough):
            tools = Tools(hearing=lambda: whisper, embed=hashed, index=lambda episode, cues: None)
            bring_in(library, enqueue(library, local_source(path)), tools, on_step)
        took = time.monotonic() - began[0][0], time.process_time() - began[0][1]
        (episode,) = library.episodes()
        words = sum(len(cue.words) for cue in library.cues(episode.id))
        library.close()
    return (*took, words)


def timed(what: Callable[[], int]) -> tuple[float, float, int]:
    """Seconds on the clock, seconds of the processors, words."""
    clock, work = time.monotonic(), time.process_time()
    words = what()
    return time.monotonic() - clock, time.process_time() - work, words


def overhead(whisper: Whisper, path: Path, rounds: int) -> dict[str, dict[str, float]]:
    """For each way medians of its seconds, and of how much longer it took than ``direct`` in the same round."""
    ways: dict[str, Callable[[], tuple[float, float, int]]] = {
        "direct": lambda: timed(lambda: direct(whisper, path, batched=True)),
        "one by one": lambda: timed(lambda: direct(whisper, path, batched=False)),
        "recogniser": lambda: timed(lambda: recognised(whisper, path)),
        "step": lambda: step(whisper, path),
    }
    taken: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            taken[name].append(way())
            if not number:
                taken[name].clear()  # the first round warms up
    return {
        name: {
            "seconds": round(statistics.median(run[0] for run in runs), 2),
            "cpu_seconds": round(statistics.median(run[1] for run in runs), 2),
            "words": runs[0][2],
            "overhead": round(statistics.median(
                run[0] / plain[0] - 1 for run, plain in zip(runs, taken["direct"], strict=True)), 4),
            "cpu_overhead": round(statistics.median(
                run[1] / plain[1] - 1 for run, plain in zip(runs, taken["direct"], strict=True)), 4),
        }
        for name, runs in taken.items()
    }  # fmt: skip


def peak() -> float:
    """The most memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def memory(folder: Path, path: Path, threads: int) -> dict[str, float]:
    """What a process of its own says of its memory, in megabytes, after it took the recording in."""
    command = [sys.executable, "-m", "tests.benchmarks.transcribing", "--child", str(folder), str(path)]
    out = subprocess.run([*command, "--threads", str(threads)], check=True, capture_output=True, text=True).stdout
    return dict(json.loads(out))


def child(folder: Path, path: Path, threads: int) -> dict[str, float]:
    """Take a recording in; the peak of memory before and after."""
    whisper = load(folder, threads)
    with tempfile.TemporaryDirectory() as name:
        recognised(whisper, write_talk(Path(name) / "short.flac", 2.5))  # a first full piece
    before = peak()
    seconds, _, words = step(whisper, path)
    return {"before_mb": round(before, 1), "peak_mb": round(peak(), 1), "words": words, "seconds": round(seconds, 1)}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(WHISPER), default="tiny.en", help="the model by name")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the recording whose time is taken")
    parser.add_argument("--rounds", type=int, default=3, help="how often, after a first time that does not count")
    parser.add_argument("--threads", type=int, default=0, help="processor threads [faster-whisper's choice]")
    parser.add_argument("--memory", default="", metavar="MINUTES", help="lengths to compare, for instance 10,180")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(*given.child, given.threads)))
        return
    found: dict[str, Any] = {"model": given.model, "minutes": given.minutes}
    with tempfile.TemporaryDirectory(prefix="earmark-transcribing-") as name:
        folder = get_whisper(given.model, Path(name) / "models")
        if given.rounds:
            found["ways"] = overhead(load(folder, given.threads), write_talk(Path(name) / "talk.flac", given.minutes),
                                     given.rounds)  # fmt: skip
        for minutes in filter(None, given.memory.split(",")):
            talk = write_talk(Path(name) / f"{minutes}.flac", float(minutes))
            found.setdefault("memory", {})[minutes] = memory(folder, talk, given.threads)
            talk.unlink()
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{given.model}, {given.minutes:g} minutes of talk")
    for way, row in found.get("ways", {}).items():
        print(f"  {way:12} {row['seconds']:7.2f} s ({row['overhead']:+.1%})   {row['cpu_seconds']:7.2f} s of processor"
              f" ({row['cpu_overhead']:+.1%})   {row['words']} words")  # fmt: skip
    for minutes, row in found.get("memory", {}).items():
        print(f"  {minutes:>5} min    peak {row['peak_mb']:.0f} MB (before it {row['before_mb']:.0f} MB)"
              f"   {row['words']} words in {row['seconds']:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
