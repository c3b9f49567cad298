# SPDX-License-Identifier: GPL-3.0-or-later
"""Two models that tell a low voice from a high one, in the shape that sherpa-onnx wants of its real ones.

    python -m tests.models.speakers.make        (it needs the package onnx)

``segmentation.onnx`` stands for pyannote's segmentation 3.0: sound in, for each frame of 17 ms the seven classes of
its power set. It listens to two bands: below 150 Hz only low voices have strength. ``embedding.onnx`` stands for a
WeSpeaker network: filter bank features in, a vector for who speaks: the slope of the spectrum's beginning.
Both are formulas with nothing learned, and enough for espeak-ng's voices.
"""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper, save

RATE, SIZE, SHIFT = 16_000, 991, 270  # hertz; samples that a frame sees, samples between two frames
LOW, HIGH = (80.0, 145.0), (165.0, 290.0)  # hertz: where a low voice has its pitch, and where only a high one has
QUIET = -11.0  # natural logarithm of a band's energy below which nobody speaks
DEEPER = 2.2  # what a low voice's lower band may lack of the upper one
BINS = 80
BETWEEN = 4.1  # the slope of the spectrum's beginning (natural logarithm) that is between low and high voices


def segmentation() -> ModelProto:
    """x (n, 1, samples) to y (n, frames, 7): nobody, the low voice, the high one, a third, and pairs of them."""
    time, window = np.arange(SIZE) / RATE, np.hanning(SIZE)
    waves, band = [], []
    for number, (first, last) in enumerate((LOW, HIGH)):
        for pitch in np.arange(first, last, 12.0):
            for wave in (np.sin, np.cos):
                waves.append(wave(2 * np.pi * pitch * time) * window / SIZE)
                band.append(number)
    gather = np.eye(2, dtype=np.float32)[band].T[:, :, None]
    classes = np.full((7, 2, 1), 0, np.float32)
    classes[1, 0], classes[2, 1] = 1, 1
    bias = np.array([QUIET, DEEPER, 0, -99, -99, -99, -99], np.float32)
    constants = {
        "waves": np.array(waves, np.float32)[:, None, :], "gather": gather.astype(np.float32),
        "least": np.array(1e-9, np.float32), "classes": classes, "bias": bias,
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "waves"], ["heard"], strides=[SHIFT]),
        helper.make_node("Mul", ["heard", "heard"], ["power"]),
        helper.make_node("Conv", ["power", "gather"], ["bands"]),
        helper.make_node("Add", ["bands", "least"], ["some"]),
        helper.make_node("Log", ["some"], ["level"]),
        helper.make_node("Conv", ["level", "classes", "bias"], ["scores"]),
        helper.make_node("Transpose", ["scores"], ["y"], perm=[0, 2, 1]),
    ]
    return _model(nodes, constants, ("x", ["N", 1, "T"]), ("y", ["N", "F", 7]), {
        "num_speakers": 3, "powerset_max_classes": 2, "num_classes": 7, "sample_rate": RATE, "window_size": 10 * RATE,
        "receptive_field_size": SIZE, "receptive_field_shift": SHIFT, "model_type": "pyannote-segmentation-3.0",
    })  # fmt: skip


def embedding() -> ModelProto:
    """feats (n, frames, 80) to embs (n, 2): how much less there is in the lowest bins than where high voices begin."""
    weights = np.zeros((BINS, 2), np.float32)
    weights[0:3, 0], weights[5:9, 0] = 1 / 3, -1 / 4
    constants = {"weights": weights, "middle": np.array([BETWEEN, 0.3], np.float32)}
    nodes = [
        helper.make_node("ReduceMean", ["feats"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["slope"]),
        helper.make_node("Add", ["slope", "middle"], ["embs"]),
    ]
    return _model(nodes, constants, ("feats", ["B", "T", BINS]), ("embs", ["B", 2]), {
        "framework": "wespeaker", "language": "English", "sample_rate": RATE, "output_dim": 2,
        "normalize_samples": 0,
    })  # fmt: skip


def _model(nodes, constants, given, made, notes):  # type: ignore[no-untyped-def]
    graph = helper.make_graph(
        nodes, "voices",
        [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])],
        [helper.make_tensor_value_info(made[0], TensorProto.FLOAT, made[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in notes.items()})
    checker.check_model(model)
    return model


def main() -> None:
    """Write both beside this file."""
    folder = Path(__file__).parent
    save(segmentation(), folder / "segmentation.onnx")
    save(embedding(), folder / "embedding.onnx")


if __name__ == "__main__":
    main()
