# SPDX-License-Identifier: GPL-3.0-or-later
"""The sound of an episode, which may still be on its way."""

import threading
from types import SimpleNamespace

import pytest
from fastapi import HTTPException

from episodes.model import Episode, State, Step, StepState
from episodes.store.library import Library
from ui.web.api import episodes


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(episodes, "_LOOK", 0.01)
    library = Library.open(tmp_path)
    yield library
    library.close()


def told(library, normalised):
    """An episode whose words are all there, and the state of its sound."""
    episode = library.create("talk", Episode("", "A talk"))
    library.save_audio(episode.id, "audio/talk.m4a", 10.0)
    for step in Step:
        library.set_step(episode.id, StepState(step, normalised if step is Step.NORMALISED else State.DONE, 1.0))
    return library.episode(episode.id)


def test_sound_that_is_being_converted_is_waited_for(library):
    episode = told(library, State.RUNNING)
    assert episode.ready and not episode.finished and episode.status == "ready"
    path = library.folder / "audio" / "talk.m4a"
    path.parent.mkdir(exist_ok=True)
    converting = threading.Timer(0.05, path.write_bytes, [b"sound"])
    converting.start()
    assert episodes.sound_of(episode, SimpleNamespace(library=library)).read_bytes() == b"sound"
    converting.join()


@pytest.mark.parametrize("state", [State.DONE, State.FAILED])
def test_sound_that_will_not_come_is_not_waited_for(library, state, monkeypatch):
    monkeypatch.setattr(episodes, "sleep", None)
    with pytest.raises(HTTPException, match="no audio"):
        episodes.sound_of(told(library, state), SimpleNamespace(library=library))
