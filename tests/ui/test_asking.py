# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a running server: streamed, in a conversation, and with a language model that may fail."""

from retrieval.model import Answer, Question, Sentence, Turn
from ui.app import Companion
from ui.client import Server
from ui.config import Settings


def test_an_answer_streams_and_a_conversation_goes_on(server):
    asked = Server(server.url)
    *sentences, answer = asked.telling(Question("Why is a chatbot like a mirror?"))
    assert isinstance(answer, Answer)
    assert answer.covered
    assert sentences == list(answer.sentences)
    assert all(isinstance(each, Sentence) for each in sentences)
    follow = Question("who said that?", history=(Turn(answer.question, answer.moments),))
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
