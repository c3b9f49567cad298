# SPDX-License-Identifier: GPL-3.0-or-later
"""The indexes of a library: that of the packaged embedding model, and that of the one which the settings name.

Each model has an index of its own, so that going from one to the other loses nothing. Until the library is embedded
with the named model, which is done in the background, the packaged one finds.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from episodes import demo
from episodes.model import Cue, Episode
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder, Encode
from retrieval.index.index import Index
from retrieval.index.prepared_episode import PreparedEpisode, fingerprint
from retrieval.index.token_store import build_token_store
from ui.engines import Engines
from ui.storage import Storage, index_name

log = logging.getLogger("earmark")



@dataclass(frozen=True, slots=True)
class EmbeddedIndex:
    """An index and what made its vectors, which has to embed the questions too."""

    index: Index
    embed: Embedder


def index_title(episode: Episode) -> str:
    """What an episode is known by, in an index."""
    return " ".join((episode.title, episode.show, *episode.guests))


class Indexes:
    """All that is indexed of a library. Safe to use from several threads.

    ``encode`` embeds passages with the packaged model, and remembers the last ones.
    """

    def __init__(self, storage: Storage, engines: Engines, encode: Encode) -> None:
        self._storage, self._engines, self._encode = storage, engines, encode
        self._library = storage.library
        self.packaged = storage.index()
        self._named: EmbeddedIndex | None = None
        self._switched = False

    @property
    def index(self) -> Index:
        """The index in which questions are looked for."""
        return self._named.index if self._named is not None and self._switched else self.packaged

    @property
    def current(self) -> EmbeddedIndex:
        """What questions are looked for with. Raises EngineError when it cannot start."""
        named = self._named
        return named if named is not None and self._switched else EmbeddedIndex(self.packaged, self._engines.finding)

    def close(self) -> None:
        """Close what is open."""
        self.packaged.close()
        if self._named is not None:
            self._named.index.close()

    def add(self, episode: Episode, cues: tuple[Cue, ...]) -> None:
        """Make an episode searchable, replacing what was there; also for the model that is about to be used.

        One that was removed from the library meanwhile is taken out again: who removed it has been here before.
        """
        self._begin()
        for each in self._written():
            self._put(each, episode, cues)
        if self._library.by_id(episode.id) is None:
            self.remove(episode.id)

    def prepared(self, episode_id: str, cues: Sequence[Cue], embed: Embedder | None = None) -> PreparedEpisode:
        """What an index holds of an episode, computed; without ``embed``, with the packaged model."""
        embed = embed or self._engines.finding
        texts = [passage.text for passage in passages(episode_id, cues)]
        encode = self._encode if embed is self._engines.finding else embed.encode
        return PreparedEpisode(fingerprint(texts, cues, embed.name), encode(texts), build_token_store(cues, embed))

    def remove(self, episode_id: str) -> None:
        """Forget an episode."""
        self.packaged.remove(episode_id)
        if self._named is not None:
            self._named.index.remove(episode_id)

    def mend(self, on_progress: Callable[[float, str], None] = lambda part, doing: None) -> None:
        """Index again what the library holds and the index that is used does not: it was lost, or made by another
        version.

        What it holds and the library does not, because it was removed while it was taken in, is taken out.
        ``on_progress`` hears a fraction in 0..1 and what is being done.
        """
        self._begin()
        for broken in self.index.damaged():
            log.warning("The vectors of %s are damaged; it is indexed again.", broken)
            self.index.remove(broken)
            self.index.synced_version = None
        version = self._library.version()  # asked first: what changes while we look is looked at the next time
        missing = self._missing(self.index)
        for number, episode in enumerate(missing):
            on_progress(number / len(missing), f"Indexing again: {episode.title}")
            self._put(self.current, episode, self._library.cues(episode.id))
        self.index.synced_version = version

    def switch(self, said: Callable[[], None], stopping: Event) -> None:
        """Embed the library with the model that the settings name, unless that is done, and use it from then on.

        ``said`` is called when the line of what finds has changed. What is done when ``stopping`` is set is kept.
        """
        self._begin()
        named = self._named
        while named is not None and not self._switched and not stopping.is_set():
            missing = self._missing(named.index)
            if not missing:
                self._use(named)
                said()
                return
            episode, whole = missing[0], self._library.overview().ready
            self._engines.tell("finding", f"{named.embed.name} embeds the library: {whole - len(missing)} of {whole} "
                                          "episodes; it finds when all are done.")  # fmt: skip
            said()
            self._put(named, episode, self._library.cues(episode.id))

    def _put(self, where: EmbeddedIndex, episode: Episode, cues: tuple[Cue, ...]) -> None:
        found = passages(episode.id, cues)
        made = PreparedEpisode.load(demo.INDEX) if episode.source == str(demo.AUDIO) else None
        if made is None or made.fingerprint != fingerprint([one.text for one in found], cues, where.embed.name):
            made = self.prepared(episode.id, cues, where.embed)
        where.index.add(episode.id, found, made.vectors, index_title(episode), made.tokens, episode.language)

    def _written(self) -> list[EmbeddedIndex]:
        """Where an episode that comes in is put."""
        if self._named is None:
            return [EmbeddedIndex(self.packaged, self._engines.finding)]
        return [self._named] if self._switched else [EmbeddedIndex(self.packaged, self._engines.finding), self._named]

    def _begin(self) -> None:
        """Open the index of the named model once that is here, and use it when it knows as much as the packaged one."""
        if self._named is not None:
            return
        embed = self._engines.named_finding
        if embed is None:
            return
        index = self._storage.index(embed.name, embed.dimension, index_name(embed.name))
        self._named = EmbeddedIndex(index, embed)
        known, ready = set(index.episodes), self._library.ready
        if all(name in known for name in self.packaged.episodes if ready(name)):
            self._use(self._named)

    def _use(self, named: EmbeddedIndex) -> None:
        self._switched = True
        self._engines.found_by = named.embed.name
        self._engines.tell("finding", "")

    def _missing(self, index: Index) -> list[Episode]:
        """The episodes that an index lacks, of those that changed since it was compared with the library; those that it
        should not have are taken out of it."""
        mended = index.synced_version
        if mended is not None and mended <= self._library.version():
            changed, removed = self._library.changed_since(mended)
            known = {name for name in (*changed, *removed) if index.holds(name)}
            every = self._library.listed(changed)
            gone = [name for name in removed if name in known and self._library.by_id(name) is None]
        else:  # it is new, or the library is a copy of an older one
            known = set(index.episodes)  # asked first: an episode is in the library before it is in the index
            ready = self._library.all_ready()
            every = self._library.listed(ready - known)
            gone = [name for name in known - ready if self._library.by_id(name) is None]
        for name in gone:
            index.remove(name)
        return [episode for episode in every if episode.ready and episode.id not in known]
