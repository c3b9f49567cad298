# SPDX-License-Identifier: GPL-3.0-or-later
"""The Whisper models there are, where they lie on this machine, and how to fetch one."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from voice.download import download
from voice.errors import DownloadError, SettingsError, from_os_error

HUB = "https://huggingface.co"

_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.json", "vocabulary.txt")
_PATIENCE = 8.0  # seconds without an answer after which a hub is not there
_LIST_LIMIT = 4_000_000  # bytes of a list of files


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A model on the hub: its repository, and its size as it is fetched."""

    repository: str
    megabytes: int

    @property
    def english_only(self) -> bool:
        """Whether it hears no other language."""
        return self.repository.endswith(".en")


WHISPER: dict[str, WhisperModel] = {
    "tiny.en": WhisperModel("Systran/faster-whisper-tiny.en", 75),
    "tiny": WhisperModel("Systran/faster-whisper-tiny", 75),
    "base.en": WhisperModel("Systran/faster-whisper-base.en", 145),
    "base": WhisperModel("Systran/faster-whisper-base", 145),
    "small.en": WhisperModel("Systran/faster-whisper-small.en", 484),
    "small": WhisperModel("Systran/faster-whisper-small", 484),
    "distil-small.en": WhisperModel("Systran/faster-distil-whisper-small.en", 333),
    "medium.en": WhisperModel("Systran/faster-whisper-medium.en", 1528),
    "medium": WhisperModel("Systran/faster-whisper-medium", 1528),
    "distil-medium.en": WhisperModel("Systran/faster-distil-whisper-medium.en", 789),
    "large-v1": WhisperModel("Systran/faster-whisper-large-v1", 3087),
    "large-v2": WhisperModel("Systran/faster-whisper-large-v2", 3087),
    "large-v3": WhisperModel("Systran/faster-whisper-large-v3", 3087),
    "distil-large-v2": WhisperModel("Systran/faster-distil-whisper-large-v2", 1513),
    "distil-large-v3": WhisperModel("Systran/faster-distil-whisper-large-v3", 1513),
    "distil-large-v3.5": WhisperModel("distil-whisper/distil-large-v3.5-ct2", 1513),
    "large-v3-turbo": WhisperModel("mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1618),
}
"""Every model by the name people use for it."""


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be a Whisper model for CTranslate2; empty when it is one.

    tokenizer.json counts: without it faster-whisper would ask the hub for one.
    """
    missing = [name for name in ("model.bin", "config.json", "tokenizer.json") if not _filled(folder / name)]
    if not any(_filled(folder / name) for name in ("vocabulary.json", "vocabulary.txt")):
        missing.append("vocabulary.json")
    return missing


def find_whisper(name: str, folder: Path) -> Path | None:
    """The folder of the named model, complete: under ``folder``, else in the Hugging Face cache; None when absent."""
    own = folder / name
    if not missing_files(own):
        return own
    model = WHISPER.get(name)
    if model is None:
        return None
    cached = _hub_cache() / f"models--{model.repository.replace('/', '--')}" / "snapshots"
    snapshots = sorted(cached.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True) if cached.is_dir() else []
    return next((snapshot for snapshot in snapshots if not missing_files(snapshot)), None)


def present_whisper(folder: Path) -> dict[str, Path]:
    """Every known model that is complete on this machine: name to folder."""
    found = {name: find_whisper(name, folder) for name in WHISPER}
    return {name: path for name, path in found.items() if path is not None}


def get_whisper(
    name: str,
    folder: Path,
    on_progress: Callable[[float], None] = lambda fraction: None,
    *,
    hub: str | None = None,
    timeout: float = _PATIENCE,
) -> Path:
    """Fetch a model from the hub to ``folder / name`` and return that folder; nothing is done when it is there.

    The files are gathered in ``<name>.part``, which takes the final name when all have arrived, and which the next
    call continues. ``on_progress`` gets the fraction that is there. ``hub``: the server's address, else the variable
    HF_ENDPOINT, else huggingface.co. ``timeout``: seconds without an answer after which it is given up.

    Raises SettingsError for an unknown name, DownloadError when the hub does not answer or sends something else,
    NoSpace or LibraryError when the disk refuses.
    """
    if name not in WHISPER:
        raise SettingsError(f"There is no Whisper model {name!r}.", f"Choose one of: {', '.join(WHISPER)}.")
    there = find_whisper(name, folder)
    if there is not None:
        on_progress(1.0)
        return there
    repository = WHISPER[name].repository
    hub = (hub or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    part, final = folder / f"{name}.part", folder / name
    try:
        part.mkdir(parents=True, exist_ok=True)
        _fetch(hub, repository, part, on_progress, timeout)
        missing = missing_files(part)
        if missing:
            raise DownloadError(f"The model {name} on {hub} lacks {', '.join(missing)}.")
        shutil.rmtree(final, ignore_errors=True)  # only an incomplete one can be there
        part.rename(final)
    except DownloadError as error:
        raise DownloadError(
            error.message,
            f"Try again later (it continues), put the files of {hub}/{repository} into {final} by hand, "
            "or use the built-in recogniser, which needs no download.",
        ) from error
    except OSError as error:
        raise from_os_error(error, f"store the model in {folder}") from error
    on_progress(1.0)
    return final


def _fetch(hub: str, repository: str, part: Path, on_progress: Callable[[float], None], timeout: float) -> None:
    """Bring every file of the repository that the engine reads into ``part``."""
    revision, files = _listing(hub, repository, part, timeout)
    total, done = sum(size for _, size, _ in files) or 1, 0
    for file, size, digest in files:
        target = part / file
        if not (target.exists() and target.stat().st_size == size):
            before = done
            download(
                f"{hub}/{repository}/resolve/{revision}/{file}",
                target,
                lambda fraction, before=before, size=size: on_progress((before + fraction * size) / total),  # type: ignore[misc]
                timeout=timeout,
                sha256=digest,
            )
        done += size
        on_progress(done / total)


def _listing(hub: str, repository: str, part: Path, timeout: float) -> tuple[str, list[tuple[str, int, str | None]]]:
    """The revision, and (name, bytes, SHA-256 where the hub tells it) of each file that the engine reads."""
    answer = part / repository.rsplit("/", 1)[-1]  # when it cannot be had, this is what could not be fetched
    answer.unlink(missing_ok=True)
    download(
        f"{hub}/api/models/{repository}/revision/main?blobs=true", answer, timeout=timeout, limit_bytes=_LIST_LIMIT
    )
    try:
        listing = json.loads(answer.read_text(encoding="utf-8"))
        entries = [entry for entry in listing["siblings"] if entry["rfilename"] in _FILES]
        files = [(e["rfilename"], int(e.get("size") or 0), (e.get("lfs") or {}).get("sha256")) for e in entries]
        return quote(str(listing.get("sha") or "main"), safe=""), files
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DownloadError(f"{hub} answered, but not as a model hub does.") from error
    finally:
        answer.unlink(missing_ok=True)


def _hub_cache() -> Path:
    """Where huggingface_hub keeps what it has fetched, by its own variables."""
    if cache := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(cache)
    home = os.environ.get("HF_HOME")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(home) if home else base / "huggingface") / "hub"


def _filled(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
