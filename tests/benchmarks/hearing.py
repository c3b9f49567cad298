# SPDX-License-Identifier: GPL-3.0-or-later
"""How well questions and commands are heard, and where they lead.

    python -m tests.benchmarks.hearing [--models tiny.en base] [--leaning full none] [--voices joe espeak people]
        [--conditions clean 10 3 podcast-6 podcast-12 podcast-20] [--every N] [--json]

Thirty questions about the demo episode and eighty commands are spoken by Earmark's own voice ("joe", natural) and by
six espeak-ng voices in turn (clear and unnatural); the short clips of people in ``../shared/data/speech`` are heard
too, where they are there. Each is heard clean, in a kitchen's noise at a signal-to-noise ratio of 10 and 3 dB, and over
the podcast itself, which plays 6, 12 or 20 dB softer than the voice.

Printed are the word error rate, the questions that landed (the jump is within 15 s of the passage that answers), the
commands that were done and those of which another one was, and processor seconds for each sound. The first line says
what lands when the text itself is asked. ``--leaning`` is what the recogniser leans towards: "full" is what the product
does, "none" nothing; "names", "words" and "commands" are a part of it alone, and "prompt" is all of it as a prompt.
"""

import argparse
import csv
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from retrieval.commands.parser import parse
from retrieval.model import Question
from tests.asked import EIGHTY_COMMANDS, THIRTY_QUESTIONS
from tests.demo import DemoQuestion
from tests.speech import joe, say, with_silence
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import HEARING_RATE, Audio, Samples, read_audio
from voice.model import Bias
from voice.recognition.choice import Hearing
from voice.recognition.whisper import Whisper
from voice.recognition.whisper_models import get_whisper

ROOT = Path(__file__).parents[2]
CLIPS = ROOT.parent / "shared" / "data" / "speech"
KITCHEN = CLIPS / "noise" / "picovoice_kitchen.flac"
VOICES = (("en-us", 160), ("en-us+f3", 160), ("en-gb-x-rp", 150), ("en-us+m4", 170), ("en-us+steph", 160), ("en", 160))
"""espeak-ng's voices, with words a minute."""

CONDITIONS = ("clean", "10", "3", "podcast-6", "podcast-12", "podcast-20")
LEANINGS = ("full", "none", "names", "words", "commands", "prompt")
LONGEST = 12.0
"""Seconds of a person's clip at most: what is longer is no question."""

_NUMBERS = {
    "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight",
    "9": "nine", "10": "ten", "11": "eleven", "12": "twelve", "15": "fifteen", "20": "twenty", "30": "thirty",
    "40": "forty", "42": "forty-two", "50": "fifty", "60": "sixty", "80": "eighty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One sound: what is said in it, and the question or the name of the command that it is."""

    text: str
    audio: Audio
    question: DemoQuestion | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; shares are counts, since the sets are small."""

    model: str
    leaning: str
    voice: str
    condition: str
    wer: float
    landed: int
    questions: int
    done: int
    other: int
    commands: int
    sounds: int
    cpu: float


def words(text: str) -> list[str]:
    """The words of a text as they are compared: lower case, small numbers in words."""
    plain = text.lower().replace("’", "'").replace("%", " percent ")
    found = [_NUMBERS.get(word, word) for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+", plain)]
    return [part for word in found for part in word.split("-")]


def errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Words to insert, drop or change to get from one to the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def spoken(voice: str, every: int) -> Iterator[Said]:
    """Everything that one kind of voice says; of it every n-th."""
    asked: list[tuple[str, DemoQuestion | None, str]] = [(one.text, one, "") for one in THIRTY_QUESTIONS]
    asked += [(text, None, name) for text, name in EIGHTY_COMMANDS]
    if voice == "people":
        yield from people(every)
        return
    for number, (text, question, command) in enumerate(asked):
        if number % every:
            continue
        name, rate = VOICES[number % len(VOICES)]
        samples = joe(text) if voice == "joe" else say(text, name, rate)
        yield Said(text, Audio(with_silence(samples), HEARING_RATE), question, command)


def people(every: int = 1) -> Iterator[Said]:
    """Short clips of people with what they say; nothing where they are not there."""
    if not CLIPS.is_dir():
        return
    with (CLIPS / "manifest.tsv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    for row in rows[::every]:
        path, text = CLIPS / row["file"], re.sub(r"<[^>]*>|\[[^\]]*\]", " ", row["reference_text"] or "")
        if text.strip() and path.suffix not in ("", ".raw") and path.exists() and float(row["seconds"]) <= LONGEST:
            yield Said(text, read_audio(path))


def heard_in(sound: Audio, condition: str, podcast: Samples) -> Audio:
    """The sound as it arrives: clean, in noise, or over the podcast. The same call gives the same samples."""
    if condition == "clean":
        return sound
    quieter = float(condition.removeprefix("podcast-"))
    beside = podcast if condition.startswith("podcast") else _noise()
    at = (len(sound.samples) * 7919) % max(1, len(beside) - len(sound.samples))
    piece = np.resize(beside[at : at + len(sound.samples)], len(sound.samples))
    loud = sound.samples[np.abs(sound.samples) > 0.02]
    voice, noise = (float(np.square(part).mean()) for part in (loud if loud.size else sound.samples, piece))
    mixed = sound.samples + piece * np.sqrt(voice / max(noise, 1e-12) / 10 ** (quieter / 10))
    return replace(sound, samples=(mixed / max(1.0, float(np.abs(mixed).max()))).astype(np.float32))


@cache
def _noise() -> Samples:
    """A kitchen, or where there is no recording of one, noise with a falling spectrum."""
    if KITCHEN.exists():
        return read_audio(KITCHEN).samples
    white = np.fft.rfft(np.random.default_rng(0).normal(size=60 * HEARING_RATE))
    return np.fft.irfft(white / np.sqrt(np.arange(1, len(white) + 1))).astype(np.float32)


def leaning(full: Bias, part: str) -> Bias:
    """The whole or a part of what the recogniser leans towards."""
    return {
        "none": Bias(), "names": replace(full, words=(), commands=()), "words": replace(full, names=(), commands=()),
        "commands": replace(full, names=(), words=()),
    }.get(part, full)  # fmt: skip


def measure(
    companion: Companion, hearing: Hearing, part: str, voice: str, condition: str, sounds: Sequence[Said],
    podcast: Samples,
) -> Row:  # fmt: skip
    """Hear every sound once, and follow what was heard."""
    episode = companion.library.episodes()[-1]
    cues = companion.library.cues(episode.id)
    bias = leaning(companion.bias(episode.id), part)
    mistakes = total = landed = done = other = 0
    cpu = 0.0
    for said in sounds:
        audio = heard_in(said.audio, condition, podcast)
        began = time.process_time()
        text = hearing.hear(audio, bias).text
        cpu += time.process_time() - began
        mistakes += errors(words(said.text), words(text))
        total += len(words(said.text))
        if said.question is not None:
            landed += lands(companion, said.question, text, episode.id, cues)
        if said.command:
            command = parse(text)
            done += command is not None and command.name == said.command
            other += command is not None and command.name != said.command
    questions = sum(said.question is not None for said in sounds)
    return Row(hearing.name.split()[-1], part, voice, condition, mistakes / max(1, total), landed, questions, done,
               other, sum(bool(said.command) for said in sounds), len(sounds), cpu / max(1, len(sounds)))  # fmt: skip


def lands(companion: Companion, question: DemoQuestion, text: str, episode: str, cues: Sequence[object]) -> bool:
    """Whether the jump for a text is within 15 s of the passage that answers the question."""
    if not text or parse(text) is not None:
        return False
    moments = companion.ask(Question(text, episode)).moments
    return bool(moments) and question.answered_at(cues, moments[0].start)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["tiny.en"])
    parser.add_argument("--leaning", nargs="+", default=["full", "none"], choices=LEANINGS)
    parser.add_argument("--voices", nargs="+", default=["joe", "espeak", "people"], choices=("joe", "espeak", "people"))
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS), choices=CONDITIONS)
    parser.add_argument("--every", type=int, default=1, help="only every n-th question, command and clip")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        companion = Companion(Settings(data_dir=Path(folder) / "earmark"))
        companion.add_demo()
        episode = companion.library.episodes()[-1]
        cues = companion.library.cues(episode.id)
        podcast = read_audio(companion.library.audio_path(episode) or Path()).samples
        right = sum(lands(companion, one, one.text, episode.id, cues) for one in THIRTY_QUESTIONS)
        understood = sum(getattr(parse(text), "name", "") == name for text, name in EIGHTY_COMMANDS)
        if not given.json:
            print(f"typed: {right} of {len(THIRTY_QUESTIONS)} questions land, {understood} of {len(EIGHTY_COMMANDS)} "
                  "commands are understood\n")  # fmt: skip
            print("| model | leaning | voice | heard | WER | landed | done | another done | CPU s |")
            print("|---|---|---|---|---|---|---|---|---|")
        for model in given.models:
            path = get_whisper(model, companion.settings.models_dir / "whisper")
            for part in given.leaning:
                hearing = Whisper(path, model, threads=1, prompt=part == "prompt")
                for voice in given.voices:
                    sounds = list(spoken(voice, given.every))
                    for condition in given.conditions if sounds else ():
                        row = measure(companion, hearing, part, voice, condition, sounds, podcast)
                        rows.append(row)
                        if not given.json:
                            print(f"| {row.model} | {part} | {voice} | {condition} | {row.wer:.1%} "
                                  f"| {row.landed} of {row.questions} | {row.done} of {row.commands} | {row.other} "
                                  f"| {row.cpu:.2f} |", flush=True)  # fmt: skip
        companion.close()
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
