# SPDX-License-Identifier: GPL-3.0-or-later
"""Small libraries for the tests of answering: over a few lines with nothing on disk, and over a real index."""

from collections.abc import Collection, Mapping, Sequence

from episodes.model import Cue, Digest, Episode, Overview, Segment, Show
from episodes.store.catalogue import Order
from episodes.text.lexicon import FUNCTION_WORDS, words
from episodes.text.stemming import stems
from retrieval.answers.corpus import Corpus, Mention
from retrieval.answers.mentions import mentions
from retrieval.finding.sections.find_sections import find_sections
from retrieval.finding.sentences.find_sentences import find_sentences
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.index.token_store import build_token_store, quotable_sentences
from retrieval.model import Moment, Question, SearchResult, SentenceRun


class Listed:
    """Episodes in memory, the newest first, and who speaks in them."""

    def __init__(self, episodes: Mapping[str, Episode], cues: Mapping[str, Sequence[Cue]]) -> None:
        self._episodes, self._cues = episodes, cues

    def by_id(self, episode_id: str) -> Episode | None:
        return self._episodes.get(episode_id)

    def some(self, ids: Collection[str]) -> Mapping[str, Episode]:
        return {name: self._episodes[name] for name in ids if name in self._episodes}

    def overview(self, within: Collection[str] | None) -> Overview:
        there = self._within(within)
        shows = {one.show for one in there if one.show}
        return Overview(len(there), len(there), sum(one.seconds for one in there), len(shows))

    def first(self, order: Order, limit: int, within: Collection[str] | None) -> list[Episode]:
        there = self._within(within)
        match order:
            case Order.LONGEST | Order.SHORTEST:
                there = sorted(there, key=lambda one: one.seconds, reverse=order is Order.LONGEST)
            case Order.NEWEST | Order.OLDEST:
                there = sorted((one for one in there if one.published), key=lambda one: one.published,
                               reverse=order is Order.NEWEST)  # fmt: skip
            case Order.FIRST:
                there.reverse()
        return there[:limit]

    def shows(self) -> list[Show]:
        return [Show(name) for name in sorted({one.show for one in self._episodes.values()})]

    def newest(self, shows: Collection[str] | None = None) -> Episode | None:
        there = [one for one in self._episodes.values() if one.audio and one.ready and (not shows or one.show in shows)]
        return max(there, key=lambda one: one.published, default=None)

    def languages(self) -> Sequence[str]:
        return [one.language for one in self._episodes.values()]

    def speakers_like(self, name: str) -> Sequence[str]:
        return sorted({cue.speaker for told in self._cues.values() for cue in told if cue.speaker})

    def where_speaks(self, name: str, limit: int) -> list[str]:
        return [one for one, told in self._cues.items() if any(cue.speaker == name for cue in told)][:limit]

    def _within(self, within: Collection[str] | None) -> list[Episode]:
        return [one for one in self._episodes.values() if within is None or one.id in within]


def corpus(
    cues: Mapping[str, Sequence[Cue]],
    episodes: Sequence[Episode] = (),
    segments: Mapping[str, Sequence[Segment]] | None = None,
    digests: Mapping[str, Digest] | None = None,
    sure: float = 0.95,
) -> Corpus:
    """A library of these episodes. It reads by words in common: sentences with none of a question's are no answer,
    and the best one is an answer with the probability ``sure`` when it has half of them."""
    known = {one.id: one for one in episodes} or {name: Episode(name, name.title()) for name in cues}

    def reading(question: Question, count: int, among: Collection[str] | None) -> SearchResult:
        wanted = stems(question.text)
        ids = [question.episode_id] if question.episode_id is not None else list(among if among is not None else cues)
        runs = []
        for name in ids:
            lines = quotable_sentences(cues[name])
            for before, line in zip([None, *lines], lines, strict=False):
                share = len(wanted & stems(line.text)) / max(len(wanted), 1)
                late = question.heard_until is not None and line.end > question.heard_until
                if share and not late and not line.text.endswith("?"):
                    asks = before is not None and before.text.endswith("?")
                    runs.append(SentenceRun(name, line.start, line.end, line.text, line.speaker, share,
                                    before.text if asks and before else "", before.start if asks and before else None))
        runs.sort(key=lambda run: -run.share)
        return SearchResult(tuple(runs[:count]), sure if runs and runs[0].share >= 0.5 else 0.01)

    def finding(question: Question, count: int) -> list[Moment]:
        found = reading(question, count, None)
        return [Moment(run.episode_id, run.start, run.end, run.text, run.speaker, found.answered) for run in found.runs]

    def rare(word: str) -> int:
        return sum(word in words(cue.text) for told in cues.values() for cue in told)

    def mentioning(text: str) -> dict[str, Mention]:
        telling = [word for word in words(text) if word not in FUNCTION_WORDS]
        places = {
            name: [cue.start for cue in told if telling and all(word in words(cue.text) for word in telling)]
            for name, told in cues.items()
        }
        return {name: Mention(len(starts), starts[0]) for name, starts in places.items() if starts}

    return Corpus(
        Listed(known, cues), cues.__getitem__, lambda name: (segments or {}).get(name, ()),
        lambda name: (digests or {}).get(name, Digest()), reading, finding, rare, mentioning,
    )  # fmt: skip


def indexed(cues: Mapping[str, Sequence[Cue]], index: SqliteIndex, embed: Embedder) -> Corpus:
    """A library of these episodes over a real index, which they are put into, read by the real reader."""
    for name, told in cues.items():
        if name not in index.episodes:
            found = passages(name, told)
            index.add(name, found, embed.encode([one.text for one in found]), name, build_token_store(told, embed))

    def rare(word: str) -> int:
        with index.snapshot() as snapshot:
            return snapshot.frequency(word)

    def mentioning(text: str) -> Mapping[str, Mention]:
        with index.snapshot() as snapshot:
            return mentions(snapshot, text)

    return Corpus(
        Listed({name: Episode(name, name.title()) for name in cues}, cues), cues.__getitem__, lambda name: (),
        lambda name: Digest(),
        lambda question, count, among: find_sentences(question, index, embed, count, among),
        lambda question, count: find_sections(question, index, embed, count), rare, mentioning,
    )  # fmt: skip
