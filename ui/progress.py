# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress on a terminal, by rich; on a pipe one line a step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from episodes.model import Episode, State, StepState


@contextmanager
def bar(what: str) -> Iterator[Callable[[float], None]]:
    """A bar for one long thing; hand it fractions in 0..1."""
    with _bars() as bars:
        task = bars.add_task(what, total=1.0)
        yield lambda part: bars.update(task, completed=part)


@contextmanager
def steps_on_terminal(name: str) -> Iterator[Callable[[Episode, StepState], None]]:
    """A bar for each step of an episode that is being taken in."""
    console = Console(stderr=True)
    with _bars(console) as bars:
        tasks: dict[str, TaskID] = {}

        def on_step(episode: Episode, step: StepState) -> None:
            if not console.is_terminal:
                if step.state in (State.DONE, State.FAILED):
                    console.print(f"{name}: {step.step.value} {step.state.value} {step.reason}".rstrip(), markup=False)
                return
            if step.step not in tasks:
                tasks[step.step] = bars.add_task(f"{step.step.value}", total=1.0)
            bars.update(tasks[step.step], completed=1.0 if step.state is State.DONE else step.progress)

        yield on_step


def _bars(console: Console | None = None) -> Progress:
    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
