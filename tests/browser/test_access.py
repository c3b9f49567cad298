# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody can use the page (axe-core finds nothing serious), and a library can be filled from it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from episodes.library import Library
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
    for tab in ("topics", "transcript", "keep"):
        page.click(f"#tab-{tab}")
        if tab == "transcript":
            expect(page.locator(".cue").first).to_be_visible()
        if tab == "keep":
            page.click("#add summary")
        for one in axe.Axe().run(page).response["violations"]:
            if one["impact"] in GRAVE:
                found[one["id"]] = [node["html"][:120] for node in one["nodes"]][:3]
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
    try:
        card.get_by_role("button", name="Stop").click()
        expect(card.locator(".status")).to_contain_text("cancelled")
        card.get_by_role("button", name="Try again").click()
        expect(card.get_by_role("button", name="Try again")).to_have_count(0)
        page.fill("#filter", "apprentice nobody")
        expect(page.locator(READY)).to_have_count(0)
        page.fill("#filter", "kett")
        expect(page.locator(READY)).to_have_count(1)
    finally:
        library = Library.open(served.data_dir)
        library.remove(str(card.locator("[data-choose]").get_attribute("data-choose")))
        library.close()
