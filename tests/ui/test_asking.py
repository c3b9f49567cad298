# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a running server: streamed, in a conversation, and with a language model that may fail."""

import subprocess
import sys
from pathlib import Path

from retrieval.model import Answer, Exchange, Question, Sentence
from tests.conftest import library_copy, serving
from tests.llm import fake_model
from ui.cli.client import Server
from ui.companion import Companion
from ui.settings import Settings


def test_an_answer_streams_and_a_conversation_goes_on(server):
    asked = Server(server.url)
    *sentences, answer = asked.telling(Question("Why is a chatbot like a mirror?"))
    assert isinstance(answer, Answer)
    assert answer.covered
    assert sentences == list(answer.sentences)
    assert all(isinstance(each, Sentence) for each in sentences)
    follow = Question("who said that?", history=(Exchange(answer.question, answer.moments),))
    assert answer.sentences[0].moments[0].speaker in asked.ask(follow).text
    # another listener has no part in that conversation
    assert asked.ask(Question("who said that?")).text != asked.ask(follow).text


def test_a_command_reaches_whoever_plays(server):
    answer = Server(server.url).ask(Question("could you go back thirty seconds please"))
    assert answer.command is not None
    assert (answer.command.name, answer.command.amount) == ("back", 30)


def test_without_its_language_model_it_quotes_and_says_so(demo_dir):
    settings = Settings(data_dir=demo_dir, llm_url="http://127.0.0.1:1/v1", llm_model="small")
    companion = Companion(settings)
    try:
        answer = companion.ask(Question("Why is a chatbot like a mirror?"))
    finally:
        companion.close()
    assert answer.covered
    assert "“" in answer.text
    assert "did not answer" in answer.remark


TRUE = "A chatbot is like a mirror [1]. It says the moon is made of cheese [1]. At 3:20 it is like a mirror [1]."


def test_with_a_language_model_it_tells_through_every_door(demo_dir, tmp_path):
    folder = tmp_path / "earmark"
    library_copy(demo_dir, folder)
    with fake_model() as model, serving(folder, EARMARK_LLM_URL=model.url, EARMARK_LLM_MODEL="small") as url:
        model.reply = TRUE
        asked = Server(url)
        *sentences, answer = asked.telling(Question("Why is a chatbot like a mirror?"))
        assert [each.text for each in sentences] == ["A chatbot is like a mirror."] == [answer.text]
        assert answer.sentences[0].moments == answer.moments[:1]
        assert model.asked["stream"] is True
        assert "3:20" not in asked.ask(Question("Why is a chatbot like a mirror?")).text
        # on the command line
        earmark = [sys.executable, "-m", "ui.cli", "--data-dir", str(folder), "ask", "Why is a chatbot like a mirror?"]
        told = subprocess.run(earmark, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        assert told.stdout.startswith("A chatbot is like a mirror.\n")
        # a follow-up is put so that the model knows what it is about
        asked.ask(Question("and why?", history=(Exchange("Why is a chatbot like a mirror?", answer.moments),)))
        assert "mirror" in model.asked["messages"][1]["content"].partition("Question:")[2]
        # who spoke is a fact, for which no model is asked
        model.asked = {}
        who = asked.ask(Question("who said that?", history=(Exchange("Why?", answer.moments),)))
        assert (who.text.split(" says")[0], model.asked) == (answer.moments[0].speaker, {})
        # and when it fails, the answer is quoted
        model.status = 500
        failed = asked.ask(Question("Why is a chatbot like a mirror?"))
        assert "“" in failed.text
        assert "500" in failed.remark
        told = subprocess.run(earmark, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        assert "“" in told.stdout
        assert "500" in told.stderr
