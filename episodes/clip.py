# SPDX-License-Identifier: GPL-3.0-or-later
"""A piece of an episode's sound as a file of its own."""

from io import BytesIO
from pathlib import Path

from voice.errors import AudioError

LONGEST = 180.0
"""Seconds of a clip."""


def cut(path: Path, start: float, end: float, title: str = "", comment: str = "") -> bytes:
    """The sound of a normalised episode from ``start`` to ``end`` (seconds) as an .m4a file.

    The packets are copied, not encoded again, so its edges lie within 25 milliseconds. ``title`` and ``comment`` go
    into the file's tags. Raises AudioError when there is nothing between the two, or the file cannot be read.
    """
    import av

    end = min(end, start + LONGEST)
    written = BytesIO()
    count = 0
    try:
        with av.open(str(path)) as source, av.open(written, "w", format="ipod") as target:
            stream = source.streams.audio[0]
            copy = target.add_stream_from_template(stream)
            target.metadata.update({"title": title, "comment": comment})
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
                    break
                first = packet.dts if first is None else first
                packet.pts -= first
                packet.dts -= first
                packet.stream = copy
                target.mux(packet)
                count += 1
    except (av.FFmpegError, OSError) as error:
        raise AudioError(f"{path.name} cannot be cut ({error}).", "Add the episode again.") from error
    if not count:
        raise AudioError("There is no sound between these two times.", "Choose times inside the episode.")
    return written.getvalue()
