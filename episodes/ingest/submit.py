# SPDX-License-Identifier: GPL-3.0-or-later
"""Submitting: a source becomes an episode that waits in the queue, or is found to be one already."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from episodes.model import Episode, Source, State, Step, StepState
from episodes.sources.addresses import file_of
from episodes.store.jobs import Queue, known_sources, save_source
from episodes.store.library import Library
from episodes.transcripts.confined_transcripts import read_transcript
from voice.errors import from_os_error

_AT_ONCE = 400  # items that are asked for in one query


def enqueue(library: Library, source: Source, priority: int = 0) -> Episode:
    """Ask for a source to be taken in, and return its episode: a new one, or the one that it became before.

    One that is ready stays as it is, unless there is a transcript now where there was none; one that broke off will go
    on where it was. Raises TranscriptError when a transcript alone cannot be read, AudioError or LibraryError when its
    file cannot.
    """
    if source.transcript is not None and source.audio is None:
        read_transcript(source.transcript)
    source = _absolute(source)
    known = same_episode(library, source)
    content = identity(library.source(known.id)) if known is not None else identity(source)
    seconds = source.probe.seconds if source.probe else source.seconds
    wanted = Episode("", source.title, source.show, source.guests, source.published, round(seconds, 3), _named(source))
    if not library.database.one_machine:
        source = _within_reach(library, library.create(content, wanted), source)
    with library.transaction():
        episode = library.create(content, wanted)
        if _is_done(library, episode, source):
            return episode
        if _written_since(library, episode, source):
            for step in (Step.TRANSCRIBED, Step.SEGMENTED, Step.DIGESTED, Step.INDEXED):
                library.set_step(episode.id, StepState(step))
        for state in episode.steps:
            if state.state in (State.FAILED, State.CANCELLED):
                library.set_step(episode.id, StepState(state.step))
        Queue(library.database).put(episode.id, _as_fetched(library, episode, source), library.database.now(), priority)
    return library.episode(episode.id)


def same_episode(library: Library, source: Source) -> Episode | None:
    """The episode that an item of a feed became before under another name: the same show, title and date, and the same
    file but for its query ("?updated=2")."""
    if not source.address or not source.feed or library.by_content(identity(source)) is not None:
        return None
    for episode in library.alike(source.title, source.show, source.published):
        before = library.source(episode.id)
        if before.address and file_of(before.address) == file_of(source.address):
            return episode
    return None


def update_source(library: Library, source: Source) -> Episode | None:
    """Take over what a feed now says of an item that is known: its title, address, transcripts and chapters.

    Returns the episode when it has to be worked on again: it waits or failed, and there is something new to try. One
    that is ready keeps what was made of it, under its new title.
    """
    episode = library.by_content(identity(source)) or same_episode(library, source)
    if episode is None:
        return None
    before = library.source(episode.id)
    now = _corrected(before, source)
    if now == before and episode.title == source.title:
        return None
    with library.transaction():
        library.describe(
            episode.id, source.title, source.published or episode.published, source.address or episode.source
        )
        save_source(library.database, episode.id, now)
        failed = any(step.state is State.FAILED for step in episode.steps)
        fresh = (now.address, now.transcripts) != (before.address, before.transcripts)
        if not (failed and fresh):
            return None
        for step in episode.steps:
            if step.state is State.FAILED:
                library.set_step(episode.id, StepState(step.step))
        if before.address != now.address and before.audio is None:
            library.set_step(episode.id, StepState(Step.FETCHED))
        Queue(library.database).put(episode.id, now, library.database.now())
    return library.episode(episode.id)


def outdated(library: Library, sources: Sequence[Source]) -> list[Source]:
    """Those of a feed's known items of which it says something new, or that are known under another name: the ones to
    ``update_source``. Asks for many at once."""
    found = []
    for start in range(0, len(sources), _AT_ONCE):
        part = {identity(source): source for source in sources[start : start + _AT_ONCE]}
        known = known_sources(library.database, list(part))
        for content, source in part.items():
            title, before = known.get(content, ("", None))
            if before is None or title != source.title or _corrected(before, source) != before:
                found.append(source)
    return found


def _corrected(before: Source, source: Source) -> Source:
    """What was known of an item with what its feed says of it now."""
    return replace(
        before,
        title=source.title,
        address=source.address,
        transcripts=source.transcripts,
        notes=source.notes,
        chapters=source.chapters or before.chapters,
        chapters_address=source.chapters_address,
        feed=source.feed,
        link=source.link,
        artwork=source.artwork,
        guid=before.guid or source.guid,
    )


def _absolute(source: Source) -> Source:
    """A source whose files are named from the root: whoever works on it may stand in another folder."""
    files = {
        name: file.absolute() for name, file in (("audio", source.audio), ("transcript", source.transcript)) if file
    }
    return replace(source, audio=files.get("audio"), transcript=files.get("transcript"))


def _within_reach(library: Library, episode: Episode, source: Source) -> Source:
    """A source whose files the workers of all machines see: copied until it is taken in, unless they lie in the
    library's folder (or in its store) already, or nothing is to be done with them."""
    if _is_done(library, episode, source):
        return source
    there = {}
    for name, file in (("audio", source.audio), ("transcript", source.transcript)):
        if file is None:
            continue
        seen = library.fetched_folder(episode.id) if library.files.elsewhere else library.folder.resolve()
        if not file.resolve().is_relative_to(seen):
            there[name] = library.fetched_folder(episode.id) / file.name
    try:
        for name, copy in there.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(getattr(source, name), copy)
    except OSError as error:
        raise from_os_error(error, f"copy {source.title} to {library.folder}") from error
    library.share_fetched(episode.id)
    return replace(
        source, audio=there.get("audio", source.audio), transcript=there.get("transcript", source.transcript)
    )


def _is_done(library: Library, episode: Episode, source: Source) -> bool:
    """True for an episode that is taken in, of which the source brings nothing new."""
    return episode.finished and not _written_since(library, episode, source) and not audio_lost(library, episode)


def _written_since(library: Library, episode: Episode, source: Source) -> bool:
    """True for an episode that was taken in without a transcript, when there is one now."""
    written = source.audio is not None and source.transcript is not None
    return written and episode.ready and library.source(episode.id).transcript is None


def identity(source: Source) -> str:
    """What makes two sources one episode: the SHA-256 (hexadecimal) of the audio file, of the transcript that comes
    alone, else of the name that the publisher gave it, or of its address."""
    file = source.audio or source.transcript
    return _sha256(file) if file else hashlib.sha256((source.guid or source.address).encode()).hexdigest()


def audio_lost(library: Library, episode: Episode) -> bool:
    """True when the library's own file of an episode is not there any more."""
    return bool(episode.audio) and not library.files.exists(episode.audio)


def _as_fetched(library: Library, episode: Episode, source: Source) -> Source:
    """A source with what was fetched for it before, while that is there; else it is to be fetched (again)."""
    if not source.is_away:
        return source
    known = library.source(episode.id)
    files = [file for file in (known.audio, known.transcript) if file is not None]
    if files and all(file.exists() for file in files):
        return known
    library.set_step(episode.id, StepState(Step.FETCHED))
    return source


def _named(source: Source) -> str:
    """Where a source comes from, as a person would name it."""
    file = source.audio or source.transcript
    return str(file.absolute()) if file else source.address or source.guid


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error
