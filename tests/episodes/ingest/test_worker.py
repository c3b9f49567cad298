# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue and who works on it: nothing is lost, nothing is done twice, and people are told how long it takes."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep, time

import pytest

from episodes.ingest import worker
from episodes.ingest.eta import remaining
from episodes.ingest.pipeline import Tools
from episodes.ingest.status import in_words, outlook
from episodes.ingest.submit import enqueue
from episodes.model import Episode, Source, State, Step, StepState
from episodes.sources.files import local_source
from episodes.sources.http import Net
from episodes.sources.resolve import gather
from episodes.store.jobs import LEASE, JobState, Queue, worker_name
from episodes.store.library import Library
from episodes.topics.cohesion import Embed
from tests.episodes.ingest.test_pipeline import CUES, LENGTH, SAID, Recogniser
from tests.episodes.tones import write_tones
from tests.postgres import AT_HOME
from ui.settings import Settings
from ui.storage import open_library
from voice.errors import DownloadError, EarmarkError, LibraryError
from voice.model import Bias, Piece


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Iterator[Library]:
    """Of each engine."""
    library = open_library(Settings(data_dir=tmp_path / "library", database=database_url))
    yield library
    library.close()


def source(folder: Path, name: str) -> Source:
    """A transcript of its own."""
    path = folder / f"{name}.srt"
    path.write_text("".join(
        f"{number + 1}\n00:00:{cue.start:02.0f},000 --> 00:00:{cue.end:02.0f},000\n{cue.text} {name}\n\n"
        for number, cue in enumerate(CUES[:6])
    ))  # fmt: skip
    return local_source(path)


@pytest.fixture
def tools(embed: Embed) -> Tools:
    return Tools(hearing=lambda: Recogniser(CUES), embed=embed, index=lambda episode, cues: None)


def until(true: "object", seconds: float = 60.0) -> None:
    deadline = monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert monotonic() < deadline
        sleep(0.01)


class Slow(Recogniser):
    """A recogniser that waits to be let on before each sentence."""

    def __init__(self) -> None:
        super().__init__(CUES)
        self.go, self.at = threading.Semaphore(0), 0

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        for piece in super().transcribe(path, bias, since):
            self.at += 1
            assert self.go.acquire(timeout=20)
            yield piece


def test_many_workers_never_do_the_same_job(library: Library, tools: Tools, tmp_path: Path) -> None:
    done: list[str] = []
    counted = replace(tools, index=lambda episode, cues: done.append(episode.id))
    wanted = [enqueue(library, source(tmp_path, f"talk {number}")).id for number in range(8)]
    workers = [
        threading.Thread(target=worker.run, args=(library, counted, threading.Event(), 0.3)) for _ in range(4)
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join(30)
    assert sorted(done) == sorted(wanted)
    assert Queue(library.database).jobs() == []
    assert all(episode.ready for episode in library.episodes())


def test_a_file_that_only_this_machine_has_is_brought_to_all(
    postgres_url: str, tools: Tools, tmp_path: Path
) -> None:
    shared = open_library(Settings(data_dir=tmp_path / "library", database=postgres_url))
    here = source(tmp_path, "bees")
    episode = enqueue(shared, here)
    assert here.transcript is not None and shared.source(episode.id).transcript != here.transcript
    here.transcript.unlink()
    worker.run(shared, tools, threading.Event(), 0.0)
    assert shared.episode(episode.id).ready and shared.episode(episode.id).source == str(here.transcript)
    assert not shared.fetched_folder(episode.id).exists()
    shared.close()


def test_what_is_wanted_most_goes_first(library: Library, tools: Tools, tmp_path: Path) -> None:
    queue = Queue(library.database)
    first, second, third = (enqueue(library, source(tmp_path, name)) for name in ("a", "b", "c"))
    asked = enqueue(library, source(tmp_path, "d"), priority=1)
    assert [job.episode_id for job in queue.jobs()] == [asked.id, first.id, second.id, third.id]
    queue.hurry(third.id)
    queue.hurry(third.id)
    assert [work.episode_id for work in outlook(library, time())] == [third.id, asked.id, first.id, second.id]
    assert [work.before for work in outlook(library, time())] == [0, 1, 2, 3]
    done: list[str] = []
    worker.run(library, replace(tools, index=lambda episode, _: done.append(episode.id)), threading.Event(), 0.0)
    assert done == [third.id, asked.id, first.id, second.id]


@AT_HOME
def test_a_transcription_gives_way_and_goes_on_after_its_last_piece(
    library: Library, tools: Tools, tmp_path: Path
) -> None:
    slow, stopping, done = Slow(), threading.Event(), []
    long = enqueue(library, local_source(write_tones(tmp_path / "long.wav", "pcm_s16le", LENGTH, 8_000)))
    at_work = replace(tools, hearing=lambda: slow, index=lambda episode, _: done.append(episode.id))
    thread = threading.Thread(target=worker.run, args=(library, at_work, stopping, 0.5))
    thread.start()
    until(lambda: slow.at == 2 or not slow.go.release())
    urgent = enqueue(library, source(tmp_path, "urgent"), priority=5)
    until(lambda: done == [urgent.id] or slow.go.release() or sleep(0.4))
    for _ in SAID:
        slow.go.release()
    thread.join(20)
    assert done == [urgent.id, long.id]
    assert len(slow.heard) <= len(SAID) + 1  # nothing twice but the piece in flight
    assert [cue.text for cue in library.cues(long.id)] == SAID


def test_cancel_stops_a_running_job_and_retry_goes_on(library: Library, tools: Tools, tmp_path: Path) -> None:
    slow, stopping = Slow(), threading.Event()
    episode = enqueue(library, local_source(write_tones(tmp_path / "long.wav", "pcm_s16le", LENGTH, 8_000)))
    at_work = replace(tools, hearing=lambda: slow)
    thread = threading.Thread(target=worker.run, args=(library, at_work, stopping))
    thread.start()
    slow.go.release()
    slow.go.release()
    until(lambda: len(library.pieces(episode.id, "told")) == 2)
    worker.cancel(library, library.episode(episode.id))
    assert library.episode(episode.id).status == "cancelled"
    slow.go.release()
    sleep(0.5)
    assert library.episode(episode.id).status == "cancelled"
    assert len(library.pieces(episode.id, "told")) == 2  # what came after the cancel is not stored
    with pytest.raises(LibraryError, match="There is no work"):
        worker.cancel(library, library.episode(episode.id))
    for _ in SAID:
        slow.go.release()
    worker.retry(library, library.episode(episode.id))
    until(lambda: library.episode(episode.id).ready)
    with pytest.raises(LibraryError, match="is ready"):
        worker.retry(library, library.episode(episode.id))
    stopping.set()
    thread.join(10)
    assert [cue.text for cue in library.cues(episode.id)] == SAID
    assert len(slow.heard) == len(SAID) + 1


@AT_HOME
def test_what_a_slow_host_sends_keeps_nobody_waiting(library: Library, tools: Tools, tmp_path: Path) -> None:
    stalled, stopping, ready = threading.Event(), threading.Event(), threading.Event()

    def fetch(source: Source, folder: Path, on_progress: Callable[[float], None]) -> Source:
        if source.title == "quick":
            return replace(source, transcript=talk.transcript)
        stalled.set()
        while True:
            on_progress(0.1)
            sleep(0.01)

    talk = source(tmp_path, "fetched")
    at_work = replace(tools, index=lambda episode, _: ready.set() if last in episode.id else None, fetch=fetch)
    slow = [enqueue(library, Source("slow", address=f"https://example.org/{n}.mp3"), 5) for n in range(worker.FETCHES)]
    later = enqueue(library, Source("quick", address="https://example.org/quick.mp3"), 1)
    last = enqueue(library, source(tmp_path, "here")).id
    thread = threading.Thread(target=worker.run, args=(library, at_work, stopping))
    thread.start()
    try:
        assert stalled.wait(20)
        assert ready.wait(20), "what lies on this machine is not kept waiting"
        assert not library.episode(later.id).ready
        worker.cancel(library, library.episode(slow[0].id))
        until(lambda: library.episode(later.id).ready)
        assert [library.episode(one.id).status for one in slow] == ["cancelled", "fetching 10 %", "fetching 10 %"]
    finally:
        stopping.set()
        thread.join(20)
    assert not thread.is_alive()
    assert [job.state for job in Queue(library.database).jobs()] == [JobState.WAITING] * 2 + [JobState.CANCELLED]


def test_a_job_of_a_dead_worker_is_taken_over_and_given_up_after_a_while(
    library: Library, tools: Tools, tmp_path: Path
) -> None:
    queue, now = Queue(library.database), time()
    episode = enqueue(library, source(tmp_path, "a"))
    mine = queue.claim(worker_name(), now)
    assert mine is not None
    assert queue.claim("elsewhere:1:b", now + 1) is None  # somebody is at it
    assert queue.keep(mine, now + LEASE - 1)
    assert queue.claim("elsewhere:1:b", now + LEASE + 1) is None
    late = now + 2 * LEASE
    for attempt in range(1, worker.LOST):
        taken = queue.claim(f"elsewhere:1:{attempt}", late)
        assert taken is not None
        assert taken.attempts == attempt
        late += LEASE + 1
    assert not queue.keep(mine, late)
    ours = queue.claim(worker_name(), late)
    assert ours is not None
    with pytest.raises(LibraryError, match="5 workers in a row were lost"):
        worker.work_on(library, ours, tools)
    assert library.episode(episode.id).status.startswith("failed: 5 workers in a row were lost on it")
    worker.retry(library, library.episode(episode.id))
    worker.run(library, tools, threading.Event(), 0.0)
    assert library.episode(episode.id).ready


def test_the_network_is_tried_again_later_and_given_up_in_the_end(
    library: Library, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def fetch(source: Source, folder: Path, on_progress: object) -> Source:
        tried.append(time())
        raise DownloadError("example.org does not answer.", "Try again later.")

    monkeypatch.setattr(worker, "BACKOFF", (0.2, 0.4))
    episode = enqueue(library, Source("Far away", address="https://example.org/a.mp3"))
    waiting = replace(tools, fetch=fetch)
    thread = threading.Thread(target=worker.run, args=(library, waiting, threading.Event(), 2.0))
    thread.start()
    until(lambda: len(tried) == 1)
    until(lambda: "tried again at" in library.episode(episode.id).status)
    assert "example.org does not answer" in outlook(library, time())[0].reason
    thread.join(20)
    assert len(tried) == 3
    assert tried[1] - tried[0] >= 0.2
    assert tried[2] - tried[1] >= 0.4
    assert library.episode(episode.id).status == "failed: example.org does not answer. Try again later."
    with pytest.raises(EarmarkError, match="does not answer"):
        worker.bring_in(library, enqueue(library, Source("Far away", address="https://example.org/a.mp3")), waiting)


def test_a_follower_hears_what_another_does(library: Library, tools: Tools, tmp_path: Path) -> None:
    episode = enqueue(library, source(tmp_path, "a"))
    seen: list[tuple[Step, State]] = []
    thread = threading.Thread(target=worker.run, args=(library, tools, threading.Event(), 1.0))
    thread.start()
    ready = worker.bring_in(library, episode, tools, lambda _, step: seen.append((step.step, step.state)), lambda: True)
    thread.join(20)
    assert ready.ready
    assert (Step.INDEXED, State.DONE) in seen


def test_an_unusable_file_leaves_nothing_when_another_took_it(library: Library, tools: Tools, tmp_path: Path) -> None:
    talk = write_tones(tmp_path / "a.wav", "pcm_s16le", 5, 8_000)
    episode = enqueue(library, local_source(talk))
    waiting = library.source(episode.id).audio
    assert waiting is not None
    waiting.write_bytes(b"no sound")
    worker.run(library, tools, threading.Event(), 0.0)
    assert "failed" in library.episode(episode.id).status
    with pytest.raises(EarmarkError, match="not audio that can be decoded"):
        worker.bring_in(library, episode, tools, left_to_others=lambda: True)
    assert library.episodes() == []


def test_how_long_it_takes_comes_from_what_was_measured(library: Library, tools: Tools, tmp_path: Path) -> None:
    queue = Queue(library.database)
    talk = local_source(write_tones(tmp_path / "a.wav", "pcm_s16le", 60, 8_000))
    episode = enqueue(library, talk)
    assert outlook(library, time())[0].eta is None  # nothing was measured yet
    queue.measured(Step.NORMALISED, 1.0, 100.0)
    queue.measured(Step.TRANSCRIBED, 50.0, 100.0)
    assert outlook(library, time())[0].eta == pytest.approx(0.6 + 30, rel=0.01)
    queue.measured(Step.TRANSCRIBED, 25.0, 100.0)  # it goes faster now
    speeds = queue.speeds()
    assert speeds[Step.TRANSCRIBED] == pytest.approx(50 / 150)
    half = remaining(episode, Step.TRANSCRIBED, 0.5, 0.0, 5.0, False, speeds)
    assert half == pytest.approx(5.0)  # its own speed tells more than others'
    job = queue.claim(worker_name(), time())
    assert job is not None
    queue.note(job, 42.0, time())
    assert outlook(library, time() + 2)[0].eta == pytest.approx(40, abs=0.5)
    library.set_step(episode.id, StepState(Step.NORMALISED, State.DONE, 1.0))
    worker.run(library, tools, threading.Event(), 0.0)


@pytest.mark.parametrize(("seconds", "said"), [
    (3, "a few seconds"), (31, "about 30 s"), (58, "about 1 min"), (200, "about 3 min"), (4000, "about 1 h 5 min"),
    (7200, "about 2 h 0 min"), (40_000, "about 11 h"),
])  # fmt: skip
def test_a_stretch_of_time_in_words(seconds: float, said: str) -> None:
    assert in_words(seconds) == said


def test_workers_have_names_that_tell_where_they_are() -> None:
    assert worker_name() != worker_name()
    assert f":{os.getpid()}:" in worker_name()
    assert Episode("a", "A").status == "waiting"
    assert JobState.RUNNING == "running"


@AT_HOME
def test_a_file_whose_name_is_not_utf_8_comes_in_with_what_lies_beside_it(
    library: Library, tools: Tools, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    talk = folder / os.fsdecode(b"Caf\xe9 Gespr\xe4ch.wav")
    write_tones(tmp_path / "a.wav", "pcm_s16le", 40, 8_000).rename(talk)
    source(tmp_path, "a")
    (tmp_path / "a.srt").rename(talk.with_suffix(".srt"))
    (given,) = gather(str(folder), Net()).sources
    assert given.transcript == talk.with_suffix(".srt")
    episode = enqueue(library, given)
    assert library.source(episode.id) == given
    assert worker.bring_in(library, episode, tools).ready
    (stored,) = library.episodes()
    assert (stored.title, stored.source) == ("Café Gespräch", str(folder / talk.name).encode(
        "utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))  # fmt: skip


def test_half_a_letter_in_what_a_publisher_wrote_is_left_out(library: Library) -> None:
    episode = enqueue(library, Source("Bees \ud83d and hives", address="https://example.org/a.mp3", notes="\udce9"))
    assert set(library.source(episode.id).notes) == {"\ufffd"}
    assert library.source(episode.id).title.endswith(" and hives")


def test_the_same_relative_name_in_three_folders_is_three_files_wherever_the_worker_stands(
    library: Library, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {}
    for name in ("north", "south", "west"):
        (tmp_path / name).mkdir()
        source(tmp_path / name, "talk")
        (tmp_path / name / "talk.srt").write_text((tmp_path / name / "talk.srt").read_text().replace("talk", name))
        monkeypatch.chdir(tmp_path / name)
        (found,) = gather("talk.srt", Net()).sources
        given[name] = enqueue(library, found).id
    (tmp_path / "talk.srt").write_text("another one")
    monkeypatch.chdir(tmp_path)
    worker.run(library, tools, threading.Event(), 0.0)
    for name, episode in given.items():
        assert library.episode(episode).source == str(tmp_path / name / "talk.srt")
        assert all(name in cue.text for cue in library.cues(episode))
