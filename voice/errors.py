# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a person can meet.

A foreign exception is translated once, at the edge where it appears, into one of these::

    EarmarkError
    ├── AudioError          a file that is not sound, or cannot be decoded
    ├── TranscriptError     a caption file that cannot be read
    ├── FeedError           a feed, a list of feeds or a list of chapters that cannot be read
    ├── LibraryError        the library cannot do what was asked
    │   ├── UnknownEpisode  no episode by that id or title
    │   └── NoSpace         the disk is full
    ├── SettingsError       a setting that is unknown or out of range
    ├── HearingError        a recogniser that cannot start, or heard nothing
    ├── SpeakingError       a voice that cannot start
    ├── DeviceError         no microphone or loudspeaker
    ├── DownloadError       something on the network that could not be fetched
    │   └── WrongDownload   what came is something else, and would be the next time
    └── EngineError         the embedder, or a server that does not answer
"""

import errno


class EarmarkError(Exception):
    """Something a person can act on.

    ``message`` is one sentence that says what is wrong; ``hint`` is one that names the next step (may be empty).
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class AudioError(EarmarkError):
    """A file that is not sound, or sound that cannot be decoded."""


class TranscriptError(EarmarkError):
    """A caption file that cannot be read."""


class FeedError(EarmarkError):
    """A feed, a list of feeds or a list of chapters that cannot be read."""


class LibraryError(EarmarkError):
    """The library cannot do what was asked."""


class UnknownEpisode(LibraryError):
    """No episode by that id or title."""


class NoSpace(LibraryError):
    """The disk is full."""


class SettingsError(EarmarkError):
    """A setting that is unknown or out of range."""


class HearingError(EarmarkError):
    """A recogniser that cannot start, or a recording in which nothing was said."""


class SpeakingError(EarmarkError):
    """A voice that cannot start."""


class DeviceError(EarmarkError):
    """No microphone or loudspeaker that can be used."""


class DownloadError(EarmarkError):
    """A model, feed, recording or transcript that could not be fetched."""


class WrongDownload(DownloadError):
    """What came is not what was asked for, and would not be the next time either: a page in place of a recording."""


class EngineError(EarmarkError):
    """The embedder, or a server, that does not answer."""


def from_os_error(error: OSError, what: str) -> EarmarkError:
    """Translate an operating-system error met while doing ``what`` ("store the audio") into one of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"The disk is full: could not {what}.", "Free some space, then run the same command again.")
    reason = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return LibraryError(f"Could not {what}: {reason}.", "Change its permissions, or choose another place.")
    if error.errno == errno.ENOENT:
        return LibraryError(f"Could not {what}: {reason}.", "Check the name, and that its folder exists.")
    return LibraryError(f"Could not {what}: {reason}.", "Check that the folder exists and is writable.")
