# SPDX-License-Identifier: GPL-3.0-or-later
"""What taking in a word costs: the processor's seconds of transcripts that come in, by step.

    python -m tests.benchmarks.taking_in [--episodes N] [--json]

The transcripts are podcasts of an hour, some 11,000 words each, from beside the checkout (else the demo's script,
varied), and go the whole way of the product. Of a step it tells what embedding takes (of sentences
and passages; of the words that are read for answers), and what trying the questions of a digest takes: the passages are
embedded for that, and not once more for the index. All is counted in processor time of the process, threads included,
so that it tells the same beside other work.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from episodes.ingest.submit import enqueue
from episodes.ingest.worker import bring_in
from episodes.model import Cue, Episode, Source, State, Step, StepState
from episodes.transcripts.writer import write_vtt
from tests.benchmarks.library import parts
from tests.benchmarks.moments import read
from tests.benchmarks.search_scale import PODCASTS
from ui.companion import Companion
from ui.settings import Settings

_KINDS = ("", "passages", "words", "asking")
_WORDS = 10_800  # of a transcript

Spent = dict[str, dict[str, float]]
"""Seconds of the processor by step, and in it by what they were spent on ("" is all of them)."""


def transcripts(count: int) -> list[tuple[str, list[Cue]]]:
    """Those whose length is the nearest to that of an hour, by name."""
    if (PODCASTS / "episodes.jsonl").exists():
        found = [(name, list(cues)) for name, cues in read(PODCASTS).cues.items()]
        found.sort(key=lambda one: abs(_WORDS - sum(len(cue.text.split()) for cue in one[1])))
        return found[:count]
    return list(islice(parts(60.0), count))


def measure(folder: Path, count: int) -> tuple[int, Spent]:
    """Take in so many transcripts; how many words they have, and what it took."""
    companion = Companion(Settings(data_dir=folder, demo=False))
    spent: Spent = defaultdict(lambda: defaultdict(float))
    step, began = "", 0.0

    def counted(work: Callable[..., Any], what: str) -> Callable[..., Any]:
        inside = False

        @wraps(work)
        def counting(*given: Any, **named: Any) -> Any:
            nonlocal inside
            if inside:
                return work(*given, **named)
            inside, since = True, time.process_time()
            try:
                return work(*given, **named)
            finally:
                inside = False
                spent[step][what] += time.process_time() - since

        return counting

    def on_step(episode: Episode, state: StepState) -> None:
        nonlocal step, began
        if state.state is State.DONE:
            spent[state.step][""] += time.process_time() - began
            step, began = "", time.process_time()
        elif state.state is State.RUNNING and step != state.step:
            step, began = state.step, time.process_time()

    finding = companion.engines.finding
    finding.encode(["Warm."])
    finding.encode = counted(finding.encode, "passages")  # type: ignore[method-assign]
    finding.token_states = counted(finding.token_states, "words")  # type: ignore[method-assign]
    tools = companion.tools
    tools = replace(tools, ask=counted(tools.ask, "asking") if tools.ask else None)
    words = 0
    given = folder / "given"
    given.mkdir()
    try:
        for number, (title, cues) in enumerate(transcripts(count)):
            path = given / f"{number}.vtt"
            path.write_text(write_vtt(cues), "utf-8")
            words += sum(len(cue.text.split()) for cue in cues)
            bring_in(companion.library, enqueue(companion.library, Source(title, transcript=path)), tools, on_step)
    finally:
        companion.close()
    return words, spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--episodes", type=int, default=12, help="so many transcripts (12)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        words, spent = measure(Path(folder), options.episodes)
    if options.json:
        print(json.dumps({"words": words} | spent))
        return
    print(f"{options.episodes} transcripts, {words:,} words\n")
    print("| step | seconds of the processor | embedding | of words | trying questions | ms for 1,000 words |")
    print("|---|---|---|---|---|---|")
    rows = {str(name): spent[name] for name in Step}
    rows["all"] = {what: sum(own[what] for own in spent.values()) for what in _KINDS}
    for name, own in rows.items():
        told = " | ".join(f"{own[what]:.1f}" for what in _KINDS)
        print(f"| {name} | {told} | {1e6 * own[''] / words:.0f} |")


if __name__ == "__main__":
    main()
