# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a turn beside the loop that listens: it is decoded, understood, and its answer is made to sound.

Work begins when a turn may be over, before it is: whatever it makes is thrown away when its speaker goes on.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

from retrieval.commands import by_sound
from retrieval.commands.by_sound import SAME, SoundsLike, sounds_like, unlike
from retrieval.commands.completeness import asks
from retrieval.commands.matching import normalized
from retrieval.commands.parser import parse
from retrieval.model import Answer, Command, Moment, Question, Sentence
from ui.home.conversations import AskedFrom
from ui.home.loudspeakers.house import House
from ui.home.loudspeakers.rooms import takes_back
from ui.listen.turn import Answered, Decoded, Finished, Meaning, Sounding, Update
from voice.audio import Audio
from voice.devices.echo_cancellation import is_echo
from voice.errors import EarmarkError
from voice.model import Heard, Wanted, always_wanted
from voice.synthesis.phonemes import phonemes
from voice.turns.commands import CommandName

log = logging.getLogger("earmark.listen")

_KEPT = 20  # answers of a conversation that are given again
_ALIKE = 92.0  # percent of letters in their place (Indel) from which on two questions are the same, heard twice

LEAST_CONFIDENCE = 0.35
"""Confidence of the recogniser below which it is asked back what was meant, and not answered."""


class ListeningEngine(Protocol):
    """What hears, answers and speaks: ``ui.companion.Companion``."""

    def hear(self, audio: Audio, episode_id: str | None = None, wanted: Wanted = always_wanted) -> Heard:
        """See ``Companion.hear``."""
        ...

    def ask(self, question: Question) -> Answer:
        """See ``Companion.ask``."""
        ...

    def speak(self, text: str) -> Iterator[Audio]:
        """See ``Companion.speak``."""
        ...


class TurnProcessor:
    """Works on turns in threads of its own and tells ``post`` of each step.

    ``topic`` is what the part around a moment is called ("" when nobody named it). ``house`` carries out commands that
    name another room. ``is_about``: see ``meaning``.
    """

    def __init__(
        self, engine: ListeningEngine, post: Callable[[Update], None],
        topic: Callable[[Moment], str] = lambda moment: "",
        house: House | None = None, is_about: Callable[[str], bool] = lambda topic: True,
    ) -> None:
        self._engine, self._post, self._topic, self._house = engine, post, topic, house
        self._is_about = is_about
        self._answers: deque[tuple[Question, Answer]] = deque(maxlen=_KEPT)
        self._wanted: set[int] = set()  # ids of the turns that somebody waits for
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="turn")

    def understand(
        self, id_: int, audio: Audio, played: Sequence[str], addressed: bool, question: Callable[[str], Question],
        episode_id: str | None,
    ) -> None:
        """Decode what was said, and answer it when it is a question (``question`` makes one of the text).

        ``played`` and ``addressed``: see ``meaning``.
        """

        def work() -> None:
            heard = self._engine.hear(audio, episode_id, lambda: id_ in self._wanted)
            if id_ not in self._wanted:
                return
            text, room = self._house.said(heard.text) if self._house is not None else (heard.text, "")
            if room and meaning(replace(heard, text=text), played, addressed, self._is_about)[0] is Meaning.COMMAND:
                self._elsewhere(id_, heard, question(text), room)
                return
            if self._house is not None and takes_back(text) and self._taken_back(id_, heard, self._house):
                return
            found, command = meaning(heard, played, addressed, self._is_about)
            self._post(Decoded(id_, time.monotonic(), heard, found, command))
            if id_ not in self._wanted:
                return
            if found is Meaning.QUESTION:
                answer = self._ask(question(heard.text))
                self._post(Answered(id_, time.monotonic(), answer))
                self._speak(id_, spoken_answer(answer, heard.confidence, self._topic))

        self._submit(id_, work)

    def _elsewhere(self, id_: int, heard: Heard, question: Question, room: str) -> None:
        """Carry out a command in another room, and say what came of it as an answer is said."""
        self._post(Decoded(id_, time.monotonic(), heard, Meaning.QUESTION))
        if self._house is None or id_ not in self._wanted:
            return
        answer = self._engine.ask(question)
        here = (question.episode_id, question.position) if question.episode_id and question.position else None
        told = self._house.carry(answer, AskedFrom(), room, here)
        if told is not None:
            answer = replace(answer, sentences=(Sentence(told),))
        self._post(Answered(id_, time.monotonic(), answer))
        self._speak(id_, answer.text or "I cannot do that there.")

    def _taken_back(self, id_: int, heard: Heard, house: House) -> bool:
        """Whether something played in another room, which is taken from there to be played here."""
        if id_ not in self._wanted or (moment := house.take_back()) is None:
            return False
        self._post(Decoded(id_, time.monotonic(), heard, Meaning.QUESTION))
        self._post(Answered(id_, time.monotonic(), Answer(heard.text, True, (), (moment,), Command(CommandName.PLAY))))
        return True

    def _ask(self, question: Question) -> Answer:
        """The answer; to what was asked before in nearly the same words, the one that was given."""
        for before, answer in reversed(self._answers):
            if is_asked_again(question, before):
                return answer
        answer = self._engine.ask(question)
        self._answers.append((question, answer))
        return answer

    def say(self, id_: int, text: str) -> None:
        """Say a text."""
        self._submit(id_, lambda: self._speak(id_, text))

    def look_for(self, id_: int, question: Question) -> None:
        """Find moments without saying anything."""
        self._submit(id_, lambda: self._post(Answered(id_, time.monotonic(), self._engine.ask(question))))

    def prepare(self, id_: int, prepare: Callable[[], None], text: str) -> None:
        """Do what has to be done before the first turn, after saying so."""

        def work() -> None:
            self._speak(id_, text)
            prepare()
            by_sound.prepare(phonemes)  # and with it what knows the commands

        self._submit(id_, work)

    def drop(self, id_: int) -> None:
        """Nobody waits for this turn any more: what is under way for it ends at the next step."""
        self._wanted.discard(id_)

    def close(self) -> None:
        """Wait for what is under way, and take no more."""
        self._wanted.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, id_: int, work: Callable[[], None]) -> None:
        self._wanted.add(id_)
        self._pool.submit(self._run, id_, work)

    def _run(self, id_: int, work: Callable[[], None]) -> None:
        problem = ""
        try:
            if id_ in self._wanted:
                work()
        except EarmarkError as error:
            problem = str(error)
        except Exception as error:  # a thread of a pool would keep it to itself, and the turn would be lost
            problem = f"Something went wrong: {error!r}."
            log.exception("turn failed")
        self._wanted.discard(id_)
        self._post(Finished(id_, time.monotonic(), problem))

    def _speak(self, id_: int, text: str) -> None:
        for sound in self._engine.speak(text):
            if id_ not in self._wanted:
                return
            self._post(Sounding(id_, time.monotonic(), text, sound))


def is_asked_again(question: Question, before: Question) -> bool:
    """Whether a question is one that was asked before, and means the same now: not one that leans on the place or on
    what was said between."""
    from rapidfuzz import fuzz

    text, other = normalized(question.text), normalized(before.text)
    if question.episode_id != before.episode_id or len(text.split()) < 3 or _LEANS.search(text):
        return False
    return fuzz.ratio(text, other) >= _ALIKE and _NUMBERS.findall(text) == _NUMBERS.findall(other)


_LEANS = re.compile(
    r"\b(?:this|that|these|those|it|he|she|they|him|her|them|just|now|so far|more|else|again|next|last|first|second"
    r"|other|missed?|left)\b"
)
_NUMBERS = re.compile(r"\d+|\bnot\b|\bno\b")


def meaning(
    heard: Heard, played: Sequence[str], addressed: bool, is_about: Callable[[str], bool] = lambda topic: True
) -> tuple[Meaning, Command | None]:
    """What was said means; with the command where it is one, for sure or perhaps.

    ``played``: the texts that an echo would be of. ``addressed``: the listener called before, so that whatever they say
    is said to the companion; without it, what is neither a question nor a command is said to somebody else, and so is
    "go to bed" where the episode that is played ``is_about`` no bed.
    """
    if not heard.text:
        return Meaning.NOTHING, None
    like = None
    command = parse(heard.text, exactly=True)
    if command is None:
        like = sounds_like(heard.text, phonemes)
        command = _command(heard, like)
        if (
            command is not None and command.name == CommandName.PLAY_ABOUT  # "go to …" with whatever follows
            and not addressed and not is_about(command.about)
        ):
            command = like = None
    if is_echo(heard, played, command is not None):
        return Meaning.ECHO, None
    if command is not None:
        return Meaning.COMMAND, command
    if asks(heard.text):
        return Meaning.QUESTION, None
    if like is not None:
        return Meaning.UNSURE, like.command
    return (Meaning.QUESTION if addressed else Meaning.ASIDE), None


def _command(heard: Heard, like: SoundsLike | None) -> Command | None:
    """The command that was said, though not word for word: as it sounds, as it may have been heard instead, or nearly
    so."""
    if like is not None and like.distance <= SAME:
        return like.command
    if (command := _read_otherwise(heard)) is not None:
        return command
    if like is not None and like.sure:
        return like.command
    return parse(heard.text) or _last_word(heard.text)


def _read_otherwise(heard: Heard) -> Command | None:
    """The command that is another reading of what was heard, and sounds most like it; a question is believed."""
    if asks(heard.text):
        return None
    read = ((unlike(heard.text, other, phonemes), parse(other, exactly=True)) for other in heard.others)
    found = [(far, command) for far, command in read
             if command is not None and far <= _READ_OTHERWISE and command.name not in _SAID_TO_ANYBODY]  # fmt: skip
    return min(found, key=lambda one: one[0])[1] if found else None


_READ_OTHERWISE = 0.34  # distance of sounds; what is farther is what the recogniser leans towards
_SAID_TO_ANYBODY = frozenset(("yes", "thanks"))
"""Commands that are only believed where they are the likeliest of what was heard."""


def _last_word(text: str) -> Command | None:
    """The command that takes back what was said before it in the same breath: "What is … no, stop."."""
    said = _SENTENCE_END.split(text.strip())
    command = parse(said[-1]) if len(said) > 1 else None
    return command if command is not None and command.name in _TAKES_BACK else None


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_TAKES_BACK = frozenset(("stop", "pause", "no", "play", "resume", "mute"))


def spoken_answer(answer: Answer, confidence: float, topic: Callable[[Moment], str] = lambda moment: "") -> str:
    """What is said: the answer, or what was meant is asked back when it was badly heard."""
    if confidence >= LEAST_CONFIDENCE or not answer.moments:
        return answer.text
    words = answer.moments[0].quote.split()
    about = topic(answer.moments[0]) or f"{' '.join(words[:8])} …"
    return f"I am not sure that I understood. Did you mean the part about: {about}? Say yes to hear it."
