# SPDX-License-Identifier: GPL-3.0-or-later
"""``earmark doctor``: what is there, and what to do about what is not. It changes nothing, and asks no network but the
engines of other machines that the settings name."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec.structs import replace

from episodes.text.language import name_of
from retrieval.index.minilm import MiniLM
from retrieval.index.sentence_model import MODEL_ADVICE, complete, find_model
from ui.cli import client
from ui.engines import Engines
from ui.model_catalogue import speakers_folder, whisper_folder
from ui.settings import Settings, default_config_file
from ui.storage import examined, open_library
from voice import diarization
from voice.devices import sound_devices
from voice.errors import EarmarkError, EngineError
from voice.recognition import whisper_models
from voice.recognition.whisper_models import present_whisper
from voice.synthesis import piper
from voice.weights import MINILM, damaged
from voice.wyoming_client import RemoteEngine, address_of, is_remote

PACKAGES = ("faster-whisper", "piper-tts", "sentence-transformers", "torch", "gradio", "sounddevice", "numpy")
LITTLE_SPACE = 1_000_000_000
"""Bytes of free disk under which there is advice: an hour of audio takes about 50 MB, a model up to some GB."""

UNREADY = 20
"""Episodes that are not ready that are named; 'earmark jobs' has them all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``fatal``: Earmark cannot work without it."""

    subject: str
    ok: bool
    state: str
    advice: str = ""
    fatal: bool = False

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; a part that fails becomes a finding, never an exception."""
    parts: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _versions, _folders, _database, _library, _hearing, _speakers, _speaking, _languages, _finding, _sound, _server,
    )
    found: list[Finding] = []
    for part in parts:
        try:
            found += part(settings)
        except EarmarkError as error:
            found.append(Finding(part.__name__.strip("_"), False, error.message, error.hint, fatal=True))
    return found


def _versions(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()} on {platform.platform()}")
    for name in ("earmark", *PACKAGES):
        yield _package(name, name)


def _folders(settings: Settings) -> Iterator[Finding]:
    file = default_config_file()
    yield Finding("settings", True, f"{file}" if file.is_file() else f"defaults (no file {file})")
    folder = settings.data_dir
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0
    yield Finding("data folder", True, f"{folder} ({_size(used)})")
    advice = "" if free >= LITTLE_SPACE else "Free some space, or choose another folder with EARMARK_DATA_DIR."
    yield Finding("disk", not advice, f"{_size(free)} free", advice)


def _database(settings: Settings) -> Iterator[Finding]:
    """The server that the settings name, if they do."""
    if settings.database:
        for subject, state, advice in examined(settings):
            yield Finding(subject, not advice, state, advice, fatal=bool(advice) and subject == "database")


def _library(settings: Settings) -> Iterator[Finding]:
    if not settings.database and not (settings.data_dir / "library.db").exists():
        yield Finding("library", True, "not begun", "Start 'earmark serve' for the demo, or 'earmark add FILE'.")
        return
    library = open_library(settings)
    try:
        held, unready = library.overview(), library.unready(UNREADY)
    finally:
        library.close()
    yield Finding("library", True, f"{held.episodes} episodes, {held.ready} ready")
    for episode in unready:
        yield Finding("episode", False, f"{episode.title}: {episode.status}",
                      f"Run 'earmark add {episode.source}' again; it goes on where it stopped.")


def _elsewhere(role: str, setting: str) -> Iterator[Finding]:
    """Whether an engine of another machine answers."""
    from wyoming.info import Describe

    engine = RemoteEngine(address_of(setting))
    try:
        engine.ask([Describe().event()], "info")
    except EngineError as error:
        yield Finding(role, False, error.message, "Check that it runs; until then the engine of this machine is used.")
    else:
        yield Finding(role, True, f"Wyoming at {engine.address}, for questions")


def _hearing(settings: Settings) -> Iterator[Finding]:
    if is_remote(settings.hearing):
        yield from _elsewhere("hearing", settings.hearing)
    choice = Engines(settings).choice
    name = f"faster-whisper {choice.model}"
    path = present_whisper(whisper_folder(settings)).get(choice.model)
    if path is None:
        yield Finding("hearing", True, f"{name}. {choice.why}", choice.better)
        return
    if not path.exists():
        there = next(parent for parent in path.parents if parent.exists())
        able = there.is_dir() and os.access(there, os.W_OK)
        state = f"{name}, {whisper_models.model_origin(choice.model, path)}, put together when it is needed"
        yield Finding("hearing", able, state,
                      choice.better if able else f"{there} cannot be written to: choose another EARMARK_DATA_DIR.")
        return
    wanted = whisper_models.model_digests(choice.model, path)
    wrong = whisper_models.why_damaged(choice.model, path)
    state = f"{name}, {whisper_models.model_origin(choice.model, path)}. {_held(wrong, wanted)} {choice.why}"
    better = whisper_models.model_remedy(choice.model, path) if wrong else choice.better
    yield Finding("hearing", not wrong, state, better)


def _held(wrong: str, wanted: Mapping[str, str]) -> str:
    """Whether the digests of a model's files hold."""
    if wrong:
        return f"{wrong}."
    return "Its SHA-256 is the published one." if wanted else "There is no published SHA-256 to compare it with."


def _speakers(settings: Settings) -> Iterator[Finding]:
    folder = diarization.models_folder(settings.speakers, speakers_folder(settings))
    lacks = diarization.missing(folder) if folder else ""
    if folder and not lacks:
        yield Finding("speakers", True, f"told apart with the models in {folder}")
    elif lacks:
        yield Finding("speakers", False, "cannot be told apart", lacks[0].upper() + lacks[1:])
    else:
        off = settings.speakers.strip().lower() == "off"
        yield Finding("speakers", True, "named where a transcript names them",
                      "" if off else f"{diarization.INSTALL_DIARIZATION}, then 'earmark models get "
                      f"{diarization.MODEL_NAME}', to tell them apart by their voices.")  # fmt: skip


def _speaking(settings: Settings) -> Iterator[Finding]:
    if is_remote(settings.speaking):
        yield from _elsewhere("speaking", settings.speaking)
        settings = replace(settings, speaking="auto")
    engines = Engines(settings)
    path = engines.voice_file
    wanted = piper.voice_digests(path) if path else {}
    wrong = damaged(path.parent, wanted) if path else ""
    line = engines.line("speaking")
    if path is None or line.name != f"Piper {path.stem}":  # not there, or not to be used, which the line explains
        yield Finding("speaking", False, line.name, line.better)
        return
    state = f"{line.name}, {piper.voice_origin(path)}. {_held(wrong, wanted)}"
    yield Finding("speaking", not wrong, state, piper.voice_remedy(path) if wrong else line.better)


def _languages(settings: Settings) -> Iterator[Finding]:
    """Whether answers out of episodes in other languages are read in a voice of theirs."""
    if not settings.database and not (settings.data_dir / "library.db").exists():
        return
    library = open_library(settings)
    try:
        spoken = set(library.languages()) - {"", "en"}
    finally:
        library.close()
    engines = Engines(settings)
    named = piper.wanted_voices(settings.speaking).languages
    usual = piper.language_of_voice(str(engines.voice_file or "en"))
    for code in sorted((spoken | set(named)) - {usual}):
        voice = engines.other_voices.get(code)
        if voice is not None:
            yield Finding("speaking", True, f"{name_of(code)}: {voice}")
            continue
        advice = (f"Run 'earmark models get {named[code]}'." if piper.is_voice(named.get(code, "")) else
                  f"Name a Piper voice of that language in the settings: speaking = \"auto, {code}=…\".")  # fmt: skip
        yield Finding("speaking", False, f"There is no voice for {name_of(code)} on this machine: "
                      f"{engines.line('speaking').name} reads it as it would English.", advice)


def _finding(settings: Settings) -> Iterator[Finding]:
    path = MINILM.path
    if path is None:
        yield Finding("finding", False, f"{MiniLM.name} is missing", MINILM.remedy, fatal=True)
        return
    wrong = damaged(path, MINILM.digests)
    state = f"{MiniLM.name}, from the package {MINILM.origin}. {_held(wrong, MINILM.digests)}"
    yield Finding("finding", not wrong, state, MINILM.remedy if wrong else "")
    ref = settings.finding.strip()
    if ref == "auto":
        return
    folder = find_model(ref)
    if folder is None:
        yield Finding("finding", False, f"{ref} is not on this machine; {MiniLM.name} finds",
                      f"'earmark serve' fetches it, or run 'earmark models get {ref}'.")
    elif not complete(folder):
        yield Finding("finding", False, f"{folder} holds no model that can be used; {MiniLM.name} finds", MODEL_ADVICE)
    else:
        yield Finding("finding", True, f"{ref}, in {folder}, once the library is embedded with it")


def _sound(settings: Settings) -> Iterator[Finding]:
    try:
        found = sound_devices.devices()
    except EarmarkError as error:
        yield Finding("sound", False, error.message, f"{error.hint} The page in a browser works without.".strip())
        return
    for subject, count in (("microphone", "inputs"), ("loudspeaker", "outputs")):
        names = [device.name for device in found if getattr(device, count)]
        yield Finding(subject, bool(names), ", ".join(names) or "none",
                      "" if names else "Plug one in; the page in a browser works without.")


def _server(settings: Settings) -> Iterator[Finding]:
    server = client.running(settings.own_dir)
    yield Finding("server", True, f"running at {server.url}" if server else "not running",
                  "" if server else "Start it with 'earmark serve'; asking is then faster.")


def _package(subject: str, name: str) -> Finding:
    try:
        return Finding(subject, True, version(name) if subject == name else f"{name} {version(name)}")
    except PackageNotFoundError:
        return Finding(subject, False, f"{name} is missing", "Install Earmark again: make run", fatal=name != "earmark")


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit in ("bytes", "kB", "MB") else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


