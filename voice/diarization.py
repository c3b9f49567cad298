# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks when, told from the sound alone: sherpa-onnx with a segmentation and an embedding network.

An extra (``.[diarization]``), since nobody needs it whose transcripts name their speakers. sherpa-onnx was
chosen because it is kept up, free (Apache-2.0), needs no torch, and works offline with files of 34 MB together. It
takes a recording as a whole, so here it gets ten minutes at a time, and the voices of each ten minutes are recognised
again by their embeddings: memory does not grow with the recording.

Speakers have no names here but "Speaker 1" and so on, in the order in which they are first heard.
"""

import bisect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voice.audio import HEARING_RATE, Samples, stream_audio
from voice.errors import HearingError
from voice.model import Cue, Word
from voice.resumable_download import download

MODEL_NAME = "speakers"
"""What the two models together are called for ``earmark models get``."""

MEGABYTES = 34
INSTALL_DIARIZATION = f"Run: {sys.executable} -m pip install sherpa-onnx"
SPEAKER_FILES = {
    "segmentation.onnx": (
        "https://huggingface.co/csukuangfj/sherpa-onnx-pyannote-segmentation-3-0/resolve/main/model.onnx",
        "220ad67ca923bef2fa91f2390c786097bf305bceb5e261d4af67b38e938e1079",
    ),
    "embedding.onnx": (
        "https://huggingface.co/csukuangfj/speaker-embedding-models/resolve/main/"
        "3dspeaker_speech_campplus_sv_en_voxceleb_16k.onnx",
        None,
    ),
}
"""The files of a folder with models (pyannote's segmentation 3.0, MIT; 3D-Speaker's CAM++, Apache-2.0): where they
come from, and their SHA-256 where it is known."""

BLOCK = 600.0
"""Seconds that are looked at at once."""

_APART = 0.5  # cosine similarity of embeddings under which two voices are two people's
_CLUSTERS = 0.5  # sherpa-onnx's own distance between the voices of one block
_ENOUGH = 45.0  # seconds of a voice that are embedded
_SHORTEST = 0.4  # seconds: a turn this short inside another one is a mistake, or a "yes"
_NEAR = 1.0  # seconds from a turn within which a word belongs to it

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Speech:
    """One speaker's stretch: ``start`` and ``end`` in seconds, ``speaker`` a number from 0."""

    start: float
    end: float
    speaker: int


def missing(folder: Path) -> str:
    """What is needed before speakers can be told apart with the models in ``folder``: a sentence, empty if nothing."""
    from importlib.util import find_spec

    lacking = [name for name in SPEAKER_FILES if not (folder / name).is_file()]
    if lacking:
        return f"{folder} lacks {' and '.join(lacking)}: run 'earmark models get {MODEL_NAME}'."
    if find_spec("sherpa_onnx") is None:
        return f"sherpa-onnx is not installed. {INSTALL_DIARIZATION}"
    return ""


def models_folder(setting: str, folder: Path) -> Path | None:
    """The folder whose models tell speakers apart, None when nobody is to: ``setting`` is "auto" (the models in
    ``folder``, once they are there), "off", or a folder."""
    if setting.strip().lower() == "off":
        return None
    if setting.strip().lower() != "auto":
        return Path(setting).expanduser()
    return folder if all((folder / name).is_file() for name in SPEAKER_FILES) else None


def fetch_models(folder: Path, on_progress: Callable[[float], None] = lambda part: None) -> Path:
    """Fetch both models into ``folder``; what is there stays. Raises DownloadError, NoSpace or LibraryError."""
    for number, (name, (address, digest)) in enumerate(SPEAKER_FILES.items()):
        if not (folder / name).is_file():
            download(address, folder / name, lambda part, done=number: on_progress((done + part) / len(SPEAKER_FILES)),  # type: ignore[misc]
                     sha256=digest, limit_bytes=200_000_000)  # fmt: skip
    on_progress(1.0)
    return folder


class Speakers:
    """Both models, loaded. Not for several threads at once.

    Raises HearingError when sherpa-onnx or a model is missing, or a model cannot be loaded.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        lacks = missing(folder)
        if lacks:
            raise HearingError("Speakers cannot be told apart.", lacks[0].upper() + lacks[1:])
        import sherpa_onnx as sherpa

        # 0 is for engines that choose by themselves; this one wants a number
        threads = threads or 2
        embedding = sherpa.SpeakerEmbeddingExtractorConfig(model=str(folder / "embedding.onnx"), num_threads=threads)
        model = sherpa.OfflineSpeakerSegmentationPyannoteModelConfig(model=str(folder / "segmentation.onnx"))
        config = sherpa.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa.OfflineSpeakerSegmentationModelConfig(pyannote=model, num_threads=threads),
            embedding=embedding,
            clustering=sherpa.FastClusteringConfig(num_clusters=-1, threshold=_CLUSTERS),
        )
        _check(folder)
        self._diarization: Any = sherpa.OfflineSpeakerDiarization(config)
        self._extractor: Any = sherpa.SpeakerEmbeddingExtractor(embedding)

    def tell(self, path: Path, on_progress: Callable[[float], None] = lambda seconds: None) -> list[Speech]:
        """Who speaks when in a recording, in order. ``on_progress`` hears how many seconds are done.

        Raises AudioError when the file cannot be decoded.
        """
        found: list[Speech] = []
        known: list[tuple[Vector, float]] = []
        start = 0.0
        for block in _blocks(path):
            local = [(turn.start, turn.end, turn.speaker) for turn in
                     self._diarization.process(block).sort_by_start_time()]  # fmt: skip
            numbers = _recognised({speaker: self._voice(block, local, speaker) for _, _, speaker in local}, known)
            found += [Speech(start + begin, start + end, numbers[speaker]) for begin, end, speaker in local]
            start += len(block) / HEARING_RATE
            on_progress(start)
        return found

    def _voice(self, block: Samples, turns: Sequence[tuple[float, float, int]], speaker: int) -> tuple[Vector, float]:
        """The unit vector of a voice of one block, and the seconds that it was made from: its longest turns."""
        own = sorted((turn for turn in turns if turn[2] == speaker), key=lambda turn: turn[0] - turn[1])
        parts, seconds = [], 0.0
        for begin, end, _ in own:
            if seconds < _ENOUGH:
                parts.append(block[int(begin * HEARING_RATE) : int(end * HEARING_RATE)])
                seconds += end - begin
        stream = self._extractor.create_stream()
        stream.accept_waveform(HEARING_RATE, np.concatenate(parts))
        stream.input_finished()
        vector = np.asarray(self._extractor.compute(stream), np.float32)
        return vector / max(1e-9, float(np.linalg.norm(vector))), seconds


def _check(folder: Path) -> None:
    """Raise HearingError for a file that is not a model: sherpa-onnx would end the process."""
    import onnxruntime

    for name, note in (("segmentation.onnx", "receptive_field_size"), ("embedding.onnx", "output_dim")):
        try:
            session = onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])
            notes = session.get_modelmeta().custom_metadata_map
        except Exception as error:  # onnxruntime has a dozen of its own, below Exception
            raise HearingError(f"{folder / name} is not a model that can be loaded.",
                               f"Remove it, then run 'earmark models get {MODEL_NAME}'.") from error  # fmt: skip
        if note not in notes:
            raise HearingError(f"{folder / name} is not a model for sherpa-onnx (it does not say its {note}).",
                               f"Remove it, then run 'earmark models get {MODEL_NAME}'.")  # fmt: skip


def _blocks(path: Path) -> Iterator[Samples]:
    waiting: list[Samples] = []
    held = 0
    for part in stream_audio(path):
        waiting.append(part.samples)
        held += len(part.samples)
        if held >= BLOCK * HEARING_RATE:
            yield np.concatenate(waiting)
            waiting, held = [], 0
    if held:
        yield np.concatenate(waiting)


def _recognised(voices: dict[int, tuple[Vector, float]], known: list[tuple[Vector, float]]) -> dict[int, int]:
    """Which known voice each of one block's is; new ones are added to ``known``, and known ones learn.

    Those that speak longest come first, since they are told best.
    """
    numbers = {}
    for speaker, (vector, seconds) in sorted(voices.items(), key=lambda item: -item[1][1]):
        alike = [float(vector @ other) for other, _ in known]
        best = max(range(len(known)), key=alike.__getitem__, default=-1)
        if best < 0 or alike[best] < _APART:
            numbers[speaker] = len(known)
            known.append((vector, seconds))
            continue
        other, before = known[best]
        mixed = other * before + vector * seconds
        unit = np.asarray(mixed / max(1e-9, float(np.linalg.norm(mixed))), np.float32)
        known[best] = unit, before + seconds
        numbers[speaker] = best
    return numbers


def with_speakers(cues: Sequence[Cue], turns: Sequence[Speech]) -> list[Cue]:
    """The cues with who says them, "Speaker 1" being the first one heard; a cue in which speakers change is cut there.

    A word belongs to the turn that it lies in for longest, else to one within a second; a cue without words' times goes
    to whom most of it belongs to. Words lost between two turns stay with those before them. Nothing is dropped, and
    what is far from every turn has no speaker.
    """
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end))
    parts: list[tuple[Cue, int | None]] = []
    for cue in cues:
        if not cue.words or " ".join(word.text for word in cue.words).split() != cue.text.split():
            parts.append((cue, _of(cue.start, cue.end, ordered)))
            continue
        for speaker, words in _runs(cue.words, ordered):
            text = " ".join(word.text for word in words)
            whole = len(words) == len(cue.words)
            part = cue if whole else Cue(words[0].start, words[-1].end, text, "", tuple(words))
            parts.append((part, speaker))
    names: dict[int, str] = {}
    for _, speaker in parts:
        if speaker is not None:
            names.setdefault(speaker, f"Speaker {len(names) + 1}")
    return [replace(cue, speaker="" if speaker is None else names[speaker]) for cue, speaker in parts]


def _runs(words: Sequence[Word], turns: Sequence[Speech]) -> Iterator[tuple[int | None, list[Word]]]:
    """(speaker, words) of a cue: one run for each speaker, without a run so short that it is a mistake."""
    owners = [_of(word.start, word.end, turns) for word in words]
    for place in range(1, len(owners)):
        owners[place] = owners[place - 1] if owners[place] is None else owners[place]
    if owners and owners[0] is None:
        owners = [next((owner for owner in owners if owner is not None), None) if owner is None else owner
                  for owner in owners]  # fmt: skip
    runs = [(owner, [word for _, word in group]) for owner, group in
            groupby(zip(owners, words, strict=True), key=lambda pair: pair[0])]  # fmt: skip
    kept: list[tuple[int | None, list[Word]]] = []
    for place, (owner, group) in enumerate(runs):
        short = group[-1].end - group[0].start < _SHORTEST
        inside = 0 < place < len(runs) - 1 and runs[place - 1][0] == runs[place + 1][0]
        if kept and ((short and inside) or kept[-1][0] == owner):
            kept[-1][1].extend(group)
        else:
            kept.append((owner, list(group)))
    yield from kept


def _of(start: float, end: float, turns: Sequence[Speech]) -> int | None:
    """Whose turn the time from ``start`` to ``end`` is."""
    shared: dict[int, float] = {}  # seconds within somebody's turns, below 0 how far the nearest is
    for turn in _around(start, end, turns):
        inside = min(end, turn.end) - max(start, turn.start)
        before = shared.get(turn.speaker, -_NEAR)
        shared[turn.speaker] = before + inside if before > 0 and inside > 0 else max(before, inside)
    best = max(shared, key=lambda speaker: shared[speaker], default=None)
    return None if best is None or shared[best] <= -_NEAR else best


def _around(start: float, end: float, turns: Sequence[Speech]) -> Iterable[Speech]:
    """The turns within reach of a time; ``turns`` are ordered by their start."""
    last = bisect.bisect_right(turns, end + _NEAR, key=lambda turn: turn.start)
    for place in range(last - 1, -1, -1):
        if turns[place].end > start - _NEAR:
            yield turns[place]
        elif turns[place].start < start - BLOCK:  # no turn is longer than a block
            return
