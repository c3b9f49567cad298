# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for one show: given on the command line, and kept to when it is played and when its feed is looked at."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from episodes.store.postgres import PostgresDatabase
from episodes.store.postgres_tables import MIGRATIONS
from tests.episodes.feedserver import publishing
from tests.ui.home.conftest import add_episode, tone_file
from ui.cli.main import main
from ui.companion import Companion
from ui.home.upkeep import Upkeep
from ui.listen.now_playing import NowPlaying
from ui.positions import FILE, PlaybackPositions
from ui.settings import Settings
from ui.shows import ShowSettings, ShowSettingsStore
from voice.devices.player import Player

assert tone_file  # a fixture


def run(companion: Companion, *words: str) -> Result:
    done = shows(companion, *words)
    assert done.exit_code == 0, done.output
    return done


def shows(companion: Companion, *words: str) -> Result:
    settings = companion.settings
    variables = {"EARMARK_FETCH_PRIVATE": "true", "EARMARK_DATABASE": settings.database}
    return CliRunner().invoke(main, ["--data-dir", str(settings.data_dir), "shows", *words], env=variables)


@pytest.fixture
def companion(tmp_path: Path, tone_file: Path, database_url: str):
    """On each engine."""
    companion = Companion(Settings(
        data_dir=tmp_path / "earmark", demo=False, fetch_private=True, sync="6h", database=database_url
    ))  # fmt: skip
    add_episode(companion.library, tone_file, "Hives", show="Bees Weekly")
    add_episode(companion.library, tone_file, "Tools", show="Workshop")
    yield companion
    companion.close()


def test_a_show_is_played_at_its_own_speed_from_behind_its_intro(companion):
    said = run(companion, "bees weekly", "--speed", "1.5", "--skip-intro", "12").stdout
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
    server = companion.storage.server
    assert PlaybackPositions(companion.settings.data_dir, server).speed(playing.listener) == 1.2
    player.close()
    run(companion, "Bees Weekly", "--reset")
    assert json.loads(run(companion, "--json").stdout) == [
        {"show": show, "episodes": 1, "speed": 0.0, "skip_intro": 0.0, "add": True, "language": ""}
        for show in ("Bees Weekly", "Workshop")
    ]


def test_a_feed_brings_nothing_by_itself_when_its_show_says_so_and_else_in_its_language(companion):
    now, shows = [0.0], ShowSettingsStore.of(companion.library)
    with publishing() as publisher:
        publisher.files["/feed.xml"] = publisher.feed({"guid": "g0", "title": "T0"})
        from episodes.ingest.subscriptions import follow, subscriptions

        follow(companion.library, f"{publisher.base}/feed.xml")
        listeners = PlaybackPositions(companion.settings.data_dir, companion.storage.server)
        keeping = Upkeep(companion, listeners, clock=lambda: now[0], chance=lambda: 1.0)
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
        done = shows(companion, *words)
        assert done.exit_code == 1 and advice in done.stderr
    assert ShowSettingsStore.of(companion.library).get("Workshop") == ShowSettings()


def test_what_holds_for_a_show_goes_with_a_copy(tmp_path, companion):
    kept = ShowSettingsStore.of(companion.library)
    kept.set("Bees", speed=1.5)
    kept.copy_to(ShowSettingsStore(tmp_path))
    assert ShowSettingsStore(tmp_path).get("bees").speed == 1.5
    kept.set("bees", speed=0.0)
    ShowSettingsStore(tmp_path).copy_to(kept)
    assert kept.get("Bees").speed == 1.5


def test_what_an_earlier_version_kept_of_shows_is_taken_over(tmp_path, postgres_server):
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("CREATE TABLE shows (show TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        db.execute("INSERT INTO shows VALUES ('bees', '{\"speed\": 1.5}')")
        db.commit()
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA before")
    url = f"{postgres_server.url}?options=-csearch_path%3Dbefore,public"
    for said in (f"Done, {len(MIGRATIONS)} steps.", "The tables are up to date."):
        done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "migrate"], env={"EARMARK_DATABASE": url})
        assert done.stdout.strip() == said
    with closing(PostgresDatabase.open(url)) as server:
        assert ShowSettingsStore(tmp_path, server).get("Bees").speed == 1.5
    assert ShowSettingsStore(tmp_path).get("Bees").speed == 1.5
