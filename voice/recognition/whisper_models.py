# SPDX-License-Identifier: GPL-3.0-or-later
"""The Whisper models there are, where they lie on this machine, and how to fetch one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voice import hub, weights
from voice.errors import DownloadError, EarmarkError, SettingsError

WHISPER_FILES = (
    "config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.json", "vocabulary.txt",
)  # fmt: skip
PACKAGED_MODEL = "tiny.en"
"""The model that is always there."""

EVERY_LANGUAGE = "base"
"""The model for other languages, which the extra "languages" brings."""


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A model on the hub: its repository, its size as it is fetched, and the revision that is fetched."""

    repository: str
    megabytes: int
    revision: str

    @property
    def english_only(self) -> bool:
        """Whether it hears no other language."""
        return self.repository.endswith(".en")


WHISPER: dict[str, WhisperModel] = {
    "tiny.en": WhisperModel("Systran/faster-whisper-tiny.en", 75, "0d3d19a32d3338f10357c0889762bd8d64bbdeba"),
    "tiny": WhisperModel("Systran/faster-whisper-tiny", 75, "d90ca5fe260221311c53c58e660288d3deb8d356"),
    "base.en": WhisperModel("Systran/faster-whisper-base.en", 145, "3d3d5dee26484f91867d81cb899cfcf72b96be6c"),
    "base": WhisperModel("Systran/faster-whisper-base", 145, "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
    "small.en": WhisperModel("Systran/faster-whisper-small.en", 484, "d1d751a5f8271d482d14ca55d9e2deeebbae577f"),
    "small": WhisperModel("Systran/faster-whisper-small", 484, "536b0662742c02347bc0e980a01041f333bce120"),
    "distil-small.en": WhisperModel(
        "Systran/faster-distil-whisper-small.en", 333, "ef77d90526ccd62cde3808ee70626a01e5cf83e4"
    ),
    "medium.en": WhisperModel("Systran/faster-whisper-medium.en", 1528, "a29b04bd15381511a9af671baec01072039215e3"),
    "medium": WhisperModel("Systran/faster-whisper-medium", 1528, "08e178d48790749d25932bbc082711ddcfdfbc4f"),
    "distil-medium.en": WhisperModel(
        "Systran/faster-distil-whisper-medium.en", 789, "80ddfce281f77766d8943d63109199fc8145dfa5"
    ),
    "large-v1": WhisperModel("Systran/faster-whisper-large-v1", 3087, "b07c8d4be0be90092aa01a29c975077acb8d15c9"),
    "large-v2": WhisperModel("Systran/faster-whisper-large-v2", 3087, "f0fe81560cb8b68660e564f55dd99207059c092e"),
    "large-v3": WhisperModel("Systran/faster-whisper-large-v3", 3087, "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
    "distil-large-v2": WhisperModel(
        "Systran/faster-distil-whisper-large-v2", 1513, "fe9b404fc56de3f7c38606ef9ba6fd83526d05e4"
    ),
    "distil-large-v3": WhisperModel(
        "Systran/faster-distil-whisper-large-v3", 1513, "c3058b475261292e64a0412df1d2681c06260fab"
    ),
    "distil-large-v3.5": WhisperModel(
        "distil-whisper/distil-large-v3.5-ct2", 1513, "9793ccc07920e0f830e1dba0343efcdf0ef8c903"
    ),
    "large-v3-turbo": WhisperModel(
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1618, "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"
    ),
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
    """The folder of the named model, complete: in its package, under ``folder``, else in the hub's cache; None when
    absent."""
    if name == PACKAGED_MODEL and (packaged := weights.TINY_EN.path) is not None:
        return packaged
    if not missing_files(own := folder / name):
        return own
    model = WHISPER.get(name)
    if model is None:
        return None
    return next((snapshot for snapshot in hub.cached(model.repository) if not missing_files(snapshot)), None)


def present_whisper(folder: Path) -> dict[str, Path]:
    """Every known model that is complete on this machine: name to folder.

    The model for every language counts where its packages are installed; its folder is then the one that
    ``get_whisper`` makes on first use.
    """
    found = {name: find_whisper(name, folder) for name in WHISPER}
    if found[EVERY_LANGUAGE] is None and weights.base_is_packaged():
        found[EVERY_LANGUAGE] = folder / EVERY_LANGUAGE
    return {name: path for name, path in found.items() if path is not None}


def model_origin(name: str, path: Path) -> str:
    """Where a model came from, for people."""
    if path == weights.TINY_EN.path:
        return f"from the package {weights.TINY_EN.origin}"
    if name == EVERY_LANGUAGE and weights.base_is_packaged() and "snapshots" not in path.parts:
        parts = " and ".join(half.distribution for half in weights.BASE_HALVES)
        return f"from the packages {parts} ({weights.BASE_HALVES[0].source}), in {path}"
    if name in WHISPER and "snapshots" in path.parts:
        return f"from the hub's {WHISPER[name].repository}, in {path}"
    return f"in {path}"


def model_digests(name: str, path: Path) -> dict[str, str]:
    """The SHA-256 that the files of a model must have, by name; empty where nobody published them."""
    pinned = {PACKAGED_MODEL: weights.TINY_EN.digests, EVERY_LANGUAGE: weights.BASE_DIGESTS}.get(name, {})
    announced = hub.announced_digests(path) if path.name != name and "snapshots" in path.parts else {}
    return {**announced, **pinned}  # what is known here counts more than what a hub says of itself


def model_remedy(name: str, path: Path) -> str:
    """What to do about a model that is damaged."""
    if path == weights.TINY_EN.path:
        return weights.TINY_EN.remedy
    if name in WHISPER:
        return f"Remove {path}, then run 'earmark models get {name}'."
    return "Put its files there again, or choose another model."


def get_whisper(name: str, folder: Path, on_progress: Callable[[float], None] = lambda fraction: None) -> Path:
    """The folder of a model by name: where it is, else joined from its packages in ``folder``, else fetched.

    ``on_progress`` gets the fraction that is there. Raises SettingsError for an unknown name, DownloadError when it is
    nowhere to be had or what came is not a model, NoSpace or LibraryError when the disk refuses.
    """
    if name not in WHISPER:
        raise SettingsError(f"There is no Whisper model {name!r}.", f"Choose one of: {', '.join(WHISPER)}.")
    path = find_whisper(name, folder)
    if path is None and name == EVERY_LANGUAGE and weights.base_is_packaged():
        path = weights.join_base(folder / name, DownloadError, on_progress)
    elif path is None:
        model = WHISPER[name]
        advice = (f"Try again later (it goes on), or put the files of {model.repository} into {folder / name} by hand; "
                  f"until then {PACKAGED_MODEL} hears.")  # fmt: skip
        size = model.megabytes * 900_000
        path = hub.fetch(model.repository, WHISPER_FILES, model.revision, advice, size, on_progress)
        if missing := missing_files(path):
            raise DownloadError(f"{model.repository} lacks {', '.join(missing)}.", advice)
    on_progress(1.0)
    return path


def checked(name: str, path: Path, memory: Path, refuse: type[EarmarkError]) -> Path:
    """The same ``path``, when its files are the published ones. Raises ``refuse`` with one sentence and what to do."""
    wrong = why_damaged(name, path, memory)
    if wrong:
        raise refuse(f"{wrong}.", model_remedy(name, path))
    return path


def why_damaged(name: str, path: Path, memory: Path | None = None) -> str:
    """Why the files of a model are not the published ones, as a sentence with no point; "" when they are, as far as
    that can be told: where no digest was published, by the size of the weights."""
    wanted = model_digests(name, path)
    file = path / "model.bin"
    if wanted or name not in WHISPER or not file.is_file():
        return weights.damaged(path, wanted, memory)
    least, there = 0.9 * WHISPER[name].megabytes, file.stat().st_size / 1e6
    if there < least:
        return f"{file} has {there:.0f} MB, and should have more than {least:.0f}: it was cut short"
    return ""


def _filled(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
