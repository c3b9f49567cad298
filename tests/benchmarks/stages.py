# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor seconds of each stage of a spoken turn, without a sound card: what a small or busy machine has to give.

    [taskset -c 0] python -m tests.benchmarks.stages [--model NAME] [--every N] [--json]

Ten questions about the demo episode and ten commands, spoken by joe: heard, answered, and the first piece of the answer
spoken. It is the processor's time and not the clock's, so that it tells the same beside other work.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.model import Question
from tests.asked import EIGHTY_COMMANDS
from tests.demo import TEN_QUESTIONS
from tests.speech import joe, with_silence
from ui.companion import Companion
from ui.listen.turn_processor import meaning
from ui.settings import Settings
from voice.audio import HEARING_RATE, Audio


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--every", type=int, default=1, help="only every n-th of them")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: dict[str, list[float]] = {}

    def took(stage: str, began: float) -> float:
        now = time.process_time()
        rows.setdefault(stage, []).append(now - began)
        return now

    with TemporaryDirectory() as folder:
        companion = Companion(Settings(data_dir=Path(folder) / "earmark", hearing=given.model))
        companion.add_demo()
        episode = companion.library.episodes()[-1].id
        companion.warm(episode)
        questions = [question.text for question in TEN_QUESTIONS]
        for text in (*questions, *(text for text, _ in EIGHTY_COMMANDS[::8]))[:: given.every]:
            said = Audio(with_silence(joe(text)), HEARING_RATE)
            now = time.process_time()
            heard = companion.hear(said, episode)
            now = took("a question heard" if text in questions else "a command heard", now)
            meaning(heard, (), False)
            now = took("understood", now)
            if text in questions:
                answer = companion.ask(Question(heard.text, episode)).text
                now = took("answered", now)
                next(iter(companion.speak(answer)))
                took("first piece spoken", now)
        companion.close()
    told = {stage: statistics.median(times) for stage, times in rows.items()}
    if given.json:
        print(json.dumps(told, indent=1))
        return
    for stage, seconds in told.items():
        print(f"{stage:20} {seconds:6.3f} s (at most {max(rows[stage]):.3f})")


if __name__ == "__main__":
    main()
