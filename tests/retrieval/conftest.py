# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of finding and answering share."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.token_store import build_token_store
from tests.conftest import one_at_a_time
from voice.model import Cue

DEMO = Path(__file__).parents[2] / "episodes" / "demo" / "script.txt"


def demo_cues() -> tuple[tuple[Cue, ...], tuple[float, ...]]:
    """The demo's turns as cues at a speaking rate of 15 characters a second, and where its topics start."""
    cues: list[Cue] = []
    topics: list[float] = []
    at = 0.0
    _, body = DEMO.read_text(encoding="utf-8").split("\n\n", 1)
    for topic in body.strip().split("\n\n"):
        topics.append(at)
        for line in topic.splitlines():
            speaker, text = line.split(": ", 1)
            cues.append(Cue(at, at + len(text) / 15, text, speaker))
            at += len(text) / 15 + 0.4
    return tuple(cues), tuple(topics)


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real model, loaded once."""
    return Embedder.load()


@pytest.fixture(scope="session")
def with_demo(
    embedder: Embedder, shared_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], SqliteIndex]:
    """Give an index of one's own that holds the demo episode, under the id "demo"; it is embedded once in a run."""
    made = shared_dir / "demo-index"
    with one_at_a_time(made):
        index = SqliteIndex.open(made)
        if not index.episodes:
            cues, _ = demo_cues()
            found = passages("demo", cues)
            rows = embedder.encode([passage.text for passage in found])
            index.add("demo", found, rows, "", build_token_store(cues, embedder))
        index.close()

    def copied() -> SqliteIndex:
        folder = tmp_path_factory.mktemp("with-demo") / "index"
        shutil.copytree(made, folder)
        return SqliteIndex.open(folder)

    return copied


@pytest.fixture(scope="session")
def demo_index(with_demo: Callable[[], SqliteIndex]) -> SqliteIndex:
    """An index that holds the demo episode only; nobody writes to it."""
    return with_demo()
