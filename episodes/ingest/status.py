# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being taken in, how far it is and how long it will still take: what people are shown of the queue."""

from dataclasses import dataclass

from episodes.ingest.eta import etas
from episodes.model import Episode, State, Step, StepState
from episodes.store.jobs import Job, JobState, Queue
from episodes.store.library import Library


@dataclass(frozen=True, slots=True)
class Work:
    """One episode that is not ready, and the work on it.

    ``step`` is the one it is at and ``fraction`` (0..1) how much of that is done; ``eta`` is seconds until it is ready
    (those before it in the queue included), None when that cannot be told; ``before`` so many are worked on first;
    ``reason`` says why it failed, or why it waits.
    """

    episode_id: str
    title: str
    state: JobState
    step: Step
    fraction: float
    eta: float | None
    before: int
    reason: str


MOST_LOOKED_AT = 50
"""Jobs of each state that are looked at, unless more are wanted; what stands further behind changes before its turn."""


def outlook(library: Library, now: float, most: int = MOST_LOOKED_AT) -> list[Work]:
    """The work of a library, in the order in which it is done, at most so much of each state; ``now`` in seconds since
    1970."""
    queue = Queue(library.database)
    jobs = queue.jobs(most)
    if not jobs:
        return []
    episodes = library.some(job.episode_id for job in jobs)
    jobs = [job for job in jobs if job.episode_id in episodes]  # one may have been removed between two looks
    left = etas(jobs, episodes, queue.speeds(), now)
    return [_work(job, episodes[job.episode_id], left.get(job.episode_id), place) for place, job in enumerate(jobs)]


def eta_of(library: Library, episode_id: str, now: float) -> float | None:
    """Seconds until an episode is ready; None when that cannot be told, when nobody is to take it in, or when more than
    ``MOST_LOOKED_AT`` are taken in before it."""
    return next((work.eta for work in outlook(library, now) if work.episode_id == episode_id), None)


def current(episode: Episode) -> StepState:
    """The step that an unfinished episode is at."""
    return next((step for step in episode.steps if step.state is not State.DONE), episode.steps[-1])


def in_words(seconds: float) -> str:
    """A stretch of time as one says it: "about 3 min"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {10 * round(seconds / 10)} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {5 * round(minutes % 60 / 5)} min" if minutes < 600 else f"about {minutes // 60} h"


def _work(job: Job, episode: Episode, eta: float | None, before: int) -> Work:
    step = current(episode)
    before = before if job.state in (JobState.RUNNING, JobState.WAITING) else 0
    return Work(episode.id, episode.title, job.state, step.step, step.progress, eta, before, step.reason)
