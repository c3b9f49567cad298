# SPDX-License-Identifier: GPL-3.0-or-later
"""A Piper voice as two graphs, so that a sentence begins to sound while the rest of it is still being made.

Piper's voices are VITS: a first part makes of phonemes the latent frames of a whole sentence, a generator (HiFi-GAN)
makes samples of them, and takes most of the time. The generator looks at a few frames around each one only, so that it
can be given them piece by piece and makes the same samples. Kim, Kong and Son, "Conditional variational autoencoder
with adversarial learning for end-to-end text-to-speech", 2021.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voice.audio import Samples

_GENERATOR = "/dec/"  # what the names of its nodes begin with, as Piper exports it
_SEEN = 14  # frames on either side that the generator looks at: ten in a medium voice, thirteen in a high one
_FIRST = 45  # frames of the first piece, half a second; no later one is shorter
_AHEAD = 0.7  # part of the time for which there is sound, in which the next piece is to be made
_KEEPS_UP = 0.6  # seconds that a second of sound may take; on a slower machine pieces would leave gaps within words


class Vits:
    """A voice, loaded. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Load an .onnx file; what onnx and onnxruntime raise for one that is none is let through."""
        self._latents: tuple[str, ...] = ()
        self._generator: Any = None
        self._pace = 0.1  # seconds that the generator took for a second of sound, the last time
        halves = _halves(path)
        if halves is None:
            self.session: Any = _session(str(path))
            return
        front, generator, self._latents = halves
        self.session, self._generator = _session(front), _session(generator)

    def speak(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None, rate: int) -> Iterator[Samples]:
        """The sound (float32 (n,)) of one sentence, as it is made.

        ``ids`` are its phonemes, ``scales`` the scale of noise, of length, and of noise in lengths; ``speaker`` is for
        voices that have several; ``rate`` is the voice's, in hertz.
        """
        feed = {
            "input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }  # fmt: skip
        if speaker is not None:
            feed["sid"] = np.array([speaker], np.int64)
        made = self.session.run(None, feed)
        if self._generator is None:
            yield np.asarray(made[0], np.float32).reshape(-1)
            return
        frames, *others = made
        beside = dict(zip(self._latents[1:], others, strict=True))
        length = frames.shape[2]
        at, size, ahead = 0, _FIRST if self._pace < _KEEPS_UP else length, 0.0
        while at < length:
            began = time.monotonic()
            end = at + size if length - at - size >= _FIRST else length
            before, behind = max(0, at - _SEEN), min(end + _SEEN, length)
            (sound,) = self._generator.run(None, {self._latents[0]: frames[:, :, before:behind], **beside})
            samples = np.asarray(sound, np.float32).reshape(-1)
            hop = len(samples) // (behind - before)
            took = time.monotonic() - began
            self._pace = took * rate / len(samples)
            yield samples[(at - before) * hop : (end - before) * hop]
            ahead += (end - at) * hop / rate - (took if at else 0.0)
            at, size = end, max(_FIRST, int(_AHEAD * ahead / self._pace * rate / hop) - 2 * _SEEN)


def _session(graph: str | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # the threads of one half would go on spinning in the way of the other's, and of whatever else is at work
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _halves(path: Path) -> tuple[bytes, bytes, tuple[str, ...]] | None:
    """A voice's graph before its generator, the generator, and the names of what goes from one to the other, the latent
    frames first; None where it is not made as Piper exports it."""
    import onnx

    graph = (model := onnx.load(str(path))).graph
    first = next((node for node in graph.node if node.name.startswith(f"{_GENERATOR}conv_pre")), None)
    if first is None:
        return None
    weights = {weight.name for weight in graph.initializer}
    generator = [node for node in graph.node if node.name.startswith(_GENERATOR)]
    own = weights.union(*(node.output for node in generator))
    given = dict.fromkeys(name for node in generator for name in node.input if name and name not in own)
    latents = tuple(sorted(given, key=lambda name: name != first.input[0]))
    if latents[:1] != (first.input[0],):
        return None
    sent = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in latents]
    return _part(model, list(graph.input), sent), _part(model, sent, list(graph.output)), latents


def _part(model: Any, inputs: list[Any], outputs: list[Any]) -> bytes:
    """The part of a graph that makes ``outputs`` of ``inputs``."""
    import onnx

    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    known, wanted = {given.name for given in inputs}, [made.name for made in outputs]
    kept: set[str] = set()  # by the first thing that a node makes
    used: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in used:
            continue
        used.add(name)
        node = makers.get(name)
        if node is not None and name not in known:
            kept.add(node.output[0])
            wanted += [*node.input, *_seen_inside(node)]
    part = onnx.helper.make_graph(
        [node for node in graph.node if node.output[0] in kept], graph.name, inputs, outputs,
        [weight for weight in graph.initializer if weight.name in used],
    )  # fmt: skip
    made = onnx.helper.make_model(part, opset_imports=model.opset_import, ir_version=model.ir_version)
    return bytes(made.SerializeToString())


def _seen_inside(node: Any) -> Iterator[str]:
    """What the graphs within a node (the branches of an If) take from around it."""
    for attribute in node.attribute:
        for inner in attribute.g.node if attribute.HasField("g") else ():
            yield from inner.input
            yield from _seen_inside(inner)
