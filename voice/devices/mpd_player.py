# SPDX-License-Identifier: GPL-3.0-or-later
"""A Music Player Daemon as a loudspeaker, by its own protocol (https://mpd.readthedocs.io/en/stable/protocol.html)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from voice.devices.loudspeaker import Playing, SoundAddress
from voice.errors import DeviceError, SettingsError

_TIMEOUT = 5.0  # seconds for a connection, and for each reply
_PORT = 6600


class MpdPlayer:
    """See ``voice.devices.loudspeaker.Loudspeaker``. A connection for each command: they are seldom.

    ``url`` is ``mpd://host``, ``mpd://host:port`` or ``mpd://password@host:port``. What else is in its queue stays
    there. Raises SettingsError for another address, or without the package.
    """

    def __init__(self, url: str) -> None:
        try:
            import mpd
        except ImportError as error:
            raise SettingsError("A loudspeaker by mpd:// needs the packages of the extra home.",
                                "Run: pip install 'earmark[home]'") from error
        self._mpd: Any = mpd
        try:
            given = urlsplit(url)
            host = given.hostname if given.scheme == "mpd" else None
            self._host, self._port, self._password = host or "", given.port or _PORT, unquote(given.username or "")
        except ValueError:
            self._host = ""
        if not self._host:
            raise SettingsError("The address of a loudspeaker is not mpd://HOST:PORT.",
                                "Write for instance loudspeakers = \"kitchen=mpd://192.168.1.20\".")
        self._ours: str | None = None  # the id of what was put into its queue last

    def play(self, address: SoundAddress, start: float) -> None:
        """See ``Loudspeaker``."""
        with self._client() as client:
            before, self._ours = self._ours, client.addid(address(0.0))
            if start > 0:  # which plays it too; just after "playid" it could not seek yet
                client.seekid(self._ours, round(start, 3))
            else:
                client.playid(self._ours)
            if before is not None and any(song.get("id") == before for song in client.playlistinfo()):
                client.deleteid(before)

    def seek(self, position: float) -> None:
        """See ``Loudspeaker``."""
        with self._client() as client:
            client.seekcur(round(max(0.0, position), 3))

    def pause(self) -> None:
        """See ``Loudspeaker``."""
        with self._client() as client:
            client.pause(1)

    def resume(self) -> None:
        """See ``Loudspeaker``."""
        with self._client() as client:
            if client.status().get("state") == "stop":
                client.play()
            else:
                client.pause(0)

    def set_volume(self, volume: float) -> None:
        """See ``Loudspeaker``."""
        with self._client() as client:
            client.setvol(round(100 * min(1.0, max(0.0, volume))))

    def state(self) -> Playing:
        """See ``Loudspeaker``."""
        with self._client() as client:
            status, song = client.status(), client.currentsong()
        if error := status.get("error"):
            raise DeviceError(f"It cannot play that: {error}.", "Check that it reaches Earmark at media_url.")
        level = float(status.get("volume", -1))
        return Playing(
            str(song.get("file", "")), float(status.get("elapsed", 0.0)), status.get("state") == "play",
            level / 100 if level >= 0 else None,
        )  # fmt: skip

    @contextmanager
    def _client(self) -> Iterator[Any]:
        client = self._mpd.MPDClient()
        client.timeout = _TIMEOUT
        try:
            client.connect(self._host, self._port)
            if self._password:
                client.password(self._password)
            yield client
            client.close()
        except self._mpd.CommandError as error:
            raise DeviceError(f"MPD on {self._host} refuses: {error}.", "Check its outputs and permissions.") from error
        except (self._mpd.MPDError, OSError) as error:
            raise DeviceError(f"MPD on {self._host} port {self._port} does not answer ({error}).",
                              "Check that it runs, and the setting loudspeakers.") from error
        finally:
            client.disconnect()
