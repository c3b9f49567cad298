# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of an episode into the library: each step stored as it ends, so that what was done is never done again."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from episodes.digest import digest
from episodes.library import Library
from episodes.media import normalise
from episodes.model import Cue, Episode, State, Step, StepState
from episodes.segments import Embed, segment
from episodes.sources import Source, local_source
from episodes.transcripts import read_transcript
from voice.errors import EarmarkError, HearingError, LibraryError, from_os_error
from voice.words import Bias

if TYPE_CHECKING:
    from voice.stt import Hearing

OnStep = Callable[[Episode, StepState], None]
_NOTED = 0.5  # seconds between two stored progress values; each is a write that other processes wait for
_DIFFERS = 0.05  # share of the audio by which a transcript may be longer or shorter without a word
_DIFFERS_LEAST = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Tools:
    """What ingest needs from the rooms above and from the engines, handed in.

    ``hearing`` gives the recogniser (called only when an episode has no transcript); ``embed`` turns n texts into
    float32 (n, d) unit rows; ``index`` makes an episode with its cues searchable, replacing what was there.
    """

    hearing: Callable[[], "Hearing"]
    embed: Embed
    index: Callable[[Episode, tuple[Cue, ...]], None]


def add(library: Library, path: Path, tools: Tools, on_step: OnStep = lambda episode, step: None) -> Episode:
    """Take a file into the library and return its episode, ready to be asked.

    The same file again changes nothing; one that broke off goes on where it was. ``on_step`` is told each step as it
    runs (with its progress) and ends. A step that fails is stored as failed with its reason, and the error raised; when
    it is the first one, nothing of the episode stays.

    Raises AudioError, TranscriptError, HearingError, LibraryError or NoSpace.
    """
    source = local_source(path)
    given = tuple(read_transcript(source.transcript)) if source.transcript else None
    content = _sha256(source.audio or path)
    episode = library.by_content(content)
    if episode is None:
        wanted = Episode("", source.title, source.show, source.guests, source.published, source=str(path.absolute()))
        episode = library.create(content, wanted)
    audio = library.audio_path(episode)
    lost = audio is not None and not audio.exists()
    embed = _remembering(tools.embed)  # topics and digest look at the same sentences
    steps: dict[Step, _Work] = {
        Step.NORMALISED: partial(_normalise, library, source, given),
        Step.TRANSCRIBED: partial(_transcribe, library, tools, given),
        Step.SEGMENTED: partial(_segment, library, embed),
        Step.DIGESTED: partial(_digest, library, embed),
        Step.INDEXED: partial(_index, library, tools),
    }
    for step, work in steps.items():
        done = next(state for state in episode.steps if state.step is step).state is State.DONE
        if not done or (step is Step.NORMALISED and lost):
            episode = _run(library, episode, step, work, on_step)
    return episode


_Work = Callable[[Episode, Callable[[float], None]], str]
"""Does one step of an episode, telling its progress, stores what it made, and returns a remark (often empty)."""


def _run(library: Library, episode: Episode, step: Step, work: _Work, on_step: OnStep) -> Episode:
    """Do one step and store how it went; returns the episode as it then is."""
    noted = monotonic()

    def tell(state: StepState, stored: bool = True) -> Episode:
        if stored:
            library.set_step(episode.id, state)
        now = library.episode(episode.id)
        on_step(now, state)
        return now

    def progress(fraction: float) -> None:
        nonlocal noted
        due = monotonic() - noted >= _NOTED
        noted = monotonic() if due else noted
        tell(StepState(step, State.RUNNING, min(1.0, max(0.0, fraction))), stored=due)

    try:
        tell(StepState(step, State.RUNNING))
        remark = work(episode, progress)
        return tell(StepState(step, State.DONE, 1.0, remark))
    except BaseException as error:
        # The disk may be full, so that this cannot be stored either: the error itself is what has to be seen.
        with suppress(LibraryError):
            if not any(state.state is State.DONE for state in episode.steps):
                library.remove(episode.id)
            elif isinstance(error, Exception):
                reason = error.message if isinstance(error, EarmarkError) else f"{type(error).__name__}: {error}"
                tell(StepState(step, State.FAILED, reason=reason))
            else:
                library.set_step(episode.id, StepState(step))
        raise


def _normalise(
    library: Library, source: Source, given: tuple[Cue, ...] | None, episode: Episode, progress: Callable[[float], None]
) -> str:
    if source.audio is None:
        library.save_audio(episode.id, "", max(cue.end for cue in given or ()))
        return ""
    audio = f"audio/{episode.id}.m4a"
    seconds = normalise(source.audio, library.folder / audio, progress)
    with library.transaction():
        library.save_audio(episode.id, audio, round(seconds, 3))
        library.save_chapters(episode.id, source.probe.chapters if source.probe else ())
    return ""


def _transcribe(
    library: Library, tools: Tools, given: tuple[Cue, ...] | None, episode: Episode, progress: Callable[[float], None]
) -> str:
    episode = library.episode(episode.id)
    if given is not None:
        library.save_cues(episode.id, given)
        return _length_remark(given, episode.seconds) if episode.audio else ""
    audio = library.audio_path(episode)
    if audio is None:
        raise LibraryError(f"“{episode.title}” has neither audio nor a transcript.", "Remove it and add it again.")
    bias = Bias(episode.id, (episode.title, episode.show), (episode.title, episode.show, *episode.guests))
    cues = [cue for cue in tools.hearing().transcribe(audio, bias, progress) if cue.text.strip()]
    if not cues:
        raise HearingError(f"No speech was found in “{episode.title}”.",
                           "Put a transcript (VTT, SRT or JSON) of the same name beside the file, then add it again.")
    library.save_cues(episode.id, cues)
    return ""


def _segment(library: Library, embed: Embed, episode: Episode, progress: Callable[[float], None]) -> str:
    segments = segment(library.cues(episode.id), embed, library.chapters(episode.id))
    library.save_segments(episode.id, segments)
    return ""


def _digest(library: Library, embed: Embed, episode: Episode, progress: Callable[[float], None]) -> str:
    cues, segments = library.cues(episode.id), library.segments(episode.id)
    titled, summary = digest(cues, segments, embed)
    with library.transaction():
        library.save_segments(episode.id, titled)
        library.save_digest(episode.id, summary)
    return ""


def _index(library: Library, tools: Tools, episode: Episode, progress: Callable[[float], None]) -> str:
    tools.index(library.episode(episode.id), library.cues(episode.id))
    return ""


def _remembering(embed: Embed) -> Embed:
    """The same function, that embeds each text once."""
    known: dict[str, npt.NDArray[np.float32]] = {}

    def remembering(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            known.update(zip(new, embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    return remembering


def _length_remark(cues: Sequence[Cue], seconds: float) -> str:
    """What to say when a transcript does not fit the length of the audio: advertisements shift the times."""
    end = max(cue.end for cue in cues)
    if abs(end - seconds) <= max(_DIFFERS_LEAST, _DIFFERS * seconds):
        return ""
    longer = "longer" if end > seconds else "shorter"
    return f"The transcript is {abs(end - seconds) / 60:.1f} minutes {longer} than the audio; its times may not fit."


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
