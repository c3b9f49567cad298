# SPDX-License-Identifier: GPL-3.0-or-later
"""Cues of a size that can be shown, searched and jumped to.

Some transcripts have one cue for each word, others one for a speech of six minutes, or several paragraphs that all
carry the times of the turn. Sentences get their times from the words where there are any, else from their place.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import median

from episodes.text.sentences import sentences
from voice.model import Cue, Word

LONG = 45.0
"""Seconds of a cue that is divided into its sentences."""

_FEW = 12  # captions; fewer of a word each are answers, not the words of a sentence
_CUE_WORDS = 40  # words after which a cue of single words ends even without a full stop
_CUE_PAUSE = 1.5  # seconds of silence that end it
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]{0,5}$")
_ALONE = frozenset("-–—&+/")  # marks that stand between words
_MARK = re.compile(r"^[^\w\s]+$")


def shaped(cues: Sequence[Cue], lines_apart: bool = False) -> list[Cue]:
    """Cues, in order, of about a sentence or two each; ``lines_apart`` when the form gives each line of a caption as a
    cue of its own."""
    spoken = [cue for cue in cues if cue.text.strip()]
    if (
        len(spoken) >= _FEW
        and median(len(cue.text.split()) for cue in spoken) <= 1
        and not any(len(cue.words) > 1 for cue in cues)
    ):
        return list(from_words(cues))
    return [part for cue in _joined(spoken, lines_apart) for part in _divided(cue)]


def from_words(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Cues of about a sentence out of one cue for each word (or blank, or punctuation mark); ``text`` may keep the
    blanks around it, which tell words from parts of words."""
    spaced = any(not cue.text.strip() or cue.text[0] == " " for cue in cues)  # the blanks are in the data
    words: list[Word] = []
    speaker, apart = "", True
    for cue in cues:
        said = cue.text.strip()
        if not said:
            apart = True
            continue
        joins = not (apart or cue.text[0] == " ") if spaced else bool(_MARK.match(said)) and said not in _ALONE
        if joins and words and cue.speaker == speaker:
            last = words[-1]
            words[-1] = Word(last.start, max(last.end, cue.end), last.text + said)
        else:
            if words and (cue.speaker != speaker or _over(words, cue.start)):
                yield _cue(words, speaker)
                words = []
            words.append(Word(cue.start, cue.end, said))
        speaker, apart = cue.speaker, cue.text[-1] == " "
    if words:
        yield _cue(words, speaker)


def _over(words: Sequence[Word], following: float) -> bool:
    """True when a cue of these words ends before a word that starts at ``following`` seconds."""
    ended = bool(_SENTENCE_END.search(words[-1].text))
    return ended or len(words) >= _CUE_WORDS or following - words[-1].end > _CUE_PAUSE


def _cue(words: Sequence[Word], speaker: str) -> Cue:
    end = max(word.end for word in words)
    return Cue(words[0].start, end, " ".join(word.text for word in words), speaker, tuple(words))


def _joined(cues: Iterable[Cue], lines_apart: bool) -> Iterator[Cue]:
    """Cues of which those with one time and one speaker (two lines of one caption, or the paragraphs of one turn) have
    become one."""
    for _, group in groupby(cues, key=lambda cue: (cue.start, cue.end, cue.speaker)):
        same = list(group)
        if not lines_apart and same[0].end - same[0].start <= LONG:
            yield from same
            continue
        text = " ".join(" ".join(cue.text for cue in same).split())
        yield replace(same[0], text=text, words=tuple(word for cue in same for word in cue.words))


def _divided(cue: Cue) -> Iterator[Cue]:
    """A cue, or its sentences when it is long: with a time for each, within those of the cue."""
    lines = sentences([cue]) if cue.end - cue.start > LONG else []
    if len(lines) < 2:
        yield cue
        return
    place = 0
    for number, line in enumerate(lines):
        count = len(line.text.split())
        words = cue.words[place : place + count] if cue.words else ()
        place += count
        end = line.end if number < len(lines) - 1 else cue.end
        yield Cue(line.start, max(line.start, end), line.text, cue.speaker, _matching(words, line.text))


def _matching(words: Sequence[Word], text: str) -> tuple[Word, ...]:
    """The words when they are those of the text, else none."""
    return tuple(words) if " ".join(word.text.strip() for word in words) == text else ()
