# SPDX-License-Identifier: GPL-3.0-or-later
"""Fronts that share a library on a server: one is killed in the middle of an answer, and another one goes on."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import ROOT, library_copy
from tests.demo import TEN_QUESTIONS
from ui.cli.client import Server

pytestmark = [
    pytest.mark.timeout(400),  # servers that load their models, on a machine that may be busy
    pytest.mark.long,  # one that asks without models is killed in tests/episodes/test_kills.py
]
ANN = {"X-Listener": "ann-of-the-kitchen"}
QUESTION = {"text": TEN_QUESTIONS[0].text, "stream": True}


@contextmanager
def front(data_dir: Path, database: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server of its own process, when it is ready; it is killed at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"EARMARK_DATABASE": database, "EARMARK_LOG": "json", "EARMARK_HEARING": "tiny.en"}
    if find_spec("prometheus_client"):
        variables["EARMARK_METRICS"] = "true"
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "--data-dir", str(data_dir), "serve", "--port", str(port), "--no-open"],
        cwd=ROOT, env=os.environ | variables, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 180
    try:
        while not Server(url).answers():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield url, process
    finally:
        process.kill()
        process.communicate()


def call(url: str, body: Any = None, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **ANN}, method=method)
    return urllib.request.urlopen(request, timeout=60)


def told(url: str) -> Iterator[Any]:
    """The events of an answer."""
    with call(f"{url}/api/ask", QUESTION) as reply:
        for line in reply:
            yield json.loads(line)


def test_a_front_that_is_killed_in_an_answer_leaves_nothing_behind_and_another_goes_on(
    demo_dir: Path, tmp_path: Path, postgres_url: str
) -> None:
    shared = tmp_path / "shared"
    library_copy(demo_dir, shared)
    subprocess.run(
        [sys.executable, "-m", "ui.cli", "--data-dir", str(shared), "copy", "--to", postgres_url], cwd=ROOT, check=True
    )
    with front(shared, postgres_url) as (url, process):
        episode = json.load(call(f"{url}/api/episodes"))[0]["id"]
        call(f"{url}/api/listening/{episode}", {"position": 65.5, "heard": [[10, 65.5]]}, "PUT").close()
        before = list(told(url))[-1]["answer"]

        def ask() -> None:
            with suppress(OSError, HTTPException):
                list(told(url))

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        time.sleep(random.SystemRandom().uniform(0.05, 0.3))
        process.kill()
        _, logged = process.communicate(timeout=30)
        for asker in askers:
            asker.join(60)
    started = [json.loads(line) for line in logged.splitlines()]
    assert any(line["message"].startswith("Earmark is at") for line in started)
    with psycopg.connect(postgres_url) as connection:  # its transactions and locks are gone with it
        (left,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
            " AND (state LIKE 'idle in transaction%' OR wait_event_type = 'Lock')"
        ).fetchone() or (None,)
    assert left == 0
    with front(shared, postgres_url) as (url, process):
        answer = list(told(url))[-1]["answer"]
        assert answer["covered"] and answer["moments"] and answer == before
        place = json.load(call(f"{url}/api/listening/{episode}"))
        assert place["position"] == 65.5
        if find_spec("prometheus_client"):
            text = call(f"{url}/metrics").read().decode()
            assert 'earmark_stage_seconds_count{stage="answering"} 1.0' in text
            assert "earmark_database_up 1.0" in text
