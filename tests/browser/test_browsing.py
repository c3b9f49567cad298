# SPDX-License-Identifier: GPL-3.0-or-later
"""One player for the page: what plays goes on whatever one looks at, and one finds back to where one was."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import READY, Served, Visit, starting
from tests.browser.test_page import NARROW, WIDE
from tests.conftest import for_long, library_copy
from tests.soundcard import SoundCard, loudness
from voice.model import clock


@pytest.mark.parametrize("look", [
    WIDE | {"viewport": {"width": 1280, "height": 800}}, *for_long(NARROW),
], ids=["wide", "narrow"])  # fmt: skip
def test_a_newcomer_sees_what_this_is_and_can_ask_without_scrolling(
    visit: Visit, served: Served, look: dict[str, Any]
) -> None:
    page = visit(served.url, **look)
    expect(page.locator("#lead-title")).to_have_text("Ask your podcasts. Hear the answer. Land on the moment.")
    for part in ("#lead-title", "#lead-text", "#question textarea", "#ask-button", "#talk"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    expect(page.locator(".chip")).to_have_count(3)
    expect(page.locator(".chip").first).to_be_in_viewport(ratio=1)
    expect(page.locator("#bar")).to_be_hidden()
    german = visit(served.url, **look, locale="de-DE")
    expect(german.locator("#lead-title")).to_have_text("Podcasts fragen. Die Antwort hören. An der Stelle landen.")
    assert german.evaluate("document.documentElement.lang") == "de"
    expect(german.locator(".chip").first).to_be_in_viewport(ratio=1)
    page.bring_to_front()
    page.keyboard.press("Tab")
    expect(page.locator(".skip").first).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"


def test_what_plays_goes_on_while_one_browses_and_answers_keep_their_place(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    page.uncheck("#aloud")
    page.evaluate("Earmark.player.jump(100)")
    page.wait_for_function("Earmark.player.playing && Earmark.player.position > 100")
    page.click(".brand")
    expect(page.locator("#lead-title")).not_to_have_text("Raising the Apprentice")
    page.click(f"#shelf [data-choose='{served.tones}']")
    expect(page.locator("#lead-title")).to_contain_text("onerror")
    assert page.evaluate("[Earmark.player.playing, Earmark.player.episode.id]") == [True, served.demo]
    expect(page.locator("#now-title")).to_have_text("Raising the Apprentice")

    page.select_option("#scope", "library")
    page.fill("#question textarea", "What do bats listen to when they find moths?")
    page.click("#ask-button")
    expect(page.locator("#sentences .time").first).to_be_visible()
    assert page.input_value("#question textarea") == "", "the field is empty after asking"
    answer = page.inner_text("#sentences")
    left = int(page.evaluate("Earmark.player.position"))
    page.locator(f"#sentences [data-episode='{served.tones}'].time").first.click()
    page.wait_for_function(f"Earmark.player.playing && Earmark.player.episode.id === '{served.tones}'")
    assert page.inner_text("#sentences") == answer, "following a citation leaves the answer"
    expect(page.locator("#return")).to_have_text(re.compile(f"Back to ({'|'.join(map(clock, range(left, left + 9)))})"))
    page.click("#return")
    page.wait_for_function(f"Earmark.player.episode.id === '{served.demo}' && Earmark.player.position >= 100")
    expect(page.locator("#return")).to_be_hidden()

    page.click("#now-open")
    expect(page.locator("#lead-title")).to_have_text("Raising the Apprentice")
    page.fill("#question textarea", "not asked yet")
    page.go_back()
    expect(page.locator("#lead-title")).to_contain_text("onerror")
    expect(page.locator("#sentences")).to_have_text(re.compile(re.escape(answer[:30])))
    assert page.input_value("#question textarea") == "", "what is written belongs where it was written"
    page.go_forward()
    expect(page.locator("#lead-title")).to_have_text("Raising the Apprentice")
    assert page.input_value("#question textarea") == "not asked yet"
    page.evaluate("Earmark.player.pause()")

    # the library begins with what one was at
    page.evaluate("Earmark.player.seek(150); Earmark.player.play(); 0")
    page.wait_for_timeout(700)
    page.evaluate("Earmark.player.pause()")
    page.goto(served.url)
    page.wait_for_function("window.Earmark")
    going = page.locator("#going-on .going", has_text="Raising the Apprentice")
    expect(going).to_be_visible()
    assert going.bounding_box()["y"] < page.locator("#question").bounding_box()["y"]
    expect(page.locator("#now")).to_have_text(re.compile("2:3"))
    page.click("[data-kind='going']")
    expect(page.locator(f"{READY[:-13]}[data-choose='{served.demo}']")).to_be_visible()
    page.click("[data-kind='heard']")
    expect(page.locator(READY)).to_have_count(0)
    page.click("[data-kind='all']")
    going.locator("[data-play]").click()
    page.wait_for_function("Earmark.player.playing && Earmark.player.position > 149")


@pytest.mark.long
def test_the_heard_lane_tells_the_truth_and_two_tabs_do_not_play_or_write_over_each_other(
    visit: Visit, served: Served
) -> None:
    address = f"{served.url}/?episode={served.tones}"
    page = visit(address, **WIDE)
    page.evaluate("Earmark.player.jump(20)")
    page.wait_for_function("Earmark.player.position > 21.5")
    with page.expect_response(lambda reply: "/api/listening/" in reply.url and reply.request.method == "PUT"):
        page.evaluate("Earmark.player.pause()")
    heard = page.evaluate("Earmark.player.position") - 20
    lane = """() => { const [a, b] = [document.querySelector('#heard span'), document.querySelector('#heard')]
        .map((e) => e.getBoundingClientRect()); return [(a.left - b.left) / b.width, a.width / b.width]; }"""
    expect(page.locator("#heard span")).to_have_count(1)
    page.reload()
    expect(page.locator("#heard span")).to_have_count(1)
    expect(page.locator("#length")).to_have_text("1:00")
    start, width = page.evaluate(lane)
    assert start == pytest.approx(20 / 60, abs=0.01)
    assert width == pytest.approx(heard / 60, abs=0.01)
    page.evaluate(f"Earmark.player.playAt('{served.demo}', null, false)")
    expect(page.locator("#heard span")).to_have_count(0)
    page.evaluate(f"Earmark.player.playAt('{served.tones}', null, false)")
    expect(page.locator("#heard span")).to_have_count(1)
    assert page.evaluate(lane)[0] == pytest.approx(start, abs=0.001)

    other = page.context.new_page()
    other.goto(address)
    other.wait_for_function("window.Earmark")
    page.evaluate("Earmark.player.play()")
    page.wait_for_function("Earmark.player.playing")
    other.evaluate("Earmark.player.play()")
    page.wait_for_function("!Earmark.player.playing")
    assert other.evaluate("Earmark.player.playing")
    other.evaluate("Earmark.player.pause()")
    for tab, text in ((page, "from one tab"), (other, "from the other")):
        tab.click("#tab-keep")
        tab.fill("#notes", text)
        tab.locator("#notes").blur()
        expect(tab.locator("#notes-state")).to_have_text("Kept.")
    other.reload()
    expect(other.locator("#notes")).to_have_value(re.compile("from one tab\nfrom the other"))


@pytest.mark.long
def test_moments_are_saved_and_what_is_said_to_the_page_is_done(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    page.uncheck("#aloud")
    page.evaluate("Earmark.player.jump(130)")
    page.wait_for_function("Earmark.player.playing")

    def order(text: str, said: str) -> None:
        page.fill("#question textarea", text)
        page.click("#ask-button")
        expect(page.locator("#hint")).to_contain_text(said)

    order("bookmark this", "Saved")
    order("go to minute six", "Playing from 6:00")
    order("go back to where I was", "Playing from 2:1")
    order("next episode", "There is no next episode")
    order("thanks", "welcome")
    order("louder", "Volume")
    page.evaluate("Earmark.player.pause()")
    hear = page.locator(".hear").first
    page.locator(".chip").first.click()
    expect(hear).to_be_visible()
    width = hear.bounding_box()["width"]
    hear.click()
    expect(hear).to_have_class(re.compile("sounding"))
    assert hear.bounding_box()["width"] == width, "the button that stops it is where the pointer is"
    hear.click()
    expect(hear).not_to_have_class(re.compile("sounding"))
    page.locator(".save").first.click()
    expect(page.locator(".save").first).to_have_text("Saved")
    toast, button = page.locator("#toast").bounding_box(), page.locator(".save").first.bounding_box()
    assert abs(toast["y"] - button["y"]) < 120, "it is said where one looks"
    page.click("#go-kept")
    expect(page.locator("#kept-list .kept-row")).to_have_count(2)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Markdown").click()
    assert saved.value.suggested_filename == "earmark.md"
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("Earmark.sheet.volume(0.5)")
    page.keyboard.press("m")
    assert page.evaluate("document.getElementById('audio').muted")


@pytest.mark.long
def test_a_kept_episode_opens_and_plays_without_the_server(
    heard_browser: Any, sound_card: SoundCard, demo_dir: Path, tmp_path: Path
) -> None:
    library_copy(demo_dir, tmp_path / "earmark")
    page = heard_browser.new_context(**WIDE).new_page()  # its console tells of the server that is away
    with starting(tmp_path / "earmark") as url:
        page.goto(url)
        page.wait_for_function("navigator.serviceWorker.controller")
        page.reload()  # what the page is made of goes through the worker now
        page.click(READY, timeout=90_000)
        expect(page.locator("#topics .time").first).to_be_visible()
        page.click("#tab-keep")
        page.click("#offline")
        expect(page.locator("#toast")).to_contain_text("plays without the server")
        page.goto(url)
        page.wait_for_selector(READY)
    page.goto(url)
    expect(page.locator("#away")).to_be_visible()
    page.click(READY)
    expect(page.locator("#lead-title")).to_have_text("Raising the Apprentice")
    page.click("#tab-transcript")
    expect(page.locator(".cue").first).to_be_visible()
    with sound_card.listen() as ear:
        page.locator("#transcript-panel .time").nth(5).click()
        page.wait_for_function("Earmark.player.playing && Earmark.player.position > 20")
        page.wait_for_timeout(1000)
    assert loudness(ear.heard()) > 0.01
    page.context.close()


@pytest.mark.long
def test_the_page_and_a_chosen_episode_are_there_without_the_server(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.tones}", **WIDE, service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    page.wait_for_function("navigator.serviceWorker.controller")
    page.reload()  # what the page is made of goes through the worker now
    page.wait_for_function("window.Earmark")
    page.click("#tab-keep")
    page.click("#offline")
    expect(page.locator("#toast")).to_contain_text("plays without the server")
    page.reload()
    page.wait_for_function("window.Earmark")
    cached = """async () => { const names = await caches.keys(); const found = [];
        for (const name of names) found.push(...await (await caches.open(name)).keys());
        return found.map((one) => new URL(one.url).pathname); }"""
    kept = page.evaluate(cached)
    assert f"/audio/{served.tones}" in kept
    for path in ("/", "/page/boot.js", "/page/main.js", "/api/episodes", f"/api/episodes/{served.tones}"):
        assert path in kept
    part = page.evaluate(
        """async (path) => {
            const reply = await fetch(path, { headers: { Range: "bytes=10-19" } });
            const { byteLength } = await reply.arrayBuffer();
            return [reply.status, byteLength, reply.headers.get("Content-Range").slice(0, 12)];
        }""",
        f"/audio/{served.tones}",
    )
    assert part == [206, 10, "bytes 10-19/"]
