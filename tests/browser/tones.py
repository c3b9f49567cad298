# SPDX-License-Identifier: GPL-3.0-or-later
"""An episode in which every second has a pitch of its own, so that what is heard tells where in it one is."""

import json
from itertools import groupby
from pathlib import Path

import numpy as np

from voice.audio import Audio, write_wav

SECONDS = 60
RATE = 24_000
TITLE = "<img src=x onerror=alert(1)> ${7*7} {{7*7}}"
"""As hostile as a feed can be: markup, a template literal and a Handlebars expression."""

_TOPICS = (
    "The copper kettles of the village were mended on Mondays.",
    "Lighthouse keepers counted every ship that passed at night.",
    "A good sourdough starter smells of apples and patience.",
    "Glaciers carry stones the size of houses down to the valley.",
    "The violin maker waits ten years for the spruce to dry.",
    "Bats find moths in the dark by listening to echoes.",
    "Old maps show islands that nobody has ever visited.",
    "Beekeepers paint their hives so that the bees find home.",
    "The tide mill grinds flour twice a day without any wind.",
    "Volcanic soil makes the tomatoes of this coast taste sweet.",
    "Astronomers measure the distance of stars by a small wobble.",
    "The last train leaves the mountain station before the snow.",
)
_STEP = 0.01
_WINDOW = 0.05
_SPACING = 50.0
_LOWEST = 400.0
_LEFT_IN_BUFFER = 0.06


def write_episode(folder: Path) -> Path:
    """A WAV file of ``SECONDS`` and a transcript beside it: two speakers, a cue every five seconds."""
    path = folder / f"{TITLE}.wav"
    times = np.arange(SECONDS * RATE) / RATE
    # whole numbers of periods in a second: the tones join without a click
    samples = 0.25 * np.sin(2 * np.pi * hertz(np.floor(times)) * (times % 1))
    write_wav(path, Audio(samples.astype(np.float32), RATE))
    segments = [
        {"speaker": ("Ada", "Ben")[i % 2], "startTime": 5 * i, "endTime": 5 * i + 5, "body": text}
        for i, text in enumerate(_TOPICS)
    ]
    segments[0]["body"] += f" {TITLE}"
    path.with_suffix(".json").write_text(json.dumps({"version": "1.0.0", "segments": segments}))
    return path


def hertz(second: "float | np.ndarray") -> "float | np.ndarray":  # type: ignore[type-arg]
    """The pitch of a second."""
    return _LOWEST + _SPACING * second


def heard_position(heard: Audio) -> tuple[float, float]:
    """When in ``heard`` the episode begins to sound, and from which of its seconds on; both in seconds.

    The place within a second is known from the moment at which the pitch changes to that of the next. When playback
    starts again after a pause, a loudspeaker may first give what was left in its buffer: that much of another place
    is passed over. Raises AssertionError when no tone, or no change, is heard.
    """
    runs = [list(run) for _, run in groupby(_seconds_heard(heard), key=lambda found: found[1])]
    while runs and len(runs[0]) * _STEP <= _LEFT_IN_BUFFER:
        del runs[0]
    assert len(runs) > 1, "no two seconds were heard"
    (onset, first), (change, second) = runs[0][0], runs[1][0]
    assert second == first + 1, f"second {first} was followed by {second}"
    return onset, second - (change - onset)


def _seconds_heard(heard: Audio) -> list[tuple[float, int]]:
    """(time, second of the episode) for every short window that holds one clear pitch."""
    size = round(_WINDOW * heard.rate)
    window = np.hanning(size)
    found = []
    for start in range(0, len(heard.samples) - size, round(_STEP * heard.rate)):
        piece = heard.samples[start : start + size]
        if np.sqrt(np.mean(piece**2)) < 0.02:
            continue
        spectrum = np.abs(np.fft.rfft(piece * window, 8 * size))
        second = (np.argmax(spectrum) * heard.rate / (8 * size) - _LOWEST) / _SPACING
        if abs(second - round(second)) < 0.15 and 0 <= round(second) < SECONDS:
            found.append(((start + size / 2) / heard.rate, round(second)))
    return found
