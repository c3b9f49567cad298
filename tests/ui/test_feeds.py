# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds, folders and exports on the command line, as a person uses them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from episodes.media.recordings import probe
from episodes.sources.feed import read_opml
from episodes.transcripts.reader import read_transcript
from episodes.transcripts.writer import write_vtt
from tests.episodes.feedserver import Publisher, publishing
from tests.episodes.tones import write_tones
from ui.cli.main import main
from voice.model import Cue

CUES = [Cue(float(number), number + 1.0, f"Sentence {word} about bees.", "Ann")
        for number, word in enumerate(["one", "two", "three", "four", "five", "six"])]  # fmt: skip


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    with publishing() as found:
        found.files["/talk.wav"] = write_tones(tmp_path / "talk.wav", "pcm_s16le", 6, 8_000).read_bytes()
        found.files["/talk.vtt"] = write_vtt(CUES).encode()
        more = f'<podcast:transcript url="{found.base}/talk.vtt" type="text/vtt"/>'
        found.files["/feed.xml"] = found.feed(*({"guid": f"talk-of-bees-{number}", "title": f"Bees {number}",
                                                 "more": more} for number in range(4)))  # fmt: skip
        yield found


def run(*words: str | Path, data_dir: Path, private: bool = True) -> Result:
    """The command in this process, allowed to fetch from this machine or not."""
    given = ["--data-dir", str(data_dir), *map(str, words)]
    return CliRunner().invoke(main, given, env={"EARMARK_FETCH_PRIVATE": str(private).lower()})


def refused(result: Result) -> str:
    """What was said, when that is a sentence (and perhaps the next step) and a failure."""
    assert result.exit_code == 1, result.output
    assert 1 <= len(result.stderr.strip().splitlines()) <= 3
    return result.stderr


def test_a_feed_is_added_followed_and_forgotten(tmp_path: Path, publisher: Publisher) -> None:
    home = tmp_path / "home"
    address = f"{publisher.base}/feed.xml"
    said = refused(run("add", address, data_dir=home, private=False))
    assert "fetch_private" in said
    assert not json.loads(run("list", "--json", data_dir=home).stdout)
    added = run("add", address, "--match", "bees 2", "--json", data_dir=home)
    assert added.exit_code == 0, added.stderr
    assert "Bees Weekly: 1 of 4" in added.stderr
    (episode,) = json.loads(added.stdout)
    assert (episode["title"], episode["show"], episode["ready"]) == ("Bees 2", "Bees Weekly", True)
    (feed,) = json.loads(run("feeds", "--json", data_dir=home).stdout)
    assert feed == {"address": address, "title": "Bees Weekly", "match": "bees 2", "seen": 4}
    publisher.files["/feed.xml"] = publisher.feed({"guid": "talk-of-bees-new", "title": "Bees 2 again"})
    (synced,) = json.loads(run("sync", "--json", data_dir=home).stdout)
    assert len(synced["episodes"]) == 1
    assert "Bees 2 again" in run("jobs", data_dir=home).stdout
    assert "0 new" in run("sync", data_dir=home).stdout
    (listed,) = read_opml(run("feeds", "--opml", data_dir=home).stdout.encode(), "list")
    assert (listed.address, listed.title) == (address, "Bees Weekly")
    publisher.files.clear()
    assert "404" in refused(run("sync", data_dir=home))
    assert "no longer followed" in run("feeds", "--forget", "bees weekly", data_dir=home).stdout
    assert "No feed" in run("sync", data_dir=home).stdout


def test_export_writes_what_reads_back(demo_dir: Path, tmp_path: Path) -> None:
    for form, start in (("vtt", "WEBVTT"), ("chapters", "{"), ("soundbites", "<?xml"), ("markdown", "# Raising")):
        assert run("export", "raising", "--format", form, data_dir=demo_dir).stdout.startswith(start)
    out = tmp_path / "talk.srt"
    assert run("export", "raising", "--format", "srt", "-o", out, data_dir=demo_dir).exit_code == 0
    transcript = read_transcript(out)
    assert {cue.speaker for cue in transcript} == {"Nora Lindqvist", "Elias Brandt"}
    nowhere = tmp_path / "none" / "talk.srt"
    refused(run("export", "raising", "--format", "srt", "-o", nowhere, data_dir=demo_dir))


def test_a_list_needs_none_of_what_reads_and_hears() -> None:
    heavy = "numpy av torch gradio lxml httpx pydantic episodes.transcripts.reader"
    code = "import sys, ui.cli.main, ui.schemas, episodes.store.library\n"
    code += f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"

def test_a_clip_takes_seconds_and_clock_times(demo_dir: Path, tmp_path: Path) -> None:
    for start, end in (("65", "1:10.5"), ("1:05", "70.5")):
        out = tmp_path / f"{start.replace(':', '')}.m4a"
        said = run("clip", "raising", start, end, "-o", out, data_dir=demo_dir)
        assert said.exit_code == 0, said.stderr
        assert "1:05 to 1:10" in said.stdout
        assert probe(out).seconds == pytest.approx(5.5, abs=0.06)
    out = tmp_path / "none.m4a"
    assert "start first" in refused(run("clip", "raising", "70", "65", "-o", out, data_dir=demo_dir))
    assert "ends at" in refused(run("clip", "raising", "5:00:00", "5:00:10", "-o", out, data_dir=demo_dir))
    assert "no episode" in refused(run("clip", "nobody", "1", "2", "-o", out, data_dir=demo_dir))
    usage = run("clip", "raising", "soon", "2", "-o", out, data_dir=demo_dir)
    assert usage.exit_code == 2 and "not a time" in usage.stderr
    assert not out.exists()



def test_what_is_left_to_the_background_is_printed_as_json(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text(write_vtt(CUES))
    added = run("add", tmp_path / "talk.vtt", "--no-wait", "--json", data_dir=tmp_path / "home")
    (episode,) = json.loads(added.stdout)
    assert (episode["title"], episode["ready"]) == ("Talk", False)
    asked = refused(run("ask", "What about bees?", "--episode", "talk", data_dir=tmp_path / "home"))
    assert "cannot be asked yet: waiting" in asked


def test_a_name_that_is_no_name_takes_nothing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.vtt").write_text(write_vtt(CUES))
    assert "the name is empty" in refused(run("add", "", data_dir=tmp_path / "home"))
    assert "https://example.org/feed.xml" in refused(run("add", "example.org/feed.xml", data_dir=tmp_path / "home"))
    assert not json.loads(run("list", "--json", data_dir=tmp_path / "home").stdout)


def test_the_list_is_in_the_order_of_publication(tmp_path: Path, publisher: Publisher) -> None:
    assert run("add", f"{publisher.base}/feed.xml", "--no-wait", data_dir=tmp_path / "home").exit_code == 0
    listed = json.loads(run("list", "--json", data_dir=tmp_path / "home").stdout)
    assert [episode["title"] for episode in listed] == ["Bees 0", "Bees 1", "Bees 2"]
