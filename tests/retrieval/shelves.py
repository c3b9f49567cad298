# SPDX-License-Identifier: GPL-3.0-or-later
"""Small libraries for the tests of answering: over a few lines with nothing on disk, and over a real index."""

from collections.abc import Collection, Mapping, Sequence

from episodes.model import Cue, Digest, Episode, Segment
from episodes.text.lexicon import FUNCTION_WORDS, words
from episodes.text.stemming import stems
from retrieval.answers.mentions import mentions
from retrieval.answers.shelf import Mention, Shelf
from retrieval.finding.find import find as read
from retrieval.finding.search import find
from retrieval.index.chunking import passages
from retrieval.index.embedding import Embedder
from retrieval.index.index import Index
from retrieval.index.script import said, script
from retrieval.model import Found, Moment, Question, Run


def shelf(
    cues: Mapping[str, Sequence[Cue]],
    episodes: Sequence[Episode] = (),
    segments: Mapping[str, Sequence[Segment]] | None = None,
    digests: Mapping[str, Digest] | None = None,
    sure: float = 0.95,
) -> Shelf:
    """A library of these episodes. It reads by words in common: sentences with none of a question's are no answer,
    and the best one is an answer with the probability ``sure`` when it has half of them."""
    known = {one.id: one for one in episodes} or {name: Episode(name, name.title()) for name in cues}

    def reading(question: Question, count: int, among: Collection[str] | None) -> Found:
        wanted = stems(question.text)
        ids = [question.episode_id] if question.episode_id is not None else list(among if among is not None else cues)
        runs = []
        for name in ids:
            lines = said(cues[name])
            for before, line in zip([None, *lines], lines, strict=False):
                share = len(wanted & stems(line.text)) / max(len(wanted), 1)
                late = question.heard_until is not None and line.end > question.heard_until
                if share and not late and not line.text.endswith("?"):
                    asks = before is not None and before.text.endswith("?")
                    runs.append(Run(name, line.start, line.end, line.text, line.speaker, share,
                                    before.text if asks and before else "", before.start if asks and before else None))
        runs.sort(key=lambda run: -run.share)
        return Found(tuple(runs[:count]), sure if runs and runs[0].share >= 0.5 else 0.01)

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

    return Shelf(
        known, cues.__getitem__, lambda name: (segments or {}).get(name, ()),
        lambda name: (digests or {}).get(name, Digest()), reading, finding, rare,
        lambda: {name: tuple({cue.speaker for cue in told}) for name, told in cues.items()}, mentioning,
    )  # fmt: skip


def indexed(cues: Mapping[str, Sequence[Cue]], index: Index, embed: Embedder) -> Shelf:
    """A library of these episodes over a real index, which they are put into, read by the real reader."""
    for name, told in cues.items():
        if name not in index.episodes:
            found = passages(name, told)
            index.add(name, found, embed.encode([one.text for one in found]), name, script(told, embed))

    def rare(word: str) -> int:
        with index.view() as view:
            return view.frequency(word)

    def speakers() -> Mapping[str, Sequence[str]]:
        with index.view() as view:
            return view.speakers()

    def mentioning(text: str) -> Mapping[str, Mention]:
        with index.view() as view:
            return mentions(view, text)

    return Shelf(
        {name: Episode(name, name.title()) for name in cues}, cues.__getitem__, lambda name: (), lambda name: Digest(),
        lambda question, count, among: read(question, index, embed, count, among),
        lambda question, count: find(question, index, embed, count), rare, speakers, mentioning,
    )  # fmt: skip
