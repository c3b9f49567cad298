# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny Whisper as a torch module, and its export for faster-whisper.

The exported weights are a plain Whisper's. In training four things differ, to learn much from little speech; the
export folds them into ordinary weights:

- a word's embedding is a vector of its own plus one for each of its phonemes and pairs of phonemes;
- ' Word' is ' word' plus one vector shared by all capitals;
- a timestamp's embedding is a linear map of the position code of the encoder frame that it names;
- of the silence that pads a short clip to 30 s, only a sample is computed, each position counting for many.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.models.whisper import speech, tokenizer

MELS, SOURCE_POSITIONS, TARGET_POSITIONS = 80, 1500, 448  # what faster-whisper and CTranslate2 insist on


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of the network."""

    width: int = 128
    hidden: int = 384
    heads: int = 4
    encoder_layers: int = 3
    decoder_layers: int = 2
    phonemes: int = 160


@dataclass(frozen=True, slots=True)
class Padding:
    """Sampled positions (b, k) of the padding after a short window, each counting ``exp(weight)`` (b, k) times."""

    positions: Tensor
    weight: Tensor


def position_codes(count: int, width: int) -> Tensor:
    """Whisper's sinusoids: (count, width)."""
    step = math.log(10000) / (width // 2 - 1)
    angles = torch.arange(count)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


@cache
def phonemes_of(word: str) -> tuple[str, ...]:
    """espeak-ng's phonemes of ``word``, without stress."""
    with speech.Engine() as engine:
        said = engine.speak(word, "en-us", 160, 50, 50)
    return tuple(name for mark in said.phonemes if (name := mark.text.strip("',|")))


def sound_features() -> Tensor:
    """(text tokens, features): for each word its phonemes, its pairs of phonemes, its first and its last one."""
    columns: dict[str, int] = {}
    rows = []
    for piece in tokenizer.pieces()[: tokenizer.id_of(tokenizer.TIMESTAMPS[0])]:
        features: list[str] = []
        if piece.startswith("Ġ") and piece[1:].isalpha() and piece[1:].isascii():
            sounds = phonemes_of(piece[1:].lower())
            edged = ("^", *sounds, "$")
            features = [*sounds, *(a + " " + b for a, b in pairwise(edged))]
        rows.append([columns.setdefault(name, len(columns)) for name in features])
    matrix = torch.zeros(len(rows), len(columns))
    for row, found in zip(matrix, rows, strict=True):
        for column in found:
            row[column] += 1 / math.sqrt(len(found))
    return matrix


class Attention(nn.Module):
    """Whisper's attention: the key projection has no bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """Self-attention (b, n, width); ``mask`` (b, 1, n, n) is added to the logits."""
        q, k, v = self._split(self.q_proj(x)), self._split(self.k_proj(x)), self._split(self.v_proj(x))
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.out_proj(y.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def across(self, x: Tensor, memory: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """Attention over ``memory``, and its weights (b, heads, n, m) for the alignment lesson."""
        q, k, v = self._split(self.q_proj(x)), self._split(self.k_proj(memory)), self._split(self.v_proj(memory))
        logits = (q @ k.transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
        if bias is not None:
            logits = logits + bias[:, None, None]
        weights = logits.softmax(-1)
        return self.out_proj((weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)), weights

    def look_aside(self, offsets: Sequence[float], gain: float = 3.0) -> None:
        """Let head i begin by looking ``offsets[i]`` positions away: with sinusoids that is a rotation of the key."""
        width = self.q_proj.in_features
        size, half = width // self.heads, width // 2
        count = size // 2
        rates = torch.exp(-math.log(10000) / (half - 1) * torch.arange(count))
        scale = math.sqrt(gain * 16 / count)
        with torch.no_grad():
            for head, offset in enumerate(offsets):
                q, k = torch.zeros(size, width), torch.zeros(size, width)
                low, high = torch.arange(count), torch.arange(count) + count
                sin, cos = torch.sin(rates * offset), torch.cos(rates * offset)
                k[low, low], k[high, half + low] = 1.0, 1.0
                q[low, low], q[low, half + low] = cos, sin
                q[high, half + low], q[high, low] = cos, -sin
                rows = slice(head * size, (head + 1) * size)
                for weight, start in ((self.q_proj.weight, q), (self.k_proj.weight, k)):
                    weight[rows] = weight[rows] * 0.3 + scale * start
                self.q_proj.bias[rows] = 0


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward layer, normalised before."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape.width, shape.heads)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1, self.fc2 = nn.Linear(shape.width, shape.hidden), nn.Linear(shape.hidden, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(b, n, width) to the same; ``mask`` as for `Attention`."""
        x = x + self.self_attn(self.self_attn_layer_norm(x), mask)
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))  # type: ignore[no-any-return]


class DecoderLayer(EncoderLayer):
    """An encoder layer that looks only back, with attention over the encoder's output in between."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.encoder_attn = Attention(shape.width, shape.heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)

    def step(self, x: Tensor, memory: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """(b, n, width) to the same, and the weights of the attention over ``memory``."""
        x = x + self.self_attn(self.self_attn_layer_norm(x), causal=True)
        seen, weights = self.encoder_attn.across(self.encoder_attn_layer_norm(x), memory, bias)
        x = x + seen
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x)))), weights


class TinyWhisper(nn.Module):
    """The network; `transformers_state` gives its weights under transformers' names."""

    spos: Tensor
    tpos: Tensor
    features: Tensor
    twin: Tensor
    capital_mask: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.conv1 = nn.Conv1d(MELS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.encoder = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        features = sound_features()
        twins = tokenizer.lower_case_twins()
        twin = torch.arange(len(features))
        twin[list(twins)] = torch.tensor(list(twins.values()))
        self.register_buffer("features", features, persistent=False)
        self.register_buffer("twin", twin, persistent=False)
        self.register_buffer("capital_mask", (twin != torch.arange(len(twin)))[:, None].float(), persistent=False)
        self.register_buffer("spos", position_codes(SOURCE_POSITIONS + 1, width), persistent=False)
        self.register_buffer("tpos", position_codes(TARGET_POSITIONS, width) * 0.5, persistent=False)
        self.own = nn.Parameter(torch.randn(len(features), width) * 0.05)
        self.sound = nn.Parameter(torch.randn(features.shape[1], width) * 0.05)
        self.capital = nn.Parameter(torch.zeros(width))
        self.time = nn.Linear(width, width)
        nn.init.normal_(self.time.weight, std=0.05 / math.sqrt(width / 2))
        self.phoneme = nn.Linear(width, shape.phonemes)  # a lesson only: which phoneme sounds in this frame
        for index, layer in enumerate(self.encoder):
            layer.self_attn.look_aside((-1.5, 1.5, -4, 4) if index == 0 else (-3, 3, -8, 8))
        for layer in self.decoder:
            layer.self_attn.look_aside((-1, -2, 0))

    def table(self) -> Tensor:
        """(tokens, width): the embedding of every token."""
        text = (self.own + self.features @ self.sound)[self.twin] + self.capital_mask * self.capital
        return torch.cat([text, self.time(self.spos)])

    def encode(self, mel: Tensor, offsets: Tensor, padding: Padding | None) -> tuple[Tensor, Tensor | None]:
        """Log-mel (b, 80, 2n) whose first frame stands at position ``offsets`` (b,) to memory and its key bias.

        With ``padding`` the memory is longer than n by the sampled positions.
        """
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2).float()
        count = x.shape[1]
        x = x + self.spos[offsets[:, None] + torch.arange(count)]
        bias = None
        if padding is not None:
            still = functional.gelu(self.conv1.bias)  # what both convolutions make of padding, far from speech
            still = functional.gelu(self.conv2.weight.sum(-1) @ still + self.conv2.bias)
            x = torch.cat([x, still.float() + self.spos[padding.positions]], 1)
            bias = torch.cat([torch.zeros(len(x), count), padding.weight], 1)
        mask = None if bias is None else bias[:, None, None].expand(-1, 1, x.shape[1], -1).contiguous()
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x), bias

    def decode(
        self, ids: Tensor, positions: Tensor, memory: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Tokens (b, n) at decoder ``positions`` (b, n) to logits (b, n, tokens) and each layer's attention."""
        table = self.table()
        x, attention = functional.embedding(ids, table) + self.tpos[positions], []
        for layer in self.decoder:
            x, weights = layer.step(x, memory, bias)
            attention.append(weights)
        return functional.linear(self.decoder_norm(x), table), attention

    def transformers_state(self) -> dict[str, Tensor]:
        """The weights under the names of `transformers.WhisperForConditionalGeneration`."""
        state: dict[str, Tensor] = {}
        for side, layers, norm in (
            ("encoder", self.encoder, self.encoder_norm),
            ("decoder", self.decoder, self.decoder_norm),
        ):
            named: Mapping[str, nn.Module] = {"layer_norm": norm, "layers": layers}
            for prefix, module in named.items():
                for name, value in module.named_parameters():
                    state[f"model.{side}.{prefix}.{name}"] = value
        for name in ("conv1", "conv2"):
            for part, value in getattr(self, name).named_parameters():
                state[f"model.encoder.{name}.{part}"] = value
        state["model.encoder.embed_positions.weight"] = self.spos[:SOURCE_POSITIONS]
        state["model.decoder.embed_positions.weight"] = self.tpos
        state["model.decoder.embed_tokens.weight"] = state["proj_out.weight"] = self.table()
        return {name: value.detach().clone() for name, value in state.items()}


def save(network: TinyWhisper, path: Path) -> None:
    """Write the network's shape and weights as a checkpoint."""
    torch.save({"shape": asdict(network.shape), "weights": network.state_dict()}, path)


def load(path: Path) -> TinyWhisper:
    """Read a checkpoint written by `save`."""
    kept: dict[str, Any] = torch.load(path)
    network = TinyWhisper(Shape(**kept["shape"]))
    network.load_state_dict(kept["weights"])
    return network.eval()


def export(network: TinyWhisper, folder: Path, quantization: str | None = "int8") -> None:
    """Write the folder that `faster_whisper.WhisperModel(folder)` loads."""
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    shape = network.shape
    state = network.transformers_state()
    config = WhisperConfig(
        vocab_size=len(state["proj_out.weight"]), num_mel_bins=MELS, d_model=shape.width,
        encoder_layers=shape.encoder_layers, decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads, decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.hidden, decoder_ffn_dim=shape.hidden,
        max_source_positions=SOURCE_POSITIONS, max_target_positions=TARGET_POSITIONS,
        pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0,
        suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    plain = WhisperForConditionalGeneration(config)
    plain.load_state_dict(state, strict=True)
    with torch.no_grad():
        spec = WhisperLoader().get_model_spec(plain.eval())
    spec.register_vocabulary(list(tokenizer.pieces()))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [tokenizer.id_of("Ġ"), tokenizer.id_of(tokenizer.END)]
    spec.config.lang_ids = [tokenizer.id_of("<|en|>")]
    spec.config.alignment_heads = [[shape.decoder_layers - 1, 0]]  # a layer that does not exist would crash
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    tokenizer.build().save(str(folder / "tokenizer.json"))
    frames = {"feature_size": MELS, "sampling_rate": speech.RATE, "hop_length": 160, "n_fft": 400, "chunk_length": 30}
    (folder / "preprocessor_config.json").write_text(json.dumps(frames) + "\n")
