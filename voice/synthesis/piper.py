# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaking: text in, sound out piece by piece. Piper makes phonemes of a text, and its voices sound of them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from voice import hub, weights
from voice.audio import Audio
from voice.errors import DownloadError, SettingsError, SpeakingError
from voice.synthesis.text_normalization import speech_pieces
from voice.synthesis.vits import Vits

if TYPE_CHECKING:
    from piper import PiperVoice

PACKAGED_VOICE = "en_US-joe-medium"
"""The voice that comes with Earmark, and speaks where no other is here."""

_REPOSITORY, _REVISION = "rhasspy/piper-voices", "v1.0.0"
"""Where Piper's voices are published: family/code/name/quality/<voice>.onnx and .onnx.json."""

_NAME = re.compile(
    r"(?P<family>[a-z]{2,3})_(?P<region>[A-Z]{2,3})-(?P<name>[A-Za-z0-9_]+)-(?P<quality>x_low|low|medium|high)"
)
_FOR_LANGUAGE = re.compile(r"(?P<code>[a-z]{2,3})\s*=\s*(?P<voice>.+)")
_USUAL_VOICE = 20_000_000  # bytes at least
_QUALITIES = ("high", "medium", "low", "x_low")  # best first
_SLOWEST, _FASTEST = 0.4, 3.0  # times the usual speed


class Speaking(Protocol):
    """Something that speaks: its `name` to show, and the `rate` in hertz of all sound it gives."""

    name: str
    rate: int

    def speak(self, text: str) -> Iterator[Audio]:
        """The text as sound, in pieces that follow each other without a gap."""
        ...

    def close(self) -> None:
        """Give the memory back. Speaking afterwards raises SpeakingError."""
        ...


class PiperSpeaking:
    """A Piper voice that is loaded and warm.

    `speed` is a factor (1.25 is faster by a quarter), between 0.4 and 3.
    """

    def __init__(self, voice: "PiperVoice", vits: Vits, name: str, speed: float = 1.0) -> None:
        self.name = name
        self.rate: int = voice.config.sample_rate
        self.speed = speed
        self._voice: PiperVoice | None = voice
        self._vits: Vits | None = vits

    def speak(self, text: str) -> Iterator[Audio]:
        """The text as sound, in pieces that follow each other without a gap; each is made when it is asked for.

        Markup, addresses and emoji are left out and times are said in words (``text_normalization``). A text with
        nothing to say gives nothing. Raises SpeakingError when the voice was closed, or fails.
        """
        for piece in speech_pieces(text):
            yield from self._said(piece)

    def close(self) -> None:
        """Give the memory back."""
        self._voice = self._vits = None

    def _said(self, piece: str) -> Iterator[Audio]:
        """One piece of text as sound."""
        voice, vits = self._voice, self._vits
        if voice is None or vits is None:
            raise SpeakingError(f"The voice {self.name} was closed.", "Load it again.")
        how = voice.config
        length = how.length_scale / min(max(self.speed, _SLOWEST), _FASTEST)
        speaker = how.default_speaker_id if how.num_speakers > 1 else None
        try:
            for phonemes in filter(None, voice.phonemize(piece)):
                scales = (how.noise_scale, length, how.noise_w_scale)
                for samples in vits.speak(voice.phonemes_to_ids(phonemes), scales, speaker, self.rate):
                    if len(samples):
                        yield Audio(np.clip(np.nan_to_num(samples), -1, 1), self.rate)
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise SpeakingError(f"The voice {self.name} failed: {error}.", "Choose another voice.") from error


def is_voice(name: str) -> bool:
    """True for what could be the name of a published Piper voice."""
    return _NAME.fullmatch(name) is not None


def find_voice(name: str, folder: Path) -> Path | None:
    """The .onnx file of a published voice whose two files are here: in its package, in ``folder``, else in the hub's
    cache; None when absent."""
    places = [folder / f"{name}.onnx"]
    if name == PACKAGED_VOICE and (packaged := weights.JOE.path) is not None:
        places.insert(0, packaged / f"{name}.onnx")
    if is_voice(name):
        places += [snapshot / _published(name) for snapshot in hub.cached(_REPOSITORY)]
    return next((path for path in places if path.is_file() and _description(path).is_file()), None)


def present_voices(folder: Path) -> list[str]:
    """The voices that are on this machine beside the packaged one, by name, the best quality first."""
    files = [*folder.glob("*.onnx")]
    for snapshot in hub.cached(_REPOSITORY):
        files += snapshot.glob("*/*/*/*/*.onnx")
    names = {path.stem for path in files if is_voice(path.stem) and _description(path).is_file()}
    return sorted(names, key=lambda name: (_QUALITIES.index(name.rpartition("-")[2]), name))


def choose_voice(setting: str, present: Sequence[str]) -> str:
    """The voice to load for a setting: with "auto" the best English one that was fetched (``present``), else the
    packaged one, which also stands in for a published voice that is not here (yet)."""
    if setting == "auto":
        return next((name for name in present if name.startswith("en")), PACKAGED_VOICE)
    return PACKAGED_VOICE if is_voice(setting) and setting not in present else setting


@dataclass(frozen=True, slots=True)
class Voices:
    """What a setting asks for: the ``usual`` voice ("auto", a name or a file), and one for some ``languages`` (code to
    name or file)."""

    usual: str
    languages: Mapping[str, str]


def wanted_voices(setting: str) -> Voices:
    """Read a setting such as "auto" or "en_US-joe-medium, de=de_DE-thorsten-medium".

    Raises SettingsError when it is neither.
    """
    usual, languages = "", {}
    for part in filter(None, map(str.strip, setting.split(","))):
        found = _FOR_LANGUAGE.fullmatch(part)
        if found is not None:
            languages[found["code"]] = found["voice"].strip()
        elif usual:
            raise SettingsError(
                f"The setting speaking names two voices, {usual} and {part}, for no language.",
                "Put the code of its language before one of them: speaking = \"auto, de=de_DE-thorsten-medium\".",
            )
        else:
            usual = part
    return Voices(usual or "auto", languages)


def voices_by_language(wanted: Voices, present: Sequence[str], usual: str) -> dict[str, str]:
    """The voice that speaks each language which is not that of the ``usual`` voice, as far as there is one here.

    Where the usual voice is left to Earmark, so are those of other languages: the best of each that was fetched.
    """
    here = {name for name in wanted.languages.values() if name in present or Path(name).expanduser().is_file()}
    found: dict[str, str] = {}
    if wanted.usual == "auto":
        for name in present:
            found.setdefault(language_of_voice(name), name)
    found |= {code: name for code, name in wanted.languages.items() if name in here}
    return {code: name for code, name in found.items() if code != language_of_voice(usual)}


def language_of_voice(ref: str) -> str:
    """The code of the language that a voice speaks, by its name; English where the name does not say."""
    found = _NAME.fullmatch(Path(ref).stem if ref.endswith(".onnx") else ref)
    return found["family"] if found is not None else "en"


def load_voice(ref: str, folder: Path, speed: float = 1.0, memory: Path | None = None) -> PiperSpeaking:
    """Load a voice and say a word in silence, so that the first sentence is as quick as the others.

    ref: a name such as "en_US-joe-medium" of a voice that is here, or the path of an .onnx file with its .onnx.json
    beside it. memory: a folder in which it is remembered that a file was checked, and the voice's parts are kept.

    Raises SpeakingError, which names the next step, when there is no such voice, when its files are not the published
    ones or cannot be used.
    """
    path = _find(ref, folder)
    if not _description(path).is_file():
        raise SpeakingError(
            f"The voice {path} has no description beside it.", f"Put its {_description(path).name} into {path.parent}."
        )
    digests = voice_digests(path)
    if wrong := weights.damaged(path.parent, digests, memory):
        raise SpeakingError(f"{wrong}.", voice_remedy(path))
    try:
        from piper import PiperConfig, PiperVoice

        vits = Vits(path, digests.get(path.name, ""), memory)
        config = PiperConfig.from_dict(json.loads(_description(path).read_text("utf-8")))
        voice = PiperVoice(vits.session, config, download_dir=folder)  # it makes phonemes of texts
        speaking = PiperSpeaking(voice, vits, f"Piper {path.stem}", speed)
        for _ in speaking.speak("Ready."):
            pass
    except SpeakingError:
        raise
    except Exception as error:  # piper lets through whatever json, onnxruntime and a wrong description raise
        raise SpeakingError(f"The voice {path} cannot be loaded: {_reason(error)}.", voice_remedy(path)) from error
    return speaking


def download_voice(name: str, folder: Path, progress: Callable[[float], None] = lambda part: None) -> Path:
    """Fetch a published Piper voice into the hub's cache and return its .onnx file; one that is here is not fetched.

    progress: called with the fraction that is there, 0 to 1. Raises SpeakingError for a name that no voice can have,
    DownloadError when it cannot be fetched (an interrupted download goes on with the next call).
    """
    if not is_voice(name):
        raise SpeakingError(f"{name!r} is not the name of a Piper voice.", "A name looks like en_US-lessac-medium.")
    path = find_voice(name, folder)
    if path is None:
        file = _published(name)
        advice = (f"Try again later (it goes on), or put {name}.onnx and {name}.onnx.json into {folder} by hand; "
                  f"until then {PACKAGED_VOICE} speaks.")  # fmt: skip
        path = hub.fetch(_REPOSITORY, (file, f"{file}.json"), _REVISION, advice, _USUAL_VOICE, progress) / file
        if not (path.is_file() and _description(path).is_file()):
            raise DownloadError(f"{_REPOSITORY} has no voice {name}.", "'earmark models list' shows some that it has.")
    progress(1.0)
    return path


def voice_origin(path: Path) -> str:
    """Where a voice came from, for people."""
    if path.parent == weights.JOE.path:
        return f"from the package {weights.JOE.origin}"
    return f"from the hub's {_REPOSITORY}, in {path.parent}" if "snapshots" in path.parts else f"in {path.parent}"


def voice_digests(path: Path) -> dict[str, str]:
    """The SHA-256 that the files of a voice must have, by name; empty where nobody published them."""
    if path.stem == PACKAGED_VOICE:
        return dict(weights.JOE.digests)
    announced = hub.announced_digests(path.parent) if "snapshots" in path.parts else {}
    return {name: digest for name, digest in announced.items() if name.startswith(path.stem)}


def voice_remedy(path: Path) -> str:
    """What to do about a voice that is damaged."""
    if path.parent == weights.JOE.path:
        return weights.JOE.remedy
    if is_voice(path.stem):
        return f"Remove {path}, then run 'earmark models get {path.stem}', or choose auto."
    return "Put its two files (.onnx and .onnx.json) there again, or choose auto."


def _published(name: str) -> str:
    """Where in the repository a voice lies."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise SpeakingError(f"{name!r} is not the name of a Piper voice.", "A name looks like en_US-lessac-medium.")
    family, quality = found["family"], found["quality"]
    return f"{family}/{family}_{found['region']}/{found['name']}/{quality}/{name}.onnx"


def _description(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _find(ref: str, folder: Path) -> Path:
    """The .onnx file that is meant."""
    if ref.endswith(".onnx"):
        path = Path(ref).expanduser()
        if not path.is_file():
            raise SpeakingError(f"There is no voice file {path}.", "Check the path, or choose auto.")
        return path
    if not is_voice(ref):
        raise SpeakingError(
            f"There is no voice called {ref!r}.",
            "Choose auto, a Piper voice such as en_US-lessac-medium, or an .onnx file.",
        )
    found = find_voice(ref, folder)
    if found is not None:
        return found
    if (folder / f"{ref}.onnx").is_file():
        return folder / f"{ref}.onnx"
    hint = weights.JOE.remedy if ref == PACKAGED_VOICE else (
        f"Fetch it with 'earmark models get {ref}', or put {ref}.onnx and {ref}.onnx.json there by hand."
    )  # fmt: skip
    raise SpeakingError(f"The voice {ref} is not in {folder}.", hint)


def _reason(error: Exception) -> str:
    """The first line of an error, or its kind when it has no text."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
