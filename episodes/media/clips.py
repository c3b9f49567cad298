# SPDX-License-Identifier: GPL-3.0-or-later
"""A piece of an episode's sound as a file of its own."""

from collections.abc import Iterator
from io import BytesIO
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice.errors import AudioError, from_os_error

if TYPE_CHECKING:
    from av import AudioStream, Packet
    from av.container import InputContainer

LONGEST_CLIP = 180.0
"""Seconds of a clip on the page."""

CLIP_CODECS = {".wav": "pcm_s16le", ".mp3": "libmp3lame", ".flac": "flac", ".ogg": "libopus", ".opus": "libopus"}
"""What a clip may be written as beside .m4a, by the file's ending, and what encodes it."""


def cut(
    path: Path, start: float, end: float, title: str = "", comment: str = "", longest: float = LONGEST_CLIP
) -> bytes:
    """The sound of a normalised episode from ``start`` to ``end`` (seconds) as an .m4a file, at most ``longest``.

    The packets are copied, not encoded again, so its edges lie within 25 milliseconds. ``title`` and ``comment`` go
    into the file's tags. Raises AudioError when there is nothing between the two, or the file cannot be read.
    """
    import av

    end = min(end, start + longest)
    written = BytesIO()
    count = 0
    try:
        with av.open(str(path)) as source, av.open(written, "w", format="ipod") as target:
            stream = source.streams.audio[0]
            copy = target.add_stream_from_template(stream)
            target.metadata.update({"title": title, "comment": comment})
            for packet in _packets(source, path, start, end):
                packet.stream = copy
                target.mux(packet)
                count += 1
    except (av.FFmpegError, OSError) as error:
        raise AudioError(f"{path.name} cannot be cut ({error}).", "Add the episode again.") from error
    if not count:
        raise AudioError(*_NOTHING)
    return written.getvalue()


def stream_from(path: Path, start: float) -> Iterator[bytes]:
    """The sound of a normalised episode from ``start`` (seconds) to its end as a fragmented .m4a, piece by piece, for
    players that cannot seek.

    The packets are copied, so it begins within 25 milliseconds of ``start``. Raises AudioError as ``cut`` does.
    """
    import av

    written = _Pieces()
    count = 0
    try:
        with av.open(str(path)) as source, av.open(written, "w", format="mp4", options=_FRAGMENTS) as target:
            copy = target.add_stream_from_template(source.streams.audio[0])
            for packet in _packets(source, path, start, inf):
                packet.stream = copy
                target.mux(packet)
                count += 1
                yield from written.taken()
    except (av.FFmpegError, OSError) as error:
        raise AudioError(f"{path.name} cannot be sent ({error}).", "Add the episode again.") from error
    if not count:
        raise AudioError(*_NOTHING)
    yield from written.taken()


_FRAGMENTS = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "min_frag_duration": "1000000"}


class _Pieces:
    """A file that is written from its beginning to its end, and read meanwhile."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take what comes next."""
        self._written.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        """What was written since the last time."""
        pieces, self._written = self._written, []
        yield from pieces


def _packets(source: "InputContainer", path: Path, start: float, end: float) -> "Iterator[Packet[AudioStream]]":
    """The packets of the sound between two times (seconds), timed from the first one on."""
    stream = source.streams.audio[0]
    base = stream.time_base
    if base is None:
        raise AudioError(f"{path.name} tells no time.", "Add the episode again.")
    source.seek(int(start / base), stream=stream)
    first = None
    for packet in source.demux(stream):
        if packet.dts is None or packet.pts is None:
            continue
        if float((packet.pts + (packet.duration or 0)) * base) <= start:
            continue
        if float(packet.pts * base) >= end or end <= start:
            return
        first = packet.dts if first is None else first
        packet.pts -= first
        packet.dts -= first
        yield packet


def save_clip(path: Path, target: Path, start: float, end: float, title: str = "") -> None:
    """Write the sound of a normalised episode from ``start`` to ``end`` (seconds, of any length) to ``target``.

    An .m4a file holds copies of the packets (see ``cut``); what else is in ``CLIP_CODECS`` is encoded, and cut to the
    sample. Raises AudioError for another ending or when there is nothing between the two, LibraryError or NoSpace when
    the file cannot be written.
    """
    suffix = target.suffix.lower()
    if suffix not in (".m4a", ".mp4", *CLIP_CODECS):
        raise AudioError(f"A clip cannot be written as “{target.name}”.",
                         f"Give a name that ends in .m4a, {', '.join(CLIP_CODECS)}.")
    wanted = ".m4a" if suffix == ".mp4" else suffix
    made = cut(path, start, end, title, longest=inf) if wanted == ".m4a" else _encoded(path, start, end, title, suffix)
    try:
        target.write_bytes(made)
    except OSError as error:
        raise from_os_error(error, f"write {target}") from error


def _encoded(path: Path, start: float, end: float, title: str, suffix: str) -> bytes:
    """The sound between the two times, encoded anew."""
    import av

    written = BytesIO()
    try:
        with av.open(str(path)) as source, av.open(written, "w", format=_CONTAINERS.get(suffix, suffix[1:])) as target:
            stream = source.streams.audio[0]
            rate = 48_000 if CLIP_CODECS[suffix] == "libopus" else stream.rate
            out: Any = target.add_stream(CLIP_CODECS[suffix], rate=rate, layout=stream.layout.name)
            target.metadata["title"] = title
            graph = av.filter.Graph()
            graph.link_nodes(
                graph.add_abuffer(template=stream),
                graph.add("atrim", start=f"{start:.6f}", end=f"{end:.6f}"),
                graph.add("asetpts", "PTS-STARTPTS"),
                graph.add("aformat", f"sample_fmts={out.format.name}:sample_rates={rate}"),
                graph.add("asetnsamples", f"n={out.frame_size or 1024}:p=0"),
                graph.add("abuffersink"),
            ).configure()
            source.seek(max(0, int((start - 0.5) / float(stream.time_base or 1))), stream=stream)
            count = 0
            for frame in source.decode(stream):
                if frame.time is not None and frame.time >= end:
                    break
                graph.push(frame)
                count += _mux(graph, out, target)
            graph.push(None)
            count += _mux(graph, out, target)
            target.mux(out.encode(None))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{path.name} cannot be cut ({error}).", "Add the episode again.") from error
    if not count:
        raise AudioError(*_NOTHING)
    return written.getvalue()


def _mux(graph: Any, out: Any, target: Any) -> int:
    """Encode what has come through the filters; returns how many frames that was."""
    import av

    count = 0
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return count
        target.mux(out.encode(frame))
        count += 1


_NOTHING = "There is no sound between these two times.", "Choose times inside the episode."
_CONTAINERS = {".opus": "ogg"}
