# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture of an episode: out of its recording, or the one that its feed names. It is made once, as the episode
comes in, so that nobody's browser asks a publisher for it."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

from episodes.media import confined_media
from voice.errors import AudioError, EarmarkError

SIDE = 400
"""Pixels of a picture's longer side."""

LARGEST_PICTURE = 10_000_000
"""Bytes of a picture that is looked at."""

FETCHED = "artwork"
"""Name of what was fetched, in the episode's folder of fetched files."""

_KINDS = ((b"\xff\xd8\xff", "jpeg_pipe"), (b"\x89PNG\r\n\x1a\n", "png_pipe"), (b"GIF8", "gif"), (b"RIFF", "webp_pipe"))
_MOST_PIXELS = 40_000_000
_QUALITY = 4  # of JPEG in FFmpeg's scale, 2 (best) to 31


def name_of(episode_id: str) -> str:
    """The name of an episode's picture among the files of its library, if it has one."""
    return f"artwork/{episode_id}.jpg"


def path_of(folder: Path, episode_id: str) -> Path:
    """Where the picture of an episode is made, in a library's folder."""
    return folder / name_of(episode_id)


def keep_picture(folder: Path, episode_id: str, audio: Path | None, fetched: Path) -> bool:
    """Store a small picture of an episode: of the file that was ``fetched``, else of the recording's own.

    Returns False when neither is there or can be read: then the page paints one.
    """
    for file, find in ((fetched, _read), (audio, _embedded)):
        with suppress(EarmarkError, OSError):
            content = find(file) if file is not None else b""
            if content:
                target = path_of(folder, episode_id)
                target.parent.mkdir(parents=True, exist_ok=True)
                given, part = target.with_suffix(".given"), target.with_suffix(".part")
                try:
                    given.write_bytes(content)
                    confined_media.picture(given, part)  # with bounds: it is a stranger's
                    part.replace(target)
                finally:
                    given.unlink(missing_ok=True)
                    part.unlink(missing_ok=True)
                return True
    return False


def small(content: bytes) -> bytes:
    """A picture (JPEG, PNG, WebP, GIF) as a JPEG of at most ``SIDE`` pixels. Raises AudioError when it is none."""
    import av

    # The kind is named, and not left to FFmpeg to find out: among what it knows are lists of other files to open.
    kind = next((kind for begin, kind in _KINDS if content.startswith(begin)), None)
    if kind is None:
        raise AudioError("The picture is neither JPEG, PNG, GIF nor WebP.")
    written = BytesIO()
    try:
        with av.open(BytesIO(content), "r", format=kind) as given:
            stream = given.streams.video[0]
            if not 0 < stream.width * stream.height <= _MOST_PIXELS:
                raise AudioError("The picture is too large.")
            frame = next(given.decode(stream))
        scale = min(1.0, SIDE / max(frame.width, frame.height))
        width, height = (max(2, round(side * scale)) // 2 * 2 for side in (frame.width, frame.height))
        with av.open(written, "w", format="mjpeg") as target:
            out = target.add_stream("mjpeg", rate=1, options={"q:v": str(_QUALITY)})
            out.width, out.height, out.pix_fmt = width, height, "yuvj420p"
            picture = frame.reformat(width, height, "yuvj420p")
            picture.pts = None
            target.mux(out.encode(picture))
            target.mux(out.encode(None))
    except (av.FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise AudioError(f"The picture cannot be read ({error}).") from error
    return written.getvalue()


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST_PICTURE else b""


def _embedded(audio: Path) -> bytes:
    """The cover inside a recording, as it is stored there; empty when there is none."""
    import av
    from av.stream import Disposition

    try:
        with av.open(str(audio)) as container:
            for stream in container.streams.video:
                if stream.disposition & Disposition.attached_pic:
                    packet = next(container.demux(stream))
                    return bytes(packet) if packet.size <= LARGEST_PICTURE else b""
    except (av.FFmpegError, StopIteration) as error:
        raise AudioError(f"{audio.name} cannot be read ({error}).") from error
    return b""
