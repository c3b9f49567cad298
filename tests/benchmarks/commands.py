# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of eighty commands in eight voices: done, another one done, asked back, answered, or left alone.

    python -m tests.benchmarks.commands [--model NAME] [--every N] [--texts FILE] [--misses] [--json]

They are spoken by Earmark's own voice ("joe") and by seven espeak-ng voices, heard as the companion hears about the
demo episode, and understood as it understands a turn that nobody called it for. Forty sentences that people say to each
other are heard as well, which it should leave alone. ``--every`` takes one in so many of all; ``--texts`` keeps what
was heard in a file, so that the next run only understands it; ``--misses`` lists what became of the rest.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.asked import ASIDES, EIGHTY_COMMANDS
from tests.benchmarks.hearing import VOICES
from tests.speech import joe, say, with_silence
from ui.companion import Companion
from ui.listen.now_playing import NowPlaying
from ui.listen.turn import Meaning
from ui.listen.turn_processor import meaning
from ui.settings import Settings
from voice.audio import HEARING_RATE, Audio
from voice.devices.player import Player
from voice.model import Heard

ASIDE = "aside"
SPEAKERS = (("joe", 0), *VOICES, ("en-gb-scotland", 160))
Texts = dict[str, tuple[str, float, Sequence[str]]]
OUTCOMES = ("done", "another done", "asked back", "asked back wrongly", "answered", "left alone")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command in a voice, and what it asks for; or an ``ASIDE``."""

    voice: str
    text: str
    name: str
    rate: int

    @property
    def audio(self) -> Audio:
        samples = joe(self.text) if self.voice == "joe" else say(self.text, self.voice, self.rate)
        return Audio(with_silence(samples), HEARING_RATE)


def spoken(every: int) -> Iterator[Spoken]:
    """One in so many of all of them, drawn by chance and always the same."""
    said = (*EIGHTY_COMMANDS, *((text, ASIDE) for text in ASIDES))
    all_ = [Spoken(voice, text, name, rate) for voice, rate in SPEAKERS for text, name in said]
    yield from sorted(Random(0).sample(all_, len(all_) // every), key=all_.index)


def outcome(heard: Heard, name: str, is_about: Callable[[str], bool]) -> str:
    """What the companion does with what it heard, where ``name`` was asked for."""
    found, command = meaning(heard, (), False, is_about)
    right = command is not None and command.name == name
    match found:
        case Meaning.COMMAND if name == ASIDE and command is not None and command.name == "thanks":
            return "left alone"  # nothing is done
        case Meaning.COMMAND:
            return "done" if right else "another done"
        case Meaning.UNSURE:
            return "asked back" if right else "asked back wrongly"
        case Meaning.QUESTION:
            return "answered"
    return "left alone"


def hear(said: list[Spoken], model: str, known: Texts) -> Iterator[tuple[Spoken, Heard, str]]:
    """What is done with each, heard anew as far as what was heard is not ``known``, where it is kept."""
    with TemporaryDirectory() as folder:
        companion = Companion(Settings(data_dir=Path(folder) / "earmark", hearing=model))
        companion.add_demo()
        episode = companion.library.episodes()[-1].id
        player = Player()
        now_playing = NowPlaying(companion, player)
        now_playing.open(episode)
        for one in said:
            key = f"{one.voice}: {one.text}"
            if key not in known:
                fresh = companion.hear(one.audio, episode)
                known[key] = fresh.text, fresh.confidence, fresh.others
            text, confidence, others = known[key]
            heard = Heard(text, confidence, others=tuple(others))
            yield one, heard, outcome(heard, one.name, now_playing.is_about)
        player.close()
        companion.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    known = json.loads(given.texts.read_text()) if given.texts and given.texts.exists() else {}
    counts: dict[str, Counter[str]] = {}
    misses = []
    for one, heard, what in hear(list(spoken(given.every)), given.model, known):
        counts.setdefault(one.voice if one.name != ASIDE else ASIDE, Counter())[what] += 1
        if what != ("done" if one.name != ASIDE else "left alone"):
            misses.append(f"{one.voice:15} {one.text:40} {heard.text!r:40} {what}")
    if given.texts:
        given.texts.write_text(json.dumps(known, indent=0))
    asides = counts.pop(ASIDE, Counter())
    counts |= {"all": sum(counts.values(), Counter()), "said to somebody else": asides}
    if given.json:
        print(json.dumps(counts, indent=1))
        return
    print(f"| voice | commands | {' | '.join(OUTCOMES)} |\n|---|---|{'---|' * len(OUTCOMES)}")
    for voice, found in counts.items():
        shares = " | ".join(f"{found[what] / max(1, found.total()):.1%}" for what in OUTCOMES)
        print(f"| {voice} | {found.total()} | {shares} |")
    print("\n".join(misses) if given.misses else "")


if __name__ == "__main__":
    main()
