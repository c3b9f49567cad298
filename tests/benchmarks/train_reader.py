# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the reader: retrieval/index/projection.npz and retrieval/finding/sentences/reader.npz.

    python -m tests.benchmarks.train_reader FOLDER [--minutes 40] [--podcasts DIR …] [--minutes-podcasts 6] [--out DIR]

FOLDER holds the public sets that `tests.benchmarks.reader_data` lists. First the tokens of everything are made
with the embedding model and kept in FOLDER/pieces (an hour or two on two cores; the rest is read from there again).
Then the network learns to point: of four chunks, the right one and three that match the question best elsewhere in the
same area, the softmax over all tokens should lie on the answer; in one question of five the right chunk is left
out, and it should lie on "none". Afterwards the same on the podcasts and scenes of `answers`, with six chunks.
Everything is seeded; the time that is given decides how much is seen, so weights differ between machines.

`--held N` leaves every second episode of the podcasts out (N is 0 or 1): for cross-validation.
"""

import argparse
import hashlib
import math
import pickle
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fun

from retrieval.finding.sentences.answer_reader import REACH, READER_WEIGHTS
from retrieval.index.embedding import DIMENSION, LAYERS, Embedder, TokenStates
from retrieval.index.token_store import PROJECTION, WIDTH
from tests.benchmarks.reader_data import Area, areas, podcasts

HEADS, INNER, DEPTH, DROPPED = 4, 256, 2, 0.1
NOTHING = 0.2  # share of the questions whose answer is left out
BATCH = 32
FUNCTION = frozenset(re.findall(
    r"\S+",
    "a about again all also am an and any are as at be been being but by can could did do does had has have he her his"
    " how i if in into is it its just like me more most my no not of off on one or our out over own so some such than"
    " that the their them then there these they this those to too under up us very was we were what when where which"
    " who whom whose why will with would you your ? . , ' s t ! ; : - \" ( )",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """A question's tokens, the tokens (numbers) that answer it by chunk, and the wrong chunks that match it
    best, best first."""

    pieces: TokenStates
    right: dict[int, list[int]]
    wrong: list[int]


@dataclass(frozen=True, slots=True)
class Ready:
    """An area as it is trained on."""

    name: str
    chunks: list[TokenStates]
    questions: list[Question]


class Block(nn.Module):
    """Attention from what was said to the question, then to what stands around it; pre-normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.n1, self.n2, self.n3 = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.cq, self.ck, self.cv, self.co, self.so = (nn.Linear(WIDTH, WIDTH) for _ in range(5))
        self.sqkv, self.f1, self.f2 = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        with torch.no_grad():  # it begins by looking at the words that are alike
            for layer in (self.cq, self.ck):
                layer.weight.copy_(torch.eye(WIDTH) + 0.02 * torch.randn(WIDTH, WIDTH))
            for layer in (self.co, self.so, self.f2):
                layer.weight.mul_(0.3)

    def forward(self, x: Tensor, there: Tensor, y: Tensor, asked: Tensor) -> Tensor:
        """``x`` (n, length, width), ``y`` (n, words, width), and where they are not padding."""
        x = x + self._drop(self.co(self._attend(self.cq(self.n1(x)), self.ck(y), self.cv(y), asked)))
        x = x + self._drop(self.so(self._attend(*self.sqkv(self.n2(x)).chunk(3, -1), there)))
        return x + self._drop(self.f2(fun.relu(self.f1(self.n3(x)))))

    def _drop(self, x: Tensor) -> Tensor:
        return fun.dropout(x, DROPPED, self.training)

    @staticmethod
    def _attend(q: Tensor, k: Tensor, v: Tensor, there: Tensor) -> Tensor:
        split = (part.view(*part.shape[:2], HEADS, -1).transpose(1, 2) for part in (q, k, v))
        found = fun.scaled_dot_product_attention(*split, attn_mask=there[:, None, None, :])
        return found.transpose(1, 2).flatten(2)


class Network(nn.Module):
    """What ``retrieval.finding.sentences.answer_reader`` computes, so that it can be trained; the names of the weights
    are the same."""

    def __init__(self, components: Tensor, mean: Tensor) -> None:
        super().__init__()
        self.P = nn.Linear(len(LAYERS) * DIMENSION, WIDTH)
        self.ny, self.nx, self.no = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.feat, self.wq = nn.Linear(7, WIDTH), nn.Linear(WIDTH, 1)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.out, self.null = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)
        self.gamma = nn.Parameter(torch.tensor(15.0))
        with torch.no_grad():  # it begins as late interaction over the principal components of the last layer
            weight = 0.002 * torch.randn(WIDTH, len(LAYERS) * DIMENSION)
            weight[:, -DIMENSION:] = components
            self.P.weight.copy_(weight)
            self.P.bias.copy_(-components @ mean)
            self.wq.weight.mul_(0.1)
            self.out.weight.mul_(0.3)

    def project(self, states: Tensor) -> Tensor:
        """Tokens (n, layers, 384) as (n, width)."""
        return self.P(fun.layer_norm(states, (DIMENSION,)).flatten(-2))  # type: ignore[no-any-return]

    def forward(self, x: Tensor, there: Tensor, flags: Tensor, y: Tensor, asked: Tensor) -> Tensor:
        """Logits (n, length) of the tokens."""
        near = torch.einsum("nld,nmd->nlm", fun.normalize(x, dim=-1), fun.normalize(y, dim=-1))
        near = near.masked_fill(~asked[:, None, :], -1).masked_fill(~there[:, :, None], -1)
        around = fun.max_pool1d(near.transpose(1, 2), 2 * REACH + 1, 1, REACH).transpose(1, 2)
        weights = self.wq(self.ny(y))[..., 0].masked_fill(~asked, -1e4).softmax(-1)
        match, own = (torch.einsum("nlm,nm->nl", part, weights) for part in (around, near.clamp_min(0)))
        features = torch.cat([flags, torch.stack([5 * match, 2 * near.max(-1).values, 5 * own], -1)], -1)
        hidden, question = self.nx(x) + self.feat(features), self.ny(y)
        for block in self.blocks:
            hidden = block(hidden, there, question, asked)
        return (self.out(self.no(hidden))[..., 0] + self.gamma * match).masked_fill(~there, -1e4)

    def nothing(self, y: Tensor, asked: Tensor) -> Tensor:
        """Logits (n,) that there is no answer."""
        there = asked.float()[..., None]
        return self.null((self.ny(y) * there).sum(1) / there.sum(1))[:, 0]  # type: ignore[no-any-return]


class Vocabulary:
    """What is known of a token by its number."""

    def __init__(self, embed: Embedder) -> None:
        names = {number: word for word, number in embed._words.tokenizer.get_vocab().items()}
        words = [names[number] for number in range(len(names))]
        self.function = np.array([word in FUNCTION for word in words])
        self.digits = np.array([word[:1].isdigit() for word in words])
        self._ends = np.array([word in (".", "!", "?", ";") for word in words])
        self._asks = words.index("?")

    def flags(self, said: TokenStates, asked: TokenStates) -> Any:
        """(n, 4): the word stands in the question, how rare it is then, its sentence asks, it is a number."""
        ids = said.ids.astype(np.int64)
        same = np.isin(ids, asked.ids[~self.function[asked.ids]]).astype(np.float32)
        rare = same * np.log(np.maximum(ids, 1000) / 1000) / 3.4
        asks, first = np.zeros(len(ids), np.float32), 0
        for at in np.flatnonzero(self._ends[ids]):
            asks[first : at + 1] = ids[at] == self._asks
            first = at + 1
        return np.stack([same, rare, asks, self.digits[ids]], -1).astype(np.float32)


def ready(area: Area, embed: Embedder, kept: Path) -> Ready:
    """An area with its tokens, from the folder where they are kept or made now."""
    path = kept / f"{hashlib.blake2b(repr((area.name, area.chunks)).encode(), digest_size=12).hexdigest()}.pkl"
    if path.exists():
        return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]
    chunks = embed.token_states(area.chunks)
    edges = np.cumsum([0, *(len(chunk.ids) for chunk in chunks)])
    last = _unit(np.concatenate([chunk.states[:, -1] for chunk in chunks]))
    questions = []
    asked = embed.token_states([text for text, _ in area.questions])
    for (_, spans), pieces in zip(area.questions, asked, strict=True):
        right: dict[int, list[int]] = {}
        for number, first, end in spans:
            places = chunks[number].spans
            right.setdefault(number, []).extend(
                np.flatnonzero((places[:, 1] > first) & (places[:, 0] < end)).tolist()
            )
        right = {number: places for number, places in right.items() if places}
        if not right or not len(pieces.ids):
            continue
        near = last @ _unit(pieces.states[:, -1]).T
        match = np.maximum.reduceat(near, edges[:-1]).mean(axis=1)
        wrong = [int(number) for number in np.argsort(-match) if number not in right][:14]
        questions.append(Question(pieces, right, wrong))
    made = Ready(area.name, [_small(chunk) for chunk in chunks], questions)
    path.write_bytes(pickle.dumps(made))
    return made


def _small(pieces: TokenStates) -> TokenStates:
    return TokenStates(pieces.ids, pieces.spans, pieces.states.astype(np.float16))  # type: ignore[arg-type]


def _unit(rows: Any) -> Any:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)


def loss(net: Network, area: Ready, asked: Sequence[Question], chunks: int, words: Vocabulary,
         pick: random.Random) -> Tensor:  # fmt: skip
    """The mean negative logarithm of the softmax on the answer, or on "none" where that was left out."""
    rows: list[list[int]] = []
    for question in asked:
        first = [] if pick.random() < NOTHING else [pick.choice(sorted(question.right))]
        wanted = chunks - len(first)
        hard = pick.sample(question.wrong[:6], min(len(question.wrong[:6]), max(1, wanted - 1)))
        rest = question.wrong[6:]
        rows.append(first + hard + pick.sample(rest, max(0, min(len(rest), wanted - len(hard)))))
    used = {number: place for place, number in enumerate(dict.fromkeys(at for row in rows for at in row))}
    x, there = _padded([net.project(_states(area.chunks[number])) for number in used])
    y, heard = _padded([net.project(_states(question.pieces)) for question in asked])
    owner = torch.tensor([number for number, row in enumerate(rows) for _ in row])
    place = torch.tensor([used[at] for row in rows for at in row])
    flags, _ = _padded([
        torch.from_numpy(words.flags(area.chunks[at], question.pieces))
        for question, row in zip(asked, rows, strict=True) for at in row
    ], x.shape[1])  # fmt: skip
    right = torch.zeros(len(owner), x.shape[1], dtype=torch.bool)
    for number, (who, at) in enumerate((who, at) for who, row in enumerate(rows) for at in row):
        right[number, asked[who].right.get(at, [])] = True
    logits, none = net(x[place], there[place], flags, y[owner], heard[owner]), net.nothing(y, heard)
    every = torch.logaddexp(_sum(logits, owner, len(asked)), none)
    answer = _sum(logits.masked_fill(~right, -1e4), owner, len(asked))
    gone = torch.tensor([not any(at in question.right for at in row)
                         for question, row in zip(asked, rows, strict=True)])  # fmt: skip
    return (every - torch.where(gone, none, answer)).mean()


def _states(pieces: TokenStates) -> Tensor:
    return torch.from_numpy(pieces.states.astype(np.float32))


def _padded(parts: Sequence[Tensor], length: int = 0) -> tuple[Tensor, Tensor]:
    length = max(length, *(len(part) for part in parts))
    there = torch.arange(length)[None] < torch.tensor([len(part) for part in parts])[:, None]
    return torch.stack([fun.pad(part, (0, 0, 0, length - len(part))) for part in parts]), there


def _sum(logits: Tensor, owner: Tensor, count: int) -> Tensor:
    """The log-sum-exp of each question's rows."""
    rows = torch.logsumexp(logits, 1)
    most = torch.full((count,), -1e4).scatter_reduce(0, owner, rows.detach(), "amax")
    return torch.log(torch.zeros(count).index_add(0, owner, torch.exp(rows - most[owner])) + 1e-12) + most


def train(net: Network, batches: Iterator[tuple[Ready, list[Question]]], minutes: float, chunks: int, rate: float,
          words: Vocabulary) -> None:  # fmt: skip
    """Train for some minutes; the rate warms up, then falls as a cosine to nothing."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
    pick, since, seen = random.Random(0), time.time(), []
    net.train()
    for step, (area, asked) in enumerate(batches, 1):
        part = (time.time() - since) / (60 * minutes)
        if part >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, step / 100) * max(0.03, 0.5 + 0.5 * math.cos(math.pi * part))
        value = loss(net, area, asked, chunks, words, pick)
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        seen.append(float(value.detach()))
        if step % 50 == 0:
            sys.stderr.write(f"{step} steps, {time.time() - since:.0f} s, loss {np.mean(seen[-50:]):.3f}\n")


def batches(found: Sequence[Ready], seed: int = 0) -> Iterator[tuple[Ready, list[Question]]]:
    """Some questions of one area at a time, for ever, every question once before any again."""
    pick = random.Random(seed)
    while True:
        order = []
        for area in found:
            asked = pick.sample(area.questions, len(area.questions))
            order += [(area, asked[at : at + BATCH]) for at in range(0, len(asked), BATCH)]
        pick.shuffle(order)
        yield from order


def begun(found: Sequence[Ready]) -> Network:
    """The network before it has learned anything."""
    rows = np.concatenate([chunk.states[::4, -1] for area in found[:8] for chunk in area.chunks]).astype(np.float32)
    rows = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    mean = rows.mean(0)
    _, _, components = np.linalg.svd(rows[:8000] - mean, full_matrices=False)
    torch.manual_seed(0)
    return Network(torch.from_numpy(components[:WIDTH].copy()), torch.from_numpy(mean))


def export(net: Network, words: Vocabulary, projection: Path, weights: Path) -> None:
    """Write the weights in half precision, as the program reads them."""
    found = {name: value.detach().numpy() for name, value in net.state_dict().items()}
    np.savez_compressed(
        projection, weight=found.pop("P.weight").T.astype(np.float16), bias=found.pop("P.bias").astype(np.float32)
    )
    np.savez_compressed(
        weights, function=np.flatnonzero(words.function).astype(np.uint16),
        digits=np.flatnonzero(words.digits).astype(np.uint16),
        **{name: value.astype(np.float16) for name, value in found.items()},
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--podcasts", type=Path, nargs="*", default=[], help="sets of answers, to finish with")
    parser.add_argument("--minutes-podcasts", type=float, default=6.0)
    parser.add_argument("--held", type=int, choices=(0, 1), help="leave every second episode out")
    parser.add_argument("--out", type=Path, help="folder for the weights; without it, those of the program")
    options = parser.parse_args(arguments)
    embed, kept = Embedder.load(), options.folder / "pieces"
    torch.set_num_threads(2)
    kept.mkdir(exist_ok=True)
    words = Vocabulary(embed)
    public = [made for area in areas(options.folder) if (made := ready(area, embed, kept)).questions]
    net = begun(public)
    train(net, batches(public), options.minutes, 4, 1.5e-3, words)
    if options.podcasts:
        own = [
            made for folder in options.podcasts for number, area in enumerate(podcasts(folder))
            if number % 2 != options.held and (made := ready(area, embed, kept)).questions
        ]  # fmt: skip
        train(net, batches(own + public[: 2 * len(own)]), options.minutes_podcasts, 6, 4e-4, words)
    net.eval()
    folder = options.out
    targets = [folder / path.name if folder else path for path in (PROJECTION, READER_WEIGHTS)]
    export(net, words, *targets)


if __name__ == "__main__":
    main()
