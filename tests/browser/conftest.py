# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser; for tests that hear and speak, with the tests' sound card for a loudspeaker and a microphone."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.tones import write_episode
from tests.conftest import ROOT, RunningServer
from tests.soundcard import SoundCard
from voice.audio import Audio

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")

PATIENCE = 60_000
"""Milliseconds that something may take on a machine that is busy with other tests."""

CHROMIUM = Path("/usr/bin/chromium")
playwright.expect.set_options(timeout=PATIENCE)

NETWORK_UNPLUGGED = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"

UNDRAWN = ("--disable-gpu", "--disable-software-rasterizer")
"""Without a graphics card Chromium imitates one, which takes a quarter of its processor time."""

READY = "#shelf [data-choose]"

Visit = Callable[..., Any]


@pytest.fixture(scope="package")
def driver() -> Iterator[Any]:
    """Playwright, for these tests only: while it runs, its event loop keeps others of this thread from starting."""
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM} here: apt-get install --no-install-recommends chromium")
    with playwright.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(driver: Any) -> Iterator[Any]:
    """Chromium that plays, and is not heard: what it shows can be tested beside other work."""
    browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", NETWORK_UNPLUGGED, *UNDRAWN])
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def heard_browser(driver: Any, sound_card: SoundCard) -> Iterator[Any]:
    """Chromium that may use the microphone and whose sound goes to the sound card."""
    browser = driver.chromium.launch(
        executable_path=str(CHROMIUM),
        args=["--no-sandbox", "--use-fake-ui-for-media-stream", NETWORK_UNPLUGGED, *UNDRAWN],
        ignore_default_args=["--mute-audio"],
        env=os.environ | sound_card.env,
    )
    yield browser
    browser.close()


@dataclass(frozen=True, slots=True)
class Profiles:
    """Browser profiles that are used again, emptied: with what is cached a page opens in half the processor time."""

    browser: Any
    free: dict[str, list[Any]]

    def take(self, options: dict[str, Any]) -> Any:
        """A page in a profile in which nothing is stored; ``options`` are those of Playwright's new_context."""
        waiting = self.free[repr(sorted(options.items()))]
        # what a service worker fetches, no test can route; the one that is about it asks for it
        context = waiting.pop() if waiting else self.browser.new_context(**{"service_workers": "block"} | options)
        return context.new_page()

    def give_back(self, options: dict[str, Any], context: Any, visited: set[str]) -> None:
        """Empty the profile of all but its cache. One that a test has closed, or with a service worker, is not kept."""
        if not context.pages or "service_workers" in options:
            context.close()
            return
        page = context.pages[0]
        page.goto("about:blank")
        for other in context.pages[1:]:
            other.close()
        session = context.new_cdp_session(page)
        kinds = "cookies,local_storage,indexeddb,cache_storage,service_workers"
        for origin in visited:
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kinds})
        page.close()
        self.free[repr(sorted(options.items()))].append(context)


@pytest.fixture(scope="package")
def profiles(browser: Any) -> Profiles:
    return Profiles(browser, defaultdict(list))


@pytest.fixture(scope="package")
def heard_profiles(heard_browser: Any) -> Profiles:
    return Profiles(heard_browser, defaultdict(list))


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open an address in an empty browser profile: ``visit(url, **options of Playwright's new_context)``. A test that
    has the sound card gets a browser that is heard.

    Afterwards: nothing but this machine was asked for anything, the console holds no error, nothing was alerted.
    """
    name = "heard_profiles" if "sound_card" in request.fixturenames else "profiles"
    profiles: Profiles = request.getfixturevalue(name)
    visits: list[tuple[dict[str, Any], Any]] = []
    visited: set[str] = set()
    faults: list[str] = []

    def look(asked: Any) -> None:
        if asked.url.startswith("http"):
            visited.add("{0.scheme}://{0.netloc}".format(urlsplit(asked.url)))
        if not _is_local(asked.url):
            faults.append(f"request to {asked.url}")

    def go(url: str, **options: Any) -> Any:
        page = profiles.take(options)
        visits.append((options, page.context))
        page.set_default_timeout(PATIENCE)
        page.context.on("request", look)
        page.on("console", lambda line: line.type == "error" and faults.append(f"console: {line.text} {line.location}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(url)
        if url.startswith("http"):
            page.wait_for_function("window.Earmark")
        return page

    yield go
    for options, context in visits:
        context.remove_listener("request", look)
        profiles.give_back(options, context, visited)
    assert not faults


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob"} or parts.hostname in {"127.0.0.1", "localhost"}


@dataclass(frozen=True, slots=True)
class Served:
    """A running server whose library holds the demo and the tone-coded episode."""

    url: str
    data_dir: Path
    tones: str
    demo: str


@pytest.fixture(scope="session")
def served(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The demo's server; the tone-coded episode comes in by the command line while it runs."""
    from episodes.store.library import Library

    demo = _only(Library.open(server.data_dir))
    path = write_episode(tmp_path_factory.mktemp("tones"))
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(server.data_dir), "add", str(path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    library = Library.open(server.data_dir)
    try:
        (tones,) = (episode.id for episode in library.episodes() if episode.id != demo)
    finally:
        library.close()
    return Served(server.url, server.data_dir, tones, demo)


def _only(library: Any) -> str:
    try:
        (episode,) = library.episodes()
        return str(episode.id)
    finally:
        library.close()


@contextmanager
def starting(data_dir: Path) -> Iterator[str]:
    """Run ``earmark serve``; yields its address as soon as it answers at all, long before it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(data_dir), "serve", "--no-open"]
    command += ["--port", str(port)]
    variables = {"EARMARK_HEARING": "tiny.en"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while not _answers(url):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/api/status", timeout=1).close()
    except OSError:
        return False
    return True


def similarity(heard: Audio, said: Audio) -> float:
    """The best correlation (0..1) of ``said`` with any place in ``heard``; 1 when it is in there as it is."""
    import numpy as np

    said = said.at_rate(heard.rate)
    size = len(heard.samples) + len(said.samples)
    product = np.fft.irfft(np.fft.rfft(heard.samples, size) * np.conj(np.fft.rfft(said.samples, size)), size)
    energy = np.cumsum(np.concatenate([[0], heard.samples.astype(np.float64) ** 2]))
    places = len(heard.samples) - len(said.samples)
    if places < 0:
        return 0.0
    under = np.sqrt(energy[len(said.samples) :][: places + 1] - energy[: places + 1]) * np.linalg.norm(said.samples)
    return float(np.max(product[: places + 1] / np.maximum(under, 1e-9)))
