# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an episode comes from: a file on this machine, with the transcript that lies beside it."""

import re
from pathlib import Path

from episodes.media.recordings import probe
from episodes.model import Source
from episodes.transcripts.html_and_text import has_times
from episodes.transcripts.reader import SUFFIXES
from voice.errors import AudioError, LibraryError

_PROSE = (".html", ".htm", ".txt")  # transcripts, when there are times in them
_LANGUAGE = re.compile(r"\.[a-z]{2,3}([-_][A-Za-z0-9]{2,8})?")  # as in talk.en.vtt
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)


def local_source(path: Path) -> Source:
    """What a file on this machine is: audio or video (with the transcript of the same base name beside it, VTT before
    SRT before JSON), or a transcript alone.

    Raises LibraryError for a folder, an address or a missing file, AudioError when it is neither sound nor transcript.
    """
    if _ADDRESS.match(str(path)):
        raise LibraryError(f"“{path}” is an address, and only files can be added.", "Download it, then add the file.")
    if path.is_dir():
        raise LibraryError(f"{path} is a folder.", "Add the files in it one by one.")
    if not path.exists():
        raise LibraryError(f"There is no file {path}.", "Check the name.")
    if not path.is_file():
        raise LibraryError(f"{path} is not a file.", "Give an audio file or a transcript.")
    if path.suffix.lower() in SUFFIXES:
        return Source(_title(path), transcript=path)
    try:
        found = probe(path)
    except AudioError:
        if _captions(path) or (path.suffix.lower() in _PROSE and has_times(path.read_text("utf-8", "replace"))):
            return Source(_title(path), transcript=path)
        raise
    return Source(
        found.title or _title(path),
        audio=path,
        transcript=_sidecar(path),
        show=found.show,
        guests=_people(found.artist) if found.artist != found.show else (),
        published=found.published,
        probe=found,
    )


def _sidecar(audio: Path) -> Path | None:
    """The transcript beside an audio file: talk.vtt, talk.mp3.vtt or talk.en.vtt for talk.mp3."""
    beside = {entry.name: entry for entry in audio.parent.iterdir() if entry.suffix.lower() in SUFFIXES}
    for suffix in SUFFIXES:
        for name, entry in sorted(beside.items(), key=lambda item: (len(item[0]), item[0])):
            if entry.suffix.lower() == suffix:
                base = name[: -len(suffix)]
                if base in {audio.stem, audio.name} or (
                    base.startswith(audio.stem) and _LANGUAGE.fullmatch(base[len(audio.stem) :])
                ):
                    return entry
    return None


def _captions(path: Path) -> bool:
    """True when a file of another name begins as captions do."""
    with path.open("rb") as file:
        head = file.read(2000)
    return b"-->" in head or head.lstrip(b"\xef\xbb\xbf").startswith(b"WEBVTT")


def _title(path: Path) -> str:
    """A title from a file name: "raising-the-apprentice.vtt" → "Raising the apprentice"."""
    name = path.stem if path.suffix.lower() in SUFFIXES else path.name.removesuffix(path.suffix)
    if " " not in name:
        name = re.sub(r"[-_]+", " ", name)
    name = " ".join(name.split()) or path.name
    return name[0].upper() + name[1:]


def _people(artist: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in re.split(r"[,;/&]| and ", artist)) if name)
