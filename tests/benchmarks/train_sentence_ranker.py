# SPDX-License-Identifier: GPL-3.0-or-later
"""Learn which run of sentences is quoted, and when there is none: sentence_ranker.json and calibration.json in
retrieval/finding/sentences.

    python -m tests.benchmarks.train_sentence_ranker DIR [DIR …] \
        [--weight W …] [--every N] [--readers EVEN ODD] [--write]

Each DIR is a set as `tests.benchmarks.answers` reads it. For every question all runs that the reader came to are
weighed; a conditional logit (a softmax over the runs of each question) learns to prefer those in which the words of the
answer stand, inside the stretch that answers. Then a logistic regression learns to tell the first run's being an
answer from the same question put to the same episode without the chunks that answer it, which is on the subject and
does not answer. Printed is what comes of it on episodes that were left out (six folds of the first DIR's episodes).
`--write` writes the weights, of all sets together; `--weight` is how much a question of each set counts, `--every`
takes only every Nth question of the sets behind the first. `--readers`
names the folders of two readers, trained with `train_reader --held 0` and `--held 1`: each reads the episodes that it
has not seen, or else the runs learn to trust a reader that knows the answers.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from retrieval.finding.sections.query import Values
from retrieval.finding.sentences.answer_reader import READER_WEIGHTS as READER
from retrieval.finding.sentences.answer_reader import Reader, shipped_reader
from retrieval.finding.sentences.calibration import CALIBRATION_WEIGHTS as ANSWERED
from retrieval.finding.sentences.calibration import CalibrationFeatures
from retrieval.finding.sentences.find_sentences import (
    CandidateSet,
    calibration_features,
    encode_question,
    gather_candidates,
)
from retrieval.finding.sentences.sentence_features import FEATURE_NAMES, WHETHER
from retrieval.finding.sentences.sentence_ranker import SENTENCE_WEIGHTS as RUNS
from retrieval.finding.sentences.sentence_ranker import score_runs
from retrieval.index import token_store as index_script
from retrieval.index.embedding import Embedder
from retrieval.index.token_store import TokenStore, build_token_store
from tests.benchmarks.answers import KEPT, Asked, Told, read, says

FOLDS = 6
RIDGE, LOOSE = 15.0, 1.0  # strength of the penalties on standardised weights: of the runs, of "answered"


@dataclass(frozen=True, slots=True)
class Case:
    """A question as it was weighed: which runs ``hold`` the answer's words, and which of them ``inside`` the right
    stretch; ``kind`` is "there", "cut" (its answer was taken out) or "gone" (there never was one)."""

    episode: str
    kind: str
    candidates: CandidateSet
    hold: Values
    inside: Values


def cases(folder: Path, embed: Embedder, readers: Sequence[Path] = (), every: int = 1) -> list[Case]:
    """Every Nth question of a set, those with an answer twice: as they are, and with their answer cut out."""
    found, reader, made = read(folder), shipped_reader(), []
    for number, (name, cues) in enumerate(found.cues.items()):
        if readers:
            trained = readers[number % len(readers)]
            reader = Reader.load(trained / READER.name)
            index_script.PROJECTION = trained / index_script.PROJECTION.name
            index_script._projection.cache_clear()
        said = build_token_store(cues, embed)
        for one in found.asked[::every]:
            if one.episode != name:
                continue
            asked = encode_question(one.text, embed, reader)
            candidates = gather_candidates(one.text, [(name, said)], asked, reader)
            if candidates.runs:
                made.append(_case(one, candidates, "there" if one.covered else "gone"))
            if one.covered:
                candidates = gather_candidates(one.text, [(name, without(said, one.spans))], asked, reader)
                if candidates.runs:
                    made.append(_case(one, candidates, "cut"))
    return made


def without(said: TokenStore, spans: Sequence[tuple[float, float]]) -> TokenStore:
    """A token store without the chunks of which a part lies within the spans (seconds)."""
    hit = np.zeros(len(said.sentences), bool)
    for start, end in spans:
        hit |= (said.sentences["end"] > start - 1) & (said.sentences["start"] < end + 1)
    keep = ~np.isin(said.sentences["chunk"], np.unique(said.sentences["chunk"][hit]))
    edges = said.chunks
    pieces = np.repeat(np.isin(np.unique(said.sentences["chunk"]), said.sentences["chunk"][keep]), np.diff(edges))
    moved = np.concatenate([[0], np.cumsum(pieces)])
    places = said.sentences[keep].copy()
    for name in ("at", "first", "last"):
        places[name] = moved[places[name]]
    texts = tuple(text for text, kept in zip(said.texts, keep, strict=True) if kept)
    return TokenStore(places, texts, said.speakers, said.ids[pieces], said.codes[pieces])


def _case(one: Asked, candidates: CandidateSet, kind: str) -> Case:
    hold, inside = [], []
    for place in candidates.runs:
        said = place.store
        start, end = float(said.sentences[place.first]["start"]), float(said.sentences[place.last - 1]["end"])
        text = " ".join(said.texts[place.first : place.last])
        hold.append(kind == "there" and says(one, Told(text, True, start, 0.0, 0.0)))
        inside.append(any(start < last + 0.1 and end > first - 0.1 for first, last in one.spans))
    return Case(one.episode, kind, candidates, np.array(hold, float), np.array(inside, float))


def learn_runs(found: Sequence[Case], weights: Sequence[float]) -> Values:
    """The weights of the features that make the runs which hold the answer most likely."""
    lists = [
        (case.candidates.features, case.hold * case.inside, weight)
        for case, weight in zip(found, weights, strict=True)
        if case.kind == "there" and 0 < (case.hold * case.inside).sum() < len(case.hold)
    ]
    rows = np.concatenate([one for one, _, _ in lists]) * [name not in WHETHER for name in FEATURE_NAMES]
    scale = rows.std(axis=0) + 1e-6
    rows, right = rows / scale, np.concatenate([two for _, two, _ in lists])
    edges = np.cumsum([0, *(len(one) for one, _, _ in lists)])
    owner, weight = np.repeat(np.arange(len(lists)), np.diff(edges)), np.array([three for _, _, three in lists])

    def cost(theta: Values) -> tuple[float, Values]:
        scores = rows @ theta
        chances = np.exp(scores - np.maximum.reduceat(scores, edges[:-1])[owner])
        every = np.add.reduceat(chances, edges[:-1])
        good = np.add.reduceat(chances * right, edges[:-1]) + 1e-12
        slope = (weight[owner] * (chances / every[owner] - chances * right / good[owner])) @ rows
        return float((weight * np.log(every / good)).sum() + RIDGE * theta @ theta), slope + 2 * RIDGE * theta

    theta = minimize(cost, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x
    return np.asarray(theta / scale)


def learn_answered(
    found: Sequence[Case], weights: Sequence[float], runs: Values
) -> tuple[Values, float]:
    """Weights of ``CalibrationFeatures`` and a bias: the log-odds of the first run's being an answer, both kinds
    counting equally."""
    rows = np.array([_signs(case, runs) for case in found])
    there = np.array([case.kind == "there" for case in found])
    weight = np.asarray(weights, float)
    weight = weight * np.where(there, 0.5 / weight[there].sum(), 0.5 / weight[~there].sum()) * len(found)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows, sign = (rows - mean) / scale, np.where(there, 1.0, -1.0)

    def cost(theta: Values) -> tuple[float, Values]:
        margin = sign * (rows @ theta[1:] + theta[0])
        slope = -weight * sign / (1 + np.exp(margin))
        value = float(weight @ np.logaddexp(0, -margin)) + LOOSE * float(theta[1:] @ theta[1:])
        return value, np.concatenate([[slope.sum()], slope @ rows + 2 * LOOSE * theta[1:]])

    theta = minimize(cost, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return np.asarray(theta[1:] / scale), float(theta[0] - (theta[1:] * mean / scale).sum())


def _signs(case: Case, runs: Values) -> list[float]:
    first = int(np.argmax(score_runs(case.candidates.features, runs)))
    return list(asdict(calibration_features(case.candidates, first)).values())


def said_first(case: Case, runs: Values) -> bool:
    """Whether the best run holds the answer."""
    return bool(case.hold[int(np.argmax(score_runs(case.candidates.features, runs)))])


def crossed(
    first: Sequence[Case], others: Sequence[Case], weight: Callable[[Case], float]
) -> dict[str, float]:
    """What comes of it on episodes of ``first`` that were left out."""
    episodes = list(dict.fromkeys(case.episode for case in first))
    right, sure = [], []
    for fold in range(FOLDS):
        held = set(episodes[fold::FOLDS])
        learned = [*(case for case in first if case.episode not in held), *others]
        weights = [weight(case) for case in learned]
        runs = learn_runs(learned, weights)
        parts, bias = learn_answered(learned, weights, runs)
        for case in first:
            if case.episode in held:
                sure.append((case.kind, float(np.dot(_signs(case, runs), parts) + bias)))
                if case.kind == "there":
                    right.append(said_first(case, runs))
    there = [value for kind, value in sure if kind == "there"]
    report = {"said": float(np.mean(right))}
    for kind in ("gone", "cut"):
        values = [value for name, value in sure if name == kind]
        for kept in (*KEPT, 0.92):
            if values:
                report[f"{kind} declined@{kept}"] = float(np.mean(np.array(values) < np.quantile(there, 1 - kept)))
    report["threshold@0.92"] = float(1 / (1 + np.exp(-np.quantile(there, 0.08))))
    return {name: round(value, 3) for name, value in report.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--weight", type=float, nargs="*", default=[], help="of a question of each set; 1 unless given")
    parser.add_argument("--every", type=int, default=1, help="take every Nth question of the later sets")
    parser.add_argument("--readers", type=Path, nargs=2, default=[], help="folders of cross-fitted readers")
    parser.add_argument("--write", action="store_true", help="write the weights into the program")
    options = parser.parse_args(arguments)
    embed = Embedder.load()
    found = [
        cases(folder, embed, options.readers, options.every if number else 1)
        for number, folder in enumerate(options.sets)
    ]  # fmt: skip
    weights = [*options.weight, *[1.0] * len(found)]
    own = {id(case): weight for part, weight in zip(found, weights, strict=False) for case in part}
    others = [case for part in found[1:] for case in part]
    sys.stdout.write(json.dumps(crossed(found[0], others, lambda case: own[id(case)]), indent=1) + "\n")
    if options.write:
        every = [case for part in found for case in part]
        counts = [own[id(case)] for case in every]
        runs = learn_runs(every, counts)
        parts, bias = learn_answered(every, counts, runs)
        learned = ((name, value) for name, value in zip(FEATURE_NAMES, runs, strict=True) if name not in WHETHER)
        RUNS.write_text(json.dumps({name: round(float(value), 5) for name, value in learned},
                                    indent=1) + "\n", "utf-8")  # fmt: skip
        names = [field.name for field in fields(CalibrationFeatures)]
        named = {name: round(float(value), 5) for name, value in zip(names, parts, strict=True)}
        ANSWERED.write_text(json.dumps({"weights": named, "bias": round(bias, 5)}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
