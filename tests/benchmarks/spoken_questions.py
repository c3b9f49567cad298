# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten questions about the demo, spoken by espeak-ng voices, from the recording to the jump.

    python -m tests.benchmarks.spoken_questions [--json]

prints, for each recogniser and voice, how many of the ten land within 15 s of the passage that answers them, the word
error rate of what was heard, and how long hearing and finding took. The last row of each are people: the short clips of
``../shared/data/speech``, where they are there. Their texts are the transcript of an episode, and each clip is said to
it as a question; it lands when the jump is at most ten seconds before its own words.
"""

import argparse
import itertools
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.model import Question
from tests.benchmarks.hearing import CLIPS, human
from tests.demo import TEN_QUESTIONS, spoken_wav, word_errors
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import read_audio

TINY_WHISPER = Path(__file__).parents[1] / "models" / "whisper" / "tiny"
VOICES = ("en-us", "en-us+f3", "en-us+m4", "en-gb-x-rp", "en-us+steph")


@dataclass(frozen=True, slots=True)
class Row:
    """One recogniser with one voice."""

    hearing: str
    voice: str
    landed: int
    word_error_rate: float
    hear_seconds: float
    find_seconds: float
    missed: tuple[str, ...]
    asked: int = len(TEN_QUESTIONS)


def measure(companion: Companion, voice: str, folder: Path) -> Row:
    """Ask the ten questions in ``voice``; each is written to a WAV file and read again, as a user's would be."""
    episode = companion.library.episodes()[-1]  # the demo, which was there first
    cues = companion.library.cues(episode.id)
    landed, missed, errors, words = 0, [], 0, 0
    hearing, finding = [], []
    for number, question in enumerate(TEN_QUESTIONS):
        audio = read_audio(spoken_wav(question.text, voice, folder / f"{number}.wav"))
        started = time.perf_counter()
        heard = companion.hear(audio, episode.id)
        between = time.perf_counter()
        moments = companion.ask(Question(heard.text, episode.id)).moments if heard.text else ()
        finding.append(time.perf_counter() - between)
        hearing.append(between - started)
        wrong, said = word_errors(question.text, heard.text)
        errors, words = errors + wrong, words + said
        if moments and question.answered_at(cues, moments[0].start):
            landed += 1
        else:
            missed.append(f"{question.text} -> {heard.text}")
    return Row(
        companion.engines.hearing.name, voice, landed, errors / words, statistics.median(hearing),
        statistics.median(finding), tuple(missed),
    )


def people(companion: Companion, folder: Path) -> Row | None:
    """The clips of people, said to an episode of their own texts; None where there are none."""
    if not CLIPS.is_dir():
        return None
    clips = [item for item in human(own=False) if len(item.text.split()) > 2]
    starts = [0.0, *itertools.accumulate(item.audio.seconds for item in clips)]
    lines = [f"{_time(start)} --> {_time(end)}\n{item.text.capitalize()}.\n"
             for start, end, item in zip(starts, starts[1:], clips, strict=False)]  # fmt: skip
    (folder / "clips.vtt").write_text("WEBVTT\n\n" + "\n".join(lines), "utf-8")
    episode = companion.add(folder / "clips.vtt")
    landed, possible, missed, errors, words = 0, 0, [], 0, 0
    hearing, finding = [], []
    companion.hear(clips[0].audio, episode.id)
    for start, end, item in zip(starts, starts[1:], clips, strict=False):
        began = time.perf_counter()
        heard = companion.hear(item.audio, episode.id)
        between = time.perf_counter()
        moments = companion.ask(Question(heard.text, episode.id)).moments if heard.text else ()
        finding.append(time.perf_counter() - between)
        hearing.append(between - began)
        wrong, said = word_errors(item.text, heard.text)
        errors, words = errors + wrong, words + said
        typed = companion.ask(Question(item.text, episode.id)).moments
        possible += bool(typed) and start - 10 <= typed[0].start <= end
        right = bool(moments) and start - 10 <= moments[0].start <= end
        landed += right
        missed += [] if right else [f"{item.text} -> {heard.text}"]
    return Row(companion.engines.hearing.name, f"people ({possible} when typed)", landed, errors / words,
               statistics.median(hearing), statistics.median(finding), tuple(missed), len(clips))  # fmt: skip


def _time(seconds: float) -> str:
    """As WebVTT writes it."""
    return f"{int(seconds // 60):02}:{seconds % 60:06.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    rows = []
    with TemporaryDirectory() as folder:
        for hearing in (str(TINY_WHISPER), "builtin"):
            companion = Companion(Settings(data_dir=Path(folder) / "earmark", hearing=hearing))
            companion.add_demo()
            companion.hear(read_audio(spoken_wav("Hello.", "en-us", Path(folder) / "warm.wav")), None)
            rows += [measure(companion, voice, Path(folder)) for voice in VOICES]
            rows += [row for row in [people(companion, Path(folder))] if row is not None]
            companion.close()
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print("| hearing | voice | within 15 s | word error rate | hearing | finding |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.hearing} | {row.voice} | {row.landed} of {row.asked} | {row.word_error_rate:.0%}"
            f" | {row.hear_seconds:.2f} s | {row.find_seconds * 1000:.0f} ms |"
        )
    for row in rows:
        for miss in row.missed:
            print(f"missed ({row.hearing}, {row.voice}): {miss}")


if __name__ == "__main__":
    main()
