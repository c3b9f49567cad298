# SPDX-License-Identifier: GPL-3.0-or-later
"""A library of some hundred episodes: it comes in pages, and is searched and filtered where it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from episodes.model import Episode, State, Step, StepState
from episodes.store.library import Library
from tests.browser.conftest import READY, Visit, starting
from tests.browser.test_page import WIDE

COUNT = 200
PAGE = 60
"""Episodes that the page asks for at once."""


def fill(folder: Path, count: int) -> None:
    """A library of so many episodes of ten shows, of which only names are known."""
    library = Library.open(folder)
    with library.transaction():
        for number in range(count):
            one = library.create(f"{number:064x}", Episode(
                "", f"Tides, part {number}", f"Show {number % 10}", (f"Ann Lee{number}",),
                f"2026-{1 + number % 12:02}-{1 + number % 28:02}", 1800.0 + number,
            ))  # fmt: skip
            for step in Step:
                library.set_step(one.id, StepState(step, State.DONE, 1.0))
    library.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("many") / "earmark"
    fill(folder, COUNT)
    with starting(folder) as address:
        yield address


@pytest.mark.long
def test_a_large_library_comes_in_pages_and_is_searched_where_it_is(visit: Visit, url: str) -> None:
    page = visit("about:blank", **WIDE)
    asked: list[str] = []
    page.on("request", lambda request: "/api/episodes?" in request.url and asked.append(request.url))
    page.goto(url)
    expect(page.locator(READY)).to_have_count(PAGE)
    assert asked
    assert all("limit=" in one or "id=" in one for one in asked), "never all of them"

    page.evaluate("document.getElementById('shelf-more').scrollIntoView()")
    expect(page.locator(READY)).to_have_count(2 * PAGE)
    deep = page.locator(READY).nth(PAGE + 20)
    deep.scroll_into_view_if_needed()
    title, top = deep.locator(".card-title").inner_text(), deep.bounding_box()["y"]
    deep.click()
    expect(page.locator("#lead-title")).to_have_text(title)
    page.go_back()
    expect(page.locator("#lead-title")).not_to_have_text(title)
    page.wait_for_function("scrollY > 500")
    assert page.locator(READY, has_text=title).bounding_box()["y"] == pytest.approx(top, abs=90), "where one was"
    page.wait_for_function(f"""() => {{
        document.getElementById("shelf-more").scrollIntoView();
        return document.querySelectorAll("{READY}").length > {COUNT};
    }}""")
    names = page.locator(".card-title").all_text_contents()
    assert len(set(names)) == len(names) == COUNT + page.locator(READY, has_text="Raising the Apprentice").count()

    page.reload()
    expect(page.locator(READY)).to_have_count(PAGE)
    page.fill("#filter", "lee7 tides")  # the oldest but seven: it was never sent
    found = [7, *range(70, 80)]  # what is typed may be the beginning of a word
    expect(page.locator(".card-title")).to_have_text([f"Tides, part {number}" for number in reversed(found)])
    page.fill("#filter", "")
    page.select_option("#shows", "Show 3")
    expect(page.locator("#lead-text")).to_have_text("20 episodes")
    expect(page.locator(READY)).to_have_count(20)
    page.select_option("#order", "short")
    expect(page.locator(".card-title").first).to_have_text("Tides, part 3")
    page.click("[data-kind='heard']")
    expect(page.locator("#shelf-none")).to_have_text("You have finished none yet.")
    page.click("[data-kind='new']")
    expect(page.locator(READY)).to_have_count(20)
