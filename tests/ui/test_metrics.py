# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus is told: the stages of a turn, the queue and who works on it; and what is logged as JSON."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from episodes.model import Episode, Source
from episodes.store.jobs import Queue
from episodes.store.library import Library
from ui.json_logs import JsonLines
from ui.metrics import Metrics, Stages
from ui.settings import Settings
from ui.storage import open_library

parser = pytest.importorskip("prometheus_client.parser", reason="pip install -c constraints.txt -e '.[metrics]'")


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Iterator[Library]:
    """Of each engine."""
    library = open_library(Settings(data_dir=tmp_path / "library", database=database_url))
    yield library
    library.close()


def told(metrics: Metrics) -> dict[str, float]:
    families = parser.text_string_to_metric_families(metrics.text().decode())
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in families for sample in family.samples
    }  # fmt: skip


def test_the_queue_and_its_workers_are_told(library: Library) -> None:
    queue = Queue(library.database)
    for number in range(3):
        made = library.create(f"{number:064x}", Episode("", f"Talk {number}"))
        queue.put(made.id, Source("Talk"), queue.now())
    queue.claim("studio:1:a", queue.now() - 12)
    queue.claim("attic:2:b", queue.now())
    found = told(Metrics(library, Stages()))
    assert found["earmark_database_up"] == 1 and found["earmark_episodes"] == 3
    assert (found["earmark_jobs waiting"], found["earmark_jobs running"], found["earmark_jobs failed"]) == (1, 2, 0)
    assert found["earmark_worker_silent_seconds studio"] == pytest.approx(12, abs=5)
    assert found["earmark_worker_silent_seconds attic"] == pytest.approx(0, abs=5)


def test_stages_are_timed_also_those_that_fail_and_of_what_streams_the_first(library: Library) -> None:
    stages = Stages()
    with stages.timed("hearing"):
        pass  # nobody listens yet
    metrics = Metrics(library, stages)
    with pytest.raises(ValueError, match="broken"), stages.timed("answering"):
        raise ValueError("broken")
    speaking = stages.first("speaking", iter("abc"))
    assert next(speaking) == "a" and told(metrics)["earmark_stage_seconds_count speaking"] == 1
    assert list(speaking) == ["b", "c"] and list(stages.first("telling", iter(""))) == []
    found = told(metrics)
    assert [found.get(f"earmark_stage_seconds_count {one}") for one in ("hearing", "answering", "speaking", "telling")
            ] == [None, 1, 1, 1]  # fmt: skip


def test_a_database_that_is_away_is_told_and_nothing_else_fails(tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    metrics = Metrics(library, Stages())
    library.database.execute("ALTER TABLE jobs RENAME TO elsewhere")
    assert told(metrics) == {"earmark_database_up": 0}
    library.close()


def test_a_line_of_the_log_is_one_of_json() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        trouble = (type(error), error, error.__traceback__)
    record = logging.LogRecord("earmark", logging.WARNING, "", 0, "%s “failed”\nbadly", ("It",), trouble)
    line = JsonLines().format(record)
    assert "\n" not in line
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == ("warning", "earmark", "It “failed”\nbadly")
    assert found["at"].endswith("+00:00") and "ValueError: two\nlines" in found["error"]
