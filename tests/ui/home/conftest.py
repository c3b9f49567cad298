# SPDX-License-Identifier: GPL-3.0-or-later
"""A library with an episode in which every second has a pitch of its own; no engine is needed for it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from episodes.ingest.submit import enqueue
from episodes.media.recordings import normalise
from episodes.model import Episode, Source, State, Step, StepState
from episodes.store.library import Library
from tests.browser.tones import SECONDS, write_episode
from ui.companion import Companion
from ui.settings import Settings


@pytest.fixture(scope="session")
def tone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound of the episode, as the library keeps sound."""
    folder = tmp_path_factory.mktemp("tones")
    normalise(write_episode(folder), folder / "tones.m4a", lambda part: None)
    return folder / "tones.m4a"


def add_episode(library: Library, sound: Path, title: str = "Tones", **told: str) -> Episode:
    """Store an episode as ready, with this sound."""
    episode = enqueue(library, Source(title, guid=title, **told))
    audio = Path("audio") / f"{episode.id}.m4a"
    (library.folder / "audio").mkdir(exist_ok=True)
    shutil.copy(sound, library.folder / audio)
    library.save_audio(episode.id, str(audio), float(SECONDS))
    for step in Step:
        library.set_step(episode.id, StepState(step, State.DONE, 1.0))
    return library.episode(episode.id)


@pytest.fixture
def companion(tmp_path: Path, tone_file: Path) -> Iterator[Companion]:
    """A companion with that episode, which loads no engine."""
    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False, auth="ann:correct horse"))
    add_episode(companion.library, tone_file)
    yield companion
    companion.close()
