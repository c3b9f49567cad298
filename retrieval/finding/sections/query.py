# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question looks for: its matter without the words that only ask, and whom it names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.index.embedding import Embedder, Matrix
from retrieval.index.episode_passages import EpisodePassages
from retrieval.index.snapshot import Snapshot

Values = npt.NDArray[np.float64]

_WORD = re.compile(r"[^\W_]+")
_SPOKEN_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NO_NAME = frozenset(("speaker", "unknown"))  # stand where a transcript has no names

QUESTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about again all also am an and any anything are as at be been being between but by can could did do does"
        " doing don down for from get gets go goes going got had has have having he her here hers him his how i if in"
        " into is it its just like ll m may me might more most much must my no not of off on one only or our out over"
        " own re s said say says she should so some something such t talk talked talking talks tell than that the"
        " their them then there these they thing things think this those through to too under up us ve very want was"
        " we were what when where which who whom whose why will with would you your yours explain discuss discussed"
        " hear mean means please",
    )
)
"""Words that hold a question together, and those of asking itself."""

_FRAME = QUESTION_WORDS | frozenset(
    re.findall(
        r"\w+",
        "agree attitude conclusion conversation decision describe disagree discussion discussions episode everybody"
        " everyone give group meeting mention mentioned opinion opinions overview part participants people perspective"
        " podcast presentation section summarise summarize summary team thought thoughts topic view views",
    )
)
"""Words with which questions begin, and which say nothing of what is looked for."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is looked for: the ``text`` as it was put, the ``vector`` (width,) of its matter, the words that can be
    looked up, one for each stem, and how telling each is."""

    text: str
    vector: Matrix
    words: tuple[str, ...]
    weight: Values


def build_query(snapshot: Snapshot, embed: Embedder, text: str, episode: EpisodePassages | None = None) -> SearchQuery:
    """What a question put to an episode (None: to the library) looks for. Raises EngineError."""
    what = matter(text, episode.speakers if episode is not None else ())
    words = snapshot.words(what)
    return SearchQuery(text, embed.encode_question(what), tuple(words), _weights(snapshot, words))


def matter(text: str, speakers: Sequence[str]) -> str:
    """A question without what it begins with and what only asks: "pruning" of "What did Ann think about pruning?".

    Nothing is taken away where nothing would be left.
    """
    names = {word.lower() for name in speakers for word in _WORD.findall(name)}
    for found in _SPOKEN_WORD.finditer(text):
        word = found.group().lower()
        if not {word, re.split("['’]", word)[0]} & (_FRAME | names):
            return text[found.start() :].rstrip(" ?.!")
    return text


def named_speakers(text: str, speakers: Sequence[str]) -> Values:
    """For each speaker, how clearly a question names them, 0..1: 1 when it has all of a name that nobody else has.

    Single letters, as meetings call people by, count only as capitals inside the question.
    """
    said = _WORD.findall(text)
    words = {word.lower() for word in said if len(word) > 1}
    words |= {word for word in said[1:] if len(word) == 1 and word.isupper() and word != "I"}
    parts = [
        {word if len(word) == 1 else word.lower() for word in _WORD.findall(name) if not word.isdigit()}
        - _NO_NAME - QUESTION_WORDS
        for name in speakers
    ]  # fmt: skip
    shared = {word: sum(word in part for part in parts) for part in parts for word in part}
    return np.array([
        max((1 / shared[word] for word in part & words), default=0.0) * (len(part & words) / max(len(part), 1)) ** 0.5
        for part in parts
    ])  # fmt: skip


def _weights(snapshot: Snapshot, words: Sequence[str]) -> Values:
    """How telling each word is: BM25's inverse document frequency over the library's units.

    In a small library every word is rare; so the words that carry a sentence rather than a meaning are told little
    by a list.
    """
    counts = np.array([snapshot.frequency(word) for word in words], np.float64)
    telling = np.log(1 + (snapshot.unit_count - counts + 0.5) / (counts + 0.5))
    return np.asarray(telling * [0.1 if word in QUESTION_WORDS else 1.0 for word in words])
