# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the passages of an episode lie: what an index stores of them beside vectors and texts, and what a search needs.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from retrieval.index.chunking import UNIT_WORDS, WINDOW_WORDS, window_spans
from retrieval.index.embedding import Matrix
from retrieval.index.unit_statistics import SCALES, focus, topic_shifts
from retrieval.model import Passage

RowNumbers = npt.NDArray[np.int64]
Times = npt.NDArray[np.float64]

WORD = re.compile(r"[^\W_]+")
"""A word that can be looked up."""

UNIT_RECORD = np.dtype([
    ("start", "<f8"), ("end", "<f8"), ("words", "<u2"), ("break", "u1"), ("speaker", "<u2"), ("asks", "u1"),
    ("seams", "<f4", (len(SCALES),)), ("offset", "<f4"),
])  # fmt: skip
"""What is stored of each unit beside its vector and its text."""


@dataclass(frozen=True, slots=True)
class EpisodePassages:
    """Where the passages of one episode lie, as arrays over its units and its windows.

    ``language`` is the code of the language by which its words are stemmed, "" for English; ``title`` are the stems of
    the words in the episode's title. ``row`` is the first unit's row in the matrix,
    ``windows_row`` the first window's, ``text_row`` the number of the first unit's text. Of the units: ``start`` and
    ``end`` in seconds, ``words`` counts, ``break_`` as in Passage, ``speaker`` numbers into ``speakers``, ``asks`` 1
    where there is a question, ``topic_shifts`` (units, 3) as in ``unit_statistics.topic_shifts``, ``focus``
    (units, width) and ``offset`` as in ``unit_statistics.focus``. Of the windows: ``first`` and ``last`` (exclusive),
    the units that each spans.
    """

    episode_id: str
    language: str
    title: frozenset[str]
    row: int
    windows_row: int
    text_row: int
    start: Times
    end: Times
    words: npt.NDArray[np.int64]
    break_: npt.NDArray[np.int64]
    speaker: npt.NDArray[np.int64]
    speakers: tuple[str, ...]
    asks: npt.NDArray[np.int64]
    topic_shifts: npt.NDArray[np.float32]
    focus: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]

    @property
    def units(self) -> int:
        """How many units the episode has."""
        return len(self.start)

    def until(self, seconds: float) -> "EpisodePassages":
        """The part that is over at ``seconds``: units and windows that reach beyond are left out."""
        later = np.flatnonzero(self.end > seconds)
        units = int(later[0]) if len(later) else self.units
        windows = int(np.searchsorted(self.last, units, side="right"))
        return replace(
            self, start=self.start[:units], end=self.end[:units], words=self.words[:units],
            break_=self.break_[:units], speaker=self.speaker[:units], asks=self.asks[:units],
            topic_shifts=self.topic_shifts[:units], focus=self.focus[:units], offset=self.offset[:units],
            first=self.first[:windows], last=self.last[:windows],
        )  # fmt: skip


def encode_passages(passages: Sequence[Passage], vectors: Matrix, dimension: int) -> tuple[bytes, bytes, list[str]]:
    """What is stored of an episode: the records of its units (``UNIT_RECORD``), the rows of their focus in half
    precision, and who speaks.

    Raises ValueError for vectors that are not (passages, dimension), and for passages that are not units, then windows.
    """
    if vectors.shape != (len(passages), dimension):
        raise ValueError(f"{len(passages)} passages but vectors of shape {vectors.shape}")
    units = [passage for passage in passages if passage.grain == UNIT_WORDS]
    if list(passages) != units + [passage for passage in passages if passage.grain == WINDOW_WORDS]:
        raise ValueError("passages must be units, then windows")
    speakers = list(dict.fromkeys(passage.speaker for passage in passages))
    places = np.zeros(len(units), UNIT_RECORD)
    for place, unit in zip(places, units, strict=True):
        place["start"], place["end"] = unit.start, unit.end
        place["words"], place["break"] = min(len(unit.text.split()), 65535), unit.break_
        place["speaker"], place["asks"] = speakers.index(unit.speaker), "?" in unit.text
    places["seams"] = topic_shifts(vectors[: len(units)], places["words"].tolist())
    rows, places["offset"] = focus(vectors[: len(units)])
    return places.tobytes(), rows.astype(np.float16).tobytes(), speakers


def decode_passages(
    episode_id: str, language: str, title: str, row: int, text_row: int, places: bytes, speakers: str, focused: bytes,
    width: int, stem: Callable[[str, str], str],
) -> EpisodePassages:
    """The passages of an episode out of what is stored of them; ``speakers`` are JSON, ``stem`` gives the stem of a
    word in a language."""
    units = np.frombuffer(places, UNIT_RECORD)
    spans = np.array(window_spans(units["words"].tolist(), units["break"].tolist()), np.int64).reshape(-1, 2)
    return EpisodePassages(
        episode_id, language, frozenset(stem(word, language) for word in WORD.findall(title.lower())),
        row, row + len(units), text_row,
        units["start"].astype(np.float64), units["end"].astype(np.float64),
        units["words"].astype(np.int64), units["break"].astype(np.int64), units["speaker"].astype(np.int64),
        tuple(json.loads(speakers)), units["asks"].astype(np.int64), units["seams"],
        np.frombuffer(focused, np.float16).reshape(len(units), width).astype(np.float32), units["offset"],
        spans[:, 0], spans[:, 1],
    )  # fmt: skip
