# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion: where the rooms meet."""

import shutil
import threading
import time

import numpy as np
import pytest

from episodes import demo
from episodes.ingest import pipeline
from episodes.media import recordings
from episodes.model import Cue, Episode, Step
from retrieval.index.chunking import passages
from retrieval.index.prepared_episode import PreparedEpisode, fingerprint
from retrieval.model import Question
from tests.conftest import library_copy
from ui import demo_digest
from ui.companion import Companion
from ui.settings import Settings
from voice.audio import silence, write_wav
from voice.errors import LibraryError, UnknownEpisode

BEES = """WEBVTT

00:00.000 --> 00:05.000
<v Ines>A bee that has found flowers comes home and dances on the comb.

00:05.000 --> 00:10.000
<v Ines>The angle of the dance against gravity is the direction, seen from the sun.

00:10.000 --> 00:14.000
<v Ines>The longer she waggles, the farther away the flowers are.
"""


@pytest.fixture
def library(demo_dir, tmp_path):
    """A copy of the demo library that may be written to."""
    folder = tmp_path / "earmark"
    library_copy(demo_dir, folder)
    return folder


@pytest.fixture
def short(tmp_path):
    """Some sound that is converted at once: that of the demo takes seconds."""
    path = tmp_path / "short.wav"
    write_wav(path, silence(2.0, 16_000))
    return path


def test_a_lost_index_is_made_again_on_start(library):
    shutil.rmtree(library / "index")
    companion = Companion(Settings(data_dir=library))
    try:
        companion.start()
        companion.wait()
        assert companion.status().ready
        assert companion.ask(Question("Why is a chatbot like a mirror?")).covered
    finally:
        companion.close()


def test_what_was_removed_while_it_was_taken_in_leaves_the_index_too(library):
    companion = Companion(Settings(data_dir=library))
    try:
        (demo,) = companion.library.episodes()
        with companion.index.snapshot() as snapshot:
            assert snapshot.episodes == (demo.id,)
        cues = (Cue(0.0, 5.0, "It was removed before the worker had written it.", "Ines"),)
        companion.indexes.add(Episode("gone", "Gone"), cues)
        assert companion.index.episodes == (demo.id,)
    finally:
        companion.close()


def test_another_episode_that_covers_the_question_is_named(library, tmp_path):
    (tmp_path / "How bees talk.vtt").write_text(BEES)
    companion = Companion(Settings(data_dir=library))
    try:
        bees = companion.add(tmp_path / "How bees talk.vtt")
        (demo,) = (episode for episode in companion.library.episodes() if episode.id != bees.id)
        question = "How does the dance show the direction of the flowers?"
        assert companion.ask(Question(question, bees.id)).covered
        answer = companion.ask(Question(question, demo.id))
        assert not answer.covered
        assert "How bees talk" in answer.text
        assert companion.ask(Question(question)).moments[0].episode_id == bees.id
        with pytest.raises(UnknownEpisode):
            companion.ask(Question(question, "nothing-like-it"))
    finally:
        companion.close()


def test_the_demo_is_added_once_in_the_life_of_a_library(library):
    companion = Companion(Settings(data_dir=library))
    try:
        (demo,) = companion.library.episodes()
        companion.remove(demo.id)
        assert companion.add_demo() is None
        assert companion.library.episodes() == []
        with pytest.raises(LibraryError, match="empty"):
            companion.ask(Question("What is organic alignment?"))
    finally:
        companion.close()


def test_what_comes_with_the_demo_is_of_its_words_and_its_model(demo_dir):
    companion = Companion(Settings(data_dir=demo_dir))
    try:
        (episode,) = companion.library.episodes()
        cues, finding = companion.library.cues(episode.id), companion.engines.finding
        texts = [passage.text for passage in passages(episode.id, cues)]
        shipped = PreparedEpisode.load(demo.INDEX)
        assert shipped.fingerprint == fingerprint(texts, cues, finding.name)
        assert len(shipped.vectors) == len(texts)
        assert np.abs(shipped.vectors[::25] - finding.encode(texts[::25])).max() < 1e-5
    finally:
        companion.close()


@pytest.mark.long  # takes in the whole demo; a part of it is looked at above
def test_what_comes_with_the_demo_is_what_taking_it_in_makes(tmp_path):
    segments, digest, prepared = demo_digest.made(tmp_path)
    known, known_digest = demo.digested()
    assert [(part.title, part.summary) for part in known] == [(part.title, part.summary) for part in segments]
    assert [part.start for part in known] == pytest.approx([part.start for part in segments])
    assert known_digest == digest
    shipped = PreparedEpisode.load(demo.INDEX)
    assert shipped.fingerprint == prepared.fingerprint
    assert np.abs(shipped.vectors - prepared.vectors).max() < 1e-5
    assert shipped.tokens.texts == prepared.tokens.texts
    assert (shipped.tokens.ids == prepared.tokens.ids).all()
    assert (shipped.tokens.sentences == prepared.tokens.sentences).all()
    assert np.abs(shipped.tokens.codes.astype(int) - prepared.tokens.codes).max() <= 1


def test_the_demo_is_asked_while_its_sound_is_converted(tmp_path, monkeypatch, short):
    begun, may_end = threading.Event(), threading.Event()

    def slowly(source, target, on_progress):
        begun.set()
        assert may_end.wait(60)
        return recordings.normalise(short, target, on_progress)

    monkeypatch.setattr(pipeline, "normalise", slowly)
    companion = Companion(Settings(data_dir=tmp_path / "earmark"))
    monkeypatch.setattr(companion.engines.finding, "encode", None)  # all that is stored of it was embedded before
    try:
        companion.start()
        companion.wait()
        assert begun.wait(60)
        (episode,) = companion.library.episodes()
        assert companion.status().ready and episode.status == "ready" and not episode.finished
        assert companion.ask(Question("Why is a chatbot like a mirror?")).covered
        may_end.set()
        while not companion.library.episode(episode.id).finished:
            time.sleep(0.05)
        assert companion.library.audio_path(episode).is_file()
        assert companion.status().doing == "Ready"
    finally:
        may_end.set()
        companion.close()


def test_a_language_model_writes_the_digest_of_the_demo_itself(tmp_path, monkeypatch):
    short = tmp_path / "demo.wav"
    write_wav(short, silence(14.0, 16_000))
    short.with_suffix(".vtt").write_text(BEES)
    monkeypatch.setattr(demo, "AUDIO", short)
    companion = Companion(Settings(data_dir=tmp_path, llm_url="http://127.0.0.1:9/v1", llm_model="none"))
    try:
        episode = companion.add_demo()
        assert episode is not None and episode.ready
        (remark,) = (state.reason for state in episode.steps if state.step is Step.DIGESTED)
        assert remark.startswith("The digest is in the speakers' own words")
    finally:
        companion.close()


def test_without_its_voice_it_still_answers_with_the_packaged_one_and_says_what_is_missing(library):
    companion = Companion(Settings(data_dir=library, speaking=str(library / "missing.onnx")))
    try:
        companion.start()
        companion.wait()
        status = companion.status()
        assert status.ready
        (voice,) = (line for line in status.engines if line.role == "speaking")
        assert voice.name == "Piper en_US-joe-medium"
        assert "missing.onnx" in voice.better
        assert companion.ask(Question("What is organic alignment?")).covered
        assert sum(piece.seconds for piece in companion.speak("Hello.")) > 0.2
    finally:
        companion.close()


def test_closing_stops_a_start_soon_and_the_next_start_goes_on(tmp_path, monkeypatch, short):
    folder = tmp_path / "earmark"
    companion = Companion(Settings(data_dir=folder))
    companion.start()
    while not companion.library.episodes():
        time.sleep(0.01)
    companion.close()
    assert not (folder / "demo.json").exists()
    monkeypatch.setattr(
        pipeline, "normalise", lambda source, target, on_progress: recordings.normalise(short, target, on_progress)
    )
    again = Companion(Settings(data_dir=folder))
    try:
        assert all(episode.status in ("waiting", "ready") for episode in again.library.episodes())
        again.start()
        again.wait()
        assert [episode.status for episode in again.library.episodes()] == ["ready"]
        while not (folder / "demo.json").exists():
            time.sleep(0.05)
        assert [episode.finished for episode in again.library.episodes()] == [True]
    finally:
        again.close()


def test_a_library_of_one_episode_is_asked_like_that_episode(demo_dir):
    companion = Companion(Settings(data_dir=demo_dir))
    try:
        about = companion.ask(Question("What is this about?")).text
        assert "Layers of homeostasis" in about
        assert "to ask" not in about
        assert companion.ask(Question("What is organic alignment?")).text.endswith("says Elias Brandt, at 0:39.")
        assert companion.ask(Question("Who won the football match?")).text.startswith("This episode does not")
    finally:
        companion.close()


def test_the_recogniser_leans_towards_the_episode_in_focus(library):
    companion = Companion(Settings(data_dir=library))
    try:
        (demo,) = companion.library.episodes()
        bias = companion.bias(demo.id)
        assert {"Elias Brandt", "Nora Lindqvist"} <= set(bias.names)
        assert {"apprentice", "homeostasis"} <= set(bias.words)
        assert companion.bias(demo.id) is bias
    finally:
        companion.close()


def test_the_language_model_that_is_set_writes_digests(tmp_path):
    assert Companion(Settings(data_dir=tmp_path / "none")).tools.writer() is None
    settings = Settings(data_dir=tmp_path / "one", llm_url="http://127.0.0.1:9/v1", llm_model="small")
    assert Companion(settings).tools.writer().name == "small"


def test_a_question_in_another_language_than_the_episode_gets_an_honest_sentence(demo_dir, tmp_path):
    folder = tmp_path / "earmark"
    library_copy(demo_dir, folder)
    companion = Companion(Settings(data_dir=folder))
    try:
        episode = companion.library.episodes()[-1]
        assert episode.language == "en"
        answer = companion.ask(Question("Was sagt der Gast über die Bienen?", episode.id))
        assert answer.text == "This episode is in English, and that sounds like German; ask it in English."
        assert not answer.covered
    finally:
        companion.close()
