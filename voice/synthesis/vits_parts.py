# SPDX-License-Identifier: GPL-3.0-or-later
"""A voice's graph cut into three, and the parts kept on disk: to cut it takes half a second of each start otherwise."""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from voice import weights

log = logging.getLogger("earmark")

_FLOW, _GENERATOR = "/flow/", "/dec/"  # what the names of their nodes begin with, as Piper exports them
_WAY = 1  # in which it is cut: parts that were cut in another way are cut anew
_NAMES = ("before.onnx", "flow.onnx", "generator.onnx")
_NOTE = "parts.json"


def kept(digest: str, store: Path) -> tuple[str, ...] | None:
    """The files with the parts of the voice that has this SHA-256, whole and in order; None where they are not kept."""
    folder = _folder(digest, store)
    try:
        note = json.loads((folder / _NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    parts = note.get("parts") if isinstance(note, dict) else None
    if not isinstance(parts, dict) or {"voice": digest, "way": _WAY, "parts": parts} != note or [*parts] != [*_NAMES]:
        return None
    if wrong := weights.damaged(folder, parts, store):
        log.info("%s; it is made anew.", wrong)
        return None
    return tuple(str(folder / name) for name in _NAMES)


def keep(parts: Sequence[bytes], digest: str, store: Path) -> None:
    """Keep the parts of the voice with this SHA-256. They stand there all at once or not at all; a store that cannot be
    written goes without."""
    folder = _folder(digest, store)
    part = ""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = tempfile.mkdtemp(prefix=folder.name, dir=folder.parent)
        for name, data in zip(_NAMES, parts, strict=True):
            (Path(part) / name).write_bytes(data)
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in zip(_NAMES, parts, strict=True)}
        (Path(part) / _NOTE).write_text(json.dumps({"voice": digest, "way": _WAY, "parts": digests}), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        Path(part).rename(folder)
    except OSError as error:  # a read-only or full disk, or another process that was first
        log.debug("The parts of a voice are not kept: %s", error)
        if part:
            shutil.rmtree(part, ignore_errors=True)


def _folder(digest: str, store: Path) -> Path:
    return store / "voice-parts" / digest[:16]


def cut(path: Path) -> tuple[bytes, bytes, bytes] | None:
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
