# SPDX-License-Identifier: GPL-3.0-or-later
"""A cross-encoder as a second reader: slower and, where it was trained on more than is free, better.

It sees question and run in one piece through every layer, so nothing of it can be made ahead; it reads only the runs
that the reader which comes with the program likes best.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from retrieval.finding.sentences.calibration import as_probability
from retrieval.model import SearchResult
from voice.errors import EngineError

READ = 16
"""Runs that it reads for a question."""


class CrossEncoder:
    """Scores question and run together, with one logit each, as models for MS MARCO do. Safe from several threads."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()

    @classmethod
    def load(cls, name: str) -> "CrossEncoder":
        """Load it from a folder, or by its name from the hub (once; it is kept there).

        Raises EngineError when it cannot be had, or when it is none.
        """
        advice = "Set reader to the folder of a cross-encoder, to its name on the hub, or to builtin."
        try:
            from sentence_transformers import CrossEncoder as Model

            model = Model(name, device="cpu", max_length=128)
        except Exception as error:  # the loaders of weights, tokenizer and config raise whatever they like
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise EngineError(f"The reader {name} could not be loaded ({reason}).", advice) from error
        if model.config.num_labels != 1:
            raise EngineError(f"The reader {name} gives {model.config.num_labels} numbers for a pair, not one.", advice)
        return cls(name, model)

    def read(self, question: str, found: SearchResult) -> SearchResult:
        """The runs in the order of their scores; whether the best answers is the sigmoid of its score."""
        read = found.runs[:READ]
        if not read:
            return found
        pairs = [(question, f"{run.asked} {run.text}".strip()) for run in read]
        with self._lock:
            scores = self._scores(pairs)
        most = max(scores)
        chances = [math.exp(score - most) for score in scores]
        order = sorted(range(len(read)), key=lambda number: -scores[number])
        runs = [replace(read[number], share=round(chances[number] / sum(chances), 4)) for number in order]
        return SearchResult((*runs, *found.runs[READ:]), as_probability(most))

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        import torch

        found = self._model.predict(
            list(pairs), activation_fn=torch.nn.Identity(), show_progress_bar=False, convert_to_numpy=True
        )
        return [float(score) for score in found]
