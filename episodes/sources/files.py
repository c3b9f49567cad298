# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an episode comes from: a file on this machine, with what lies beside it."""

import json
import mimetypes
import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from episodes.media.recordings import probe
from episodes.model import Chapter, Probe, Source
from episodes.sources.addresses import is_web
from episodes.sources.dates import parse_date
from episodes.sources.feed import SOUND, kind
from episodes.text.html import plain_text
from episodes.transcripts.chapters import in_order
from episodes.transcripts.decoding import readable
from episodes.transcripts.entries import without_markup
from episodes.transcripts.html_and_text import is_timed
from episodes.transcripts.reader import DOCUMENTS, PROSE, SUFFIXES
from episodes.transcripts.times import time_line
from voice.errors import AudioError, LibraryError, TranscriptError

_LANGUAGE = re.compile(r"\.[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}")  # as in talk.en.vtt, talk.en-orig.vtt
_KINDS = re.compile(r"\.(?:transcript|captions?|subtitles?|sdh|cc|forced|auto|whisper)", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}:/", re.IGNORECASE)
_HEAD = 24_000  # bytes of a file that are looked at
_CAPTIONED = 0.1  # of a caption file's lines that are times
_LARGEST_INFO = 50_000_000  # bytes of an .info.json, which lists every format and comment
_VIDEO_ID = re.compile(r"(?<!\s)\s*\[[A-Za-z0-9_-]{6,20}\]$")
_TEXT_SHARE = 0.98  # of a file's first bytes that are letters, marks and blanks when it is a text


def local_source(path: Path) -> Source:
    """What a file on this machine is: audio or video (with the transcript of the same base name beside it, VTT before
    SRT before JSON, and yt-dlp's .info.json), or a transcript alone. Paths of the source are absolute.

    Raises LibraryError for a folder, an address or a missing file, AudioError when it is neither sound nor transcript,
    TranscriptError for a document of another program.
    """
    if _ADDRESS.match(str(path)):
        raise LibraryError(f"“{path}” is an address, and only files can be added.", "Download it, then add the file.")
    path = path.expanduser().absolute()
    if path.is_dir():
        raise LibraryError(f"{path} is a folder.", "Add the files in it one by one.")
    if not path.exists():
        raise LibraryError(f"There is no file {path}.", "Check the name.")
    if not path.is_file():
        raise LibraryError(f"{path} is not a file.", "Give an audio file or a transcript.")
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return Source(_title(path), transcript=path)
    if suffix in DOCUMENTS:
        raise TranscriptError(f"{path.name} is a document ({suffix[1:].upper()}), which is not read.",
                              "Save it as plain text (.txt) and add that.")  # fmt: skip
    if _is_text(path):
        if _captions(path) or is_timed(path.read_text("utf-8", "replace")):
            return Source(_title(path), transcript=path)
        raise AudioError(*_what_text(path))
    found = probed(path)
    source = Source(
        found.title or _title(path),
        audio=path,
        transcript=_sidecar(path),
        show=found.show,
        guests=_people(found.artist) if found.artist != found.show else (),
        published=found.published,
        probe=found,
    )
    return _with_info(source, path)


def probed(path: Path) -> Probe:
    """What a media file says of itself, with its tags in the code page that was meant; raises as ``probe`` does."""
    found = probe(path)
    return replace(
        found,
        title=readable(found.title),
        artist=readable(found.artist),
        show=readable(found.show),
        chapters=tuple(Chapter(mark.start, readable(mark.title)) for mark in found.chapters),
    )


def is_sound_name(path: Path) -> bool:
    """True when a file is sound or film by its name."""
    return path.suffix.lower() in SOUND or (mimetypes.guess_type(path.name)[0] or "").startswith(("audio/", "video/"))


def _what_text(path: Path) -> tuple[str, str]:
    """What a text is that is no transcript, and what to do: a sentence each."""
    with path.open("rb") as file:
        what = kind(file.read(_HEAD))
    if what == "page":
        return f"{path.name} is a web page, not audio.", "Download the recording itself, or give its feed's address."
    if what:
        return f"{path.name} is a {'list of feeds' if what == 'opml' else what}, not audio.", "Add it by its own name."
    return (f"{path.name} is not audio, and a text without times is no transcript.",
            "Put it beside the recording it belongs to, or give a VTT, SRT or Podcasting 2.0 JSON file.")  # fmt: skip


def _is_text(path: Path) -> bool:
    """True for a file that is written, whatever its name: such a file is never handed to a decoder."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and head[2:4].count(0) == 1:
        return True
    if not head or b"\0" in head:
        return False
    odd = sum(byte < 9 or 13 < byte < 32 or byte == 127 for byte in head)
    try:
        head[: max(1, len(head) - 4)].decode("utf-8")
    except UnicodeDecodeError:
        return path.suffix.lower() in PROSE or (odd == 0 and sum(byte > 127 for byte in head) < 0.7 * len(head))
    return odd <= (1 - _TEXT_SHARE) * len(head)


def _sidecar(audio: Path) -> Path | None:
    """The transcript beside an audio file: talk.vtt, talk.mp3.vtt, talk.en.vtt or talk.transcript.vtt for talk.mp3.

    Of several languages the one the recording is in ("talk.en-orig.vtt") comes first, then English.
    """
    found = []
    with suppress(OSError):
        for entry in audio.parent.iterdir():
            suffix = entry.suffix.lower()
            if (
                suffix not in SUFFIXES
                or entry == audio
                or entry.name.lower().endswith((".info.json", ".chapters.json"))
            ):
                continue
            rank = _rank(entry.name[: -len(suffix)], audio)
            if rank is not None and entry.is_file():
                found.append((rank > 2, SUFFIXES.index(suffix), rank, len(entry.name), entry.name, entry))
    return min(found)[-1] if found else None


def _rank(base: str, audio: Path) -> int | None:
    """How near the name of a transcript (without its ending) is to a recording's, None when it is another one's."""
    if base in (audio.stem, audio.name):
        return 0
    if not base.startswith(audio.stem):
        return None
    rest = base[len(audio.stem) :]
    if rest.startswith(audio.suffix) and audio.suffix:
        rest = rest[len(audio.suffix) :]
    rest = _KINDS.sub("", rest, count=2)
    if not rest:
        return 0
    if not _LANGUAGE.fullmatch(rest):
        return None
    return 1 if rest.endswith("-orig") else 2 if rest.startswith(".en") else 3


def _with_info(source: Source, audio: Path) -> Source:
    """A source with what yt-dlp wrote of it into its .info.json: title, uploader, date, description, chapters."""
    info = audio.with_name(f"{audio.stem}.info.json")
    if not info.is_file():
        return _named_as_video(source, audio)
    try:
        if info.stat().st_size > _LARGEST_INFO:
            return source
        data = json.loads(info.read_text("utf-8", "replace"), strict=False)
    except (OSError, ValueError, RecursionError):
        return source
    if not isinstance(data, dict):
        return source

    def text(*keys: str) -> str:
        given = (data.get(key) for key in keys)
        return next((without_markup(one)[:500] for one in given if isinstance(one, str) and one.strip()), "")

    stamp = data.get("timestamp")
    day = parse_date(str(stamp)) if isinstance(stamp, int) else _compact(text("release_date", "upload_date"))
    guests = text("artist", "creator")
    found = _named_as_video(source, audio)
    return replace(
        found,
        title=text("title", "fulltitle") or found.title,
        show=text("channel", "uploader", "series", "playlist_title", "album") or found.show,
        guests=_people(guests) if guests else found.guests,
        published=day.date().isoformat() if day else found.published,
        notes=plain_text(str(data.get("description") or ""))[:20_000],
        link=text("webpage_url") if is_web(text("webpage_url")) else "",
        chapters=_chapters(data.get("chapters")),
    )


def _compact(text: str) -> Any:
    """A date written as "20250505"."""
    return parse_date(f"{text[:4]}-{text[4:6]}-{text[6:8]}") if re.fullmatch(r"\d{8}", text) else None


def _named_as_video(source: Source, audio: Path) -> Source:
    """A source whose title is its file's name, without the video's id that yt-dlp adds ("[abc123XYZ]")."""
    return (
        replace(source, title=_VIDEO_ID.sub("", source.title) or source.title)
        if source.title == _title(audio)
        else source
    )


def _chapters(rows: object) -> tuple[Chapter, ...]:
    good = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return in_order((row.get("start_time"), row.get("title")) for row in good[:10_000])


def _captions(path: Path) -> bool:
    """True when a file of another name begins as captions do."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
    timed = sum(time_line(line) is not None for line in lines)  # few in a text that only tells of captions
    return timed > _CAPTIONED * len(lines) or head.lstrip(b"\xef\xbb\xbf").startswith(
        (b"WEBVTT", b"[Script Info]", b"<tt", b"start\tend")
    )


def _title(path: Path) -> str:
    """A title from a file name: "raising-the-apprentice.vtt" → "Raising the apprentice"."""
    path = path.with_name(_readable_name(path.name))
    name = path.stem if path.suffix.lower() in SUFFIXES else path.name.removesuffix(path.suffix)
    if path.suffix.lower() in SUFFIXES:
        inner = Path(name)
        name = inner.stem if inner.suffix.lower() in SOUND else _KINDS.sub("", name) or name
    if " " not in name:
        name = re.sub(r"[-_]+", " ", name)
    name = " ".join(name.split()) or path.name
    return name[0].upper() + name[1:]


def _readable_name(name: str) -> str:
    """A file's name as it was meant, when it is not UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return readable(os.fsencode(name).decode("latin-1")).replace("/", " ").replace("\0", "") or "_"
    return name


def _people(artist: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in re.split(r"[,;/&]| and ", artist)) if name)
