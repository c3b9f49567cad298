# SPDX-License-Identifier: GPL-3.0-or-later
"""Real material: a podcast's own transcript and headings, and recordings of people, through the ordinary door."""

import json

import pytest

from episodes.model import Cue
from episodes.transcripts.writer import write_vtt
from retrieval.model import Question
from tests.material import material
from ui.companion import Companion
from ui.settings import Settings

EPISODE = "btc-chaincode-podcast--utxos-chaincode-decoded"
HEADINGS = 3


@pytest.fixture
def companion(tmp_path):
    """A companion of an empty library, with nothing downloaded."""
    opened = Companion(Settings(data_dir=tmp_path / "earmark", hearing="tiny.en"))
    yield opened
    opened.close()


@pytest.mark.long
def test_three_headings_of_a_real_episode_land_in_their_sections(companion, tmp_path):
    folder = material("moments/bitcoin")
    episodes = map(json.loads, (folder / "episodes.jsonl").read_text("utf-8").splitlines())
    real = next(episode for episode in episodes if episode["id"] == EPISODE)
    cues = [Cue(cue["start"], cue["end"], cue["text"], cue["speaker"] or "") for cue in real["cues"]]
    (tmp_path / "panel.vtt").write_text(write_vtt(cues), "utf-8")
    queries = map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())
    headings = [query for query in queries if query["episode"] == EPISODE]

    episode = companion.add(tmp_path / "panel.vtt")
    assert episode.ready
    assert len(companion.library.cues(episode.id)) == len(cues)
    landed = []
    for heading in headings:
        (best, *_) = companion.ask(Question(heading["query"], episode.id)).moments
        if any(start <= best.start <= end for start, end in heading["spans"]):
            landed.append(heading["query"])
    assert len(landed) >= HEADINGS, landed


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        ("speech/jfk/jfk.flac", 15),
        ("speech/pocketsphinx/librivox/sense_and_sensibility_01_austen_64kb-0870.wav", 10),
    ],
)
def test_people_go_through_the_built_in_recogniser(companion, clip, words):
    path = material(clip)
    episode = companion.add(path)
    assert episode.ready
    text = " ".join(cue.text for cue in companion.library.cues(episode.id))
    assert len(text.split()) >= words  # it heard that people speak; which words is the benchmark's business
    assert all(0 <= cue.start < cue.end <= episode.seconds + 1 for cue in companion.library.cues(episode.id))
