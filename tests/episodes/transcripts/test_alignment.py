# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of a transcript, fitted to a recording that holds more or less than it."""

import itertools
import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodes.demo import dialogue
from episodes.ingest.pipeline import Tools
from episodes.ingest.worker import add
from episodes.model import Chapter, Cue, Step
from episodes.store.library import Library
from episodes.topics.cohesion import Embed
from episodes.transcripts.alignment import Delay, Fit, fit, remark, shifted, shifted_chapters
from episodes.transcripts.writer import write_vtt
from tests.speech import RATE, say
from voice.audio import Audio, write_wav
from voice.model import Word
from voice.recognition.whisper import Whisper

LINES = [line.text for line in dialogue().lines]
ADVERT = ("Buy two mattresses now and sleep as on a cloud of feathers tonight. Use our code at checkout and save. "
          "Every mattress comes with a warranty of ten years and free delivery to your door by friendly drivers. ") * 9


def talk() -> list[Cue]:
    """The demonstration's text at three words a second, in lines of at most twelve words."""
    cues, at = [], 2.0
    for text in LINES:
        words = text.split()
        for begin in range(0, len(words), 12):
            part = words[begin : begin + 12]
            cues.append(Cue(round(at, 3), round(at + len(part) / 3, 3), " ".join(part)))
            at += len(part) / 3 + 0.4
    return cues


TALK = talk()


class Recording:
    """What is said when: the talk with changes, and what a recogniser with faults makes of it."""

    def __init__(self, changes: Sequence[tuple[int, float]], faults: float, seed: int) -> None:
        """``changes``: before which line how many seconds come in; negative ones of lines are cut out there."""
        chance = random.Random(seed)
        self.starts: dict[int, float] = {}
        said: list[tuple[str, float]] = []
        delay, gone, coming = 0.0, 0.0, dict(changes)
        for number, cue in enumerate(TALK):
            more = coming.get(number, 0.0)
            if more > 0:
                at = cue.start + delay
                spoken = ADVERT.split()[: int((more - 1) / 0.4)]
                said += [(word, at + place * 0.4) for place, word in enumerate(spoken)]
                delay += more
            elif more < 0:
                gone = cue.start - more
            if cue.start < gone:
                following = next(other.start for other in TALK[number + 1 :])
                delay -= following - cue.start
                continue
            self.starts[number] = cue.start + delay
            words = cue.text.split()
            said += [(word, cue.start + delay + (place + 0.5) * (cue.end - cue.start) / len(words))
                     for place, word in enumerate(words)]  # fmt: skip
        self.length = said[-1][1] + 5.0
        known = [word for word, _ in said]
        self.said = [(chance.choice(known) if chance.random() < faults else word, at + chance.uniform(-0.3, 0.3))
                     for word, at in said]  # fmt: skip

    def hear(self, start: float, seconds: float) -> list[Word]:
        return [Word(at - 0.1, at + 0.1, word) for word, at in self.said if start <= at < start + seconds]

    def wrong(self, found: Fit) -> int:
        """How many lines are not within a second and a half of where they are said, or kept or left out wrongly."""
        moved = iter(shifted(TALK, found, self.length))
        wrong = 0
        for number in range(len(TALK)):
            there = None if number in found.left_out else next(moved)
            wrong += (there is None) != (number not in self.starts)
            wrong += there is not None and number in self.starts and abs(there.start - self.starts[number]) > 1.5
        return wrong


@pytest.mark.parametrize(
    "changes",
    [[], [(60, 30.0)], [(0, 45.0)], [(1, 20.0), (90, 60.0)], [(30, 30.0), (45, 15.0), (120, 90.0)], [(70, -40.0)],
     [(40, 60.0), (100, -30.0)]],
)  # fmt: skip
@pytest.mark.parametrize("faults", [0.0, 0.3])
def test_lines_go_where_they_are_heard(changes: list[tuple[int, float]], faults: float) -> None:
    recording = Recording(changes, faults, 1)
    found = fit(TALK, recording.length, recording.hear)
    assert found is not None
    assert recording.wrong(found) <= 2
    assert bool(remark(found, TALK)) == bool(changes)


@settings(max_examples=12, deadline=None)
@given(st.dictionaries(st.integers(0, (len(TALK) - 25) // 20), st.sampled_from([15.0, 30.0, 60.0]), max_size=3),
       st.integers(0, 12), st.integers(0, 1000))  # fmt: skip
def test_whatever_is_put_in_nothing_is_lost(places: dict[int, float], aside: int, seed: int) -> None:
    changes = [(20 * place + aside, more) for place, more in places.items()]
    recording = Recording(changes, 0.2, seed)
    found = fit(TALK, recording.length, recording.hear)
    assert found is not None and found.left_out == ()
    moved = shifted(TALK, found, recording.length)
    assert [cue.text for cue in moved] == [cue.text for cue in TALK]
    assert all(one.start <= other.start for one, other in itertools.pairwise(moved))
    assert recording.wrong(found) <= 4


def test_another_recording_fits_nowhere() -> None:
    other = [Word(at * 0.4, at * 0.4 + 0.3, word) for at, word in enumerate(ADVERT.split() * 8)]
    length = other[-1].end
    assert fit(TALK, length, lambda start, seconds: [w for w in other if start <= w.start < start + seconds]) is None
    assert fit(TALK, 600.0, lambda start, seconds: []) is None


def test_what_was_done_is_said() -> None:
    found = Fit((Delay(0.0, 0.0), Delay(TALK[10].start, 30.0)), (3,), 9, 8)
    said = remark(found, TALK)
    assert "30 s more at 0:" in said and f"{len(TALK) - 11} of {len(TALK)} lines" in said and "1 line was" in said
    chapters = (Chapter(0.0, "A"), Chapter(TALK[20].start, "B"), Chapter(9999.0, "C"))
    assert shifted_chapters(chapters, found, 2000.0) == (Chapter(0.0, "A"), Chapter(TALK[20].start + 30.0, "B"))


@pytest.mark.long  # the times of words that are really heard are tested with the recogniser, what is made of them above
@pytest.mark.timeout(300)  # some ten windows are really heard
def test_an_advertisement_in_real_sound_is_heard_around(tmp_path: Path, embed: Embed, whisper: Whisper) -> None:
    """The recogniser hears speech in which a stretch was put in; the transcript is the one without."""
    parts: list[np.ndarray] = [np.zeros(RATE, np.float32)]
    cues: list[Cue] = []
    true: list[float] = []
    at, delay = 1.0, 0.0
    for number, text in enumerate(LINES[:8]):
        if number == 4:
            advert = say(ADVERT[:220], "en-us+m4")
            parts += [advert, np.zeros(RATE, np.float32)]
            delay += len(advert) / RATE + 1.0
        sound = say(text)
        long = len(sound) / RATE
        cues.append(Cue(round(at, 3), round(at + long, 3), text))
        true.append(at + delay)
        parts += [sound, np.zeros(RATE // 2, np.float32)]
        at += long + 0.5
    write_wav(tmp_path / "talk.wav", Audio(np.concatenate(parts), RATE))
    (tmp_path / "talk.vtt").write_text(write_vtt(cues))
    library = Library.open(tmp_path / "library")
    tools = Tools(hearing=lambda: whisper, embed=embed, index=lambda episode, cues: None)
    episode = add(library, tmp_path / "talk.wav", tools)
    remark = next(state.reason for state in episode.steps if state.step is Step.TRANSCRIBED)
    assert (more := re.search(r"(\d+) s more at", remark)) and abs(int(more[1]) - delay) < 1.5, remark
    stored = library.cues(episode.id)
    assert [cue.text for cue in stored] == [cue.text for cue in cues]
    assert [cue.start for cue in stored] == pytest.approx(true, abs=0.7)
