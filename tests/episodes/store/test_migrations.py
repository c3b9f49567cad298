# SPDX-License-Identifier: GPL-3.0-or-later
"""A library that an older version made is brought up to date, and nothing of it is lost."""

import sqlite3
from pathlib import Path

from episodes.ingest.worker import adopt
from episodes.model import Cue, Digest, Segment, State, Step
from episodes.store.jobs import JobState, Queue
from episodes.store.library import Library
from episodes.store.migrations import MIGRATIONS

OLD_STEPS = ("normalised", "transcribed", "segmented", "digested", "indexed")


def old_library(folder: Path, source: Path) -> None:
    """As version 1 wrote it: one episode that is ready, one whose transcription broke off, one whose file is gone."""
    (folder / "audio").mkdir(parents=True)
    database = sqlite3.connect(folder / "library.db", isolation_level=None)
    MIGRATIONS[0](database)
    database.execute("PRAGMA user_version = 1")
    for number, (name, path) in enumerate([("bees", "/a.mp3"), ("ships", str(source)), ("gone", "/gone.mp3")], 1):
        values = (name, number, f"{number}" * 64, name.title(), "Show", '["Ann"]', "2024", 63.0, path, "")
        database.execute("INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        for step in OLD_STEPS:
            done = name == "bees" or step == "normalised"
            state = "done" if done else "running" if step == "transcribed" else "waiting"
            database.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?)", (name, step, state, float(done), ""))
    database.execute("INSERT INTO cues VALUES ('bees', 0, 0.0, 2.0, 'Bees dance.', 'Ann', '')")
    database.execute("INSERT INTO segments VALUES ('bees', 0, 0.0, 63.0, 'Bees', 'Bees dance.')")
    database.execute("INSERT INTO digests VALUES ('bees', 'Bees.', 'Bees dance.', '[\"Why?\"]')")
    database.close()


def test_a_library_of_version_1(tmp_path: Path) -> None:
    source = tmp_path / "ships.vtt"
    source.write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nShips sail.\n")
    old_library(tmp_path / "library", source)
    library = Library.open(tmp_path / "library")

    ready = library.episode("bees")
    assert ready.ready
    assert [step.step for step in ready.steps] == list(Step)
    assert (ready.guests, ready.seconds, ready.source) == (("Ann",), 63.0, "/a.mp3")
    assert library.cues("bees") == (Cue(0.0, 2.0, "Bees dance.", "Ann"),)
    assert library.segments("bees") == (Segment(0.0, 63.0, "Bees", "Bees dance."),)
    assert library.digest("bees") == Digest("Bees.", "Bees dance.", ("Why?",))

    assert library.source("bees").guests == ("Ann",)

    adopt(library)  # what a worker does first
    assert [(job.episode_id, job.state) for job in Queue(library.database).jobs()] == [("ships", JobState.WAITING)]
    assert library.episode("ships").steps[0].state is State.DONE
    assert library.episode("gone").status == "failed: There is no file /gone.mp3. Check the name."
