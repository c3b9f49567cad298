# SPDX-License-Identifier: GPL-3.0-or-later
"""Any embedding model that sentence-transformers can load, from a folder: a multilingual one, for instance."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.index.embedding import Matrix
from voice import hub
from voice.errors import EngineError, SettingsError

MODEL_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "*/config.json", "*/model.safetensors")
"""What such a model consists of on the hub: no code, no pickles, no copies for other programs."""

MODEL_ADVICE = "Set finding to auto, to the folder of a sentence-transformers model, or to its name on the hub."

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_E5 = re.compile(r"(?:^|[^a-z0-9])e5(?:[^a-z0-9]|$)")
_USUAL = 400_000_000  # bytes that are expected while the hub has announced fewer
_THREADS = 1  # it makes vectors beside somebody who talks


class SentenceModel:
    """A model that makes a vector of a text. Safe to use from several threads."""

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()  # the tokenizer must not be used by two threads at once
        self._before = prefixes(name, dict(model.prompts or {}))
        self.dimension = int(model.get_embedding_dimension())

    @classmethod
    def load(cls, ref: str, folder: Path) -> "SentenceModel":
        """Load the model called ``ref`` from its folder (PyTorch alone takes seconds); never from the network.

        Raises EngineError when it cannot be loaded.
        """
        try:
            with _quiet():
                import torch
                from sentence_transformers import SentenceTransformer

                torch.set_num_threads(_THREADS)
                return cls(SentenceTransformer(str(folder), device="cpu", local_files_only=True), ref)
        except Exception as error:  # the loaders of weights, tokenizer and config raise whatever they like
            reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
            raise EngineError(f"The model {ref} cannot be loaded ({reason}).", MODEL_ADVICE) from error

    def encode(self, texts: list[str], asked: bool = False) -> Matrix:
        """Unit rows (n, dimension) of one batch."""
        before = self._before[0 if asked else 1]
        with self._lock:
            rows = self._model.encode(
                texts, prompt=before, batch_size=len(texts) or 1, show_progress_bar=False, convert_to_numpy=True,
                normalize_embeddings=True,
            )  # fmt: skip
        return np.asarray(rows, np.float32)


def prefixes(name: str, prompts: dict[str, str]) -> tuple[str, str]:
    """What a model wants before a question and before a passage: as its own settings say, else as E5 was trained."""
    passage = next((prompts[key] for key in ("passage", "document", "corpus") if prompts.get(key)), "")
    if prompts.get("query") or passage:
        return prompts.get("query", ""), passage
    return ("query: ", "passage: ") if _E5.search(Path(name).name.lower()) else ("", "")


def find_model(ref: str) -> Path | None:
    """The folder of a model by its name on the hub, or the folder that ``ref`` is; None when it is not here.

    Raises SettingsError for what is neither.
    """
    folder = Path(ref).expanduser()
    if folder.is_dir():
        return folder
    if not is_name(ref):
        raise SettingsError(f"There is no model {ref!r} for finding.", MODEL_ADVICE)
    return next((snapshot for snapshot in hub.cached(ref) if complete(snapshot)), None)


def is_name(ref: str) -> bool:
    """True for what could be the name of a model on the hub."""
    return _NAME.fullmatch(ref) is not None


def complete(folder: Path) -> bool:
    """Whether a folder has what a model cannot do without."""
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def get_model(ref: str, on_progress: Callable[[float], None] = lambda part: None) -> Path:
    """The folder of a model by its name: where it is, else fetched.

    Raises SettingsError for what is no name, DownloadError when it is not to be had, NoSpace or LibraryError when the
    disk refuses.
    """
    folder = find_model(ref)
    if folder is None:
        advice = "Try again later (it goes on), or set finding to its folder; until then all-MiniLM-L6-v2 finds."
        folder = hub.fetch(ref, MODEL_FILES, "main", advice, _USUAL, on_progress)
        if not complete(folder):
            raise EngineError(f"{ref} has no weights as safetensors, so it cannot be used.", MODEL_ADVICE)
    on_progress(1.0)
    return folder


@contextmanager
def _quiet() -> Iterator[None]:
    """No bar is drawn while a model loads."""
    # it stays, or a later fork makes the tokenizer print a warning
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging

    drawn = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if drawn:
            logging.enable_progress_bar()
