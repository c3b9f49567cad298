# SPDX-License-Identifier: GPL-3.0-or-later
"""What Earmark answers: forty questions, as listeners would put them, over five real episodes, as one page to read.

    python -m tests.benchmarks.answers [--out docs/ANSWERS.md] [--json]

The episodes are of ../shared/data/moments/bitcoin; they go through the ordinary door as VTT files, and the questions
through the ordinary way. There are no marks on the page: whether an answer is good, a reader has to say.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from episodes.model import Cue
from episodes.transcripts import write_vtt
from retrieval.model import Answer, Question
from tests.material import FOLDER
from ui.app import Companion
from ui.config import Settings
from voice.words import clock

ASKED = {
    "btc-chaincode-podcast--the-p2p-network": (
        "Why does Amiti work on peer-to-peer?",
        "What should the network be like?",
        "What is an eclipse attack?",
        "How does a new node find its first peers?",
        "What does the address manager do?",
        "What is the difference between the new table and the tried table?",
        "Why is there no proof of work on address announcements?",
        "What do they say about hardware wallets?",
    ),
    "btc-bitcoin-explained--hashcash-and-bit-gold": (
        "What is Aaron's book about?",
        "What problem was Hashcash meant to solve?",
        "How does Hashcash work?",
        "Had somebody proposed this before Adam Back?",
        "What is a secure benchmark function?",
        "Why was Hashcash not money yet?",
        "How did Bit Gold want to prevent double spending?",
        "Which exchange do they recommend?",
    ),
    "btc-learning-bitcoin-and-design--fedimint": (
        "What is FediMint?",
        "How does it help with privacy?",
        "Can the federation run away with the money?",
        "Is this better than keeping my own keys?",
        "Can one mint pay another?",
        "How do users back up their money?",
        "How could I check that the mint really has the funds?",
        "How do ring signatures in Monero work?",
    ),
    "btc-chaincode-podcast--lightning-history-and-everything-else": (
        "Could blocks be bigger?",
        "What happens to mining when the block reward is gone?",
        "Would Lightning have been possible without SegWit?",
        "What is it like to look at a project you started from the outside?",
        "What happens when I send a single satoshi?",
        "Do high fees break Lightning?",
        "Why are soft forks so hard?",
        "What did they say about El Salvador?",
    ),
    "btc-learning-bitcoin-and-design--silent-payments": (
        "What are silent payments?",
        "How does the receiver find out about a payment?",
        "What is the downside?",
        "How is this different from the original stealth addresses?",
        "What is the problem with BIP47?",
        "Could I put my address into DNS?",
        "Does it work together with coinjoins?",
        "How does the mining difficulty change?",
    ),
}
"""Episodes and what is asked about each; the last question of each is about something that is not in it."""


def answers(folder: Path) -> list[tuple[str, str, Answer]]:
    """For each question: its episode's title, the episode's id in the set, the answer."""
    wanted = {}
    for line in (FOLDER / "moments" / "bitcoin" / "episodes.jsonl").read_text("utf-8").splitlines():
        found = json.loads(line)
        if found["id"] in ASKED:
            wanted[found["id"]] = found
    companion = Companion(Settings(data_dir=folder / "earmark", hearing="builtin"))
    try:
        made = []
        for name, questions in ASKED.items():
            cues = [Cue(cue["start"], cue["end"], cue["text"], cue["speaker"] or "") for cue in wanted[name]["cues"]]
            path = folder / f"{wanted[name]['title']}.vtt"
            path.write_text(write_vtt(cues), "utf-8")
            episode = companion.add(path)
            made += [(episode, question) for question in questions]
        return [(each.title, each.id, companion.ask(Question(text, each.id))) for each, text in made]
    finally:
        companion.close()


def page(found: Sequence[tuple[str, str, Answer]]) -> str:
    """The answers as Markdown."""
    words = [len(answer.text.split()) for _, _, answer in found if answer.covered]
    lines = [
        "# What Earmark answers",
        "",
        "Forty questions over five real episodes, and every answer as it is spoken: made without a language model, by",
        "`python -m tests.benchmarks.answers --out docs/ANSWERS.md`. The last question of each episode is about",
        "something that is not in it. The time behind a question is where the player jumps to.",
        f"An answer has {statistics.median(words):.0f} words in the median and {max(words)} at most.",
    ]
    title = ""
    for episode, _, answer in found:
        if episode != title:
            title = episode
            lines += ["", f"## {title}"]
        jump = f" ({clock(answer.moments[0].start)}, {answer.moments[0].confidence:.2f})" if answer.moments else ""
        lines += ["", f"**{answer.question}**{jump}  ", answer.text]
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
        from ui import wire

        sys.stdout.write(json.dumps([wire.answer_json(answer) for _, _, answer in found], indent=1) + "\n")
    elif options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page(found), "utf-8")
    else:
        sys.stdout.write(page(found))


if __name__ == "__main__":
    main()
