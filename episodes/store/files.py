# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of a library lie: sound, pictures, and what waits to be taken in. In its folder, or in an object
store such as S3, of which the folder of each machine then holds copies of what was used last.

fsspec was chosen for the stores: one interface to S3, Google's, Azure's and plain folders, and well kept.
"""

import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any, BinaryIO, Protocol

from voice.errors import LibraryError, SettingsError, from_os_error

FOLDERS = ("audio", "artwork", "fetched")
"""What the names of files begin with."""

COPIES = 20_000_000_000
"""Bytes of copies that a machine keeps of files in an object store."""

_PIECE = 1 << 18  # bytes that are read at a time
_IN_USE = 3600.0  # seconds since its last use for which a copy is not removed
_LISTED = 30.0  # seconds for which a list of names is good


class Files(Protocol):
    """Files by name ("audio/ID.m4a"). Every method raises LibraryError when they cannot be reached, NoSpace when there
    is no room."""

    elsewhere: bool
    """Whether they lie elsewhere than in the library's folder, so that what is put there has to be handed over."""

    def put(self, name: str, path: Path) -> None:
        """Store a file of this machine under a name, in place of one that is there."""

    def get(self, name: str) -> AbstractContextManager[Path]:
        """The file on this machine for as long as the block lasts. Raises LibraryError when there is none."""
        ...

    def local(self, name: str) -> Path:
        """Where the file lies on this machine (absolute), copied there when it is not; there is nothing at that path
        when no such file exists."""
        ...

    def near(self, name: str) -> Path | None:
        """The file on this machine, if it is there without being copied."""

    def size(self, name: str) -> int | None:
        """Bytes of a file; None when there is none."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    def among(self, names: Iterable[str]) -> set[str]:
        """Those of these names that have a file; it may be half a minute old."""
        ...

    def names(self) -> Iterator[str]:
        """The names of all files."""
        ...

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` to ``end`` (exclusive), in pieces."""
        ...

    def mark(self, folder: str) -> object:
        """Something that is another thing when a file of this folder has come or gone."""

    def delete(self, name: str) -> None:
        """Remove a file, or all files below a name; nothing happens when there are none."""


class FolderFiles:
    """Files in a folder that all who use the library see. See ``Files``."""

    elsewhere = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, path: Path) -> None:
        """See ``Files``; one that is there already stays."""
        target = self._folder / name
        if target.resolve() == path.resolve():
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        except OSError as error:
            raise from_os_error(error, f"store {name}") from error

    @contextmanager
    def get(self, name: str) -> Iterator[Path]:
        """See ``Files``."""
        yield _there(self.local(name), name)

    def local(self, name: str) -> Path:
        """See ``Files``."""
        return (self._folder / name).resolve()

    def near(self, name: str) -> Path | None:
        """See ``Files``."""
        path = self.local(name)
        return path if path.is_file() else None

    def size(self, name: str) -> int | None:
        """See ``Files``."""
        path = self.near(name)
        return None if path is None else path.stat().st_size

    def exists(self, name: str) -> bool:
        """See ``Files``."""
        return self.local(name).is_file()

    def among(self, names: Iterable[str]) -> set[str]:
        """See ``Files``; here it is new."""
        return {name for name in names if (self._folder / name).is_file()}

    def names(self) -> Iterator[str]:
        """See ``Files``."""
        for folder in FOLDERS:
            for path in sorted((self._folder / folder).rglob("*")):
                if path.is_file():
                    yield path.relative_to(self._folder).as_posix()

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """See ``Files``."""
        try:
            with self.local(name).open("rb") as file:
                yield from _pieces(file, start, end)
        except OSError as error:
            raise from_os_error(error, f"read {name}") from error

    def mark(self, folder: str) -> object:
        """See ``Files``."""
        try:
            return (self._folder / folder).stat().st_mtime_ns
        except OSError:
            return 0

    def delete(self, name: str) -> None:
        """See ``Files``."""
        path = self._folder / name
        try:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, f"remove {path}") from error


class StoredFiles:
    """Files in a store that fsspec reaches, such as ``s3://bucket/earmark``; copies lie in ``folder``, where a library
    without a store has them. See ``Files``.

    Keys and endpoints are the store's own affair: for S3 those of the AWS command line (``AWS_ACCESS_KEY_ID``,
    ``AWS_ENDPOINT_URL``, ``~/.aws``).
    """

    elsewhere = True

    def __init__(self, address: str, folder: Path, copies: int = COPIES) -> None:
        """Raises SettingsError when nothing here knows how to reach the address."""
        try:
            from fsspec.core import url_to_fs

            self._fs, root = url_to_fs(address, skip_instance_cache=True, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"The setting files names a store that cannot be used ({error}).",
                "For s3://… run '.venv/bin/pip install -c constraints.txt -e .[s3]'.",
            ) from error
        self._root, self._copies, self._most = root.rstrip("/"), FolderFiles(folder), copies
        self._folder, self._name = folder, address
        self._lock = threading.Lock()
        self._listings: dict[str, tuple[float, frozenset[str]]] = {}

    def put(self, name: str, path: Path) -> None:
        """See ``Files``. The file stays where it is: a copy of what will soon be wanted."""
        with self._errors(f"store {name}"):
            self._fs.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
            self._fs.put_file(str(path), self._at(name))
        self._listings.pop(name.partition("/")[0], None)

    @contextmanager
    def get(self, name: str) -> Iterator[Path]:
        """See ``Files``."""
        yield _there(self.local(name), name)

    def local(self, name: str) -> Path:
        """See ``Files``; a copy of another size than the file is made anew."""
        path = self._copies.local(name)
        size = self.size(name)
        if size is None:
            return path.with_name(f"{path.name}.missing")
        if path.is_file() and path.stat().st_size == size:
            path.touch()
            return path
        part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._make_room(size)
            with self._errors(f"fetch {name}"):
                self._fs.get_file(self._at(name), str(part))
            part.replace(path)
        except OSError as error:
            raise from_os_error(error, f"keep a copy of {name}") from error
        finally:
            part.unlink(missing_ok=True)
        return path

    def near(self, name: str) -> Path | None:
        """See ``Files``."""
        path = self._copies.near(name)
        return path if path is not None and path.stat().st_size == self.size(name) else None

    def size(self, name: str) -> int | None:
        """See ``Files``."""
        with self._errors(f"look for {name}"):
            try:
                found: dict[str, Any] = self._fs.info(self._at(name))
            except FileNotFoundError:
                return None
        return int(found["size"]) if found["type"] == "file" else None

    def exists(self, name: str) -> bool:
        """See ``Files``."""
        return self.size(name) is not None

    def among(self, names: Iterable[str]) -> set[str]:
        """See ``Files``."""
        return {name for name in names if name in self._listed(name.partition("/")[0])}

    def names(self) -> Iterator[str]:
        """See ``Files``."""
        for folder in FOLDERS:
            yield from sorted(self._found(folder))

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """See ``Files``."""
        with self._errors(f"read {name}"), self._fs.open(self._at(name), "rb", block_size=_PIECE) as file:
            yield from _pieces(file, start, end)

    def mark(self, folder: str) -> object:
        """See ``Files``."""
        return hash(self._listed(folder))

    def delete(self, name: str) -> None:
        """See ``Files``."""
        self._copies.delete(name)
        with self._errors(f"remove {name}"):
            try:
                self._fs.rm(self._at(name), recursive=True)
            except FileNotFoundError:
                return
        self._listings.pop(name.partition("/")[0], None)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _found(self, folder: str) -> frozenset[str]:
        with self._errors(f"list {folder}"):
            try:
                found = self._fs.find(self._at(folder))
            except FileNotFoundError:
                found = []
        root = self._fs._strip_protocol(self._root)
        return frozenset(path.removeprefix(root).lstrip("/") for path in found)

    def _listed(self, folder: str) -> frozenset[str]:
        """The names of a folder, asked for anew when that is long ago."""
        with self._lock:
            at, known = self._listings.get(folder, (0.0, frozenset()))
            if not at or monotonic() - at > _LISTED:
                known = self._found(folder)
                self._listings[folder] = (monotonic(), known)
            return known

    def _make_room(self, size: int) -> None:
        """Remove the copies of sound that were not used the longest, so that ``size`` bytes more are not too many."""
        there = ((path.stat(), path) for path in (self._folder / "audio").glob("*.m4a"))
        copies = sorted(there, key=lambda one: one[0].st_mtime)
        total = sum(stat.st_size for stat, _ in copies) + size
        for stat, path in copies:
            if total <= self._most or time() - stat.st_mtime < _IN_USE:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Translate what the store's own library raises, which has no class in common."""
        try:
            yield
        except (LibraryError, FileNotFoundError):
            raise
        except Exception as error:
            raise LibraryError(
                f"{self._name} could not {what} ({error}).", "Check the setting 'files', its keys, and that it answers."
            ) from error


def files_of(address: str, folder: Path) -> Files:
    """The files of a library by the setting ``files``: "" is its ``folder``, else the address of a store."""
    return StoredFiles(address, folder) if address else FolderFiles(folder)


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (piece := file.read(min(_PIECE, end - start))):
        start += len(piece)
        yield piece


def _there(path: Path, name: str) -> Path:
    if not path.is_file():
        raise LibraryError(f"There is no file {name} in the library.", "Add the episode again.")
    return path
