# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recogniser hears, chosen by a pure function of what is there; and loading it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from voice.audio import Audio
from voice.errors import SettingsError
from voice.model import Bias, Heard, Piece
from voice.recognition.models import WHISPER, find_whisper

NOTHING = Bias()
"""No leaning towards anything."""

_FIRST = "tiny.en"  # the model to get when there is none
_LADDER = {"tiny": "base", "tiny.en": "base.en", "base": "small", "base.en": "small.en"}
_PREFERRED = (
    "small.en", "distil-small.en", "small", "base.en", "base", "tiny.en", "tiny", "distil-medium.en", "large-v3-turbo",
    "distil-large-v3.5", "distil-large-v3", "distil-large-v2", "medium.en", "medium", "large-v3", "large-v2",
    "large-v1",
)  # fmt: skip
"""What "auto" takes first: the best of those that hear a question in about a second on a home computer, then the
larger ones, fastest first."""


class Hearing(Protocol):
    """A recogniser. Safe to use from several threads."""

    name: str
    """As shown to people: "faster-whisper tiny.en", "built-in recogniser"."""

    def hear(self, audio: Audio, bias: Bias = NOTHING, timed: bool = False) -> Heard:
        """One question or command as text; the text is empty when nobody speaks.

        ``timed``: with the times of its words, which may take twice as long.
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

    ``model`` is a Whisper name, or the path of a folder with a model; empty for the built-in recogniser.
    """

    engine: Literal["whisper", "builtin"]
    model: str
    why: str
    better: str


def choose_hearing(setting: str, present: Mapping[str, Path], language: str = "en") -> Choice:
    """The recogniser for a setting, given the Whisper models that are ``present`` (name to folder).

    ``setting``: "auto", "builtin", a Whisper name such as "base.en", or the path of a folder with a model.
    ``language`` is a code such as "en", or "auto". Raises SettingsError for a setting that is none of these.
    """
    wanted = setting.strip()
    english = language == "en"
    if wanted == "builtin":
        return Choice("builtin", "", "The settings ask for the built-in recogniser.", _get(_first(english)))
    if wanted in WHISPER:
        if wanted in present:
            return Choice("whisper", wanted, f"The settings ask for {wanted}.", _step_up(wanted, present))
        return Choice("builtin", "", f"The model {wanted} is not on this machine yet.", _get(wanted))
    if wanted != "auto":
        if not any(mark in wanted for mark in "/\\~."):
            raise SettingsError(
                f"There is no recogniser {setting!r}.",
                f"Choose auto, builtin, the folder of a model, or one of: {', '.join(WHISPER)}.",
            )
        return Choice("whisper", wanted, f"The settings ask for the model in {wanted}.", "")
    for name in _PREFERRED:
        if name in present and (english or not WHISPER[name].english_only):
            return Choice(
                "whisper", name, f"{name} is the best fit of the models on this machine.", _step_up(name, present)
            )
    return Choice("builtin", "", "There is no Whisper model on this machine.", _get(_first(english)))


def load_hearing(choice: Choice, folder: Path, language: str = "en", threads: int = 0) -> Hearing:
    """Load the chosen recogniser (a second or so; call it in the background).

    ``folder`` holds Earmark's models; ``language`` is a code, or "auto"; ``threads`` is how many the recogniser may
    use, 0 for its own choice. Raises HearingError when it cannot start.
    """
    if choice.engine == "builtin":
        from voice.recognition.sphinx import Sphinx

        return Sphinx()
    from voice.recognition.whisper import Whisper

    path = find_whisper(choice.model, folder) if choice.model in WHISPER else None
    return Whisper(path or Path(choice.model).expanduser(), choice.model, language=language, threads=threads)


def _first(english: bool) -> str:
    return _FIRST if english else _FIRST.removesuffix(".en")


def _get(name: str) -> str:
    return f"Run 'earmark models get {name}' for faster-whisper ({WHISPER[name].megabytes} MB)."


def _step_up(name: str, present: Mapping[str, Path]) -> str:
    """How to get the next better model, "" at the top or when that model is there already."""
    better = _LADDER.get(name, "")
    if not better:
        return ""
    if better in present:
        return f"Set hearing to {better}, which is on this machine and hears better."
    return f"Run 'earmark models get {better}' for a model that hears better ({WHISPER[better].megabytes} MB)."
