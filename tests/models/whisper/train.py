# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the tiny Whisper on the pool and export it.

    python -m tests.models.whisper.train build/whisper/pool build/whisper/tiny.pt --export tests/models/whisper/tiny

Three lessons: the next token; "this attention head looks at the word being said" (espeak-ng told where it is);
"this phoneme sounds in this frame". One process mixes windows, one learns on one thread; the same pool, seed and
number of steps give the same model. What is saved and exported is the running average of the weights.
"""

import argparse
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from queue import Empty, Queue

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tests.models.whisper import network, pool, windows
from tests.models.whisper.windows import IGNORE, Batch

SHORT_BATCH, WHOLE_BATCH = 8, 2
NEAR, FAR = 8, 32  # sampled positions of padding: those right after the window, and those spread over the rest


def is_whole(step: int, steps: int) -> bool:
    """Which steps take whole windows: none at first, then every fourth, at the end every second."""
    progress = step / steps
    return progress > 0.25 and step % (2 if progress > 0.8 else 4) == 0


def feed(folder: Path, steps: range, seed: int, batches: "Queue[Batch]") -> None:
    """Put the batch of every step into the queue (a process of its own)."""
    torch.set_num_threads(1)
    mixer = windows.Mixer(pool.load(folder), seed + steps.start)
    for step in steps:
        whole = is_whole(step, steps.stop)
        count = WHOLE_BATCH if whole else SHORT_BATCH
        batches.put(windows.collate([mixer.window(whole) for _ in range(count)]))


def batches_of(folder: Path, steps: range, seed: int) -> Iterator[tuple[int, Batch]]:
    """Every step with its batch, mixed in another process while this one learns.

    Raises RuntimeError if that process dies.
    """
    context = get_context("spawn")
    queue = context.Queue(8)
    process = context.Process(target=feed, args=(folder, steps, seed, queue), daemon=True)
    process.start()
    for step in steps:
        while True:
            try:
                batch = queue.get(timeout=5)
                break
            except Empty:
                if not process.is_alive():
                    raise RuntimeError("The process that mixes the windows has died; see its message above.") from None
        yield step, batch
    process.join()


def sampled_padding(offsets: Tensor, count: int, generator: torch.Generator) -> network.Padding | None:
    """A sample of the positions between the end of a window of ``count`` positions and 1500."""
    if count >= network.SOURCE_POSITIONS:
        return None
    first = offsets + count
    rest = network.SOURCE_POSITIONS - first - NEAR
    share = (torch.arange(FAR) + torch.rand(FAR, generator=generator)) / FAR
    far = first[:, None] + NEAR + (rest.clamp(min=1)[:, None] * share).long()
    near = first[:, None] + torch.arange(NEAR)
    positions = torch.cat([near, far], 1).clamp(max=network.SOURCE_POSITIONS - 1)
    weight = torch.log(rest.clamp(min=1) / FAR)[:, None].expand(-1, FAR)
    return network.Padding(positions, torch.cat([torch.zeros(len(first), NEAR), weight], 1))


def attention_lesson(attention: Tensor, spans: Tensor) -> Tensor:
    """Mean -log of the attention (b, n, m) that falls into ``spans`` (b, n, 2), over the tokens that have one."""
    edges = functional.pad(attention.cumsum(-1), (1, 0))
    known = spans[..., 1] > 0
    inside = edges.gather(-1, spans[..., 1:]).squeeze(-1) - edges.gather(-1, spans[..., :1]).squeeze(-1)
    return -(inside.clamp(min=1e-4).log() * known).sum() / known.sum().clamp(min=1)


def halves(spans: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the second half of every span."""
    known = (spans[..., 1:] > 0).long()
    begin, end = spans[..., :1], spans[..., 1:]
    middle = (begin + end + 1) // 2
    return torch.cat([begin, middle], -1) * known, torch.cat([torch.minimum(middle, end - 1), end], -1) * known


def loss_of(
    net: network.TinyWhisper, batch: Batch, guidance: float, generator: torch.Generator
) -> tuple[Tensor, dict[str, float]]:
    """The loss of one batch and its parts, for the log."""
    mel, offsets, inputs, targets = (
        torch.from_numpy(x) for x in (batch.mel, batch.offsets, batch.inputs, batch.targets)
    )
    spans = torch.from_numpy(batch.spans)
    padding = sampled_padding(offsets, mel.shape[2] // 2, generator)
    memory, bias = net.encode(mel, offsets, padding)
    logits, attention = net.decode(inputs, torch.from_numpy(batch.positions), memory, bias)
    token = functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, label_smoothing=0.03
    )
    here, following = spans[:, :-1], spans[:, 1:] * (targets != IGNORE)[..., None]
    first_half, second_half = halves(following)
    word = attention_lesson(attention[-1][:, 0], following)
    aligned = (
        0.5 * word
        + 0.2 * attention_lesson(attention[0][:, 0], here)
        + 0.25 * attention_lesson(attention[-1][:, 1], first_half)
        + 0.25 * attention_lesson(attention[-1][:, 2], second_half)
    )
    phonemes = torch.from_numpy(batch.phonemes)
    heard = net.phoneme(memory[:, : phonemes.shape[1]]).flatten(0, 1)
    phoneme = functional.cross_entropy(heard, phonemes.flatten(), ignore_index=IGNORE)
    parts = {"token": token.item(), "word": word.item(), "phoneme": phoneme.item()}
    return token + guidance * (aligned + phoneme), parts


def optimizers_of(net: network.TinyWhisper) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings, convolutions, norms and biases."""
    inner = [p for layers in (net.encoder, net.decoder) for p in layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in inner}
    rest = [p for p in net.parameters() if id(p) not in chosen]
    return [
        torch.optim.Muon(inner, lr=1.0, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=1.0, weight_decay=0.01, betas=(0.9, 0.98)),
    ]


def train(folder: Path, out: Path, steps: range, rate: float, seed: int) -> network.TinyWhisper:
    """Learn, writing the averaged weights to ``out`` every 250 steps, and return the averaged network.

    ``steps`` that do not begin at 0 go on from the weights in ``out``.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed + steps.start)
    generator = torch.Generator().manual_seed(seed + steps.start)
    net = network.load(out).train() if steps.start else network.TinyWhisper(network.Shape())
    average = network.TinyWhisper(net.shape)
    average.load_state_dict(net.state_dict())
    optimizers = optimizers_of(net)
    print(sum(p.numel() for p in net.parameters()), "parameters", flush=True)
    log: dict[str, list[float]] = {}
    begun = time.process_time()
    for step, batch in batches_of(folder, steps, seed):
        progress = step / steps.stop
        now = rate * min(1.0, (step + 1 - steps.start) / 60) * min(1.0, (1 - progress) / 0.6)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = now
            optimizer.zero_grad()
        loss, parts = loss_of(net, batch, max(0.3, 1 - 1.4 * progress), generator)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            share = 1 - min(0.998, (step + 1) / (step + 20))
            for mean, weight in zip(average.parameters(), net.parameters(), strict=True):
                mean.lerp_(weight, share)
        kind = "whole" if batch.mel.shape[2] == windows.WHOLE * 100 else "short"
        for name, value in parts.items():
            log.setdefault(f"{kind} {name}", []).append(value)
        if (step + 1) % 50 == 0:
            means = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in log.items())
            print(f"{step + 1}/{steps.stop}  {time.process_time() - begun:.0f} s  lr {now:.1e}  {means}", flush=True)
            log.clear()
        if (step + 1) % 250 == 0 or step + 1 == steps.stop:
            network.save(average, out)
    return average.eval()


def main() -> None:
    """Train, save, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path, help="folder that pool.py filled")
    parser.add_argument("checkpoint", type=Path, help="file for the weights in full precision")
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from-step", type=int, default=0, help="go on with the checkpoint from this step")
    parser.add_argument("--export", type=Path, help="folder for the int8 model")
    options = parser.parse_args()
    steps = range(options.from_step, options.steps)
    net = train(options.pool, options.checkpoint, steps, options.rate, options.seed)
    if options.export:
        network.export(net, options.export)


if __name__ == "__main__":
    main()
