# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions with exact answers in running text, from public sets, as the reader is trained on them.

Each set is cut into *areas* of some sixty chunks that follow each other (an article, the reviews of some products, an
episode), so that the wrong chunks are about the same things as the right one. All are free for any use that names
them; RETRIEVAL's NOTICE-reader.md says which were used for the weights that ship.

| file in the folder | set | licence |
|---|---|---|
| amazon_reviews_v1.0.json, reddit_v1.0.json, new_wiki_v1.0.json | SQuADShifts (Miller et al. 2020) | CC BY 4.0 |
| selqa-dev.json, selqa-test.json (answer sentence selection) | SelQA (Jurczyk et al. 2016) | Apache-2.0 |
| friendsqa_tst.json | FriendsQA, test part (Yang and Choi 2019) | Apache-2.0 |
| answers/bitcoin, answers/friends (of ../shared/data) | see there | see there |
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.index.token_store import quotable_sentences
from tests.benchmarks.answers import Asked, read
from voice.model import Cue

AREA = 60
"""Chunks of an area, about."""

_WORDS = 70  # of a chunk, whole sentences
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
_SHARES = {"amazon": 1.0, "reddit": 1.0, "wiki": 1.0, "selqa": 1.6, "friendsqa": 0.6}  # later in the order: seen less

Span = tuple[int, int, int]
"""A chunk, and the first character and the end in it."""


@dataclass(frozen=True, slots=True)
class Area:
    """Chunks that follow each other, and questions with where they are answered. ``name`` is the set's, or the
    episode's."""

    name: str
    chunks: tuple[str, ...]
    questions: tuple[tuple[str, tuple[Span, ...]], ...]


def areas(folder: Path, seed: int = 1) -> list[Area]:
    """The areas of the public sets in a folder, in random order."""
    pick, found = random.Random(seed), []
    for name, file in (("amazon", "amazon_reviews"), ("reddit", "reddit"), ("wiki", "new_wiki")):
        for article in json.loads((folder / f"{file}_v1.0.json").read_text("utf-8"))["data"]:
            found += _pieces(_squad(name, article["paragraphs"]))
    for part in ("dev", "test"):
        for area in _selqa(json.loads((folder / f"selqa-{part}.json").read_text("utf-8"))):
            found += _pieces(area)
    for area in _friends(json.loads((folder / "friendsqa_tst.json").read_text("utf-8"))["data"]):
        found += _pieces(area)
    return sorted(found, key=lambda area: pick.random() * _SHARES[area.name])


def podcasts(folder: Path) -> list[Area]:
    """A set as `tests.benchmarks.answers` reads it, an area for each episode."""
    found = read(folder)
    return [_episode(name, cues, [one for one in found.asked if one.episode == name and one.covered])
            for name, cues in found.cues.items()]  # fmt: skip


def _pieces(area: Area) -> Iterator[Area]:
    """An area in pieces of about ``AREA`` chunks; pieces that are hardly asked about are left out."""
    count = max(1, round(len(area.chunks) / AREA))
    for number in range(count):
        first, last = number * len(area.chunks) // count, (number + 1) * len(area.chunks) // count
        asked = [
            (question, inside) for question, spans in area.questions
            if (inside := tuple((at - first, a, b) for at, a, b in spans if first <= at < last))
        ]  # fmt: skip
        if len(asked) > 2:
            yield Area(area.name, area.chunks[first:last], tuple(asked))


class _Chunks:
    """Sentences put together to chunks of at most ``_WORDS`` words."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._words = 0

    def close(self) -> None:
        """Let the next sentence begin a chunk."""
        self._words = _WORDS

    def add(self, sentence: str, lead: str = "") -> Span:
        """Append a sentence, after what is said of it (who speaks); where it stands."""
        length = len(sentence.split())
        if not self.texts or self._words + length > _WORDS:
            self.texts.append("")
            self._words = 0
        before = (f"{self.texts[-1]} " if self.texts[-1] else "") + lead
        self.texts[-1] = before + sentence
        self._words += length
        return len(self.texts) - 1, len(before), len(before) + len(sentence)


def _squad(name: str, paragraphs: Sequence[dict[str, Any]]) -> Area:
    chunks, asked = _Chunks(), []
    for paragraph in paragraphs:
        text, at, spans = paragraph["context"], 0, []
        chunks.close()
        for sentence in _SENTENCE.split(text):
            begin = text.index(sentence, at)
            at = begin + len(sentence)
            spans.append((begin, at, chunks.add(sentence)))
        for question in paragraph["qas"]:
            gold = [
                (number, first + max(0, answer["answer_start"] - begin),
                 first + min(end, answer["answer_start"] + len(answer["text"])) - begin)
                for answer in question["answers"] for begin, end, (number, first, _) in spans
                if begin <= answer["answer_start"] < end
            ]  # fmt: skip
            if gold:
                asked.append((question["question"].strip(), tuple(sorted(set(gold)))))
    return Area(name, tuple(chunks.texts), tuple(asked))


def _selqa(rows: Sequence[dict[str, Any]]) -> Iterator[Area]:
    for article in dict.fromkeys(row["article"] for row in rows):
        chunks, asked, sections = _Chunks(), [], {}
        for row in rows:
            if row["article"] != article:
                continue
            key = (row["section"], *row["candidates"])
            if key not in sections:
                chunks.close()
                sections[key] = [chunks.add(sentence) for sentence in row["candidates"]]
            gold = tuple(sections[key][at] for at in row["answers"] if at < len(row["candidates"]))
            if gold:
                asked.append((row["question"], gold))
        yield Area("selqa", tuple(chunks.texts), tuple(asked))


def _friends(scenes: Sequence[dict[str, Any]]) -> Iterator[Area]:
    for episode in dict.fromkeys(scene["title"].rsplit("_", 1)[0] for scene in scenes):
        chunks, asked = _Chunks(), []
        for scene in scenes:
            if scene["title"].rsplit("_", 1)[0] != episode:
                continue
            for paragraph in scene["paragraphs"]:
                chunks.close()
                placed = {}
                for one in paragraph["utterances:"]:
                    name = one["speakers"][0].split()[0] if one["speakers"] else ""
                    lead = f"{name}: " if name and name != "#NOTE#" else ""
                    placed[one["uid"]] = (*chunks.add(one["utterance"], lead), one["utterance"], len(lead))
                for question in paragraph["qas"]:
                    gold = [span for answer in question["answers"] for span in _uttered(placed, answer)]
                    if gold:
                        asked.append((question["question"].strip(), tuple(gold)))
        yield Area("friendsqa", tuple(chunks.texts), tuple(asked))


def _uttered(placed: dict[int, tuple[int, int, int, str, int]], answer: dict[str, Any]) -> Iterator[Span]:
    """Where an answer of FriendsQA stands: in what somebody says, or as who says it."""
    if answer["utterance_id"] not in placed:
        return
    number, first, _, text, lead = placed[answer["utterance_id"]]
    if answer.get("is_speaker"):
        yield number, first - lead, first
    elif (at := text.find(answer["answer_text"])) >= 0:
        yield number, first + at, first + at + len(answer["answer_text"])


def _episode(name: str, cues: Sequence[Cue], asked: Sequence[Asked]) -> Area:
    chunks, placed = _Chunks(), []
    for line in quotable_sentences(cues):
        placed.append((line, chunks.add(line.text)))
    questions = []
    for one in asked:
        inside = [
            (line.text.lower().replace("’", "'"), span) for line, span in placed
            if any(line.end > start and line.start < end for start, end in one.spans)
        ]  # fmt: skip
        parts = {part.strip() for must in one.must for part in must}
        gold = tuple(span for text, span in inside if any(part in text for part in parts))
        if gold or inside:
            questions.append((one.text, gold or tuple(span for _, span in inside)))
    return Area(name, tuple(chunks.texts), tuple(questions))
