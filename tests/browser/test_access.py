# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody can use the page (axe-core finds nothing serious), and a library can be filled from it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import READY, Served, Visit
from tests.browser.test_page import NARROW, WIDE

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")

GRAVE = ("serious", "critical")


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=["wide-light", "narrow-dark"])
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
        for one in axe.Axe().run(page).response["violations"]:
            if one["impact"] in GRAVE:
                found[f"{part}: {one['id']}"] = [node["html"][:120] for node in one["nodes"]][:3]
    assert not found


def test_a_dropped_file_comes_in_can_be_stopped_and_tried_again(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    expect(page.locator(READY).first).to_be_visible()
    before = page.locator(READY).count()
    page.click("#add summary")
    page.set_input_files("#add-files", files=[{
        "name": "kettles.vtt", "mimeType": "text/vtt",
        "buffer": b"WEBVTT\n\n00:00.000 --> 00:09.000\n<v Ada>The tinsmith came by every spring with new handles.\n",
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
    page.click("#tab-keep")
    page.click("#remove")
    page.click("#remove-not")
    assert page.evaluate("document.activeElement.id") == "remove"
    page.click("#remove")
    page.click("#remove")
    page.fill("#filter", "")
    expect(page.locator(READY)).to_have_count(before)
    expect(page.locator("#episode-title")).not_to_have_text("Kettles")


def test_a_word_is_found_where_it_is_said_in_any_episode_and_one_lands_there(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    expect(page.locator(READY)).to_have_count(2)
    page.fill("#filter", "glaciers")
    expect(page.locator("#shelf-none")).to_be_visible()
    expect(page.locator("#said mark").first).to_have_text("Glaciers")
    page.locator("#said .time").first.click()
    expect(page.locator("#episode-title")).to_contain_text("onerror")
    page.wait_for_function("Earmark.player.playing && Earmark.player.position >= 15")
    assert page.evaluate("Earmark.player.position") < 25
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("window.scrollTo(0, 5000)")
    expect(page.locator("#mini")).to_be_visible()
    page.click("#mini-play")
    page.wait_for_function("!Earmark.player.playing")
    page.fill("#filter", "")
    expect(page.locator("#said")).to_be_hidden()


def test_a_server_that_is_gone_is_said_and_the_page_goes_on_when_it_is_back(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **WIDE)
    page.uncheck("#aloud")
    page.locator(".chip").first.click()
    expect(page.locator("#sentences .time").first).to_be_visible()
    answer = page.inner_text("#sentences")
    page.evaluate("window.reached = window.fetch; window.fetch = () => Promise.reject(new TypeError('gone')); 0")
    page.fill("#question textarea", "Is anybody there?")
    page.click("#ask-button")
    page.evaluate("Earmark.lookNow()")
    expect(page.locator("#state")).to_contain_text("does not answer")
    expect(page.locator("#hint")).to_contain_text("Your question is kept")
    page.evaluate("window.fetch = window.reached; Earmark.lookNow(); 0")
    expect(page.locator("#state")).to_be_hidden()
    page.reload()
    expect(page.locator("#sentences .time").first).to_be_visible()
    assert page.inner_text("#sentences") == answer, "the conversation is still there"
    assert page.input_value("#question textarea") == "Is anybody there?"
