# SPDX-License-Identifier: GPL-3.0-or-later
"""Who does the work of the queue: claims a job, keeps it while it is done, and says how it ended.

A worker that is killed leaves a lease behind that runs out; whoever comes next goes on after the last finished piece.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import localtime, monotonic, sleep, strftime

from episodes.ingest.pipeline import Ingest, Interrupted, OnStep, Tools, reason_of
from episodes.ingest.status import current
from episodes.ingest.submit import enqueue
from episodes.model import Episode, State, Step, StepState
from episodes.sources import http
from episodes.sources.files import local_source
from episodes.store.jobs import Job, JobState, Queue, worker_name
from episodes.store.library import Library
from voice.errors import DownloadError, EarmarkError, EngineError, LibraryError, NoSpace, UnknownEpisode, WrongDownload

log = logging.getLogger("earmark")

BACKOFF = (10.0, 60.0, 600.0)
"""Seconds until what failed for a reason that may pass is tried again; after the last one it has failed."""

FETCHES = 3
"""So many recordings are fetched at the same time, beside the work on one that is there."""

LOST = 5
"""So many workers in a row may be lost on a job before it has failed: perhaps it is what kills them."""

_BEAT = 1.0  # seconds between two signs of life
_AWAY = 5.0  # seconds after which a server that did not answer is asked again
_LOOK = 0.25  # seconds between two looks at what others do


def _silent(episode: Episode, step: StepState) -> None:
    pass


def add(library: Library, path: Path, tools: Tools, on_step: OnStep = _silent) -> Episode:
    """Take a file into the library, now, and return its episode, ready to be asked; see ``bring_in``.

    The same file again changes nothing; one that broke off goes on where it was.
    """
    return bring_in(library, enqueue(library, local_source(path)), tools, on_step)


def bring_in(
    library: Library,
    episode: Episode,
    tools: Tools,
    on_step: OnStep = _silent,
    left_to_others: Callable[[], bool] = lambda: False,
) -> Episode:
    """Take in an episode that is in the queue, in this process, or wait while another one does; returns it, ready.

    ``on_step`` is told each step as it runs (with its progress) and ends. While ``left_to_others`` the work is followed
    only: a worker with warm models is there.
    A step that fails here is stored as failed, and the error raised; when a file of this machine cannot be taken in at
    all, nothing of it stays.

    Raises AudioError, TranscriptError, HearingError, LibraryError or NoSpace; LibraryError also when it was cancelled.
    """
    queue, told = Queue(library.database), episode
    while True:
        job = None if left_to_others() else queue.claim(worker_name(), queue.now(), episode.id)
        if job is not None:
            try:
                return work_on(library, job, tools, on_step)
            except Exception:
                _forget_unusable(library, job)
                raise
            except Interrupted:
                if queue.job(episode.id) is None:
                    raise LibraryError(f"“{episode.title}” was removed meanwhile.") from None
                continue
        job = queue.job(episode.id)  # before its episode is looked at: a job that is gone leaves the last word there
        now = library.episode(episode.id)
        for before, state in zip(told.steps, now.steps, strict=True):
            if state != before:
                on_step(now, state)
        told = now
        if job is None:
            if now.ready:
                return now
            raise LibraryError(f"Nobody takes in “{now.title}”.", f"Run 'earmark retry {now.id}'.")
        if job.state is JobState.FAILED:
            _forget_unusable(library, job)
            raise EarmarkError(next(step.reason for step in now.steps if step.state is State.FAILED))
        if job.state is JobState.CANCELLED:
            raise LibraryError(f"“{now.title}” was cancelled.", f"Run 'earmark retry {now.id}' to go on.")
        sleep(_LOOK)


def run(
    library: Library, tools: Tools, stopping: threading.Event, idle: float | None = None, on_step: OnStep = _silent
) -> None:
    """Work on the queue until ``stopping`` is set, or until there was nothing to do for ``idle`` seconds.

    What fails is stored as failed, or tried again later when the reason may pass, and the next one is taken. What has
    to be fetched is fetched in threads, so that a host that sends a byte now and then keeps nobody waiting.
    """
    queue, name = Queue(library.database), worker_name()
    adopt(library)
    quiet = monotonic()
    fetching: list[threading.Thread] = []

    def take(job: Job, fetch_only: bool = False) -> None:
        with suppress(Interrupted):
            try:
                work_on(library, job, tools, on_step, stopping, patient=True, fetch_only=fetch_only)
            except EarmarkError as error:
                log.warning("%s: %s", job.source.title, error)
            except Exception:
                log.exception("%s could not be taken in", job.source.title)

    try:
        while not stopping.is_set():
            fetching = [thread for thread in fetching if thread.is_alive()]
            try:
                job = queue.claim(name, queue.now(), fetched=len(fetching) >= FETCHES)
            except LibraryError as error:
                if library.database.one_machine:
                    raise
                log.warning("%s", error)  # a server may be restarted while its workers go on
                stopping.wait(_AWAY)
                continue
            if job is None:
                quiet = monotonic() if fetching else quiet
                if idle is not None and monotonic() - quiet > idle:
                    return
                queue.idle(stopping, _LOOK)
            elif job.source.is_away:
                fetching.append(threading.Thread(target=take, args=(job, True), name="earmark-fetch"))
                fetching[-1].start()
            else:
                take(job)
                quiet = monotonic()
    finally:
        for thread in fetching:
            thread.join()


def work_on(
    library: Library,
    job: Job,
    tools: Tools,
    on_step: OnStep = _silent,
    stopping: threading.Event | None = None,
    patient: bool = False,
    fetch_only: bool = False,
) -> Episode:
    """Do a job that was claimed, and give it back however it ends; returns the episode, ready.

    ``patient``: what fails for a reason that may pass waits to be tried again, and what is wanted more goes first.
    ``fetch_only``: what is fetched is left for another to go on with; the episode is then not ready.
    Raises Interrupted when ``stopping`` is set or the job is no longer ours, and whatever made a step fail.
    """
    queue = Queue(library.database)
    try:
        if job.attempts >= LOST:
            raise LibraryError(
                f"{job.attempts} workers in a row were lost on it.",
                f"Perhaps it needs more memory than there is; 'earmark retry {job.episode_id}' tries again.",
            )
        with _kept(queue, job, stopping or threading.Event(), patient) as check:
            return Ingest(library, job, tools, on_step, check).run(fetch_only)
    except Exception as error:
        if not _there(library, job):
            library.clear_files(job.episode_id)
            raise Interrupted from error
        with suppress(LibraryError):  # the disk may be full: the error itself is what has to be seen
            _failed(library, queue, job, error, patient)
        raise
    except BaseException:
        if _there(library, job):
            queue.release(job)
        else:
            library.clear_files(job.episode_id)
        raise


def cancel(library: Library, episode: Episode) -> None:
    """Stop the work on an episode, or keep it from being begun; what was finished is kept.

    Raises LibraryError when there is no work on it.
    """
    with library.transaction():
        if not Queue(library.database).cancel(episode.id):
            raise LibraryError(f"There is no work on “{episode.title}” ({episode.status}).")
        step = current(library.episode(episode.id))
        library.set_step(episode.id, StepState(step.step, State.CANCELLED, step.progress))


def retry(library: Library, episode: Episode) -> Episode:
    """Put an episode that failed, was cancelled or was left lying into the queue again.

    Raises LibraryError when it is ready, or when what it came from is no longer there.
    """
    if episode.finished:
        raise LibraryError(f"“{episode.title}” is ready.", "There is nothing to do again.")
    queue = Queue(library.database)
    job = queue.job(episode.id)
    source = job.source if job is not None else local_source(Path(episode.source))
    with library.transaction():
        for step in episode.steps:
            if step.state in (State.FAILED, State.CANCELLED):
                library.set_step(episode.id, StepState(step.step))
        queue.put(episode.id, source, queue.now())
    return library.episode(episode.id)


def adopt(library: Library) -> None:
    """Put episodes into the queue that were begun before there was one, when what they came from is still there."""
    for name in library.left_lying():
        episode = library.by_id(name)
        if episode is None or any(step.state in (State.FAILED, State.CANCELLED) for step in episode.steps):
            continue
        try:
            retry(library, episode)
        except EarmarkError as error:
            library.set_step(name, StepState(current(episode).step, State.FAILED, reason=reason_of(error)))


@contextmanager
def _kept(queue: Queue, job: Job, stopping: threading.Event, yielding: bool) -> Iterator[Callable[[Step], None]]:
    """Keep a job by signs of life while it is worked on; gives what raises Interrupted when it is to be broken off."""
    lost, wanted, over = threading.Event(), threading.Event(), threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT):
            try:
                if not queue.keep(job, queue.now()):
                    lost.set()
                    return
                if yielding and queue.wanted_more(job, queue.now()):
                    wanted.set()
            except LibraryError as error:  # a full or busy disk: the lease holds for a while without us
                log.warning("%s", error)

    def check(step: Step) -> None:
        # Between two pieces of a transcription nothing is lost; other steps would have to begin again.
        if lost.is_set() or stopping.is_set() or (wanted.is_set() and step is Step.TRANSCRIBED):
            raise Interrupted

    heart = threading.Thread(target=beat, name="earmark-lease", daemon=True)
    heart.start()
    try:
        yield check
    finally:
        over.set()
        heart.join()


def _failed(library: Library, queue: Queue, job: Job, error: Exception, patient: bool) -> None:
    """Store that a job failed: it waits to be tried again, or it is over."""
    now = queue.job(job.episode_id)
    tried = now.attempts if now is not None else 0
    step = current(library.episode(job.episode_id))
    if patient and _may_pass(error) and tried < len(BACKOFF):
        due = queue.now() + BACKOFF[tried]
        again = strftime("%H:%M:%S", localtime(due))
        with library.transaction():
            library.set_step(job.episode_id, StepState(step.step, reason=f"tried again at {again}; {reason_of(error)}"))
            queue.release(job, due)
        return
    with library.transaction():
        library.set_step(job.episode_id, StepState(step.step, State.FAILED, step.progress, reason_of(error)))
        queue.release(job, failed=True)


def _forget_unusable(library: Library, job: Job) -> None:
    """Remove an episode whose file, on this machine, cannot be taken in at all: somebody is there to be told why."""
    with suppress(UnknownEpisode):
        begun = library.episode(job.episode_id).steps[list(Step).index(Step.NORMALISED)].state is State.DONE
        if not begun and not job.source.address:
            library.remove(job.episode_id)


def _may_pass(error: Exception) -> bool:
    """True for what can be otherwise the next time, with nobody doing anything: the network, a busy database.

    What a server refuses for good (not found, for subscribers only, redirects in a circle) and what is refused here
    (a page in place of a recording) stays as it is.
    """
    if isinstance(error, DownloadError):
        return not isinstance(error, WrongDownload) and _network_trouble(error.__cause__)
    return isinstance(error, EngineError | OSError) or (
        isinstance(error, LibraryError) and not isinstance(error, NoSpace | UnknownEpisode)
    )


def _network_trouble(cause: BaseException | None) -> bool:
    """True when it may go away by itself."""
    status = http.status_of(cause)
    if status:
        return status >= 500 or status in (408, 425, 429)
    return not http.is_endless(cause) and not http.is_no_address(cause)


def _there(library: Library, job: Job) -> bool:
    return Queue(library.database).job(job.episode_id) is not None
