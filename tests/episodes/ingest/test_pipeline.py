# SPDX-License-Identifier: GPL-3.0-or-later
"""An episode's way in, and what is left when it breaks off."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import time

import pytest

from episodes.ingest.pipeline import Tools
from episodes.ingest.worker import add
from episodes.model import Cue, Episode, State, Step, StepState
from episodes.store import jobs
from episodes.store.jobs import Queue
from episodes.store.library import Library
from episodes.topics.cohesion import Embed
from episodes.topics.llm_summary import Writer
from episodes.transcripts.writer import write_vtt
from tests.conftest import for_long
from tests.episodes.tones import change_heard, write_tones
from tests.material import material
from voice.audio import Audio
from voice.diarization import Speech
from voice.errors import AudioError, EarmarkError, EngineError, HearingError, NoSpace, TranscriptError
from voice.model import Bias, Heard, Piece, Wanted

SAID = [
    "Welcome to the show about bees.", "A hive of bees keeps its brood warm in winter.",
    "Bees dance to tell where the flowers are.", "What is the waggle dance?", "The waggle dance points to the flowers.",
    "Now the ships.", "A ship needs a keel to sail against the wind.", "The keel of a ship is made of lead.",
    "Sailors mend the sails of a ship.",
]  # fmt: skip
EACH = 5  # seconds for each sentence: shorter ones would be one topic
LENGTH = EACH * len(SAID)
CUES = [Cue(float(EACH * number), float(EACH * (number + 1)), text) for number, text in enumerate(SAID)]
VTT = write_vtt([Cue(cue.start, cue.end, cue.text, "Ann") for cue in CUES])


class Recogniser:
    """A recogniser that hears what it is told to; the real ones have their own tests."""

    name = "told"

    def __init__(self, cues: list[Cue]) -> None:
        self.cues, self.calls = cues, 0
        self.heard: list[str] = []
        self.bias = Bias()
        self.error: BaseException | None = None

    def hear(self, audio: Audio, bias: Bias = Bias(), timed: bool = False, wanted: Wanted | None = None) -> Heard:  # noqa: B008
        return Heard("", 0.0)  # tones, in which nobody speaks

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        self.calls += 1
        self.bias = bias
        for cue in self.cues:
            if cue.end > since:
                self.heard.append(cue.text)
                yield Piece(cue.start, cue.end, (cue,))
            if self.error and cue == self.cues[len(self.cues) // 2]:
                raise self.error


class Workshop:
    """Tools that count what they did and fail when told to."""

    def __init__(self, embed: Embed) -> None:
        self.recogniser = Recogniser(CUES)
        self.embedded = self.indexed = 0
        self.embed_error: BaseException | None = None
        self.index_error: BaseException | None = None
        self.steps: list[tuple[Step, State]] = []

        def counted(texts):  # type: ignore[no-untyped-def]
            self.embedded += 1
            if self.embed_error:
                raise self.embed_error
            return embed(texts)

        self.tools = Tools(hearing=lambda: self.recogniser, embed=counted, index=self._index)

    def _index(self, episode: Episode, cues: tuple[Cue, ...]) -> None:
        self.indexed += 1
        if self.index_error:
            raise self.index_error

    def on_step(self, episode: Episode, step: StepState) -> None:
        assert next(state for state in episode.steps if state.step is step.step).state is step.state
        if not self.steps or self.steps[-1] != (step.step, step.state):
            self.steps.append((step.step, step.state))


@pytest.fixture
def workshop(embed: Embed) -> Workshop:
    return Workshop(embed)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return write_tones(tmp_path / "bees-and-ships.wav", "pcm_s16le", LENGTH, 8_000)


def test_audio_with_a_transcript_needs_no_recogniser(library: Library, workshop: Workshop, talk: Path) -> None:
    talk.with_suffix(".vtt").write_text(VTT)
    episode = add(library, talk, workshop.tools, workshop.on_step)
    assert episode == library.episode("Bees and ships")
    assert episode.ready
    assert episode.seconds == pytest.approx(LENGTH, abs=0.05)
    assert episode.source == str(talk)
    assert workshop.recogniser.calls == 0
    assert workshop.steps == [(step, state) for step in Step for state in (State.RUNNING, State.DONE)]
    audio = library.audio_path(episode)
    assert audio is not None
    assert audio.parent == library.folder / "audio"
    assert change_heard(audio, 11) == pytest.approx(11, abs=0.025)
    assert len(library.cues(episode.id)) == len(SAID)
    assert library.cues(episode.id)[0].speaker == "Ann"
    segments = library.segments(episode.id)
    assert segments
    assert all(segment.title and segment.summary for segment in segments)
    assert library.digest(episode.id).questions


def test_audio_alone_is_heard_with_its_own_names_in_mind(library: Library, workshop: Workshop, tmp_path: Path) -> None:
    talk = write_tones(tmp_path / "a.flac", "flac", LENGTH, 8_000, prepare=lambda out, _: out.metadata.update(
        {"title": "Bees and Ships", "album": "The Show", "artist": "Ann Lee"}))  # fmt: skip
    episode = add(library, talk, workshop.tools, workshop.on_step)
    assert workshop.recogniser.calls == 1
    assert workshop.recogniser.bias.names == ("Bees and Ships", "The Show", "Ann Lee")
    assert [cue.text for cue in library.cues(episode.id)] == SAID
    assert episode.guests == ("Ann Lee",)


class Voices:
    """What tells two speakers apart: the second one begins in the middle."""

    def __init__(self, error: EarmarkError | None = None) -> None:
        self.error = error

    def tell(self, path: Path, on_progress) -> list[Speech]:  # type: ignore[no-untyped-def]
        if self.error:
            raise self.error
        on_progress(LENGTH)
        return [Speech(0.0, LENGTH / 2, 4), Speech(LENGTH / 2, LENGTH, 2)]


def test_speakers_are_told_apart_where_nobody_names_them(library: Library, workshop: Workshop, talk: Path) -> None:
    tools = replace(workshop.tools, speakers=Voices)  # type: ignore[arg-type]
    episode = add(library, talk, tools)
    names = [cue.speaker for cue in library.cues(episode.id)]
    assert names[0] == "Speaker 1" and names[-1] == "Speaker 2" and len(set(names)) == 2
    library.remove(episode.id)
    talk.with_suffix(".vtt").write_text(VTT)  # names its own
    episode = add(library, talk, tools)
    assert {cue.speaker for cue in library.cues(episode.id)} == {"Ann"}
    library.remove(episode.id)
    talk.with_suffix(".vtt").write_text(write_vtt(CUES))
    broken = replace(tools, speakers=lambda: Voices(HearingError("The model is broken.")))  # type: ignore[arg-type]
    episode = add(library, talk, broken)
    assert episode.ready and {cue.speaker for cue in library.cues(episode.id)} == {""}
    assert next(step.reason for step in episode.steps if step.step is Step.TRANSCRIBED) == "The model is broken."


def test_a_transcript_alone(library: Library, workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "words.vtt").write_text(VTT)
    episode = add(library, tmp_path / "words.vtt", workshop.tools)
    assert episode.ready
    assert (episode.audio, episode.seconds) == ("", LENGTH)
    assert library.audio_path(episode) is None


def test_the_same_file_twice_changes_nothing(library: Library, workshop: Workshop, talk: Path, tmp_path: Path) -> None:
    first = add(library, talk, workshop.tools, workshop.on_step)
    version, steps = library.version(), len(workshop.steps)
    talk.rename(tmp_path / "other name.wav")
    assert add(library, tmp_path / "other name.wav", workshop.tools, workshop.on_step) == first
    assert (library.version(), len(workshop.steps)) == (version, steps)
    assert workshop.recogniser.calls == workshop.indexed == 1


@pytest.mark.parametrize("step", [Step.TRANSCRIBED, Step.INDEXED, *for_long(Step.SEGMENTED, Step.DIGESTED)])
def test_what_broke_off_goes_on_where_it_was(library: Library, workshop: Workshop, talk: Path, step: Step) -> None:
    for error in (EngineError("The model is broken."), RuntimeError("boom"), KeyboardInterrupt()):
        break_off(library, workshop, talk, step, error)
    (broken,) = library.episodes()
    workshop.recogniser.error = workshop.embed_error = workshop.index_error = None
    workshop.steps.clear()
    calls, audio = workshop.recogniser.calls, library.audio_path(broken)
    assert audio is not None
    stamp = audio.stat().st_mtime_ns
    done = add(library, talk, workshop.tools, workshop.on_step)
    assert done.ready
    assert done.id == broken.id
    assert workshop.steps[0] == (step, State.RUNNING)
    assert audio.stat().st_mtime_ns == stamp
    assert workshop.recogniser.calls == calls + (step is Step.TRANSCRIBED)
    assert workshop.recogniser.heard == SAID  # nothing twice
    assert [cue.text for cue in library.cues(done.id)] == SAID
    assert Queue(library.database).jobs() == []


def break_off(library: Library, workshop: Workshop, talk: Path, step: Step, error: BaseException) -> None:
    """Take it in, and let an error come in that step."""
    def on_step(episode: Episode, state: StepState) -> None:
        workshop.on_step(episode, state)
        if state.step is step and state.state is State.RUNNING and step in (Step.SEGMENTED, Step.DIGESTED):
            workshop.embed_error = error

    workshop.embed_error = None
    workshop.recogniser.error = error if step is Step.TRANSCRIBED else None
    workshop.index_error = error if step is Step.INDEXED else None
    with pytest.raises(type(error)):
        add(library, talk, workshop.tools, on_step)
    (broken,) = library.episodes()
    state = broken.steps[list(Step).index(step)]
    if isinstance(error, KeyboardInterrupt):
        assert (state.state, broken.status) == (State.WAITING, "waiting")
        assert Queue(library.database).waits(time())
    else:
        assert not Queue(library.database).waits(time())
        reason = "The model is broken." if isinstance(error, EarmarkError) else "RuntimeError: boom"
        assert broken.status == f"failed: {reason}"
    assert all(before.state is State.DONE for before in broken.steps[: list(Step).index(step)])


def test_a_file_that_cannot_be_taken_in_leaves_nothing(library: Library, workshop: Workshop, tmp_path: Path) -> None:
    def stop(episode: Episode, step: StepState) -> None:
        if step.progress > 0 and step.step is Step.NORMALISED:
            raise RuntimeError

    talk = write_tones(tmp_path / "a.mp3", "libmp3lame", 30)
    with pytest.raises(RuntimeError):
        add(library, talk, workshop.tools, stop)
    (tmp_path / "b.mp3").write_bytes(b"")
    (tmp_path / "c.mp3").write_text("text " * 100)
    for name in ("b.mp3", "c.mp3"):
        with pytest.raises(AudioError):
            add(library, tmp_path / name, workshop.tools)
    (tmp_path / "a.srt").write_text("1\n00:00:05,000 --> 00:00:01,000\nx\n")
    with pytest.raises(TranscriptError, match=r"a\.srt has no usable times"):
        add(library, tmp_path / "a.srt", workshop.tools)
    assert library.episodes() == []
    assert list((library.folder / "audio").iterdir()) == []


@pytest.mark.parametrize(("transcript", "says"), [
    ("WEBVTT\n\n00:09.000 --> 00:01.000\nx\n", "no usable times"),
    ("WEBVTT\n\n00:00.000 --> 00:01.000\n \n", "no cues with text"),
    ("WEBVTT\n\n00:00.000 --> 40:00.000\nThe talk of another day.\n", "goes on to 40 minutes"),
])  # fmt: skip
def test_a_bad_transcript_is_left_out_and_said(
    library: Library, workshop: Workshop, talk: Path, transcript: str, says: str
) -> None:
    talk.with_suffix(".vtt").write_text(transcript)
    episode = add(library, talk, workshop.tools)
    assert episode.ready
    assert workshop.recogniser.calls == 1
    (remark,) = [step.reason for step in episode.steps if step.reason]
    assert says in remark
    assert "was left out" in remark


def test_a_transcript_that_came_later_is_taken_in(library: Library, workshop: Workshop, talk: Path) -> None:
    episode = add(library, talk, workshop.tools)
    assert {cue.speaker for cue in library.cues(episode.id)} == {""}
    talk.with_suffix(".vtt").write_text(VTT)
    assert add(library, talk, workshop.tools).id == episode.id
    assert {cue.speaker for cue in library.cues(episode.id)} == {"Ann"}
    version = library.version()
    assert add(library, talk, workshop.tools).ready
    assert library.version() == version
    assert workshop.recogniser.calls == 1


def test_lost_audio_is_made_again(library: Library, workshop: Workshop, talk: Path) -> None:
    episode = add(library, talk, workshop.tools)
    audio = library.audio_path(episode)
    assert audio is not None
    audio.unlink()
    assert add(library, talk, workshop.tools) == episode
    assert audio.exists()
    assert workshop.recogniser.calls == 1


def test_an_episode_without_speech_is_said(library: Library, workshop: Workshop, talk: Path) -> None:
    workshop.recogniser.cues = []
    with pytest.raises(HearingError, match="No speech was found in “Bees and ships”"):
        add(library, talk, workshop.tools)


def test_a_transcript_that_does_not_fit_the_audio_is_said(library: Library, workshop: Workshop, talk: Path) -> None:
    talk.with_suffix(".vtt").write_text(VTT + "\n01:42.000 --> 01:50.000\nlate\n")
    episode = add(library, talk, workshop.tools)
    assert episode.steps[2].state is State.DONE
    assert episode.steps[2].reason == (
        "The transcript is 1.1 minutes longer than the audio; its times may not fit."
    )


def test_chapters_in_the_file_are_followed(library: Library, workshop: Workshop) -> None:
    given = material("feeds", "antennapod", "auphonic.mp3")
    workshop.recogniser.cues = [Cue(float(number), number + 1.0, text) for number, text in enumerate(SAID)]
    episode = add(library, given, workshop.tools)
    titles = [chapter.title for chapter in library.chapters(episode.id)]
    assert titles[:2] == ["Chapter 1 - ❤️😊", "Chapter 2 - ßöÄ"]
    assert [segment.title for segment in library.segments(episode.id)] == titles == [*titles[:3], "Chapter 4"]
    assert [segment.start for segment in library.segments(episode.id)] == [0.0, 3.0, 6.0, 8.0]
    assert (episode.title, episode.show, episode.published) == ("Title", "Album", "2021")


@pytest.mark.parametrize("kilobytes", [100, *for_long(300, 900)])
def test_a_full_disk_is_said_and_nothing_is_half_there(
    small_disk: Path, workshop: Workshop, talk: Path, kilobytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", 3.0)  # seconds: where nothing can be written, nobody can say that a job is free
    library = Library.open(small_disk / "library")
    (talk.parent / "words.vtt").write_text(VTT)
    kept = add(library, talk.parent / "words.vtt", workshop.tools)
    used = sum(path.stat().st_size for path in small_disk.rglob("*") if path.is_file()) // 1024
    subprocess.run(["mount", "-o", f"remount,size={used + kilobytes}k", str(small_disk)], check=True)
    talk.with_suffix(".vtt").write_text(VTT)
    try:
        add(library, talk, workshop.tools)
    except NoSpace as error:
        assert "The disk is full" in error.message
    else:
        assert kilobytes == 900
    assert kept in library.episodes()
    assert library.cues(kept.id)
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    done = add(library, talk, workshop.tools)
    assert done.ready
    assert not list((library.folder / "audio").glob("*.part"))


def test_every_real_caption_file_is_taken_in_or_refused_in_a_sentence(library: Library, workshop: Workshop) -> None:
    taken = {}
    for folder in ("transcriptator", "podcast-namespace"):
        for path in sorted(material("feeds", folder).iterdir()):
            try:
                episode = add(library, path, workshop.tools)
            except EarmarkError as error:
                assert path.name in error.message
                assert error.hint
            else:
                assert episode.ready
                taken[path.name] = len(library.cues(episode.id))
    assert {episode.status for episode in library.episodes()} == {"ready"}
    assert taken == {
        "LaLaLand.json": 493, "LaLaLand.vtt": 493, "buzzcast.html": 298, "buzzcast.json": 489, "example.html": 138,
        "buzzcast.srt": 488,
        "example.json": 2, "example.srt": 222,
        "example.vtt": 7, "how_to_start_a_podcast.json": 134, "kde_express-16_kde_en_telegram.vtt": 22,
        "one_word_segments.json": 24, "podcasting_20_episode_124.srt": 646, "podnews_daily_2024-01-25.vtt": 44,
        "podnews_weekly_review_2023-03-17.html": 822,
        "podnews_weekly_review_2023-05-05.json": 67, "podnews_weekly_review_2023-06-02.json": 3,
        "podnews_weekly_review_2024-01-19.vtt": 189,
    }  # fmt: skip


def test_a_writer_writes_the_digest_and_its_name_is_kept(library: Library, workshop: Workshop, talk: Path) -> None:
    reply = '{"title": "Bees at sea", "summary": "Bees sail.", "teaser": "Bees sail far."}'
    talk.with_suffix(".vtt").write_text(VTT)
    tools = replace(workshop.tools, writer=lambda: Writer("small-model", lambda prompt: reply))
    episode = add(library, talk, tools, workshop.on_step)
    assert (library.digest(episode.id).writer, library.digest(episode.id).teaser) == ("small-model", "Bees sail far.")
    assert {part.title for part in library.segments(episode.id)} == {"Bees at sea"}


def test_without_its_writer_the_digest_is_in_the_speakers_words(
    library: Library, workshop: Workshop, talk: Path
) -> None:
    def fail(prompt: str) -> str:
        raise EngineError("Nobody answers.", "Start it.")

    talk.with_suffix(".vtt").write_text(VTT)
    tools = replace(workshop.tools, writer=lambda: Writer("small-model", fail))
    episode = add(library, talk, tools, workshop.on_step)
    assert episode.ready
    assert library.digest(episode.id).writer == "extractive"
    assert library.digest(episode.id).questions
    assert any("Nobody answers." in step.reason for step in episode.steps)
