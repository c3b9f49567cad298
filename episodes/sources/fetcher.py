# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings what a feed tells of an episode onto this machine: its recording, its best transcript, its chapters."""

import mimetypes
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from episodes.media import artwork
from episodes.model import Chapter, Link, Source
from episodes.sources import http
from episodes.sources.addresses import with_password
from episodes.sources.confined_feeds import read_chapters
from episodes.sources.feed import is_login, kind
from episodes.sources.files import probed
from episodes.sources.http import Net
from episodes.transcripts.confined_transcripts import read_transcript
from episodes.transcripts.fit import misfit
from episodes.transcripts.html_and_text import has_times
from voice.errors import (
    AudioError,
    DownloadError,
    FeedError,
    LibraryError,
    TranscriptError,
    WrongDownload,
    from_os_error,
)

_AUDIO_SHARE = 0.95  # of the progress; the rest is small
_SUFFIXES = {"text/vtt": ".vtt", "application/x-subrip": ".srt", "application/json": ".json", "text/html": ".html",
             "text/plain": ".txt"}  # fmt: skip


class Fetcher:
    """What ``episodes.ingest.pipeline.Tools`` fetches with."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def __call__(self, source: Source, folder: Path, on_progress: Callable[[float], None]) -> Source:
        """Fetch the files of ``source`` into ``folder``; returns it with their paths and what the recording says.

        The recording has to come; a transcript or chapters that do not, or that are no good, are left out, and the
        remark says so. What is there already from a broken-off attempt is not fetched again.

        Raises DownloadError, AudioError (what came is no sound), LibraryError or NoSpace.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, f"make the folder {folder}") from error
        remarks: list[str] = []
        if source.address:
            source = self._recording(source, folder, lambda part: on_progress(_AUDIO_SHARE * part))
        on_progress(_AUDIO_SHARE)

        def unwanted() -> bool:  # a cancelled job is told so by what it reports to
            on_progress(_AUDIO_SHARE)
            return False

        net = self._net.until(unwanted)
        source = replace(source, transcript=self._transcript(net, source, folder, remarks))
        if source.audio is None and source.transcript is None:
            raise LibraryError(
                f"Nothing of “{source.title}” could be fetched. {' '.join(remarks)}".strip(), "Check the address."
            )
        self._artwork(net, source, folder)
        chapters = source.chapters or self._chapters(net, source, remarks)
        on_progress(1.0)
        return replace(source, chapters=chapters, remark=" ".join(remarks))

    def _recording(self, source: Source, folder: Path, on_progress: Callable[[float], None]) -> Source:
        audio = folder / f"audio{suffix_of(source.address)}"
        if not audio.exists():  # it has this name only when it is complete
            address = with_password(source.address, source.feed)
            try:
                self._net.file(address, audio, on_progress)
            except DownloadError as error:
                raise _explained(error, address, source.address) from error.__cause__
        try:
            found = probed(audio)
        except AudioError:
            what = _page(audio)
            audio.unlink(missing_ok=True)  # the same again helps nobody, and the next attempt may bring the recording
            if not what:
                raise
            raise WrongDownload(
                f"{source.address} sent {what}, not a recording.",
                "Open it in a browser; if it wants a login, add the feed's private address.",
            ) from None
        return replace(
            source,
            audio=audio,
            probe=found,
            title=source.title or found.title or title_from_address(source.address),
            show=source.show or found.show,
            published=source.published or found.published,
        )

    def _transcript(self, net: Net, source: Source, folder: Path, remarks: list[str]) -> Path | None:
        """The first transcript, best first, that can be read and that fits the recording."""
        length = source.probe.seconds if source.probe else source.seconds
        for number, link in enumerate(source.transcripts):
            timed, path = True, folder / f"transcript-{number}{_SUFFIXES.get(link.type) or suffix_of(link.address)}"
            try:
                sent = net.document(with_password(link.address, source.feed))
                if sent is None or sent.media:
                    raise TranscriptError(f"{link.address} is not a text.")
                _write(path, sent.content)
                problem = misfit(read_transcript(path, length, net.check), length)
                timed = link.type not in ("text/html", "text/plain") or has_times(path.read_text("utf-8", "replace"))
            except (DownloadError, TranscriptError) as error:
                problem = error.message
            if not problem:
                if not timed:
                    remarks.append("The publisher's transcript has no times; they are estimated.")
                return path
            remarks.append(f"A transcript of the publisher was left out ({_kind(link)}): {problem}")
        return None

    def _artwork(self, net: Net, source: Source, folder: Path) -> None:
        """Its picture, if that comes easily: an episode without one is as good."""
        target = folder / artwork.FETCHED
        if source.artwork and not target.exists():
            with suppress(DownloadError):
                sent = replace(net, largest=artwork.LARGEST_PICTURE, longest=20.0).document(
                    with_password(source.artwork, source.feed)
                )
                if sent is not None and not sent.media:
                    _write(target, sent.content)

    def _chapters(self, net: Net, source: Source, remarks: list[str]) -> tuple[Chapter, ...]:
        if not source.chapters_address:
            return ()
        try:
            sent = net.document(with_password(source.chapters_address, source.feed))
            if sent is None:
                return ()
            return read_chapters(sent.content.decode("utf-8-sig", "replace"), "The list", net.check)
        except (DownloadError, FeedError) as error:
            remarks.append(f"The publisher's chapters were left out: {error.message}")
            return ()


def _explained(error: DownloadError, address: str, shown: str) -> DownloadError:
    """The error of a recording with the address as it may be shown, and with what helps."""
    cause, hint = error.__cause__, error.hint
    status = http.status_of(cause)
    if status in (401, 402, 403):
        hint = "It is for subscribers: add the feed by the address that they were given."
    elif status in (404, 410):
        hint = "It is not there any more; 'earmark sync' looks whether its feed names another address."
    elif http.is_endless(cause):
        return WrongDownload(f"{shown} leads from one address to the next without an end.", "Check the address.")
    return DownloadError(error.message.replace(address, shown), hint)


def _page(path: Path) -> str:
    """What a file is that came in place of a recording, as a person would name it; empty when that cannot be told."""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(200_000)
        if head.lstrip()[:7] == b"#EXTM3U":
            return "a playlist (HLS, not supported yet)"
        if kind(head) == "page":
            return "a page to log in" if is_login(head) else "a web page"
    return ""


def suffix_of(address: str) -> str:
    """The ending of the file that an address names, of letters and digits alone: it becomes part of a path."""
    suffix = Path(urlsplit(address).path).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 6 else ""


def title_from_address(address: str) -> str:
    """A title out of an address: its file's name without the ending."""
    parts = urlsplit(address)
    name = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1])
    stem = name.rsplit(".", 1)[0] if mimetypes.guess_type(name)[0] else name
    words = " ".join("".join(c if c.isprintable() else " " for c in stem).replace("_", " ").replace("-", " ").split())
    return (words[:1].upper() + words[1:])[:200] or parts.hostname or "Untitled"


def _kind(link: Link) -> str:
    return _SUFFIXES.get(link.type, ".other")[1:].upper()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise from_os_error(error, f"store {path}") from error
