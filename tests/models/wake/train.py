# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes ``hey_earmark.onnx``, an openWakeWord head, as its own training does: on the embeddings of the front end.

    python -m tests.models.wake.train      (needs the extra "models"; two minutes)

Positives are "hey earmark" in many voices of espeak-ng, ending at different moments of the window, softly and over
noise; negatives are other sentences, words that sound alike, parts of the word, and noise.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.demo import TEN_QUESTIONS
from tests.speech import say
from voice.audio import Samples
from voice.turns.openwakeword import Windows

MODEL = Path(__file__).with_name("hey_earmark.onnx")
VOICES = ("en-us", "en", "en-gb-x-rp", "en-us+f1", "en-us+f2", "en-us+f4", "en-us+m1", "en-us+m2", "en-us+m3",
          "en-us+m5", "en-us+m6", "en-us+m7", "en-gb-x-rp+f2", "en-us+Annie", "en+f5", "en+m8")  # fmt: skip
"""Voices that it learns from; the tests speak in others."""
OTHERS = ("hey", "earmark", "hey ear", "hey mark", "hey earlobe", "hey ermine", "he remarked", "hey you", "ear", "mark",
          "okay", "hey martin", "a remark", "your mark", "hey jarvis", "alexa", "pause", "go back thirty seconds",
          *(question.text for question in TEN_QUESTIONS))  # fmt: skip
WINDOWS, FEATURES = 16, 96
_FIRST = 1.92  # seconds of sound before the first window, less one step


def windows(samples: Samples) -> np.ndarray:
    """Every window (n, 16, 96) of openWakeWord's front end over ``samples``, one each 80 ms."""
    return np.array([window.copy() for window in Windows(Path(), WINDOWS)(samples)])


def sounds(draw: np.random.Generator) -> Iterator[tuple[Samples, float | None]]:
    """Sound, and where in it (seconds) the word ends (None: it is not in it)."""
    for voice, rate, pitch in itertools.product(VOICES, (140, 165, 190), (35, 50, 65)):
        word = say("hey earmark", voice, rate, pitch)
        yield _with_noise(word, draw), 2.0 + len(word) / 16_000
        yield _with_noise(say(OTHERS[draw.integers(len(OTHERS))], voice, rate, pitch), draw), None
    for voice, text in itertools.product(VOICES, OTHERS):
        yield _with_noise(say(text, voice, 160), draw), None
    for level in (0.001, 0.01, 0.1, 0.3):
        yield _with_noise(np.zeros(5 * 16_000, np.float32), draw, level), None


def _with_noise(speech: Samples, draw: np.random.Generator, level: float | None = None) -> Samples:
    """Two seconds before the speech and one behind it, at some loudness, over some noise."""
    whole = np.pad(speech * draw.uniform(0.15, 1.0), (32_000, 16_000))
    noise = draw.normal(0, level or 10 ** draw.uniform(-3.5, -2), len(whole))
    return (whole + noise).astype(np.float32)


def main() -> None:
    import onnx
    import torch
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(7)
    given, wanted = [], []
    for samples, end in sounds(draw):
        found = windows(samples)
        at = np.arange(1, len(found) + 1) * 0.08 + _FIRST
        if end is None:
            given.append(found)
            wanted.append(np.zeros(len(found)))
            continue
        said = (at > end + 0.02) & (at < end + 0.26)
        clear = (at < end - 0.3) | (at > end + 0.6)
        given.append(found[said | clear])
        wanted.append(said[said | clear].astype(float))
    x = torch.tensor(np.concatenate(given).reshape(-1, WINDOWS * FEATURES), dtype=torch.float32)
    y = torch.tensor(np.concatenate(wanted), dtype=torch.float32)
    mean, scale = x.mean(0), x.std(0) + 1e-3
    torch.manual_seed(1)
    net = torch.nn.Linear(WINDOWS * FEATURES, 1)
    optimizer = torch.optim.AdamW(net.parameters(), 4e-3, weight_decay=0.1)
    rarity = float((y == 0).sum() / y.sum())
    for _ in range(600):
        optimizer.zero_grad()
        score = net((x - mean) / scale).squeeze(1)
        weight = torch.where(y > 0, rarity, 20.0)  # a false alarm is worse than a second try
        torch.nn.functional.binary_cross_entropy_with_logits(score, y, weight).backward()
        optimizer.step()
    with torch.no_grad():
        weights = (net.weight[0] / scale).reshape(-1, 1)
        bias = net.bias - (net.weight[0] / scale * mean).sum()
        right = ((net((x - mean) / scale).squeeze(1) > 0) == (y > 0)).float()
        print(f"{int(y.sum())} windows of {len(y)}; right: {right[y > 0].mean():.3f}, {right[y == 0].mean():.4f}")
    parts = [numpy_helper.from_array(weights.numpy(), "weights"), numpy_helper.from_array(bias.numpy(), "bias"),
             numpy_helper.from_array(np.array([-1, WINDOWS * FEATURES]), "flat")]  # fmt: skip
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["row"]),
        helper.make_node("Gemm", ["row", "weights", "bias"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "hey_earmark", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, WINDOWS, FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])], parts,
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9), str(MODEL))


if __name__ == "__main__":
    main()
