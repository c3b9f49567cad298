# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener hears: the right second after a click, and an answer after a spoken question."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Served, Visit, similarity
from tests.browser.tones import heard_position
from tests.demo import TEN_QUESTIONS, spoken_wav, word_errors
from tests.soundcard import SoundCard, loudness
from voice.audio import Audio, from_pcm16, join

EXACT = 0.5
"""Seconds by which a jump may miss."""

OPENING = 1.5
"""Seconds of an answer by which it is recognised."""

LISTEN = 1.6
"""Seconds of sound from which a place can be told."""

STREAMED = """
    const reached = window.fetch;
    window.fetch = (to, how) => (to === "api/ask"
      ? Promise.resolve(new Response(new ReadableStream({ start(control) { window.answering = control; } })))
      : reached(to, how));
    0
"""
"""Lets the test say when each line of an answer comes."""


@pytest.fixture
def tones(visit: Visit, served: Served) -> Any:
    page = visit(f"{served.url}/?episode={served.tones}")
    expect(page.locator("#lead-title")).to_contain_text("onerror")
    return page


def jump(page: Any, card: SoundCard, act: Any) -> tuple[float, float]:
    """Do something that starts the player; returns the seconds until it sounds and the place in the episode."""
    with card.listen() as ear:
        before = ear.now
        act()
        time.sleep(LISTEN)
    page.evaluate("Earmark.player.pause()")
    waited, position = heard_position(ear.heard(before))
    return waited, position


def test_a_click_on_a_time_is_heard_at_that_time(tones: Any, sound_card: SoundCard) -> None:
    tones.click("#tab-transcript")
    places = tones.locator("#transcript-panel .time")
    expect(places).not_to_have_count(0)
    tones.fill("#question textarea", "How do bats find moths in the dark?")
    tones.uncheck("#aloud")
    tones.keyboard.press("Tab")
    tones.click("#ask-button")
    cited = tones.locator("#answer .time").first
    expect(cited).to_be_visible()
    topic = tones.locator("#topics .time").last
    for button, tab in ((places.nth(7), "transcript"), (places.nth(2), "transcript"), (cited, None), (topic, "topics")):
        if tab:
            tones.click(f"#tab-{tab}")
        waited, position = jump(tones, sound_card, button.click)
        assert position == pytest.approx(float(button.get_attribute("data-seek")), abs=EXACT)
        assert waited < 1
    assert float(cited.get_attribute("data-seek")) == pytest.approx(25, abs=5)


@pytest.mark.long
def test_a_deep_link_leads_to_its_second_and_the_keys_move_from_there(
    visit: Visit, served: Served, sound_card: SoundCard
) -> None:
    page = visit(f"{served.url}/?episode={served.tones}&t=20.5")
    expect(page.locator("#now")).to_have_text("0:20")
    expect(page.locator("#length")).to_have_text("1:00")
    assert jump(page, sound_card, lambda: page.keyboard.press("Space"))[1] == pytest.approx(20.5, abs=EXACT)
    page.evaluate("Earmark.player.seek(30)")
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    assert jump(page, sound_card, lambda: page.keyboard.press("k"))[1] == pytest.approx(20, abs=EXACT)


def test_a_spoken_question_is_understood_answered_aloud_and_playback_comes_back(
    visit: Visit, served: Served, sound_card: SoundCard, tmp_path: Any
) -> None:
    question = TEN_QUESTIONS[4]
    recording = spoken_wav(question.text, "joe", tmp_path / "question.wav")
    page = visit(f"{served.url}/?episode={served.demo}")
    expect(page.locator(".chip").first).to_be_visible()
    page.uncheck("#aloud")  # what is asked aloud is answered aloud all the same
    page.click("#play")
    page.wait_for_function("!document.getElementById('audio').paused")

    with sound_card.listen() as ear:
        page.click("#talk")
        expect(page.locator("#hint")).to_contain_text("Listening")
        time.sleep(0.5)
        quiet = ear.now
        sound_card.play(recording)
        assert loudness(ear.heard(quiet)) < 0.001, "the episode must be silent while one speaks"
        expect(page.locator("#talk")).to_have_attribute("aria-pressed", "false")  # it ends by itself
        expect(page.locator("#answer")).to_be_visible()
        expect(page.locator("#stop")).to_be_visible()
        heard = page.inner_text("#asked")
        assert word_errors(question.text, heard)[0] <= 1
        assert page.input_value("#question textarea") == "", "what was heard stands once"
        expect(page.locator("#announce")).to_contain_text("Answer")
        assert page.evaluate("document.activeElement.id") == "talk", "focus must not be lost"
        expect(page.locator("#stop")).to_be_hidden(timeout=40_000)
        end = ear.now
        page.wait_for_function("!document.getElementById('audio').paused")

    page.click("#correct")
    assert page.evaluate("document.activeElement.closest('#question') !== null && getSelection().toString()") == heard
    first = page.locator("#sentences .words").first.inner_text()
    said = spoken(served, first)
    beginning = Audio(said.samples[: round(OPENING * said.rate)], said.rate)  # a busy machine may pause in a long one
    assert similarity(ear.heard(quiet, end), beginning) > 0.9


def test_stop_silences_the_voice_at_once_and_a_paused_episode_stays_paused(
    visit: Visit, served: Served, sound_card: SoundCard
) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    with sound_card.listen() as ear:
        page.locator(".chip").first.click()
        expect(page.locator(".sentence.sounding")).to_have_count(1)
        time.sleep(0.5)
        speaking = ear.now
        page.click("#stop")
        stopped = ear.now
        time.sleep(1)
    assert loudness(ear.heard(speaking - 0.5, speaking)) > 0.01
    assert loudness(ear.heard(stopped + 0.4)) < 0.001
    expect(page.locator("#stop")).to_be_hidden()
    assert page.evaluate("document.getElementById('audio').paused")


def spoken(served: Served, text: str) -> Audio:
    """The text as the server's voice says it."""
    request = urllib.request.Request(
        f"{served.url}/api/speak", json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return join([from_pcm16(reply.read(), int(reply.headers["X-Sample-Rate"]))])


@pytest.fixture
def room(sound_card: SoundCard) -> Iterator[None]:
    """The microphone hears the loudspeaker, much more quietly: the browser frees it of an echo that is there."""
    def control(*told: str) -> str:
        return subprocess.run(["pactl", *told], env=os.environ | sound_card.env, check=True, text=True,
                              stdout=subprocess.PIPE).stdout  # fmt: skip

    loop = control("load-module", "module-loopback", "source=spk.monitor", "sink=micfeed", "latency_msec=40").strip()
    for line in control("list", "short", "sink-inputs").splitlines():
        if "module-loopback" in line:
            control("set-sink-input-volume", line.split()[0], "60%")
    yield
    control("unload-module", loop)


@pytest.mark.long
def test_speaking_silences_the_answer_and_asks_anew(
    visit: Visit, served: Served, sound_card: SoundCard, room: None, tmp_path: Any
) -> None:
    first, second = TEN_QUESTIONS[4], TEN_QUESTIONS[0]
    recordings = [spoken_wav(one.text, "joe", tmp_path / f"{number}.wav") for number, one in enumerate((first, second))]
    page = visit(f"{served.url}/?episode={served.demo}")
    expect(page.locator(".chip").first).to_be_visible()
    page.evaluate(
        """() => {
            const devices = navigator.mediaDevices, given = devices.getUserMedia.bind(devices);
            window.wanted = [];
            devices.getUserMedia = (what) => { wanted.push(what.audio.echoCancellation); return given(what); };
        }"""
    )
    page.click("#talk")
    expect(page.locator("#talk")).to_have_attribute("aria-pressed", "true")
    time.sleep(0.5)
    sound_card.play(recordings[0])
    expect(page.locator(".sentence.sounding")).to_have_count(1)
    expect(page.locator("#talk-text")).to_have_text("Just speak to interrupt")
    heard = page.inner_text("#asked")
    with sound_card.listen() as ear:
        page.wait_for_timeout(1500)  # in which the browser learns the echo of the room
        before = ear.now
        sound_card.play(recordings[1])
        expect(page.locator("#asked")).not_to_have_text(heard)
        asked = ear.now
        expect(page.locator(".sentence.sounding")).to_have_count(1)
        page.evaluate("Earmark.hush()")
    assert loudness(ear.heard(before - 0.5, before)) > 0.01, "the answer is read, and does not interrupt itself"
    assert loudness(ear.heard(asked - 0.4, asked)) < 0.001, "and silent while one asks"
    assert word_errors(second.text, page.inner_text("#asked"))[0] <= 1
    expect(page.locator("#talk-text")).to_have_text("Tap or hold to talk")
    assert page.evaluate("window.wanted") == [True, True, True]
    assert page.locator("#earlier-list .asked").first.text_content() == heard


@pytest.mark.long
def test_hold_to_talk_asks_when_let_go_and_escape_forgets(
    visit: Visit, served: Served, sound_card: SoundCard, tmp_path: Any
) -> None:
    question = TEN_QUESTIONS[0]
    recording = spoken_wav(question.text, "joe", tmp_path / "question.wav")
    page = visit(f"{served.url}/?episode={served.demo}")
    expect(page.locator(".chip").first).to_be_visible()
    page.uncheck("#aloud")
    page.click("#talk")
    expect(page.locator("#talk")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#talk")).to_have_attribute("aria-pressed", "false")
    page.locator("#talk").hover()
    page.mouse.down()
    expect(page.locator("#talk")).to_have_attribute("aria-pressed", "true")
    time.sleep(0.5)
    sound_card.play(recording)
    page.mouse.up()
    expect(page.locator("#answer")).to_be_visible()
    assert word_errors(question.text, page.inner_text("#asked"))[0] <= 1


@pytest.mark.long
def test_their_own_words_are_heard_from_any_episode_and_one_is_where_one_was(
    visit: Visit, served: Served, sound_card: SoundCard
) -> None:
    page = visit(f"{served.url}/?episode={served.demo}&t=3")
    expect(page.locator(".chip").first).to_be_visible()
    page.uncheck("#aloud")
    page.select_option("#scope", "library")
    page.fill("#question textarea", "How do bats find moths in the dark?")
    page.click("#ask-button")
    hear = page.locator(f"p:has([data-episode='{served.tones}']) .own.hear").first
    expect(hear).to_be_visible()
    _, position = jump_for(page, sound_card, hear.click)
    assert position == pytest.approx(25, abs=EXACT)
    expect(hear).to_have_text("Stop")
    expect(hear).to_have_text("In their own words", timeout=90_000)
    assert page.evaluate("[Earmark.player.playing, Earmark.player.position, Earmark.chosen().id]") == [
        False, 3, served.demo,
    ]  # fmt: skip


@pytest.mark.long
def test_each_sentence_is_read_as_it_is_made_and_stop_ends_it_for_good(
    visit: Visit, served: Served, sound_card: SoundCard
) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    expect(page.locator(".chip").first).to_be_visible()
    page.click("#play")
    page.wait_for_function("Earmark.player.playing")
    said = [{"text": text, "moments": []} for text in ("Bees dance.", "The cells build it together.", "Nobody rules.")]

    page.evaluate(STREAMED)

    def come(line: dict[str, object]) -> None:
        page.evaluate("line => window.answering.enqueue(new TextEncoder().encode(JSON.stringify(line) + '\\n'))", line)

    page.fill("#question textarea", "Why?")
    page.click("#ask-button")
    with sound_card.listen() as ear:
        began = ear.now
        come({"sentence": said[0]})
        come({"sound": None})  # the voice had none to send: it is asked for
        expect(page.locator(".sentence.sounding")).to_have_text("Bees dance.")
        expect(page.locator("#stop")).to_be_visible()
        time.sleep(1.5)
        assert loudness(ear.heard(began)) > 0.01, "the first sentence sounds before there is another"
        assert not page.evaluate("Earmark.player.playing")
        come({"sentence": said[1]})
        expect(page.locator(".sentence.sounding")).to_have_text("The cells build it together.")
        page.locator("#stop").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#stop")).to_be_hidden()
        assert page.evaluate("document.activeElement.id") == "answer", "focus does not fall out of the page"
        come({"answer": {"question": "Why?", "covered": True, "remark": "", "sentences": said, "moments": []}})
        expect(page.locator(".sentence")).to_have_count(3)
        page.wait_for_function("Earmark.player.playing")
    assert page.locator(".sentence.sounding").count() == 0


def jump_for(page: Any, card: SoundCard, act: Any) -> tuple[float, float]:
    """As ``jump``, but what it started goes on."""
    with card.listen() as ear:
        before = ear.now
        act()
        time.sleep(LISTEN)
    return heard_position(ear.heard(before))
