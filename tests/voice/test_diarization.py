# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks when: sherpa-onnx's own pipeline with two small models, and whose words a cue holds."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import voice.diarization as under_test
from tests.speech import RATE, say
from voice.audio import Audio, write_wav
from voice.diarization import SPEAKER_FILES, Speakers, Speech, missing, models_folder, with_speakers
from voice.errors import AudioError, HearingError
from voice.model import Cue, Word

MODELS = Path(__file__).parents[1] / "models" / "speakers"
TEXTS = ("The waggle dance points to the flowers and tells how far they are.",
         "Nobody hands the cell a rule book, it learns what it means to belong.",
         "What does the story of the apprentice teach us about control?")  # fmt: skip


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[float, float, int]]]:
    """Two people who take turns, and when who speaks."""
    parts: list[np.ndarray] = []
    turns: list[tuple[float, float, int]] = []
    at = 0
    for number in range(14):
        said = say(TEXTS[number % 3], ("en-us+m4", "en-us+f3")[number % 2])
        turns.append((at / RATE, (at + len(said)) / RATE, number % 2))
        parts += [said, np.zeros(RATE // 2, np.float32)]
        at += len(said) + RATE // 2
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    write_wav(path, Audio(np.concatenate(parts), RATE))
    return path, turns


def test_two_voices_are_told_apart_over_blocks(
    talk: tuple[Path, list[tuple[float, float, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "BLOCK", 20.0)  # each block is looked at alone: voices have to be known again
    path, turns = talk
    done: list[float] = []
    found = Speakers(MODELS).tell(path, done.append)
    assert len(done) > 2 and done[-1] == pytest.approx(turns[-1][1] + 0.5, abs=0.1)
    cues = []
    for number, (start, end, _) in enumerate(turns):
        words = TEXTS[number % 3].split()
        each = (end - start) / len(words)
        timed = [Word(start + place * each, start + (place + 1) * each, word) for place, word in enumerate(words)]
        cues.append(Cue(start, end, " ".join(words), "", tuple(timed)))
    one = Cue(cues[0].start, cues[1].end, f"{cues[0].text} {cues[1].text}", "", cues[0].words + cues[1].words)
    named = with_speakers([one, *cues[2:]], found)
    said = sum(cue.end - cue.start for cue in named if cue.speaker in ("Speaker 1", "Speaker 2"))
    assert said > 0.9 * sum(end - start for start, end, _ in turns)
    right = 0.0
    for cue in named:
        middle = (cue.start + cue.end) / 2
        true = next(who for start, end, who in turns if start <= middle <= end + 0.6)
        right += (cue.end - cue.start) * (cue.speaker == f"Speaker {true + 1}")
    assert right > 0.9 * said
    assert " ".join(cue.text for cue in named).split() == " ".join(cue.text for cue in cues).split()


def test_what_is_no_sound_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no sound")
    with pytest.raises(AudioError):
        Speakers(MODELS).tell(tmp_path / "a.mp3")
    write_wav(tmp_path / "silent.wav", Audio(np.zeros(5 * RATE, np.float32), RATE))
    assert Speakers(MODELS).tell(tmp_path / "silent.wav") == []


def test_what_is_missing_is_named_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HearingError, match=r"earmark models get speakers"):
        Speakers(tmp_path)
    assert "segmentation.onnx and embedding.onnx" in missing(tmp_path)
    for name in SPEAKER_FILES:
        (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(HearingError, match="not a model that can be loaded"):
        Speakers(tmp_path)
    for name in SPEAKER_FILES:
        (tmp_path / name).write_bytes((MODELS / "embedding.onnx").read_bytes())
    with pytest.raises(HearingError, match="receptive_field_size"):
        Speakers(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install sherpa-onnx" in missing(MODELS)


def test_the_setting_says_who_tells_them_apart(tmp_path: Path) -> None:
    assert models_folder("auto", tmp_path) is None
    assert models_folder("auto", MODELS) == MODELS
    assert models_folder("off", MODELS) is None
    assert models_folder("/a/folder", MODELS) == Path("/a/folder")


def words(*given: tuple[float, float, str]) -> tuple[Word, ...]:
    return tuple(Word(*one) for one in given)


def test_a_cue_is_cut_where_the_speaker_changes() -> None:
    cue = Cue(0, 4, "Why do bees dance? To tell where.", "", words(
        (0, 0.4, "Why"), (0.5, 0.9, "do"), (1, 1.4, "bees"), (1.5, 1.9, "dance?"),
        (2.2, 2.5, "To"), (2.6, 3, "tell"), (3.1, 4, "where.")))  # fmt: skip
    named = with_speakers([cue], [Speech(0, 2.0, 7), Speech(2.1, 4.5, 3)])
    assert [(one.start, one.end, one.speaker, one.text) for one in named] == [
        (0, 1.9, "Speaker 1", "Why do bees dance?"), (2.2, 4, "Speaker 2", "To tell where."),
    ]  # fmt: skip


def test_a_slip_within_somebodys_turn_is_theirs() -> None:
    cue = Cue(0, 3, "one two three", "", words((0, 0.9, "one"), (1, 1.2, "two"), (1.4, 3, "three")))
    (named,) = with_speakers([cue], [Speech(0, 0.95, 0), Speech(0.95, 1.3, 1), Speech(1.3, 3, 0)])
    assert (named.speaker, named.text) == ("Speaker 1", "one two three")


def test_without_words_most_of_a_cue_decides_and_far_ones_have_nobody() -> None:
    cues = [Cue(0, 4, "a b"), Cue(4, 5, "c"), Cue(50, 52, "d")]
    named = with_speakers(cues, [Speech(0, 1, 0), Speech(1.2, 3.9, 1), Speech(5.5, 6, 0)])
    assert [cue.speaker for cue in named] == ["Speaker 1", "Speaker 1", ""]
    assert [cue.speaker for cue in with_speakers(cues, [])] == ["", "", ""]


TIMES = st.floats(0, 60).map(lambda at: round(at, 2))
SPOKEN = st.tuples(TIMES, st.floats(0, 2), st.sampled_from(["bee", "hive.", "dance"]))


@given(
    st.lists(st.lists(SPOKEN, min_size=1, max_size=6), max_size=5),
    st.lists(st.tuples(TIMES, st.floats(0, 20), st.integers(0, 3)), max_size=8),
)
def test_no_word_is_lost_or_moved(
    lines: list[list[tuple[float, float, str]]], turns: list[tuple[float, float, int]]
) -> None:
    cues = []
    for line in lines:
        spoken = words(*sorted((start, start + long, text) for start, long, text in line))
        text = " ".join(word.text for word in spoken)
        cues.append(Cue(spoken[0].start, max(word.end for word in spoken), text, "", spoken))
    named = with_speakers(cues, [Speech(start, start + long, who) for start, long, who in turns])
    assert [word for cue in named for word in cue.words] == [word for cue in cues for word in cue.words]
    assert " ".join(cue.text for cue in named) == " ".join(cue.text for cue in cues)
    assert all(cue.start <= cue.end for cue in named)
