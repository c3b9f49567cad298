# SPDX-License-Identifier: GPL-3.0-or-later
"""all-MiniLM-L6-v2 by onnxruntime, which is ready in half a second and takes a tenth of the memory of PyTorch.

The graph lies beside this file (``minilm_graph`` writes it) and holds no weights: they are read where the package
that carries them has them. What it computes is what sentence-transformers computes with the same files.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.index.embedding import LAYERS, MAX_TOKENS, Matrix, TokenStates
from voice.errors import EngineError
from voice.processors import keep_numpy_to_one
from voice.weights import MINILM, damaged

GRAPH = Path(__file__).with_name("minilm.onnx")


class MiniLM:
    """The model, loaded. Safe to use from several threads."""

    name = "all-MiniLM-L6-v2"
    dimension = 384

    def __init__(self, session: Any, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._session = session

    @classmethod
    def load(cls, folder: Path | None = None, memory: Path | None = None, threads: int = 1) -> "MiniLM":
        """Load it from ``folder``, or from the installed package; never from the network.

        ``memory`` is the folder in which it is remembered that the files are the published ones, see
        ``voice.weights.damaged``; None: they are not looked at. More ``threads`` than one gain little for a question,
        and wait for each other where the processor is busy. Raises EngineError when it is not installed, when its files
        are not the published ones or cannot be read.
        """
        folder = folder or MINILM.path
        if folder is None:
            raise EngineError(f"The package with the model {cls.name} is missing.", MINILM.remedy)
        if memory is not None and (wrong := damaged(folder, MINILM.digests, memory)):
            raise EngineError(f"{wrong}.", MINILM.remedy)
        try:
            import onnxruntime
            from tokenizers import Tokenizer

            keep_numpy_to_one()
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.enable_truncation(MAX_TOKENS)
            tokenizer.enable_padding()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
            options.enable_cpu_mem_arena = False  # it would keep what the largest batch took
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
            session = onnxruntime.InferenceSession(GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])
        except ImportError as error:
            raise EngineError(f"The model {cls.name} cannot be run ({error}).", "Run `make run` again.") from error
        except Exception as error:  # the loaders of weights and tokenizer raise whatever they like
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise EngineError(f"The model {cls.name} could not be loaded ({reason}).", MINILM.remedy) from error
        return cls(session, tokenizer)

    def encode(self, texts: list[str], asked: bool = False) -> Matrix:
        """Unit rows (n, 384): the mean over the tokens of what the last layer makes of them."""
        _, mask, (states,) = self._run(texts, LAYERS[-1:])
        there = mask[:, :, None].astype(np.float32)
        rows = (states * there).sum(axis=1) / there.sum(axis=1)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def token_states(self, texts: list[str]) -> list[TokenStates]:
        """The tokens of each text and what ``LAYERS`` make of them."""
        read, mask, layers = self._run(texts, LAYERS)
        states = np.stack(layers, axis=2)
        lengths = mask.sum(axis=1).tolist()
        return [
            TokenStates(
                np.array(one.ids[1 : length - 1], np.uint16),
                np.array(one.offsets[1 : length - 1], np.int32).reshape(-1, 2), states[row, 1 : length - 1],
            )
            for row, (one, length) in enumerate(zip(read, lengths, strict=True))
        ]  # fmt: skip

    def _run(self, texts: list[str], layers: Sequence[int]) -> tuple[list[Any], npt.NDArray[np.int64], list[Matrix]]:
        """The texts as the tokenizer reads them, which of their places (n, longest) are tokens, and layers of
        their states (n, longest, 384)."""
        read = self.tokenizer.encode_batch(texts)
        ids, mask = (np.array([getattr(one, name) for one in read], np.int64) for name in ("ids", "attention_mask"))
        states = self._session.run([f"layer_{layer}" for layer in layers], {"input_ids": ids, "attention_mask": mask})
        return read, mask, states
