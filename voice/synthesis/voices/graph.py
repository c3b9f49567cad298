# SPDX-License-Identifier: GPL-3.0-or-later
"""The voice as an ONNX graph: phoneme ids in, sound out, as piper asks for it.

The graph looks up the diphones of the phonemes, gives every period a length and a pitch (stress, the falling or
rising end of a clause, the longer last syllable), and lays the periods over each other (TD-PSOLA). It knows three
axes: *elements* are phonemes and pauses, with a pause at both ends; *units* are the diphones between neighbouring
elements; *frames* are the stored periods of the units, and *pulses* the periods that are played.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from voice.synthesis.voices.harvest import EMPHASIS, FIXED, RATE, VOICED

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_TAPS = 64  # of the filter that undoes the emphasis; what it cuts off is below -58 dB
_BASE_START, _BASE_END = 0.07, -0.08  # natural logarithm of pitch along a clause, without accents
_FLUTTER = ((2.3, 0.010), (5.1, 0.006))  # hertz and depth (natural log of pitch) of the small unrest of a voice


@dataclass(frozen=True, slots=True)
class Bank:
    """What the graph looks things up in.

    sound: (n,) uint8, μ-law. mark, kind: (frames,) centre of a frame in `sound` and what it is.
    unit: (classes * classes, 4) first frame and number of frames of up to two stretches of frames.
    of_id: (ids,) class of a phoneme id: -1 is not spoken, 0 is a pause. stress: (ids,) of the stress marks.
    pause: (ids,) seconds. tone: (ids,) change of pitch towards a pause. vowel: (classes,) 1 for vowels.
    """

    sound: npt.NDArray[np.uint8]
    mark: Ints
    kind: npt.NDArray[np.uint8]
    unit: Ints
    of_id: Ints
    stress: Floats
    pause: Floats
    tone: Floats
    vowel: Floats
    period: float
    gain: float


class _Sheet:
    """Writes nodes as one writes formulas; constants get their names by themselves."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def const(self, value: Any, kind: type = np.float32) -> str:
        """A constant; Python numbers become float32 unless told otherwise."""
        array = value if isinstance(value, np.ndarray) else np.array(value, kind)
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def __call__(self, kind: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        """One node; numbers and arrays among the inputs become constants. Returns its output's name, or names."""
        names = [x if isinstance(x, str) else self.const(x) for x in inputs]
        made = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, **attributes))
        return made[0] if outputs == 1 else made

    def integer(self, value: int | list[int]) -> str:
        """A constant of int64."""
        return self.const(value, np.int64)

    def ints(self, x: str) -> str:
        """As int64."""
        return str(self("Cast", x, to=TensorProto.INT64))

    def floats(self, x: str) -> str:
        """As float32."""
        return str(self("Cast", x, to=TensorProto.FLOAT))

    def total(self, x: str, exclusive: int = 0) -> str:
        """The running sum, with or without the own value."""
        return str(self("CumSum", x, self.integer(0), exclusive=exclusive))

    def positions(self, flags: str) -> str:
        """The indices (int64) at which a boolean vector is true."""
        count = self("Size", flags)
        return str(self("Compress", self("Range", self.integer(0), count, self.integer(1)), flags, axis=0))

    def owner(self, starts: str, length: str) -> str:
        """For 0..length-1 the index of the last start (int64, ascending) that is not beyond it."""
        room = self("Add", self("Reshape", length, self.integer([1])), self.integer([1]))
        empty = self("ConstantOfShape", room, value=helper.make_tensor("z", TensorProto.INT64, [1], [0]))
        ones = self("Add", self("Mul", starts, self.integer(0)), self.integer(1))
        hits = self("ScatterElements", empty, starts, ones, axis=0, reduction="add")
        counted = self("Sub", self.total(hits), self.integer(1))
        return str(self("Slice", counted, self.integer([0]), self.integer([-1])))


def build(bank: Bank) -> ModelProto:
    """The model: `input` (1, ids), `input_lengths`, `scales` (noise, length, unused) give `output` (1, 1, samples)."""
    s = _Sheet()
    elements, stress, pause, tone = _elements(s, bank)
    pitch, length, loudness = _prosody(s, bank, elements, stress, tone)
    audio = _sound(s, bank, elements, pause, tone, pitch, length, loudness)
    # piper feeds all three inputs, so all three have to be used
    unused = s("Add", s("ReduceSum", s.floats("input_lengths"), keepdims=0), s("ReduceSum", "scales", keepdims=0))
    whole = s("Add", audio, s("Mul", unused, 0.0))
    s.nodes.append(helper.make_node("Reshape", [whole, s.integer([1, 1, -1])], ["output"]))
    graph = helper.make_graph(
        s.nodes,
        "earmark_voice",
        [
            helper.make_tensor_value_info("input", TensorProto.INT64, [1, "ids"]),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "samples"])],
        s.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="earmark", ir_version=8)
    checker.check_model(model)
    return model


def _elements(s: _Sheet, bank: Bank) -> tuple[str, str, str, str]:
    """Phonemes and pauses of the ids, with a pause at both ends: class, stress before it, seconds, tone."""
    ids = s("Squeeze", "input", s.integer([0]))
    kind = s("Gather", s.const(bank.of_id), ids)
    kept = s("GreaterOrEqual", kind, s.integer(0))
    # the ids are "ˈ _ a _": a stress mark stands two places before its vowel
    mark = s("Gather", s.const(bank.stress), ids)
    shifted = s("Slice", s("Concat", np.zeros(2, np.float32), mark, axis=0), s.integer([0]), s.integer([-2]))

    def framed(values: str, first: Any, last: Any) -> str:
        return str(s("Concat", first, s("Compress", values, kept, axis=0), last, axis=0))

    nothing, none = np.zeros(1, np.float32), np.zeros(1, np.int64)
    return (
        framed(kind, none, none),
        framed(shifted, nothing, nothing),
        framed(s("Gather", s.const(bank.pause), ids), np.array([0.02], np.float32), np.array([0.12], np.float32)),
        framed(s("Gather", s.const(bank.tone), ids), nothing, np.array([-0.18], np.float32)),
    )


def _prosody(s: _Sheet, bank: Bank, elements: str, stress: str, tone: str) -> tuple[str, str, str]:
    """Per element the natural log of pitch, the factor of length and the factor of loudness."""
    is_pause = s("Equal", elements, s.integer(0))
    index = s("Range", s.integer(0), s("Size", elements), s.integer(1))
    pauses = s.positions(is_pause)
    clause = s.total(s.ints(is_pause))
    last = s("Sub", s("Size", pauses), s.integer(1))
    begin = s("Gather", pauses, s("Sub", clause, s.integer(1)))
    end = s("Gather", pauses, s("Min", clause, last))

    def share(first: str, final: str) -> str:
        span = s("Max", s.floats(s("Sub", final, first)), 1.0)
        return str(s("Div", s.floats(s("Sub", index, first)), span))

    stressed = s("Greater", stress, 0.75)
    count = s.total(s.ints(stressed))
    after = s("Sub", s("Gather", count, end), count)
    in_clause = s("Sub", count, s("Gather", count, begin))
    # the nucleus is the last stressed vowel of a clause; from there the pitch goes where the pause wants it
    where = s("Concat", s.integer([0]), s.positions(stressed), axis=0)
    nucleus = s("Max", s("Gather", where, count), begin)
    tail = s.floats(s("And", s("Equal", after, s.integer(0)), s("Greater", in_clause, s.integer(0))))
    ending = s("Gather", tone, end)
    fall = s("Mul", s("Mul", tail, ending), s("Sqrt", share(nucleus, end)))
    accent = s("Conv", s("Reshape", s("Mul", stress, 0.11), s.integer([1, 1, -1])),
               np.array([[[0.25, 0.6, 1.0, 0.6, 0.25]]], np.float32), pads=[2, 2])  # fmt: skip
    accent = s("Min", s("Reshape", accent, s.integer([-1])), 0.16)
    declination = s("Add", _BASE_START, s("Mul", share(begin, end), _BASE_END - _BASE_START))
    pitch = s("Add", s("Add", declination, accent), fall)

    vowel = s("Gather", s.const(bank.vowel), elements)
    vowels = s.total(vowel)
    rime = s("And", s("Less", s("Sub", s("Gather", vowels, end), vowels), 0.5), s("Not", is_pause))
    rime = s.floats(s("And", rime, s("Greater", s("Sub", vowels, s("Gather", vowels, begin)), 0.5)))
    plain = s("Mul", vowel, s("Sub", 1.0, s("Min", stress, 1.0)))
    length = s("Add", s("Sub", s("Add", 1.0, s("Mul", s("Mul", vowel, stress), 0.10)), s("Mul", plain, 0.10)),
               s("Mul", rime, 0.22))  # fmt: skip
    quiet = s("Add", s("Mul", plain, 0.12), s("Mul", s("Mul", rime, share(begin, end)), 0.12))
    loudness = s("Sub", s("Add", 1.0, s("Mul", s("Mul", vowel, stress), 0.08)), quiet)
    return pitch, length, loudness


def _sound(s: _Sheet, bank: Bank, elements: str, pause: str, tone: str, pitch: str, length: str, loudness: str) -> str:
    """Lay the periods over each other: float32 (samples,)."""
    classes = len(bank.vowel)
    left = s("Slice", elements, s.integer([0]), s.integer([-1]))
    right = s("Slice", elements, s.integer([1]), s.integer([1 << 40]))
    stretches = s("Gather", s.const(bank.unit.astype(np.int32)), s("Add", s("Mul", left, s.integer(classes)), right))
    pieces = s("Reshape", s.ints(stretches), s.integer([-1, 2]))  # two pieces a unit; the second is mostly empty
    first, frames = (s("Gather", pieces, s.integer(i), axis=1) for i in (0, 1))
    starts = s.total(frames, exclusive=1)
    count = s("ReduceSum", frames, keepdims=0)
    piece = s.owner(starts, count)
    step = s("Range", s.integer(0), count, s.integer(1))
    frame = s("Add", s("Gather", first, piece), s("Sub", step, s("Gather", starts, piece)))
    unit = s("Div", piece, s.integer(2))
    # how far a frame is between the elements of its unit
    unit_frames = s("ReduceSum", s("Reshape", frames, s.integer([-1, 2])), s.integer([1]), keepdims=0)
    unit_start = s.total(unit_frames, exclusive=1)
    inside = s.floats(s("Sub", step, s("Gather", unit_start, unit)))
    way = s("Div", s("Add", inside, 0.5), s("Max", s.floats(s("Gather", unit_frames, unit)), 1.0))

    begins, closes = s("Equal", left, s.integer(0)), s("Equal", right, s.integer(0))

    def between(values: str, at_the_end: str) -> str:
        """Values of elements, for frames: what a pause has itself is not heard, its unit is its phoneme's alone."""
        before = s("Slice", values, s.integer([0]), s.integer([-1]))
        behind = s("Slice", values, s.integer([1]), s.integer([1 << 40]))
        here = s("Gather", s("Where", begins, behind, before), unit)
        there = s("Gather", s("Where", closes, at_the_end, behind), unit)
        return str(s("Add", here, s("Mul", way, s("Sub", there, here))))

    of_left = s("Slice", length, s.integer([0]), s.integer([-1]))
    low = s("Add", s("Slice", tone, s.integer([1]), s.integer([1 << 40])), _BASE_END)
    kind = s.ints(s("Gather", s.const(bank.kind), frame))
    voiced = s.floats(s("Equal", kind, s.integer(VOICED)))
    free = s.floats(s("Not", s("Equal", kind, s.integer(FIXED))))
    tempo = s("Clip", s("Gather", "scales", s.integer(1)), 0.2, 5.0)
    slower = s("Mul", between(length, of_left), tempo)
    # noise is stretched less than voice: repeated noise begins to hum
    give = s("Mul", free, s("Add", 0.6, s("Mul", voiced, 0.4)))
    lasts = s("Mul", s("Add", 1.0, s("Mul", give, s("Sub", slower, 1.0))), bank.period)
    gap = s("Mul", s("Where", begins, s("Slice", pause, s.integer([0]), s.integer([-1])), 0.0),
            s("Mul", tempo, float(RATE)))  # fmt: skip
    gaps = s.total(gap)
    when = s("Add", s.total(lasts, exclusive=1), s("Gather", gaps, unit))
    unrest = s.const(np.float32(0))
    for hertz, depth in _FLUTTER:
        wave = s("Sin", s("Mul", when, 2 * np.pi * hertz / RATE))
        unrest = s("Add", unrest, s("Mul", wave, depth))
    noise = s("Gather", "scales", s.integer(0))
    bend = s("Mul", voiced, s("Add", between(pitch, low), s("Mul", unrest, noise)))
    spacing = s("Mul", s("Exp", s("Neg", bend)), bank.period)

    # pulses: one wherever the phase of the voice, counted in periods, passes a whole number
    cycles = s("Div", lasts, spacing)
    phase = s.total(cycles, exclusive=1)
    pulses = s.ints(s("Ceil", s("ReduceSum", cycles, keepdims=0)))
    source = s.owner(s("Min", s.ints(s("Ceil", s("Sub", phase, 1e-3))), pulses), pulses)
    number = s.floats(s("Range", s.integer(0), pulses, s.integer(1)))
    late = s("Sub", number, s("Gather", phase, source))
    at = s("Add", s("Gather", when, source), s("Mul", late, s("Gather", spacing, source)))
    at = s.ints(s("Max", s("Round", at), 0.0))

    half = round(bank.period)
    window = np.float32(0.5 + 0.5 * np.cos(np.pi * np.arange(-half, half) / half))
    offsets = np.arange(-half, half, dtype=np.int64)
    centre = s("Gather", s.ints(s("Gather", s.const(bank.mark.astype(np.int32)), frame)), source)
    column = s.integer([1])
    rows = s("Gather", s.const(bank.sound), s("Add", s("Unsqueeze", centre, column), s.const(offsets)))
    wave = s("Gather", s.const(_mulaw_table()), s("Cast", rows, to=TensorProto.INT32))
    strength = s("Unsqueeze", s("Gather", between(loudness, s.const(0.45)), source), column)
    weighted = s("Mul", s("Mul", wave, s.const(window)), strength)
    goes_to = s("Reshape", s("Add", s("Unsqueeze", at, column), s.const(offsets + half)), s.integer([-1]))
    ends = s.ints(s("Add", s("ReduceSum", lasts, keepdims=0), s("ReduceSum", gap, keepdims=0)))
    tail = s.ints(s("Mul", s("Gather", pause, s.integer(-1)), float(RATE)))
    room = s("Reshape", s("Add", s("Add", ends, tail), s.integer(4 * half)), s.integer([1]))
    empty = s("ConstantOfShape", room, value=helper.make_tensor("z", TensorProto.FLOAT, [1], [0.0]))
    flat = s.integer([-1])

    def overlay(values: str) -> str:
        return str(s("ScatterElements", empty, goes_to, s("Reshape", values, flat), axis=0, reduction="add"))

    windows = s("Expand", s.const(window), s("Shape", wave))
    even = s("Div", overlay(weighted), s("Max", overlay(windows), 0.6))
    taps = np.float32(bank.gain * EMPHASIS ** np.arange(_TAPS - 1, -1, -1))
    shaped = s("Conv", s("Reshape", even, s.integer([1, 1, -1])), taps.reshape(1, 1, -1), pads=[_TAPS - 1, 0])
    return str(s("Clip", s("Reshape", shaped, flat), -0.97, 0.97))


def mulaw(wave: Floats) -> npt.NDArray[np.uint8]:
    """Samples in [-1, 1] as 8-bit μ-law codes (ITU-T G.711's curve, μ = 255)."""
    bent = np.sign(wave) * np.log1p(255 * np.abs(np.clip(wave, -1, 1))) / np.log(256)
    codes: npt.NDArray[np.uint8] = (np.round(bent * 127) + 128).astype(np.uint8)
    return codes


def _mulaw_table() -> Floats:
    """The sample of each code."""
    bent = (np.arange(256) - 128) / 127
    return (np.sign(bent) * (256.0 ** np.minimum(np.abs(bent), 1) - 1) / 255).astype(np.float32)
