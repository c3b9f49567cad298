# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a start takes: from the process to the first byte of the page, and until it is ready to answer.

    python -m tests.benchmarks.startup [--runs N] [--questions N] [--json]

The first start of a library takes in the demo episode too; later ones only load the engines. Beside the clock stand
the processor time that was used until it was ready, by the server and by the processes that it began (they convert the
demo's sound, which need not be there for an answer), and the memory that the server then holds: on a busy machine these
say more. Each start then answers ten questions, whose time from the request to the whole answer is given too, and
twenty more by ``earmark ask``: from the start of the process to the first of the answer's words, and to the end of the
process.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.model import Question
from tests.demo import TEN_QUESTIONS
from ui.cli.client import Server

ROOT = Path(__file__).parents[2]
PATIENCE = 600.0
"""Seconds after which a start has failed."""


def command(line: list[str]) -> tuple[float, float]:
    """Seconds until a command says something, and until it is over."""
    began = time.monotonic()
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE)
    with process, process.stdout as said:  # type: ignore[union-attr]
        if not said.read(1):
            raise RuntimeError(f"{line} says nothing")
        first = time.monotonic() - began
        said.read()
        process.wait(PATIENCE)
    return first, time.monotonic() - began


def used(process: int) -> tuple[float, float]:
    """Seconds of processor time of a process with its children, those that run too, and the megabytes it holds."""
    tick = os.sysconf("SC_CLK_TCK")
    seconds = 0.0
    for each in (process, *map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())):
        with contextlib.suppress(OSError):  # it has ended meanwhile, and is counted with its parent
            times = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:15]
            seconds += sum(map(int, times)) / tick
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return seconds, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def start(folder: Path, questions: int) -> tuple[float, ...]:
    """Seconds to the first byte, to ready, of processor time until then, megabytes, and (medians) seconds to an answer
    and of ``earmark ask``: first word, whole."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}")
    began = time.monotonic()
    earmark = [sys.executable, "-m", "ui.cli", "--data-dir", str(folder)]
    process = subprocess.Popen(
        [*earmark, "serve", "--port", str(port), "--no-open"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(server.url, timeout=60) as page:
                    page.read(1)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() - began > PATIENCE:
                    raise
                time.sleep(0.02)
        first = time.monotonic() - began
        while not server.answers():
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError("the server did not become ready")
            time.sleep(0.05)
        ready = time.monotonic() - began
        processor, memory = used(process.pid)
        answers, commands = [], []
        for question in TEN_QUESTIONS[:questions]:
            asked = time.monotonic()
            server.ask(Question(question.text))
            answers.append(time.monotonic() - asked)
            other = question.text.rstrip("?").lower()  # not the same text: nothing of the last answer is kept for it
            commands += [command([*earmark, "ask", other]), command([*earmark, "ask", f"so {other}"])]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    words, wholes = zip(*commands, strict=True) if commands else ((), ())
    asked = [statistics.median(times) for times in (answers, words, wholes) if times]
    return first, ready, processor, memory, *asked


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="later starts that are measured [3]")
    parser.add_argument("--questions", type=int, default=10, help="questions that each start answers, 0 to 10 [10]")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows = {"first": start(Path(folder) / "earmark", options.questions)}
        later = [start(Path(folder) / "earmark", options.questions) for _ in range(options.runs)]
    rows["later"] = tuple(statistics.median(column) for column in zip(*later, strict=True))
    if options.json:
        names = ("first_byte_s", "ready_s", "processor_s", "megabytes", "answer_s", "command_first_s", "command_s")
        print(json.dumps({row: dict(zip(names, values, strict=False)) for row, values in rows.items()}, indent=2))
        return
    print(f"{os.cpu_count()} processors; load {os.getloadavg()[0]:.1f}\n")
    heads = ["start", "first byte", "ready to answer", "of the processor", "memory"]
    heads += ["an answer", "`earmark ask`: first word", "as a whole"] if options.questions else []
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for row, (first, ready, processor, memory, *times) in rows.items():
        shown = [f"{first:.1f} s", f"{ready:.1f} s", f"{processor:.1f} s", f"{memory:.0f} MB"]
        print("| " + " | ".join([row, *shown, *(f"{seconds * 1000:.0f} ms" for seconds in times)]) + " |")


if __name__ == "__main__":
    main()
