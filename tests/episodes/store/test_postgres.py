# SPDX-License-Identifier: GPL-3.0-or-later
"""What is particular to a library on a PostgreSQL server: its errors, its queue, and the way there and back."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from episodes.export import EXPORT_FORMATS, export
from episodes.model import Chapter, Cue, Digest, Episode, Segment, Source, State, Step, StepState, Word
from episodes.store.copying import copy_files, copy_rows
from episodes.store.jobs import LEASE, JobState, Queue
from episodes.store.library import Library
from episodes.store.postgres_tables import MIGRATIONS
from tests import postgres
from tests.conftest import library_copy
from ui.cli.main import main
from ui.positions import PlaybackPositions
from ui.settings import Settings
from ui.storage import Storage, examined, migrate_tables, open_library
from voice.errors import LibraryError, SettingsError, UnknownEpisode

CUES = (Cue(0.0, 1.5, "Hello “there”.", "Ann", (Word(0.0, 0.5, "Hello", 0.9),)), Cue(1.5, 2.0, "Ça va? 100 %"))


@pytest.fixture
def settings(tmp_path: Path, postgres_url: str) -> Settings:
    return Settings(data_dir=tmp_path / "library", database=postgres_url)


@pytest.fixture
def library(settings: Settings) -> Iterator[Library]:
    library = open_library(settings)
    yield library
    library.close()


def filled(library: Library) -> Episode:
    made = library.create("1" * 64, Episode("", "What is 100 %?", "A show", ("Ann",), "2024-05-06", 2.0, "/tmp/a.mp3"))
    library.save_cues(made.id, CUES)
    library.save_chapters(made.id, [Chapter(0, "One")])
    library.save_segments(made.id, [Segment(0, 2, "T", "S")])
    library.save_digest(made.id, Digest("t", "s", ("Why?",)))
    for step in Step:
        library.set_step(made.id, StepState(step, State.DONE, 1.0))
    Queue(library.database).put(library.create("2" * 64, Episode("", "Waits")).id, Source("Waits"), 0.0, 1)
    return library.episode(made.id)


def test_there_and_back_every_export_is_the_same(library: Library, tmp_path: Path) -> None:
    home, back = Library.open(tmp_path / "home"), Library.open(tmp_path / "back")
    episode = filled(home)
    (home.folder / "audio" / "a.m4a").write_bytes(b"sound")
    assert copy_rows(home.database, library.database) == copy_rows(library.database, back.database) == 2
    assert copy_files(home.files, back.files) == 1 and copy_files(home.files, home.files) == 0
    assert (back.folder / "audio" / "a.m4a").read_bytes() == b"sound"
    for other in (library, back):
        assert other.episodes() == home.episodes()
        assert other.cues(episode.id) == CUES
        assert other.overview() == home.overview() and other.version() == home.version()
        assert Queue(other.database).jobs() == Queue(home.database).jobs()
        for form in ("vtt", "srt", "json", "chapters", "markdown"):
            assert export(other, episode, form) == export(home, episode, form)
        with pytest.raises(LibraryError, match="There is a library already"):
            copy_rows(home.database, other.database)
    assert [one.title for one in back.page(9, query="100")] == [one.title for one in library.page(9, query="100")] == [
        episode.title
    ]
    home.close()
    back.close()


def test_the_command_takes_index_and_listeners_along(settings: Settings, demo_dir: Path, tmp_path: Path) -> None:
    def copied(source: Settings, to: str) -> str:
        given = {"EARMARK_DATA_DIR": str(source.data_dir), "EARMARK_DATABASE": source.database}
        done = CliRunner().invoke(main, ["copy", "--to", to], env=given)
        assert done.exit_code == 0, done.output
        return done.stdout

    home, back = Settings(data_dir=tmp_path / "home"), Settings(data_dir=tmp_path / "back")
    library_copy(demo_dir, home.data_dir)
    PlaybackPositions(home.data_dir).note("ann-of-the-kitchen", "e1", 65.5, [(10, 65.5)])
    assert copied(home, settings.database).startswith("Copied 1 episodes, 1 of them with their search index, and 0")
    there = Settings(data_dir=home.data_dir, database=settings.database)
    assert copied(there, str(back.data_dir)).startswith("Copied 1 episodes, 1 of them with their search index, and ")
    stores = [Storage(one) for one in (home, there, back)]
    first, *others = stores
    (episode,) = first.library.episodes()
    for other in others:
        for form in EXPORT_FORMATS:
            assert export(other.library, episode, form) == export(first.library, episode, form)
        with first.index().snapshot() as mine, other.index().snapshot() as theirs:
            passages, same = mine.episode_passages(episode.id), theirs.episode_passages(episode.id)
            assert passages is not None and same is not None and passages.units == same.units > 0
            for rows, again in zip(mine.vectors(passages), theirs.vectors(same), strict=True):
                assert np.abs(rows - again).max() < 1e-3  # half precision
            assert mine.texts(passages, 0, passages.units) == theirs.texts(same, 0, same.units)
            tokens, as_well = mine.token_store(episode.id), theirs.token_store(episode.id)
            assert tokens is not None and as_well is not None and tokens.to_blobs() == as_well.to_blobs()
        other_positions = PlaybackPositions(other.library.folder, other.server)
        assert other_positions.everybody() == PlaybackPositions(home.data_dir).everybody()
    for each in stores:
        each.close()


def test_claims_at_the_same_time_take_different_jobs_and_a_fence_holds(library: Library, settings: Settings) -> None:
    queue = Queue(library.database)
    for number in range(12):
        made = library.create(f"{number:064x}", Episode("", f"Talk {number}"))
        queue.put(made.id, Source("Talk", address="https://x.org/a.mp3"), 0.0)
    others = [open_library(settings) for _ in range(3)]
    taken: list[str] = []

    def claim(other: Library, name: str) -> None:
        while (job := Queue(other.database).claim(name, queue.now())) is not None:
            taken.append(job.episode_id)

    threads = [threading.Thread(target=claim, args=(other, f"w{n}")) for n, other in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == len(set(taken)) == 12
    lost = queue.jobs()[0]
    again = queue.claim("next", queue.now() + 2 * LEASE)
    assert again is not None and again.episode_id == lost.episode_id and again.attempts == 1
    assert not queue.keep(lost, queue.now())
    queue.done(lost)
    assert queue.job(lost.episode_id) is not None
    assert queue.keep(again, queue.now())
    for other in others:
        other.close()


def test_workers_hear_of_work_at_once(library: Library, settings: Settings) -> None:
    other, heard, stopping = open_library(settings), threading.Event(), threading.Event()
    queue = Queue(other.database)
    queue.idle(stopping, 0.01)

    def wait() -> None:
        while queue.claim("me", queue.now()) is None:
            queue.idle(stopping, 0.01)
        heard.set()

    thread = threading.Thread(target=wait)
    thread.start()
    made = library.create("3" * 64, Episode("", "Wanted"))
    Queue(library.database).put(made.id, Source("Wanted"), 0.0)
    assert heard.wait(10)
    stopping.set()
    thread.join(10)
    queue.idle(stopping, 60.0)
    assert Queue(library.database).counts() == {JobState.RUNNING: 1}
    other.close()


def test_what_is_wrong_with_the_server_is_said(settings: Settings, library: Library, tmp_path: Path) -> None:
    with pytest.raises(UnknownEpisode, match="was removed"):
        library.save_cues("nothing", CUES)
    with pytest.raises(LibraryError, match="does not answer"):
        open_library(Settings(data_dir=tmp_path, database="postgresql://earmark:secret@127.0.0.1:1/none"))
    with pytest.raises(LibraryError, match="no version") as caught:
        open_library(Settings(data_dir=tmp_path, database=settings.database.partition("?")[0]))
    assert "earmark migrate" in caught.value.hint
    with pytest.raises(SettingsError, match="no address"):
        open_library(Settings(data_dir=tmp_path, database="mysql://x"))
    assert migrate_tables(settings) == 0
    found = {subject: (state, advice) for subject, state, advice in examined(settings)}
    assert found["tables"] == (f"version {len(MIGRATIONS)} of {len(MIGRATIONS)}", "") and found["database"][1] == ""
    assert "secret" not in str(found)


def test_a_server_that_was_killed_is_used_again_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if postgres.MISSING:
        pytest.skip(postgres.MISSING)
    monkeypatch.setattr("episodes.store.postgres._PATIENCE", 1.0)
    with postgres.running() as server:
        settings = Settings(data_dir=tmp_path, database=server.url)
        assert migrate_tables(settings) == len(MIGRATIONS)
        library = open_library(settings)
        filled(library)
        server.stop(signal.SIGQUIT)
        with pytest.raises(LibraryError, match="does not answer"):
            library.episodes()
        server.start()
        assert len(library.episodes()) == 2
        library.close()
