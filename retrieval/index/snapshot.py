# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot: one consistent look at the index, and how a question's words are looked up in it, whatever the engine."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from itertools import zip_longest

from episodes.text.stemming import stem
from retrieval.index.embedding import Matrix
from retrieval.index.episode_passages import WORD, EpisodePassages, RowNumbers
from retrieval.index.fts_stemmer import FtsStemmer
from retrieval.index.token_store import TokenStore

COMMON = 0.005
"""Share of the units from which on a word is common: searched inside episodes only."""
RARE = 1000
"""Units that a word may stand in without being common, however small the library is."""

_FUZZY = 6  # letters of a stem from which on it may be taken for a similar one
_ALIKE = 0.8  # how similar, 0..1


def least_common(units: int) -> float:
    """Units that a word has to stand in more often to be common, in a library of so many."""
    return max(RARE, COMMON * units)


def language_stems(text: str, language: str) -> str:
    """The words of a text that is not in English, as the index files them."""
    return " ".join(language_stem(word, language) for word in WORD.findall(text.lower()))


def language_stem(word: str, language: str) -> str:
    """A word of another language than English, as the index files it."""
    return f"{language}_{stem(word, language)}"


class Snapshot(ABC):
    """One consistent look at the index, as of one moment. Made by ``Index.snapshot``; used by one thread."""

    def __init__(self, stemmer: FtsStemmer) -> None:
        self._stemmer = stemmer
        self._frequencies: dict[str, int] = {}

    @property
    @abstractmethod
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes."""

    @property
    @abstractmethod
    def unit_count(self) -> int:
        """How many units all episodes have together."""

    @property
    @abstractmethod
    def passage_count(self) -> int:
        """How many units and windows all episodes have together."""

    @abstractmethod
    def episode_passages(self, episode_id: str) -> EpisodePassages | None:
        """The passages of one episode as arrays; None when it is not in the index."""

    @abstractmethod
    def token_store(self, episode_id: str) -> TokenStore | None:
        """The sentences of an episode with the vectors of their tokens; None when it has none."""

    @abstractmethod
    def vectors(self, episode: EpisodePassages) -> tuple[Matrix, Matrix]:
        """Unit rows of an episode's units, and of its windows; not to be written to."""

    @abstractmethod
    def cosines(self, episodes: Sequence[EpisodePassages], vector: Matrix) -> list[tuple[Matrix, Matrix]]:
        """The cosines of the units and of the windows of each episode with ``vector`` (width,)."""

    @abstractmethod
    def dense(
        self, vector: Matrix, count: int, within: Collection[str] | None = None
    ) -> list[tuple[str, RowNumbers, Matrix]]:
        """The ``count`` passages of the library (of the episodes ``within``) that lie nearest to ``vector`` (width,).

        They come grouped by episode: id, numbers of passages inside the episode (units first, then windows), cosines.
        """

    @abstractmethod
    def lexical(self, word: str) -> list[tuple[str, RowNumbers]]:
        """The units of the library that hold a word in any of its forms, grouped by episode: id and numbers in it."""

    @abstractmethod
    def units_with(self, word: str, episode: EpisodePassages) -> RowNumbers:
        """The units of an episode, numbered inside it, that hold a word in any of its forms."""

    @abstractmethod
    def units_with_each(
        self, words: Sequence[str], episodes: Sequence[EpisodePassages]
    ) -> Mapping[tuple[str, str], RowNumbers]:
        """The units of each episode that hold each word, by word and id."""

    @abstractmethod
    def texts(self, episode: EpisodePassages, first: int, last: int) -> list[str]:
        """The texts of the units ``first`` to ``last`` (exclusive) of an episode."""

    @abstractmethod
    def is_common(self, word: str) -> bool:
        """True for a word that stands in so many units that looking it up in the whole library takes long."""

    @abstractmethod
    def _counted(self, word: str) -> int:
        """In how many units of the library a word stands, in any of its forms, as the engine counts it."""

    @abstractmethod
    def _beginning(self, begin: str, shortest: int, longest: int) -> list[str]:
        """The stems of the library that begin so, of ``shortest`` to ``longest`` letters."""

    def words(self, text: str) -> list[str]:
        """The different words of a text that can be looked up, in order, one for each stem.

        A word that stands nowhere in the library, often one that was misheard or is written in another way there,
        gives its place to what the library has instead: "homeo stasis" homeostasis, "softfork" soft and fork,
        "optimise" optimize, "symulation" simulation.
        """
        said = WORD.findall(text.lower())
        found: dict[str, str] = {}
        skip = False
        for word, following in zip_longest(said, said[1:], fillvalue=""):
            if skip:
                skip = False
                continue
            known = self.frequency(word) > 0
            strange = bool(following) and not (known and self.frequency(following))
            skip = strange and self.frequency(word + following) > 0
            forms = (word + following,) if skip else (word,) if known else self._instead(word)
            for form in forms:
                found.setdefault(self._stem(form), form)
        return list(found.values())

    def _instead(self, word: str) -> tuple[str, ...]:
        for other in {word.replace("is", "iz"), word.replace("our", "or")} - {word}:
            if self.frequency(other):
                return (other,)
        for cut in range(3, len(word) - 2):
            if self.frequency(word[:cut]) and self.frequency(word[cut:]):
                return word[:cut], word[cut:]
        stem = self._stem(word)
        if len(stem) < _FUZZY:
            return (word,)
        near = self._beginning(stem[:2], len(stem) - 2, len(stem) + 2)
        return tuple(get_close_matches(stem, near, 1, _ALIKE)) or (word,)

    def frequency(self, word: str) -> int:
        """In how many units of the library a word stands, in any of its forms."""
        if word not in self._frequencies:
            self._frequencies[word] = self._counted(word)
        return self._frequencies[word]

    def in_title(self, word: str, layout: EpisodePassages) -> bool:
        """True when a word, in any of its forms, stands in the title of an episode."""
        return self._stem(word, layout.language) in layout.title

    def _stem(self, word: str, language: str = "") -> str:
        """The form under which the index files a word."""
        return language_stem(word, language) if language else self._stemmer.stem(word)
