# SPDX-License-Identifier: GPL-3.0-or-later
"""How well and how fast questions are heard: ``python -m tests.benchmarks.hearing [--json] [--whisper FOLDER]``.

For each engine: word error rate, the share of content words that were heard, questions with every content word
heard, processor seconds a question, and processor seconds a second of sound (real-time factor). The questions are
spoken by espeak-ng in five voices; the human clips are read from ``../shared/data/speech`` where that folder is, once
with their own text in focus and once with the demo's.
"""

import argparse
import csv
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.models.whisper.domain import DEMO_QUESTIONS
from tests.models.whisper.speech import RATE, say, with_silence
from voice.audio import Audio, read_audio
from voice.model import Bias
from voice.recognition.choice import Hearing
from voice.recognition.expected import spoken_words
from voice.recognition.sphinx import Sphinx

ROOT = Path(__file__).parents[2]
CLIPS = ROOT.parent / "shared" / "data" / "speech"
DEMO = ROOT / "episodes" / "demo.txt"
TINY = ROOT / "tests" / "models" / "whisper" / "tiny"

VOICES = (("en-us", 160), ("en-us+f3", 160), ("en-gb-x-rp", 150), ("en-us+m3", 170), ("en-us+f1", 150))
"""Voices and words a minute; the built-in recogniser's settings were chosen on these."""

OTHER_VOICES = (("en", 160), ("en-us+f4", 170), ("en-gb-x-rp+f2", 160), ("en-us+m7", 165), ("en-us+Annie", 155))
"""Voices that no setting was chosen on first."""

OTHER_QUESTIONS = (
    "What did Elias say about bees?", "Why did the apprentice flood the cellar?",
    "How do agents share grain in the household?", "Who is Elias Brandt?", "What happened to Narcissus?",
    "What is the difference between a moral patient and a moral agent?", "What is a thermostat good for?",
    "Does the guest think that a chatbot is a friend?", "Explain technical alignment.",
    "Tell me more about the hammer.",
    "What did he say about his daughter?", "Is cooperation a sacrifice?",
)  # fmt: skip
COMMANDS = (
    "pause", "resume", "go back thirty seconds", "skip forward two minutes", "stop", "play the part about homeostasis",
    "go back to where I was", "next chapter", "previous topic", "louder", "slower", "repeat that", "in their own words",
    "what did I miss", "yes", "no", "cancel", "help", "who is talking", "play",
)  # fmt: skip

_EMPTY = frozenset(
    {"a", "an", "the", "of", "to", "in", "on", "at", "is", "are", "was", "were", "be", "do", "does", "did", "what",
     "why",
     "how", "who", "which", "when", "where", "can", "could", "will", "would", "should", "it", "its", "this", "that",
     "these", "those", "there", "and", "or", "for", "with", "from", "about", "by", "as", "our", "us", "me", "my",
     "your",
     "you", "i", "we", "they", "he", "she", "his", "her", "not", "tell", "more"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One spoken thing, and what leans the recogniser."""

    text: str
    audio: Audio
    bias: Bias


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    engine: str
    what: str
    items: int
    wer: float
    content: float
    complete: float
    cpu_each: float
    real_time_factor: float


def content_words(text: str) -> set[str]:
    """The words that a search looks for."""
    return set(spoken_words(text)) - _EMPTY


def errors(reference: list[str], heard: list[str]) -> int:
    """Words to insert, drop or change to get from one to the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def measure(engine: Hearing, what: str, items: Iterable[Item]) -> Row:
    """Hear every item once."""
    mistakes = words = found = wanted = complete = count = 0
    seconds = cpu = 0.0
    for item in items:
        if not count:
            engine.hear(item.audio, item.bias)  # what is made once for a focus is not counted
        began = time.process_time()
        heard = spoken_words(engine.hear(item.audio, item.bias).text)
        cpu += time.process_time() - began
        seconds += item.audio.seconds
        reference = spoken_words(item.text)
        content = content_words(item.text) or set(reference)
        mistakes += errors(reference, heard)
        words += len(reference)
        found += len(content & set(heard))
        wanted += len(content)
        complete += content <= set(heard)
        count += 1
    return Row(engine.name, what, count, mistakes / words, found / wanted, complete / count, cpu / count, cpu / seconds)


def demo_bias() -> Bias:
    """The demo episode in focus."""
    lines = [line.partition(": ")[2] for line in DEMO.read_text(encoding="utf-8").splitlines() if ": " in line]
    return Bias("demo", tuple(lines), ("Nora Lindqvist", "Elias Brandt", "Second Nature"))


def synthetic(texts: Iterable[str], voices: Iterable[tuple[str, int]] = VOICES) -> Iterator[Item]:
    """Every text in every voice, with the demo in focus."""
    bias = demo_bias()
    for voice, rate in voices:
        for text in texts:
            yield Item(text, Audio(with_silence(say(text, voice, rate)), RATE), bias)


def human(own: bool) -> Iterator[Item]:
    """Short clips of people, with their ``own`` text in focus or else the demo's."""
    with (CLIPS / "manifest.tsv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            text, path = row["reference_text"] or "", CLIPS / row["file"]
            if not text or not path.exists() or float(row["seconds"]) > 12 or not path.suffix or path.suffix == ".raw":
                continue
            text = re.sub(r"<[^>]*>|\[[^\]]*\]", " ", text)
            yield Item(text, read_audio(path), Bias(row["file"], (text,)) if own else demo_bias())


def table(engines: Iterable[Hearing]) -> Iterator[Row]:
    """Every line, as it is measured."""
    for engine in engines:
        for voice in VOICES:
            yield measure(engine, f"ten questions, {voice[0]}", synthetic(DEMO_QUESTIONS, [voice]))
        yield measure(engine, "ten questions, other voices", synthetic(DEMO_QUESTIONS, OTHER_VOICES))
        yield measure(engine, "other questions", synthetic(OTHER_QUESTIONS))
        yield measure(engine, "commands", synthetic(COMMANDS))
        if CLIPS.is_dir():
            yield measure(engine, "people, own text in focus", human(own=True))
            yield measure(engine, "people, demo in focus", human(own=False))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument(
        "--whisper", type=Path, default=TINY, help="folder of a Whisper model (default: the tests' tiny one)"
    )
    arguments = parser.parse_args()
    engines: list[Hearing] = [Sphinx()]
    if arguments.whisper.is_dir():
        from voice.recognition.whisper import Whisper

        engines.append(Whisper(arguments.whisper, threads=1))
    if not CLIPS.is_dir() and not arguments.json:
        print(f"(no human clips: there is no folder {CLIPS})")
    rows = []
    if not arguments.json:
        print(f"{'engine':28} {'what':28} {'n':>4} {'WER':>6} {'content':>8} {'complete':>9} {'CPU s':>6} {'RTF':>6}")
    for row in table(engines):
        rows.append(asdict(row))
        if not arguments.json:
            print(f"{row.engine:28} {row.what:28} {row.items:4} {row.wer:6.3f} {row.content:8.3f} {row.complete:9.2f} "
                  f"{row.cpu_each:6.2f} {row.real_time_factor:6.2f}", flush=True)  # fmt: skip
    if arguments.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
