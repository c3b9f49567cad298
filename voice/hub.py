# SPDX-License-Identifier: GPL-3.0-or-later
"""A model hub: models by name, fetched with huggingface_hub into the cache that HF_HOME names.

huggingface_hub resumes, shares its cache with other programs, and follows HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE.
Piper's own downloader does none of this, so its voices come the same way, from the repository it would ask.
"""

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from voice.errors import DownloadError, from_os_error

_PATIENCE = 8.0  # seconds without an answer after which a hub is not there
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch(
    repository: str,
    files: Sequence[str],
    revision: str,
    advice: str,
    expected: int,
    on_progress: Callable[[float], None] = lambda part: None,
) -> Path:
    """Bring the ``files`` (names or patterns) of a repository at a ``revision`` into the cache; returns their folder.

    What is there already is not fetched again, and a download that broke off goes on. ``on_progress`` hears a fraction
    in 0..1, of ``expected`` bytes while fewer are announced. Raises DownloadError, whose hint is ``advice``, when the
    hub does not answer or has no such files; NoSpace or LibraryError when the disk refuses.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    hub = constants.ENDPOINT
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what it retries is said once, when it is given up
    away = DownloadError(f"{hub} does not answer, so {repository} was not fetched.", advice)
    if not constants.is_offline_mode():
        _check_encrypted(hub)
        _knock(hub, away)
    try:
        folder = snapshot_download(
            repository, revision=revision, allow_patterns=list(files), etag_timeout=_PATIENCE,
            cache_dir=constants.HF_HUB_CACHE, endpoint=hub, tqdm_class=_telling(on_progress, expected),
        )  # fmt: skip
    except LocalEntryNotFoundError as error:
        if constants.is_offline_mode():
            raise DownloadError(
                f"{repository} is not on this machine, and HF_HUB_OFFLINE keeps it from being fetched.", advice
            ) from error
        raise away from error
    except HfHubHTTPError as error:
        raise DownloadError(f"{hub} has no {repository} for us ({_first_line(error)}).", advice) from error
    except ValueError as error:
        raise DownloadError(f"{hub} answered, but not as a model hub does.", advice) from error
    except OSError as error:
        if error.errno is None:
            raise DownloadError(f"{repository} was not fetched ({_first_line(error)}).", advice) from error
        raise from_os_error(error, f"store {repository} in {constants.HF_HUB_CACHE}") from error
    except Exception as error:  # httpx's and the transfer library's errors share no base class
        raise DownloadError(f"{repository} was not fetched ({_first_line(error)}).", advice) from error
    on_progress(1.0)
    return Path(folder)


def _check_encrypted(hub: str) -> None:
    """Refuse a hub without encryption, unless it is on this machine: what a model does should be what its maker
    published."""
    parts = urlsplit(hub)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise DownloadError(f"{hub} is an unencrypted address: what comes from it could be anybody's.",
                            "Set HF_ENDPOINT to an address that begins with https://.")  # fmt: skip


def _knock(hub: str, away: DownloadError) -> None:
    """Raise ``away`` when nobody is there: huggingface_hub would try for half a minute before it says so."""
    from huggingface_hub import get_session

    try:
        get_session().head(hub, timeout=_PATIENCE)
    except Exception as error:  # of a library that is huggingface_hub's own affair
        raise away from error


def cached(repository: str) -> list[Path]:
    """The snapshots of a repository in the cache, the newest first; files may be missing in them. Asks no network."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
    return sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []


def announced_digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of the large files of a snapshot, as the hub announced them: the cache names its blobs by them."""
    found = {file.name: file.resolve().name for file in folder.iterdir() if file.is_symlink()}
    return {name: digest for name, digest in found.items() if _SHA256.fullmatch(digest)}


def _telling(on_progress: Callable[[float], None], expected: int) -> Any:
    """A progress bar for huggingface_hub that shows nothing and tells how much of the bytes is there."""
    from tqdm import tqdm

    class Telling(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._counts = kwargs.get("unit") == "B" and "econstruct" in str(kwargs.get("desc"))
            kwargs.pop("name", None)
            super().__init__(*args, **kwargs | {"disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0  # a bar that is switched off does not count
            if self._counts:
                on_progress(min(1.0, self.n / max(self.total or 0, expected)))
            return None

    return Telling


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__
