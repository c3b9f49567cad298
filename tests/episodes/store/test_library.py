# SPDX-License-Identifier: GPL-3.0-or-later
"""The library: what is stored, by whom, and what happens when the disk says no."""

import gc
import multiprocessing
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from episodes.model import Chapter, Cue, Digest, Episode, Segment, State, Step, StepState, Word
from episodes.store import reserve
from episodes.store.library import Library
from episodes.store.migrations import MIGRATIONS
from voice.errors import LibraryError, NoSpace, UnknownEpisode

TALK = Episode("", "Raising the Apprentice", "Second Nature", ("Elias Brandt",), "2024-05-06", 9.5, "/tmp/a.mp3")
CUES = (
    Cue(0.0, 1.5, "Hello “there”.", "Ann", (Word(0.0, 0.5, "Hello", 0.9), Word(0.6, 1.5, "“there”.", 1.0))),
    Cue(1.5, 2.0, "Ça va?"),
)


def content(number: int) -> str:
    return f"{number:064x}"[::-1]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def test_what_is_stored_comes_back(library: Library) -> None:
    made = library.create(content(1), TALK)
    assert made.id == "raising-the-apprentice-100000"
    assert (made.title, made.show, made.guests, made.published) == (TALK.title, TALK.show, TALK.guests, TALK.published)
    assert [step.state for step in made.steps] == [State.WAITING] * len(Step)
    library.save_cues(made.id, CUES)
    library.save_chapters(made.id, [Chapter(0, "One"), Chapter(5, "Two")])
    library.save_segments(made.id, [Segment(0, 5, "T", "S"), Segment(5, 9.5)])
    library.save_digest(made.id, Digest("t", "s", ("Why?", "How?")))
    library.save_audio(made.id, f"audio/{made.id}.m4a", 10.25)
    library.set_step(made.id, StepState(Step.NORMALISED, State.RUNNING, 0.4))
    again = Library.open(library.folder)
    episode = again.episode(made.id)
    assert again.cues(made.id) == CUES
    assert again.chapters(made.id) == (Chapter(0, "One"), Chapter(5, "Two"))
    assert again.segments(made.id) == (Segment(0, 5, "T", "S"), Segment(5, 9.5))
    assert again.digest(made.id) == Digest("t", "s", ("Why?", "How?"))
    assert again.audio_path(episode) == (library.folder / "audio" / f"{made.id}.m4a").resolve()
    assert (episode.seconds, episode.status) == (10.25, "converting audio 40 %")
    library.save_cues(made.id, CUES[1:])
    assert again.cues(made.id) == CUES[1:]


def test_the_same_content_is_one_episode_and_the_newest_comes_first(library: Library) -> None:
    first = library.create(content(1), TALK)
    second = library.create(content(2), TALK)
    assert library.create(content(1), Episode("", "Other")) == first
    assert first.id != second.id
    assert [episode.id for episode in library.episodes()] == [second.id, first.id]
    assert library.by_content(content(2)) == second
    assert library.by_content(content(3)) is None


def test_an_episode_is_found_by_id_beginning_or_title(library: Library) -> None:
    made = library.create(content(1), TALK)
    other = library.create(content(2), Episode("", "Bees"))
    for ref in (made.id, "raising-the", "Raising", "raising the apprentice", " RAISING THE APPRENTICE "):
        assert library.episode(ref) == made
    with pytest.raises(UnknownEpisode, match="Did you mean raising-the-apprentice"):
        library.episode("raising the aprentice")
    with pytest.raises(UnknownEpisode, match="There is no episode"):
        library.episode("xyz")
    with pytest.raises(UnknownEpisode):
        library.episode("")
    library.create(content(3), TALK)
    with pytest.raises(UnknownEpisode, match="fits several episodes"):
        library.episode("raising")
    for read in (library.cues, library.segments, library.chapters, library.digest, library.remove):
        with pytest.raises(UnknownEpisode):
            read("nothing")
    assert library.digest(other.id) == Digest()
    assert library.cues(other.id) == ()


def test_titles_of_any_kind_make_ids_that_can_be_typed(library: Library) -> None:
    titles = ["Größe & Maß!", "日本語", "", "-" * 99]
    made = [library.create(content(number), Episode("", title)).id for number, title in enumerate(titles)]
    assert [name.rsplit("-", 1)[0] for name in made] == ["groe-ma", "episode", "episode", "episode"]
    assert len(set(made)) == 4


def test_removing_takes_everything_but_the_users_file(library: Library, tmp_path: Path) -> None:
    made = library.create(content(1), TALK)
    library.save_cues(made.id, CUES)
    audio = library.folder / "audio" / f"{made.id}.m4a"
    audio.write_bytes(b"x")
    library.save_audio(made.id, f"audio/{made.id}.m4a", 1)
    library.remove(made.id)
    assert not audio.exists()
    assert library.episodes() == []
    with sqlite3.connect(library.folder / "library.db") as database:
        for table in ("steps", "cues", "segments", "chapters", "digests"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_transaction_is_all_or_nothing(library: Library) -> None:
    made = library.create(content(1), TALK)
    with pytest.raises(RuntimeError), library.transaction():
        library.save_cues(made.id, CUES)
        library.save_digest(made.id, Digest("t"))
        raise RuntimeError
    assert library.cues(made.id) == ()
    assert library.digest(made.id) == Digest()
    with pytest.raises(UnknownEpisode, match="was removed"):
        library.save_cues("nothing", CUES)


def test_the_version_changes_with_the_content_for_every_process(library: Library) -> None:
    made = library.create(content(1), TALK)
    other = Library.open(library.folder)
    seen = other.version()
    library.set_step(made.id, StepState(Step.TRANSCRIBED, State.RUNNING, 0.1))
    running = other.version()
    assert running != seen
    library.set_step(made.id, StepState(Step.TRANSCRIBED, State.RUNNING, 0.2))
    assert other.version() == running
    library.save_cues(made.id, CUES)
    assert other.version() != running


def _write(folder: Path, first: int, count: int) -> None:
    library = Library.open(folder)
    for number in range(first, first + count):
        made = library.create(content(number), Episode("", f"Talk {number}"))
        library.save_cues(made.id, CUES)
        library.set_step(made.id, StepState(Step.TRANSCRIBED, State.DONE, 1.0))
    library.close()


def test_two_processes_and_four_threads_write_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write, args=(folder, 100 * number, 25)) for number in range(2)]
    for process in processes:
        process.start()
    library = Library.open(folder)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _write_in(library, 1000 + number), range(40)))
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(library.episodes()) == 90
    assert all(library.cues(episode.id) == CUES for episode in library.episodes())
    library.close()


def _write_in(library: Library, number: int) -> None:
    made = library.create(content(number), Episode("", f"Talk {number}"))
    library.save_cues(made.id, CUES)


def test_threads_that_ended_leave_no_connection(library: Library) -> None:
    for _ in range(20):
        thread = threading.Thread(target=library.episodes)
        thread.start()
        thread.join()
    gc.collect()
    assert len(library.database._connections) < 5


def test_a_damaged_a_newer_and_a_forbidden_library_are_named(tmp_path: Path) -> None:
    for name, raw in (("noise", b"this is no database" * 100),):
        (tmp_path / name).mkdir()
        (tmp_path / name / "library.db").write_bytes(raw)
        with pytest.raises(LibraryError, match=r"library\.db is damaged") as caught:
            Library.open(tmp_path / name)
        assert "Move it away" in caught.value.hint
        assert (tmp_path / name / "library.db").read_bytes() == raw
    Library.open(tmp_path / "newer").close()
    with sqlite3.connect(tmp_path / "newer" / "library.db") as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(LibraryError, match="newer version"):
        Library.open(tmp_path / "newer")
    (tmp_path / "file").write_text("x")
    with pytest.raises(LibraryError, match="Could not make the library folder"):
        Library.open(tmp_path / "file" / "library")


def test_damage_in_the_middle_is_said(library: Library) -> None:
    for number in range(40):
        library.save_cues(library.create(content(number), TALK).id, CUES * 20)
    library.close()
    with sqlite3.connect(library.folder / "library.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (library.folder / "library.db").open("r+b") as file:
        size = file.seek(0, 2)
        for page in range(2, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    with pytest.raises(LibraryError, match="is damaged"):
        again = Library.open(library.folder)
        for episode in again.episodes():
            again.cues(episode.id)


def test_a_full_disk_is_said_and_the_library_stays_whole(small_disk: Path) -> None:
    library = Library.open(small_disk / "library")
    kept = library.create(content(1), TALK)
    library.save_cues(kept.id, CUES)
    large = [Cue(float(n), n + 1.0, "word " * 50) for n in range(200)]
    with pytest.raises(NoSpace, match="The disk is full") as caught:
        for number in range(2, 2000):
            library.save_cues(library.create(content(number), TALK).id, large)
    assert "Free some space" in caught.value.hint
    stored = library.episodes()
    assert library.cues(kept.id) == CUES
    assert all(library.cues(episode.id) in (tuple(large), CUES, ()) for episode in stored)
    library.close()
    subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)
    again = Library.open(small_disk / "library")
    assert [episode.id for episode in again.episodes()] == [episode.id for episode in stored]
    again.save_cues(again.create(content(3000), TALK).id, large)
    with sqlite3.connect(small_disk / "library" / "library.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _filled(disk: Path) -> None:
    with suppress(OSError), (disk / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def test_on_a_full_disk_the_library_can_be_opened_and_made_smaller(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserve, "_PLENTY", reserve.SIZE)
    library = Library.open(small_disk / "library")
    episodes = [library.create(content(number), TALK) for number in range(3)]
    for episode in episodes:
        library.save_cues(episode.id, CUES)
    library.close()
    _filled(small_disk)
    again = Library.open(small_disk / "library")
    assert len(again.episodes()) == 3
    again.remove(episodes[0].id)
    assert len(again.episodes()) == 2
    again.close()
    assert not (small_disk / "library" / reserve.RESERVE_NAME).exists()
    (small_disk / "filling").unlink()
    Library.open(small_disk / "library").close()
    assert (small_disk / "library" / reserve.RESERVE_NAME).stat().st_size == reserve.SIZE


def test_a_folder_that_cannot_be_written_can_be_read(small_disk: Path) -> None:
    library = Library.open(small_disk / "library")
    episode = library.create(content(1), TALK)
    library.save_cues(episode.id, CUES)
    library.close()
    del library
    gc.collect()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    again = Library.open(small_disk / "library")
    assert [one.id for one in again.episodes()] == [episode.id]
    assert again.cues(episode.id) == CUES
    with pytest.raises(LibraryError, match="could not be used") as refused:
        again.remove(episode.id)
    assert "writable" in refused.value.hint
