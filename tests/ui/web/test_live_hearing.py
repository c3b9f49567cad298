# SPDX-License-Identifier: GPL-3.0-or-later
"""A question that ends by itself: the turn detector decides, as without a page."""

import numpy as np
import pytest
from starlette.testclient import TestClient

from ui.companion import Companion
from ui.settings import Settings
from ui.web import live_hearing, server
from ui.web.live_hearing import LiveQuestion, LiveQuestions, Spoken
from voice.audio import HEARING_RATE
from voice.errors import EngineError
from voice.model import Heard
from voice.turns.microphone import FrontEnd

TENTH = HEARING_RATE // 10


def question(*played: str) -> LiveQuestion:
    return LiveQuestion(played, FrontEnd(detect=lambda frame: float(np.abs(frame).max() > 0.1)))


def told(question: LiveQuestion, loud: str, said: str) -> tuple[list[Spoken], list[float]]:
    """What is told of each tenth of a second ("x" is speech), and the seconds of sound that were decoded."""
    decoded: list[float] = []
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, TENTH).astype(np.float32)

    def hear(audio):
        decoded.append(audio.seconds)
        return Heard(said, 0.9)

    return [question.push(noise if one == "x" else np.zeros(TENTH, np.float32), hear) for one in loud], decoded


def test_what_is_read_aloud_may_grow_while_one_listens() -> None:
    live = LiveQuestions()
    name = live.begin(["Bees dance."])
    live.playing(name, ["Bees dance.", "Nobody rules."])
    live.playing("0" * 32, ["Gone."])
    assert live._known[name].played == ("Bees dance.", "Nobody rules.")


def test_a_whole_question_is_over_soon_after_its_last_word_and_is_decoded_once():
    spoken, decoded = told(question(), "..." + 10 * "x" + 5 * ".", "Why do bees dance?")
    states = [one.state for one in spoken]
    assert states[0] == "waiting"
    assert states[8] == "speaking"
    assert "over" in states[13:17]
    assert spoken[states.index("over")].text == "Why do bees dance?"
    assert len(decoded) == 1
    assert 1.0 < decoded[0] < 1.7


def test_a_question_that_breaks_off_is_waited_for_and_its_words_are_shown_meanwhile():
    spoken, _ = told(question(), 10 * "x" + 12 * ".", "What did he say about the")
    assert {one.state for one in spoken[-8:]} == {"speaking"}
    assert spoken[-1].text == "What did he say about the"


def test_a_cough_is_no_question():
    one = question()
    cough = np.full(round(0.15 * HEARING_RATE), 0.5, np.float32)
    states = [one.push(cough, lambda audio: Heard("Hm.", 0.9)).state]
    states += [one.push(np.zeros(TENTH, np.float32), lambda audio: Heard("Hm.", 0.9)).state for _ in range(12)]
    assert "over" not in states
    assert states[-1] == "waiting"


def test_over_an_answer_its_echo_is_no_question_and_what_somebody_says_is():
    answer = "Honey bees dance on the comb, and the angle of the dance tells the others where the flowers are."
    for said, states in (
        ("The angle of the dance tells the others.", {"waiting", "speaking"}), ("", {"waiting", "speaking"}),
        ("Do they dance for each other at night?", {"waiting", "speaking", "over"}),
        ("Stop.", {"waiting", "speaking", "over"}),
    ):  # fmt: skip
        spoken, _ = told(question(answer), "..." + 10 * "x" + 8 * ".", said)
        assert {one.state for one in spoken} == states, said
        if "over" not in states:
            assert spoken[-1] == Spoken("waiting"), "it listens on"


def test_questions_are_bounded_and_forgotten(monkeypatch):
    monkeypatch.setattr(live_hearing, "MOST_SPOKEN_QUESTIONS", 2)
    live = LiveQuestions()
    first, _ = live.begin(), live.begin()
    with pytest.raises(EngineError, match="at once"):
        live.begin()
    live.end(first)
    live.begin()
    assert live.push(first, np.zeros(TENTH, np.float32), lambda audio: Heard("", 0.0)) == Spoken("gone")
    monkeypatch.setattr(live_hearing, "SPOKEN_QUESTION_TIMEOUT", -1.0)
    live.begin()  # those nobody speaks to are gone


def test_sound_comes_piece_by_piece_over_http(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False))
    try:
        door = TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads
        name = door.post("/api/hear/live", json={"played": ["Bees dance."]}).json()["id"]
        assert door.post("/api/hear/live", json={"played": 51 * ["Bees dance."]}).status_code == 422
        assert door.post(f"/api/hear/live/{name}", content=bytes(3200)).json() == {"state": "waiting", "text": ""}
        assert door.post(f"/api/hear/live/{name}", content=b"odd").status_code == 400
        door.delete(f"/api/hear/live/{name}")
        assert door.post(f"/api/hear/live/{name}", content=bytes(3200)).json()["state"] == "gone"
    finally:
        companion.close()
