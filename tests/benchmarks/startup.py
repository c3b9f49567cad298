# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a start takes: from the process to the first byte of the page, and until it is ready to answer.

    python -m tests.benchmarks.startup [--runs N] [--json]

The first start of a library takes in the demo episode too; later ones only load the engines. Each later start
then answers ten questions, whose time from the request to the whole answer is given too, and twenty more by
``earmark ask``: from the start of the process to the first of the answer's words, and to the end of the process.
"""

import argparse
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


def start(folder: Path) -> tuple[float, ...]:
    """Seconds to the first byte, to ready, and (medians) to an answer and of ``earmark ask``: first word, whole."""
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
        answers, commands = [], []
        for question in TEN_QUESTIONS:
            asked = time.monotonic()
            server.ask(Question(question.text))
            answers.append(time.monotonic() - asked)
            other = question.text.rstrip("?").lower()  # not the same text: nothing of the last answer is kept for it
            commands += [command([*earmark, "ask", other]), command([*earmark, "ask", f"so {other}"])]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    words, wholes = zip(*commands, strict=True)
    return first, ready, statistics.median(answers), statistics.median(words), statistics.median(wholes)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="later starts that are measured [3]")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows = {"first": start(Path(folder) / "earmark")}
        later = [start(Path(folder) / "earmark") for _ in range(options.runs)]
    rows["later"] = tuple(statistics.median(column) for column in zip(*later, strict=True))
    if options.json:
        names = ("first_byte_s", "ready_s", "answer_s", "command_first_s", "command_s")
        print(json.dumps({row: dict(zip(names, values, strict=True)) for row, values in rows.items()}, indent=2))
        return
    print(f"{os.cpu_count()} processors; load {os.getloadavg()[0]:.1f}\n")
    print("| start | first byte | ready to answer | an answer | `earmark ask`: first word | as a whole |")
    print("|---|---|---|---|---|---|")
    for row, (first, ready, *times) in rows.items():
        shown = " | ".join(f"{seconds * 1000:.0f} ms" for seconds in times)
        print(f"| {row} | {first:.1f} s | {ready:.1f} s | {shown} |")


if __name__ == "__main__":
    main()
