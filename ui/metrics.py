# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the stages of a turn take, and what is told of it to Prometheus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from episodes.store.jobs import LEASE, JobState, Queue
from episodes.store.library import Library
from voice.errors import EarmarkError, SettingsError

if TYPE_CHECKING:
    from prometheus_client import Metric

T = TypeVar("T")

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6)  # seconds


class Stages:
    """Times the stages of a turn, and tells ``observe`` of each: its name, and how many seconds it took."""

    def __init__(self) -> None:
        self.observe: Callable[[str, float], None] = lambda stage, seconds: None

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Time the block, however it ends."""
        begun = monotonic()
        try:
            yield
        finally:
            self.observe(stage, monotonic() - begun)

    def first(self, stage: str, made: Iterator[T]) -> Iterator[T]:
        """Pass on what is made, and time the first of it: that is what somebody waits for."""
        with self.timed(stage):
            one = next(made, None)
        if one is not None:
            yield one
            yield from made


class Metrics:
    """What Prometheus reads of a library and of the stages that happen here."""

    def __init__(self, library: Library, stages: Stages) -> None:
        """Raises SettingsError when its package is missing."""
        try:
            from prometheus_client import CollectorRegistry, Histogram
        except ImportError as error:
            raise SettingsError("Metrics need another package.",
                                "Run '.venv/bin/pip install -c constraints.txt -e .[metrics]'.") from error  # fmt: skip
        self._registry = CollectorRegistry()
        self._library = library
        seconds = Histogram("earmark_stage_seconds", "Seconds that a stage of a turn took; its count of the stage "
                            "'answering' is that of the questions.", ["stage"], registry=self._registry,
                            buckets=_BUCKETS)  # fmt: skip
        stages.observe = lambda stage, took: seconds.labels(stage).observe(took)
        self._registry.register(self)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        from prometheus_client import generate_latest

        told: bytes = generate_latest(self._registry)
        return told

    def describe(self) -> "list[Metric]":
        """Nothing is asked of the database before somebody reads."""
        return []

    def collect(self) -> "Iterator[Metric]":
        """What the database knows, asked now: the queue, and who works on it."""
        from prometheus_client.core import GaugeMetricFamily

        queue = Queue(self._library.database)
        up = GaugeMetricFamily("earmark_database_up", "1 when the database answers.")
        try:
            counts, now = queue.counts(), queue.now()
            running, episodes = queue.running(), self._library.count()
        except EarmarkError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield GaugeMetricFamily("earmark_episodes", "Episodes in the library.", value=episodes)
        jobs = GaugeMetricFamily("earmark_jobs", "Jobs in the queue.", labels=["state"])
        for state in JobState:
            jobs.add_metric([state], counts.get(state, 0))
        yield jobs
        signs: dict[str, float] = {}
        for job in running:
            host = job.worker.partition(":")[0]
            signs[host] = max(signs.get(host, 0.0), now - (job.lease - LEASE))
        beats = GaugeMetricFamily("earmark_worker_silent_seconds", "Seconds since the last sign of life of the worker "
                                  "on a machine that was silent the longest, of those that are at something.",
                                  labels=["machine"])  # fmt: skip
        for host, silent in signs.items():
            beats.add_metric([host], round(max(0.0, silent), 3))
        yield beats
