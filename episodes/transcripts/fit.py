# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a transcript is one of this recording: its length, and how much is said in it."""

from collections.abc import Sequence

from voice.model import Cue

_DIFFERS = 0.05  # share of the audio by which a transcript may be longer or shorter without a word
_DIFFERS_LEAST = 60.0  # seconds
_LONGER, _SHORTER = 1.25, 0.5  # times the recording's length: beyond, no advertisement explains it
_CHECKED = 120.0  # seconds; of less there is too little to tell
_LEAST_WORDS = 10.0  # a minute; slow talk has 80


def misfit(cues: Sequence[Cue], length: float) -> str:
    """Why these cues are of no use for a recording of ``length`` seconds (0: unknown), one sentence; empty if they are.

    They are of another recording, or only of a part of it, when the lengths differ by more than advertisements
    explain; and hardly anything is written when there are ten words a minute or fewer.
    """
    end = max((cue.end for cue in cues), default=0.0)
    if length and end > length * _LONGER + _DIFFERS_LEAST:
        return f"it goes on to {end / 60:.0f} minutes, the recording only to {length / 60:.0f}."
    if length > _CHECKED and end < length * _SHORTER:
        return f"it ends after {end / 60:.0f} of {length / 60:.0f} minutes."
    spoken = length or end
    words = sum(len(cue.text.split()) for cue in cues)
    if spoken > _CHECKED and words < _LEAST_WORDS * spoken / 60:
        return f"it has {words} words for {spoken / 60:.0f} minutes."
    return ""


def length_remark(cues: Sequence[Cue], length: float) -> str:
    """What to say when a transcript is of use, but not of the length of the audio: advertisements shift the times."""
    end = max(cue.end for cue in cues)
    if abs(end - length) <= max(_DIFFERS_LEAST, _DIFFERS * length):
        return ""
    longer = "longer" if end > length else "shorter"
    return f"The transcript is {abs(end - length) / 60:.1f} minutes {longer} than the audio; its times may not fit."
