# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be taken in, and who is at it: one table beside the episodes.

A table of our own and not a library for queues, because taking a job, keeping it, cancelling it and storing what it
made then happen in one transaction of one database: there is no second truth that could disagree after a kill.
"""

import os
import secrets
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from episodes.model import Source
from episodes.store.database import Database

BY_HAND = 1
"""The priority of what a person asked for. What a feed brings by itself has 0; what somebody looks at goes first."""

MANY = 1_000_000
"""More jobs than are looked at where all are wanted."""

LEASE = 30.0
"""Seconds for which a job stays its worker's without a sign of life."""


class JobState(StrEnum):
    """What becomes of a job. A job that is done is no more."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to be taken in from its source.

    ``number`` counts in order of arrival. ``priority``: the higher goes first. ``attempts``: so many broke off since
    the last progress. ``due``, ``lease`` and ``noted`` are seconds since 1970; ``worker`` is empty when nobody is at
    it. ``remaining``: seconds of work that were left at ``noted`` (None when unknown).
    """

    episode_id: str
    number: int
    state: JobState
    source: Source
    priority: int
    attempts: int
    due: float
    worker: str
    lease: float
    remaining: float | None
    noted: float


def worker_name() -> str:
    """A name for a worker of this process that no other has; it tells where to look whether it is alive."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Queue:
    """The jobs of a library. ``now`` is always the time in seconds since 1970.

    Safe from several threads and processes. Methods raise as the library's do.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> float:
        """Seconds since 1970, by the clock that leases are measured with."""
        return self._database.now()

    def idle(self, stopping: threading.Event, seconds: float) -> None:
        """Wait until there may be something to do; see ``Database.idle``."""
        self._database.idle(stopping, seconds)

    # what is asked of it

    def put(self, episode_id: str, source: Source, now: float, priority: int = 0) -> None:
        """Ask for an episode to be taken in from this ``source``; what somebody works on stays as it is."""
        with self._database.transaction() as database:
            there = self.job(episode_id)
            if there is not None and there.state is JobState.RUNNING and not self._abandoned(there, now):
                return
            save_source(self._database, episode_id, source)
            database.execute("DELETE FROM left_lying WHERE episode = ?", (episode_id,))
            priority = max(priority, there.priority) if there is not None else priority
            database.execute(
                "INSERT INTO jobs VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM jobs), ?, ?, 0, 0, '', 0, NULL,"
                " 0, ?) ON CONFLICT (episode) DO UPDATE SET state = excluded.state, priority = excluded.priority,"
                " attempts = 0, due = 0, worker = '', lease = 0, remaining = NULL",
                (episode_id, JobState.WAITING, priority, int(not source.is_away)),
            )
            database.wake()

    def cancel(self, episode_id: str) -> bool:
        """Stop the work on an episode; its worker hears of it at its next sign of life. False when there is none."""
        with self._database.transaction() as database:
            found = database.execute(
                "UPDATE jobs SET state = ?, worker = '', lease = 0, remaining = NULL"
                " WHERE episode = ? AND state IN (?, ?)",
                (JobState.CANCELLED, episode_id, JobState.WAITING, JobState.RUNNING),
            )
            return found.rowcount > 0

    def hurry(self, episode_id: str) -> None:
        """Put an episode before all others that wait: somebody looks at it."""
        with self._database.transaction(alone=False) as database:
            most = [
                database.execute(
                    "SELECT max(priority) FROM jobs WHERE state = ? AND episode != ?", (state, episode_id)
                ).fetchone()[0]
                for state in (JobState.WAITING, JobState.RUNNING)
            ]
            highest = max((one for one in most if one is not None), default=-1)
            database.execute(
                "UPDATE jobs SET priority = ? WHERE episode = ? AND state = ? AND priority <= ?",
                (highest + 1, episode_id, JobState.WAITING, highest),
            )

    def job(self, episode_id: str) -> Job | None:
        """The job of an episode, None when nothing is to be done for it."""
        with self._database.errors():
            row = self._database.execute(f"{_JOBS} WHERE episode = ?", (episode_id,)).fetchone()
        return _job(row) if row else None

    def jobs(self, most: int = MANY) -> list[Job]:
        """The jobs in the order in which they are worked on, at most so many of each state: running ones first,
        cancelled and failed ones last."""
        with self._database.errors():
            return [
                _job(row)
                for state in _STATES
                for row in self._database.execute(f"{_JOBS} WHERE state = ? {_ORDER} LIMIT ?", (state, most)).fetchall()
            ]

    def running(self) -> list[Job]:
        """The jobs that somebody is at, as many as there are workers."""
        with self._database.errors():
            rows = self._database.execute(f"{_JOBS} WHERE state = ? {_ORDER}", (JobState.RUNNING,)).fetchall()
        return [_job(row) for row in rows]

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        with self._database.errors():
            rows = self._database.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        return {JobState(state): int(count) for state, count in rows}

    def waits(self, now: float) -> bool:
        """True when there is work that nobody is at."""
        return self._next(now, "") is not None

    # what workers say

    def claim(self, worker: str, now: float, only: str = "", fetched: bool = False) -> Job | None:
        """Take the first job that waits, or whose worker is gone; of one episode when ``only`` names it, and with
        ``fetched`` only one that is on this machine.

        None when there is none. ``attempts`` of what is returned counts the workers that were lost on it.
        """
        with self._database.transaction(alone=False) as database:
            job = self._next(now, only, fetched)
            if job is None:
                return None
            lost = job.state is JobState.RUNNING
            database.execute(
                "UPDATE jobs SET state = ?, worker = ?, lease = ?, attempts = attempts + ?, remaining = NULL, noted = ?"
                " WHERE episode = ?",
                (JobState.RUNNING, worker, now + LEASE, int(lost), now, job.episode_id),
            )
            return self.job(job.episode_id)

    def keep(self, job: Job, now: float) -> bool:
        """A sign of life: prolong the lease. False when the job is no longer this worker's (cancelled, removed)."""
        with self._database.transaction(alone=False) as database:
            found = database.execute(
                "UPDATE jobs SET lease = ? WHERE episode = ? AND worker = ?", (now + LEASE, job.episode_id, job.worker)
            )
            return found.rowcount > 0

    def note(self, job: Job, remaining: float | None, now: float) -> None:
        """Store how many seconds of work are left (None when unknown)."""
        with self._database.transaction(alone=False) as database:
            database.execute(
                "UPDATE jobs SET remaining = ?, noted = ? WHERE episode = ? AND worker = ?",
                (remaining, now, job.episode_id, job.worker),
            )

    def progressed(self, job: Job) -> None:
        """Something was finished and stored: attempts count anew."""
        with self._database.transaction(alone=False) as database:
            database.execute(
                "UPDATE jobs SET attempts = 0 WHERE episode = ? AND worker = ?", (job.episode_id, job.worker)
            )

    def release(self, job: Job, due: float = 0.0, failed: bool = False) -> None:
        """Give a job back: to be taken up again (not before ``due``, which counts as an attempt), or as ``failed``."""
        with self._database.transaction(alone=False) as database:
            database.execute(
                "UPDATE jobs SET state = ?, worker = '', lease = 0, due = ?, remaining = NULL, attempts = attempts + ?"
                " WHERE episode = ? AND worker = ?",
                (JobState.FAILED if failed else JobState.WAITING, due, int(due > 0), job.episode_id, job.worker),
            )

    def done(self, job: Job) -> None:
        """The episode is in the library."""
        with self._database.transaction(alone=False) as database:
            database.execute("DELETE FROM jobs WHERE episode = ? AND worker = ?", (job.episode_id, job.worker))

    def wanted_more(self, job: Job, now: float) -> bool:
        """True when something waits that is wanted more than this job."""
        with self._database.errors():
            found = self._database.execute(
                "SELECT 1 FROM jobs WHERE state = ? AND due <= ?"
                " AND priority > (SELECT priority FROM jobs WHERE episode = ?)",
                (JobState.WAITING, now, job.episode_id),
            ).fetchone()
        return found is not None

    # how fast it goes

    def measured(self, step: str, work: float, sound: float) -> None:
        """Remember that ``sound`` seconds of an episode took a step ``work`` seconds; the latest weighs most."""
        with self._database.transaction(alone=False) as database:
            database.execute(
                "INSERT INTO step_speeds VALUES (?, ?, ?) ON CONFLICT (step) DO UPDATE"
                " SET work = step_speeds.work / 2 + excluded.work, sound = step_speeds.sound / 2 + excluded.sound",
                (step, work, sound),
            )

    def speeds(self) -> dict[str, float]:
        """Seconds of work for a second of sound, for each step that was measured."""
        with self._database.errors():
            rows = self._database.execute("SELECT step, work / sound FROM step_speeds WHERE sound > 0").fetchall()
        return {step: float(speed) for step, speed in rows}

    # inside

    def _next(self, now: float, only: str, fetched: bool = False) -> Job | None:
        """The first job that waits and is due, or whose worker is gone."""
        one, values = (" AND episode = ?", (only,)) if only else ("", ())
        one += " AND fetched = 1" * fetched
        skipping = self._database.skipping
        with self._database.errors():
            waiting = self._database.execute(
                f"{_JOBS} WHERE state = ? AND due <= ?{one} {_ORDER} LIMIT 1{skipping}",
                (JobState.WAITING, now, *values),
            ).fetchall()
            running = self._database.execute(
                f"{_JOBS} WHERE state = ?{one} {_ORDER}{skipping}",  # as many as there are workers
                (JobState.RUNNING, *values),
            ).fetchall()
        lost = [job for job in map(_job, running) if self._abandoned(job, now)][:1]
        found = [*map(_job, waiting), *lost]
        return min(found, key=lambda job: (-job.priority, job.number), default=None)

    def _abandoned(self, job: Job, now: float) -> bool:
        """True when the worker of a running job gave no sign of life, or is known to be no more."""
        return job.lease < now or (self._database.one_machine and _ended(job.worker))


_STATES = (JobState.RUNNING, JobState.WAITING, JobState.CANCELLED, JobState.FAILED)
_JOBS = (
    "SELECT episode, number, state, source, priority, attempts, due, worker, lease, remaining, noted"
    " FROM jobs JOIN sources USING (episode)"
)
_ORDER = "ORDER BY priority DESC, number"


def save_source(database: Database, episode_id: str, source: Source) -> None:
    """Store what is known of an episode's source, in place of what was."""
    with database.transaction():
        try:
            data = _JSON.encode(source).decode()
        except UnicodeEncodeError:  # half a letter in what a publisher wrote
            every = {field.name: getattr(source, field.name) for field in fields(source)}
            texts: dict[str, Any] = {name: _whole(text) for name, text in every.items() if isinstance(text, str)}
            data = _JSON.encode(replace(source, **texts)).decode()
        database.execute(
            "INSERT INTO sources VALUES (?, ?) ON CONFLICT (episode) DO UPDATE SET source = excluded.source",
            (episode_id, data),
        )
        database.execute("UPDATE jobs SET fetched = ? WHERE episode = ?", (int(not source.is_away), episode_id))


def stored_source(database: Database, episode_id: str) -> Source | None:
    """What is known of an episode's source; None when it came in before that was kept."""
    with database.errors():
        row = database.execute("SELECT source FROM sources WHERE episode = ?", (episode_id,)).fetchone()
    return _SOURCE.decode(row[0]) if row else None


def known_sources(database: Database, contents: Sequence[str]) -> dict[str, tuple[str, Source]]:
    """The title and the source of each episode of these ``contents`` (of the library's ``create``) that is there."""
    marks = ", ".join("?" * len(contents))
    with database.errors():
        rows = database.execute(_KNOWN.format(marks), contents).fetchall()
    return {content: (title, _SOURCE.decode(source)) for content, title, source in rows}


def _job(row: Sequence[Any]) -> Job:
    episode, number, state, source, *rest = row
    return Job(episode, number, JobState(state), _SOURCE.decode(source), *rest)


def _ended(worker: str) -> bool:
    """True when the process of a worker on this machine is no more."""
    host, _, rest = worker.partition(":")
    if os.name != "posix" or host != socket.gethostname():
        return False
    try:
        os.kill(int(rest.partition(":")[0]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError):
        return False
    return False


def _whole(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _path_as_text(value: Any) -> str:
    """A path as JSON can hold it: a name need not be UTF-8."""
    if not isinstance(value, Path):
        raise NotImplementedError(type(value).__name__)
    try:
        return str(value).encode("utf-8").decode("utf-8")
    except UnicodeEncodeError:
        return _BYTES + os.fsencode(value).hex()


def _path_of_text(kind: type, value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, str):
        return Path(os.fsdecode(bytes.fromhex(value.removeprefix(_BYTES)))) if value.startswith(_BYTES) else Path(value)
    raise NotImplementedError(kind.__name__)


_KNOWN = "SELECT content, title, sources.source FROM episodes JOIN sources ON episode = id WHERE content IN ({})"
_BYTES = "bytes:"  # begins no path from the root
_JSON = msgspec.json.Encoder(enc_hook=_path_as_text)
_SOURCE = msgspec.json.Decoder(Source, dec_hook=_path_of_text, strict=False)
