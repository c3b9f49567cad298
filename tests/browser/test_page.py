# SPDX-License-Identifier: GPL-3.0-or-later
"""What a visitor sees and does, with any width, theme, title and state of the server."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import READY, Served, Visit, starting
from tests.browser.tones import TITLE
from tests.conftest import library_copy
from tests.demo import TEN_QUESTIONS

WIDE = {"viewport": {"width": 1280, "height": 900}}
NARROW = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}
SMALLEST = 32
"""Pixels that a finger needs."""


@pytest.mark.long
def test_a_question_put_as_soon_as_the_page_is_there_is_answered(
    visit: Visit, demo_dir: Path, tmp_path: Path
) -> None:
    library_copy(demo_dir, tmp_path / "earmark")
    with starting(tmp_path / "earmark") as url:
        page = visit(url)
        page.fill("#question textarea", TEN_QUESTIONS[0].text)
        page.keyboard.press("Enter")
        expect(page.locator("#sentences .time").first).to_be_visible(timeout=60_000)
        expect(page.locator("#state")).to_be_hidden()
        expect(page.locator("#engines")).to_contain_text("Hears with")
        page.evaluate("Earmark.hush()")
        page.close()  # before its server ends: it would ask on


def test_titles_and_transcripts_are_text_and_never_markup(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.tones}", **WIDE)
    expect(page.locator("#lead-title")).to_have_text(TITLE)
    expect(page.locator("#now-title")).to_have_text(TITLE)
    page.click("#tab-transcript")
    expect(page.locator("#transcript-panel")).to_contain_text("copper kettles")
    page.fill("#question textarea", f"copper kettles {TITLE}")
    page.uncheck("#aloud")
    page.click("#ask-button")
    expect(page.locator("#asked")).to_contain_text(TITLE)
    assert page.locator("img[src=x], img[onerror]").count() == 0
    assert "49" not in page.locator("main").inner_text()


@pytest.mark.long
def test_an_episode_added_meanwhile_appears_without_a_reload(visit: Visit, served: Served) -> None:
    page = visit(served.url)
    expect(page.locator(READY)).to_have_count(2)
    page.click(f"#shelf [data-choose='{served.demo}']")
    expect(page.locator("#lead-title")).to_have_text("Raising the Apprentice")
    assert page.url.endswith(f"episode={served.demo}")
    assert page.locator("#topics .time").count() >= 5
    expect(page.locator("#chips button")).to_have_count(3)


def test_what_the_episode_does_not_cover_is_said_and_looks_different(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    page.uncheck("#aloud")
    page.fill("#question textarea", "What is the best recipe for tomato soup?")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#announce")).to_contain_text("Not covered")
    page.fill("#question textarea", TEN_QUESTIONS[1].text)
    page.keyboard.press("Enter")
    expect(page.locator("#asked")).to_have_text(TEN_QUESTIONS[1].text)
    expect(page.locator("#verdict")).to_be_hidden()


def test_everything_works_by_keyboard(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    expect(page.locator(".chip").first).to_be_visible()
    page.uncheck("#aloud")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.type(TEN_QUESTIONS[2].text)  # holds the letters j, k, l, n and p, which must not move anything
    assert page.evaluate("Earmark.player.position") == 0
    page.keyboard.press("Enter")
    expect(page.locator("#sentences .time").first).to_be_visible()
    page.locator("#sentences .time").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("Earmark.player.playing && Earmark.player.position > 5")
    page.keyboard.press("k")
    assert not page.evaluate("Earmark.player.playing")
    page.locator("#position").focus()
    for key, moved in (("ArrowLeft", -5), ("j", -15), ("l", 30), ("ArrowRight", 5)):
        before = page.evaluate("Earmark.player.position")
        page.evaluate("document.activeElement.id === 'position' || document.activeElement.blur()")
        page.keyboard.press(key)
        assert page.evaluate("Earmark.player.position") - before == pytest.approx(moved, abs=0.2)
        page.evaluate("document.activeElement.blur()")
    page.focus("#tab-topics")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-transcript")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#transcript-panel")).to_contain_text("organic alignment")


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=["wide-light", "narrow-dark"])
def test_the_layout_fits_and_everything_can_be_hit(
    visit: Visit, served: Served, look: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    page = visit(f"{served.url}/?episode={served.demo}", **look)
    page.locator(".chip").nth(1).click()
    expect(page.locator("#sentences .time").first).to_be_visible()
    page.evaluate("Earmark.hush()")
    pictures = Path(request.config.rootpath) / "artefacts"
    pictures.mkdir(exist_ok=True)
    page.screenshot(path=pictures / f"page-{request.node.callspec.id}.png", full_page=True)
    for tab in ("transcript", "topics"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.bar-row'))")
    side, main = page.locator("#side").bounding_box(), page.locator("#main").bounding_box()
    assert (side["x"] > main["x"] + main["width"]) == (look is WIDE), "two columns when wide, one when narrow"
    small = page.evaluate(
        """smallest => [...document.querySelectorAll("button, select, textarea, [role=tab], label.toggle")]
            .filter((e) => e.checkVisibility())
            .filter((e) => e.getBoundingClientRect().height < smallest || e.getBoundingClientRect().width < smallest)
            .map((e) => e.outerHTML.slice(0, 100))""",
        SMALLEST,
    )
    assert not small
