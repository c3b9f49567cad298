# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks in an episode."""

from episodes.model import Cue
from ui.attribution import Attribution

CUES = (
    Cue(0, 9, "Honey bees dance on the comb, and the angle of the dance tells where flowers are.", "Ruth Adler"),
    Cue(9, 12, "And who taught them that?", "Audience 1"),
    Cue(12, 20, "I think nobody did, since young bees that never saw a dance still know how.", "Ben Ode"),
    Cue(20, 22, "Right, so it is born with them.", "Speaker 2"),
)


def test_those_who_speak_are_named_and_labels_are_not():
    assert Attribution(CUES).named() == ["Ben Ode", "Ruth Adler"]
    assert Attribution(()).named() == []
