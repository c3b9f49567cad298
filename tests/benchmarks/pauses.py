# SPDX-License-Identifier: GPL-3.0-or-later
"""People pause within a question: is it cut, and how long does it take at true ends?

    python -m tests.benchmarks.pauses [--limit N] [--decoding SECONDS] [--json]

A hundred questions, each with a pause of 0.3 to 1.2 s at a natural place (between clauses) or an unnatural one (behind
"the", "about", "does"), spoken by joe and espeak-ng, go through the product's front end, recogniser and endpointing,
faster than the clock: a decoding is known ``--decoding`` seconds after it began. A question is cut when its two halves
end as turns of their own. Beside it the same sounds with silence alone, as before: over after 0.5 s, and never joined.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from retrieval.commands.completeness import completeness
from tests.speech import joe, say
from ui.engines import Engines
from ui.listen.turn_processor import meaning
from ui.settings import Settings
from voice.audio import FRAME, FRAME_SECONDS, HEARING_RATE, Audio, Samples
from voice.model import Heard
from voice.turns.microphone import FrontEnd
from voice.turns.turn_detector import Change, Completeness, Endpointing

QUESTIONS = (
    ("What does Elias say about", "the third layer?"), ("Why is the", "chatbot like a mirror?"),
    ("What happens to the household", "when the agents share their grain?"), ("How does a machine", "guess the goal?"),
    ("Can a machine", "become a peer?"), ("What would change your mind", "about machine minds?"),
    ("Tell me about the", "simulations of cooperation."), ("What does the story of", "the apprentice teach us?"),
    ("Are these machines tools", "or beings?"), ("What are the layers of", "homeostasis?"),
    ("Is there a difference between", "a moral patient and a moral agent?"), ("Who is", "Elias Brandt?"),
    ("What did he say about his", "daughter?"), ("Why is there care", "beneath our goals?"),
    ("How many", "layers does it have?"), ("If the goal is wrong,", "what happens then?"),
    ("What is a thermostat", "good for?"), ("When did they talk about", "the hammer?"),
    ("Explain the", "technical alignment."), ("Does the guest think that", "a chatbot is a friend?"),
    ("What happened to", "Narcissus?"), ("Is cooperation", "a sacrifice?"), ("Where do they", "mention the cellar?"),
    ("And why did the apprentice", "flood the cellar?"), ("Which part is about", "the bees?"),
)  # fmt: skip
VOICES = ("joe", "en-us", "en-gb-x-rp", "en-us+f3")
PAUSES = (0.3, 0.45, 0.6, 0.8, 1.0, 1.2)


@dataclass(slots=True)
class Found:
    """What became of the questions: how many were cut, seconds waited at true ends, and the texts of those cut."""

    asked: int = 0
    cut: int = 0
    waits: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def questions(limit: int) -> Iterator[tuple[Samples, float]]:
    """The sounds, and when each ends (seconds)."""
    number = 0
    for voice in VOICES:
        for before, after in QUESTIONS:
            if number >= limit:
                return
            parts = [_trimmed(joe(text) if voice == "joe" else say(text, voice)) for text in (before, after)]
            pause = np.zeros(round(PAUSES[number % len(PAUSES)] * HEARING_RATE), np.float32)
            spoken = np.concatenate([np.zeros(HEARING_RATE, np.float32), parts[0], pause, parts[1]])
            yield np.pad(spoken, (0, 4 * HEARING_RATE)).astype(np.float32), len(spoken) / HEARING_RATE
            number += 1


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 0.01 * float(np.abs(samples).max()))
    return samples[loud[0] : loud[-1] + 1]


def judged(heard: Heard) -> Completeness:
    """What the session would make of the words."""
    found, command = meaning(heard, (), False)
    return completeness(heard.text, command if found.value == "command" else None) if heard.text else Completeness.OPEN


def ask(
    samples: Samples, end: float, hear: Callable[[Samples], Heard], decoding: float, by_words: bool, found: Found
) -> None:
    """One question through the front end."""
    front_end, silent = FrontEnd(Endpointing()), np.zeros(FRAME, np.float32)
    turns = 0
    over = 0.0
    texts: list[str] = []
    known: tuple[float, int, Completeness] | None = None
    for at in range(0, len(samples) - FRAME, FRAME):
        now = at / HEARING_RATE
        if known is not None and now >= known[0]:
            front_end.judge(known[1], known[2])
            known = None
        for event in front_end.push(samples[at : at + FRAME], silent):
            match event.change:
                case Change.BEGAN:
                    turns += not (by_words and turns and front_end.rejoin())
                case Change.MAYBE_OVER:
                    if by_words:
                        heard = hear(front_end.utterance(event))
                        texts.append(heard.text)
                        known = (now + decoding, event.number, judged(heard))
                    else:
                        known = (now, event.number, Completeness.OPEN)
                case Change.ON_AGAIN:
                    known = None
                case Change.OVER:
                    over = now + FRAME_SECONDS
    found.asked += 1
    if turns > 1:
        found.cut += 1
        found.texts.append(" | ".join(texts))
    elif over:
        found.waits.append(over - end)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--decoding", type=float, default=0.2, help="seconds that a decoding takes [0.2]")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    hearing = Engines(Settings(hearing="tiny.en")).hearing
    rows = {"silence": Found(), "words": Found()}
    for samples, end in questions(given.limit):
        for way, found in rows.items():
            ask(samples, end, lambda said: hearing.hear(Audio(said, HEARING_RATE)), given.decoding,
                way == "words", found)  # fmt: skip
    told = {
        way: {"asked": found.asked, "cut": found.cut, "median wait": statistics.median(found.waits or [0.0]),
              "p90 wait": float(np.percentile(found.waits or [0.0], 90)), "texts": found.texts}
        for way, found in rows.items()
    }  # fmt: skip
    if given.json:
        print(json.dumps(told, indent=1))
        return
    for way, row in told.items():
        print(f"{way:8} {row['cut']:3} of {row['asked']} cut; wait at the end: median {row['median wait']:.2f} s, "
              f"p90 {row['p90 wait']:.2f} s")  # fmt: skip
        for text in row["texts"] if way == "words" else ():
            print(f"         {text}")


if __name__ == "__main__":
    main()
