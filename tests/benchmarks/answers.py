# SPDX-License-Identifier: GPL-3.0-or-later
"""What Earmark answers: forty questions, as listeners would put them, over five real episodes, as one page to read.

    python -m tests.benchmarks.answers [--out docs/ANSWERS.md] [--json]

The episodes are of ../shared/data/moments/bitcoin; they go through the ordinary door as VTT files, and the questions
through the ordinary way. There are no marks on the page: whether an answer is good, a reader has to say
(`tests.benchmarks.quotes` measures it against answers that people wrote).
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from episodes.model import Cue
from episodes.transcripts.writer import write_vtt
from retrieval.model import Answer, Question, Turn
from tests.material import FOLDER
from ui.companion import Companion
from ui.settings import Settings
from voice.model import clock


@dataclass(frozen=True, slots=True)
class Asked:
    """What a listener asks; ``position`` in seconds is where the player stands, ``follows`` that it goes on from the
    question before. ``covered`` is False for what the episode does not speak of."""

    text: str
    follows: bool = False
    position: float | None = None
    covered: bool = True


ASKED = {
    "btc-chaincode-podcast--the-p2p-network": (
        Asked("Why does Amiti work on peer-to-peer?"),
        Asked("What is an eclipse attack?"),
        Asked("and how could you prevent it?", follows=True),
        Asked("What does the address manager do?"),
        Asked("What is the difference between the new table and the tried table?"),
        Asked("Why is there no proof of work on address announcements?"),
        Asked("what did she just say", position=1026.0),
        Asked("What do they say about hardware wallets?", covered=False),
    ),
    "btc-bitcoin-explained--hashcash-and-bit-gold": (
        Asked("What is Aaron's book about?"),
        Asked("Had somebody proposed this before Adam Back?"),
        Asked("who said that?", follows=True),
        Asked("How does Hashcash work?"),
        Asked("Why was Hashcash not money yet?"),
        Asked("what does sjors think about secure benchmark functions"),
        Asked("How did Bit Gold want to prevent double spending?"),
        Asked("Which exchange do they recommend?", covered=False),
    ),
    "btc-learning-bitcoin-and-design--fedimint": (
        Asked("what is this about?"),
        Asked("What is FediMint?"),
        Asked("How does it help with privacy?", follows=True),
        Asked("Can one mint pay another?"),
        Asked("How many transactions can a federation do?"),
        Asked("How could I check that the mint really has the funds?"),
        Asked("tell me more", follows=True),
        Asked("How do ring signatures in Monero work?", covered=False),
    ),
    "btc-chaincode-podcast--lightning-history-and-everything-else": (
        Asked("which topics?"),
        Asked("Could blocks be bigger?"),
        Asked("Would Lightning have been possible without SegWit?"),
        Asked("What happens when I send a single satoshi?"),
        Asked("and why is that?", follows=True),
        Asked("Do high fees break Lightning?"),
        Asked("What did they say about El Salvador?", covered=False),
        Asked("Who won the football match?", covered=False),
    ),
    "btc-learning-bitcoin-and-design--silent-payments": (
        Asked("What are silent payments?"),
        Asked("How does the receiver find out about a payment?"),
        Asked("What is the downside of scanning?"),
        Asked("How is this different from the original stealth addresses?"),
        Asked("Who else works on silent payments?"),
        Asked("which episodes talk about ecash?"),
        Asked("How does the mining difficulty change?", covered=False),
        Asked("What is an eclipse attack?", covered=False),
    ),
}
"""Episodes and what is asked about each, in this order."""


def answers(folder: Path) -> list[tuple[str, Asked, Answer]]:
    """For each question: its episode's title, the question, the answer."""
    wanted = {}
    for line in (FOLDER / "moments" / "bitcoin" / "episodes.jsonl").read_text("utf-8").splitlines():
        found = json.loads(line)
        if found["id"] in ASKED:
            wanted[found["id"]] = found
    companion = Companion(Settings(data_dir=folder / "earmark", hearing="builtin"))
    try:
        ids = {}
        for name in ASKED:
            cues = [Cue(cue["start"], cue["end"], cue["text"], cue["speaker"] or "") for cue in wanted[name]["cues"]]
            path = folder / f"{wanted[name]['title']}.vtt"
            path.write_text(write_vtt(cues), "utf-8")
            ids[name] = companion.add(path)
        made = []
        for name, questions in ASKED.items():
            before: tuple[Turn, ...] = ()
            for asked in questions:
                history = before if asked.follows else ()
                answer = companion.ask(Question(asked.text, ids[name].id, asked.position, history=history))
                before = (*history, Turn(asked.text, answer.moments))
                made.append((ids[name].title, asked, answer))
        return made
    finally:
        companion.close()


def page(found: Sequence[tuple[str, Asked, Answer]]) -> str:
    """The answers as Markdown."""
    words = [len(answer.text.split()) for _, _, answer in found if answer.covered and "“" in answer.text]
    strange = [answer for _, asked, answer in found if not asked.covered]
    declined = sum(not answer.covered for answer in strange)
    lines = [
        "# What Earmark answers",
        "",
        "Forty questions over five real episodes, and every answer as it is spoken: made without a language model, by",
        "`python -m tests.benchmarks.answers --out docs/ANSWERS.md`. Each answer is quoted, so that it can be checked;",
        "the time behind a question is where the player jumps to. ↳ is a question that goes on from the one before it,",
        "⏱ one that is asked while the episode plays, and ∅ one about something that is not in the episode:",
        f"{declined} of these {len(strange)} are declined, the others given with reserve.",
        f"A quoted answer has {statistics.median(words):.0f} words in the median and {max(words)} at most.",
    ]
    title = ""
    for episode, asked, answer in found:
        if episode != title:
            title = episode
            lines += ["", f"## {title}"]
        jump = f" ({clock(answer.moments[0].start)})" if answer.moments else ""
        sign = "" if asked.covered else "∅ "
        sign += "↳ " if asked.follows else ""
        sign += f"⏱ {clock(asked.position)} " if asked.position is not None else ""
        lines += ["", f"{sign}**{asked.text}**{jump}  ", answer.text]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="the page to write; without it, it is printed")
    parser.add_argument("--json", action="store_true", help="print JSON instead")
    options = parser.parse_args(arguments)
    if not (FOLDER / "moments" / "bitcoin").exists():
        parser.error("the development data moments/bitcoin is not beside this checkout")
    with TemporaryDirectory() as folder:
        found = answers(Path(folder))
    if options.json:
        from ui import schemas

        sys.stdout.write(json.dumps([schemas.answer_json(answer) for _, _, answer in found], indent=1) + "\n")
    elif options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page(found), "utf-8")
    else:
        sys.stdout.write(page(found))


if __name__ == "__main__":
    main()
