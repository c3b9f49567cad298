# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the page is, in a real browser, by what is heard: the loudspeaker's own delay of 30 to 50 ms is in it.

    python -m tests.benchmarks.page [--runs N] [--only PART …] [--json] [--screenshots FOLDER]

It makes a library with the demo episode, serves it, and measures: first paint, a click on a time until it sounds, a
click on Ask until the answer sounds, fifty people who ask at once, and a transcript of three hours; what the page
weighs, and what it holds in memory after forty questions and twenty views; and, with libraries of 200 and of 5,000
episodes, how soon the list stands there, and whether it scrolls. Needs Chromium and the programs that
``tests/soundcard.py`` names. ``--screenshots`` takes the pictures of the README instead.
"""

import argparse
import json
import os
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.test_shelf import fill
from tests.conftest import serving
from tests.demo import TEN_QUESTIONS
from tests.soundcard import SoundCard, running_card

PARTS = ("times", "weight", "memory", "shelves")
ASKERS = 50
PATIENCE = 15.0
"""Seconds in which something has to be heard."""

LOUD = 0.003
"""Root mean square of 10 ms from which something is heard."""

Rows = dict[str, list[float]]
"""What was measured each time, by name; seconds where nothing else is said."""

QUESTIONS = tuple(question.text for question in TEN_QUESTIONS)
WIDE = {"viewport": {"width": 1280, "height": 900}}
NARROW = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def prepare(folder: Path) -> Path:
    """A library with the demo episode."""
    from ui.companion import Companion
    from ui.settings import Settings

    companion = Companion(Settings(data_dir=folder))
    try:
        companion.add_demo()
    finally:
        companion.close()
    return folder


def of_the_demo(url: str) -> str:
    """The address of the one episode."""
    with urllib.request.urlopen(f"{url}/api/episodes", timeout=20) as reply:
        (episode,) = json.load(reply)
    return f"{url}/?episode={episode['id']}"


def opened(browser: Any, url: str, **look: Any) -> Any:
    """A page in a fresh profile, with an episode on it."""
    page = browser.new_context(**look).new_page()
    page.goto(of_the_demo(url))
    page.wait_for_selector("#topics .time")
    page.wait_for_function("Earmark.player.audio.readyState > 1")
    return page


def first_paint(browser: Any, url: str) -> tuple[float, float]:
    """Seconds to the first contentful paint, and until the episode stands there with its topics."""
    page = browser.new_context(**WIDE).new_page()
    page.goto(of_the_demo(url))
    page.wait_for_selector("#topics .time")
    found = page.evaluate("[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]")
    page.context.close()
    return found[0] / 1000, found[1] / 1000


def until_heard(card: SoundCard, act: Callable[[], None]) -> float:
    """Seconds from before ``act`` until the loudspeaker sounds."""
    import numpy as np

    with card.listen() as ear:
        time.sleep(0.3)
        before = ear.now
        act()
        while ear.now < before + PATIENCE:
            time.sleep(0.2)
            heard = ear.heard(before)
            step = heard.rate // 100
            frames = heard.samples[: len(heard.samples) // step * step].reshape(-1, step)
            loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > LOUD)
            if len(loud):
                return float(loud[0]) / 100
    raise RuntimeError("nothing was heard")


def crowd(url: str) -> list[float]:
    """Seconds that each of fifty people waits who ask at once. Raises when one of them gets no answer."""

    def ask(number: int) -> float:
        began = time.monotonic()
        body = json.dumps({"text": f"{QUESTIONS[number % 10]} {'Please.' * (number // 10)}"}).encode()
        request = urllib.request.Request(f"{url}/api/ask", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as reply:
            assert json.load(reply)["sentences"]
        return time.monotonic() - began

    with ThreadPoolExecutor(ASKERS) as pool:
        return list(pool.map(ask, range(ASKERS)))


def long_transcript(browser: Any, url: str) -> Rows:
    """Of a transcript of three hours: seconds until it stands there; the longest time for which the page does nothing
    else while it is drawn, and while it plays and follows; and the seconds between two frames while it is scrolled."""
    cues = [
        {"start": 3 * i, "end": 3 * i + 3, "speaker": ("Ada", "Ben")[i // 7 % 2],
         "text": f"And line {i} says what people say in three seconds of talk."} for i in range(3600)
    ]  # fmt: skip
    page = browser.new_context(**WIDE, service_workers="block").new_page()
    page.route("**/transcript", lambda route: route.fulfill(json=cues))
    page.goto(of_the_demo(url))
    page.wait_for_selector("#topics .time")
    drawn, drawing, gaps, following = page.evaluate(
        """async () => {
            const frame = () => new Promise(requestAnimationFrame);
            const tasks = [];
            new PerformanceObserver((list) => tasks.push(...list.getEntries().map((task) => task.duration)))
                .observe({ type: "longtask" });
            const longest = async () => { await frame(); await frame(); return Math.max(0, ...tasks.splice(0)); };
            const began = performance.now();
            document.getElementById("tab-transcript").click();
            while (!document.querySelector(".cue")) await frame();
            await frame();
            const drawn = performance.now() - began;
            const drawing = await longest();
            const panel = document.getElementById("transcript-lines");
            const gaps = [];
            let last = await frame();
            while (panel.scrollTop + panel.clientHeight < panel.scrollHeight - 2 && gaps.length < 600) {
                panel.scrollBy({ top: 900, behavior: "instant" });
                const now = await frame();
                gaps.push(now - last);
                last = now;
            }
            await longest();
            for (let at = 0; at < 10800; at += 67) {
                Earmark.transcript.goAlong();
                Earmark.transcript.follow(at);
                await frame();
            }
            return [drawn, drawing, gaps, await longest()];
        }"""
    )
    page.context.close()
    return {
        "a transcript of 3 h stands there": [drawn / 1000],
        "the longest task while it is drawn (0: under 0.05)": [drawing / 1000],
        "the longest task while it is followed (0: under 0.05)": [following / 1000],
        "between two frames while it is scrolled": [gap / 1000 for gap in gaps],
    }


def weight(browser: Any, url: str) -> Rows:
    """What a first visit fetches: files, and kilobytes as they are sent."""
    page = opened(browser, url, **WIDE, service_workers="block")
    files, sent = page.evaluate(
        """() => { const all = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
            .filter((one) => !one.name.includes("/audio/"));
            return [all.length, all.reduce((sum, one) => sum + one.transferSize, 0)]; }"""
    )
    page.context.close()
    return {"files of a first visit": [files], "their kilobytes": [sent / 1000]}


def memory(browser: Any, url: str) -> Rows:
    """Megabytes of the page's objects and its elements, after rubbish is collected: when ten questions were asked, and
    after forty more and twenty views."""
    page = opened(browser, url, **WIDE, service_workers="block")
    page.uncheck("#aloud")
    tools = page.context.new_cdp_session(page)

    def held() -> tuple[float, float]:
        tools.send("HeapProfiler.collectGarbage")
        counts = tools.send("Memory.getDOMCounters")
        return tools.send("Runtime.getHeapUsage")["usedSize"] / 1e6, counts["nodes"]

    def ask(numbers: range) -> None:
        for number in numbers:
            with page.expect_response(lambda reply: reply.url.endswith("/api/conversations")):
                text = f"{QUESTIONS[number % 10]} {'Please.' * (number // 10)}"
                page.evaluate("text => { Earmark.ask(text); }", text)

    ask(range(30))  # so many answers of a conversation are kept
    before = held()
    ask(range(40))
    for _ in range(10):
        page.evaluate("Earmark.go({ name: 'home' })")
        page.evaluate("id => Earmark.go({ name: 'episode', episode: id })", page.evaluate("Earmark.player.episode.id"))
    after = held()
    page.context.close()
    return {
        "megabytes after 30 questions": [before[0]], "megabytes after 40 more and 20 views": [after[0]],
        "elements after 30 questions": [before[1]], "elements after 40 more and 20 views": [after[1]],
    }


def shelves(browser: Any, folder: Path, runs: int) -> Rows:
    """Of libraries of 200 and 5,000 episodes: seconds until the list stands there, until what is typed is found, and
    between two frames while the whole of 200 is scrolled; and the longest task meanwhile."""
    rows: Rows = {}
    for count in (200, 5000):
        fill(folder / str(count), count)
        with serving(folder / str(count), EARMARK_HEARING="tiny.en", EARMARK_DEMO="false") as url:
            there, found = [], []
            for _ in range(runs):
                page = browser.new_context(**WIDE, service_workers="block").new_page()
                page.goto(url)
                page.wait_for_selector("#shelf .card")
                there.append(page.evaluate("performance.now()") / 1000)
                page.wait_for_function("window.Earmark")
                began = time.monotonic()
                page.fill("#filter", "lee7 tides")
                page.wait_for_function("document.querySelector('#shelf .card-title')?.textContent.includes('part 7')")
                found.append(time.monotonic() - began)
                page.fill("#filter", "")
                if count == 200 and f"of {count}: between two frames" not in rows:
                    gaps, longest = page.evaluate(_SCROLLING)
                    rows[f"of {count}: between two frames"] = [gap / 1000 for gap in gaps]
                    rows[f"of {count}: the longest task (0: under 0.05)"] = [longest / 1000]
                page.context.close()
            rows |= {f"of {count}: the list stands there": there, f"of {count}: what is typed is found": found}
    return rows


_SCROLLING = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const tasks = [];
    await new Promise((done) => setTimeout(done, 1500));
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((task) => task.duration)))
        .observe({ type: "longtask" });
    const gaps = [];
    let last = await frame();
    while ((scrollY + innerHeight < document.body.scrollHeight - 2 || !document.getElementById("shelf-more").hidden)
        && gaps.length < 1200) {
        scrollBy({ top: 60, behavior: "instant" });
        const now = await frame();
        gaps.push(now - last);
        last = now;
    }
    return [gaps, Math.max(0, ...tasks)];
}"""


def measure(browser: Any, card: SoundCard, url: str, runs: int) -> Rows:
    """Every figure in seconds."""
    paints = [first_paint(browser, url) for _ in range(runs)]
    page = opened(browser, url, **WIDE)
    clicks, asks = [], []
    times = page.locator("#topics .time")
    for run in range(runs):
        button = times.nth(1 + run % 6).element_handle()
        clicks.append(until_heard(card, lambda button=button: button.dispatch_event("click")))
        page.evaluate("Earmark.player.pause()")
        time.sleep(0.4)
    page.uncheck("#so-far")
    for run in range(runs):
        page.fill("#question textarea", QUESTIONS[run % 10])
        asks.append(until_heard(card, lambda: page.click("#ask-button", no_wait_after=True)))
        page.evaluate("Earmark.voice.stop()")
        time.sleep(0.4)
    page.context.close()
    crowd(url)
    return {
        "first paint": [paint for paint, _ in paints],
        "the episode stands there": [there for _, there in paints],
        "click on a time until it sounds": clicks,
        "click on Ask until the answer sounds": asks,
        f"an answer, {ASKERS} ask at once": crowd(url),
        **long_transcript(browser, url),
    }


def screenshots(browser: Any, url: str, folder: Path) -> None:
    """The pictures of the README after a question: wide and narrow, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    wide = {"viewport": {"width": 1280, "height": 900}}
    for (name, look), theme in product((("wide", wide), ("narrow", NARROW)), ("light", "dark")):
        page = opened(browser, url, **look, color_scheme=theme)
        page.uncheck("#aloud")
        page.evaluate("Earmark.player.seek(205)")
        page.fill("#question textarea", QUESTIONS[7])
        page.click("#ask-button")
        page.wait_for_function("document.getElementById('heat-path').getAttribute('d')")
        page.wait_for_selector(".topic.warm")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        page.wait_for_timeout(300)  # what comes into view is laid out in the next frames
        picture = Image.open(BytesIO(page.screenshot(animations="disabled", scale="css")))
        picture.quantize(128).save(folder / f"page-{name}-{theme}.png", optimize=True)
        page.context.close()


def main() -> None:
    """Print the table, or take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="times that each click is measured [7]")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="what is measured [all]")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="take the README's pictures instead")
    options = parser.parse_args()
    cards = running_card()
    card = next(cards)
    try:
        with TemporaryDirectory() as folder:
            library = prepare(Path(folder) / "earmark")
            with serving(library, EARMARK_HEARING="tiny.en") as url, sync_playwright() as driver:
                browser = driver.chromium.launch(
                    executable_path="/usr/bin/chromium", env=os.environ | card.env,
                    args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
                    ignore_default_args=["--mute-audio"],
                )
                if options.screenshots:
                    screenshots(browser, url, options.screenshots)
                    return
                parts: dict[str, Callable[[], Rows]] = {
                    "times": lambda: measure(browser, card, url, options.runs),
                    "weight": lambda: weight(browser, url),
                    "memory": lambda: memory(browser, url),
                    "shelves": lambda: shelves(browser, Path(folder), options.runs),
                }
                rows: Rows = {}
                for part in options.only:
                    rows |= parts[part]()
                browser.close()
    finally:
        cards.close()
    if options.json:
        json.dump(rows, sys.stdout, indent=2)
        return
    print(f"{os.cpu_count()} processors; load {os.getloadavg()[0]:.1f}\n")
    print("| seconds, or what is said | least | median | p95 | most | runs |\n|---|---|---|---|---|---|")
    for name, values in rows.items():
        p95 = sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]
        told = " | ".join(f"{value:.3f}" for value in (min(values), statistics.median(values), p95, max(values)))
        print(f"| {name} | {told} | {len(values)} |")


if __name__ == "__main__":
    main()
