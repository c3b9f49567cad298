# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking in the demo episode on a first start: all that is known of it is there at once, its sound a little later."""

import json
from collections.abc import Callable

from episodes import demo
from episodes.ingest import pipeline, worker
from episodes.ingest.submit import enqueue
from episodes.model import Episode, State, Step, StepState
from episodes.sources.files import local_source
from episodes.store.library import Library, audio_name
from episodes.text.language import language_of
from episodes.transcripts.reader import load_transcript
from ui.indexes import Indexes

_TOLD = (Step.TRANSCRIBED, Step.SEGMENTED, Step.DIGESTED)
"""Steps whose result comes with the demo, beside the index."""


def add_demo(
    library: Library,
    indexes: Indexes,
    tools: pipeline.Tools,
    prepared: bool = True,
    on_progress: Callable[[float, str], None] = lambda part, doing: None,
) -> Episode | None:
    """Take in the demo episode, once in the life of a library; None when that was done before.

    What comes with it is stored first (unless ``prepared`` is False), so that it can be asked while its sound is
    converted. A start that was killed in between is made up for on the next one. ``on_progress`` hears a fraction in
    0..1 and what is being done.
    """
    mark = library.folder / "demo.json"
    if mark.exists():
        return None
    with library.transaction():
        episode = enqueue(library, local_source(demo.AUDIO))
        if prepared:
            _store(library, episode)
    episode = library.episode(episode.id)
    if all(step.state is State.DONE for step in episode.steps if step.step in _TOLD):
        indexes.add(episode, library.cues(episode.id))  # of its sound there is nothing in the index
        library.set_step(episode.id, StepState(Step.INDEXED, State.DONE, 1.0))

    def tell(now: Episode, step: StepState) -> None:
        share = sum(each.progress for each in now.steps) / len(Step)
        on_progress(share, f"Adding the demo episode: {now.status}")

    episode = worker.bring_in(library, episode, tools, tell)
    mark.write_text(json.dumps({"episode": episode.id}) + "\n", "utf-8")
    return episode


def _store(library: Library, episode: Episode) -> None:
    """Store what comes with the demo, as if those steps had just been done, unless they were."""
    waiting = {state.step for state in episode.steps if state.state is State.WAITING}
    if not waiting.issuperset(_TOLD):
        return
    cues = load_transcript(demo.AUDIO.with_suffix(".vtt"), episode.seconds).cues
    library.save_cues(episode.id, cues)
    library.save_language(episode.id, language_of(cue.text for cue in cues))
    library.save_audio(episode.id, audio_name(episode.id), episode.seconds)
    segments, digest = demo.digested()
    library.save_segments(episode.id, segments)
    library.save_digest(episode.id, digest)
    for step in _TOLD:
        library.set_step(episode.id, StepState(step, State.DONE, 1.0))
