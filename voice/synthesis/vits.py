# SPDX-License-Identifier: GPL-3.0-or-later
"""A Piper voice as three graphs, so that a sentence begins to sound while the rest of it is still being made.

Piper's voices are VITS: a first part tells of phonemes how long each lasts and makes noise around what they may sound
like, a normalizing flow makes of it the latent frames of a whole sentence, a generator (HiFi-GAN) makes samples of
them. The first part is quick. Flow and generator look at a few frames around each one only, so that they can be given
them piece by piece and make the same samples. Kim, Kong and Son, "Conditional variational autoencoder with adversarial
learning for end-to-end text-to-speech", 2021.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voice.audio import Samples

_FLOW, _GENERATOR = "/flow/", "/dec/"  # what the names of their nodes begin with, as Piper exports them
_FLOWS_SEE = 32  # frames on either side that the flow looks at: four times four convolutions of five frames
_SEEN = 14  # and the generator: ten in a medium voice, thirteen in a high one
_FIRST = 45  # frames of the first piece, half a second; no later one is shorter
_AHEAD = 0.7  # part of the time for which there is sound, in which the next piece is to be made
_KEEPS_UP = 0.6  # seconds that a second of sound may take; on a slower machine pieces would leave gaps within words


class Vits:
    """A voice, loaded. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Load an .onnx file; what onnx and onnxruntime raise for one that is none is let through."""
        self._flow: Any = None
        self._generator: Any = None
        self._pace = 0.1  # seconds that flow and generator took for a second of sound, the last time
        parts = _parts(path)
        if parts is None:
            self.session: Any = _session(str(path))
            return
        self.session, self._flow, self._generator = map(_session, parts)

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
        given = dict(zip((output.name for output in self.session.get_outputs()), made, strict=True))
        length = max(values.shape[2] for values in given.values())
        (latent,) = (output.name for output in self._flow.get_outputs())
        frames, known = np.zeros((1, 0, 0), np.float32), 0  # what came out of the flow, and how many of them
        at, size, ahead = 0, _FIRST if self._pace < _KEEPS_UP else length, 0.0
        while at < length:
            began = time.monotonic()
            end = at + size if length - at - size >= _FIRST else length
            before, behind = max(0, at - _SEEN), min(end + _SEEN, length)
            if behind > known:
                first, last = max(0, known - _FLOWS_SEE), min(behind + _FLOWS_SEE, length)
                (part,) = self._flow.run(None, _cut(self._flow, given, first, last, length))
                frames = frames if known else np.empty((*part.shape[:2], length), np.float32)
                frames[:, :, known:behind] = part[:, :, known - first : behind - first]
                known = behind
            feed = _cut(self._generator, given, before, behind, length) | {latent: frames[:, :, before:behind]}
            (sound,) = self._generator.run(None, feed)
            samples = np.asarray(sound, np.float32).reshape(-1)
            hop = len(samples) // (behind - before)
            took = time.monotonic() - began
            self._pace = took * rate / len(samples)
            yield samples[(at - before) * hop : (end - before) * hop]
            ahead += (end - at) * hop / rate - (took if at else 0.0)
            at, size = end, max(_FIRST, int(_AHEAD * ahead / self._pace * rate / hop) - 2 * _SEEN)


def _cut(session: Any, given: dict[str, Any], begin: int, end: int, length: int) -> dict[str, Any]:
    """What a part takes of what was made before it: from frame ``begin`` to ``end``; what is no row of ``length``
    frames, as it is."""
    names = [wanted.name for wanted in session.get_inputs() if wanted.name in given]
    return {name: given[name][:, :, begin:end] if given[name].shape[2] == length else given[name] for name in names}


def _session(graph: str | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # the threads of one half would go on spinning in the way of the other's, and of whatever else is at work
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _parts(path: Path) -> tuple[bytes, bytes, bytes] | None:
    """A voice's graph before its flow, the flow, and the generator; None where it is not made as Piper exports it."""
    import onnx

    graph = (model := onnx.load(str(path))).graph
    flows, makers = (_taken(graph, prefix) for prefix in (_FLOW, _GENERATOR))
    latent = [name for name in makers if name not in flows]
    if not flows or len(latent) != 1:
        return None
    at_flow, at_generator, between = (
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names]
        for names in (flows, makers, latent)
    )
    return (_part(model, list(graph.input), at_flow), _part(model, at_flow, between),
            _part(model, at_generator, list(graph.output)))  # fmt: skip


def _taken(graph: Any, prefix: str) -> list[str]:
    """What goes into the nodes whose names begin so, and those behind them, of what depends on a graph's inputs."""
    moving = {given.name for given in graph.input}
    behind: set[str] = set()
    taken: dict[str, None] = {}
    for node in graph.node:  # each after those that make what it takes
        used = [*node.input, *_seen_inside(node)]
        if node.name.startswith(prefix) or behind.intersection(used):
            behind.update(node.output)
            taken.update(dict.fromkeys(name for name in used if name in moving and name not in behind))
        if moving.intersection(used):
            moving.update(node.output)
    return list(taken)


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
