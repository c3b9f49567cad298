# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way: a recording of a question goes in, the right moment comes out."""

import json
import shutil

import pytest

from episodes.store.library import Library
from tests.benchmarks.spoken_questions import measure
from tests.conftest import TINY_WHISPER
from tests.demo import TEN_QUESTIONS, spoken_wav, word_errors
from tests.ui.cli.test_main import earmark
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import read_audio


@pytest.fixture(scope="module")
def copy_of_demo(demo_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop") / "earmark"
    shutil.copytree(demo_dir, folder)
    return folder


@pytest.mark.parametrize(
    ("hearing", "voice", "at_least"),
    [
        (str(TINY_WHISPER), "en-us+f3", 10),
        (str(TINY_WHISPER), "en-us+m4", 10),
        ("builtin", "en-us", 7),
        ("builtin", "en-us+f3", 7),
    ],
    ids=["tiny-whisper-f3", "tiny-whisper-m4", "builtin-us", "builtin-f3"],
)
def test_ten_spoken_questions_land_on_their_passages(copy_of_demo, tmp_path, hearing, voice, at_least):
    companion = Companion(Settings(data_dir=copy_of_demo, hearing=hearing))
    try:
        row = measure(companion, voice, tmp_path)
    finally:
        companion.close()
    assert row.landed >= at_least, row.missed


def test_a_recording_goes_through_the_command_line_and_the_answer_can_be_heard(server, tmp_path):
    question = TEN_QUESTIONS[8]
    recording = spoken_wav(question.text, "en-us+f3", tmp_path / "question.wav")
    result = earmark(
        "ask", "--audio", recording, "--speak", tmp_path / "answer.wav", "--json", data_dir=server.data_dir
    )
    answer = json.loads(result.stdout)
    assert word_errors(question.text, answer["question"])[0] <= 1
    library = Library.open(server.data_dir)
    try:
        assert question.answered_at(library.cues(answer["moments"][0]["episode"]), answer["moments"][0]["start"])
    finally:
        library.close()
    assert read_audio(tmp_path / "answer.wav").seconds > 2
