# SPDX-License-Identifier: GPL-3.0-or-later
"""What two well-known libraries find when they are used as their first pages say, with Earmark's embedding model.

LlamaIndex: a document for each episode, `VectorStoreIndex.from_documents` with its own splitter as it comes (1024
tokens, 200 of them overlapping), a metadata filter for one episode; a jump goes to where the found node begins.
txtai: `Embeddings` with `hybrid=True` over the transcript's paragraphs, which are its cues, as `Segmentation` yields
them, an index for each episode and one for all; a jump goes to the start of the found cue.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voice.model import Cue

Found = list[tuple[str, float]]
Finder = Callable[[str, str | None], Found]

INSTALL = 'install the benchmarks\' extra for it: pip install -c constraints.txt -e ".[benchmarks]"'
"""How to get what is missing."""


class Encoder(Protocol):
    """What turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit rows (n, 384)."""

    def encode_question(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector (384,)."""


def llama_index(episodes: Mapping[str, tuple[str, Sequence[Cue]]], embed: Encoder, count: int) -> Finder:
    """LlamaIndex over ``episodes``, title and cues by id. Raises ImportError when it is not installed."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters

    class MiniLM(BaseEmbedding):  # type: ignore[misc]
        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return [row.tolist() for row in embed.encode(texts)]

        def _get_query_embedding(self, query: str) -> list[float]:
            return list(embed.encode_question(query).tolist())

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    documents, times = [], {}
    for episode, (title, cues) in episodes.items():
        text, times[episode] = _written(cues)
        if text:
            documents.append(
                Document(
                    text=text, id_=episode, metadata={"episode": episode, "title": title},
                    excluded_embed_metadata_keys=["episode"],
                )
            )  # fmt: skip
    index = VectorStoreIndex.from_documents(documents, embed_model=MiniLM(embed_batch_size=256))
    everywhere = index.as_retriever(similarity_top_k=count)

    def look(query: str, episode: str | None) -> Found:
        if not query.strip():
            return []
        if episode is None:
            retriever = everywhere
        else:
            only = MetadataFilters(filters=[ExactMatchFilter(key="episode", value=episode)])
            retriever = index.as_retriever(similarity_top_k=count, filters=only)
        return [
            (found.node.metadata["episode"], times[found.node.metadata["episode"]](found.node.start_char_idx or 0))
            for found in retriever.retrieve(query)
        ]

    return look


def txtai(episodes: Mapping[str, tuple[str, Sequence[Cue]]], embed: Encoder, count: int) -> Finder:
    """The library txtai over ``episodes``, title and cues by id. Raises ImportError when it is not installed."""
    from txtai import Embeddings
    from txtai.pipeline import Segmentation

    paragraphs = Segmentation(paragraphs=True)
    rows: list[tuple[str, float, str]] = [
        (episode, cue.start, text)
        for episode, (_, cues) in episodes.items() for cue in cues for text in paragraphs(cue.text)
    ]  # fmt: skip

    embed.encode([text for *_, text in rows])  # all at once, which is quicker than batch by batch as below

    def built(numbers: Sequence[int]) -> Any:
        index = Embeddings(method="external", transform=lambda texts: embed.encode(texts), hybrid=True)
        index.index([(number, rows[number][2]) for number in numbers])
        return index

    inside: dict[str, list[int]] = {}
    for number, (episode, _, _) in enumerate(rows):
        inside.setdefault(episode, []).append(number)
    everywhere = built(range(len(rows)))
    alone: dict[str, Any] = {}

    def look(query: str, episode: str | None) -> Found:
        if not query.strip() or not rows or (episode is not None and episode not in inside):
            return []
        if episode is None:
            index = everywhere
        else:
            index = alone.get(episode)
            if index is None:
                index = alone[episode] = built(inside[episode])
        return [rows[int(number)][:2] for number, _ in index.search(query, count)]

    return look


def _written(cues: Sequence[Cue]) -> tuple[str, Callable[[int], float]]:
    """The cues as one text, a paragraph each, and the time in seconds of a place in it."""
    places, at = [], 0
    spoken = [cue for cue in cues if cue.text.strip()]
    for cue in spoken:
        places.append(at)
        at += len(cue.text) + 2

    def time(place: int) -> float:
        number = max(bisect_right(places, place) - 1, 0)
        cue = spoken[number]
        return cue.start + (cue.end - cue.start) * min((place - places[number]) / len(cue.text), 1.0)

    return "\n\n".join(cue.text for cue in spoken), time
