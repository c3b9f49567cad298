# SPDX-License-Identifier: GPL-3.0-or-later
"""What plays on the page goes on in another room, and comes back: with a real Music Player Daemon."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import READY, Visit
from tests.browser.test_page import WIDE
from tests.conftest import library_copy, serving
from tests.ui.home.test_house import mpd

__all__ = ["mpd"]


@pytest.mark.long
def test_what_plays_goes_on_in_a_room_and_comes_back_at_the_same_second(
    visit: Visit, demo_dir: Path, mpd: tuple[str, Path], tmp_path: Path
) -> None:
    library_copy(demo_dir, tmp_path / "earmark")
    rooms = f"kitchen={mpd[0]}, bath=mpd://127.0.0.1:9"
    with serving(tmp_path / "earmark", EARMARK_LOUDSPEAKERS=rooms) as url:
        page = visit(url, **WIDE)
        page.click(READY)
        page.click("#play-this")
        page.evaluate("Earmark.player.jump(120)")
        page.wait_for_function("Earmark.player.position > 121")
        page.click("#more")
        kitchen, bath = page.locator("#rooms li").nth(0), page.locator("#rooms li").nth(1)
        expect(bath).to_contain_text("does not answer")
        expect(bath.get_by_role("button")).to_have_count(0)
        sheet = page.locator("#sheet")
        assert sheet.evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth"), "nothing is cut"
        kitchen.get_by_role("button", name="Play it there: kitchen").click()
        expect(kitchen).to_contain_text(", at 2:0")
        assert not page.evaluate("Earmark.player.playing"), "it is heard in one place only"
        kitchen.get_by_role("button", name="Pause there: kitchen").click()
        expect(kitchen.get_by_role("button", name="Go on there: kitchen")).to_be_visible()
        kitchen.get_by_role("button", name="Go on there: kitchen").click()
        page.wait_for_timeout(2000)
        kitchen.get_by_role("button", name="Take it back from there: kitchen").click()
        page.wait_for_function("Earmark.player.playing && Earmark.player.position > 122")
        assert page.evaluate("Earmark.player.position") < 135
        expect(kitchen.get_by_role("button", name="Go on there: kitchen")).to_be_visible()
        page.close()  # before its server ends: it would ask on
