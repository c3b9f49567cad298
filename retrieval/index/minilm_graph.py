# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the graph of all-MiniLM-L6-v2, without its weights: ``python -m retrieval.index.minilm_graph``.

To be run again when the package with the weights has changed: the graph says where in its file each of them lies.
It needs the package onnx (the extra ``models``).
"""

import json
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from retrieval.index.embedding import LAYERS
from retrieval.index.minilm import GRAPH
from voice.weights import MINILM

_WEIGHTS = "model.safetensors"
_WIDTH, _HEADS, _DEPTH, _EPSILON = 384, 12, 6, 1e-12  # as its config.json says


class _Graph:
    """The nodes and the weights, as they are put together. Every method returns the name of what it made."""

    def __init__(self, folder: Path) -> None:
        with (folder / _WEIGHTS).open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            self._places: dict[str, Any] = json.loads(file.read(size))
            self._begin = 8 + size
        self.nodes: list[Any] = []
        self.weights: dict[str, Any] = {}

    def weight(self, name: str) -> str:
        place = self._places[name]
        first, end = place["data_offsets"]
        tensor = TensorProto(
            name=name, data_type=TensorProto.FLOAT, dims=place["shape"], data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", _WEIGHTS), ("offset", self._begin + first), ("length", end - first)):
            tensor.external_data.add(key=key, value=str(value))
        self.weights[name] = tensor
        return name

    def numbers(self, name: str, *values: int) -> str:
        self.weights[name] = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        return name

    def node(self, kind: str, given: list[str], made: str, **how: Any) -> str:
        self.nodes.append(helper.make_node(kind, given, [made], **how))
        return made

    def dense(self, given: str, name: str, made: str) -> str:
        return self.node("Gemm", [given, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], made, transB=1)

    def norm(self, given: str, name: str, made: str) -> str:
        weights = [self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("LayerNormalization", [given, *weights], made, axis=-1, epsilon=_EPSILON)


def graph(folder: Path) -> bytes:
    """The graph over the weights in ``folder``: tokens in, what ``LAYERS`` make of them out."""
    graph = _Graph(folder)
    node, numbers = graph.node, graph.numbers
    rows = numbers("rows", -1, _WIDTH)  # the shape in which texts and pieces are one
    node("Shape", ["input_ids"], "shape")
    texts = node("Concat", ["shape", numbers("width", _WIDTH)], "texts", axis=0)
    length = node("Slice", ["shape", numbers("one", 1), numbers("two", 2)], "length")
    words = node("Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"], "words")
    zero = numbers("zero", 0)
    positions = graph.weight("embeddings.position_embeddings.weight")
    placed = node("Add", [words, node("Slice", [positions, zero, length, zero], "positions")], "placed")
    kind = node("Gather", [graph.weight("embeddings.token_type_embeddings.weight"), zero], "kind")
    flat = node("Reshape", [node("Add", [placed, kind], "summed"), rows], "flat")
    state = graph.norm(flat, "embeddings.LayerNorm", "state_0")
    mask = node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    for number in range(_DEPTH):
        layer, at = f"encoder.layer.{number}", f"_{number}"
        heads = []
        for part in ("query", "key", "value"):
            one = graph.dense(state, f"{layer}.attention.self.{part}", f"flat_{part}{at}")
            heads.append(node("Reshape", [one, texts], f"{part}{at}"))
        seen = node("MultiHeadAttention", [*heads, "", mask], f"seen{at}", domain="com.microsoft", num_heads=_HEADS)
        seen = node("Reshape", [seen, rows], f"flat_seen{at}")
        mixed = graph.dense(seen, f"{layer}.attention.output.dense", f"mixed{at}")
        mixed = node("Add", [mixed, state], f"kept{at}")
        noted = graph.norm(mixed, f"{layer}.attention.output.LayerNorm", f"noted{at}")
        wide = node("Gelu", [graph.dense(noted, f"{layer}.intermediate.dense", f"flat_wide{at}")], f"wide{at}")
        narrow = graph.dense(wide, f"{layer}.output.dense", f"narrow{at}")
        narrow = node("Add", [narrow, noted], f"both{at}")
        state = graph.norm(narrow, f"{layer}.output.LayerNorm", f"state_{number + 1}")
        if number + 1 in LAYERS:
            node("Reshape", [state, texts], f"layer_{number + 1}")
    given = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "pieces"])
        for name in ("input_ids", "attention_mask")
    ]
    layers = [
        helper.make_tensor_value_info(f"layer_{layer}", TensorProto.FLOAT, ["texts", "pieces", _WIDTH])
        for layer in LAYERS
    ]
    whole = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", given, layers, [*graph.weights.values()])
    versions = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(whole, opset_imports=versions, ir_version=9).SerializeToString())


def main() -> None:
    """Write the file."""
    if MINILM.path is None:
        raise SystemExit(MINILM.remedy)
    GRAPH.write_bytes(graph(MINILM.path))


if __name__ == "__main__":
    main()
