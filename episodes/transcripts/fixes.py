# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done for a transcript before it is stored: its times are fitted to the recording, its speakers told apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from episodes.model import Chapter, Cue, Episode, Word
from episodes.text.keywords import rare_words
from episodes.transcripts.alignment import SUSPECT, fit, remark, shifted, shifted_chapters
from episodes.transcripts.fit import length_remark
from voice.audio import read_part
from voice.diarization import with_speakers
from voice.errors import EarmarkError
from voice.model import Bias

if TYPE_CHECKING:
    from voice.diarization import Speakers
    from voice.recognition.choice import Hearing


@dataclass(frozen=True, slots=True)
class Mended:
    """A publisher's transcript as it is to be stored; ``chapters`` are empty when they stay where they were, and
    ``remark`` says what was done, or could not be."""

    cues: Sequence[Cue]
    chapters: tuple[Chapter, ...] = ()
    remark: str = ""


def fitted(
    episode: Episode,
    audio: Path | None,
    cues: Sequence[Cue],
    chapters: Sequence[Chapter],
    hearing: Callable[[], "Hearing"],
    check: Callable[[], None],
) -> Mended:
    """``cues``, and the publisher's ``chapters`` of the same timeline, with times that fit the audio.

    Nothing is heard when the lengths agree. ``check`` is called before each window and may break the work off.
    """
    length = episode.seconds
    if audio is None or abs(max(cue.end for cue in cues) - length) <= SUSPECT:
        return Mended(cues)
    bias = Bias(episode.guests, tuple(rare_words(cue.text for cue in cues)))

    def hear(start: float, seconds: float) -> Sequence[Word]:
        check()
        words = hearing().hear(read_part(audio, start, seconds), bias, timed=True).words
        return [replace(word, start=word.start + start, end=word.end + start) for word in words]

    try:
        found = fit(cues, length, hear)
    except EarmarkError as error:
        return Mended(cues, remark=f"{length_remark(cues, length)} {error.message}".strip())
    if found is None:
        return Mended(cues, remark=length_remark(cues, length))
    return Mended(shifted(cues, found, length), shifted_chapters(chapters, found, length), remark(found, cues))


def name_speakers(
    audio: Path | None, cues: Sequence[Cue], speakers: Callable[[], "Speakers | None"], check: Callable[[], None]
) -> tuple[Sequence[Cue], str]:
    """Cues that name their speakers, by their voices where nobody did, and what is to be said of it.

    ``check`` is called now and then and may break the work off.
    """
    if audio is None or any(cue.speaker for cue in cues):
        return cues, ""
    try:
        engine = speakers()
        if engine is None:
            return cues, ""
        check()
        return with_speakers(cues, engine.tell(audio, lambda seconds: check())), ""
    except EarmarkError as error:
        return cues, str(error)
