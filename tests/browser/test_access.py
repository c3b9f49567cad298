# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody can use the page (axe-core finds nothing serious), and a library can be filled from it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import READY, Served, Visit
from tests.browser.test_page import NARROW, WIDE
from tests.conftest import for_long

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")

GRAVE = ("serious", "critical")
RULES = {"rules": {"label-content-name-mismatch": {"enabled": True}}}
"""What is seen on a button is in its name too: somebody who speaks to the page says what they see."""


@pytest.mark.parametrize("look", [WIDE, *for_long(NARROW)], ids=["wide-light", "narrow-dark"])
def test_axe_finds_nothing_serious_on_any_part_of_the_page(visit: Visit, served: Served, look: dict[str, Any]) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **look)
    page.locator(".chip").nth(1).click()
    expect(page.locator("#sentences .time").first).to_be_visible()
    page.evaluate("Earmark.hush()")
    found: dict[str, Any] = {}
    for part in ("topics", "transcript", "keep", "search", "the other theme"):
        if part in ("topics", "transcript", "keep"):
            page.click(f"#tab-{part}")
        if part == "transcript":
            expect(page.locator(".cue").first).to_be_visible()
        if part == "search":
            page.fill("#filter", "glaciers")
            expect(page.locator("#said mark").first).to_be_visible()
            page.click("#add summary")
        if part == "the other theme":
            page.evaluate("document.body.classList.toggle('dark')")
            page.wait_for_timeout(400)  # colours glide from one to the other
        for one in axe.Axe().run(page, options=RULES).response["violations"]:
            if one["impact"] in GRAVE:
                found[f"{part}: {one['id']}"] = [node["html"][:120] for node in one["nodes"]][:3]
    assert not found


LONG = "WEBVTT\n\n" + "".join(
    f"00:{at // 6:02}:{at % 6 * 10:02}.000 --> 00:{at // 6:02}:{at % 6 * 10 + 9:02}.000\n"
    f"<v Ada>The tinsmith came by in the spring of {1700 + at} and mended {at} handles.\n\n"
    for at in range(250)
)
"""A transcript that takes some seconds, so that taking it in can be stopped."""


@pytest.mark.long
def test_a_dropped_file_comes_in_can_be_stopped_and_tried_again(visit: Visit, served: Served) -> None:
    page = visit(served.url, **WIDE)
    expect(page.locator(READY).first).to_be_visible()
    before = page.locator(READY).count()
    page.click("#add summary")
    page.set_input_files("#add-files", files=[{
        "name": "kettles.vtt", "mimeType": "text/vtt",
        "buffer": LONG.encode(),
    }])  # fmt: skip
    expect(page.locator("#add-note")).to_contain_text("is being taken in")
    page.keyboard.press("Escape")
    expect(page.locator("#add-note")).to_be_hidden()
    expect(page.locator(READY)).to_have_count(before + 1)
    card = page.locator("#shelf li", has_text="Kettles")
    card.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(card.locator(".status")).to_contain_text("cancelled")
    expect(card.get_by_role("button", name="Try again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="Try again")).to_have_count(0)
    page.fill("#filter", "apprentice nobody")
    expect(page.locator(READY)).to_have_count(0)
    page.fill("#filter", "kett")
    expect(page.locator(READY)).to_have_count(1)
    page.locator(READY).click()
    expect(page.locator("#lead-title")).to_have_text("Kettles")
    page.click("#tab-keep")
    page.click("#remove")
    page.click("#remove-not")
    assert page.evaluate("document.activeElement.id") == "remove"
    page.click("#remove")
    page.click("#remove")
    expect(page.locator("#toast")).to_contain_text("is removed")
    page.fill("#filter", "")
    expect(page.locator(READY)).to_have_count(before)


@pytest.mark.long
def test_a_word_is_found_where_it_is_said_and_one_stays_where_one_looked(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    page.fill("#filter", "stones-the-size")
    expect(page.locator("#shelf-none")).to_be_hidden()
    expect(page.locator("#said mark").first).to_have_text("stones the size")
    page.locator("#said .time").first.click()
    page.wait_for_function("Earmark.player.playing && Earmark.player.position >= 15")
    assert page.evaluate("Earmark.player.position") < 25
    expect(page.locator("#now-title")).to_contain_text("onerror")
    expect(page.locator("#said")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("window.scrollTo(0, 5000)")
    expect(page.locator("#play")).to_be_in_viewport()
    page.click("#play")
    page.wait_for_function("!Earmark.player.playing")
    page.fill("#filter", "zebras in pyjamas")
    expect(page.locator("#shelf-none")).to_contain_text("nobody says it")
    page.fill("#filter", "")
    expect(page.locator("#said")).to_be_hidden()
    page.go_back()
    expect(page.locator("#lead-title")).to_have_text("Raising the Apprentice")


@pytest.mark.long
def test_a_server_that_is_gone_is_said_and_the_question_is_asked_when_it_is_back(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    page.uncheck("#aloud")
    page.locator(".chip").first.click()
    expect(page.locator("#sentences .time").first).to_be_visible()
    page.evaluate("Earmark.player.jump(30)")
    page.evaluate("window.reached = window.fetch; window.fetch = () => Promise.reject(new TypeError('gone')); 0")
    page.fill("#question textarea", "Why is a chatbot like a mirror?")
    page.click("#ask-button")
    page.evaluate("Earmark.lookNow()")
    expect(page.locator("#away")).to_contain_text("does not answer")
    expect(page.locator("#hint")).to_contain_text("Your question is kept")
    page.wait_for_function("Earmark.player.playing")
    page.evaluate("window.fetch = window.reached; 0")
    page.click("#away-try")
    expect(page.locator("#away")).to_be_hidden()
    expect(page.locator("#sentences .time").first).to_be_visible()
    expect(page.locator("#asked")).to_have_text("Why is a chatbot like a mirror?")
    answer = page.inner_text("#sentences")
    page.reload()
    expect(page.locator("#sentences .time").first).to_be_visible()
    assert page.inner_text("#sentences") == answer, "the conversation is still there"
    expect(page.locator("#earlier-count")).to_have_text("Asked before (1)")
    assert page.input_value("#question textarea") == ""
