# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of an episode into the library.

Each step is stored, with what it made, in one transaction as it ends, so that what was done is never done again,
whenever the work is broken off.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from episodes.ingest.eta import remaining
from episodes.ingest.submit import audio_lost
from episodes.media import artwork
from episodes.media.recordings import normalise, read_lyrics
from episodes.model import Cue, Episode, Source, State, Step, StepState
from episodes.store.jobs import Job, Queue, save_source
from episodes.store.library import Library, audio_name
from episodes.text.keywords import keywords
from episodes.text.language import language_of
from episodes.topics.cohesion import Embed
from episodes.topics.llm_summary import Writer, written
from episodes.topics.segmentation import segment
from episodes.topics.summary import digest
from episodes.transcripts.confined_transcripts import load_transcript, read_transcript
from episodes.transcripts.decoding import readable
from episodes.transcripts.fit import misfit
from episodes.transcripts.fixes import fitted, name_speakers
from episodes.transcripts.html_and_text import has_times
from episodes.transcripts.tables import is_lrc
from voice.errors import EarmarkError, HearingError, LibraryError, TranscriptError
from voice.model import Bias

if TYPE_CHECKING:
    from voice.diarization import Speakers
    from voice.recognition.choice import Hearing

OnStep = Callable[[Episode, StepState], None]
Progress = Callable[[float], None]
_PIECE = 128  # texts that are embedded between two signs of progress
_TELLING = 60.0  # seconds of sound from which on the time of a step tells how long others take: it is not mostly start
_NOTED = 0.5  # seconds between two stored progress values; each is a write that other processes wait for


def _nothing_to_fetch_with(source: Source, folder: Path, on_progress: Progress) -> Source:
    raise LibraryError(f"“{source.title}” is not on this machine.", "Download it, then add the file.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What ingest needs from the rooms above and from the engines, handed in.

    ``hearing`` gives the recogniser (called only when an episode has no transcript); ``embed`` turns n texts into
    float32 (n, d) unit rows; ``index`` makes an episode with its cues searchable, replacing what was there; ``fetch``
    brings a source's files into a folder and returns the source with their paths; ``ask`` tells where in a transcript
    each of some questions is answered (seconds, None for nowhere); ``writer`` gives the language model that writes the
    digest, None when it stays in the speakers' own words; ``speakers`` gives what tells speakers apart by their voices,
    for transcripts that name none, None when nothing does; ``telling`` has a step told which share (0..1) of what is
    embedded in it is done.
    """

    hearing: Callable[[], "Hearing"]
    embed: Embed
    index: Callable[[Episode, tuple[Cue, ...]], None]
    fetch: Callable[[Source, Path, Progress], Source] = _nothing_to_fetch_with
    ask: Callable[[Sequence[Cue], Sequence[str]], Sequence[float | None]] | None = None
    writer: Callable[[], Writer | None] = lambda: None
    speakers: Callable[[], "Speakers | None"] = lambda: None
    telling: Callable[[Progress], AbstractContextManager[None]] = lambda progress: nullcontext()


def _at_hand(library: Library, job: Job) -> Source:
    """The source of a job with its files on this machine."""
    source, name = job.source, job.episode_id
    return replace(
        source, audio=source.audio and library.at_hand(name, source.audio),
        transcript=source.transcript and library.at_hand(name, source.transcript),
    )


class Ingest:
    """Takes one job through the steps that are left.

    ``check`` is called often, with the step at hand: it raises when the work is to be broken off. Whatever is stored
    is stored only while the job is still its worker's; else the work is broken off with Interrupted.
    """

    def __init__(
        self, library: Library, job: Job, tools: Tools, on_step: OnStep, check: Callable[[Step], None]
    ) -> None:
        self.library = library
        self.queue = Queue(library.database)
        self.job = job
        self.source = _at_hand(library, job)
        self.tools = replace(tools, embed=_remembering(tools.embed))  # topics and digest look at the same sentences
        self._on_step = on_step
        self._check = check
        self._speeds = self.queue.speeds()

    def run(self, fetch_only: bool = False) -> Episode:
        """Do all that is left, or only fetch what is away, and return the episode.

        A step that fails is stored as failed with its reason, and the error raised; one that is broken off waits.
        """
        episode = self.library.episode(self.job.episode_id)
        works: dict[Step, _Work] = {
            Step.FETCHED: self._fetch,
            Step.NORMALISED: self._normalise,
            Step.TRANSCRIBED: self._transcribe,
            Step.SEGMENTED: self._segment,
            Step.DIGESTED: self._digest,
            Step.INDEXED: self._index,
        }
        for step, work in works.items():
            done = next(state for state in episode.steps if state.step is step).state is State.DONE
            if not done or (step is Step.NORMALISED and audio_lost(self.library, episode)):
                episode = self._do(episode, step, work)
            if fetch_only:
                self.queue.release(self.job)
                return episode
        self.queue.done(self.job)
        self.library.clear_fetched(episode.id)
        return episode

    def _do(self, episode: Episode, step: Step, work: "_Work") -> Episode:
        """Do one step and store how it went; returns the episode as it then is."""
        began = noted = monotonic()
        begun_at: float | None = None
        given = self.source.transcript is not None

        def tell(state: StepState) -> Episode:
            now = self.library.episode(episode.id)
            self._on_step(now, state)
            return now

        def progress(fraction: float) -> None:
            nonlocal noted, begun_at
            self._check(step)
            done = min(1.0, max(0.0, fraction))
            begun_at = done if begun_at is None else begun_at
            state = StepState(step, State.RUNNING, done)
            if monotonic() - noted >= _NOTED:
                noted = monotonic()
                with self._while_mine():
                    self.library.set_step(episode.id, state)
                    rest = remaining(episode, step, done, begun_at, noted - began, given, self._speeds)
                    self.queue.note(self.job, rest, self.queue.now())
            tell(state)

        try:
            with self._while_mine():
                self.library.set_step(episode.id, StepState(step, State.RUNNING))
                self.queue.note(self.job, remaining(episode, step, 0, 0, 0, given, self._speeds), self.queue.now())
            tell(StepState(step, State.RUNNING))
            self._check(step)
            made = work(episode, progress)
            self._check(step)
            with self._while_mine():
                made.store()
                state = StepState(step, State.DONE, 1.0, made.remark)
                self.library.set_step(episode.id, state)
                self.queue.progressed(self.job)
                if made.measured and (begun_at or 0) < 0.5:
                    sound = self.library.episode(episode.id).seconds * (1 - (begun_at or 0))
                    if sound >= _TELLING:
                        self.queue.measured(step, monotonic() - began, sound)
            return tell(state)
        except BaseException as error:
            # The disk may be full, so that this cannot be stored either: the error itself is what has to be seen.
            with suppress(LibraryError, Interrupted), self._while_mine():
                failed = isinstance(error, Exception)
                reason = reason_of(error) if failed else ""
                self.library.set_step(
                    episode.id, StepState(step, State.FAILED if failed else State.WAITING, reason=reason)
                )
            raise

    @contextmanager
    def _while_mine(self) -> Iterator[None]:
        """A transaction, in which the job is still this worker's. Raises Interrupted when it is not."""
        with self.library.transaction():
            if not self.queue.keep(self.job, self.queue.now()):
                raise Interrupted
            yield

    # the steps

    def _fetch(self, episode: Episode, progress: Progress) -> "_Made":
        if self.source.audio is not None or self.source.transcript is not None:
            return _Made(measured=False)
        self.source = self.tools.fetch(self.source, self.library.fetched_folder(episode.id), progress)
        self.library.share_fetched(episode.id)
        fetched = self.source
        return _Made(lambda: save_source(self.library.database, episode.id, fetched), fetched.remark, measured=False)

    def _normalise(self, episode: Episode, progress: Progress) -> "_Made":
        source, library = self.source, self.library
        if source.audio is None:
            end = max(cue.end for cue in read_transcript(_transcript(source), source.seconds, lambda: progress(0)))

            def store_end() -> None:
                library.save_audio(episode.id, "", end)
                library.save_chapters(episode.id, tuple(one for one in source.chapters if one.start < end))

            return _Made(store_end, measured=False)
        audio = audio_name(episode.id)
        seconds = normalise(source.audio, library.folder / audio, progress)
        fetched = library.at_hand(episode.id, library.fetched_folder(episode.id) / artwork.FETCHED)
        library.files.put(audio, library.folder / audio)
        if artwork.keep_picture(library.folder, episode.id, source.audio, fetched):
            library.files.put(artwork.name_of(episode.id), artwork.path_of(library.folder, episode.id))

        def store() -> None:
            library.save_audio(episode.id, audio, round(seconds, 3))
            inside = source.probe.chapters if source.probe else ()
            chapters = inside or source.chapters
            library.save_chapters(episode.id, tuple(one for one in chapters if one.start < seconds))

        return _Made(store)

    def _transcribe(self, episode: Episode, progress: Progress) -> "_Made":
        library = self.library
        episode = library.episode(episode.id)
        left_out = ""
        transcript = self.source.transcript or self._lyrics(episode)
        if transcript is not None:
            try:
                read = load_transcript(transcript, episode.seconds, lambda: progress(0))
                given = read.cues
                left_out = misfit(given, episode.seconds) if episode.audio else ""
            except TranscriptError as error:
                if not episode.audio:
                    raise
                left_out = error.message
            if not left_out:
                inside = self.source.probe is not None and self.source.probe.chapters
                chapters = () if inside else self.source.chapters  # those of the file keep its own time
                audio = library.audio_path(episode)
                mended = fitted(episode, audio, given, chapters, self.tools.hearing, lambda: progress(0.5))
                told_apart, unnamed = name_speakers(audio, mended.cues, self.tools.speakers, lambda: progress(0.9))

                def store_given() -> None:
                    library.save_cues(episode.id, told_apart)
                    library.save_language(episode.id, language_of(cue.text for cue in told_apart))
                    if mended.chapters:
                        library.save_chapters(episode.id, mended.chapters)

                return _Made(store_given, " ".join(filter(None, (read.remark, mended.remark, unnamed))), measured=False)
            left_out = f"The transcript {transcript.name} was left out: {left_out}"
        audio = library.audio_path(episode)
        if audio is None:
            raise LibraryError(f"“{episode.title}” has neither audio nor a transcript.", "Remove it and add it again.")
        recogniser = self.tools.hearing()
        kept = library.pieces(episode.id, recogniser.name)
        if not kept:
            library.clear_pieces(episode.id)
        since = kept[-1].end if kept else 0.0
        progress(since / episode.seconds if episode.seconds else 0.0)
        names = keywords(episode.title, episode.show, episode.guests, self.source.notes)
        bias, language = Bias(names, language=episode.language), episode.language
        for piece in recogniser.transcribe(audio, bias, since):
            with self._while_mine():
                if piece.language and piece.language != language:
                    language = piece.language
                    library.save_language(episode.id, language)
                library.add_piece(episode.id, recogniser.name, replace(piece, language=""))
                self.queue.progressed(self.job)
            progress(piece.end / episode.seconds if episode.seconds else 0.0)
        heard = library.pieces(episode.id, recogniser.name)
        cues = [cue for piece in heard for cue in piece.cues if cue.text.strip()]
        if not cues:
            library.clear_pieces(episode.id)
            raise HearingError(
                f"No speech was found in “{episode.title}”.",
                "Put a transcript (VTT, SRT or JSON) of the same name beside the file, then add it again.",
            )

        told_apart, unnamed = name_speakers(audio, cues, self.tools.speakers, lambda: progress(0.99))

        def store() -> None:
            library.save_cues(episode.id, told_apart)
            if not language:
                library.save_language(episode.id, language_of(cue.text for cue in told_apart))
            library.clear_pieces(episode.id)

        return _Made(store, f"{left_out} {unnamed}".strip())

    def _lyrics(self, episode: Episode) -> Path | None:
        """The transcript that stands in the recording's own lyrics tag, as a file, when there are times in it."""
        if self.source.audio is None or (self.source.probe is not None and not self.source.probe.has_lyrics):
            return None
        try:
            text = readable(read_lyrics(self.source.audio))
            if not text or not (has_times(text) or is_lrc(text) or "-->" in text):
                return None
            folder = self.library.fetched_folder(episode.id)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "lyrics.txt").write_text(text, "utf-8")
            return folder / "lyrics.txt"
        except (EarmarkError, OSError):
            return None

    def _segment(self, episode: Episode, progress: Progress) -> "_Made":
        embed = _reporting(self.tools.embed, progress)
        segments = segment(self.library.cues(episode.id), embed, self.library.chapters(episode.id))
        return _Made(lambda: self.library.save_segments(episode.id, segments))

    def _digest(self, episode: Episode, progress: Progress) -> "_Made":
        cues, segments = self.library.cues(episode.id), self.library.segments(episode.id)
        ask = partial(self.tools.ask, cues) if self.tools.ask else None
        with self.tools.telling(lambda part: progress(0.1 + 0.8 * part)):  # most of it is trying the questions
            titled, summary = digest(cues, segments, _reporting(self.tools.embed, progress, 0.1), ask)
        progress(0.9)
        named, remark = [bool(part.title) for part in segments], ""
        try:
            writer = self.tools.writer()
            if writer is not None:
                titled, summary = written(cues, titled, summary, writer, named, ask)
        except EarmarkError as error:
            remark = f"The digest is in the speakers' own words: {error}"

        def store() -> None:
            self.library.save_segments(episode.id, titled)
            self.library.save_digest(episode.id, summary)

        return _Made(store, remark)

    def _index(self, episode: Episode, progress: Progress) -> "_Made":
        with self.tools.telling(progress):
            self.tools.index(self.library.episode(episode.id), self.library.cues(episode.id))
        return _Made()


class Interrupted(BaseException):
    """The work is broken off: it was cancelled, or its worker is to stop. What was finished is kept.

    Not an Exception, so that nothing between here and the worker takes it for a failure of its own.
    """


def reason_of(error: BaseException) -> str:
    """Why something failed, with the next step, in words to store."""
    return str(error) if isinstance(error, EarmarkError) else f"{type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class _Made:
    """What a step came to: ``store`` writes it (inside the transaction that marks the step as done), ``remark`` is what
    is worth knowing, ``measured`` says whether the time it took tells how long the next one will take."""

    store: Callable[[], None] = lambda: None
    remark: str = ""
    measured: bool = True


_Work = Callable[[Episode, Progress], _Made]


def _transcript(source: Source) -> Path:
    if source.transcript is None:
        raise LibraryError(f"“{source.title}” has neither audio nor a transcript.", "Remove it and add it again.")
    return source.transcript


def _reporting(embed: Embed, progress: Progress, most: float = 0.85) -> Embed:
    """The same function, that tells after each piece how far a step is; how much is still to come it cannot know, so
    each piece halves what is left of ``most``."""
    done = 0.0

    def reporting(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        nonlocal done
        rows = []
        for at in range(0, max(1, len(texts)), _PIECE):
            rows.append(embed(texts[at : at + _PIECE]))
            share = min(1.0, _PIECE / max(1, len(texts)))
            done += (most - done) * 0.5 * share
            progress(done)
        return np.concatenate(rows)

    return reporting


def _remembering(embed: Embed) -> Embed:
    """The same function, that embeds each text once."""
    known: dict[str, npt.NDArray[np.float32]] = {}

    def remembering(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            known.update(zip(new, embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    return remembering
