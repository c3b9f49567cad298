# SPDX-License-Identifier: GPL-3.0-or-later
"""Companion: the one place where hearing, the library, search and speaking meet."""

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from episodes.ingest import pipeline, worker
from episodes.ingest.status import Work, outlook
from episodes.model import Cue, Episode
from episodes.sources.fetcher import Fetcher
from episodes.store.jobs import JobState, Queue
from episodes.text.keywords import rare_words
from episodes.text.lexicon import content_words
from episodes.topics.llm_summary import Writer
from retrieval.answers import respond
from retrieval.answers.corpus import Corpus, Mention
from retrieval.answers.mentions import mentions
from retrieval.commands.said_often import SAID_OFTEN
from retrieval.finding.sections.answerability import cache_latest, where_answered
from retrieval.finding.sections.find_sections import find_sections
from retrieval.finding.sections.relevance_curve import Relevance, relevance_curve
from retrieval.finding.sentences.find_sentences import find_sentences
from retrieval.index.embedding import Matrix
from retrieval.index.index import Index
from retrieval.model import Answer, Moment, Question, SearchResult, Sentence
from ui import demo_episode
from ui.embedding_progress import ProgressEncoder
from ui.engines import ROLES, EngineLine, Engines
from ui.indexes import Indexes
from ui.metrics import Stages
from ui.model_catalogue import speakers_folder
from ui.settings import Settings, model_of, net_of
from ui.storage import Storage
from ui.worker_supervisor import Workers
from voice.audio import HEARING_RATE, Audio, join
from voice.diarization import Speakers, models_folder
from voice.errors import EarmarkError, LibraryError, NoSpace, from_os_error
from voice.model import Bias, Heard, Wanted, always_wanted
from voice.processors import share_one_heap
from voice.recognition.choice import Hearing
from voice.synthesis.piper import Speaking

log = logging.getLogger("earmark")


_WARM_QUESTION = "What do they say about the way in which it all began?"

_NAMES, _WORDS = 12, 24  # that the recogniser leans towards: its prompt is short

BIAS_EPISODES = 20
"""So many of the newest episodes give the recogniser its words when a question is put to the whole library."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far the start is: ``doing`` says what is going on, ``progress`` in 0..1 how much of all of it is done.

    ``problem`` is set when the start failed; it names the next step.
    """

    ready: bool
    doing: str
    progress: float
    engines: tuple[EngineLine, ...] = ()
    problem: str = ""


class _Stopped(BaseException):
    """The start was given up because the companion closes; what was under way goes on at the next start."""


class Companion:
    """Answers questions about the episodes of one library. Safe to use from several threads.

    ``engines`` load on first use, once; ``start`` loads them all in the background and adds the demo episode to a new
    library, so that a page can be shown meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        share_one_heap()
        self.settings = settings
        self._told = ProgressEncoder(self.encode)
        self._encode_passages = cache_latest(self._told.encode)
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, f"make the data folder {settings.data_dir}") from error
        self.storage = Storage(settings)
        self.library = self.storage.library
        self.engines = Engines(settings)
        self.stages = Stages()
        self.indexes = Indexes(self.storage, self.engines, self._encode_passages)
        self._status = Status(False, "Starting", 0.0)
        self._saying = threading.Lock()
        self._bias: tuple[dict[str, int], Bias] = ({}, Bias())
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="earmark-start")
        self._beside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="earmark-beside")
        self._started: Future[None] | None = None
        self._stopping = threading.Event()
        self._loaded = threading.Event()
        self._demo_in = threading.Event()
        self._demo_said = (0.4, "Adding the demo episode")
        self._workers = Workers(settings, self.library)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Unit vectors (n, 384) of the texts; the model loads on first use. Raises EngineError when it cannot."""
        return self.engines.finding.encode(texts)

    @property
    def index(self) -> Index:
        """The index in which questions are looked for."""
        return self.indexes.index

    # -- starting ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to load everything in the background; ``status`` tells how far it is."""
        if self._started is None:
            self._started = self._starter.submit(self._start)

    def wait(self) -> None:
        """Block until the start is over. Raises what made it fail."""
        if self._started is not None:
            self._started.result()

    def close(self) -> None:
        """Stop what is under way at the next step and close the library."""
        self._stopping.set()
        for threads in (self._starter, self._beside):
            threads.shutdown(wait=True, cancel_futures=True)
        self._workers.close()
        self.indexes.close()
        self.library.close()

    def status(self) -> Status:
        """How far the start is, and which engines are in use."""
        return self._status

    def _say(self, doing: str, progress: float) -> None:
        if self._stopping.is_set():
            raise _Stopped
        with self._saying:
            if not self._status.ready:
                self._status = replace(self._status, doing=doing, progress=progress)

    def show_engine(self, role: str) -> None:
        """Let the status say what does this job now."""
        shown = self.engines.line(role)
        with self._saying:
            others = [line for line in self._status.engines if line.role != role]
            lines = sorted([*others, shown], key=lambda line: ROLES.index(line.role))
            self._status = replace(self._status, engines=tuple(lines))

    def _add_demo(self) -> None:
        """Take in the demo; the start waits until it can be asked, not for its sound."""
        try:
            self.add_demo(self._say_of_demo)
        except EarmarkError as error:
            log.error("%s", error)
            raise
        finally:
            self._demo_in.set()

    def _say_of_demo(self, part: float, doing: str) -> None:
        """Note how far the demo is, and say it once nothing else is left to wait for."""
        if self.library.overview().ready:
            self._demo_in.set()
        self._demo_said = (0.4 + 0.6 * part, doing)
        if self._loaded.is_set():
            self._say(doing, 0.4 + 0.6 * part)
        elif self._stopping.is_set():
            raise _Stopped

    def _start(self) -> None:
        try:
            self._say("Loading the voice, the recogniser and what finds moments", 0.05)
            engines = [self._beside.submit(self.show_engine, role) for role in ("speaking", "hearing", "finding")]
            self.mend_index(lambda part, doing: self._say(doing, 0.1 + 0.3 * part))
            adding = self._beside.submit(self._add_demo) if self.settings.demo else None
            for engine in engines:
                engine.result()
            if self.settings.llm_url:
                self.show_engine("telling")
            self._loaded.set()
            if adding is not None:
                part, doing = self._demo_said
                self._say(doing, part)
                self._demo_in.wait()
                if adding.done():
                    adding.result()
            with self._saying:
                self._status = replace(self._status, ready=True, doing="Ready", progress=1.0)
            self._workers.start()
            threading.Thread(target=self._improve, daemon=True, name="earmark-models").start()
        except Exception as error:
            problem = str(error) if isinstance(error, EarmarkError) else f"The start failed: {error!r}."
            self._status = replace(self._status, doing="Not started", problem=problem)
            log.error("%s", problem, exc_info=not isinstance(error, EarmarkError))
            raise

    def _improve(self) -> None:
        """Fetch the models that the settings name, and use them."""
        try:
            self.engines.fetch_wanted(*ROLES, said=self.show_engine)
            self.indexes.switch(lambda: self.show_engine("finding"), self._stopping)
        except EarmarkError as error:
            log.warning("%s", error)

    # -- the library -------------------------------------------------------------------------------------------

    @property
    def tools(self) -> pipeline.Tools:
        """What taking in an episode needs from the other rooms."""
        fetch = Fetcher(net_of(self.settings))
        return pipeline.Tools(
            hearing=self._hearing_of_recordings, embed=self.encode, index=self.indexes.add, fetch=fetch,
            ask=self._answered, writer=self._writer, speakers=self._speakers, telling=self._told.to,
        )  # fmt: skip

    def add(self, path: Path, on_step: pipeline.OnStep = lambda episode, step: None) -> Episode:
        """Take in a file; see ``episodes.ingest.worker.add``."""
        return worker.add(self.library, path, self.tools, on_step)

    def work(self) -> list[Work]:
        """What is being taken in, in the order in which it is done; of a long queue its beginning."""
        return outlook(self.library, self.library.database.now())

    def queued(self) -> dict[JobState, int]:
        """How many jobs there are in each state."""
        return Queue(self.library.database).counts()

    def cancel(self, ref: str) -> None:
        """Stop taking in an episode; what is finished is kept. Raises LibraryError when there is no work on it."""
        worker.cancel(self.library, self.library.episode(ref))

    def retry(self, ref: str) -> None:
        """Go on with an episode that failed or was cancelled. Raises LibraryError when it is ready."""
        worker.retry(self.library, self.library.episode(ref))

    def first(self, ref: str) -> None:
        """Take an episode in before all others, since somebody looks at it."""
        Queue(self.library.database).hurry(self.library.episode(ref).id)

    def remove(self, episode_id: str) -> None:
        """Forget an episode, its audio and its passages."""
        try:
            self.indexes.remove(episode_id)
        except NoSpace:  # it is removed to make room, and its audio is what makes some
            self.library.clear_files(episode_id)
            self.indexes.remove(episode_id)
        self.library.remove(episode_id)

    def add_demo(self, on_progress: Callable[[float, str], None] = lambda part, doing: None) -> Episode | None:
        """Take in the demo episode, once in the life of a library; see ``demo_episode.add_demo``."""
        prepared = not self.settings.llm_url  # a language model that writes digests makes its own
        return demo_episode.add_demo(self.library, self.indexes, self.tools, prepared, on_progress)

    def mend_index(self, on_progress: Callable[[float, str], None] = lambda part, doing: None) -> None:
        """Index again what the library holds and the index does not; see ``Indexes.mend``."""
        self.indexes.mend(on_progress)

    def _speakers(self) -> Speakers | None:
        """What tells speakers apart, when its models are there. Raises HearingError when it cannot start."""
        folder = models_folder(self.settings.speakers, speakers_folder(self.settings))
        return Speakers(folder, self.settings.threads) if folder else None

    def _writer(self) -> Writer | None:
        """The language model that writes digests, when one is set."""
        model = model_of(self.settings)
        return Writer(model.model, model.write, model.room) if model else None

    def _hearing_of_recordings(self) -> Hearing:
        """The recogniser for hours of work: worth waiting for the one that the settings name."""
        self.engines.fetch_wanted("hearing")
        return self.engines.hearing

    def _answered(self, cues: Sequence[Cue], questions: Sequence[str]) -> list[float | None]:
        return where_answered(cues, questions, self.engines.finding, self._encode_passages)

    # -- listening ---------------------------------------------------------------------------------------------

    def hear(self, audio: Audio, episode_id: str | None = None, wanted: Wanted = always_wanted) -> Heard:
        """Turn a spoken question into text, leaning towards the words of the episode (or of the whole library).

        ``wanted``: see ``Hearing.hear``.
        """
        with self.stages.timed("hearing"):
            return self.engines.hearing.hear(audio, self.bias(episode_id), wanted=wanted)

    def warm(self, episode_id: str | None) -> None:
        """Load every engine, and go the way of a question once, so that the first turn is as quick as any other: what
        the voice says is heard, searched for, and answered aloud (to nobody)."""
        self.engines.fetch_wanted("hearing", "speaking")
        self.mend_index()
        said = [piece.at_rate(HEARING_RATE) for piece in self.speak(_WARM_QUESTION)]
        self.hear(join(said), episode_id)
        if self.library.count():
            for _ in self.speak(self.ask(Question(_WARM_QUESTION, episode_id)).text):
                pass

    def bias(self, episode_id: str | None) -> Bias:
        """What is likely to be said to this episode (None: the library): names, its rare words, commands."""
        wanted = self.library.changes([episode_id]) if episode_id is not None else {}
        wanted = wanted or self.library.changes(self.library.ids(BIAS_EPISODES))
        known, bias = self._bias
        if wanted and known == wanted:  # reading an episode takes longer than most questions need
            return bias
        focus = self.library.listed(wanted)
        cues = [cue for episode in focus for cue in self.library.cues(episode.id)]
        people = Counter(cue.speaker for cue in cues if re.fullmatch(r"\D+", cue.speaker))
        people.update(guest for episode in focus for guest in episode.guests)
        titles = " ".join(part for episode in focus for part in (episode.title, episode.show))
        words = dict.fromkeys((*content_words(titles), *rare_words(cue.text for cue in cues)))
        bias = Bias(
            tuple(name for name, _ in people.most_common(_NAMES)), tuple(words)[:_WORDS], SAID_OFTEN,
            focus[0].language if len(focus) == 1 else "",
        )  # fmt: skip
        self._bias = (wanted, bias)
        return bias

    def episode_id(self, ref: str) -> str:
        """The id of an episode named by its id, the beginning of it, or its title. Raises UnknownEpisode."""
        return self.library.resolve(ref)

    def ask(self, question: Question, within: Collection[str] | None = None) -> Answer:
        """Find the moments that answer and compose the answer; ``within`` limits it to the episodes with these ids.

        When the episode that was asked does not cover it, the library is searched for one that does. A command is not
        carried out here: the answer holds it for whoever plays.
        Raises UnknownEpisode for an episode that is not there, LibraryError when there is none at all.
        """
        *_, made = self.telling(question, within)
        if not isinstance(made, Answer):
            raise TypeError("an answer ends with the whole of it")
        return made

    def telling(self, question: Question, within: Collection[str] | None = None) -> Iterator[Sentence | Answer]:
        """The sentences of the answer as they are made, then the whole answer; see ``ask``."""
        corpus = self._corpus(within)
        if not self.library.ids(1, within=within):
            raise LibraryError("The library is empty.", "Run 'earmark add FILE', or 'earmark serve' for the demo.")
        if question.episode_id is not None:
            wanted = self.library.episode(question.episode_id)
            if not wanted.ready:
                raise LibraryError(f"“{wanted.title}” cannot be asked yet: {wanted.status}.",
                                   "'earmark jobs' says how long it takes.")  # fmt: skip
        with self.stages.timed("answering"):
            made = respond.answer(question, corpus, within)
        model = model_of(self.settings)
        if model is not None and made.covered and made.command is None and made.moments:
            yield from self.stages.first("telling", respond.retold(question, made, corpus, model))
            return
        yield from made.sentences
        yield made

    def _corpus(self, within: Collection[str] | None) -> Corpus:
        """The library as answering sees it; a transcript is read once for an answer."""

        used = self.indexes.current

        def reading(question: Question, count: int, among: Collection[str] | None) -> SearchResult:
            with self.stages.timed("finding"):
                return find_sentences(question, used.index, used.embed, count, within if among is None else among,
                            second=self.engines.reading)

        def searching(question: Question, count: int) -> list[Moment]:
            return find_sections(question, used.index, used.embed, count, within)

        def rare(word: str) -> int:
            with used.index.snapshot() as snapshot:
                return snapshot.frequency(word)

        def mentioning(text: str) -> dict[str, Mention]:
            with used.index.snapshot() as snapshot:
                return mentions(snapshot, text, within)

        return Corpus(self.library, cache(self.library.cues), self.library.segments, self.library.digest, reading,
                     searching, rare, mentioning)  # fmt: skip

    def search(self, text: str, count: int) -> list[Moment]:
        """Where in the library something is said, best first."""
        used = self.indexes.current
        return find_sections(Question(text), used.index, used.embed, count) if self.library.count() else []

    def relevance_curve(self, question: Question) -> list[Relevance]:
        """How warm each part of the episode that is asked about is, for what an answer is looked for by; see
        ``retrieval.finding.sections.relevance_curve``."""
        used = self.indexes.current
        return relevance_curve(respond.standalone_question(question, self._corpus(None)), used.index, used.embed)

    def speak(self, text: str, voice: Speaking | None = None) -> Iterator[Audio]:
        """The text as sound, piece by piece, in this voice, else in that of its language where one is here."""
        return self.stages.first("speaking", (voice or self.engines.voice_for(text)).speak(text))
