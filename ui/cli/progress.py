# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress on a terminal, by rich; on a pipe one line a step, and one now and then in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from episodes.ingest.status import in_words
from episodes.model import Episode, State, StepState

Eta = Callable[[Episode], float | None]
_ASKED = 1.0  # seconds between two looks at how long it still takes
_TOLD = 15.0  # seconds between two lines on a pipe


@contextmanager
def bar(what: str) -> Iterator[Callable[[float], None]]:
    """A bar for one long thing; hand it fractions in 0..1."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=1.0)
        yield lambda part: bars.update(task, completed=part)


@contextmanager
def steps_on_terminal(name: str, eta: Eta = lambda episode: None) -> Iterator[Callable[[Episode, StepState], None]]:
    """A bar for each step of an episode that is being taken in, and how long (``eta``, seconds) it will be until it is
    ready."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<12}", markup=False), BarColumn(), TaskProgressColumn(),
               TextColumn("{task.fields[left]}", markup=False))  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}
        asked, told, left = -_ASKED, monotonic(), ""

        def on_step(episode: Episode, step: StepState) -> None:
            nonlocal asked, told, left
            if step.state is State.RUNNING and monotonic() - asked >= _ASKED:
                asked, seconds = monotonic(), eta(episode)
                left = "" if seconds is None else f"ready in {in_words(seconds)}"
            if not console.is_terminal:
                line = f"{name}: {step.step.value} {step.state.value} {step.reason}".rstrip()
                if step.state is State.RUNNING and monotonic() - told >= _TOLD:
                    line = ", ".join(part for part in (f"{name}: {episode.status}", left) if part)
                elif step.state not in (State.DONE, State.FAILED):
                    return
                told = monotonic()
                console.print(line, markup=False)
                return
            if step.step not in tasks:
                tasks[step.step] = bars.add_task(step.step.value, total=1.0, left="")
            done = step.state is State.DONE
            said = step.reason or ("" if done else left)
            bars.update(tasks[step.step], completed=1.0 if done else step.progress, left=said)

        yield on_step
