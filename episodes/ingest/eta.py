# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the work will still take, from how fast each step was. Pure: time and speeds are numbers handed in."""

from collections.abc import Mapping, Sequence

from episodes.model import Episode, State, Step
from episodes.store.jobs import Job, JobState

_TELLING = 0.02  # share of a step after which its own speed tells more than what was measured before
_ASSUMED = {Step.SEGMENTED, Step.DIGESTED, Step.INDEXED}  # quick steps: nothing, while they were never measured


def remaining(
    episode: Episode, step: Step, done: float, begun_at: float, elapsed: float, given: bool, speeds: Mapping[str, float]
) -> float | None:
    """Seconds until an episode is ready that is at ``step``; None while that cannot be told.

    ``done`` and ``begun_at`` are shares of the step, now and when this run began with it ``elapsed`` seconds ago;
    ``given``: its transcript is there. ``speeds``: seconds of work for a second of sound.
    """
    if done - begun_at > _TELLING and elapsed > 1:
        now: float | None = elapsed / (done - begun_at) * (1 - done)
    else:
        whole = _whole(episode, step, given, speeds)
        now = None if whole is None else whole * (1 - done)
    later = left(episode, list(Step)[list(Step).index(step) + 1 :], given, speeds)
    return None if now is None or later is None else now + later


def left(episode: Episode, steps: Sequence[Step], given: bool, speeds: Mapping[str, float]) -> float | None:
    """Seconds that these steps of an episode will take; None when one of them cannot be told."""
    total = 0.0
    for step in steps:
        if episode.steps[list(Step).index(step)].state is not State.DONE:
            whole = _whole(episode, step, given, speeds)
            if whole is None:
                return None
            total += whole
    return total


def etas(
    jobs: Sequence[Job], episodes: Mapping[str, Episode], speeds: Mapping[str, float], now: float
) -> dict[str, float | None]:
    """Seconds until each job is done, in the order in which they are worked on (one after another); None: not known.

    ``now`` is seconds since 1970.
    """
    found: dict[str, float | None] = {}
    before: float | None = 0.0
    for job in jobs:
        episode = episodes.get(job.episode_id)
        if episode is None or job.state not in (JobState.RUNNING, JobState.WAITING):
            continue
        if job.state is JobState.RUNNING:
            own = None if job.remaining is None else max(0.0, job.remaining - (now - job.noted))
        else:
            own = left(episode, list(Step), job.source.transcript is not None, speeds)
            own = None if own is None else own + max(0.0, job.due - now)
        before = None if before is None or own is None else before + own
        found[job.episode_id] = before
    return found


def _whole(episode: Episode, step: Step, given: bool, speeds: Mapping[str, float]) -> float | None:
    """Seconds that a whole step takes; None when it is a slow one that was never measured."""
    if step is Step.FETCHED or (given and step is Step.TRANSCRIBED):
        return 0.0
    speed = speeds.get(step)
    if speed is None or not episode.seconds:
        return 0.0 if step in _ASSUMED else None
    return speed * episode.seconds
