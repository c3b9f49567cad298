# SPDX-License-Identifier: GPL-3.0-or-later
"""A voice in three parts: the same sound as in one, sooner; and voices that are made otherwise."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.conftest import for_long
from voice.synthesis import vits_parts
from voice.synthesis.piper import PACKAGED_VOICE
from voice.synthesis.vits import Vits
from voice.weights import JOE

assert JOE.path is not None, JOE.remedy
MODEL = JOE.path / f"{PACKAGED_VOICE}.onnx"
IDS = [1, 0, *(number for letter in range(14, 34) for number in (letter, 0)), 2] * 3
STEADY = (0.0, 1.0, 0.0)
"""No noise, so that a thing is said twice alike."""

RATE = 22_050


@pytest.fixture(scope="module")
def vits() -> Vits:
    """The packaged voice."""
    return Vits(MODEL)


def whole(path: Path, **beside: Any) -> np.ndarray:
    """What the graph as it was published makes."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {"input": np.array([IDS]), "input_lengths": np.array([len(IDS)]), "scales": np.array(STEADY, np.float32)}
    return np.asarray(session.run(None, feed | beside)[0]).reshape(-1)


@pytest.mark.parametrize("pace", [0.1, *for_long(0.01, 0.5)])
def test_pieces_are_the_same_samples_as_the_whole(vits: Vits, pace: float) -> None:
    vits._pace = pace
    pieces = list(vits.speak(IDS, STEADY, None, RATE))
    assert len(pieces) > 1 and len(pieces[0]) / RATE < 0.6 < sum(map(len, pieces)) / RATE
    assert np.abs(np.concatenate(pieces) - whole(MODEL)).max() < 1e-4


def said(vits: Vits) -> np.ndarray:
    return np.concatenate(list(vits.speak(IDS, STEADY, None, RATE)))


DIGEST = JOE.digests[MODEL.name]


def test_the_parts_are_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = said(Vits(MODEL, DIGEST, tmp_path))
    (folder,) = (tmp_path / "voice-parts").iterdir()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1.1 * MODEL.stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(vits_parts, "cut", lambda path: pytest.fail("cut again"))
        assert np.abs(said(Vits(MODEL, DIGEST, tmp_path)) - first).max() < 1e-4
    assert vits_parts.kept("0" * 64, tmp_path) is None
    assert [folder] == [*(tmp_path / "voice-parts").iterdir()]


@pytest.mark.parametrize("harm", ["cut off", "gone", "changed", "no note", "another voice", "note of nothing"])
def test_parts_that_are_not_whole_are_not_trusted(tmp_path: Path, harm: str) -> None:
    vits_parts.keep((b"first", b"second", b"third"), DIGEST, tmp_path)
    assert vits_parts.kept(DIGEST, tmp_path) is not None
    (folder,) = (tmp_path / "voice-parts").iterdir()
    part, note = folder / "flow.onnx", folder / "parts.json"
    match harm:
        case "cut off":
            part.write_bytes(b"sec")
        case "gone":
            part.unlink()
        case "changed":
            part.write_bytes(b"dnoces")
        case "no note":
            note.unlink()
        case "another voice":
            note.write_text(note.read_text().replace(DIGEST, "1" * 64))
        case _:
            note.write_text('{"parts": {}}')
    assert vits_parts.kept(DIGEST, tmp_path) is None
    vits_parts.keep((b"first", b"second", b"third"), DIGEST, tmp_path)
    assert vits_parts.kept(DIGEST, tmp_path) is not None
    assert [folder] == [*(tmp_path / "voice-parts").iterdir()]


def test_a_store_that_cannot_be_written_goes_without(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no folder")
    assert len(said(Vits(MODEL, DIGEST, tmp_path / "store")))
    assert vits_parts.kept(DIGEST, tmp_path / "store") is None


def test_parts_that_cannot_be_loaded_are_cut_anew(tmp_path: Path) -> None:
    vits_parts.keep((b"first", b"second", b"third"), DIGEST, tmp_path)
    assert len(said(Vits(MODEL, DIGEST, tmp_path)))
    assert said(Vits(MODEL, DIGEST, tmp_path)).shape == whole(MODEL).shape


def test_a_slow_machine_makes_a_sentence_as_a_whole(vits: Vits) -> None:
    vits._pace = 0.9  # pieces would leave gaps within words
    assert len(list(vits.speak(IDS, STEADY, None, RATE))) == 1


@pytest.mark.long
def test_a_voice_whose_parts_have_other_names_speaks_as_a_whole(tmp_path: Path) -> None:
    model = onnx.load(str(MODEL))
    for node in model.graph.node:
        node.name = node.name.replace("/dec/", "/other/")
    onnx.save(model, str(tmp_path / "voice.onnx"))
    (made,) = Vits(tmp_path / "voice.onnx").speak(IDS, STEADY, None, RATE)
    assert np.abs(made - whole(MODEL)).max() < 1e-4


@pytest.mark.long
def test_a_voice_of_several_speakers_has_its_speaker_in_every_piece(tmp_path: Path) -> None:
    """Such a voice adds a speaker's vector within its generator, to what comes out of the first convolution."""
    model = onnx.load(str(MODEL))
    graph = model.graph
    first = next(node for node in graph.node if node.name == "/dec/conv_pre/Conv")
    (made,) = first.output
    for node in graph.node:
        node.input[:] = [{made: "/dec/added", "sid": "a number"}.get(name, name) for name in node.input]
    vectors = np.random.default_rng(0).normal(size=(2, 256, 1)).astype(np.float32)
    next(weight for weight in graph.initializer if weight.name == "sid").name = "a number"
    graph.initializer.append(onnx.numpy_helper.from_array(vectors, "speakers"))
    graph.input.append(onnx.helper.make_tensor_value_info("sid", onnx.TensorProto.INT64, [1]))
    at = [node.name for node in graph.node].index(first.name)
    graph.node.insert(at + 1, onnx.helper.make_node("Add", [made, "speaker"], ["/dec/added"], "/dec/Add_speaker"))
    graph.node.insert(0, onnx.helper.make_node("Gather", ["speakers", "sid"], ["speaker"], "/emb_g/Gather"))
    path = tmp_path / "voice.onnx"
    onnx.save(model, str(path))
    voice = Vits(path)
    one, other = (np.concatenate(list(voice.speak(IDS, STEADY, speaker, RATE))) for speaker in (0, 1))
    assert np.abs(one - whole(path, sid=np.array([0]))).max() < 1e-4 and np.abs(one - other).max() > 0.01
