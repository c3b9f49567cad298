# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way: a recording of a question goes in, the right moment comes out."""

import json

import pytest

from episodes.store.library import Library
from retrieval.model import Question
from tests.conftest import for_long, library_copy
from tests.demo import TEN_QUESTIONS, spoken_wav, word_errors
from tests.ui.cli.test_main import earmark
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import read_audio


@pytest.fixture(scope="module")
def copy_of_demo(demo_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop") / "earmark"
    library_copy(demo_dir, folder)
    return folder


@pytest.mark.parametrize("asked", [TEN_QUESTIONS[2:4], *for_long(TEN_QUESTIONS)],
                         ids=["two", "ten"])  # fmt: skip
def test_spoken_questions_land_on_their_passages(copy_of_demo, tmp_path, asked):
    companion = Companion(Settings(data_dir=copy_of_demo, hearing="tiny.en"))
    missed = []
    try:
        episode = companion.library.episodes()[-1]
        cues = companion.library.cues(episode.id)
        for question in asked:
            heard = companion.hear(read_audio(spoken_wav(question.text, "joe", tmp_path / "q.wav")), episode.id)
            moments = companion.ask(Question(heard.text, episode.id)).moments if heard.text else ()
            if not moments or not question.answered_at(cues, moments[0].start):
                missed.append(heard.text)
    finally:
        companion.close()
    assert len(missed) <= len(asked) // 10, missed


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
