# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks for an answer beginning at a unit, as numbers: the same for training and for searching.

Most features compare what is said from a unit on with what was said just before it: an answer begins where the
question's matter sets in. All are pure functions of the evidence.
"""

import numpy as np

from retrieval.finding.sections.query import Values
from retrieval.finding.sections.unit_evidence import PrefixSums, Spans, UnitBatch, UnitEvidence
from retrieval.index.chunking import UNIT_WORDS
from retrieval.index.unit_statistics import SCALES

SPANS = (30, 60, 120, 240, 480)
"""Words ahead of a unit's beginning, and behind it, that are looked at."""

LEVELS = (0.4, 0.9)
"""Standard deviations above an episode's mean from which on a unit speaks for a run."""

_TELLING = 1.0  # weight from which on a word tells something: words that only hold a sentence together have less
_STANDARD = ("near", "mean_60", "mean_120", "at", "focus", "focus_60", "focus_120", "word_30", "word_60", "word_240")
_K1, _B = 1.2, 0.75  # BM25's saturation and its share of length, as usual


def section_features(evidence: UnitEvidence) -> dict[str, Values]:
    """All features by name, each an array over the units of the evidence's batch."""
    batch = evidence.batch
    found: dict[str, Values] = {}
    ahead = {span: batch.ahead(span) for span in SPANS}
    behind = {span: batch.behind(span) for span in SPANS}
    _meaning(evidence, ahead, behind, found)
    _words(evidence, ahead, behind, found)
    both = batch.standard(found["focus_120"]) + batch.standard(found["word_120"])
    found["both"] = both
    found["both_short"] = batch.standard(found["focus_60"]) + batch.standard(found["word_60"])
    sums = PrefixSums(both)
    for span in (120, 240):
        found[f"both_ahead_{span}"] = sums.mean(ahead[span])
        found[f"both_behind_{span}"] = sums.mean(behind[span])
    for name in ("near", "mean_60", "next", "focus", "focus_60", "word_60", "word_120", "both", "both_short"):
        found[f"{name}_below_best"] = found[name] - batch.highest(found[name])
    for name in _STANDARD:
        found[f"{name}_standard"] = batch.standard(found[name])
    _runs(evidence, found)
    _named(evidence, ahead, behind, found)
    _form(batch, found)
    _blocks(evidence, found)
    _question(evidence, found)
    return found


def _meaning(
    evidence: UnitEvidence, ahead: dict[int, Spans], behind: dict[int, Spans], found: dict[str, Values]
) -> None:
    batch, near = evidence.batch, evidence.near
    found["near"] = near
    found["near_1"] = near[np.minimum(batch.here + 1, batch.high - 1)]
    found["near_2"] = near[np.minimum(batch.here + 2, batch.high - 1)]
    found["near_-1"] = near[np.maximum(batch.here - 1, batch.low)]
    nears, focused = PrefixSums(near), PrefixSums(evidence.focus)
    found["at"], found["next"], found["past"] = evidence.at, evidence.next, evidence.past
    for span in SPANS[1:]:
        found[f"mean_{span}"] = nears.mean(ahead[span])
    for span in SPANS:
        found[f"mean_-{span}"] = nears.mean(behind[span])
    for span in SPANS[1:]:
        found[f"onset_{span}"] = found[f"mean_{span}"] - found[f"mean_-{span}"]
    found["onset_window"] = evidence.next - evidence.past
    found["focus"] = evidence.focus
    for span in SPANS[1:]:
        found[f"focus_{span}"] = focused.mean(ahead[span])
    for span in SPANS:
        found[f"focus_-{span}"] = focused.mean(behind[span])
    for span in SPANS[1:]:
        found[f"focus_onset_{span}"] = found[f"focus_{span}"] - found[f"focus_-{span}"]
    episode = np.add.reduceat(near, batch.edges[:-1]) / batch.count
    found["mean_over_episode"] = found["mean_120"] - batch.spread(episode)


def _words(evidence: UnitEvidence, ahead: dict[int, Spans], behind: dict[int, Spans], found: dict[str, Values]) -> None:
    batch, held, weight = evidence.batch, evidence.held, evidence.weight
    total = max(float(weight.sum()), 1e-9)
    holds, lengths = PrefixSums(held), PrefixSums(batch.words)
    for sign, runs in (("", ahead), ("-", behind)):
        for span, run in runs.items():
            count, length = holds.over(run), lengths.over(run)
            norm = _K1 * (1 - _B + _B * length / span)
            found[f"word_{sign}{span}"] = weight @ (count / (count + norm)) * (_K1 + 1) / total
            if span in (30, 120, 480) and not sign:
                found[f"share_{span}"] = weight @ (count > 0) / total
    for span in SPANS:
        found[f"word_onset_{span}"] = found[f"word_{span}"] - found[f"word_-{span}"]
    # how much of the question is said here for the first time in the episode
    since = np.cumsum(held, axis=1)
    before = since - held - (since - held)[:, batch.low]
    found["first"] = weight @ (held * (before == 0)) / total
    recent = holds.over(behind[240])
    found["fresh"] = weight @ (held * (recent == 0)) / total
    there = np.maximum.reduceat(held, batch.edges[:-1], axis=1) if len(held) else np.zeros((0, len(batch.count)))
    found["in_episode"] = batch.spread(weight @ there / total)
    all_held = np.add.reduceat(held, batch.edges[:-1], axis=1)[:, batch.owner] if len(held) else held
    for span in (120, 480):
        gathered = holds.over(ahead[span]) / np.maximum(all_held, 1)
        found[f"gathered_{span}"] = weight @ gathered / total
        found[f"gathered_-{span}"] = weight @ (holds.over(behind[span]) / np.maximum(all_held, 1)) / total
    found["share_of_episode"] = found["share_120"] / np.maximum(found["in_episode"], 1e-9)


def _runs(evidence: UnitEvidence, found: dict[str, Values]) -> None:
    """How much more than usual the question is spoken of from a unit on, however long that goes on, and up to it.

    Sums of what is above a level, over the run that makes most of it: an answer begins where the run ahead is rich and
    that behind is empty, and unlike with a number of words it does not matter how long it is.
    """
    batch = evidence.batch
    signals = {
        "near": batch.standard(evidence.near), "focus": batch.standard(evidence.focus),
        "word": batch.standard(found["word_30"]), "both": found["both"] / 2,
    }  # fmt: skip
    for name, signal in signals.items():
        for level in LEVELS:
            gained = np.concatenate([[0.0], np.cumsum((signal - level) * batch.words / UNIT_WORDS)])
            ahead, behind = np.empty(len(signal)), np.empty(len(signal))
            for low, high in zip(batch.edges[:-1], batch.edges[1:], strict=True):
                sums = gained[low : high + 1]
                ahead[low:high] = np.maximum.accumulate(sums[:0:-1])[::-1] - sums[:-1]
                behind[low:high] = sums[:-1] - np.minimum.accumulate(sums[:-1])
            found[f"run_{name}_{level}"] = np.sign(ahead) * np.log1p(abs(ahead))
            found[f"run_-{name}_{level}"] = np.log1p(behind)


def _named(evidence: UnitEvidence, ahead: dict[int, Spans], behind: dict[int, Spans], found: dict[str, Values]) -> None:
    """Whether one speaks whom the question names."""
    batch, sums = evidence.batch, PrefixSums(evidence.named)
    found["named"] = evidence.named
    for span in SPANS[1:4]:
        found[f"named_{span}"], found[f"named_-{span}"] = sums.mean(ahead[span]), sums.mean(behind[span])
    before = evidence.named[np.maximum(batch.here - 1, 0)] * (batch.here > batch.low)
    found["named_begins"] = evidence.named * (evidence.named > before)


def _form(batch: UnitBatch, found: dict[str, Values]) -> None:
    episodes = batch.episodes
    begins = batch.joined([episode.break_ for episode in episodes])
    found["turn"], found["paragraph"] = np.where(begins == 2, 1.0, 0.0), np.where(begins >= 1, 1.0, 0.0)
    # words until the next turn or paragraph, and since the last
    starts = np.flatnonzero((begins > 0) | (batch.here == batch.low))
    block = np.searchsorted(starts, batch.here, side="right") - 1
    sizes = np.add.reduceat(batch.words, starts)
    words_ahead = batch.before[starts[block]] + sizes[block] - batch.before
    found["block"] = np.log1p(words_ahead)
    inside = batch.before - batch.before[starts[block]]
    found["inside_block"] = np.log1p(inside)
    found["block_before"] = np.log1p(np.where(block > 0, sizes[np.maximum(block - 1, 0)], 0) * (inside == 0))
    asks = batch.joined([episode.asks for episode in episodes])
    found["asks"] = asks
    found["asked"] = asks[np.maximum(batch.here - 1, batch.low)] * (batch.here > batch.low)
    found["words"] = batch.words
    speaker = batch.joined([episode.speaker for episode in episodes])
    shares = []
    for episode in episodes:
        said = np.bincount(episode.speaker, episode.words, len(episode.speakers))
        shares.append((said / max(said.sum(), 1))[episode.speaker])
    found["speaker_share"] = np.concatenate(shares)
    found["other_speaker"] = (speaker != speaker[np.maximum(batch.here - 1, 0)]) * (batch.here > batch.low)
    topic_shifts = np.concatenate([episode.topic_shifts for episode in episodes]).astype(np.float64)
    for column, scale in enumerate(SCALES):
        found[f"seam_{scale}"] = topic_shifts[:, column]
    found["seam_standard"] = batch.standard(topic_shifts[:, 1])
    start = batch.joined([episode.start for episode in episodes])
    length = batch.highest(batch.joined([episode.end for episode in episodes]))
    found["place"] = start / np.maximum(length, 1)
    found["from_start"], found["from_end"] = np.log1p(start), np.log1p(np.maximum(length - start, 0))


def _blocks(evidence: UnitEvidence, found: dict[str, Values]) -> None:
    """The same comparisons over the whole turn or paragraph from a unit on, and over the next one."""
    batch, near, held, weight = evidence.batch, evidence.near, evidence.held, evidence.weight
    begins = batch.joined([episode.break_ for episode in batch.episodes]) > 0
    starts = np.flatnonzero(begins | (batch.here == batch.low))
    stops = np.append(starts[1:], len(batch.here))
    block = np.searchsorted(starts, batch.here, side="right") - 1
    this = (batch.here, stops[block])
    after = np.minimum(block + 1, len(starts) - 1)
    following = (np.minimum(stops[block], batch.high), np.minimum(stops[after], batch.high))
    total = max(float(weight.sum()), 1e-9)
    nears, focused, holds = PrefixSums(near), PrefixSums(evidence.focus), PrefixSums(held)
    for name, run in (("block", this), ("next_block", following)):
        found[f"near_{name}"] = nears.mean(run)
        found[f"focus_{name}"] = focused.mean(run)
        found[f"share_{name}"] = weight @ (holds.over(run) > 0) / total
    most = np.maximum.reduceat(near, starts)
    found["near_block_best"] = most[block]
    found["near_next_block_best"] = most[after] * (stops[block] < batch.high)


def _question(evidence: UnitEvidence, found: dict[str, Values]) -> None:
    """What is the same for all units: how well the episode fits at all."""
    batch = evidence.batch
    found["question_words"] = np.full(len(batch.here), float((evidence.weight > _TELLING).sum()))
    found["question_weight"] = np.full(len(batch.here), float(evidence.weight.max(initial=0.0)))
    total = max(float(evidence.weight.sum()), 1e-9)
    found["titled"] = batch.spread(evidence.weight @ evidence.titled / total)
    found["best_near"] = batch.highest(found["mean_60"])
    found["best_next"] = batch.highest(found["next"])
    found["best_word"] = batch.highest(found["word_120"])
