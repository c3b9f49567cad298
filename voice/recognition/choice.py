# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recogniser hears, chosen by a pure function of what is there; and loading it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from voice import weights
from voice.audio import Audio
from voice.errors import HearingError, SettingsError
from voice.model import Bias, Heard, Piece, Wanted, always_wanted
from voice.recognition.whisper_models import EVERY_LANGUAGE, PACKAGED_MODEL, WHISPER, checked, get_whisper

NOTHING = Bias()
"""No leaning towards anything."""

_LADDER = {"tiny": "base", "tiny.en": "base.en", "base": "small", "base.en": "small.en"}
_PREFERRED = (
    "small.en", "distil-small.en", "small", "base.en", "tiny.en", "base", "tiny", "distil-medium.en", "large-v3-turbo",
    "distil-large-v3.5", "distil-large-v3", "distil-large-v2", "medium.en", "medium", "large-v3", "large-v2",
    "large-v1",
)  # fmt: skip
"""What "auto" takes first: the best of those that hear a question in about a second on a home computer, then the
larger ones, fastest first. "base" hears English no better than "tiny.en" and takes twice as long
(``tests.benchmarks.hearing``); it is there for the other languages."""


class Hearing(Protocol):
    """A recogniser. Safe to use from several threads."""

    name: str
    """As shown to people: "faster-whisper tiny.en"."""

    def hear(
        self, audio: Audio, bias: Bias = NOTHING, timed: bool = False, wanted: Wanted = always_wanted
    ) -> Heard:
        """One question or command as text; the text is empty when nobody speaks.

        ``timed``: with the times of its words, which may take twice as long. ``wanted``: asked between the steps of the
        work; once it says no, the rest is left out and no text comes.
        """
        ...

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        """A recording from ``since`` (seconds: 0, or where an earlier piece ended), piece by piece, in bounded memory.

        The pieces are the same wherever one begins. Raises AudioError when the file cannot be decoded.
        """
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The recogniser to use: ``why`` it is this one, and ``better``, how to get a better one ("" when there is none).

    ``model`` is a Whisper name, or the path of a folder with a model.
    """

    model: str
    why: str
    better: str


def choose_hearing(setting: str, present: Mapping[str, Path], language: str = "en") -> Choice:
    """The recogniser for a setting, given the Whisper models that are ``present`` (name to folder).

    ``setting``: "auto", a Whisper name such as "base.en", or the path of a folder with a model. ``language`` is a code
    such as "en", or "auto". Raises SettingsError for a setting that is none of these, HearingError when no model here
    hears the language.
    """
    wanted = setting.strip()
    english = language == "en"
    if wanted != "auto" and wanted not in WHISPER:
        if not any(mark in wanted for mark in "/\\~."):
            raise SettingsError(
                f"There is no recogniser {setting!r}.",
                f"Choose auto, the folder of a model, or one of: {', '.join(WHISPER)}.",
            )
        return Choice(wanted, f"The settings ask for the model in {wanted}.", "")
    if wanted in WHISPER and WHISPER[wanted].english_only and language not in ("en", "auto"):
        raise SettingsError(
            f"The model {wanted} hears English only, and the settings say that {language!r} is spoken.",
            f"Set hearing to auto or {wanted.removesuffix('.en')}, or language to en.",
        )
    if wanted in present:
        return Choice(wanted, f"The settings ask for {wanted}.", _step_up(wanted, present))
    every = [name for name in _PREFERRED if name in present and (english or not WHISPER[name].english_only)]
    if language == "auto" and not every:  # one who hears English is better than nobody
        every = [name for name in _PREFERRED if name in present]
    if not every:
        raise _nobody(language)
    best = every[0]
    if wanted != "auto":
        return Choice(best, f"The model {wanted} is not on this machine yet.", _get(wanted))
    why = f"{best} is the best fit of the models on this machine."
    if language == "auto" and WHISPER[best].english_only:
        why = f"{best} hears English; no model on this machine hears other languages."
        return Choice(best, why, _other_languages())
    return Choice(best, why, _step_up(best, present))


def load_hearing(
    choice: Choice, folder: Path, language: str = "en", threads: int = 0, memory: Path | None = None
) -> Hearing:
    """Load the chosen recogniser (a second or so; call it in the background).

    ``folder`` holds Earmark's models; ``language`` is a code, or "auto"; ``threads`` is how many the recogniser may
    use, 0 for its own choice; ``memory`` is the folder in which it is remembered that a file was checked. Raises
    HearingError when it cannot start or its files are not the published ones, DownloadError, NoSpace or LibraryError
    when a model that is packaged in parts cannot be put together.
    """
    from voice.recognition.whisper import Whisper

    if choice.model in WHISPER:
        path = checked(choice.model, get_whisper(choice.model, folder), memory or folder, HearingError)
    else:
        path = Path(choice.model).expanduser()
    return Whisper(path, choice.model, language=language, threads=threads)


def _nobody(language: str) -> HearingError:
    if language in ("en", "auto"):
        return HearingError(f"The recogniser {PACKAGED_MODEL} is not installed.", weights.TINY_EN.remedy)
    return HearingError(f"No model on this machine hears the language {language!r}.", _other_languages())


def _other_languages() -> str:
    return (f"Run pip install 'earmark[languages]', or 'earmark models get {EVERY_LANGUAGE}' "
            f"({WHISPER[EVERY_LANGUAGE].megabytes} MB).")  # fmt: skip


def _get(name: str) -> str:
    return f"Run 'earmark models get {name}' ({WHISPER[name].megabytes} MB)."


def _step_up(name: str, present: Mapping[str, Path]) -> str:
    """How to get the next better model, "" at the top or when that model is there already."""
    better = _LADDER.get(name, "")
    if not better:
        return ""
    if better in present:
        return f"Set hearing to {better}, which is on this machine and hears better."
    return f"Run 'earmark models get {better}' for a model that hears better ({WHISPER[better].megabytes} MB)."
