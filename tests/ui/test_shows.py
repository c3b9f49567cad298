# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for one show: given on the command line, and kept to when it is played and when its feed is looked at."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.episodes.feedserver import publishing
from tests.ui.home.conftest import add_episode, tone_file
from ui.cli.main import main
from ui.companion import Companion
from ui.home.upkeep import Upkeep
from ui.listen.now_playing import NowPlaying
from ui.positions import PlaybackPositions
from ui.settings import Settings
from ui.shows import ShowSettings, ShowSettingsStore
from voice.devices.player import Player

assert tone_file  # a fixture


def run(folder: Path, *words: str) -> Result:
    done = CliRunner().invoke(main, ["--data-dir", str(folder), "shows", *words], env={"EARMARK_FETCH_PRIVATE": "true"})
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def companion(tmp_path: Path, tone_file: Path):
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False, fetch_private=True, sync="6h"))
    add_episode(companion.library, tone_file, "Hives", show="Bees Weekly")
    add_episode(companion.library, tone_file, "Tools", show="Workshop")
    yield companion
    companion.close()


def test_a_show_is_played_at_its_own_speed_from_behind_its_intro(companion):
    folder = companion.settings.data_dir
    said = run(folder, "bees weekly", "--speed", "1.5", "--skip-intro", "12").stdout
    assert said == "Bees Weekly  (1 episodes)  1.5 times  begins at 12 s\n"
    player = Player()
    playing = NowPlaying(companion, player)
    playing.open("Hives")
    assert (player.speed, player.position) == (1.5, 12.0)
    player.speed = 1.7  # told by voice: for this show
    playing.save(20.0)
    playing.open("Tools")
    assert (player.speed, player.position) == (1.0, 0.0)
    player.speed = 1.2
    playing.save(5.0)
    playing.open("Hives")
    assert (player.speed, player.position) == (1.7, 20.0)
    assert PlaybackPositions(folder).speed(playing.listener) == 1.2
    player.close()
    run(folder, "Bees Weekly", "--reset")
    assert json.loads(run(folder, "--json").stdout) == [
        {"show": show, "episodes": 1, "speed": 0.0, "skip_intro": 0.0, "add": True, "language": ""}
        for show in ("Bees Weekly", "Workshop")
    ]


def test_a_feed_brings_nothing_by_itself_when_its_show_says_so_and_else_in_its_language(companion):
    now, shows = [0.0], ShowSettingsStore(companion.settings.data_dir)
    with publishing() as publisher:
        publisher.files["/feed.xml"] = publisher.feed({"guid": "g0", "title": "T0"})
        from episodes.ingest.subscriptions import follow, subscriptions

        follow(companion.library, f"{publisher.base}/feed.xml")
        positions = PlaybackPositions(companion.settings.data_dir)
        keeping = Upkeep(companion, positions, clock=lambda: now[0], chance=lambda: 1.0)
        keeping.step()
        (feed,) = subscriptions(companion.library)
        assert companion.library.count() == 3
        shows.set(feed.title, add=False)
        publisher.files["/feed.xml"] = publisher.feed(*({"guid": f"g{n}", "title": f"T{n}"} for n in range(2)))
        now[0] += 86_400.0
        keeping.step()
        assert companion.library.count() == 3
        shows.set(feed.title, add=True, language="de")
        now[0] += 86_400.0
        keeping.step()
    told = {episode.title: episode.language for episode in companion.library.episodes()}
    assert (told["T0"], told["T1"]) == ("", "de")


def test_an_unknown_show_is_named_and_nothing_is_changed_without_one(companion):
    for words, advice in ((("Wasps",), "'earmark shows'"), (("--speed", "2"), "TITLE")):
        done = CliRunner().invoke(main, ["--data-dir", str(companion.settings.data_dir), "shows", *words])
        assert done.exit_code == 1 and advice in done.stderr
    assert ShowSettingsStore(companion.settings.data_dir).get("Workshop") == ShowSettings()


def test_what_holds_for_a_show_goes_with_a_copy(tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    ShowSettingsStore(tmp_path).set("Bees", speed=1.5)
    ShowSettingsStore(tmp_path).copy_to(ShowSettingsStore(there))
    assert ShowSettingsStore(there).get("bees").speed == 1.5
