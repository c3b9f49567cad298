# SPDX-License-Identifier: GPL-3.0-or-later
"""What hears, speaks and finds: chosen, loaded on first use, and exchanged when something better has come."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from episodes.text.language import language_among
from retrieval.finding.sentences.cross_encoder import CrossEncoder
from retrieval.index.embedding import Embedder
from retrieval.index.sentence_model import SentenceModel, find_model, is_name
from ui import model_catalogue
from ui.model_catalogue import VOICES, voices_folder, whisper_folder
from ui.settings import Settings
from voice import diarization
from voice.errors import EarmarkError, SpeakingError
from voice.recognition.choice import Choice, Hearing, choose_hearing, load_hearing
from voice.recognition.remote_recognition import RemoteHearing
from voice.recognition.whisper_models import PACKAGED_MODEL, WHISPER, present_whisper
from voice.synthesis import piper
from voice.synthesis.piper import (
    Speaking,
    choose_voice,
    find_voice,
    is_voice,
    language_of_voice,
    load_voice,
    present_voices,
    voices_by_language,
    wanted_voices,
)  # fmt: skip
from voice.synthesis.remote_synthesis import RemoteSpeaking
from voice.wyoming_client import RemoteEngine, address_of, is_remote

log = logging.getLogger("earmark")

ROLES = ("speaking", "hearing", "finding", "telling")
"""In the order in which they are loaded."""

Bar = Callable[[str], AbstractContextManager[Callable[[float], object]]]
"""Shows the progress of what it is told: a context with a function that gets fractions in 0..1."""


@dataclass(frozen=True, slots=True)
class EngineLine:
    """What does a job now (``role`` "hearing", "speaking", "finding" or "telling") and how to get something better."""

    role: str
    name: str
    better: str = ""


class Engines:
    """The engines of one process. Each loads on first use, once; safe to use from several threads.

    A model that the settings name and that is not on this machine is fetched when it is first needed
    (``fetch_wanted``); until it is there, where no hub answers, and where its files are damaged, the packaged model
    does the work, and its line says why.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bar: Bar = _told
        self._locks = {role: threading.Lock() for role in (*ROLES, "voices", "reading", "named")}  # all load at once
        self._hearing: Hearing | None = None
        self._speaking: Speaking | None = None
        self._voices: dict[str, Speaking | None] = {}
        self._finding: Embedder | None = None
        self._named: Embedder | None = None
        self.found_by = ""
        """The model that finds by meaning, where it is not the packaged one."""
        self._reading: CrossEncoder | None = None
        self._tried: set[str] = set()
        self._coming: dict[str, str] = {}

    @property
    def hearing(self) -> Hearing:
        """The recogniser. Raises HearingError when it cannot start."""
        with self._locks["hearing"]:
            if self._hearing is None:
                self._hearing = self._load_hearing()
            return self._hearing

    @property
    def speaking(self) -> Speaking:
        """The voice. Raises SpeakingError when it cannot start."""
        with self._locks["speaking"]:
            if self._speaking is None:
                self._speaking = self._load_speaking()
            return self._speaking

    def voice_for(self, text: str) -> Speaking:
        """The voice that reads a text: that of its language where one is here, else the usual one.

        Raises SpeakingError when it cannot start.
        """
        usual, others = self._voices_here
        if not others:
            return self.speaking
        voice = others.get(language_among(text, {"en", language_of_voice(usual), *others}))
        if voice is None:
            return self.speaking
        with self._locks["voices"]:
            if voice not in self._voices:
                try:
                    folder, memory = voices_folder(self.settings), self.settings.models_dir
                    self._voices[voice] = load_voice(voice, folder, memory=memory)
                except SpeakingError as error:
                    self._voices[voice] = None
                    self._give_way("speaking", usual, error)
            return self._voices[voice] or self.speaking

    @property
    def other_voices(self) -> dict[str, str]:
        """By the code of its language, each voice that is here beside the usual one."""
        return self._voices_here[1]

    @property
    def finding(self) -> Embedder:
        """The packaged embedder. Raises EngineError when it cannot start."""
        with self._locks["finding"]:
            if self._finding is None:
                self._finding = Embedder.load(self.settings.models_dir)
            return self._finding

    @property
    def named_finding(self) -> Embedder | None:
        """The embedder with the model that the settings name; None when they name none, when it is not on this machine
        yet, and when it cannot be loaded (its line says why)."""
        ref = self.settings.finding.strip()
        if ref == "auto":
            return None
        with self._locks["named"]:
            if self._named is None:
                try:
                    folder = find_model(ref)
                    if folder is not None:
                        self._named = self.finding.beside(SentenceModel.load(ref, folder))
                except EarmarkError as error:
                    self._give_way("finding", self.finding.name, error)
            return self._named

    @property
    def reading(self) -> CrossEncoder | None:
        """The cross-encoder that the settings name; None for the reader that comes with the program.

        Raises EngineError when it cannot be loaded.
        """
        if self.settings.reader.strip() in ("", "builtin"):
            return None
        with self._locks["reading"]:
            if self._reading is None:
                self._reading = CrossEncoder.load(self.settings.reader.strip())
            return self._reading

    def line(self, role: str) -> EngineLine:
        """What does this job now, loaded if need be, and how to get something better. One that cannot start is said."""
        try:
            if role == "hearing":
                name, better = self.hearing.name, self.choice.better
            elif role == "speaking":
                name, better = self.speaking.name, self._better_voice()
            elif role == "finding":
                name, better = self.found_by or self.finding.name, ""
            else:
                name, better = self.settings.llm_model, ""
        except EarmarkError as error:
            log.warning("%s", error)
            return EngineLine(role, "not available", str(error))
        return EngineLine(role, name, self._coming.get(role) or better)

    # -- models that come over the network ---------------------------------------------------------------------

    def wanted(self) -> list[tuple[str, str]]:
        """The models that the settings name and that are not on this machine, each with its role."""
        found = []
        hearing, voices = self.settings.hearing.strip(), wanted_voices(self.settings.speaking)
        if hearing in WHISPER and hearing not in present_whisper(whisper_folder(self.settings)):
            found.append(("hearing", hearing))
        for voice in (voices.usual, *voices.languages.values()):
            if is_voice(voice) and find_voice(voice, voices_folder(self.settings)) is None:
                found.append(("speaking", voice))
        finding = self.settings.finding.strip()
        if is_name(finding) and find_model(finding) is None:
            found.append(("finding", finding))
        return found

    def fetch_wanted(self, *roles: str, said: Callable[[str], None] = lambda role: None) -> None:
        """Fetch what the settings name for these roles, once in the life of this process, and use it.

        What cannot be fetched is logged with its reason, and the packaged engine goes on. ``said`` is called with
        the role whose line has changed.
        """
        for role, name in self.wanted():
            if role not in roles or name in self._tried:
                continue
            self._tried.add(name)
            try:
                self.fetch(name, partial(self._on_its_way, role, name, said))
                self._coming.pop(role, None)
            except EarmarkError as error:
                log.warning("%s", error)
                self._coming[role] = str(error)
            said(role)

    def fetch(self, name: str, on_progress: Callable[[float], None] = lambda part: None) -> None:
        """Fetch a model by name, unless it is here, and use it where the settings say so.

        Raises SettingsError for a name nobody has, DownloadError when it could not be fetched, NoSpace or LibraryError
        when the disk refuses.
        """
        with self.bar(f"Fetching {name}") as show:

            def tell(part: float) -> None:
                show(part)
                on_progress(part)

            model_catalogue.get(self.settings, name, tell)
        self.renew()

    def renew(self) -> None:
        """Choose again what is loaded, since models have come. Who uses an engine at the moment keeps it to the end.

        Raises HearingError or SpeakingError when the new one cannot start; then the old one stays.
        """
        if self._hearing is not None:
            self._hearing = self._load_hearing()
        if self._speaking is not None:
            self._speaking = self._load_speaking()
        self._voices = {name: voice for name, voice in self._voices.items() if voice is not None}

    def uses(self, name: str) -> bool:
        """True when the settings and what is on this machine lead to the model of this name."""
        if name == diarization.MODEL_NAME:
            return self.settings.speakers == "auto"
        usual, others = self._voices_here
        return name in (self.choice.model, usual, *others.values())

    def _load_hearing(self) -> Hearing:
        if is_remote(self.settings.hearing):
            return RemoteHearing(
                RemoteEngine(address_of(self.settings.hearing)), self._load_local_hearing, self.settings.language
            )
        return self._load_local_hearing()

    def _load_local_hearing(self) -> Hearing:
        choice = self.choice
        try:
            return self._loaded(choice)
        except EarmarkError as error:
            if choice.model == PACKAGED_MODEL or self.settings.language not in ("en", "auto"):
                raise
            self._give_way("hearing", PACKAGED_MODEL, error)
            return self._loaded(Choice(PACKAGED_MODEL, "", ""))

    def _loaded(self, choice: Choice) -> Hearing:
        folder, settings = whisper_folder(self.settings), self.settings
        return load_hearing(choice, folder, settings.language, settings.threads, settings.models_dir)

    def _load_speaking(self) -> Speaking:
        usual = wanted_voices(self.settings.speaking).usual
        if is_remote(usual):
            return RemoteSpeaking(RemoteEngine(address_of(usual)), self._load_local_speaking)
        return self._load_local_speaking()

    def _load_local_speaking(self) -> Speaking:
        folder, memory = voices_folder(self.settings), self.settings.models_dir
        voice = self._voice
        try:
            return load_voice(voice, folder, memory=memory)
        except SpeakingError as error:
            if voice == piper.PACKAGED_VOICE:
                raise
            self._give_way("speaking", piper.PACKAGED_VOICE, error)
            return load_voice(piper.PACKAGED_VOICE, folder, memory=memory)

    def _give_way(self, role: str, packaged: str, error: EarmarkError) -> None:
        """Say that the packaged model does the work of one that cannot be used, and why."""
        if self._coming.get(role) != str(error):
            log.warning("%s Until then %s is used.", error, packaged)
        self._coming[role] = str(error)

    def tell(self, role: str, news: str) -> None:
        """Let the line of a role say something; "" when there is nothing more to say."""
        self._coming.pop(role, None)
        if news:
            self._coming[role] = news

    def _on_its_way(self, role: str, name: str, said: Callable[[str], None], part: float) -> None:
        self._coming[role] = f"{name} is being fetched: {part:.0%}."
        said(role)

    @property
    def voice_file(self) -> Path | None:
        """The file of the voice that is used; None when it is not here."""
        voice = self._voice
        path = Path(voice).expanduser()
        return path if path.suffix == ".onnx" else find_voice(voice, voices_folder(self.settings))

    @property
    def choice(self) -> Choice:
        """Which recogniser is used, why, and how to get a better one."""
        present = present_whisper(whisper_folder(self.settings))
        return choose_hearing(local_of(self.settings.hearing), present, self.settings.language)

    @property
    def _voice(self) -> str:
        """Which voice is used."""
        return self._voices_here[0]

    @property
    def _voices_here(self) -> tuple[str, dict[str, str]]:
        """Which voice is used, and those of other languages (see ``other_voices``): one look at what is here."""
        wanted, present = wanted_voices(self.settings.speaking), present_voices(voices_folder(self.settings))
        usual = choose_voice(local_of(wanted.usual), present)
        return usual, voices_by_language(wanted, present, usual)

    def _better_voice(self) -> str:
        setting = local_of(wanted_voices(self.settings.speaking).usual)
        if self._voice != piper.PACKAGED_VOICE or setting == piper.PACKAGED_VOICE:
            return ""
        if setting != "auto":
            return f"Run 'earmark models get {setting}' for the voice that the settings name."
        name, megabytes = next(iter(VOICES.items()))
        return f"Run 'earmark models get {name}' for another voice ({megabytes} MB)."


def local_of(setting: str) -> str:
    """What is used on this machine, where the setting may name an engine of another one."""
    return "auto" if is_remote(setting) else setting


@contextmanager
def _told(what: str) -> Iterator[Callable[[float], None]]:
    """Progress where there is no terminal: a line at the beginning and one at the end."""
    log.info("%s …", what)
    yield lambda part: None
    log.info("%s: done", what)
